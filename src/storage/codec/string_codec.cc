#include "storage/codec/string_codec.h"

#include <array>

#include "base/check.h"

namespace tideline::codec {
namespace {

constexpr std::array<const StringCodec*, 3> kStringCodecs = {&kPlainStringCodec, &kDictionaryStringCodec,
                                                             &kFsstStringCodec};
// Coded text must be smaller than plain text by a fifth: plain text is read without decoding.
constexpr std::size_t kCodedTextShare = 5;

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
  const std::size_t start = out->size();
  TL_CHECK(kPlainStringCodec.encode(values, out));
  const std::size_t plain_bytes = out->size() - start;
  Bytes coded;
  if (!kFsstStringCodec.encode(values, &coded) ||
      coded.size() + plain_bytes / kCodedTextShare > plain_bytes) {
    return kPlainStringCodec;
  }
  out->resize(start);
  out->insert(out->end(), coded.begin(), coded.end());
  return kFsstStringCodec;
}

}  // namespace tideline::codec
