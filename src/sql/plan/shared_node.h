// sql/plan/shared_node.h: the rows of a plan that is computed once and read in several places.
//
// The plan hangs beside the tree, not in it: rules that walk down children meet a leaf here, so that
// nothing that one reader wants (a predicate, a limit) reaches rows that another one needs, and walks do not
// go through the same plan many times. SharedPlans of a query form no cycle.
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

struct SharedPlan {
  std::uint32_t id = 0;  ///< unique in the query
  PlanNodePtr root;      ///< reads nothing of outside
};
using SharedPlanPtr = std::shared_ptr<const SharedPlan>;

class SharedNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kShared;

  /// `outputs[k]` is column `inputs[k]` of the plan's root, of the same type.
  SharedNode(SharedPlanPtr plan, std::vector<OutputColumn> outputs, std::vector<ColumnRef> inputs);

  const SharedPlan& plan() const { return *plan_; }
  const SharedPlanPtr& plan_ptr() const { return plan_; }
  const std::vector<ColumnRef>& inputs() const { return inputs_; }
  /// The same columns of another form of the plan.
  PlanNodePtr WithPlan(SharedPlanPtr plan) const;

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  double EstimateRows() const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  SharedPlanPtr plan_;
  std::vector<ColumnRef> inputs_;
};

/// Every shared plan that `root` reads, those that it reads through others before them.
std::vector<SharedPlanPtr> SharedPlansOf(const PlanNode& root);

/// `root` with `rewrite` applied to the root of each shared plan, once, and then to `root` itself. Inner
/// ones come first; `rewrite` sees SharedNodes that read plans already rewritten.
PlanNodePtr RewriteShared(const PlanNodePtr& root, const std::function<PlanNodePtr(const PlanNodePtr&)>& rewrite);

}  // namespace tideline::sql
