// sql/plan/project_node.h: new columns computed row by row; rows and their order stay.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

class ProjectNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kProject;

  struct Item {
    OutputColumn output;  ///< a plain column may keep the ColumnRef it has below
    ExprPtr expr;         ///< over the child's outputs, of the output's type
  };

  ProjectNode(PlanNodePtr child, std::vector<Item> items);

  const std::vector<Item>& items() const { return items_; }
  /// `expr` (over the outputs) in terms of the child's columns.
  ExprPtr Inline(const ExprPtr& expr) const;

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  std::vector<SortKey> Order() const override;
  double EstimateRows() const override;
  std::optional<double> EstimatedDistinct(ColumnRef column) const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  std::vector<Item> items_;
};

}  // namespace tideline::sql
