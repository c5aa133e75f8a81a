// storage/codec/int64_codec.h: what a codec of int64 values is, the list of them, and the choice.
//
// A codec is one file, <name>_codec.cc, that defines one Int64Codec; its line in kInt64Codecs
// (int64_codec.cc) makes it known. A wire id is never used again, even after a codec is dropped.
//
// A sequence is a codec's wire id (u8) and its payload; it appears inside blocks of every kind: as
// the payload of int64 blocks, as bit patterns and scaled decimals of doubles, as lengths and
// dictionary codes of strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/codec/block.h"

namespace tideline::codec {

struct Int64Codec {
  std::uint8_t wire_id;
  std::string_view name;
  /// Appends the payload for 1 to kBlockRowsMax values; false, with `out` as it was, when the
  /// values do not suit the codec.
  bool (*encode)(std::span<const std::int64_t> values, Bytes* out);
  /// Decodes values [first, first + out.size()) of `value_count`; the range lies inside. kDataLoss
  /// on bytes that are no such payload. Thread-safe, allocates nothing.
  Status (*decode)(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<std::int64_t> out);
};

extern const Int64Codec kConstantInt64Codec;
extern const Int64Codec kRunLengthInt64Codec;
extern const Int64Codec kFrameInt64Codec;
extern const Int64Codec kDeltaInt64Codec;
extern const Int64Codec kDeltaOfDeltaInt64Codec;
extern const Int64Codec kDictionaryInt64Codec;
extern const Int64Codec kRawInt64Codec;

/// The differences of a slice of kDeltaInt64Codec, and the value before the first: for those who do more
/// than add them up. `deltas` takes all values of the slice.
Result<std::uint64_t> ReadDeltas(BytesView slice, std::span<std::int64_t> deltas);

std::span<const Int64Codec* const> Int64Codecs();
/// Null for an unknown id.
const Int64Codec* FindInt64Codec(std::uint8_t wire_id);

/// Appends a sequence of at most kBlockRowsMax values by the codec that suits them best; an empty
/// one is raw and takes one byte.
void EncodeInt64Sequence(std::span<const std::int64_t> values, Bytes* out);
/// As EncodeInt64Sequence, at the speed of copying: constant, or eight bytes a value.
void EncodeInt64SequenceQuickly(std::span<const std::int64_t> values, Bytes* out);
/// Decodes values [first, first + out.size()) of a sequence of `value_count`.
Status DecodeInt64Sequence(BytesView sequence, std::size_t value_count, std::size_t first,
                           std::span<std::int64_t> out);

/// The values a choice is made on: all of them, or whole slices from a quarter and three quarters
/// of the way.
template <typename T>
std::span<const T> SampleOf(std::span<const T> values, std::vector<T>* storage) {
  if (values.size() <= 2 * kSliceValues) return values;
  const std::size_t slice_count = values.size() / kSliceValues;
  for (const std::size_t slice : {slice_count / 4, slice_count * 3 / 4}) {
    const std::span<const T> picked = values.subspan(slice * kSliceValues, kSliceValues);
    storage->insert(storage->end(), picked.begin(), picked.end());
  }
  return *storage;
}

}  // namespace tideline::codec
