// exec/values/long_sort.h: sorting and merging that stop when the query is no longer wanted.
//
// std::sort over ten million entries takes seconds and asks nobody. Pieces of some ten milliseconds are
// sorted by it and merged in passes, with a look at the token between any two pieces.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "exec/evaluator/evaluator.h"

namespace tideline::exec {

/// Entries sorted or merged between two looks at the cancel token.
inline constexpr std::size_t kSortPieceMax = 65'536;

/// Merges two sorted spans into `out`, which has room for both; on equality the left comes first.
template <typename T, typename Before>
Status MergeInto(const EvalContext& context, std::span<T> left, std::span<T> right, T* out,
                 const Before& before) {
  std::size_t l = 0;
  std::size_t r = 0;
  while (l + r < left.size() + right.size()) {
    TL_TRY(context.CheckStillWanted());
    const std::size_t end = std::min(l + r + kSortPieceMax, left.size() + right.size());
    for (std::size_t i = l + r; i < end; ++i) {
      const bool from_right = l == left.size() || (r < right.size() && before(right[r], left[l]));
      out[i] = std::move(from_right ? right[r++] : left[l++]);
    }
  }
  return OkStatus();
}

/// Stable. Needs room for the entries once more while it runs.
template <typename T, typename Before>
Status LongSort(const EvalContext& context, std::vector<T>* entries, const Before& before) {
  const std::size_t count = entries->size();
  for (std::size_t first = 0; first < count; first += kSortPieceMax) {
    TL_TRY(context.CheckStillWanted());
    const auto begin = entries->begin() + static_cast<std::ptrdiff_t>(first);
    std::stable_sort(begin, begin + static_cast<std::ptrdiff_t>(std::min(kSortPieceMax, count - first)), before);
  }
  if (count <= kSortPieceMax) return OkStatus();
  std::vector<T> other(count);
  for (std::size_t width = kSortPieceMax; width < count; width *= 2) {
    for (std::size_t first = 0; first < count; first += 2 * width) {
      const std::span<T> rest = std::span<T>(*entries).subspan(first);
      const std::span<T> left = rest.first(std::min(width, rest.size()));
      const std::span<T> right = rest.subspan(left.size(), std::min(width, rest.size() - left.size()));
      TL_TRY(MergeInto(context, left, right, other.data() + first, before));
    }
    entries->swap(other);
  }
  return OkStatus();
}

}  // namespace tideline::exec
