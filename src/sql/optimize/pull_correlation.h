// sql/optimize/pull_correlation.h: takes conditions on outer columns out of a sub-query's plan.
//
// They are pulled up through projections, joins and aggregates until they stand beside the plan, where they
// become the condition of the join that the sub-query is. An aggregate they pass must meet them as
// `inner = outer`: the inner side becomes one more group key. An aggregate without keys has a row even over
// no rows, which the join cannot find: `defaults` says what its columns are then.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "sql/optimize/decorrelate.h"
#include "sql/plan/aggregate_node.h"

namespace tideline::sql {

struct PulledPlan {
  PlanNodePtr plan;                ///< reads nothing of outside; its first outputs are the original's
  std::vector<ExprPtr> condition;  ///< over outer columns and the plan's outputs
  /// Columns of an aggregate without keys, and what each is for an outer row without partner. If there are
  /// any, there is at most one row of the plan for each outer row.
  std::vector<std::pair<ColumnRef, ExprPtr>> defaults;
};

/// Nothing if the plan has another shape than those above. `outer`: every column that it reads of outside.
std::optional<PulledPlan> PullCorrelation(const PlanNodePtr& plan, const std::vector<ColumnRef>& outer,
                                          const DecorrelateOptions& options, std::uint32_t* column_count);

/// What `call` answers over no rows at all; nothing if that cannot be known yet.
std::optional<ExprPtr> ValueOfNoRows(const AggregateCall& call, const DecorrelateOptions& options);

}  // namespace tideline::sql
