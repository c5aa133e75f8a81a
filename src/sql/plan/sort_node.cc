#include "sql/plan/sort_node.h"

#include <fmt/format.h>

namespace tideline::sql {

SortNode::SortNode(PlanNodePtr child, std::vector<SortKey> keys)
    : PlanNode(kKind, {child}, child->outputs()), keys_(std::move(keys)) {}

std::string SortNode::Describe() const {
  return fmt::format("Sort {}", PrintSortKeys(keys_, outputs()));
}

PlanNodePtr SortNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<SortNode>(std::move(children[0]), keys_);
}

PlanNodePtr SortNode::WithExpressions(const ExprRewrite& /*rewrite*/) const {
  return WithChildren(children());
}

ColumnSet SortNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const {
  ColumnSet required = wanted;
  for (const SortKey& key : keys_) required.Add(key.column);
  return required;
}

PlanNodePtr SortNode::Narrowed(const ColumnSet& /*wanted*/, std::vector<PlanNodePtr> children) const {
  return WithChildren(std::move(children));
}

ExprPtr SortNode::PassDown(const ExprPtr& predicate, std::size_t /*index*/) const { return predicate; }

double SortNode::EstimateRows() const { return child()->EstimatedRows(); }

void SortNode::AddIdentity(NodeIdentity* identity) const { AddSortKeys(keys_, identity); }

}  // namespace tideline::sql
