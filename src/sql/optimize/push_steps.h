// sql/optimize/push_steps.h: grouping that looks at times only through the bins they fall into.
//
// GROUP BY bin(time, 1h) asks of a time no more than its hour. The scan is told the step, and storage then
// says once for many rows what it would else have to decode and round for each.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

PlanNodePtr PushSteps(const PlanNodePtr& root);

}  // namespace tideline::sql
