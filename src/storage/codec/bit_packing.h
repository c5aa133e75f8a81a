// storage/codec/bit_packing.h: unsigned integers at a fixed number of bits each.
//
// Two layouts. A full slice (1024 values) lies in 16 lanes of 64-bit words: value i is in lane
// i % 16 at bit (i / 16) * width of that lane, and word k of all lanes stands together. Values that
// follow one another then sit in neighbouring lanes at one shift, so the decoder is one loop over
// lanes without branches, which a compiler turns into SIMD of any width, and output order is input
// order. Fewer values are one little-endian bit stream.
//
//   word 0: lane 0, lane 1, ... lane 15 | word 1: lane 0, ... lane 15 | ... word width-1
//
// Source: Afroozeh and Boncz, "The FastLanes Compression Layout", PVLDB 16(9), 2023. Departure:
// lanes of 64 bits and no reordering of rows, because our deltas are summed in order anyway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "storage/codec/block.h"

namespace tideline::codec {

/// Bytes that `count` values of `width` bits take; count <= kSliceValues, width <= 64.
constexpr std::size_t PackedBytes(std::size_t count, unsigned width) {
  return (count * width + 7) / 8;
}

/// Appends `values`, each below 2^width, in the layout for values.size() <= kSliceValues.
void PackBits(std::span<const std::uint64_t> values, unsigned width, Bytes* out);

/// The same of each value less `base`, wrapping.
void PackFrame(std::span<const std::uint64_t> values, std::uint64_t base, unsigned width,
               Bytes* out);

/// Writes `base` + value, wrapping, for out.size() <= kSliceValues values.
/// `packed` must hold at least PackedBytes(out.size(), width) bytes and width be <= 64 (checked).
void UnpackBits(BytesView packed, unsigned width, std::uint64_t base, std::span<std::int64_t> out);

/// How an integer n becomes a double: `magic`, whose low bits n is added to, is subtracted again, and what
/// is left is multiplied by `power` and then by `inverse` (alp_codec.cc).
struct DecimalScale {
  double magic = 0;
  double power = 1;
  double inverse = 1;
};

/// UnpackBits of a whole slice and its scaling in one pass. `width` > 0, otherwise as there.
void UnpackDecimals(BytesView packed, unsigned width, std::uint64_t base,
                    const DecimalScale& scale, std::span<double, kSliceValues> out);

}  // namespace tideline::codec
