#include "sql/plan/shared_node.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace tideline::sql {

namespace {

void CollectShared(const PlanNode& node, std::set<const SharedPlan*>* seen, std::vector<SharedPlanPtr>* out) {
  for (const PlanNodePtr& child : node.children()) CollectShared(*child, seen, out);
  if (node.kind() != PlanKind::kShared) return;
  const SharedPlanPtr& plan = As<SharedNode>(node).plan_ptr();
  if (!seen->insert(plan.get()).second) return;
  CollectShared(*plan->root, seen, out);
  out->push_back(plan);
}

using Replacements = std::map<const SharedPlan*, SharedPlanPtr>;

PlanNodePtr Replace(const PlanNodePtr& node, const Replacements& replacements) {
  if (node->kind() == PlanKind::kShared) {
    const SharedNode& shared = As<SharedNode>(*node);
    return shared.WithPlan(replacements.at(&shared.plan()));
  }
  return RewriteChildren(node, [&](const PlanNodePtr& child) { return Replace(child, replacements); });
}

}  // namespace

SharedNode::SharedNode(SharedPlanPtr plan, std::vector<OutputColumn> outputs, std::vector<ColumnRef> inputs)
    : PlanNode(kKind, {}, std::move(outputs), plan->root->depth()),
      plan_(std::move(plan)),
      inputs_(std::move(inputs)) {
  TL_CHECK(this->outputs().size() == inputs_.size());
}

PlanNodePtr SharedNode::WithPlan(SharedPlanPtr plan) const {
  return std::make_shared<SharedNode>(std::move(plan), outputs(), inputs_);
}

std::string SharedNode::Describe() const {
  std::string out = fmt::format("Shared #{} [", plan_->id);
  for (std::size_t i = 0; i < outputs().size(); ++i) {
    if (i > 0) out += ", ";
    out += outputs()[i].name;
  }
  return out + "]";
}

PlanNodePtr SharedNode::WithChildren(std::vector<PlanNodePtr> /*children*/) const { return WithPlan(plan_); }

PlanNodePtr SharedNode::WithExpressions(const ExprRewrite& /*rewrite*/) const { return WithPlan(plan_); }

ColumnSet SharedNode::Required(const ColumnSet& /*wanted*/, std::size_t /*index*/) const { return {}; }

PlanNodePtr SharedNode::Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> /*children*/) const {
  std::vector<OutputColumn> kept;
  std::vector<ColumnRef> inputs;
  for (std::size_t i = 0; i < outputs().size(); ++i) {
    if (!wanted.Has(outputs()[i].column)) continue;
    kept.push_back(outputs()[i]);
    inputs.push_back(inputs_[i]);
  }
  return std::make_shared<SharedNode>(plan_, std::move(kept), std::move(inputs));
}

ExprPtr SharedNode::PassDown(const ExprPtr& /*predicate*/, std::size_t /*index*/) const { return nullptr; }

double SharedNode::EstimateRows() const { return plan_->root->EstimatedRows(); }

void SharedNode::AddIdentity(NodeIdentity* identity) const {
  identity->Add(std::uint64_t{plan_->id});
  // Columns of the plan, which no child of this node delivers, so by number.
  for (const ColumnRef column : inputs_) identity->Add(std::uint64_t{column.id});
}

std::vector<SharedPlanPtr> SharedPlansOf(const PlanNode& root) {
  std::set<const SharedPlan*> seen;
  std::vector<SharedPlanPtr> out;
  CollectShared(root, &seen, &out);
  return out;
}

PlanNodePtr RewriteShared(const PlanNodePtr& root, const std::function<PlanNodePtr(const PlanNodePtr&)>& rewrite) {
  Replacements replacements;
  for (const SharedPlanPtr& plan : SharedPlansOf(*root)) {
    replacements[plan.get()] =
        std::make_shared<SharedPlan>(SharedPlan{plan->id, rewrite(Replace(plan->root, replacements))});
  }
  return rewrite(replacements.empty() ? root : Replace(root, replacements));
}

}  // namespace tideline::sql
