// sql/optimize/prune_columns.h: leaves out columns that nobody reads and projections that do nothing.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

/// The root keeps its outputs, in order.
PlanNodePtr PruneColumns(const PlanNodePtr& root);

/// Without projections that deliver their child's columns as they are, and with pairs of
/// projections, one of which only picks columns, made one. The root keeps its outputs.
PlanNodePtr MergeProjects(const PlanNodePtr& root);

}  // namespace tideline::sql
