#include "storage/codec/string_codec.h"

#include <array>

#include "base/check.h"

namespace tideline::codec {
namespace {

constexpr std::array<const StringCodec*, 2> kStringCodecs = {&kPlainStringCodec,
                                                             &kDictionaryStringCodec};

}  // namespace

std::span<const StringCodec* const> StringCodecs() { return kStringCodecs; }

const StringCodec* FindStringCodec(std::uint8_t wire_id) {
  for (const StringCodec* codec : kStringCodecs) {
    if (codec->wire_id == wire_id) return codec;
  }
  return nullptr;
}

const StringCodec& EncodeStrings(std::span<const std::string_view> values, Bytes* out) {
  // Filters and groups run on codes, so a dictionary is taken wherever one applies.
  if (kDictionaryStringCodec.encode(values, out)) return kDictionaryStringCodec;
  TL_CHECK(kPlainStringCodec.encode(values, out));
  return kPlainStringCodec;
}

}  // namespace tideline::codec
