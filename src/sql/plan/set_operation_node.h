// sql/plan/set_operation_node.h: the rows of all children, one after the other, duplicates kept.
//
// This is UNION ALL. The other set operations are built from it: UNION is an aggregate without
// calls above it; INTERSECT and EXCEPT count, per distinct row, how often each side has it.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

class SetOperationNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kSetOperation;

  /// `inputs[i][k]`: the column of child i that feeds output k; same type as the output.
  SetOperationNode(std::vector<PlanNodePtr> children, std::vector<OutputColumn> outputs,
                   std::vector<std::vector<ColumnRef>> inputs);

  const std::vector<std::vector<ColumnRef>>& inputs() const { return inputs_; }

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  double EstimateRows() const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  std::vector<std::vector<ColumnRef>> inputs_;
};

}  // namespace tideline::sql
