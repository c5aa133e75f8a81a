// sql/plan/window_node.h: the rows of its child with more columns, computed over rows near each row.
//
// Rows are cut into partitions of equal `partition` values and put in order within each; a call sees
// its row's frame, or the whole partition. Equality and order are those of GROUP BY and ORDER BY.
// Frames count rows, groups of peers (rows equal in all order keys), or, for kRange with an offset,
// go by the value of the one order key.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

enum class FrameUnit : std::uint8_t { kRows, kRange, kGroups };
enum class BoundKind : std::uint8_t { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };

struct FrameBound {
  BoundKind kind = BoundKind::kCurrentRow;
  /// kPreceding and kFollowing, over the child's outputs, for each row: how far. For kRows and kGroups
  /// a bigint. Null or negative fails the query.
  ExprPtr offset;
  /// The same for kRange: the order key's value at that distance, of the key's type.
  ExprPtr reach;
};

struct WindowFrame {
  FrameUnit unit = FrameUnit::kRange;
  FrameBound start{BoundKind::kUnboundedPreceding, nullptr, nullptr};
  FrameBound end;
};

/// One call with OVER; exactly one of `window` and `aggregate` is set.
struct WindowCall {
  OutputColumn output;
  const functions::WindowFunction* window = nullptr;
  const functions::AggregateFunction* aggregate = nullptr;
  std::size_t overload = 0;
  std::vector<ExprPtr> arguments;  ///< over the child's outputs, of the overload's types
  std::vector<ExprPtr> lambdas;    ///< of an aggregate, as in AggregateCall
  ExprPtr filter;                  ///< of an aggregate; may be null
  bool ignore_nulls = false;
  WindowFrame frame;
};

/// Calls `f` with each expression of `call`.
template <typename Call, typename F>
void ForEachWindowExpr(Call& call, const F& f) {
  for (auto& argument : call.arguments) f(argument);
  for (auto* expr : {&call.filter, &call.frame.start.offset, &call.frame.start.reach, &call.frame.end.offset,
                     &call.frame.end.reach}) {
    if (*expr != nullptr) f(*expr);
  }
}

class WindowNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kWindow;

  /// Columns of the child that say what is one partition, and its order. All calls share them.
  struct Spec {
    std::vector<ColumnRef> partition;
    std::vector<SortKey> order;
  };

  /// Outputs: the child's, then the calls'.
  WindowNode(PlanNodePtr child, Spec spec, std::vector<WindowCall> calls);

  const Spec& spec() const { return spec_; }
  const std::vector<WindowCall>& calls() const { return calls_; }

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  /// Predicates over partition columns alone: they drop whole partitions.
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  double EstimateRows() const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  Spec spec_;
  std::vector<WindowCall> calls_;
};

}  // namespace tideline::sql
