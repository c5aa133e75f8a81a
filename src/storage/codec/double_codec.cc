#include "storage/codec/double_codec.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "storage/codec/int64_codec.h"

namespace tideline::codec {
namespace {

constexpr std::array<const DoubleCodec*, 2> kDoubleCodecs = {&kBitsDoubleCodec, &kAlpDoubleCodec};

}  // namespace

std::span<const DoubleCodec* const> DoubleCodecs() { return kDoubleCodecs; }

const DoubleCodec* FindDoubleCodec(std::uint8_t wire_id) {
  for (const DoubleCodec* codec : kDoubleCodecs) {
    if (codec->wire_id == wire_id) return codec;
  }
  return nullptr;
}

const DoubleCodec& EncodeDoubles(std::span<const double> values, Bytes* out) {
  std::vector<double> storage;
  const std::span<const double> sample = SampleOf(values, &storage);
  Bytes bits;
  Bytes decimals;
  const bool is_decimal = kAlpDoubleCodec.encode(sample, &decimals);
  TL_CHECK(kBitsDoubleCodec.encode(sample, &bits));
  const std::size_t start = out->size();
  if (is_decimal && decimals.size() < bits.size() && kAlpDoubleCodec.encode(values, out)) {
    // The sample may have missed what the rest is like.
    if (out->size() - start < values.size_bytes()) return kAlpDoubleCodec;
    out->resize(start);
  }
  TL_CHECK(kBitsDoubleCodec.encode(values, out));
  return kBitsDoubleCodec;
}

}  // namespace tideline::codec
