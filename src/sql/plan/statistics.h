// sql/plan/statistics.h: what the optimizer may ask about stored rows. Guides plans, never answers.
#pragma once

#include <optional>

#include "sql/plan/scan_node.h"

namespace tideline::sql {

class PlanStatistics {
 public:
  virtual ~PlanStatistics() = default;
  /// Rows that match the scan's time ranges and lists of series values, its other conditions aside;
  /// nothing when that is not cheaply known.
  virtual std::optional<double> Rows(const ScanNode& scan) const = 0;
  /// Distinct values of a column that is a function of the series.
  virtual std::optional<double> DistinctValues(const catalog::TableSchema& table, catalog::ColumnId column) const = 0;
};

}  // namespace tideline::sql
