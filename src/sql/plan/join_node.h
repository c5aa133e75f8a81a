// sql/plan/join_node.h: pairs of rows of two children, and what sub-queries in expressions become.
//
// A pair passes when the condition is true of it. Delivered are
//
//   inner   the pairs that pass
//   left    those, and each left row without one, with nulls for the right side; right and full
//           likewise
//   single  as left, but a left row with more than one partner fails the query: a sub-query as a value
//   mark    each left row once, with one more column, a boolean made of `test` over the row's passing
//           pairs: true if it is true of one, else null if it is null of one, else false. This is IN,
//           EXISTS and comparison with ANY; ALL is its negation.
//
// Equalities between one expression over the left child and one over the right are keys: pairs are
// found by hashing. What is left of the condition is tried on each pair with equal keys, in order.
// An equality that may fail is a key only if no residual part stands before it.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

enum class JoinKind : std::uint8_t { kInner, kLeft, kRight, kFull, kSingle, kMark };

/// "Inner", "Left", …; static storage.
std::string_view JoinKindName(JoinKind kind);

class JoinNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kJoin;

  struct Key {
    ExprPtr left;   ///< over the left child's outputs
    ExprPtr right;  ///< over the right child's, of the same physical type, not nested
  };
  struct Spec {
    JoinKind kind = JoinKind::kInner;
    ExprPtr condition;  ///< over both children's outputs; null pointer: every pair passes
    ExprPtr test;       ///< kMark, over both children's outputs
    OutputColumn mark;  ///< kMark
    /// The right child reads columns of the left one: each left row has its own right rows. Only between
    /// binding and decorrelation (optimize/decorrelate.h); of kind inner, left, single or mark.
    bool dependent = false;
    /// kSingle: the sub-query reads nothing of the outer query. More than one row of it fail, whatever the left child
    /// has; else only where a left row has more than one.
    bool at_most_one = false;
  };

  /// Outputs: the left child's, then the right child's; of a mark join the left child's and the mark.
  JoinNode(PlanNodePtr left, PlanNodePtr right, Spec spec);

  const Spec& spec() const { return spec_; }
  const std::vector<Key>& keys() const { return keys_; }
  /// What keys do not say; null pointer when they say it all.
  const ExprPtr& residual() const { return residual_; }
  /// `test` as a key, if it is one equality and there is no condition: IN over a plain sub-query.
  const std::optional<Key>& test_key() const { return test_key_; }
  bool preserves_left() const;
  bool preserves_right() const { return spec_.kind == JoinKind::kRight || spec_.kind == JoinKind::kFull; }

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  /// To the side that alone it reads, if rows of that side are not kept without a partner; to the
  /// other side it is TRUE.
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  double EstimateRows() const override;
  void AddIdentity(NodeIdentity* identity) const override;

  /// Whether part `conjunct` of the condition may be a filter of child `index` instead.
  bool ConditionPasses(const Expr& conjunct, std::size_t index) const;
  /// The same join over `children` with another condition.
  PlanNodePtr WithCondition(ExprPtr condition, std::vector<PlanNodePtr> children) const;

 private:
  JoinNode(PlanNodePtr left, PlanNodePtr right, Spec spec, std::vector<OutputColumn> outputs);
  void SplitCondition();
  std::optional<Key> AsKey(const Expr& conjunct) const;

  Spec spec_;
  std::vector<Key> keys_;
  ExprPtr residual_;
  std::optional<Key> test_key_;
};

}  // namespace tideline::sql
