// storage/codec/bool_codec.h: what a codec of booleans is, the list of them, and the choice.
//
// As with int64_codec.h, a codec is one line of kBoolCodecs; the three are short and share a file.
// Decoded booleans are bytes, 0 or 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::codec {

struct BoolCodec {
  std::uint8_t wire_id;
  std::string_view name;
  /// As Int64Codec; every value is 0 or 1.
  bool (*encode)(std::span<const std::uint8_t> values, Bytes* out);
  Status (*decode)(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<std::uint8_t> out);
};

extern const BoolCodec kConstantBoolCodec;   ///< one byte
extern const BoolCodec kBitmapBoolCodec;     ///< a bit a value, the first lowest
extern const BoolCodec kRunLengthBoolCodec;  ///< the first value (u8), then run ends (run_ends.h)

std::span<const BoolCodec* const> BoolCodecs();
/// Null for an unknown id.
const BoolCodec* FindBoolCodec(std::uint8_t wire_id);
/// Appends the payload of the codec that suits best and returns it.
const BoolCodec& EncodeBools(std::span<const std::uint8_t> values, Bytes* out);

}  // namespace tideline::codec
