#include "storage/codec/block_filter.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "storage/codec/double_codec.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/packed_slice.h"
#include "storage/codec/run_ends.h"
#include "storage/codec/slices.h"

namespace tideline::codec {
namespace {

enum class Known : std::uint8_t { kNone, kAll, kSome };

template <typename T>
Known Compare(T slice_least, T slice_most, T least, T most) {
  if (slice_most < least || slice_least > most) return Known::kNone;
  return slice_least >= least && slice_most <= most ? Known::kAll : Known::kSome;
}

void SetBits(std::span<std::uint64_t> words, std::size_t first, std::size_t count) {
  for (; count > 0 && first % 64 != 0; ++first, --count) {
    words[first / 64] |= std::uint64_t{1} << (first % 64);
  }
  for (; count >= 64; first += 64, count -= 64) words[first / 64] = ~std::uint64_t{0};
  for (; count > 0; ++first, --count) words[first / 64] |= std::uint64_t{1} << (first % 64);
}

template <typename T>
void CompareRows(std::span<const T> values, T least, T most, std::size_t to,
                 std::span<std::uint64_t> matches) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto inside = static_cast<std::uint64_t>(values[i] >= least && values[i] <= most);
    matches[(to + i) / 64] |= inside << ((to + i) % 64);
  }
}

// Calls `know(slice)` for each slice the rows reach into, and decodes only where that leaves doubt.
// A block with NULLs is decoded, since its slices hold no rows but values.
template <typename T, typename Know, typename Read>
Status FilterSlices(const BlockView& block, std::size_t first_row, std::size_t row_count, T least,
                    T most, std::span<std::uint64_t> matches, Know know, Read read) {
  TL_CHECK(first_row <= block.row_count() && row_count <= block.row_count() - first_row);
  TL_CHECK(matches.size() >= ValidityWords(row_count));
  std::fill_n(matches.begin(), ValidityWords(row_count), 0);
  if (!(least <= most)) return OkStatus();
  std::array<T, kSliceValues> values;
  std::array<std::uint64_t, ValidityWords(kSliceValues)> valid;
  for (std::size_t done = 0; done < row_count;) {
    const std::size_t at = first_row + done;
    const std::size_t count = std::min(kSliceValues - at % kSliceValues, row_count - done);
    Known known = Known::kSome;
    if (block.null_count() == 0) known = TL_TRY(know(at / kSliceValues));
    if (known == Known::kAll) SetBits(matches, done, count);
    if (known == Known::kSome) {
      const std::span<T> rows(values.data(), count);
      TL_TRY(read(at, rows, std::span<std::uint64_t>(valid)));
      CompareRows<T>(rows, least, most, done, matches);
      for (std::size_t i = 0; block.null_count() > 0 && i < count; ++i) {
        if ((valid[i / 64] >> (i % 64) & 1) == 0) {
          matches[(done + i) / 64] &= ~(std::uint64_t{1} << ((done + i) % 64));
        }
      }
    }
    done += count;
  }
  return OkStatus();
}

// Runs: one comparison each.
Status FilterRuns(const BlockView& block, std::size_t first_row, std::size_t row_count,
                  std::int64_t least, std::int64_t most, std::span<std::uint64_t> matches) {
  std::fill_n(matches.begin(), ValidityWords(row_count), 0);
  ByteReader reader(block.payload());
  const RunEndsView runs = TL_TRY(RunEndsView::Read(&reader, block.row_count()));
  const BytesView frame = block.payload().subspan(reader.position());
  std::array<std::int64_t, kSliceValues> values;
  std::size_t buffered_end = 0;
  std::size_t buffered_first = 0;
  std::size_t done = 0;
  for (std::size_t run = runs.FindRun(first_row); done < row_count; ++run) {
    if (run == runs.count()) return DataLoss("run-length integers: runs end early");
    if (run >= buffered_end) {
      buffered_first = run;
      buffered_end = std::min(runs.count(), run + kSliceValues);
      TL_TRY(kFrameInt64Codec.decode(frame, runs.count(), run,
                                     {values.data(), buffered_end - run}));
    }
    const std::size_t end = std::min(runs.end(run), first_row + row_count);
    if (end <= first_row + done) return DataLoss("run-length integers: runs do not ascend");
    const std::int64_t value = values[run - buffered_first];
    if (value >= least && value <= most) SetBits(matches, done, end - first_row - done);
    done = end - first_row;
  }
  return OkStatus();
}

}  // namespace

Result<SliceBounds> Int64SliceBounds(const BlockView& block, std::size_t slice) {
  const std::size_t value_count = block.row_count() - block.null_count();
  if (block.kind() != PhysicalKind::kInt64 || slice >= SliceCount(value_count)) {
    return InvalidArgument("block: no integers in slice {}", slice);
  }
  SliceBounds bounds;
  if (block.codec_id() == kConstantInt64Codec.wire_id) {
    TL_TRY(kConstantInt64Codec.decode(block.payload(), value_count, 0, {&bounds.least, 1}));
    bounds.most = bounds.least;
    bounds.is_known = true;
  }
  if (block.codec_id() == kFrameInt64Codec.wire_id) {
    const BytesView bytes = TL_TRY(SliceBytes(block.payload(), value_count, slice));
    const std::optional<FrameRange> range = TL_TRY(PackedSliceRange(bytes));
    if (range.has_value()) bounds = {true, range->least, range->most};
  }
  return bounds;
}

Status FilterInt64(const BlockView& block, std::size_t first_row, std::size_t row_count,
                   std::int64_t least, std::int64_t most, std::span<std::uint64_t> matches) {
  if (block.kind() == PhysicalKind::kInt64 && block.null_count() == 0 && row_count > 0 &&
      block.codec_id() == kRunLengthInt64Codec.wire_id) {
    TL_CHECK(first_row <= block.row_count() && row_count <= block.row_count() - first_row);
    TL_CHECK(matches.size() >= ValidityWords(row_count));
    return FilterRuns(block, first_row, row_count, least, most, matches);
  }
  return FilterSlices<std::int64_t>(
      block, first_row, row_count, least, most, matches,
      [&](std::size_t slice) -> Result<Known> {
        const SliceBounds bounds = TL_TRY(Int64SliceBounds(block, slice));
        if (!bounds.is_known) return Known::kSome;
        return Compare(bounds.least, bounds.most, least, most);
      },
      [&](std::size_t at, std::span<std::int64_t> rows, std::span<std::uint64_t> valid) {
        return block.ReadInt64(at, rows, valid);
      });
}

Status FilterDouble(const BlockView& block, std::size_t first_row, std::size_t row_count,
                    double least, double most, std::span<std::uint64_t> matches) {
  return FilterSlices<double>(
      block, first_row, row_count, least, most, matches,
      [&](std::size_t slice) -> Result<Known> {
        if (block.kind() != PhysicalKind::kDouble ||
            block.codec_id() != kAlpDoubleCodec.wire_id) {
          return Known::kSome;
        }
        const std::optional<DoubleRange> range =
            TL_TRY(AlpSliceRange(block.payload(), block.row_count(), slice));
        if (!range.has_value()) return Known::kSome;
        return Compare(range->least, range->most, least, most);
      },
      [&](std::size_t at, std::span<double> rows, std::span<std::uint64_t> valid) {
        return block.ReadDouble(at, rows, valid);
      });
}

Status FilterCodes(const BlockView& block, std::size_t first_row, std::size_t row_count,
                   std::uint32_t first_code, std::uint32_t end_code,
                   std::span<std::uint64_t> matches) {
  if (first_code >= end_code) {
    std::fill_n(matches.begin(), ValidityWords(row_count), 0);
    return OkStatus();
  }
  return FilterSlices<std::uint32_t>(
      block, first_row, row_count, first_code, end_code - 1, matches,
      [](std::size_t) -> Result<Known> { return Known::kSome; },
      [&](std::size_t at, std::span<std::uint32_t> rows, std::span<std::uint64_t> valid) {
        return block.ReadCodes(at, rows, valid);
      });
}

}  // namespace tideline::codec
