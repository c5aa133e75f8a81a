#include "sql/plan/limit_node.h"

#include <fmt/format.h>

#include <algorithm>

namespace tideline::sql {

LimitNode::LimitNode(PlanNodePtr child, std::optional<std::int64_t> count, std::int64_t offset)
    : PlanNode(kKind, {child}, child->outputs()), count_(count), offset_(offset) {}

std::string LimitNode::Describe() const {
  std::string out = count_.has_value() ? fmt::format("Limit {}", *count_) : "Limit ALL";
  if (offset_ > 0) out += fmt::format(" offset {}", offset_);
  return out;
}

PlanNodePtr LimitNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<LimitNode>(std::move(children[0]), count_, offset_);
}

PlanNodePtr LimitNode::WithExpressions(const ExprRewrite& /*rewrite*/) const {
  return WithChildren(children());
}

ColumnSet LimitNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const { return wanted; }

PlanNodePtr LimitNode::Narrowed(const ColumnSet& /*wanted*/, std::vector<PlanNodePtr> children) const {
  return WithChildren(std::move(children));
}

ExprPtr LimitNode::PassDown(const ExprPtr& /*predicate*/, std::size_t /*index*/) const { return nullptr; }

std::vector<SortKey> LimitNode::Order() const { return child()->Order(); }

double LimitNode::EstimateRows() const {
  const double rows = std::max(0.0, child()->EstimatedRows() - static_cast<double>(offset_));
  return count_.has_value() ? std::min(rows, static_cast<double>(*count_)) : rows;
}

void LimitNode::AddIdentity(NodeIdentity* identity) const {
  identity->Add(static_cast<std::uint64_t>(count_.value_or(-1)));
  identity->Add(static_cast<std::uint64_t>(offset_));
}

}  // namespace tideline::sql
