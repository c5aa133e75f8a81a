#include "sql/plan/set_operation_node.h"

#include <fmt/format.h>

namespace tideline::sql {

SetOperationNode::SetOperationNode(std::vector<PlanNodePtr> children, std::vector<OutputColumn> outputs,
                                   std::vector<std::vector<ColumnRef>> inputs)
    : PlanNode(kKind, std::move(children), std::move(outputs)), inputs_(std::move(inputs)) {}

std::string SetOperationNode::Describe() const {
  return fmt::format("Union all {}", PrintColumns(outputs()));
}

PlanNodePtr SetOperationNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<SetOperationNode>(std::move(children), outputs(), inputs_);
}

PlanNodePtr SetOperationNode::WithExpressions(const ExprRewrite& /*rewrite*/) const {
  return WithChildren(children());
}

ColumnSet SetOperationNode::Required(const ColumnSet& wanted, std::size_t index) const {
  ColumnSet required;
  for (std::size_t k = 0; k < outputs().size(); ++k) {
    if (wanted.Has(outputs()[k].column)) required.Add(inputs_[index][k]);
  }
  return required;
}

PlanNodePtr SetOperationNode::Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const {
  std::vector<OutputColumn> kept;
  std::vector<std::vector<ColumnRef>> inputs(inputs_.size());
  for (std::size_t k = 0; k < outputs().size(); ++k) {
    if (!wanted.Has(outputs()[k].column)) continue;
    kept.push_back(outputs()[k]);
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].push_back(inputs_[i][k]);
  }
  return std::make_shared<SetOperationNode>(std::move(children), std::move(kept), std::move(inputs));
}

ExprPtr SetOperationNode::PassDown(const ExprPtr& predicate, std::size_t index) const {
  return RewriteExpr(predicate, [&](const ExprPtr& part) -> ExprPtr {
    if (part->kind != ExprKind::kColumn) return nullptr;
    for (std::size_t k = 0; k < outputs().size(); ++k) {
      if (outputs()[k].column == part->column) {
        return MakeColumn(inputs_[index][k], part->type, part->name, part->position);
      }
    }
    return nullptr;
  });
}

double SetOperationNode::EstimateRows() const {
  double rows = 0;
  for (const PlanNodePtr& child : children()) rows += child->EstimatedRows();
  return rows;
}

void SetOperationNode::AddIdentity(NodeIdentity* identity) const {
  for (const std::vector<ColumnRef>& columns : inputs_) {
    for (const ColumnRef column : columns) identity->Add(column);
  }
}

}  // namespace tideline::sql
