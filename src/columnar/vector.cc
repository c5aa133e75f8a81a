#include "columnar/vector.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "columnar/value.h"

namespace tideline {
namespace {

std::size_t ValidityBytes(std::size_t rows) { return (rows + 63) / 64 * 8; }

std::shared_ptr<Buffer> MakeBuffer(std::size_t bytes) { return std::make_shared<Buffer>(bytes); }

}  // namespace

Buffer::Buffer(std::size_t bytes) : size_(bytes) {
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + 63) / 64 * 64;
  data_ = static_cast<std::byte*>(std::aligned_alloc(64, rounded));
  TL_CHECK(data_ != nullptr);
}

Buffer::~Buffer() { std::free(data_); }

StringRef StringHeap::Add(std::string_view text) {
  if (text.size() <= StringRef::kInlineBytesMax) return StringRef(text);
  char* copy = Allocate(text.size());
  std::memcpy(copy, text.data(), text.size());
  return StringRef(std::string_view(copy, text.size()));
}

char* StringHeap::Allocate(std::size_t bytes) {
  // Blocks grow with what is there: a heap of one short text is no larger than it must be, since an aggregate
  // may have a heap for each of a million groups.
  static constexpr std::size_t kBlockBytesMin = 256;
  static constexpr std::size_t kBlockBytesMax = 16'384;
  const std::size_t block_bytes = std::clamp(total_, kBlockBytesMin, kBlockBytesMax);
  total_ += bytes;
  // No bytes are somewhere, too: what is copied there is copied to no null pointer.
  if (bytes > left_ || at_ == nullptr) {
    if (bytes > block_bytes / 4) {
      blocks_.push_back(std::make_unique<char[]>(bytes));
      return blocks_.back().get();
    }
    blocks_.push_back(std::make_unique<char[]>(block_bytes));
    at_ = blocks_.back().get();
    left_ = block_bytes;
  }
  char* result = at_;
  at_ += bytes;
  left_ -= bytes;
  return result;
}

Vector Vector::Flat(const Type& type, std::size_t size) {
  Vector vector;
  vector.type_ = type;
  vector.size_ = size;
  const std::size_t value_bytes = type.value_bytes();
  vector.data_ = MakeBuffer(value_bytes * size);
  if (type.physical() == PhysicalType::kString || type.physical() == PhysicalType::kList) {
    std::memset(vector.data_->data(), 0, value_bytes * size);
  }
  for (std::size_t i = 0; i < type.child_count(); ++i) {
    vector.children_.push_back(Flat(type.child(i), type.is(TypeId::kRow) ? size : 0));
  }
  return vector;
}

Vector Vector::Constant(const Type& type, const Value& value, std::size_t size) {
  Vector vector = Flat(type, 1);
  vector.SetValue(0, value);
  vector.kind_ = VectorKind::kConstant;
  vector.size_ = size;
  return vector;
}

Vector Vector::ConstantNull(const Type& type, std::size_t size) {
  return Constant(type, Value::Null(type), size);
}

Vector Vector::ConstantOf(const Vector& vector, std::size_t row, std::size_t size) {
  Vector result = vector;
  if (vector.kind_ != VectorKind::kConstant) {
    const auto first = static_cast<std::uint32_t>(row);
    result = vector.Slice({&first, 1}).Flatten();
    result.kind_ = VectorKind::kConstant;
  }
  result.size_ = size;
  return result;
}

Vector Vector::Dictionary(std::shared_ptr<const Vector> base, std::shared_ptr<Buffer> codes,
                          std::size_t size) {
  TL_CHECK(base->kind() == VectorKind::kFlat && codes->size() >= size * sizeof(std::uint32_t));
  Vector vector;
  vector.type_ = base->type();
  vector.kind_ = VectorKind::kDictionary;
  vector.size_ = size;
  vector.base_ = std::move(base);
  vector.codes_ = std::move(codes);
  return vector;
}

Vector Vector::FromValues(const Type& type, std::span<const Value> values) {
  Vector vector = Flat(type, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) vector.SetValue(i, values[i]);
  return vector;
}

Vector Vector::Slice(std::span<const std::uint32_t> rows) const {
  if (kind_ == VectorKind::kConstant) {
    Vector result = *this;
    result.size_ = rows.size();
    return result;
  }
  auto codes = MakeBuffer(rows.size() * sizeof(std::uint32_t));
  auto* out = reinterpret_cast<std::uint32_t*>(codes->data());
  if (kind_ == VectorKind::kFlat) {
    std::copy(rows.begin(), rows.end(), out);
    return Dictionary(std::make_shared<const Vector>(*this), std::move(codes), rows.size());
  }
  const std::uint32_t* mine = this->codes();
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = mine[rows[i]];
  return Dictionary(base_, std::move(codes), rows.size());
}

Vector Vector::Range(std::size_t first, std::size_t count) const {
  if (first == 0 && count == size_) return *this;
  std::vector<std::uint32_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = static_cast<std::uint32_t>(first + i);
  return Slice(rows);
}

Vector Vector::Flatten() const {
  if (kind_ == VectorKind::kFlat) return *this;
  const Vector& from = base();
  Vector result;
  result.type_ = type_;
  result.size_ = size_;
  const std::size_t width = type_.value_bytes();
  result.data_ = MakeBuffer(width * size_);
  std::byte* out = result.data_->data();
  const std::byte* in = from.data_->data();
  const auto copy = [&]<typename T>(T) {
    const T* source = reinterpret_cast<const T*>(in);
    T* target = reinterpret_cast<T*>(out);
    for (std::size_t i = 0; i < size_; ++i) target[i] = source[Index(i)];
  };
  switch (width) {
    case 1:
      copy(std::uint8_t{});
      break;
    case 4:
      copy(std::uint32_t{});
      break;
    case 8:
      copy(std::uint64_t{});
      break;
    case 16:
      copy(Int128{});
      break;
    default:
      break;
  }
  if (from.validity() != nullptr) {
    for (std::size_t i = 0; i < size_; ++i) {
      const std::size_t index = Index(i);
      if (((from.validity()[index >> 6] >> (index & 63)) & 1) == 0) result.SetNull(i);
    }
  }
  if (type_.is(TypeId::kRow)) {
    std::vector<std::uint32_t> rows(size_);
    for (std::size_t i = 0; i < size_; ++i) rows[i] = static_cast<std::uint32_t>(Index(i));
    for (const Vector& child : from.children_) {
      result.children_.push_back(child.Slice(rows).Flatten());
    }
  } else {
    result.children_ = from.children_;
  }
  result.ShareText(from);
  return result;
}

Vector Vector::WithType(const Type& type) const {
  TL_CHECK(type.physical() == type_.physical());
  Vector result = *this;
  result.type_ = type;
  if (kind_ == VectorKind::kDictionary) {
    result.base_ = std::make_shared<const Vector>(base_->WithType(type));
  }
  return result;
}

const std::uint64_t* Vector::validity() const {
  const Vector& flat = base();
  return flat.validity_ == nullptr
             ? nullptr
             : reinterpret_cast<const std::uint64_t*>(flat.validity_->data());
}

void Vector::EnsureValidity() {
  TL_DCHECK(kind_ != VectorKind::kDictionary);
  if (validity_ != nullptr) return;
  const std::size_t rows = kind_ == VectorKind::kConstant ? 1 : size_;
  validity_ = MakeBuffer(ValidityBytes(rows));
  std::memset(validity_->data(), 0xff, validity_->size());
}

void Vector::SetNull(std::size_t row) {
  EnsureValidity();
  reinterpret_cast<std::uint64_t*>(validity_->data())[row >> 6] &= ~(std::uint64_t{1} << (row & 63));
}

void Vector::SetValid(std::size_t row) {
  if (validity_ == nullptr) return;
  reinterpret_cast<std::uint64_t*>(validity_->data())[row >> 6] |= std::uint64_t{1} << (row & 63);
}

void Vector::SetAllNull() {
  EnsureValidity();
  std::memset(validity_->data(), 0, validity_->size());
}

const Vector& Vector::child(std::size_t index) const { return base().children_[index]; }

void Vector::SetChild(std::size_t index, Vector child) {
  if (children_.size() <= index) children_.resize(type_.child_count());
  children_[index] = std::move(child);
}

StringHeap& Vector::heap() {
  if (heap_ == nullptr) heap_ = std::make_shared<StringHeap>();
  return *heap_;
}

namespace {

template <typename Pointer>
void KeepEachOnce(std::vector<Pointer>* pointers) {
  std::sort(pointers->begin(), pointers->end());
  pointers->erase(std::unique(pointers->begin(), pointers->end()), pointers->end());
}

}  // namespace

void Vector::ShareText(const Vector& other) {
  const Vector* const others[] = {&other};
  ShareText(others);
}

// Joins of joins share the text of the same batches again and again: a list that grew by each would soon be longer
// than the rows. Mostly there is one list, and it is taken as it is.
void Vector::ShareText(std::span<const Vector* const> others) {
  Owners owners;
  std::vector<std::shared_ptr<const Owners>> lists;
  if (owners_ != nullptr) lists.push_back(owners_);
  for (const Vector* other : others) {
    const Vector& from = other->base();
    if (from.heap_ != nullptr && from.heap_ != heap_ && (owners.empty() || owners.back() != from.heap_)) {
      owners.push_back(from.heap_);
    }
    if (from.owners_ != nullptr && (lists.empty() || lists.back() != from.owners_)) lists.push_back(from.owners_);
  }
  KeepEachOnce(&lists);
  if (owners.empty() && lists.size() <= 1) {
    if (!lists.empty()) owners_ = std::move(lists.front());
    return;
  }
  for (const auto& list : lists) owners.insert(owners.end(), list->begin(), list->end());
  KeepEachOnce(&owners);
  owners_ = std::make_shared<const Owners>(std::move(owners));
}

void Vector::KeepAlive(std::shared_ptr<const void> owner) {
  Owners owners;
  if (owners_ != nullptr) owners = *owners_;
  if (std::find(owners.begin(), owners.end(), owner) != owners.end()) return;
  owners.push_back(std::move(owner));
  owners_ = std::make_shared<const Owners>(std::move(owners));
}

void Vector::OwnText() {
  TL_CHECK(kind_ == VectorKind::kFlat);
  for (Vector& child : children_) child.OwnText();
  if (type_.physical() == PhysicalType::kString) {
    auto heap = std::make_shared<StringHeap>();
    auto* const values = mutable_values<StringRef>();
    for (std::size_t row = 0; row < size_; ++row) {
      values[row] = IsNull(row) ? StringRef() : heap->Add(values[row].view());
    }
    heap_ = std::move(heap);
  }
  owners_ = nullptr;
}

bool Vector::IsNull(std::size_t row) const {
  const std::uint64_t* words = validity();
  if (words == nullptr) return false;
  const std::size_t index = Index(row);
  return ((words[index >> 6] >> (index & 63)) & 1) == 0;
}

Value Vector::GetValue(std::size_t row) const {
  if (IsNull(row)) return Value::Null(type_);
  const Vector& from = base();
  const std::size_t index = Index(row);
  switch (type_.physical()) {
    case PhysicalType::kBool8:
      return Value::OfInteger(type_, from.values<std::uint8_t>()[index]);
    case PhysicalType::kInt32:
      return Value::OfInteger(type_, from.values<std::int32_t>()[index]);
    case PhysicalType::kInt64:
      return Value::OfInteger(type_, from.values<std::int64_t>()[index]);
    case PhysicalType::kDouble:
      return Value::Double(from.values<double>()[index]);
    case PhysicalType::kInt128:
      return Value::Decimal(from.values<Int128>()[index], type_.precision(), type_.scale());
    case PhysicalType::kString:
      return Value::Text(type_, std::string(from.values<StringRef>()[index].view()));
    case PhysicalType::kList: {
      const ListEntry entry = from.values<ListEntry>()[index];
      std::vector<Value> items;
      for (std::size_t i = 0; i < entry.length; ++i) {
        for (const Vector& child : from.children_) items.push_back(child.GetValue(entry.offset + i));
      }
      return Value::Nested(type_, std::move(items));
    }
    case PhysicalType::kRow: {
      std::vector<Value> items;
      for (const Vector& child : from.children_) items.push_back(child.GetValue(index));
      return Value::Nested(type_, std::move(items));
    }
  }
  return Value::Null(type_);
}

namespace {

// Appends `count` values taken from `items` at stride `child_count`, offset `which`, to `child`.
Vector Appended(const Vector& child, const std::vector<Value>& items, std::size_t which,
                std::size_t stride) {
  const std::size_t before = child.size();
  const std::size_t count = items.size() / stride;
  std::vector<Value> all;
  all.reserve(before + count);
  for (std::size_t i = 0; i < before; ++i) all.push_back(child.GetValue(i));
  for (std::size_t i = 0; i < count; ++i) all.push_back(items[i * stride + which]);
  return Vector::FromValues(child.type(), all);
}

}  // namespace

void Vector::SetValue(std::size_t row, const Value& value) {
  if (value.is_null()) {
    SetNull(row);
    if (type_.physical() == PhysicalType::kRow) {
      for (Vector& child : children_) child.SetNull(row);
    } else if (type_.value_bytes() != 0) {
      std::memset(data_->data() + row * type_.value_bytes(), 0, type_.value_bytes());
    }
    return;
  }
  SetValid(row);
  switch (type_.physical()) {
    case PhysicalType::kBool8:
      mutable_values<std::uint8_t>()[row] = value.boolean() ? 1 : 0;
      break;
    case PhysicalType::kInt32:
      mutable_values<std::int32_t>()[row] = static_cast<std::int32_t>(value.integer());
      break;
    case PhysicalType::kInt64:
      mutable_values<std::int64_t>()[row] = value.integer();
      break;
    case PhysicalType::kDouble:
      mutable_values<double>()[row] = value.floating();
      break;
    case PhysicalType::kInt128:
      mutable_values<Int128>()[row] = value.decimal();
      break;
    case PhysicalType::kString:
      SetString(row, value.text());
      break;
    case PhysicalType::kList: {
      const std::size_t stride = children_.size();
      const std::size_t offset = children_[0].size();
      const std::size_t length = value.items().size() / stride;
      TL_CHECK(offset + length <= std::numeric_limits<std::uint32_t>::max());
      for (std::size_t i = 0; i < stride; ++i) {
        children_[i] = Appended(children_[i], value.items(), i, stride);
      }
      mutable_values<ListEntry>()[row] = {static_cast<std::uint32_t>(offset),
                                          static_cast<std::uint32_t>(length)};
      break;
    }
    case PhysicalType::kRow:
      for (std::size_t i = 0; i < children_.size(); ++i) {
        children_[i].SetValue(row, value.items()[i]);
      }
      break;
  }
}

std::size_t Vector::memory_bytes() const {
  std::size_t bytes = sizeof(Vector);
  for (const auto* buffer : {data_.get(), validity_.get(), codes_.get()}) {
    if (buffer != nullptr) bytes += buffer->size();
  }
  if (heap_ != nullptr) bytes += heap_->bytes();
  if (base_ != nullptr) bytes += base_->memory_bytes();
  for (const Vector& child : children_) bytes += child.memory_bytes();
  return bytes;
}

}  // namespace tideline
