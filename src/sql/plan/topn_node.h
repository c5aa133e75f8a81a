// sql/plan/topn_node.h: the first rows of its child in an order: ORDER BY with LIMIT, without
// sorting the rest.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

class TopNNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kTopN;

  /// Skips `offset` rows in the order of `keys`, then delivers `count` in that order; with
  /// `with_ties` also every further row that equals the last one in all keys.
  TopNNode(PlanNodePtr child, std::vector<SortKey> keys, std::int64_t count, std::int64_t offset,
           bool with_ties);

  const std::vector<SortKey>& keys() const { return keys_; }
  std::int64_t count() const { return count_; }
  std::int64_t offset() const { return offset_; }
  bool with_ties() const { return with_ties_; }

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
  std::int64_t count_;
  std::int64_t offset_;
  bool with_ties_;
};

}  // namespace tideline::sql
