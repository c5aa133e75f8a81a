// functions/map/map_result.h: writing maps whose keys and values come from existing vectors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "columnar/vector.h"

namespace tideline::functions {

/// Call Begin(row), then Add for each entry, for rows in any order; Finish sets the children.
class MapResult {
 public:
  /// `result` is the kernel's flat result, a map.
  explicit MapResult(Vector* result) : result_(result) {}
  void Begin(std::size_t row) {
    current_ = result_->mutable_values<ListEntry>() + row;
    *current_ = {static_cast<std::uint32_t>(keys_.size()), 0};
  }
  /// Indices into the vectors that Finish will get.
  void Add(std::uint32_t key, std::uint32_t value) {
    keys_.push_back(key);
    values_.push_back(value);
    ++current_->length;
  }
  std::size_t entry_count() const { return keys_.size(); }
  void Finish(const Vector& keys, const Vector& values);

 private:
  Vector* result_;
  ListEntry* current_ = nullptr;
  std::vector<std::uint32_t> keys_;
  std::vector<std::uint32_t> values_;
};

/// Writes maps from keys to the arrays of all their values. Keys and values come in step.
class MultimapResult {
 public:
  explicit MultimapResult(Vector* result) : result_(result) {}
  /// Row `row` gets entries `indices`; equal keys share one array, in order of first appearance.
  void Add(std::size_t row, const Vector& keys, std::span<const std::uint32_t> indices);
  void Finish(const Vector& keys, const Vector& values);

 private:
  Vector* result_;
  std::vector<std::uint32_t> keys_;
  std::vector<ListEntry> lists_;
  std::vector<std::uint32_t> values_;
};

/// kExecutionFailed when one of `indices` into `keys` is null ("map key cannot be null") or holds one, or two are
/// equal ("Duplicate map keys (x) are not allowed").
Status CheckMapKeys(const Vector& keys, std::span<const std::uint32_t> indices);

}  // namespace tideline::functions
