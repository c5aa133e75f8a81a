// Frame of reference with bit-packing: one packed slice (packed_slice.h) after another.
#include "storage/codec/int64_codec.h"
#include "storage/codec/packed_slice.h"
#include "storage/codec/slices.h"

namespace tideline::codec {
namespace {

bool EncodeFrame(std::span<const std::int64_t> values, Bytes* out) {
  WriteSlices(values.size(), out, [&values](std::size_t index, Bytes* slice) {
    const std::size_t first = index * kSliceValues;
    EncodePackedSlice(values.subspan(first, std::min(kSliceValues, values.size() - first)), slice);
  });
  return true;
}

Status DecodeFrame(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<std::int64_t> out) {
  return ReadSlices(value_count, first, out,
                    [&](std::size_t index, std::span<std::int64_t> values) -> Status {
                      const BytesView slice = TL_TRY(SliceBytes(payload, value_count, index));
                      ByteReader reader(slice);
                      return DecodePackedSlice(&reader, values);
                    });
}

}  // namespace

constinit const Int64Codec kFrameInt64Codec{
    .wire_id = 3, .name = "frame", .encode = EncodeFrame, .decode = DecodeFrame};

}  // namespace tideline::codec
