#include "functions/map/map_result.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "base/check.h"
#include "columnar/text_format.h"
#include "functions/element_set.h"
#include "functions/nested.h"

namespace tideline::functions {

void MapResult::Finish(const Vector& keys, const Vector& values) {
  TL_CHECK(keys_.size() <= UINT32_MAX);
  if (keys_.empty()) return;
  result_->SetChild(0, Gather(keys, keys_));
  result_->SetChild(1, Gather(values, values_));
}

void MultimapResult::Add(std::size_t row, const Vector& keys,
                         std::span<const std::uint32_t> indices) {
  ElementSet seen(keys, indices.size());
  absl::flat_hash_map<std::uint32_t, std::uint32_t> number_of;  // by the first index of a key
  std::vector<std::uint32_t> counts;
  std::vector<std::uint32_t> numbers;
  const std::size_t first_key = keys_.size();
  for (const std::uint32_t index : indices) {
    if (seen.Insert(index)) {
      number_of.emplace(index, static_cast<std::uint32_t>(counts.size()));
      counts.push_back(0);
      keys_.push_back(index);
    }
    numbers.push_back(number_of.at(seen.Equal(index)));
    ++counts[numbers.back()];
  }
  // Values grouped by key, by counting.
  std::vector<std::uint32_t> next;
  auto at = static_cast<std::uint32_t>(values_.size());
  for (const std::uint32_t count : counts) {
    lists_.push_back({at, count});
    next.push_back(at);
    at += count;
  }
  values_.resize(at);
  for (std::size_t i = 0; i < indices.size(); ++i) values_[next[numbers[i]]++] = indices[i];
  result_->mutable_values<ListEntry>()[row] = {static_cast<std::uint32_t>(first_key),
                                               static_cast<std::uint32_t>(counts.size())};
}

void MultimapResult::Finish(const Vector& keys, const Vector& values) {
  if (keys_.empty()) return;
  Vector lists = Vector::Flat(result_->type().map_value(), lists_.size());
  std::copy(lists_.begin(), lists_.end(), lists.mutable_values<ListEntry>());
  lists.SetChild(0, Gather(values, values_));
  result_->SetChild(0, Gather(keys, keys_));
  result_->SetChild(1, std::move(lists));
}

Status CheckMapKeys(const Vector& keys, std::span<const std::uint32_t> indices) {
  ElementSet seen(keys, indices.size());
  for (const std::uint32_t index : indices) {
    if (keys.IsNull(index)) return ExecutionFailed("map key cannot be null");
    const bool holds_null = HoldsNull(keys, index);
    if (!holds_null && seen.Insert(index)) continue;
    std::string text;
    AppendText(keys, index, &text);
    if (holds_null) return ExecutionFailed("map key cannot be indeterminate: {}", text);
    return ExecutionFailed("Duplicate map keys ({}) are not allowed", text);
  }
  return OkStatus();
}

}  // namespace tideline::functions
