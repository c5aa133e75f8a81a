#include "sql/plan/topn_node.h"

#include <fmt/format.h>

#include <algorithm>

namespace tideline::sql {

TopNNode::TopNNode(PlanNodePtr child, std::vector<SortKey> keys, std::int64_t count, std::int64_t offset,
                   bool with_ties)
    : PlanNode(kKind, {child}, child->outputs()),
      keys_(std::move(keys)),
      count_(count),
      offset_(offset),
      with_ties_(with_ties) {}

std::string TopNNode::Describe() const {
  std::string out = fmt::format("TopN {}", count_);
  if (offset_ > 0) out += fmt::format(" offset {}", offset_);
  if (with_ties_) out += " with ties";
  return fmt::format("{} by {}", out, PrintSortKeys(keys_, outputs()));
}

PlanNodePtr TopNNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<TopNNode>(std::move(children[0]), keys_, count_, offset_, with_ties_);
}

PlanNodePtr TopNNode::WithExpressions(const ExprRewrite& /*rewrite*/) const {
  return WithChildren(children());
}

ColumnSet TopNNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const {
  ColumnSet required = wanted;
  for (const SortKey& key : keys_) required.Add(key.column);
  return required;
}

PlanNodePtr TopNNode::Narrowed(const ColumnSet& /*wanted*/, std::vector<PlanNodePtr> children) const {
  return WithChildren(std::move(children));
}

ExprPtr TopNNode::PassDown(const ExprPtr& /*predicate*/, std::size_t /*index*/) const { return nullptr; }

double TopNNode::EstimateRows() const {
  return std::min(child()->EstimatedRows(), static_cast<double>(count_));
}

void TopNNode::AddIdentity(NodeIdentity* identity) const {
  AddSortKeys(keys_, identity);
  identity->Add(static_cast<std::uint64_t>(count_));
  identity->Add(static_cast<std::uint64_t>(offset_));
  identity->Add(std::uint64_t{with_ties_});
}

}  // namespace tideline::sql
