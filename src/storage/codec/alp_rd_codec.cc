// Doubles that are no decimals: sign, exponent and high mantissa bits apart from the noise below.
//
// The high bits of real doubles take few values; they are one int64 sequence, which mostly becomes a
// dictionary or runs. The low bits, at most 63 and as many in every slice, are packed as they are.
// Where to cut is tried on a sample: the high part has at most 16 bits.
//
//   bytes of lefts (varint) | lefts (int64 sequence) | low_bits (u8) | slices.h over packed low bits
//
// Source: Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2024,
// section 3.4 (ALP-RD). Departure: the high parts choose their own coding, which may be a larger
// dictionary than theirs of eight, and so have no exceptions.
#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/kernel_targets.h"
#include "storage/codec/bit_packing.h"
#include "storage/codec/double_codec.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/slices.h"

namespace tideline::codec {
namespace {

constexpr unsigned kLeftBitsMax = 16;

std::vector<std::int64_t> LeftsOf(std::span<const double> values, unsigned low_bits) {
  std::vector<std::int64_t> lefts;
  lefts.reserve(values.size());
  for (const double value : values) {
    lefts.push_back(static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(value) >> low_bits));
  }
  return lefts;
}

// The cut whose high parts cost least beside it.
unsigned PickLowBits(std::span<const double> values) {
  std::vector<double> storage;
  const std::span<const double> sample = SampleOf(values, &storage);
  unsigned best = 64 - kLeftBitsMax;
  std::size_t best_bits = SIZE_MAX;
  Bytes scratch;
  for (unsigned low_bits = 64 - kLeftBitsMax; low_bits < 64; ++low_bits) {
    scratch.clear();
    EncodeInt64Sequence(LeftsOf(sample, low_bits), &scratch);
    const std::size_t bits = scratch.size() * 8 + sample.size() * low_bits;
    if (bits < best_bits) {
      best_bits = bits;
      best = low_bits;
    }
  }
  return best;
}

bool EncodeAlpRd(std::span<const double> values, Bytes* out) {
  const unsigned low_bits = PickLowBits(values);
  Bytes lefts;
  EncodeInt64Sequence(LeftsOf(values, low_bits), &lefts);
  ByteWriter writer(out);
  writer.Varint(lefts.size());
  writer.Append(lefts);
  writer.U8(static_cast<std::uint8_t>(low_bits));
  const std::uint64_t mask = (std::uint64_t{1} << low_bits) - 1;
  WriteSlices(values.size(), out, [&](std::size_t index, Bytes* slice) {
    const std::size_t first = index * kSliceValues;
    const std::size_t count = std::min(kSliceValues, values.size() - first);
    std::array<std::uint64_t, kSliceValues> rights;
    for (std::size_t i = 0; i < count; ++i) {
      rights[i] = std::bit_cast<std::uint64_t>(values[first + i]) & mask;
    }
    PackBits({rights.data(), count}, low_bits, slice);
  });
  return true;
}

TL_ALWAYS_INLINE void JoinBody(const std::int64_t* lefts, const std::int64_t* rights,
                               unsigned low_bits, std::size_t count, double* __restrict out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = std::bit_cast<double>(static_cast<std::uint64_t>(lefts[i]) << low_bits |
                                   static_cast<std::uint64_t>(rights[i]));
  }
}
TL_KERNEL(JoinHalves, JoinBody,
          (const std::int64_t* lefts, const std::int64_t* rights, unsigned low_bits,
           std::size_t count, double* out),
          (lefts, rights, low_bits, count, out))

Status DecodeAlpRd(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<double> out) {
  ByteReader reader(payload);
  const std::uint64_t lefts_bytes = TL_TRY(reader.Varint());
  if (lefts_bytes > reader.remaining()) {
    return DataLoss("real doubles: high parts take {} bytes", lefts_bytes);
  }
  const BytesView lefts = TL_TRY(reader.Take(static_cast<std::size_t>(lefts_bytes)));
  const unsigned low_bits = TL_TRY(reader.U8());
  if (low_bits > 63) return DataLoss("real doubles: cut at bit {}", low_bits);
  const BytesView slices = payload.subspan(reader.position());
  return ReadSlices(value_count, first, out,
                    [&](std::size_t index, std::span<double> values) -> Status {
                      std::array<std::int64_t, kSliceValues> high;
                      std::array<std::int64_t, kSliceValues> low;
                      const std::size_t count = values.size();
                      TL_TRY(DecodeInt64Sequence(lefts, value_count, index * kSliceValues,
                                                 {high.data(), count}));
                      const BytesView packed = TL_TRY(SliceBytes(slices, value_count, index));
                      if (packed.size() < PackedBytes(count, low_bits)) {
                        return DataLoss("real doubles: slice of {} bytes", packed.size());
                      }
                      UnpackBits(packed, low_bits, 0, {low.data(), count});
                      JoinHalves(high.data(), low.data(), low_bits, count, values.data());
                      return OkStatus();
                    });
}

}  // namespace

constinit const DoubleCodec kAlpRdDoubleCodec{
    .wire_id = 3, .name = "alp_rd", .encode = EncodeAlpRd, .decode = DecodeAlpRd};

}  // namespace tideline::codec
