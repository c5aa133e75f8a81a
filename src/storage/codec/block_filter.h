// storage/codec/block_filter.h: predicates on encoded blocks, decoding as little as they can.
//
//   constant            one comparison a slice        run-length   one a run
//   frame, and alp      a slice whose frame lies inside or outside the range is not decoded
//   text dictionary     codes are compared, no text is
//   others, and blocks with NULLs: decoded a slice at a time and compared
//
// A range with both bounds inclusive stands for =, <, <=, > and >= alike: bounds of integers move by
// one, of doubles by std::nextafter. Rows that are NULL, and NaN, never match.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "storage/codec/block.h"

namespace tideline::codec {

/// What is known of the values of a slice without decoding it; least and most may lie outside what is
/// there, and say nothing unless `is_known`.
struct SliceBounds {
  bool is_known = false;
  std::int64_t least = 0;
  std::int64_t most = 0;
};

/// Bounds of the values (NULLs left out) of an int64 payload in slice `slice` of its dense values, from
/// the head of a frame or a constant; unknown for other codecs. kDataLoss on damaged bytes.
Result<SliceBounds> Int64SliceBounds(const BlockView& block, std::size_t slice);

/// Sets bit i of `matches` when row first_row + i is not NULL and its value lies in [least, most]; other
/// bits of the words are cleared. `matches` has ValidityWords(row_count) words (checked); the rows lie in
/// the block (checked). Errors as BlockView's reads.
Status FilterInt64(const BlockView& block, std::size_t first_row, std::size_t row_count,
                   std::int64_t least, std::int64_t most, std::span<std::uint64_t> matches);
Status FilterDouble(const BlockView& block, std::size_t first_row, std::size_t row_count,
                    double least, double most, std::span<std::uint64_t> matches);
/// The same on positions in the dictionary of a string block that has one: codes [first_code, end_code).
/// The dictionary is sorted, so that equality, ranges and prefixes of text are such a range.
Status FilterCodes(const BlockView& block, std::size_t first_row, std::size_t row_count,
                   std::uint32_t first_code, std::uint32_t end_code,
                   std::span<std::uint64_t> matches);

}  // namespace tideline::codec
