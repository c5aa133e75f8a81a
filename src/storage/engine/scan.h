// storage/engine/scan.h: reading a table: one consistent view, and scans of it.
//
//   Snapshot snapshot = TL_TRY(engine.OpenSnapshot("db", "table"));
//   auto scan = TL_TRY(snapshot.Scan({.columns = {kTimeColumn, host, usage}, .times = {{from, to}}}));
//   for (std::size_t i = 0; i < scan->morsel_count(); ++i) {          // in any order, on any threads
//     auto morsel = TL_TRY(scan->OpenMorsel(i));
//     ScanBatch batch;
//     while (TL_TRY(morsel->Next(&batch))) { ... }
//   }
//
// Rows come grouped by series and ascending in time within each run of a batch. Every visible row
// comes once; dead rows and rows past retention never come. A series may come again in another morsel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sequence_number.h"
#include "base/status.h"
#include "base/time.h"
#include "columnar/value.h"
#include "columnar/vector.h"
#include "storage/catalog/schema.h"

namespace tideline::engine {

using catalog::ColumnId;
using catalog::SeriesId;

/// Both ends belong to it.
struct TimeRange {
  std::int64_t first_ns = INT64_MIN;
  std::int64_t last_ns = INT64_MAX;
  bool operator==(const TimeRange&) const = default;
};

/// A condition on one dimension, or on kMeasureNameColumn. Exactly one form is used: `test` if set,
/// else the values.
struct SeriesPredicate {
  ColumnId column{};
  /// Matches series whose value is one of these (any order, repeats allowed) …
  std::vector<std::string> values{};
  /// … or that lack the dimension.
  bool matches_null = false;
  /// Called at most once per distinct value (nullopt: the series lacks the dimension), during Scan or
  /// a Count call, on the calling thread, never with a lock of the engine held.
  std::function<bool(std::optional<std::string_view>)> test{};
};

/// A condition that rows not fulfilling it may be left out by; never exact, the caller filters on.
/// Rows where the column is NULL may be left out too.
struct ZoneHint {
  enum class Op : std::uint8_t { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  ColumnId column{};  ///< a value column
  Op op = Op::kEqual;
  Value constant{};   ///< bigint, double, boolean, timestamp or varchar; other types are ignored
};

struct ScanRequest {
  /// Projection, in order; dimensions, kMeasureNameColumn, kTimeColumn and value columns. May be empty
  /// (batches then carry runs and row counts) and may repeat.
  std::vector<ColumnId> columns{};
  /// Rows whose time lies in one of these; empty list: no bound. Always cut to retention as well.
  std::vector<TimeRange> times{};
  /// All must hold.
  std::vector<SeriesPredicate> series{};
  std::vector<ZoneHint> hints{};
  /// Only rows that have at least one of these value columns; empty: all rows.
  std::vector<ColumnId> any_of{};
  /// When either is set: of the rows described so far, those that are not the newest (the oldest) of
  /// their series may be left out. Those that are come for sure; others still may.
  bool newest_only = false;
  bool oldest_only = false;
  /// When not 0: a time in `columns` may come as any other instant of the same step of this length, counted
  /// from 1970, and as a constant or a dictionary vector. What a RowFilter sees is exact.
  std::int64_t time_step_ns = 0;
  /// Columns that the RowFilter given to OpenMorsel looks at; empty: there is none. With a filter the
  /// ends of series are not known, so that it excludes newest_only and oldest_only.
  std::vector<ColumnId> filter_columns{};
};

/// Says which rows to deliver. Columns that it does not look at are read for those alone, so that what
/// few rows pass costs little more than what it looks at. Used by one thread at a time.
class RowFilter {
 public:
  virtual ~RowFilter() = default;
  /// `batch` has ScanRequest::filter_columns in their order, encoded as in ScanBatch. Appends the rows
  /// that pass to `*passed`, ascending.
  virtual Status Select(const Batch& batch, std::vector<std::uint32_t>* passed) = 0;
};

/// Consecutive rows of one series in a batch.
struct SeriesRun {
  SeriesId series{};
  std::uint32_t first_row = 0;
  std::uint32_t row_count = 0;
};

/// What a reader of a morsel may be told.
struct MorselOptions {
  /// Outlives the reader; given if and only if the request has filter columns (checked).
  RowFilter* filter = nullptr;
  /// Positions in ScanRequest::columns of which summaries will do, ascending. If set, a batch may come whose rows are
  /// whole runs of series, with Batch::summaries, and nothing in these columns. Not owned, outlives the reader.
  const std::vector<std::size_t>* summarized = nullptr;
};

/// At most kBatchRowsMax rows. Vectors in projection order:
/// - a dimension or measure_name: constant, or dictionary whose base is the same shared vector for
///   this column in all batches of the scan (row 0 of the base is NULL, values are distinct);
/// - time: flat timestamp, no nulls (but see ScanRequest::time_step_ns);
/// - a value: flat, or constant NULL where no row has it.
struct ScanBatch {
  Batch batch{};
  std::vector<SeriesRun> runs{};
  std::size_t row_count() const { return batch.row_count; }
};

/// Figures of one scan, summed over morsels finished or under way.
struct ScanStatistics {
  std::uint64_t bytes_scanned = 0;  ///< encoded bytes of blocks, 8 per value of rows in buffers
  std::uint64_t rows = 0;           ///< delivered, or shown to a RowFilter
  std::uint64_t series_matched = 0;
  std::uint64_t segment_count = 0;
  std::uint64_t segments_pruned = 0;
  std::uint64_t stripe_count = 0;   ///< of segments not pruned
  std::uint64_t stripes_pruned = 0;
};

/// Delivers the rows of one morsel. Used by one thread at a time; must not outlive its scan.
class MorselReader {
 public:
  virtual ~MorselReader() = default;
  /// False at the end. Fills `batch` anew (never with zero rows when true).
  virtual Result<bool> Next(ScanBatch* batch) = 0;
};

/// A planned scan. Thread-safe; keeps its snapshot alive.
class TableScan {
 public:
  virtual ~TableScan() = default;
  virtual std::size_t morsel_count() const = 0;
  /// About how many rows of morsel `index` are asked for, hints and filter aside.
  virtual std::uint64_t MorselRows(std::size_t index) const = 0;
  virtual Result<std::unique_ptr<MorselReader>> OpenMorsel(std::size_t index, const MorselOptions& options = {}) = 0;
  /// The dictionary of a projected dimension or kMeasureNameColumn: the base of its vectors.
  virtual std::shared_ptr<const Vector> Dictionary(ColumnId column) const = 0;
  virtual ScanStatistics statistics() const = 0;
};

/// What the optimizer may know before reading. Rows count versions not yet merged away and rows not
/// yet expired: an upper bound.
struct TableEstimate {
  std::uint64_t rows = 0;
  std::uint64_t series = 0;  ///< exact
  std::int64_t time_ns_min = INT64_MAX;  ///< bound, not exact after deletes; INT64_MAX: no rows
  std::int64_t time_ns_max = INT64_MIN;
};

class SnapshotState;

/// One consistent view of one table: rows published when it was opened, and no others, for as long as it
/// lives. Cheap to open and to copy. Thread-safe. Must not outlive the engine.
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const SnapshotState> state) : state_(std::move(state)) {}

  const catalog::TableSchema& schema() const;
  catalog::TableSchemaPtr schema_ptr() const;
  SequenceNumber number() const;
  /// Rows before this are past retention: never delivered. Fixed when the snapshot was opened.
  std::int64_t retention_edge_ns() const;

  /// Plans a scan. kInvalidArgument: a column that the table lacks, a predicate on a value column.
  Result<std::unique_ptr<TableScan>> Scan(const ScanRequest& request) const;

  /// Series of which at least one row was ever written and that match. Exact, from the index.
  Result<std::uint64_t> CountSeries(std::span<const SeriesPredicate> predicates) const;
  /// Rows and series a request would touch, from metadata only.
  Result<TableEstimate> Estimate(const ScanRequest& request) const;
  /// The whole table, from metadata only.
  TableEstimate Totals() const;
  /// Distinct values of a dimension or kMeasureNameColumn ever written, NULL not counted.
  Result<std::uint64_t> DistinctValues(ColumnId column) const;

 private:
  std::shared_ptr<const SnapshotState> state_;
};

}  // namespace tideline::engine
