// sql/optimize/fold_constants.h: computes at plan time what no row can change.
//
// Calls that are stable (now()) stay calls, so that a kept plan means its own time at each run. What
// fails to compute stays as it is and fails when a row gets there: IF(x, 1/0, 1) may never.
#pragma once

#include "sql/optimize/constant_evaluator.h"
#include "sql/plan/plan_node.h"

namespace tideline::sql {

ExprPtr FoldExpr(const ExprPtr& expr, const EvaluateOptions& options);

/// Folds every expression of the plan; drops filters that are true and the input of those that
/// never are.
PlanNodePtr FoldConstants(const PlanNodePtr& node, const EvaluateOptions& options);

}  // namespace tideline::sql
