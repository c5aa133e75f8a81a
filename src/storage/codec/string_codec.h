// storage/codec/string_codec.h: what a codec of strings is, the list of them, and the choice.
//
// As with int64_codec.h, a codec is one file and one line of kStringCodecs. Where strings are stored as
// they are, decoding hands out views into the block and copies nothing; text that is coded is decoded
// once, by the slice, into the TextCache of the block's view.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::codec {

class TextCache;

struct StringCodec {
  std::uint8_t wire_id;
  std::string_view name;
  /// As Int64Codec.
  bool (*encode)(std::span<const std::string_view> values, Bytes* out);
  /// Views point into `payload`, or into `cache`, which a codec with `decodes_text` needs (checked) and
  /// others ignore. Allocates at most the dictionary and the text.
  Status (*decode)(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<std::string_view> out, TextCache* cache);
  bool decodes_text = false;
};

extern const StringCodec kPlainStringCodec;
extern const StringCodec kDictionaryStringCodec;
extern const StringCodec kFsstStringCodec;

/// For payloads of kDictionaryStringCodec: the sorted distinct values as views into `payload`, and
/// the positions of values [first, first + out.size()) among them, checked.
Result<std::vector<std::string_view>> ReadStringDictionary(BytesView payload,
                                                           std::size_t value_count);
Status ReadStringCodes(BytesView payload, std::size_t value_count, std::size_t first,
                       std::span<std::uint32_t> out);

std::span<const StringCodec* const> StringCodecs();
/// Null for an unknown id.
const StringCodec* FindStringCodec(std::uint8_t wire_id);
/// Appends the payload of the codec that suits best and returns it.
const StringCodec& EncodeStrings(std::span<const std::string_view> values, Bytes* out);

}  // namespace tideline::codec
