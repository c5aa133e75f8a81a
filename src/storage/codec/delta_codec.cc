// Differences of neighbours, bit-packed: for counters and walks.
//
// A slice is the value before its first (zigzag varint) and a packed slice of differences. The
// first difference repeats the second, so that it costs nothing of its own.
#include <array>

#include "storage/codec/int64_codec.h"
#include "storage/codec/packed_slice.h"
#include "storage/codec/prefix_sum.h"
#include "storage/codec/slices.h"
#include "storage/codec/wrapping.h"

namespace tideline::codec {
namespace {

void EncodeDeltaSlice(std::span<const std::int64_t> values, Bytes* out) {
  std::array<std::int64_t, kSliceValues> deltas;
  for (std::size_t i = 1; i < values.size(); ++i) {
    deltas[i] = WrappingDifference(values[i], values[i - 1]);
  }
  deltas[0] = values.size() > 1 ? deltas[1] : 0;
  ByteWriter(out).SignedVarint(WrappingDifference(values[0], deltas[0]));
  EncodePackedSlice({deltas.data(), values.size()}, out);
}

bool EncodeDelta(std::span<const std::int64_t> values, Bytes* out) {
  WriteSlices(values.size(), out, [&values](std::size_t index, Bytes* slice) {
    const std::size_t first = index * kSliceValues;
    EncodeDeltaSlice(values.subspan(first, std::min(kSliceValues, values.size() - first)), slice);
  });
  return true;
}

Status DecodeDelta(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<std::int64_t> out) {
  return ReadSlices(value_count, first, out,
                    [&](std::size_t index, std::span<std::int64_t> values) -> Status {
                      const BytesView slice = TL_TRY(SliceBytes(payload, value_count, index));
                      ByteReader reader(slice);
                      const std::int64_t before = TL_TRY(reader.SignedVarint());
                      TL_TRY(DecodePackedSlice(&reader, values));
                      PrefixSum(Unsigned(before), values);
                      return OkStatus();
                    });
}

}  // namespace

constinit const Int64Codec kDeltaInt64Codec{
    .wire_id = 4, .name = "delta", .encode = EncodeDelta, .decode = DecodeDelta};

}  // namespace tideline::codec
