// exec/operators/aggregate.h: GROUP BY, aggregate functions and SELECT DISTINCT.
//
// Each worker aggregates into a table of its own; when it ends, its groups are merged into one. What
// makes it fast on time series: rows come grouped by series and ordered by time, so rows with equal
// keys lie side by side. A batch is first cut into runs of equal keys by comparing neighbours (codes
// and numbers, never text); one lookup per run finds the group, and each aggregate takes the run in
// one call. When runs are short, every row gets its group and the aggregates scatter.
//
// DISTINCT and ORDER BY inside a call cannot be merged as states: their rows are kept (each distinct
// row once) and reach the function when all workers are done.
#pragma once

#include <memory>

#include "exec/operators/operator.h"
#include "exec/operators/operator_context.h"
#include "exec/scan/scan_source.h"
#include "sql/plan/aggregate_node.h"

namespace tideline::exec {

/// Rows of one pipeline in, one row per group out: the sink of one pipeline, then a source.
class AggregateBreaker : public Sink, public Source {
 public:
  /// Arguments and keys of `node` read columns at `columns`. `own` outlives the breaker; memory for
  /// groups, kept rows and states is charged to it.
  static Result<std::shared_ptr<AggregateBreaker>> Make(const sql::AggregateNode& node,
                                                        ColumnPositions columns,
                                                        OperatorContext* own);
  /// What a scan right below may deliver instead of rows; null: nothing else.
  virtual std::shared_ptr<const SummaryOffer> Offer() const = 0;
};

}  // namespace tideline::exec
