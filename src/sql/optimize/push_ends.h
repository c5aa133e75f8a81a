// sql/optimize/push_ends.h: aggregates that need no more of a series than its newest or oldest row.
//
// max(time) and max_by(x, time), grouped by anything that is the same for all rows of a series, are the
// same over the newest row of each series as over all of them; min and the oldest likewise. SELECT
// DISTINCT of dimensions needs any one row. The scan is told so, and storage knows where these rows are.
//
// So is the scan of rows that are joined with such an aggregation of their own table by its keys and
// time = max(time): the row that a join finds is the newest of its series.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

PlanNodePtr PushEnds(const PlanNodePtr& root);

}  // namespace tideline::sql
