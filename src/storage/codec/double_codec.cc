#include "storage/codec/double_codec.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "storage/codec/int64_codec.h"

namespace tideline::codec {
namespace {

constexpr std::array<const DoubleCodec*, 3> kDoubleCodecs = {&kBitsDoubleCodec, &kAlpDoubleCodec,
                                                             &kAlpRdDoubleCodec};

// Patterns that take fewer bytes than this each have no noise to set apart.
constexpr std::size_t kRealDoubleBytesMin = 4;

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
  const auto bytes_of = [&sample](const DoubleCodec& codec) {
    Bytes scratch;
    return codec.encode(sample, &scratch) ? scratch.size() : SIZE_MAX;
  };
  const std::size_t bits_bytes = bytes_of(kBitsDoubleCodec);
  const std::size_t start = out->size();
  if (bytes_of(kAlpDoubleCodec) < bits_bytes && kAlpDoubleCodec.encode(values, out)) {
    // The sample may have missed what the rest is like.
    if (out->size() - start < values.size_bytes()) return kAlpDoubleCodec;
    out->resize(start);
  }
  // Real doubles or few bits: the cut is tried only where whole patterns stay wide.
  const bool is_wide = bits_bytes > sample.size() * kRealDoubleBytesMin;
  if (is_wide && bytes_of(kAlpRdDoubleCodec) < bits_bytes) {
    TL_CHECK(kAlpRdDoubleCodec.encode(values, out));
    if (out->size() - start < values.size_bytes()) return kAlpRdDoubleCodec;
    out->resize(start);
  }
  TL_CHECK(kBitsDoubleCodec.encode(values, out));
  return kBitsDoubleCodec;
}

}  // namespace tideline::codec
