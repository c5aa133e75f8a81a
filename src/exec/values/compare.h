// exec/values/compare.h: the three ways in which SQL compares values.
//
//   SqlEqual      `=` as a condition: null makes it unknown, NaN equals nothing, -0.0 equals 0.0;
//   group keys    nulls are equal, NaN equals NaN, -0.0 equals 0.0: AppendGroupKey's bytes are equal;
//   order         one total order, NaN above all numbers: AppendSortKey's bytes compare so.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

#include "columnar/vector.h"

namespace tideline::exec {

enum class Tri : std::uint8_t { kFalse, kTrue, kUnknown };

/// Whether row `i` of `a` equals row `j` of `b`; both of one physical type (unknown with anything is
/// unknown). Nested values compare element by element, unknown elements included.
Tri SqlEqual(const Vector& a, std::size_t i, const Vector& b, std::size_t j);

/// The one form of a double among those that are equal as group keys.
inline double CanonicalDouble(double value) {
  if (std::isnan(value)) return std::bit_cast<double>(std::uint64_t{0x7ff8000000000000U});
  return value == 0 ? 0.0 : value;
}

/// Appends bytes that are equal exactly for rows that are equal as group keys, and that no other
/// value's bytes begin with.
void AppendGroupKey(const Vector& vector, std::size_t row, std::string* out);

struct KeyOrder {
  bool descending = false;
  bool nulls_first = false;
};
/// Appends bytes whose order (memcmp, then length) is the order of the rows.
void AppendSortKey(const Vector& vector, std::size_t row, const KeyOrder& order, std::string* out);

}  // namespace tideline::exec
