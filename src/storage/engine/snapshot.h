// storage/engine/snapshot.h: what a Snapshot holds, and how its predicates become sets of series.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "storage/engine/scan.h"
#include "storage/engine/series_set.h"
#include "storage/engine/table.h"

namespace tideline::engine {

/// Immutable. Registers its number with the table as long as it lives.
class SnapshotState {
 public:
  SnapshotState(std::shared_ptr<Table> of_table, catalog::TableSchemaPtr with_schema,
                Table::View view, std::int64_t edge_ns)
      : table(std::move(of_table)),
        schema(std::move(with_schema)),
        sources(std::move(view.sources)),
        number(view.number),
        retention_edge_ns(edge_ns) {}
  ~SnapshotState() { table->snapshots().Remove(number); }
  SnapshotState(const SnapshotState&) = delete;
  SnapshotState& operator=(const SnapshotState&) = delete;

  const std::shared_ptr<Table> table;
  const catalog::TableSchemaPtr schema;
  const std::shared_ptr<const SourceList> sources;
  const std::uint64_t number;
  const std::int64_t retention_edge_ns;
};

/// Position of a dimension in the schema, which is its slot in the index.
Result<std::uint32_t> SlotOf(const catalog::TableSchema& schema, ColumnId column);

/// Series that fulfil all predicates. kInvalidArgument for a column that is no dimension.
Result<Bitmap> SelectSeries(const SnapshotState& snapshot,
                            std::span<const SeriesPredicate> predicates);

/// Ascending, disjoint, cut to retention; empty when nothing is left.
std::vector<TimeRange> EffectiveTimes(const SnapshotState& snapshot,
                                      std::span<const TimeRange> times);

/// Plans a scan (table_scan.cc).
Result<std::unique_ptr<TableScan>> PlanScan(std::shared_ptr<const SnapshotState> snapshot,
                                            const ScanRequest& request);

}  // namespace tideline::engine
