// sql/optimize/share_plans.h: what a plan computes twice in the same way is computed once.
//
// Parts of a plan are alike if they differ in the numbers of their columns alone. A name from WITH that is
// used twice is bound twice; if what its uses ask of it differs (other conditions went down into it) they stay
// two. Shared is only what is costly to make and small enough to keep: what has an aggregate, a window, a
// limit, a join or an unnest in it. Plans with calls that differ each time are not alike.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

/// Parts that are expected to have more rows are computed each time.
inline constexpr double kSharedRowsMax = 2e6;

/// Shared plans are numbered from `*column_count`.
PlanNodePtr SharePlans(const PlanNodePtr& root, std::uint32_t* column_count);

}  // namespace tideline::sql
