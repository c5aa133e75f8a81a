// Differences of neighbours, bit-packed: for counters and walks.
//
// A slice is the value before its first (zigzag varint) and a packed slice of differences. The
// first difference repeats the second, so that it costs nothing of its own.
#include <algorithm>
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

}  // namespace

Result<std::uint64_t> ReadDeltas(BytesView slice, std::span<std::int64_t> deltas) {
  ByteReader reader(slice);
  const std::int64_t before = TL_TRY(reader.SignedVarint());
  TL_TRY(DecodePackedSlice(&reader, deltas));
  return Unsigned(before);
}

namespace {

Status DecodeDelta(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<std::int64_t> out) {
  return ReadSliceParts(value_count, first, out, [&](const SlicePart& part, std::span<std::int64_t> wanted) -> Status {
    const BytesView slice = TL_TRY(SliceBytes(payload, value_count, part.index));
    if (wanted.size() == part.values) {
      const std::uint64_t before = TL_TRY(ReadDeltas(slice, wanted));
      PrefixSum(before, wanted);
      return OkStatus();
    }
    // What lies before the wanted values is only added up.
    std::array<std::int64_t, kSliceValues> deltas;
    const std::uint64_t before = TL_TRY(ReadDeltas(slice, std::span(deltas.data(), part.values)));
    const std::uint64_t start = Sum(before, std::span(deltas.data(), part.skip));
    std::copy_n(deltas.begin() + static_cast<std::ptrdiff_t>(part.skip), wanted.size(), wanted.begin());
    PrefixSum(start, wanted);
    return OkStatus();
  });
}

}  // namespace

constinit const Int64Codec kDeltaInt64Codec{
    .wire_id = 4, .name = "delta", .encode = EncodeDelta, .decode = DecodeDelta};

}  // namespace tideline::codec
