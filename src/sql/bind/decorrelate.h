// sql/bind/decorrelate.h: takes what a sub-query reads of the query around it out of its plan.
//
// Conditions that read outer columns are pulled up through projections, inner joins and aggregates
// until they stand beside the plan, where they become the condition of the join that the sub-query
// is. An aggregate they pass must meet them as `inner = outer`: the inner side becomes one more group
// key (Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015, is the general method; this is the
// part of it that needs no domain of outer values). An aggregate without keys has a row even over no
// rows, which the join cannot find: `defaults` says what its columns are then.
#pragma once

#include <utility>
#include <vector>

#include "sql/bind/bind_context.h"
#include "sql/plan/plan_node.h"

namespace tideline::sql {

struct Decorrelated {
  PlanNodePtr plan;  ///< reads nothing of outside; its first outputs are those of the original
  std::vector<ExprPtr> condition;  ///< over outer columns and the plan's outputs
  /// Columns of an aggregate without keys, and what each is for an outer row without partner.
  std::vector<std::pair<ColumnRef, ExprPtr>> defaults;
};

/// Columns that `plan` reads and no node in it makes.
std::vector<ColumnRef> FreeColumns(const PlanNode& plan);

/// kUnimplemented with `at` if the plan's shape is not one of those above.
Result<Decorrelated> Decorrelate(const PlanNodePtr& plan, const ast::SourcePosition& at, BindContext* context);

}  // namespace tideline::sql
