// storage/hot/hash_index.h: open addressing from a 64-bit hash to a dense 32-bit number.
//
// Holds the numbers and half of each hash (8 bytes a slot); keys live with their owner, which compares. The half tells
// nearly every other number apart, so that a look-up reads one place of the owner's memory when it finds something and
// none when it does not. Linear probing, at most 3/4 full. For one writer, or readers under a lock.
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
    const auto half = static_cast<std::uint32_t>(hash);
    for (std::size_t at = half & mask;; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.number == kNone || (slot.half == half && same(slot.number))) return slot.number;
    }
  }

  /// Files `number`, which must not be there.
  void Insert(std::uint64_t hash, std::uint32_t number) {
    if ((count_ + 1) * 4 > slots_.size() * 3) Grow();
    Place({number, static_cast<std::uint32_t>(hash)});
    ++count_;
  }

  /// Makes room for `more` numbers at once.
  void Reserve(std::size_t more) {
    while ((count_ + more) * 4 > slots_.size() * 3) Grow();
  }

  std::size_t size() const { return count_; }
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t number = kNone;
    std::uint32_t half = 0;  ///< the low bits of the hash, which choose the slot: numbers are 32 bits
  };
  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number != kNone) Place(slot);
    }
  }
  void Place(const Slot& placed) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = placed.half & mask;
    while (slots_[at].number != kNone) at = (at + 1) & mask;
    slots_[at] = placed;
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace tideline::hot
