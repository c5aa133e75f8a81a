// What is made of the runs of a stripe, once for many readers; see segment_reader.h.
#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>

#include "storage/segment/segment_reader.h"

namespace tideline::segment {
namespace {

/// Mark what was made of a block; no file is as long.
constexpr std::uint64_t kRunEndsMark = std::uint64_t{1} << 62;
constexpr std::uint64_t kRunSummariesMark = std::uint64_t{1} << 61;

std::size_t BytesOf(const RunEnds& ends) {
  return sizeof(RunEnds) + (ends.bits.capacity() + ends.validity.capacity()) * sizeof(std::uint64_t);
}
std::size_t BytesOf(const RunSummaries& summaries) {
  return sizeof(RunSummaries) + summaries.runs.capacity() * sizeof(RunSummary);
}

std::uint32_t LastRow(const SeriesRun& run) { return run.first_row + run.row_count - 1; }

// Runs that end in one slice are read at once. `read` fills values and validity of consecutive rows.
template <typename T, typename Read>
Status DecodeRunEnds(std::span<const SeriesRun> runs, bool has_nulls, RunEnds* ends, Read read) {
  std::array<T, codec::kSliceValues> values;
  std::array<std::uint64_t, codec::ValidityWords(codec::kSliceValues)> valid;
  for (std::size_t i = 0; i < runs.size();) {
    const std::uint32_t first = LastRow(runs[i]);
    std::size_t end = i + 1;
    while (end < runs.size() && LastRow(runs[end]) / codec::kSliceValues == first / codec::kSliceValues) ++end;
    const std::size_t count = LastRow(runs[end - 1]) - first + 1;
    const std::size_t words = has_nulls ? codec::ValidityWords(count) : 0;
    TL_TRY(read(first, std::span(values.data(), count), std::span(valid.data(), words)));
    for (; i < end; ++i) {
      const std::uint32_t at = LastRow(runs[i]) - first;
      if constexpr (std::is_same_v<T, double>) {
        ends->bits[i] = std::bit_cast<std::uint64_t>(values[at]);
      } else {
        ends->bits[i] = static_cast<std::uint64_t>(values[at]);
      }
      if (has_nulls && ((valid[at / 64] >> (at % 64)) & 1) != 0) ends->validity[i / 64] |= std::uint64_t{1} << (i % 64);
    }
  }
  return OkStatus();
}

}  // namespace

template <typename T, typename Make>
Result<std::shared_ptr<const T>> SegmentReader::KeepMade(const BlockInfo& info, std::uint64_t mark, Make make) const {
  const BlockKey key{summary_.file_uuid, info.offset | mark};
  if (cache_ != nullptr) {
    std::shared_ptr<const void> kept = cache_->GetParsed(key);
    if (kept != nullptr) return std::static_pointer_cast<const T>(std::move(kept));
  }
  std::shared_ptr<const T> made = TL_TRY(make());
  if (cache_ != nullptr) cache_->PutParsed(key, made, BytesOf(*made));
  return made;
}

Result<std::shared_ptr<const RunEnds>> Stripe::ReadRunEnds(ColumnId column) const {
  const BlockInfo* info = Find(column);
  if (info == nullptr || info->type == ColumnType::kVarchar) return std::shared_ptr<const RunEnds>();
  return reader_->KeepMade<RunEnds>(*info, kRunEndsMark, [&]() -> Result<std::shared_ptr<const RunEnds>> {
    const ColumnBlock block = TL_TRY(OpenColumn(column));
    const std::span<const SeriesRun> runs = series_runs();
    const bool has_nulls = block.null_count() != 0;
    auto ends = std::make_shared<RunEnds>();
    ends->bits.resize(runs.size());
    ends->validity.resize(has_nulls ? codec::ValidityWords(runs.size()) : 0);
    using Validity = std::span<std::uint64_t>;
    switch (PhysicalKindOf(info->type)) {
      case codec::PhysicalKind::kDouble:
        TL_TRY(DecodeRunEnds<double>(runs, has_nulls, ends.get(),
                                     [&](std::size_t row, std::span<double> out, Validity valid) {
                                       return block.ReadDouble(row, out, valid);
                                     }));
        break;
      case codec::PhysicalKind::kBool:
        TL_TRY(DecodeRunEnds<std::uint8_t>(runs, has_nulls, ends.get(),
                                           [&](std::size_t row, std::span<std::uint8_t> out, Validity valid) {
                                             return block.ReadBool(row, out, valid);
                                           }));
        break;
      default:
        TL_TRY(DecodeRunEnds<std::int64_t>(runs, has_nulls, ends.get(),
                                           [&](std::size_t row, std::span<std::int64_t> out, Validity valid) {
                                             return block.ReadInt64(row, out, valid);
                                           }));
        break;
    }
    return std::shared_ptr<const RunEnds>(std::move(ends));
  });
}

namespace {

/// Adds some values that are not NULL; false when they have no summary.
bool AddValues(std::span<const double> values, RunSummary* summary) {
  constexpr std::size_t kLanes = 8;
  constexpr std::uint64_t kMinusZero = std::uint64_t{1} << 63;
  if (values.empty()) return true;
  std::array<double, kLanes> sums{};
  std::array<double, kLanes> least;
  std::array<double, kLanes> most;
  least.fill(values[0]);
  most.fill(values[0]);
  std::array<std::uint64_t, kLanes> odd{};
  const auto add = [&](std::size_t lane, double value) {
    sums[lane] += value;
    least[lane] = value < least[lane] ? value : least[lane];
    most[lane] = value > most[lane] ? value : most[lane];
    // What is not finite less itself is NaN.
    odd[lane] |= static_cast<std::uint64_t>(!(value - value == 0)) |
                 static_cast<std::uint64_t>(std::bit_cast<std::uint64_t>(value) == kMinusZero);
  };
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, values[i + lane]);
  }
  for (std::size_t lane = 0; i < values.size(); ++i, ++lane) add(lane, values[i]);
  double low = summary->count == 0 ? least[0] : summary->LeastAs<double>();
  double high = summary->count == 0 ? most[0] : summary->MostAs<double>();
  double sum = summary->SumAs<double>();
  std::uint64_t any_odd = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sum += sums[lane];
    low = least[lane] < low ? least[lane] : low;
    high = most[lane] > high ? most[lane] : high;
    any_odd |= odd[lane];
  }
  *summary = {summary->count + values.size(), std::bit_cast<std::uint64_t>(sum), std::bit_cast<std::uint64_t>(low),
              std::bit_cast<std::uint64_t>(high)};
  return any_odd == 0 && sum - sum == 0;
}

bool AddIntegers(std::span<const std::int64_t> values, bool with_sum, RunSummary* summary) {
  if (values.empty()) return true;
  std::int64_t low = summary->count == 0 ? values[0] : summary->LeastAs<std::int64_t>();
  std::int64_t high = summary->count == 0 ? values[0] : summary->MostAs<std::int64_t>();
  auto sum = summary->SumAs<std::int64_t>();
  bool overflowed = false;
  for (const std::int64_t value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
    if (with_sum) overflowed |= __builtin_add_overflow(sum, value, &sum);
  }
  *summary = {summary->count + values.size(), static_cast<std::uint64_t>(sum), static_cast<std::uint64_t>(low),
              static_cast<std::uint64_t>(high)};
  return !overflowed;
}

// Slice by slice: `read` fills values and validity of consecutive rows, `add` takes those of one run.
template <typename T, typename Read, typename Add>
Status SummarizeRuns(std::span<const SeriesRun> runs, std::size_t row_count, bool has_nulls, RunSummaries* summaries,
                     Read read, Add add) {
  std::array<T, codec::kSliceValues> values;
  std::array<T, codec::kSliceValues> dense;
  std::array<std::uint64_t, codec::ValidityWords(codec::kSliceValues)> valid;
  std::size_t run = 0;
  for (std::size_t first = 0; first < row_count && summaries->usable; first += codec::kSliceValues) {
    const std::size_t count = std::min(codec::kSliceValues, row_count - first);
    const std::size_t words = has_nulls ? codec::ValidityWords(count) : 0;
    TL_TRY(read(first, std::span(values.data(), count), std::span(valid.data(), words)));
    while (run < runs.size() && runs[run].first_row < first + count) {
      const std::size_t low = std::max<std::size_t>(runs[run].first_row, first) - first;
      const std::size_t run_end = std::size_t{runs[run].first_row} + runs[run].row_count;
      const std::size_t high = std::min(run_end, first + count) - first;
      std::span<const T> of_run(values.data() + low, high - low);
      if (has_nulls) {
        std::size_t kept = 0;
        for (std::size_t i = low; i < high; ++i) {
          if (((valid[i / 64] >> (i % 64)) & 1) != 0) dense[kept++] = values[i];
        }
        of_run = {dense.data(), kept};
      }
      if (!add(of_run, &summaries->runs[run])) summaries->usable = false;
      if (run_end > first + count) break;
      ++run;
    }
  }
  return OkStatus();
}

}  // namespace

Result<std::shared_ptr<const RunSummaries>> Stripe::ReadRunSummaries(ColumnId column) const {
  const BlockInfo* info = Find(column);
  if (info == nullptr) return std::shared_ptr<const RunSummaries>();
  using Made = Result<std::shared_ptr<const RunSummaries>>;
  return reader_->KeepMade<RunSummaries>(*info, kRunSummariesMark, [&]() -> Made {
    auto made = std::make_shared<RunSummaries>();
    const codec::PhysicalKind kind = PhysicalKindOf(info->type);
    if (kind != codec::PhysicalKind::kDouble && kind != codec::PhysicalKind::kInt64) return Made(std::move(made));
    const ColumnBlock block = TL_TRY(OpenColumn(column));
    const bool has_nulls = block.null_count() != 0;
    const std::span<const SeriesRun> runs = series_runs();
    made->usable = true;
    made->runs.resize(runs.size());
    using Validity = std::span<std::uint64_t>;
    if (kind == codec::PhysicalKind::kDouble) {
      TL_TRY(SummarizeRuns<double>(
          runs, row_count(), has_nulls, made.get(),
          [&](std::size_t row, std::span<double> out, Validity valid) { return block.ReadDouble(row, out, valid); },
          AddValues));
    } else {
      const bool with_sum = info->type != ColumnType::kTimestamp;
      TL_TRY(SummarizeRuns<std::int64_t>(
          runs, row_count(), has_nulls, made.get(),
          [&](std::size_t row, std::span<std::int64_t> out, Validity valid) {
            return block.ReadInt64(row, out, valid);
          },
          [&](std::span<const std::int64_t> values, RunSummary* summary) {
            return AddIntegers(values, with_sum, summary);
          }));
    }
    if (!made->usable) made->runs = {};
    return Made(std::move(made));
  });
}

}  // namespace tideline::segment
