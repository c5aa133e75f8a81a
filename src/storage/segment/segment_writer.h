// storage/segment/segment_writer.h: writes one segment, front to back, in one pass.
//
//   SegmentWriter writer(options, sink);
//   TL_TRY(writer.AddSeries({.id = 7, .measure_name = "cpu", .dimensions = dimensions}));
//   TL_TRY(writer.AddRows(times, versions, columns));      // as often as needed, then next series
//   const WrittenSegment written = TL_TRY(writer.Finish());
//
// Memory: one stripe of values (at most kStripeBytesMax plus the rows of one call), one
// directory entry per stripe and one series-table entry per series. A column costs what it holds.
// Not thread-safe. On-disk layout: docs/file-format.md, "Segment".
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"
#include "storage/codec/entropy_stage.h"
#include "storage/segment/segment_io.h"
#include "storage/segment/segment_types.h"

namespace tideline::segment {

struct SegmentWriterOptions {
  FileUuid file_uuid{};  ///< random, never used for another file
  TableId table_id = 0;
  Tier tier = Tier::kMemory;
  /// kSmall gives blocks an entropy stage where it pays: for the magnetic store, whose segments are
  /// written once and read through a cache. About a third smaller and several times slower to write.
  /// kQuick copies numbers: for segments in memory that a checkpoint writes again.
  codec::Effort effort = codec::Effort::kLight;
  std::int64_t window_start_ns = 0;
  std::int64_t window_length_ns = 0;
  SequenceNumber through_number = 0;
  /// Smaller only in tests.
  std::size_t stripe_rows_max = kStripeRowsMax;
  std::size_t stripe_rows_min = kStripeRowsMin;
  /// Not owned, may be null; must outlive the writer.
  PageSeal* seal = nullptr;
};

inline constexpr std::uint32_t kNoValueKey = UINT32_MAX;

/// One dimension of a series; a dimension the series lacks is left out (NULL).
struct DimensionValue {
  ColumnId column = 0;
  std::string_view value{};
  /// The caller's number for the value, the same for equal values of the column alone. Spares hashing and copying the
  /// value, whose bytes must then stay until Finish. Of a column all values have a key or none has.
  std::uint32_t key = kNoValueKey;
};

struct SeriesDescriptor {
  SeriesId id = 0;
  std::string_view measure_name{};
  std::span<const DimensionValue> dimensions{};
};

/// Values of one column for the rows of one AddRows call. Exactly the span of `type` is used; it
/// has one element per row, and what stands in a NULL row is ignored.
struct ColumnChunk {
  ColumnId column = 0;
  ColumnType type = ColumnType::kBigint;
  std::span<const std::int64_t> int64s{};       ///< kBigint, kTimestamp
  std::span<const double> doubles{};            ///< kDouble
  std::span<const std::uint8_t> booleans{};     ///< kBoolean, 0 or 1
  std::span<const std::string_view> strings{};  ///< kVarchar
  /// ValidityWords(row count) words, bit set = not NULL; empty when no row is NULL.
  std::span<const std::uint64_t> validity{};
};

class SegmentWriter {
 public:
  SegmentWriter(const SegmentWriterOptions& options, ByteSink& sink);
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  /// Begins the next series. Series come in the segment's order and each once; a series without
  /// rows keeps its entry in the series table.
  ///
  /// Errors: kInvalidArgument for a repeated dimension, a name above kNameBytesMax, an id outside its range or a column
  /// of which some values have a key and others none; what ByteSink::Append returned. After any error the file is
  /// unusable.
  Status AddSeries(const SeriesDescriptor& series);

  /// Adds rows to the current series. Times ascend within the series; equal times are allowed (a
  /// row that was replaced and its successor), and the caller decides their order.
  ///
  /// `versions` one per row. `columns` those that have a value here; each column once.
  /// Errors: kInvalidArgument for lengths that differ, times that descend or lie outside the window
  /// (when window_length_ns > 0), a column whose type changed, no series begun.
  Status AddRows(std::span<const std::int64_t> times_ns, std::span<const std::int64_t> versions,
                 std::span<const ColumnChunk> columns);

  /// AddSeries and AddRows for each of `series` in turn, of which the i-th has `row_counts[i]` rows: much quicker where
  /// they are few. Errors as of the two, and kInvalidArgument unless the counts add up to the rows.
  Status AddSeriesWithRows(std::span<const SeriesDescriptor> series, std::span<const std::uint32_t> row_counts,
                           std::span<const std::int64_t> times_ns, std::span<const std::int64_t> versions,
                           std::span<const ColumnChunk> columns);

  /// Writes what is left, series table, footer and trailer. Call once.
  Result<WrittenSegment> Finish();

  std::uint64_t row_count() const;
  /// Stored so far, the stripe in memory left out: lets the caller end a segment by size.
  std::uint64_t bytes_written() const;

 private:
  class Impl;
  /// Runs `step` unless an earlier one failed, whose status is then returned.
  template <typename Step>
  Status Guarded(Step step);

  std::unique_ptr<Impl> impl_;
  Status status_;
};

}  // namespace tideline::segment
