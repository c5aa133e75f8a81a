// sql/optimize/optimizer.h: the same answer from less work.
//
// Rules run in this order, each in a file of its own:
//   decorrelate        sub-queries that read outer columns become joins; always. Conditions go down before
//                      as far as they can, so that sub-queries are computed for few rows
//   fold_constants     what can be computed now is
//   push_predicates    conditions go down to where their columns come from, into scans as time
//                      ranges, series predicates and residuals (scan_predicates.h), and what a join's
//                      equality says of one side to the other (infer_predicates.h)
//   order_joins        inner joins, smallest results first
//   share_plans        what several places compute alike is computed once
//   prune_columns      nothing is delivered that nobody reads; projections that do nothing go
//   push_limits        ORDER BY with LIMIT becomes top-n; LIMIT goes down
//
// Rules keep answers. A query that fails may fail differently or not at all, for rows that are no
// longer looked at; a query that does not fail before a rule does not fail after it.
#pragma once

#include "base/status.h"
#include "base/time.h"
#include "sql/plan/plan_node.h"
#include "sql/plan/statistics.h"

namespace tideline::sql {

struct OptimizeOptions {
  /// False: the plan as bound but for decorrelation, filters above scans. Answers are the same; tests
  /// compare.
  bool enabled = true;
  /// now() of this execution, as in BindOptions: time ranges are made with it.
  TimestampNs now;
  bool compat_profile = false;
  /// What is known of the tables; null pointer for nothing.
  const PlanStatistics* statistics = nullptr;
};

/// What cannot be made better stays. New columns are numbered from `*column_count`. Errors: those of
/// Decorrelate, and kResourceExhausted for a plan deeper than kOptimizedDepthMax. Thread-safe.
Result<PlanNodePtr> Optimize(PlanNodePtr root, const OptimizeOptions& options, std::uint32_t* column_count);

/// Most nodes on one way down an optimized plan.
inline constexpr std::uint32_t kOptimizedDepthMax = 1'000;

}  // namespace tideline::sql
