#include "sql/plan/filter_node.h"

#include <fmt/format.h>

namespace tideline::sql {

namespace {
/// Guess of what one predicate lets through.
constexpr double kFilterSelectivity = 0.25;
}  // namespace

FilterNode::FilterNode(PlanNodePtr child, ExprPtr predicate)
    : PlanNode(kKind, {child}, child->outputs()), predicate_(std::move(predicate)) {}

std::string FilterNode::Describe() const { return fmt::format("Filter {}", PrintExpr(*predicate_)); }

PlanNodePtr FilterNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<FilterNode>(std::move(children[0]), predicate_);
}

PlanNodePtr FilterNode::WithExpressions(const ExprRewrite& rewrite) const {
  return std::make_shared<FilterNode>(child(), rewrite(predicate_));
}

ColumnSet FilterNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const {
  ColumnSet required = wanted;
  required.AddColumnsOf(*predicate_);
  return required;
}

PlanNodePtr FilterNode::Narrowed(const ColumnSet& /*wanted*/, std::vector<PlanNodePtr> children) const {
  return WithChildren(std::move(children));
}

ExprPtr FilterNode::PassDown(const ExprPtr& /*predicate*/, std::size_t /*index*/) const {
  // Not below: the new predicate may fail on rows that this one keeps out. The rule that pushes
  // predicates joins the two instead, this one first.
  return nullptr;
}

std::vector<SortKey> FilterNode::Order() const { return child()->Order(); }

double FilterNode::EstimateRows() const { return child()->EstimatedRows() * kFilterSelectivity; }

void FilterNode::AddIdentity(NodeIdentity* identity) const { identity->Add(predicate_); }

}  // namespace tideline::sql
