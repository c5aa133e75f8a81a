// Differences of differences, bit-packed: a steady clock costs no bits per row.
//
// A slice is the value before its first, the first difference (zigzag varints), and a packed slice
// of second differences whose first two are zero.
//
// Source: Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time Series Database", PVLDB
// 8(12), 2015, section 4.1.1. Departure: one width per slice, with exceptions, instead of prefix
// codes.
#include <array>

#include "storage/codec/int64_codec.h"
#include "storage/codec/packed_slice.h"
#include "storage/codec/prefix_sum.h"
#include "storage/codec/slices.h"
#include "storage/codec/wrapping.h"

namespace tideline::codec {
namespace {

void EncodeDeltaOfDeltaSlice(std::span<const std::int64_t> values, Bytes* out) {
  std::array<std::int64_t, kSliceValues> seconds{};
  const std::int64_t first_delta = values.size() > 1 ? WrappingDifference(values[1], values[0]) : 0;
  std::int64_t delta = first_delta;
  for (std::size_t i = 2; i < values.size(); ++i) {
    const std::int64_t next = WrappingDifference(values[i], values[i - 1]);
    seconds[i] = WrappingDifference(next, delta);
    delta = next;
  }
  ByteWriter writer(out);
  writer.SignedVarint(WrappingDifference(values[0], first_delta));
  writer.SignedVarint(first_delta);
  EncodePackedSlice({seconds.data(), values.size()}, out);
}

bool EncodeDeltaOfDelta(std::span<const std::int64_t> values, Bytes* out) {
  WriteSlices(values.size(), out, [&values](std::size_t index, Bytes* slice) {
    const std::size_t first = index * kSliceValues;
    EncodeDeltaOfDeltaSlice(values.subspan(first, std::min(kSliceValues, values.size() - first)),
                            slice);
  });
  return true;
}

Status DecodeDeltaOfDelta(BytesView payload, std::size_t value_count, std::size_t first,
                          std::span<std::int64_t> out) {
  return ReadSlices(value_count, first, out,
                    [&](std::size_t index, std::span<std::int64_t> values) -> Status {
                      const BytesView slice = TL_TRY(SliceBytes(payload, value_count, index));
                      ByteReader reader(slice);
                      const std::int64_t before = TL_TRY(reader.SignedVarint());
                      const std::int64_t first_delta = TL_TRY(reader.SignedVarint());
                      TL_TRY(DecodePackedSlice(&reader, values));
                      PrefixSum(Unsigned(first_delta), values);
                      PrefixSum(Unsigned(before), values);
                      return OkStatus();
                    });
}

}  // namespace

constinit const Int64Codec kDeltaOfDeltaInt64Codec{.wire_id = 5,
                                                   .name = "delta_of_delta",
                                                   .encode = EncodeDeltaOfDelta,
                                                   .decode = DecodeDeltaOfDelta};

}  // namespace tideline::codec
