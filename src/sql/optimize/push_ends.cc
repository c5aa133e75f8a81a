#include "sql/optimize/push_ends.h"

#include <algorithm>

#include "sql/plan/aggregate_node.h"
#include "sql/plan/scan_node.h"

namespace tideline::sql {

namespace {

bool IsTime(const Expr& expr, const ScanNode& scan) {
  return expr.kind == ExprKind::kColumn && scan.StorageColumn(expr.column) == catalog::kTimeColumn;
}

/// Whether `expr` is the same for all rows of a series.
bool IsOfSeries(const Expr& expr, const ScanNode& scan) {
  if (HasVolatileCall(expr)) return false;
  std::vector<ColumnRef> columns;
  CollectColumns(expr, &columns);
  return std::all_of(columns.begin(), columns.end(), [&](ColumnRef column) {
    const std::optional<catalog::ColumnId> id = scan.StorageColumn(column);
    if (!id.has_value()) return false;
    if (*id == catalog::kMeasureNameColumn) return true;
    const catalog::Column* found = scan.table().FindColumn(*id);
    return found != nullptr && found->kind == catalog::ColumnKind::kDimension;
  });
}

struct Ends {
  bool newest = false;
  bool oldest = false;
};

/// Adds the ends that `call` needs; false when it needs more.
bool AddEnds(const AggregateCall& call, const ScanNode& scan, Ends* ends) {
  if (call.filter != nullptr || !call.order_by.empty()) return false;
  const std::string_view name = call.function->name;
  const auto& arguments = call.arguments;
  const bool of_series = std::all_of(arguments.begin(), arguments.end(), [&](const ExprPtr& argument) {
    return IsOfSeries(*argument, scan);
  });
  // However often a series shows its value, once is enough.
  if (of_series && !arguments.empty()) {
    if (call.distinct || name == "arbitrary" || name == "any_value") return true;
    return (name == "max" || name == "min") && arguments.size() == 1;
  }
  if (call.distinct) return false;
  if (name == "max" && arguments.size() == 1 && IsTime(*arguments[0], scan)) {
    ends->newest = true;
    return true;
  }
  if (name == "min" && arguments.size() == 1 && IsTime(*arguments[0], scan)) {
    ends->oldest = true;
    return true;
  }
  const bool by_time = arguments.size() == 2 && IsTime(*arguments[1], scan) && !HasVolatileCall(*arguments[0]);
  if (name == "max_by" && by_time) {
    ends->newest = true;
    return true;
  }
  if (name == "min_by" && by_time) {
    ends->oldest = true;
    return true;
  }
  return false;
}

PlanNodePtr TellScan(const AggregateNode& node) {
  const ScanNode& scan = As<ScanNode>(*node.child());
  const ScanNode::Spec& spec = scan.spec();
  if (spec.residual != nullptr || spec.limit_hint.has_value() || spec.newest_only || spec.oldest_only) {
    return nullptr;
  }
  if (node.keys().empty() && node.calls().empty()) return nullptr;
  Ends ends;
  for (const AggregateNode::Key& key : node.keys()) {
    if (!IsOfSeries(*key.expr, scan)) return nullptr;
  }
  for (const AggregateCall& call : node.calls()) {
    if (!AddEnds(call, scan, &ends)) return nullptr;
  }
  ScanNode::Spec told = spec;
  told.oldest_only = ends.oldest;
  told.newest_only = ends.newest || !ends.oldest;
  return node.WithChildren({std::make_shared<ScanNode>(scan.outputs(), std::move(told))});
}

}  // namespace

PlanNodePtr PushEnds(const PlanNodePtr& root) {
  if (root->kind() == PlanKind::kAggregate && root->child()->kind() == PlanKind::kScan) {
    PlanNodePtr told = TellScan(As<AggregateNode>(*root));
    return told != nullptr ? told : root;
  }
  if (root->children().empty()) return root;
  std::vector<PlanNodePtr> children;
  bool changed = false;
  for (const PlanNodePtr& child : root->children()) {
    children.push_back(PushEnds(child));
    changed = changed || children.back() != child;
  }
  return changed ? root->WithChildren(std::move(children)) : root;
}

}  // namespace tideline::sql
