// sql/bind/grouping_sets.h: GROUPING SETS, ROLLUP and CUBE: the same rows grouped in several ways.
//
// Each way is an aggregate of its own over the same child; their rows come together by UNION ALL, with
// nulls for the keys that a way leaves out. The child is read once per way.
#pragma once

#include <vector>

#include "sql/bind/bind_context.h"
#include "sql/plan/aggregate_node.h"

namespace tideline::sql {

/// Most ways of one SELECT.
inline constexpr std::size_t kGroupingSetsMax = 64;
/// Most nodes that the ways together may have: sub-queries with several ways inside others multiply.
inline constexpr std::size_t kGroupedPlanNodesMax = 20'000;

/// Most arguments of grouping(), as many as a bigint has bits to spare.
inline constexpr std::size_t kGroupingArgumentsMax = 62;

/// Places in the list of all keys, ascending, each once.
using GroupingSet = std::vector<std::size_t>;

/// grouping(a, b): a bit per argument, the first one highest, set where it is not grouped by.
struct GroupingCall {
  std::vector<ExprPtr> arguments;
  OutputColumn output;
  Position position;
};

/// `keys` are those of all sets; `element_keys[e][s]` the keys of set s of element e, as written. The
/// sets of the elements are combined, each with each. kResourceExhausted past kGroupingSetsMax.
Result<std::vector<GroupingSet>> CombineGroupingSets(const ast::GroupBy& group_by,
                                                     const std::vector<std::vector<GroupingSet>>& element_keys);

/// Delivers the outputs of `keys` (which must be new columns), of `calls` and of `groupings`.
Result<PlanNodePtr> AggregateSets(const PlanNodePtr& child, const std::vector<AggregateNode::Key>& keys,
                                  const std::vector<AggregateCall>& calls, const std::vector<GroupingSet>& sets,
                                  const std::vector<GroupingCall>& groupings, BindContext* context);

}  // namespace tideline::sql
