#include "sql/parse/did_you_mean.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace tideline::sql::ast {
namespace {

char FoldCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t ToleratedDistance(std::size_t name_bytes) {
  if (name_bytes <= 4) return 1;
  return name_bytes <= 8 ? 2 : 3;
}

}  // namespace

std::size_t EditDistance(std::string_view left, std::string_view right, std::size_t distance_max) {
  TL_CHECK(left.size() <= kSuggestionBytesMax && right.size() <= kSuggestionBytesMax);
  const std::size_t longer = std::max(left.size(), right.size());
  if (longer - std::min(left.size(), right.size()) > distance_max) return distance_max + 1;

  // Row i holds the distances from left[0, i) to every prefix of `right`; a swap looks two rows up.
  using Row = std::array<std::size_t, kSuggestionBytesMax + 1>;
  std::array<Row, 3> rows;
  for (std::size_t j = 0; j <= right.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    Row& row = rows[i % 3];
    const Row& above = rows[(i + 2) % 3];
    const Row& two_above = rows[(i + 1) % 3];
    const char a = FoldCase(left[i - 1]);
    row[0] = i;
    std::size_t row_min = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const char b = FoldCase(right[j - 1]);
      std::size_t best = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a == b ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a == FoldCase(right[j - 2]) &&
                           FoldCase(left[i - 2]) == b;
      if (swapped) best = std::min(best, two_above[j - 2] + 1);
      row[j] = best;
      row_min = std::min(row_min, best);
    }
    // A later row can undercut this one by a swap only, which adds one to the row above it.
    if (row_min > distance_max + 1) return distance_max + 1;
  }
  return std::min(rows[left.size() % 3][right.size()], distance_max + 1);
}

std::optional<std::string_view> DidYouMean(std::string_view name,
                                           std::span<const std::string_view> candidates) {
  if (name.empty() || name.size() > kSuggestionBytesMax) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t wanted = ToleratedDistance(name.size());  // distance to reach
  for (const std::string_view candidate :
       candidates.first(std::min(candidates.size(), kSuggestionCandidatesMax))) {
    if (candidate.empty() || candidate.size() > kSuggestionBytesMax) continue;
    const std::size_t distance = EditDistance(name, candidate, wanted);
    // All of a short name replaced is another name.
    if (distance > wanted || distance >= std::max(name.size(), candidate.size())) continue;
    best = candidate;
    if (distance == 0) break;
    wanted = distance - 1;
  }
  return best;
}

}  // namespace tideline::sql::ast
