// sql/optimize/optimizer.h: the same answer from less work.
//
// Rules run in this order, each in a file of its own:
//   fold_constants     what can be computed now is
//   push_predicates    conditions go down to where their columns come from, into scans as time
//                      ranges, series predicates and residuals (scan_predicates.h)
//   push_limits        ORDER BY with LIMIT becomes top-n; LIMIT goes down
//   prune_columns      nothing is delivered that nobody reads; projections that do nothing go
//
// Rules keep answers. A query that fails may fail differently or not at all, for rows that are no
// longer looked at; a query that does not fail before a rule does not fail after it.
#pragma once

#include "base/time.h"
#include "sql/plan/plan_node.h"

namespace tideline::sql {

struct OptimizeOptions {
  /// False: the plan as bound, filters above scans. Answers are the same; tests compare.
  bool enabled = true;
  /// now() of this execution, as in BindOptions: time ranges are made with it.
  TimestampNs now;
  bool compat_profile = false;
};

/// Never fails: what cannot be made better stays. Thread-safe.
PlanNodePtr Optimize(PlanNodePtr root, const OptimizeOptions& options);

}  // namespace tideline::sql
