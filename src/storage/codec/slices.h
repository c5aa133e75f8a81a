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

/// Decodes values [first, first + out.size()) of a sequence of `value_count` by whole slices.
/// `decode(slice_index, span)` fills all values of one slice. Slices that are wanted in part go
/// through a buffer on the stack.
template <typename T, typename Decode>
Status ReadSlices(std::size_t value_count, std::size_t first, std::span<T> out, Decode decode) {
  TL_CHECK(first <= value_count && out.size() <= value_count - first);
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t at = first + done;
    const std::size_t index = at / kSliceValues;
    const std::size_t slice_first = index * kSliceValues;
    const std::size_t slice_values = std::min(kSliceValues, value_count - slice_first);
    const std::size_t skip = at - slice_first;
    const std::size_t count = std::min(slice_values - skip, out.size() - done);
    if (count == slice_values) {
      TL_TRY(decode(index, out.subspan(done, count)));
    } else {
      std::array<T, kSliceValues> whole;
      TL_TRY(decode(index, std::span<T>(whole.data(), slice_values)));
      std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(skip), count,
                  out.begin() + static_cast<std::ptrdiff_t>(done));
    }
    done += count;
  }
  return OkStatus();
}

}  // namespace tideline::codec
