// sql/optimize/push_domain.h: a sub-query computed for all outer values at once.
//
// Every row of the result belongs to one row of the domain, which stands beside it as further columns. What
// reads outer columns reads those instead.
#pragma once

#include <functional>
#include <vector>

#include "sql/optimize/decorrelate.h"
#include "sql/plan/free_columns.h"
#include "sql/plan/shared_node.h"

namespace tideline::sql {

/// The outer values that a sub-query is computed for.
struct Domain {
  SharedPlanPtr plan;                 ///< one row each, distinct
  std::vector<OutputColumn> columns;  ///< of the plan's root
  std::vector<ColumnRef> outer;       ///< the outer column that each stands for
  /// The first column is a number that alone says which row it is; else all columns together do, and are of
  /// types whose equality is identity.
  bool numbered = false;
};

struct PushedPlan {
  PlanNodePtr plan;                ///< delivers the original's outputs and `refs`
  std::vector<OutputColumn> refs;  ///< domain.columns of the row that each row belongs to
};

class DomainPusher {
 public:
  /// `run` takes the dependent joins out of a plan that reads nothing of outside.
  DomainPusher(const Domain& domain, const DecorrelateOptions& options, std::uint32_t* column_count,
               std::function<Result<PlanNodePtr>(const PlanNodePtr&)> run);

  /// `node` must read no outer columns but those of the domain.
  Result<PushedPlan> Push(const PlanNodePtr& node);

  /// "a and b are of the same row of the domain", in parts. Never null.
  Result<std::vector<ExprPtr>> SameRow(const std::vector<OutputColumn>& a, const std::vector<OutputColumn>& b) const;

 private:
  Result<PushedPlan> PushAggregate(const class AggregateNode& node);
  Result<PushedPlan> PushGlobalAggregate(const class AggregateNode& node);
  Result<PushedPlan> PushLimit(const PlanNodePtr& node);
  Result<PushedPlan> PushWindow(const class WindowNode& node);
  Result<PushedPlan> PushJoin(const class JoinNode& node);
  Result<PushedPlan> PushBothSides(const class JoinNode& node, bool push_right);
  Result<PushedPlan> PushFullJoin(const class JoinNode& node);
  Result<PushedPlan> PushDependentJoin(const class JoinNode& node);
  Result<PushedPlan> PushUnion(const class SetOperationNode& node);
  Result<PushedPlan> PushValues(const class ValuesNode& node);

  /// The domain's rows under new columns.
  PushedPlan Use();
  /// `node`'s rows with every row of the domain.
  Result<PushedPlan> Cross(const PlanNodePtr& node);
  ColumnRef NewColumn() { return {(*column_count_)++}; }
  bool ReadsOuter(const PlanNodePtr& node);
  /// `expr` with the columns of `refs` for the outer ones.
  ExprPtr Over(const ExprPtr& expr, const std::vector<OutputColumn>& refs) const;
  PlanNodePtr PlanOver(const PlanNodePtr& plan, const std::vector<OutputColumn>& refs);
  /// Those of `refs` that say which row it is.
  std::vector<OutputColumn> KeysOf(const std::vector<OutputColumn>& refs) const;

  const Domain& domain_;
  const DecorrelateOptions& options_;
  std::uint32_t* const column_count_;
  const std::function<Result<PlanNodePtr>(const PlanNodePtr&)> run_;
  FreeColumns free_;
  ColumnSet outer_;
};

}  // namespace tideline::sql
