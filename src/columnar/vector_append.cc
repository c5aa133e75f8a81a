// Growing a flat vector: buffers double, so that appending n rows one by one copies O(n) values.
#include <algorithm>
#include <cstring>
#include <limits>

#include "columnar/vector.h"

namespace tideline {
namespace {

void GrowBuffer(std::shared_ptr<Buffer>* buffer, std::size_t used, std::size_t wanted) {
  if (*buffer != nullptr && (*buffer)->size() >= wanted) return;
  static constexpr std::size_t kBufferBytesMin = 64;
  auto larger = std::make_shared<Buffer>(std::max({wanted, used * 2, kBufferBytesMin}));
  if (*buffer != nullptr && used > 0) std::memcpy(larger->data(), (*buffer)->data(), used);
  *buffer = std::move(larger);
}

template <typename T>
void CopyValues(const Vector& other, const Selection& rows, T* out) {
  const Reader<T> reader(other);
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = reader[rows[i]];
}

}  // namespace

// Makes room for `size` rows; new ones are valid and, for text and lists, not yet initialised.
void Vector::Grow(std::size_t size) {
  const std::size_t width = type_.value_bytes();
  if (width > 0) GrowBuffer(&data_, size_ * width, size * width);
  if (validity_ != nullptr) {
    const std::size_t before = (size_ + 63) / 64 * 8;
    const std::size_t after = (size + 63) / 64 * 8;
    GrowBuffer(&validity_, before, after);
    if (after > before) std::memset(validity_->data() + before, 0xff, after - before);
  }
  size_ = size;
}

void Vector::Append(const Vector& other, const Selection& rows) {
  TL_CHECK(kind_ == VectorKind::kFlat && type_.physical() == other.type().physical());
  const std::size_t first = size_;
  Grow(first + rows.size());
  const Vector& from = other.base();
  if (from.may_have_nulls()) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (other.IsNull(rows[i])) {
        SetNull(first + i);
      } else {
        SetValid(first + i);
      }
    }
  } else if (validity_ != nullptr) {
    for (std::size_t i = 0; i < rows.size(); ++i) SetValid(first + i);
  }
  switch (type_.physical()) {
    case PhysicalType::kBool8:
      return CopyValues(other, rows, mutable_values<std::uint8_t>() + first);
    case PhysicalType::kInt32:
      return CopyValues(other, rows, mutable_values<std::int32_t>() + first);
    case PhysicalType::kInt64:
      return CopyValues(other, rows, mutable_values<std::int64_t>() + first);
    case PhysicalType::kDouble:
      return CopyValues(other, rows, mutable_values<double>() + first);
    case PhysicalType::kInt128:
      return CopyValues(other, rows, mutable_values<Int128>() + first);
    case PhysicalType::kString: {
      const Reader<StringRef> reader(other);
      StringRef* out = mutable_values<StringRef>() + first;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        out[i] = IsNull(first + i) ? StringRef() : heap().Add(reader[rows[i]].view());
      }
      return;
    }
    case PhysicalType::kList: {
      const Reader<ListEntry> reader(other);
      ListEntry* out = mutable_values<ListEntry>() + first;
      std::vector<std::uint32_t> elements;
      std::size_t offset = children_[0].size();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const ListEntry entry = IsNull(first + i) ? ListEntry{} : reader[rows[i]];
        TL_CHECK(offset + entry.length <= std::numeric_limits<std::uint32_t>::max());
        out[i] = {static_cast<std::uint32_t>(offset), entry.length};
        for (std::uint32_t j = 0; j < entry.length; ++j) elements.push_back(entry.offset + j);
        offset += entry.length;
      }
      for (std::size_t c = 0; c < children_.size(); ++c) {
        children_[c].Append(from.child(c), Selection::Of(elements));
      }
      return;
    }
    case PhysicalType::kRow: {
      std::vector<std::uint32_t> indices(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        indices[i] = static_cast<std::uint32_t>(other.Index(rows[i]));
      }
      for (std::size_t c = 0; c < children_.size(); ++c) {
        children_[c].Append(from.child(c), Selection::Of(indices));
      }
      return;
    }
  }
}

}  // namespace tideline
