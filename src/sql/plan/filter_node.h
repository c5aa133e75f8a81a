// sql/plan/filter_node.h: the rows of its child for which a predicate is true (not false, not null).
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

class FilterNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kFilter;

  /// `predicate` is boolean. When it is a kAnd, its parts must be tried in order and each only on
  /// rows that passed those before it: a part may fail on rows that an earlier one keeps out.
  FilterNode(PlanNodePtr child, ExprPtr predicate);

  const ExprPtr& predicate() const { return predicate_; }

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  std::vector<SortKey> Order() const override;
  double EstimateRows() const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  ExprPtr predicate_;
};

}  // namespace tideline::sql
