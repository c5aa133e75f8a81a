// sql/optimize/order_joins.h: the order in which inner joins are made.
//
// A tree of inner joins whose conditions cannot fail is taken apart into relations and conditions and put
// together again greedily: of all pairs the one with the smallest result first, pairs without a condition
// between them last. Source: Fegaras, "A New Heuristic for Optimizing Large Queries", DEXA 1998 (GOO).
#pragma once

#include "sql/plan/plan_node.h"
#include "sql/plan/statistics.h"

namespace tideline::sql {

/// Trees of more relations stay as written: trying pairs takes the cube of their number.
inline constexpr std::size_t kOrderedRelationsMax = 24;

PlanNodePtr OrderJoins(const PlanNodePtr& root);

/// Scans of a plan with joins, with the number of rows that `statistics` expects.
PlanNodePtr EstimateScans(const PlanNodePtr& root, const PlanStatistics& statistics);

}  // namespace tideline::sql
