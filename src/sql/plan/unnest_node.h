// sql/plan/unnest_node.h: each row of its child once per element of some nested values in it.
//
// Several values are walked side by side; the shorter ones are null past their end. A row whose values
// are all null or empty is left out, or kept once with nulls if `keeps_empty`.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

class UnnestNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kUnnest;

  struct Item {
    ExprPtr expr;  ///< over the child's outputs: an array, a map or a time series
    /// Of an array of rows a column per field, of any other array one; of a map key and value; of a
    /// time series time and value.
    std::vector<OutputColumn> outputs;
  };

  /// Outputs: the child's, then those of each item, then `ordinality` (bigint from 1 for each row).
  UnnestNode(PlanNodePtr child, std::vector<Item> items, std::optional<OutputColumn> ordinality, bool keeps_empty);

  const std::vector<Item>& items() const { return items_; }
  const std::optional<OutputColumn>& ordinality() const { return ordinality_; }
  bool keeps_empty() const { return keeps_empty_; }

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  /// Predicates over the child's columns.
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  double EstimateRows() const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  std::vector<Item> items_;
  std::optional<OutputColumn> ordinality_;
  bool keeps_empty_;
};

}  // namespace tideline::sql
