// functions/element_set.h: which of a vector's rows differ: a set of row numbers, by value.
#pragma once

#include <cstdint>
#include <vector>

#include "functions/compare.h"

namespace tideline::functions {

/// Rows of `elements`, null and NaN equal to themselves, in open addressing. The vector must
/// outlive the set. At most `capacity` different rows may be inserted.
class ElementSet {
 public:
  ElementSet(const Vector& elements, std::size_t capacity) : elements_(elements) {
    std::size_t slots = 8;
    while (slots < capacity * 2) slots *= 2;
    slots_.assign(slots, kFree);
  }
  /// False when an equal row is in the set already.
  bool Insert(std::uint32_t element) {
    std::uint32_t& slot = slots_[Find(element)];
    if (slot != kFree) return false;
    slot = element;
    return true;
  }
  bool Contains(std::uint32_t element) const { return slots_[Find(element)] != kFree; }
  /// The row in the set that equals row `element`, or kFree.
  std::uint32_t Equal(std::uint32_t element) const { return slots_[Find(element)]; }
  static constexpr std::uint32_t kFree = UINT32_MAX;

 private:
  std::size_t Find(std::uint32_t element) const {
    std::size_t at = HashRow(elements_, element) & (slots_.size() - 1);
    while (slots_[at] != kFree && !SameRows(elements_, slots_[at], elements_, element)) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }
  const Vector& elements_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace tideline::functions
