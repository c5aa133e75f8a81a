// Runs of equal values: the last position of each run, and its value in a frame.
//
//   run_count (varint) | last position of each run (u16 each, ascending) | values (frame payload)
#include <algorithm>
#include <array>
#include <vector>

#include "storage/codec/int64_codec.h"
#include "storage/codec/run_ends.h"

namespace tideline::codec {
namespace {

// Shorter runs than this on average are better packed.
constexpr std::size_t kRunValuesMin = 4;

bool EncodeRunLength(std::span<const std::int64_t> values, Bytes* out) {
  std::size_t run_count = 1;
  for (std::size_t i = 1; i < values.size(); ++i) run_count += values[i] != values[i - 1];
  if (run_count * kRunValuesMin > values.size()) return false;
  std::vector<std::uint16_t> ends;
  std::vector<std::int64_t> run_values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i + 1 == values.size() || values[i] != values[i + 1]) {
      ends.push_back(static_cast<std::uint16_t>(i));
      run_values.push_back(values[i]);
    }
  }
  WriteRunEnds(ends, out);
  return kFrameInt64Codec.encode(run_values, out);
}

Status DecodeRunLength(BytesView payload, std::size_t value_count, std::size_t first,
                       std::span<std::int64_t> out) {
  ByteReader reader(payload);
  const RunEndsView runs = TL_TRY(RunEndsView::Read(&reader, value_count));
  const BytesView frame = payload.subspan(reader.position());
  // Run values are decoded a slice at a time, as the runs reach into the range.
  std::array<std::int64_t, kSliceValues> run_values;
  std::size_t run = runs.FindRun(first);
  std::size_t buffered_end = run;
  std::size_t buffered_first = run;
  std::size_t done = 0;
  while (done < out.size()) {
    if (run == runs.count()) return DataLoss("run-length integers: runs end early");
    if (run == buffered_end) {
      buffered_first = run;
      buffered_end = std::min(runs.count(), run + kSliceValues);
      TL_TRY(kFrameInt64Codec.decode(frame, runs.count(), run,
                                     {run_values.data(), buffered_end - run}));
    }
    const std::size_t end = std::min<std::size_t>(runs.end(run), first + out.size());
    if (end <= first + done) return DataLoss("run-length integers: runs do not ascend");
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(done),
              out.begin() + static_cast<std::ptrdiff_t>(end - first),
              run_values[run - buffered_first]);
    done = end - first;
    ++run;
  }
  return OkStatus();
}

}  // namespace

constinit const Int64Codec kRunLengthInt64Codec{
    .wire_id = 2, .name = "run_length", .encode = EncodeRunLength, .decode = DecodeRunLength};

}  // namespace tideline::codec
