#include "sql/plan/project_node.h"

#include <fmt/format.h>

namespace tideline::sql {

namespace {

std::vector<OutputColumn> OutputsOfItems(const std::vector<ProjectNode::Item>& items) {
  std::vector<OutputColumn> outputs;
  outputs.reserve(items.size());
  for (const ProjectNode::Item& item : items) outputs.push_back(item.output);
  return outputs;
}

}  // namespace

ProjectNode::ProjectNode(PlanNodePtr child, std::vector<Item> items)
    : PlanNode(kKind, {std::move(child)}, OutputsOfItems(items)), items_(std::move(items)) {}

ExprPtr ProjectNode::Inline(const ExprPtr& expr) const {
  return RewriteExpr(expr, [this](const ExprPtr& part) -> ExprPtr {
    if (part->kind != ExprKind::kColumn) return nullptr;
    for (const Item& item : items_) {
      if (item.output.column == part->column) return item.expr;
    }
    return nullptr;
  });
}

std::string ProjectNode::Describe() const {
  std::string out = "Project [";
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (i > 0) out += ", ";
    const std::string text = PrintExpr(*items_[i].expr);
    out += text == items_[i].output.name ? text : fmt::format("{} := {}", items_[i].output.name, text);
  }
  return out + "]";
}

PlanNodePtr ProjectNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<ProjectNode>(std::move(children[0]), items_);
}

PlanNodePtr ProjectNode::WithExpressions(const ExprRewrite& rewrite) const {
  std::vector<Item> items = items_;
  for (Item& item : items) item.expr = rewrite(item.expr);
  return std::make_shared<ProjectNode>(child(), std::move(items));
}

ColumnSet ProjectNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const {
  ColumnSet required;
  for (const Item& item : items_) {
    if (wanted.Has(item.output.column)) required.AddColumnsOf(*item.expr);
  }
  return required;
}

PlanNodePtr ProjectNode::Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const {
  std::vector<Item> items;
  for (const Item& item : items_) {
    if (wanted.Has(item.output.column)) items.push_back(item);
  }
  return std::make_shared<ProjectNode>(std::move(children[0]), std::move(items));
}

ExprPtr ProjectNode::PassDown(const ExprPtr& predicate, std::size_t /*index*/) const {
  ExprPtr inlined = Inline(predicate);
  if (CountNodes(*inlined, kExprNodesMax) > kExprNodesMax) return nullptr;
  // A volatile expression must be computed once per row, not once here and once there.
  return HasVolatileCall(*inlined) ? nullptr : inlined;
}

std::vector<SortKey> ProjectNode::Order() const {
  std::vector<SortKey> order;
  for (const SortKey& key : child()->Order()) {
    const Item* found = nullptr;
    for (const Item& item : items_) {
      if (item.expr->kind == ExprKind::kColumn && item.expr->column == key.column) found = &item;
    }
    if (found == nullptr) break;
    order.push_back({found->output.column, key.descending, key.nulls_first});
  }
  return order;
}

double ProjectNode::EstimateRows() const { return child()->EstimatedRows(); }

std::optional<double> ProjectNode::EstimatedDistinct(ColumnRef column) const {
  for (const Item& item : items_) {
    if (item.output.column != column) continue;
    return item.expr->kind == ExprKind::kColumn ? child()->EstimatedDistinct(item.expr->column) : std::nullopt;
  }
  return std::nullopt;
}

void ProjectNode::AddIdentity(NodeIdentity* identity) const {
  for (const Item& item : items_) identity->Add(item.expr);
}

}  // namespace tideline::sql
