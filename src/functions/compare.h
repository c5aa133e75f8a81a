// functions/compare.h: equality and order of rows of any type.
//
// Two notions: SQL comparison (NaN differs from itself, nulls inside nested values make the answer
// unknown) and the one total order of sorting, grouping and DISTINCT (NaN last and equal to itself,
// null equal to null).
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "base/status.h"
#include "columnar/vector.h"

namespace tideline::functions {

/// SQL `=` of two non-null rows; nothing when a null inside makes it unknown.
std::optional<bool> EqualRows(const Vector& a, std::size_t row_a, const Vector& b,
                              std::size_t row_b);

/// Null equals null and NaN equals NaN; -0.0 equals 0.0. Rows may be null.
bool SameRows(const Vector& a, std::size_t row_a, const Vector& b, std::size_t row_b);
/// Agrees with SameRows.
std::uint64_t HashRow(const Vector& a, std::size_t row);

/// Total order: negative, 0 or positive. Nulls come last, NaN after infinity.
int OrderRows(const Vector& a, std::size_t row_a, const Vector& b, std::size_t row_b);

/// The same with nulls and NaN before everything else: what greatest and array_max choose by, so that
/// neither wins against a value.
int OrderRowsUnorderedFirst(const Vector& a, std::size_t row_a, const Vector& b, std::size_t row_b);

/// SQL order of two non-null rows: negative, 0 or positive; nothing when a null inside is met before
/// the order is settled.
std::optional<int> OrderRowsIfKnown(const Vector& a, std::size_t row_a, const Vector& b,
                                    std::size_t row_b);

/// True when a null lies inside the (non-null) nested row.
bool HoldsNull(const Vector& a, std::size_t row);

inline int OrderDoubles(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
}

}  // namespace tideline::functions
