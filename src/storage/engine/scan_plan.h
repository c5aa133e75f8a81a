// storage/engine/scan_plan.h: what the morsels of one scan share.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/engine/snapshot.h"
#include "storage/segment/segment_reader.h"

namespace tideline::engine {

/// One projected column.
struct ProjectedColumn {
  enum class Kind : std::uint8_t { kDimension, kMeasureName, kTime, kValue };
  ColumnId id{};
  Kind kind = Kind::kValue;
  std::uint32_t slot = 0;  ///< of a dimension
  Type type{};             ///< of a value
  std::shared_ptr<const Vector> dictionary{};  ///< of a dimension or the measure names
};

struct ScanCounters {
  std::atomic<std::uint64_t> bytes_scanned{0};
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> stripes_pruned{0};
};

/// A segment that takes part.
struct SegmentPlan {
  std::shared_ptr<SegmentSource> source{};
  std::shared_ptr<segment::SegmentReader> reader{};
  std::shared_ptr<const segment::SeriesTable> series{};
  std::shared_ptr<const Bitmap> dead{};
  /// Ordinals wanted, ascending; meaningless when all are.
  std::vector<std::uint32_t> ordinals{};
  /// `ordinals` are not all that the predicates match but those that may hold a row at an end.
  bool chosen = false;
};

/// A piece of a scan: some sheets of one buffer, or one stripe of one segment.
struct Morsel {
  std::shared_ptr<hot::Buffer> buffer{};
  std::vector<std::uint32_t> sheets{};
  std::size_t segment = 0;
  std::size_t stripe = 0;
  std::uint64_t rows = 0;
};

/// Batches are not cut shorter than this for what is the same in all rows.
inline constexpr std::size_t kSplitRowsMin = 256;

struct ScanPlan {
  std::shared_ptr<const SnapshotState> snapshot;
  std::vector<ProjectedColumn> columns{};
  std::vector<ProjectedColumn> filter_columns{};  ///< what a RowFilter looks at
  SeriesSet wanted = SeriesSet::All();
  std::vector<TimeRange> times{};
  std::vector<ZoneHint> hints{};
  std::vector<ColumnId> any_of{};
  bool newest_only = false;
  bool oldest_only = false;
  std::int64_t time_step_ns = 0;
  /// Whether all of [low_ns, high_ns] is one step.
  bool IsOneStep(std::int64_t low_ns, std::int64_t high_ns) const {
    return time_step_ns != 0 && StepOf(low_ns) == StepOf(high_ns);
  }
  std::int64_t StepOf(std::int64_t time_ns) const {
    return time_ns / time_step_ns - (time_ns % time_step_ns < 0 ? 1 : 0);
  }
  bool only_ends() const { return newest_only || oldest_only; }
  /// Someone looks at measure names: a batch of many rows then ends where the next series has another one,
  /// so that what depends on the name alone is mostly settled once a batch.
  bool splits_at_measures = false;
  /// Whether a batch of `row_count` rows, the last of them of series `last`, ends before one of `next`.
  bool EndsBatch(std::uint64_t last, std::uint64_t next, std::size_t row_count) const {
    return splits_at_measures && row_count >= kSplitRowsMin && MeasureDiffers(last, next);
  }
  bool MeasureDiffers(std::uint64_t a, std::uint64_t b) const;
  std::vector<SegmentPlan> segments{};
  std::vector<Morsel> morsels{};
  ScanStatistics planned{};  ///< what is known before reading
  mutable ScanCounters counters{};
};

/// Readers of the two kinds of morsels (buffer_scan.cc, segment_scan.cc).
std::unique_ptr<MorselReader> OpenBufferMorsel(std::shared_ptr<const ScanPlan> plan,
                                               const Morsel& morsel, RowFilter* filter);
Result<std::unique_ptr<MorselReader>> OpenSegmentMorsel(std::shared_ptr<const ScanPlan> plan,
                                                        const Morsel& morsel, const MorselOptions& options);

/// Leaves of `runs`, which cover rows from 0 on, only the rows `passed`, numbered anew.
void KeepRuns(std::span<const std::uint32_t> passed, std::vector<SeriesRun>* runs);

/// Plans the segments of a scan that wants rows at the ends of series only (ends_plan.cc): a series is
/// read from those segments that, by their series tables, may hold its newest (oldest) row.
Status PlanEnds(std::span<const std::shared_ptr<SegmentSource>> sources, ScanPlan* plan);

// Shared by the files that plan.
bool OverlapsTimes(std::span<const TimeRange> times, std::int64_t low, std::int64_t high);
/// Ordinals of the series wanted that a segment has, ascending.
std::vector<std::uint32_t> OrdinalsOf(const SeriesSet& wanted, const segment::SeriesTable& series);
/// Opens a segment; nothing when it is pruned, which is counted.
Result<std::optional<SegmentPlan>> OpenSegmentPlan(const std::shared_ptr<SegmentSource>& source,
                                                   ScanPlan* plan);
/// Makes morsels of the stripes that matter.
void AddSegmentMorsels(SegmentPlan segment, ScanPlan* plan);

/// The vector of a dimension or measure-name column for the runs of a batch.
Vector DictionaryColumn(const ScanPlan& plan, const ProjectedColumn& column,
                        std::span<const SeriesRun> runs, std::size_t row_count);

}  // namespace tideline::engine
