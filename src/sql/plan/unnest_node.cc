#include "sql/plan/unnest_node.h"

#include <fmt/format.h>

namespace tideline::sql {

namespace {

/// Guess of the elements of one nested value.
constexpr double kElementsGuess = 10;

std::vector<OutputColumn> OutputsOfUnnest(const PlanNode& child, const std::vector<UnnestNode::Item>& items,
                                          const std::optional<OutputColumn>& ordinality) {
  std::vector<OutputColumn> outputs = child.outputs();
  for (const UnnestNode::Item& item : items) {
    outputs.insert(outputs.end(), item.outputs.begin(), item.outputs.end());
  }
  if (ordinality.has_value()) outputs.push_back(*ordinality);
  return outputs;
}

}  // namespace

UnnestNode::UnnestNode(PlanNodePtr child, std::vector<Item> items, std::optional<OutputColumn> ordinality,
                       bool keeps_empty)
    : PlanNode(kKind, {child}, OutputsOfUnnest(*child, items, ordinality)),
      items_(std::move(items)),
      ordinality_(std::move(ordinality)),
      keeps_empty_(keeps_empty) {}

std::string UnnestNode::Describe() const {
  std::string out = keeps_empty_ ? "Unnest or keep [" : "Unnest [";
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (i > 0) out += ", ";
    out += PrintExpr(*items_[i].expr);
  }
  return out + (ordinality_.has_value() ? "] with ordinality" : "]");
}

PlanNodePtr UnnestNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<UnnestNode>(std::move(children[0]), items_, ordinality_, keeps_empty_);
}

PlanNodePtr UnnestNode::WithExpressions(const ExprRewrite& rewrite) const {
  std::vector<Item> items = items_;
  for (Item& item : items) item.expr = rewrite(item.expr);
  return std::make_shared<UnnestNode>(child(), std::move(items), ordinality_, keeps_empty_);
}

ColumnSet UnnestNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const {
  ColumnSet required = wanted;
  for (const Item& item : items_) required.AddColumnsOf(*item.expr);
  return required;
}

PlanNodePtr UnnestNode::Narrowed(const ColumnSet& /*wanted*/, std::vector<PlanNodePtr> children) const {
  return WithChildren(std::move(children));
}

ExprPtr UnnestNode::PassDown(const ExprPtr& predicate, std::size_t /*index*/) const {
  if (HasVolatileCall(*predicate) || !child()->OutputSet().Covers(*predicate)) return nullptr;
  return predicate;
}

double UnnestNode::EstimateRows() const { return child()->EstimatedRows() * kElementsGuess; }

void UnnestNode::AddIdentity(NodeIdentity* identity) const {
  for (const Item& item : items_) identity->Add(item.expr);
  identity->Add(std::uint64_t{ordinality_.has_value()} + 2 * std::uint64_t{keeps_empty_});
}

}  // namespace tideline::sql
