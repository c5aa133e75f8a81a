#include "exec/operators/group_table.h"

#include <algorithm>
#include <cstring>

#include "exec/values/compare.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

constexpr std::size_t kFirstSlots = 64;

bool IsText(const Type& type) { return type.physical() == PhysicalType::kString; }

// Types whose value is its own word.
bool IsWord(const Type& type) {
  switch (type.physical()) {
    case PhysicalType::kBool8:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
    case PhysicalType::kDouble:
      return true;
    case PhysicalType::kInt128:
    case PhysicalType::kString:
    case PhysicalType::kList:
    case PhysicalType::kRow:
      return false;
  }
  return false;
}

inline std::uint64_t MixWord(std::uint64_t value) {
  value ^= value >> 32;
  value *= 0xe9846af9b1a615dU;
  value ^= value >> 29;
  return value;
}

template <typename T>
std::uint64_t WordOf(T value) {
  if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<std::uint64_t>(CanonicalDouble(value));
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

// Null rows get word 0 and their bit in `null_words`.
template <typename T>
void EncodeWords(const Vector& vector, const Selection& rows, std::size_t stride,
                 std::uint64_t null_bit, std::uint64_t* words, std::uint64_t* null_words) {
  const Reader<T> reader(vector);
  if (!reader.may_have_nulls()) {
    rows.ForEach([&](std::uint32_t row) {
      *words = WordOf(reader[row]);
      words += stride;
    });
    return;
  }
  rows.ForEach([&](std::uint32_t row) {
    if (reader.IsNull(row)) {
      *words = 0;
      *null_words |= null_bit;
    } else {
      *words = WordOf(reader[row]);
    }
    words += stride;
    null_words += stride;
  });
}

template <typename T>
void DecodeWords(const std::uint64_t* words, std::size_t stride, std::size_t count, Vector* out) {
  T* values = out->mutable_values<T>();
  for (std::size_t i = 0; i < count; ++i, words += stride) {
    if constexpr (std::is_same_v<T, double>) {
      values[i] = std::bit_cast<double>(*words);
    } else {
      values[i] = static_cast<T>(*words);
    }
  }
}

}  // namespace

// ---- Interner ---------------------------------------------------------------------------------

std::uint32_t Interner::NumberOfBytes(std::string_view bytes, bool* is_new) {
  const auto found = ids_.find(bytes);
  *is_new = found == ids_.end();
  if (!*is_new) return found->second;
  char* copy = heap_.Allocate(bytes.size());
  std::memcpy(copy, bytes.data(), bytes.size());
  const std::string_view kept(copy, bytes.size());
  bytes_of_.push_back(kept);
  const auto id = static_cast<std::uint32_t>(bytes_of_.size());
  ids_.emplace(kept, id);
  bytes_ += bytes.size() + 3 * sizeof(std::string_view);
  return id;
}

std::uint32_t Interner::Number(const Vector& vector, std::size_t row) {
  bool is_new = false;
  if (IsText(type_)) {
    return NumberOfBytes(vector.base().values<StringRef>()[vector.Index(row)].view(), &is_new);
  }
  scratch_.clear();
  AppendGroupKey(vector, row, &scratch_);
  const std::uint32_t id = NumberOfBytes(scratch_, &is_new);
  if (is_new) {
    const auto wide = static_cast<std::uint32_t>(row);
    values_.push_back(GatherRows(vector, {&wide, 1}));
    OwnText(&values_.back());
    bytes_ += values_.back().memory_bytes();
  }
  return id;
}

void Interner::Encode(const Vector& vector, const Selection& rows, std::size_t stride,
                      std::uint64_t* words) {
  if (vector.is_constant()) {
    const std::uint64_t word = rows.empty() || vector.IsNull(0) ? 0 : Number(vector, 0);
    for (std::size_t i = 0; i < rows.size(); ++i, words += stride) *words = word;
    return;
  }
  if (vector.kind() == VectorKind::kFlat) {
    rows.ForEach([&](std::uint32_t row) {
      *words = vector.IsNull(row) ? 0 : Number(vector, row);
      words += stride;
    });
    return;
  }
  if (vector.dictionary_base() != translated_base_) {
    translated_base_ = vector.dictionary_base();
    translation_.assign(translated_base_->size(), 0);
  }
  const std::uint32_t* codes = vector.codes();
  rows.ForEach([&](std::uint32_t row) {
    std::uint32_t& known = translation_[codes[row]];
    if (known == 0) known = (vector.IsNull(row) ? 0 : Number(vector, row)) + 1;
    *words = known - 1;
    words += stride;
  });
}

std::uint32_t Interner::Adopt(const Interner& other, std::uint32_t id) {
  if (id == 0) return 0;
  bool is_new = false;
  const std::uint32_t mine = NumberOfBytes(other.bytes_of_[id - 1], &is_new);
  if (is_new && !IsText(type_)) {
    values_.push_back(other.values_[id - 1]);
    bytes_ += values_.back().memory_bytes();
  }
  return mine;
}

Vector Interner::Decode(const std::uint64_t* words, std::size_t stride, std::size_t count) const {
  if (IsText(type_)) {
    Vector out = Vector::Flat(type_, count);
    for (std::size_t i = 0; i < count; ++i, words += stride) {
      if (*words == 0) {
        out.SetNull(i);
      } else {
        out.SetString(i, bytes_of_[*words - 1]);
      }
    }
    return out;
  }
  std::vector<const Vector*> sources(count, nullptr);
  std::vector<RowPlace> places(count);
  for (std::size_t i = 0; i < count; ++i, words += stride) {
    if (*words == 0) continue;
    sources[i] = &values_[*words - 1];
    places[i] = {static_cast<std::uint32_t>(i), 0};
  }
  return Gather(type_, sources, places);
}

std::uint32_t Interner::Find(const Vector& vector, std::size_t row, std::string* scratch) const {
  std::string_view bytes;
  if (IsText(type_)) {
    bytes = vector.base().values<StringRef>()[vector.Index(row)].view();
  } else {
    scratch->clear();
    AppendGroupKey(vector, row, scratch);
    bytes = *scratch;
  }
  const auto found = ids_.find(bytes);
  return found == ids_.end() ? 0 : found->second;
}

// ---- GroupTable -------------------------------------------------------------------------------

GroupTable::GroupTable(std::vector<Type> key_types, MemoryBudget* budget)
    : key_types_(std::move(key_types)),
      words_per_group_(key_types_.size() + (key_types_.size() + 63) / 64),
      memory_(budget) {
  for (const Type& type : key_types_) {
    interners_.push_back(IsWord(type) ? nullptr : std::make_unique<Interner>(type));
  }
  slots_.resize(kFirstSlots);
}

void GroupTable::EncodeKey(std::size_t key, const Vector& vector, const Selection& rows) {
  std::uint64_t* words = probe_words_.data() + key;
  std::uint64_t* nulls = probe_words_.data() + key_types_.size() + key / 64;
  const std::uint64_t bit = std::uint64_t{1} << (key % 64);
  if (interners_[key] != nullptr) {  // null is word 0 there and needs no bit
    interners_[key]->Encode(vector, rows, words_per_group_, words);
    return;
  }
  switch (vector.type().physical()) {
    case PhysicalType::kBool8:
      EncodeWords<std::uint8_t>(vector, rows, words_per_group_, bit, words, nulls);
      break;
    case PhysicalType::kInt32:
      EncodeWords<std::int32_t>(vector, rows, words_per_group_, bit, words, nulls);
      break;
    case PhysicalType::kInt64:
      EncodeWords<std::int64_t>(vector, rows, words_per_group_, bit, words, nulls);
      break;
    case PhysicalType::kDouble:
      EncodeWords<double>(vector, rows, words_per_group_, bit, words, nulls);
      break;
    default:
      TL_CHECK(false);
  }
}

std::uint64_t GroupTable::HashWords(const std::uint64_t* words) const {
  std::uint64_t hash = 0x9e3779b97f4a7c15U;
  for (std::size_t i = 0; i < words_per_group_; ++i) hash = MixWord(hash ^ words[i]) + words[i];
  return MixWord(hash);
}

void GroupTable::Rehash(std::size_t slot_count) {
  slots_.assign(slot_count, Slot());
  const std::size_t mask = slot_count - 1;
  for (std::size_t group = 0; group < group_count_; ++group) {
    const std::uint64_t hash = HashWords(words_.data() + group * words_per_group_);
    std::size_t at = hash & mask;
    while (slots_[at].group != 0) at = (at + 1) & mask;
    slots_[at] = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(group + 1)};
  }
}

Status GroupTable::ChargeMemory() {
  std::size_t bytes = words_.capacity() * sizeof(std::uint64_t) + slots_.size() * sizeof(Slot);
  for (const auto& interner : interners_) {
    if (interner != nullptr) bytes += interner->memory_bytes();
  }
  if (bytes <= memory_.bytes()) return OkStatus();
  return memory_.Resize(bytes + bytes / 8);
}

Status GroupTable::Probe(std::size_t count, std::uint32_t* groups) {
  if (group_count_ + count > kGroupsMax) {
    return ResourceExhausted("the query has more than {} groups", kGroupsMax);
  }
  std::size_t wanted = slots_.size();
  while ((group_count_ + count) * 2 > wanted) wanted *= 2;
  if (wanted != slots_.size()) Rehash(wanted);
  const std::size_t mask = slots_.size() - 1;
  hashes_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    hashes_[i] = HashWords(probe_words_.data() + i * words_per_group_);
    __builtin_prefetch(&slots_[hashes_[i] & mask]);
  }
  const std::size_t key_bytes = words_per_group_ * sizeof(std::uint64_t);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t* key = probe_words_.data() + i * words_per_group_;
    const auto tag = static_cast<std::uint32_t>(hashes_[i] >> 32);
    std::size_t at = hashes_[i] & mask;
    for (;; at = (at + 1) & mask) {
      const Slot slot = slots_[at];
      if (slot.group == 0) {
        slots_[at] = {tag, static_cast<std::uint32_t>(++group_count_)};
        words_.insert(words_.end(), key, key + words_per_group_);
        groups[i] = static_cast<std::uint32_t>(group_count_ - 1);
        break;
      }
      if (slot.tag == tag &&
          std::memcmp(words_.data() + (slot.group - 1) * words_per_group_, key, key_bytes) == 0) {
        groups[i] = slot.group - 1;
        break;
      }
    }
  }
  return ChargeMemory();
}

Status GroupTable::FindOrAdd(std::span<const Vector> keys, const Selection& rows,
                             std::vector<std::uint32_t>* groups) {
  groups->resize(rows.size());
  probe_words_.assign(rows.size() * words_per_group_, 0);
  for (std::size_t key = 0; key < key_types_.size(); ++key) EncodeKey(key, keys[key], rows);
  return Probe(rows.size(), groups->data());
}

Status GroupTable::Adopt(const GroupTable& other, std::vector<std::uint32_t>* groups) {
  groups->resize(other.group_count_);
  for (std::size_t first = 0; first < other.group_count_; first += kBatchRowsMax) {
    const std::size_t count = std::min(kBatchRowsMax, other.group_count_ - first);
    const std::uint64_t* from = other.words_.data() + first * words_per_group_;
    probe_words_.assign(from, from + count * words_per_group_);
    for (std::size_t key = 0; key < key_types_.size(); ++key) {
      if (interners_[key] == nullptr) continue;
      for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t& word = probe_words_[i * words_per_group_ + key];
        word = interners_[key]->Adopt(*other.interners_[key], static_cast<std::uint32_t>(word));
      }
    }
    TL_TRY(Probe(count, groups->data() + first));
  }
  return OkStatus();
}

Vector GroupTable::KeyColumn(std::size_t key, std::size_t first, std::size_t count) const {
  const std::uint64_t* words = words_.data() + first * words_per_group_ + key;
  if (interners_[key] != nullptr) return interners_[key]->Decode(words, words_per_group_, count);
  Vector out = Vector::Flat(key_types_[key], count);
  switch (key_types_[key].physical()) {
    case PhysicalType::kBool8:
      DecodeWords<std::uint8_t>(words, words_per_group_, count, &out);
      break;
    case PhysicalType::kInt32:
      DecodeWords<std::int32_t>(words, words_per_group_, count, &out);
      break;
    case PhysicalType::kInt64:
      DecodeWords<std::int64_t>(words, words_per_group_, count, &out);
      break;
    default:
      DecodeWords<double>(words, words_per_group_, count, &out);
      break;
  }
  const std::uint64_t* nulls = words_.data() + first * words_per_group_ + key_types_.size() + key / 64;
  const std::uint64_t bit = std::uint64_t{1} << (key % 64);
  for (std::size_t i = 0; i < count; ++i) {
    if ((nulls[i * words_per_group_] & bit) != 0) out.SetNull(i);
  }
  return out;
}

// ---- GroupLookup ------------------------------------------------------------------------------

GroupLookup::GroupLookup(const GroupTable* table)
    : table_(table), translations_(table->key_types_.size()) {}

void GroupLookup::EncodeInterned(std::size_t key, const Vector& vector, const Selection& rows) {
  const Interner& interner = *table_->interners_[key];
  const auto word_of = [&](std::uint32_t row) -> std::uint64_t {
    if (vector.IsNull(row)) return kAbsent;
    const std::uint32_t number = interner.Find(vector, row, &scratch_);
    return number == 0 ? kAbsent : number;
  };
  const bool dictionary = vector.kind() == VectorKind::kDictionary;
  Translation& known = translations_[key];
  if (dictionary && known.base != vector.dictionary_base()) {
    known.base = vector.dictionary_base();
    known.words.assign(known.base->size(), 0);
  }
  std::uint64_t constant = 0;
  std::size_t i = 0;
  rows.ForEach([&](std::uint32_t row) {
    std::uint64_t word;
    if (dictionary) {
      std::uint64_t& entry = known.words[vector.codes()[row]];
      if (entry == 0) {
        const std::uint64_t found = word_of(row);
        entry = found == kAbsent ? kAbsent : found + 1;
      }
      word = entry == kAbsent ? kAbsent : entry - 1;
    } else if (vector.is_constant()) {
      if (i == 0) constant = word_of(row);
      word = constant;
    } else {
      word = word_of(row);
    }
    absent_[i] |= word == kAbsent ? 1 : 0;
    words_[i * table_->words_per_group_ + key] = word;
    ++i;
  });
}

namespace {

template <typename T>
void LookUpNumbers(const Vector& vector, const Selection& rows, std::size_t stride,
                   std::uint64_t* words, std::uint8_t* absent) {
  const Reader<T> reader(vector);
  rows.ForEach([&](std::uint32_t row) {
    if (reader.IsNull(row)) {
      *absent = 1;
    } else {
      *words = WordOf(reader[row]);
    }
    words += stride;
    ++absent;
  });
}

}  // namespace

void GroupLookup::EncodeNumbers(std::size_t key, const Vector& vector, const Selection& rows) {
  std::uint64_t* words = words_.data() + key;
  const std::size_t stride = table_->words_per_group_;
  switch (vector.type().physical()) {
    case PhysicalType::kBool8:
      return LookUpNumbers<std::uint8_t>(vector, rows, stride, words, absent_.data());
    case PhysicalType::kInt32:
      return LookUpNumbers<std::int32_t>(vector, rows, stride, words, absent_.data());
    case PhysicalType::kInt64:
      return LookUpNumbers<std::int64_t>(vector, rows, stride, words, absent_.data());
    case PhysicalType::kDouble:
      return LookUpNumbers<double>(vector, rows, stride, words, absent_.data());
    default:
      TL_CHECK(false);
  }
}

void GroupLookup::Find(std::span<const Vector> keys, const Selection& rows,
                       std::vector<std::uint32_t>* groups) {
  const std::size_t stride = table_->words_per_group_;
  words_.assign(rows.size() * stride, 0);
  absent_.assign(rows.size(), 0);
  groups->assign(rows.size(), kNone);
  for (std::size_t key = 0; key < keys.size(); ++key) {
    if (table_->interners_[key] != nullptr) {
      EncodeInterned(key, keys[key], rows);
    } else {
      EncodeNumbers(key, keys[key], rows);
    }
  }
  const std::size_t mask = table_->slots_.size() - 1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (absent_[i] != 0) continue;
    const std::uint64_t* words = words_.data() + i * stride;
    const std::uint64_t hash = table_->HashWords(words);
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    for (std::size_t at = hash & mask; table_->slots_[at].group != 0; at = (at + 1) & mask) {
      const GroupTable::Slot slot = table_->slots_[at];
      if (slot.tag == tag && std::memcmp(table_->words_.data() + (slot.group - 1) * stride, words,
                                         stride * sizeof(std::uint64_t)) == 0) {
        (*groups)[i] = slot.group - 1;
        break;
      }
    }
  }
}

}  // namespace tideline::exec
