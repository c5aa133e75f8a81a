#include "storage/codec/run_ends.h"

#include <cstring>

namespace tideline::codec {

void WriteRunEnds(std::span<const std::uint16_t> last_positions, Bytes* out) {
  ByteWriter writer(out);
  writer.Varint(last_positions.size());
  writer.Append(std::as_bytes(last_positions));
}

Result<RunEndsView> RunEndsView::Read(ByteReader* reader, std::size_t value_count) {
  const std::uint64_t count = TL_TRY(reader->Varint());
  if (count == 0 || count > value_count) {
    return DataLoss("run ends: {} runs for {} values", count, value_count);
  }
  RunEndsView runs;
  runs.ends_ = TL_TRY(reader->Take(static_cast<std::size_t>(count) * sizeof(std::uint16_t)));
  if (runs.end(runs.count() - 1) != value_count) {
    return DataLoss("run ends: last run ends at {} of {} values", runs.end(runs.count() - 1),
                    value_count);
  }
  return runs;
}

std::size_t RunEndsView::end(std::size_t index) const {
  std::uint16_t last;
  std::memcpy(&last, ends_.data() + index * sizeof(last), sizeof(last));
  return std::size_t{last} + 1;
}

std::size_t RunEndsView::FindRun(std::size_t position) const {
  std::size_t low = 0;
  std::size_t high = count();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (end(middle) > position) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace tideline::codec
