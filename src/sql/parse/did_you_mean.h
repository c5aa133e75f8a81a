// sql/parse/did_you_mean.h: the name that somebody probably meant.
//
// Distance is Damerau's in its restricted form (optimal string alignment): insertions, deletions,
// substitutions and swaps of neighbours, no part edited twice. Case does not count.
//
// Source: Damerau, "A technique for computer detection and correction of spelling errors",
// CACM 7(3), 1964; the recurrence is that of Boytsov, "Indexing methods for approximate dictionary
// searching", JEA 16, 2011, section 2.2. Departure: rows stop early once all exceed the bound.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace tideline::sql::ast {

/// Longest name considered, in bytes; longer ones are never suggested. Bounds the work of one
/// comparison to the square of it.
inline constexpr std::size_t kSuggestionBytesMax = 128;

/// Most candidates looked at; the rest are ignored, so a table of a thousand columns costs little.
inline constexpr std::size_t kSuggestionCandidatesMax = 4096;

/// Edits from `left` to `right` in bytes, ASCII case ignored, or `distance_max + 1` if there are
/// more than `distance_max`. Either may have at most kSuggestionBytesMax bytes (checked).
std::size_t EditDistance(std::string_view left, std::string_view right, std::size_t distance_max);

/// The candidate nearest to `name`, the first of equals, if it is near enough to be a slip: one edit
/// for names of up to 4 bytes, 2 up to 8, 3 beyond. A candidate that differs in case alone counts as
/// distance 0. The result is a view of one of `candidates`. Thread-safe.
std::optional<std::string_view> DidYouMean(std::string_view name,
                                           std::span<const std::string_view> candidates);

}  // namespace tideline::sql::ast
