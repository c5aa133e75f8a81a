// sql/plan/limit_node.h: skips `offset` rows of its child, then delivers at most `count`.
//
// Over a child that promises an order the first rows in that order, else any rows.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

class LimitNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kLimit;

  /// `count` nothing: all that are left. Both are not negative.
  LimitNode(PlanNodePtr child, std::optional<std::int64_t> count, std::int64_t offset);

  std::optional<std::int64_t> count() const { return count_; }
  std::int64_t offset() const { return offset_; }

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
  std::optional<std::int64_t> count_;
  std::int64_t offset_;
};

}  // namespace tideline::sql
