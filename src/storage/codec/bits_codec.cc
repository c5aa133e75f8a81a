// Doubles as the int64 sequence of their bit patterns.
//
// Neighbouring doubles of one sign and exponent differ by a small integer, so a walk of full
// doubles loses its common sign, exponent and high mantissa bits by plain deltas: what XOR codecs
// (Gorilla, Chimp) do bit by bit, at the speed of bit-packing.
#include <array>
#include <bit>
#include <vector>

#include "storage/codec/double_codec.h"
#include "storage/codec/int64_codec.h"

namespace tideline::codec {
namespace {

bool EncodeBits(std::span<const double> values, Bytes* out) {
  std::vector<std::int64_t> patterns;
  patterns.reserve(values.size());
  for (const double value : values) patterns.push_back(std::bit_cast<std::int64_t>(value));
  EncodeInt64Sequence(patterns, out);
  return true;
}

Status DecodeBits(BytesView payload, std::size_t value_count, std::size_t first,
                  std::span<double> out) {
  std::array<std::int64_t, kSliceValues> patterns;
  std::size_t done = 0;
  while (done < out.size()) {
    // Ends on a slice's end, so that no slice is decoded twice.
    const std::size_t at = first + done;
    const std::size_t count = std::min(kSliceValues - at % kSliceValues, out.size() - done);
    TL_TRY(DecodeInt64Sequence(payload, value_count, at, {patterns.data(), count}));
    for (std::size_t i = 0; i < count; ++i) out[done + i] = std::bit_cast<double>(patterns[i]);
    done += count;
  }
  return OkStatus();
}

}  // namespace

void EncodeDoubleBitsQuickly(std::span<const double> values, Bytes* out) {
  static_assert(std::endian::native == std::endian::little, "raw integers lie in memory as in files");
  out->push_back(static_cast<std::byte>(kRawInt64Codec.wire_id));
  ByteWriter(out).Append(std::as_bytes(values));
}

constinit const DoubleCodec kBitsDoubleCodec{
    .wire_id = 1, .name = "bits", .encode = EncodeBits, .decode = DecodeBits};

}  // namespace tideline::codec
