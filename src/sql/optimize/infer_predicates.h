// sql/optimize/infer_predicates.h: what an equality of a join lets say of its other side.
//
// `a JOIN b ON a.time = b.time WHERE a.time > ago(1h)` asks for an hour of b as well. A condition that reads
// one column alone goes over to every column that the join makes equal to it, if the side it goes to gives up
// rows without a partner; so do the instants that a child's scan is cut to.
#pragma once

#include <optional>
#include <vector>

#include "sql/plan/join_node.h"
#include "sql/plan/scan_node.h"

namespace tideline::sql {

/// What holds for child `to` because `conjuncts` hold for the other one; `condition` is the join's, in parts.
std::vector<ExprPtr> InferAcross(const JoinNode& join, const std::vector<ExprPtr>& condition,
                                 const std::vector<ExprPtr>& conjuncts, std::size_t to);

/// The same for what `from`, the other child with its conditions in place, says of time.
Result<std::vector<ExprPtr>> InferTimes(const JoinNode& join, const std::vector<ExprPtr>& condition,
                                        const PlanNode& from, std::size_t to);

/// The first and last instant that `column` of `plan` can be, as far as scans tell; nothing for all of time.
std::optional<TimeRange> TimesOf(const PlanNode& plan, ColumnRef column);

}  // namespace tideline::sql
