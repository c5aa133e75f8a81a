// storage/hot/hash_index.h: open addressing from a 64-bit hash to a dense 32-bit number.
//
// Holds the numbers alone (4 bytes a slot); hashes and keys live with their owner, which compares.
// Linear probing, at most 3/4 full. For one writer, or readers under a lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tideline::hot {

class HashIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// The number whose `same(number)` is true among those filed under `hash`, or kNone.
  template <typename Same>
  std::uint32_t Find(std::uint64_t hash, Same&& same) const {
    if (slots_.empty()) return kNone;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const std::uint32_t number = slots_[at];
      if (number == kNone || same(number)) return number;
    }
  }

  /// Files `number`, which must not be there; `hash_of(number)` gives the hash of any filed number.
  template <typename HashOf>
  void Insert(std::uint64_t hash, std::uint32_t number, HashOf&& hash_of) {
    if ((count_ + 1) * 4 > slots_.size() * 3) Grow(hash_of);
    Place(hash, number);
    ++count_;
  }

  /// Makes room for `more` numbers at once.
  template <typename HashOf>
  void Reserve(std::size_t more, HashOf&& hash_of) {
    while ((count_ + more) * 4 > slots_.size() * 3) Grow(hash_of);
  }

  std::size_t size() const { return count_; }
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(std::uint32_t); }

 private:
  template <typename HashOf>
  void Grow(HashOf&& hash_of) {
    std::vector<std::uint32_t> old(slots_.empty() ? 16 : slots_.size() * 2, kNone);
    old.swap(slots_);
    for (const std::uint32_t number : old) {
      if (number != kNone) Place(hash_of(number), number);
    }
  }
  void Place(std::uint64_t hash, std::uint32_t number) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at] != kNone) at = (at + 1) & mask;
    slots_[at] = number;
  }

  std::vector<std::uint32_t> slots_;
  std::size_t count_ = 0;
};

}  // namespace tideline::hot
