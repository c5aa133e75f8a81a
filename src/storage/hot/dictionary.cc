#include "storage/hot/dictionary.h"

#include <cstring>

#include "base/hash.h"

namespace tideline::hot {

Dictionary::Dictionary() : heap_(std::make_shared<StringHeap>()) {}

std::uint64_t Dictionary::HashOf(std::string_view value) { return Hash64(value); }

std::uint32_t Dictionary::Find(std::string_view value, std::uint64_t hash) const {
  const std::uint32_t code = index_.Find(hash, [&](std::uint32_t candidate) {
    return hashes_[candidate] == hash && Value(candidate) == value;
  });
  return code == HashIndex::kNone ? kNullCode : code;
}

std::uint32_t Dictionary::Add(std::string_view value, std::uint64_t hash) {
  const std::uint32_t code = size_.load(std::memory_order_relaxed);
  char* copy = heap_->Allocate(value.size());
  if (!value.empty()) std::memcpy(copy, value.data(), value.size());
  texts_.At(code) = {copy, static_cast<std::uint32_t>(value.size())};
  hashes_.At(code) = hash;
  index_.Insert(hash, code);
  size_.store(code + 1, std::memory_order_release);
  return code;
}

std::shared_ptr<const Vector> Dictionary::FlatValues() const {
  MutexLock lock(flat_mutex_);
  const std::uint32_t count = size();
  if (flat_ != nullptr && flat_->size() == count) return flat_;
  Vector flat = Vector::Flat(Type::Varchar(), count);
  auto* values = flat.mutable_values<StringRef>();
  for (std::uint32_t code = 1; code < count; ++code) values[code] = StringRef(Value(code));
  flat.SetNull(0);
  flat.KeepAlive(heap_);
  flat_ = std::make_shared<const Vector>(std::move(flat));
  return flat_;
}

std::size_t Dictionary::memory_bytes() const {
  return heap_->bytes() + texts_.memory_bytes() + hashes_.memory_bytes() + index_.memory_bytes();
}

}  // namespace tideline::hot
