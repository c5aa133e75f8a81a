#include "storage/codec/slices.h"

#include <cstring>

namespace tideline::codec {

Result<BytesView> SliceBytes(BytesView payload, std::size_t value_count, std::size_t index) {
  const std::size_t slice_count = SliceCount(value_count);
  TL_CHECK(index < slice_count);
  const std::size_t directory_bytes = (slice_count - 1) * sizeof(std::uint32_t);
  if (payload.size() < directory_bytes) {
    return DataLoss("slice directory: {} bytes for {} slices", payload.size(), slice_count);
  }
  const BytesView slices = payload.subspan(directory_bytes);
  const auto end_of = [&payload](std::size_t slice) {
    std::uint32_t end;
    std::memcpy(&end, payload.data() + slice * sizeof(end), sizeof(end));
    return std::size_t{end};
  };
  const std::size_t begin = index == 0 ? 0 : end_of(index - 1);
  const std::size_t end = index + 1 == slice_count ? slices.size() : end_of(index);
  if (begin > end || end > slices.size()) {
    return DataLoss("slice directory: slice {} is [{}, {}) of {} bytes", index, begin, end,
                    slices.size());
  }
  return slices.subspan(begin, end - begin);
}

}  // namespace tideline::codec
