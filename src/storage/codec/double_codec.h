// storage/codec/double_codec.h: what a codec of doubles is, the list of them, and the choice.
//
// As with int64_codec.h, a codec is one file and one line of kDoubleCodecs. All codecs reduce
// doubles to int64 sequences, which then choose their own coding: `bits` takes the bit patterns
// (constant, few distinct values, runs, and walks of full doubles, whose patterns differ little
// from their neighbours'), `alp` the decimals that most measured values are, `alp_rd` the high and
// the low halves of what is neither.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::codec {

struct DoubleCodec {
  std::uint8_t wire_id;
  std::string_view name;
  /// As Int64Codec; bit patterns are kept exactly.
  bool (*encode)(std::span<const double> values, Bytes* out);
  Status (*decode)(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<double> out);
};

extern const DoubleCodec kBitsDoubleCodec;
extern const DoubleCodec kAlpDoubleCodec;
extern const DoubleCodec kAlpRdDoubleCodec;

/// For payloads of kAlpDoubleCodec: bounds of the values of slice `slice`, without decoding them;
/// nothing when it has exceptions or its integers are in no frame. kDataLoss on damaged bytes.
struct DoubleRange {
  double least = 0;
  double most = 0;
};
Result<std::optional<DoubleRange>> AlpSliceRange(BytesView payload, std::size_t value_count,
                                                 std::size_t slice);

std::span<const DoubleCodec* const> DoubleCodecs();
/// Null for an unknown id.
const DoubleCodec* FindDoubleCodec(std::uint8_t wire_id);
/// Appends a payload of kBitsDoubleCodec at the speed of copying: eight bytes a value.
void EncodeDoubleBitsQuickly(std::span<const double> values, Bytes* out);
/// Appends the payload of the codec that suits best and returns it.
const DoubleCodec& EncodeDoubles(std::span<const double> values, Bytes* out);

}  // namespace tideline::codec
