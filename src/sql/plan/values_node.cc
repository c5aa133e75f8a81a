#include "sql/plan/values_node.h"

#include <fmt/format.h>

namespace tideline::sql {

std::string ValuesNode::Describe() const {
  constexpr std::size_t kRowsShown = 3;
  std::string out = fmt::format("Values {} row{}", rows_.size(), rows_.size() == 1 ? "" : "s");
  if (outputs().empty()) return out;
  for (std::size_t i = 0; i < rows_.size() && i < kRowsShown; ++i) {
    out += i == 0 ? ": (" : ", (";
    for (std::size_t k = 0; k < rows_[i].size(); ++k) {
      if (k > 0) out += ", ";
      out += PrintExpr(*rows_[i][k]);
    }
    out += ')';
  }
  if (rows_.size() > kRowsShown) out += ", ...";
  return out;
}

PlanNodePtr ValuesNode::WithChildren(std::vector<PlanNodePtr> /*children*/) const {
  return std::make_shared<ValuesNode>(outputs(), rows_);
}

PlanNodePtr ValuesNode::WithExpressions(const ExprRewrite& rewrite) const {
  std::vector<std::vector<ExprPtr>> rows = rows_;
  for (std::vector<ExprPtr>& row : rows) {
    for (ExprPtr& value : row) value = rewrite(value);
  }
  return std::make_shared<ValuesNode>(outputs(), std::move(rows));
}

ColumnSet ValuesNode::Required(const ColumnSet& /*wanted*/, std::size_t /*index*/) const { return {}; }

PlanNodePtr ValuesNode::Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> /*children*/) const {
  std::vector<OutputColumn> kept;
  std::vector<std::vector<ExprPtr>> rows(rows_.size());
  for (std::size_t k = 0; k < outputs().size(); ++k) {
    if (!wanted.Has(outputs()[k].column)) continue;
    kept.push_back(outputs()[k]);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(rows_[i][k]);
  }
  return std::make_shared<ValuesNode>(std::move(kept), std::move(rows));
}

ExprPtr ValuesNode::PassDown(const ExprPtr& /*predicate*/, std::size_t /*index*/) const { return nullptr; }

double ValuesNode::EstimateRows() const { return static_cast<double>(rows_.size()); }

void ValuesNode::AddIdentity(NodeIdentity* identity) const {
  identity->Add(std::uint64_t{rows_.size()});
  for (const std::vector<ExprPtr>& row : rows_) {
    for (const ExprPtr& cell : row) identity->Add(cell);
  }
}

}  // namespace tideline::sql
