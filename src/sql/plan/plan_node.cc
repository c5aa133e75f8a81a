#include "sql/plan/plan_node.h"

#include <fmt/format.h>

#include <set>

#include "sql/plan/shared_node.h"

namespace tideline::sql {

namespace {

/// A shared plan is printed below the first place that reads it.
void PrintNode(const PlanNode& node, int depth, bool verbose, std::set<std::uint32_t>* shown, std::string* out) {
  out->append(static_cast<std::size_t>(depth) * 2, ' ');
  *out += node.Describe();
  if (verbose) {
    *out += fmt::format(" => {} rows~{:.0f}", PrintColumns(node.outputs()), node.EstimatedRows());
  }
  *out += '\n';
  for (const PlanNodePtr& child : node.children()) PrintNode(*child, depth + 1, verbose, shown, out);
  if (node.kind() != PlanKind::kShared) return;
  const SharedPlan& plan = As<SharedNode>(node).plan();
  if (shown->insert(plan.id).second) PrintNode(*plan.root, depth + 1, verbose, shown, out);
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

PlanNodePtr RewriteChildren(const PlanNodePtr& node, const std::function<PlanNodePtr(const PlanNodePtr&)>& rewrite) {
  std::vector<PlanNodePtr> children;
  bool changed = false;
  for (const PlanNodePtr& child : node->children()) {
    children.push_back(rewrite(child));
    changed = changed || children.back() != child;
  }
  return changed ? node->WithChildren(std::move(children)) : node;
}

void AddSortKeys(const std::vector<SortKey>& keys, NodeIdentity* identity) {
  identity->Add(std::uint64_t{keys.size()});
  for (const SortKey& key : keys) {
    identity->Add(key.column);
    identity->Add(std::uint64_t{key.descending} + 2 * std::uint64_t{key.nulls_first});
  }
}

double PlanNode::EstimatedRows() const {
  double rows = estimated_rows_.load(std::memory_order_relaxed);
  if (rows < 0) {
    rows = EstimateRows();
    estimated_rows_.store(rows, std::memory_order_relaxed);
  }
  return rows;
}

std::optional<double> PlanNode::EstimatedDistinct(ColumnRef column) const {
  for (const PlanNodePtr& child : children_) {
    for (const OutputColumn& output : child->outputs()) {
      if (output.column == column) return child->EstimatedDistinct(column);
    }
  }
  return std::nullopt;
}

std::string PrintPlan(const PlanNode& root, bool verbose) {
  std::string out;
  std::set<std::uint32_t> shown;
  PrintNode(root, 0, verbose, &shown, &out);
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
