// exec/values/gather.h: builds one flat vector out of rows that lie scattered over many vectors.
//
// Sorting, CASE, set operations and group output all end in the same act: "row i of the result is row
// r of vector v". Text is not copied: the result keeps the sources' heaps alive, which is dear where few
// rows are kept for long; KeepRows is for those. Lists are copied
// with their elements, by the same function one level down; but where many rows lead to the same long
// lists, each source's elements are copied once and rows go on leading to them.
#pragma once

#include <cstdint>
#include <span>

#include "columnar/vector.h"

namespace tideline::exec {

/// Row `row` of source number `source`.
struct RowPlace {
  static constexpr std::uint32_t kNull = UINT32_MAX;
  std::uint32_t source = kNull;  ///< kNull: the result row is null
  std::uint32_t row = 0;
};

/// A flat vector of `places.size()` rows. Every source has the physical shape of `type`, or is
/// entirely null (checked only in debug builds). Sources are read during the call only.
Vector Gather(const Type& type, std::span<const Vector* const> sources,
              std::span<const RowPlace> places);

/// Rows `rows` of `vector`, flat, with no reference to the rest of it but its text.
Vector GatherRows(const Vector& vector, std::span<const std::uint32_t> rows);

/// Most text that is copied so that other text can go. Rows may share theirs, which KeptBytes counts for each, and
/// copies for each would have to be charged before they are made.
inline constexpr std::size_t kOwnTextBytesMax = std::size_t{4} << 20;

/// Rows `rows` of `vector` to be kept when the rest of it goes: a dictionary stays one, else they lie flat. Their text
/// is copied where it is at most half of the vector's, so that no more than twice of what KeptBytes counts stays; above
/// kOwnTextBytesMax all of the vector's may stay.
Vector KeepRows(const Vector& vector, std::span<const std::uint32_t> rows);

/// Copies the text of flat rows, if it is no more than kOwnTextBytesMax, so that what they shared can go.
void OwnText(Vector* kept);

/// Bytes of `vector` that keeping it costs, its text included; a dictionary's entries are shared and
/// count nothing.
std::size_t KeptBytes(const Vector& vector);

/// List elements of `rows` of a nested `vector`, those of lists in lists with them, each as often as a row leads to
/// it; at most about 2^62.
std::uint64_t ElementsOf(const Vector& vector, const Selection& rows);

/// How many of `rows`, from the first on, a copy can hold in about `bytes_max`: those before the limit and the one
/// that passes it. Nested values count as much as those of their column on average.
std::size_t RowsWithin(const Batch& batch, std::span<const std::uint32_t> rows, std::size_t bytes_max);

/// The indices 0, 1, 2, … kBatchRowsMax - 1; a run of a batch is a piece of it.
std::span<const std::uint32_t> Iota();

}  // namespace tideline::exec
