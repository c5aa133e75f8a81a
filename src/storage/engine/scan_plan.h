// storage/engine/scan_plan.h: what the morsels of one scan share.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
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
};

/// A piece of a scan: some sheets of one buffer, or one stripe of one segment.
struct Morsel {
  std::shared_ptr<hot::Buffer> buffer{};
  std::vector<std::uint32_t> sheets{};
  std::size_t segment = 0;
  std::size_t stripe = 0;
  std::uint64_t rows = 0;
};

struct ScanPlan {
  std::shared_ptr<const SnapshotState> snapshot;
  std::vector<ProjectedColumn> columns{};
  SeriesSet wanted = SeriesSet::All();
  std::vector<TimeRange> times{};
  std::vector<ZoneHint> hints{};
  std::vector<ColumnId> any_of{};
  std::vector<SegmentPlan> segments{};
  std::vector<Morsel> morsels{};
  ScanStatistics planned{};  ///< what is known before reading
  mutable ScanCounters counters{};
};

/// Readers of the two kinds of morsels (buffer_scan.cc, segment_scan.cc).
std::unique_ptr<MorselReader> OpenBufferMorsel(std::shared_ptr<const ScanPlan> plan,
                                               const Morsel& morsel);
Result<std::unique_ptr<MorselReader>> OpenSegmentMorsel(std::shared_ptr<const ScanPlan> plan,
                                                        const Morsel& morsel);

/// The vector of a dimension or measure-name column for the runs of a batch.
Vector DictionaryColumn(const ScanPlan& plan, const ProjectedColumn& column,
                        std::span<const SeriesRun> runs, std::size_t row_count);

}  // namespace tideline::engine
