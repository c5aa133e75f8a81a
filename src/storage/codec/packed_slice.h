// storage/codec/packed_slice.h: up to 1024 int64 values as a frame of reference with exceptions.
//
// Every value is `base` plus `width` bits. The few that do not fit stand apart with their
// positions, so that one outlier does not widen the other 1023: a walk whose steps are normally
// distributed keeps the width of its middle. All arithmetic wraps, so any int64 values round-trip.
//
//   base (zigzag varint) | width, and 0x80 if exceptions follow (u8)
//   [exception_count - 1 (varint) | exception width (u8)]
//   packed values (bit_packing.h) | [positions, 10 bits each | zigzag(value - base), packed]
//
// Source: Zukowski et al., "Super-Scalar RAM-CPU Cache Compression", ICDE 2006 (PFOR). Departure:
// exceptions are listed apart, not linked, and `base` is either the least value or centres the
// median, so that outliers on both sides can be left out.
#pragma once

#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/codec/block.h"

namespace tideline::codec {

/// Appends at most kSliceValues values (checked); nothing for an empty span.
void EncodePackedSlice(std::span<const std::int64_t> values, Bytes* out);

/// Appends the same form without exceptions, at the width of the range of values: faster to write and
/// to read. False, with `out` as it was, when that width is above `width_max`. As above otherwise.
bool EncodeFrameSlice(std::span<const std::int64_t> values, unsigned width_max, Bytes* out);

/// Reads what EncodePackedSlice wrote for out.size() <= kSliceValues values and leaves the reader
/// behind it. kDataLoss when the bytes cannot be such a slice.
Status DecodePackedSlice(ByteReader* reader, std::span<std::int64_t> out);

/// The least and the most that values of the slice at `slice` can be, from its head; nothing when it has
/// exceptions or its frame wraps. kDataLoss as above.
struct FrameRange {
  std::int64_t least = 0;
  std::int64_t most = 0;
};
Result<std::optional<FrameRange>> PackedSliceRange(BytesView slice);

/// A slice of `value_count` values as packed bits, for those who unpack them into something else;
/// nothing when it has exceptions. `packed` points into `slice`. kDataLoss as above.
struct PlainFrame {
  std::uint64_t base = 0;
  unsigned width = 0;
  BytesView packed;
};
Result<std::optional<PlainFrame>> ReadPlainFrame(BytesView slice, std::size_t value_count);

}  // namespace tideline::codec
