// functions/aggregate/key_table.h: the different values an aggregate's state has seen, numbered.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "functions/aggregate/aggregate.h"
#include "functions/compare.h"

namespace tideline::functions {

/// Values of one type in order of appearance, found by hash. Null equals null, NaN equals NaN.
class KeyTable {
 public:
  /// The number of the value of row `row` of `keys`, which is added when it is new.
  std::uint32_t FindOrAdd(const Vector& keys, std::size_t row) {
    if (values_ == nullptr) {
      values_ = std::make_unique<Vector>(Vector::Flat(keys.type(), 0));
      slots_.assign(8, kFree);
    }
    const std::uint64_t hash = HashRow(keys, row);
    const std::size_t slot = Find(hash, keys, row);
    if (slots_[slot] != kFree) return slots_[slot];
    const auto one = static_cast<std::uint32_t>(row);
    values_->Append(keys, Selection::Of(std::span(&one, 1)));
    hashes_.push_back(hash);
    const auto number = static_cast<std::uint32_t>(hashes_.size() - 1);
    slots_[slot] = number;
    if (hashes_.size() * 2 > slots_.size()) Rehash();
    return number;
  }
  std::size_t size() const { return hashes_.size(); }
  /// Must hold a value.
  const Vector& values() const { return *values_; }
  std::size_t memory_bytes() const {
    return values_ == nullptr ? 0
                              : values_->memory_bytes() + hashes_.size() * sizeof(hashes_[0]) +
                                    slots_.size() * sizeof(slots_[0]);
  }
  void Clear() {
    values_.reset();
    hashes_.clear();
    slots_.clear();
  }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;
  std::size_t Find(std::uint64_t hash, const Vector& keys, std::size_t row) const {
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at] != kFree &&
           (hashes_[slots_[at]] != hash || !SameRows(*values_, slots_[at], keys, row))) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }
  void Rehash() {
    slots_.assign(slots_.size() * 2, kFree);
    for (std::uint32_t i = 0; i < hashes_.size(); ++i) {
      std::size_t at = hashes_[i] & (slots_.size() - 1);
      while (slots_[at] != kFree) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = i;
    }
  }

  std::unique_ptr<Vector> values_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;
};

/// Makes flat row `row` of the list `result` hold all rows of each of `children`.
inline void PutChildren(std::span<const Vector* const> children, std::size_t row, Vector* result) {
  const std::size_t count = children[0]->size();
  result->mutable_values<ListEntry>()[row] = {static_cast<std::uint32_t>(result->child(0).size()),
                                              static_cast<std::uint32_t>(count)};
  for (std::size_t i = 0; i < children.size(); ++i) {
    result->mutable_child(i).Append(*children[i], Selection::All(count));
  }
}

}  // namespace tideline::functions
