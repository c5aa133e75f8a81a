#include "sql/plan/plan_node.h"

#include <fmt/format.h>

namespace tideline::sql {

namespace {

void PrintNode(const PlanNode& node, int depth, bool verbose, std::string* out) {
  out->append(static_cast<std::size_t>(depth) * 2, ' ');
  *out += node.Describe();
  if (verbose) {
    *out += fmt::format(" => {} rows~{:.0f}", PrintColumns(node.outputs()), node.EstimatedRows());
  }
  *out += '\n';
  for (const PlanNodePtr& child : node.children()) PrintNode(*child, depth + 1, verbose, out);
}

const std::string* NameOf(ColumnRef column, const std::vector<OutputColumn>& columns) {
  for (const OutputColumn& output : columns) {
    if (output.column == column) return &output.name;
  }
  return nullptr;
}

}  // namespace

void ColumnSet::AddColumnsOf(const Expr& expr) {
  std::vector<ColumnRef> columns;
  CollectColumns(expr, &columns);
  for (const ColumnRef column : columns) Add(column);
}

bool ColumnSet::Covers(const Expr& expr) const {
  std::vector<ColumnRef> columns;
  CollectColumns(expr, &columns);
  for (const ColumnRef column : columns) {
    if (!Has(column)) return false;
  }
  return true;
}

ColumnSet PlanNode::OutputSet() const {
  ColumnSet set;
  for (const OutputColumn& output : outputs_) set.Add(output.column);
  return set;
}

std::string PrintPlan(const PlanNode& root, bool verbose) {
  std::string out;
  PrintNode(root, 0, verbose, &out);
  return out;
}

std::string PrintColumns(const std::vector<OutputColumn>& columns) {
  std::string out = "[";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ", ";
    out += fmt::format("{}#{}", columns[i].name, columns[i].column.id);
  }
  return out + "]";
}

std::string PrintSortKeys(const std::vector<SortKey>& keys, const std::vector<OutputColumn>& columns) {
  std::string out = "[";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) out += ", ";
    const std::string* name = NameOf(keys[i].column, columns);
    out += name == nullptr || name->empty() ? fmt::format("_c{}", keys[i].column.id) : *name;
    if (keys[i].descending) out += " DESC";
    if (keys[i].nulls_first) out += " NULLS FIRST";
  }
  return out + "]";
}

}  // namespace tideline::sql
