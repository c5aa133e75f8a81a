// storage/codec/binned_sequence.h: the entropy-coded form of an int64 sequence, for the magnetic tier.
//
// Values, their differences or second differences (whichever is cheapest on a sample) are sorted into
// at most 256 bins; a value is its bin, coded at the cost of the bin's frequency (tans.h), and its
// distance from the bin's least value in as many plain bits as the bin is wide. A walk in whole steps
// has a bin of no bits for each step and so ends at the entropy of its steps; a wide bell curve has
// narrow bins in its middle; noise is one bin.
//
//   order (u8) | table_bits (u8, 0 with a single bin) | bin_count - 1 (u8)
//   | value before the first (zigzag, order > 0) | difference before the first (zigzag, order 2)
//   | least (zigzag) | bins: lower - lower of the bin before (varint), offset bits (u8), share (varint)
//   | bytes of stream A, of stream B (varints), eight states (u16 each)       with table_bits only
//   | stream A | stream B | offsets, one stream | eight zeros
//
// There are no slices: the whole sequence is decoded front to back, once, into a light sequence
// (entropy_stage.h) that is entered anywhere. So nothing is paid per 1024 values.
//
// Source: the division into bins follows Pcodec (Loncaric, Jeppesen, Zinberg, "Pcodec: Better
// Compression for Numerical Sequences", arXiv 2502.06112, 2025). Departure: bins come from halving
// ranges, which is optimal among such by dynamic programming and needs no histogram; one bit width per
// bin without divisors or latent modes, since decimals are integers before they come here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::codec {

/// The wire id that stands for this form where a sequence has that of an Int64Codec. Never reuse it.
inline constexpr std::uint8_t kBinnedWireId = 8;

/// Appends the payload for 1 to kBlockRowsMax values (checked).
void EncodeBinned(std::span<const std::int64_t> values, Bytes* out);

/// Decodes a payload of exactly out.size() values. kDataLoss on bytes that are no such payload.
Status DecodeBinned(BytesView payload, std::span<std::int64_t> out);

/// Appends the same values as a light sequence: wire id and payload of frame, delta or delta_of_delta.
/// Takes at most 9 bytes a value and 32 a slice, whatever the bytes hold. kDataLoss as above.
Status LightenBinned(BytesView payload, std::size_t value_count, Bytes* out);

}  // namespace tideline::codec
