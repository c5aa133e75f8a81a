// sql/plan/sort_node.h: the rows of its child in order. Not stable.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

class SortNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kSort;

  /// `keys` are columns of the child, most significant first, at least one. The order within a type
  /// is that of GROUP BY equality: NaN above all numbers, -0.0 equal to 0.0, text by bytes.
  SortNode(PlanNodePtr child, std::vector<SortKey> keys);

  const std::vector<SortKey>& keys() const { return keys_; }

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  std::vector<SortKey> Order() const override { return keys_; }
  double EstimateRows() const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  std::vector<SortKey> keys_;
};

}  // namespace tideline::sql
