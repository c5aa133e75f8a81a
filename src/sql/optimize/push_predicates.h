// sql/optimize/push_predicates.h: moves conditions down, node by node, as far as nodes let them.
#pragma once

#include "sql/optimize/constant_evaluator.h"
#include "sql/plan/plan_node.h"

namespace tideline::sql {

PlanNodePtr PushPredicates(const PlanNodePtr& root, const EvaluateOptions& options);

}  // namespace tideline::sql
