// storage/codec/slices.h: the directory by which a payload of slices is entered in the middle.
//
//   end offset of each slice but the last, from the end of this list (u32 each) | slice 0 | slice 1
//   ...
//
// The number of slices follows from the number of values, which the block knows.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "base/status.h"
#include "storage/codec/block.h"

namespace tideline::codec {

constexpr std::size_t SliceCount(std::size_t value_count) {
  return (value_count + kSliceValues - 1) / kSliceValues;
}

/// Calls `encode(slice_index, out)` for each slice in order and keeps the directory.
template <typename Encode>
void WriteSlices(std::size_t value_count, Bytes* out, Encode encode) {
  const std::size_t slice_count = SliceCount(value_count);
  if (slice_count == 0) return;
  const std::size_t directory = out->size();
  out->resize(directory + (slice_count - 1) * sizeof(std::uint32_t));
  const std::size_t start = out->size();
  for (std::size_t i = 0; i < slice_count; ++i) {
    encode(i, out);
    if (i + 1 < slice_count) {
      ByteWriter(out).Patch(directory + i * sizeof(std::uint32_t),
                            static_cast<std::uint32_t>(out->size() - start));
    }
  }
}

/// The bytes of slice `index`. kDataLoss when the directory points outside `payload`.
Result<BytesView> SliceBytes(BytesView payload, std::size_t value_count, std::size_t index);

/// Where some wanted values lie: in slice `index`, which has `values` of them, from number `skip` on.
struct SlicePart {
  std::size_t index = 0;
  std::size_t values = 0;
  std::size_t skip = 0;
};

/// Calls `decode(part, span)` for each slice that holds some of values [first, first + out.size()) of a
/// sequence of `value_count`; the span is their place in `out`.
template <typename T, typename Decode>
Status ReadSliceParts(std::size_t value_count, std::size_t first, std::span<T> out, Decode decode) {
  TL_CHECK(first <= value_count && out.size() <= value_count - first);
  std::size_t done = 0;
  while (done < out.size()) {
    SlicePart part;
    part.index = (first + done) / kSliceValues;
    part.skip = (first + done) % kSliceValues;
    part.values = std::min(kSliceValues, value_count - part.index * kSliceValues);
    const std::size_t count = std::min(part.values - part.skip, out.size() - done);
    TL_TRY(decode(part, out.subspan(done, count)));
    done += count;
  }
  return OkStatus();
}

/// The same for codecs that decode whole slices: `decode(slice_index, span)` fills all values of one.
/// Slices that are wanted in part go through a buffer on the stack.
template <typename T, typename Decode>
Status ReadSlices(std::size_t value_count, std::size_t first, std::span<T> out, Decode decode) {
  return ReadSliceParts(value_count, first, out, [&](const SlicePart& part, std::span<T> wanted) -> Status {
    if (wanted.size() == part.values) return decode(part.index, wanted);
    std::array<T, kSliceValues> whole;
    TL_TRY(decode(part.index, std::span<T>(whole.data(), part.values)));
    std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(part.skip), wanted.size(), wanted.begin());
    return OkStatus();
  });
}

}  // namespace tideline::codec
