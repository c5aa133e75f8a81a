// sql/plan/aggregate_node.h: one row per distinct combination of keys, with aggregates over its rows.
//
// Without keys there is exactly one group, even over no rows. Keys compare as GROUP BY does: nulls
// are equal, NaN equals NaN, -0.0 equals 0.0. Without calls this is SELECT DISTINCT.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

/// One ORDER BY element inside an aggregate call: array_agg(x ORDER BY y DESC).
struct AggregateOrder {
  ExprPtr expr;  ///< over the child's outputs
  bool descending = false;
  bool nulls_first = false;
};

/// One aggregate function over the rows of each group.
struct AggregateCall {
  OutputColumn output;
  const functions::AggregateFunction* function = nullptr;
  std::size_t overload = 0;        ///< index into function->overloads
  std::vector<ExprPtr> arguments;  ///< over the child's outputs, of the overload's types; count(*) has none
  std::vector<ExprPtr> lambdas;    ///< kLambda arguments, in order; they read their parameters only
  bool distinct = false;           ///< each distinct combination of arguments once
  ExprPtr filter;                  ///< rows for which this is not true are left out; may be null
  std::vector<AggregateOrder> order_by;  ///< rows reach the function in this order; usually empty
};

class AggregateNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kAggregate;

  struct Key {
    OutputColumn output;  ///< a plain column keeps the ColumnRef it has below
    ExprPtr expr;         ///< over the child's outputs; often bin(time, 1h)
  };

  /// Outputs: the keys, then the calls.
  AggregateNode(PlanNodePtr child, std::vector<Key> keys, std::vector<AggregateCall> calls);

  const std::vector<Key>& keys() const { return keys_; }
  const std::vector<AggregateCall>& calls() const { return calls_; }

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  /// Drops unused calls; keys stay, since they decide the rows.
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  /// Predicates over keys alone, if there are keys.
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  double EstimateRows() const override;
  std::optional<double> EstimatedDistinct(ColumnRef column) const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  std::vector<Key> keys_;
  std::vector<AggregateCall> calls_;
};

}  // namespace tideline::sql
