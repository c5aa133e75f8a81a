// sql/optimize/push_limits.h: makes ORDER BY with LIMIT a top-n and tells scans how little will do.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

/// Past so many rows a sort, which can spill, is kept below its limit.
inline constexpr std::int64_t kTopNRowsMax = 100'000;

PlanNodePtr PushLimits(const PlanNodePtr& root);

}  // namespace tideline::sql
