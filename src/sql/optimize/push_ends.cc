#include "sql/optimize/push_ends.h"

#include <algorithm>

#include "sql/plan/aggregate_node.h"
#include "sql/plan/join_node.h"
#include "sql/plan/project_node.h"
#include "sql/plan/scan_node.h"

namespace tideline::sql {

namespace {

bool IsTime(const Expr& expr, const ScanNode& scan) {
  return expr.kind == ExprKind::kColumn && scan.StorageColumn(expr.column) == catalog::kTimeColumn;
}

/// A dimension or the measure name.
bool IsOfSeries(catalog::ColumnId id, const ScanNode& scan) {
  if (id == catalog::kMeasureNameColumn) return true;
  const catalog::Column* found = scan.table().FindColumn(id);
  return found != nullptr && found->kind == catalog::ColumnKind::kDimension;
}

/// Whether `expr` is the same for all rows of a series.
bool IsOfSeries(const Expr& expr, const ScanNode& scan) {
  if (HasVolatileCall(expr)) return false;
  std::vector<ColumnRef> columns;
  CollectColumns(expr, &columns);
  return std::all_of(columns.begin(), columns.end(), [&](ColumnRef column) {
    const std::optional<catalog::ColumnId> id = scan.StorageColumn(column);
    return id.has_value() && IsOfSeries(*id, scan);
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

bool IsCut(const ScanNode::Spec& spec) {
  return spec.residual != nullptr || spec.limit_hint.has_value() || spec.newest_only || spec.oldest_only;
}

PlanNodePtr TellScan(const AggregateNode& node) {
  const ScanNode& scan = As<ScanNode>(*node.child());
  const ScanNode::Spec& spec = scan.spec();
  if (IsCut(spec)) return nullptr;
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

// ---- Rows that are joined with the end of their own group ------------------------------------------
//
//   t c JOIN (SELECT k, max(time) AS m FROM t GROUP BY k) l ON c.k = l.k AND c.time = l.m
//
// A row of c that finds a partner is the newest of its series: were there a newer one, m would be its
// time. So c need deliver the newest row of each series only. What stands above the scan of c may drop
// rows, and what stands above the aggregation may drop groups; neither makes a newer partner.

/// The column that `column` is at the bottom of a chain of filters and projections.
std::optional<ColumnRef> TraceDown(const PlanNode& from, ColumnRef column) {
  const PlanNode* at = &from;
  for (;; at = at->child().get()) {
    if (at->kind() == PlanKind::kFilter) continue;
    if (at->kind() != PlanKind::kProject) return column;
    const auto& items = As<ProjectNode>(*at).items();
    const auto item = std::find_if(items.begin(), items.end(),
                                   [&](const ProjectNode::Item& each) { return each.output.column == column; });
    if (item == items.end() || item->expr->kind != ExprKind::kColumn) return std::nullopt;
    column = item->expr->column;
  }
}

/// That bottom.
const PlanNode* Bottom(const PlanNode& from) {
  const PlanNode* at = &from;
  while (at->kind() == PlanKind::kFilter || at->kind() == PlanKind::kProject) at = at->child().get();
  return at;
}

bool IsSubset(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::includes(b.begin(), b.end(), a.begin(), a.end());
}

/// Whether a row of `rows` newer than one that `all` delivers of the same series is delivered by `all` too.
bool HoldsNewer(const ScanNode::Spec& all, const ScanNode::Spec& rows, bool newest) {
  if (all.time_ranges.size() != 1 || rows.time_ranges.empty()) return false;
  const TimeRange& range = all.time_ranges.front();
  if (newest ? range.last_ns < rows.time_ranges.back().last_ns
             : range.first_ns > rows.time_ranges.front().first_ns) {
    return false;
  }
  return std::all_of(all.series_predicates.begin(), all.series_predicates.end(), [&](const SeriesPredicate& asked) {
    if (asked.expression != nullptr) return false;
    const auto same = std::find_if(rows.series_predicates.begin(), rows.series_predicates.end(),
                                   [&](const SeriesPredicate& each) { return each.column == asked.column; });
    if (same == rows.series_predicates.end() || !same->has_values) return !asked.has_values;
    return !asked.has_values ||
           (IsSubset(same->values, asked.values) && (asked.includes_null || !same->includes_null));
  });
}

/// Which end of each group's time `column`, an output of `node`, is.
std::optional<Ends> EndOf(const AggregateNode& node, const ScanNode& scan, ColumnRef column) {
  for (const AggregateCall& call : node.calls()) {
    if (call.output.column != column) continue;
    if (call.filter != nullptr || call.arguments.size() != 1 || !IsTime(*call.arguments[0], scan)) return std::nullopt;
    if (call.function->name == "max") return Ends{.newest = true};
    if (call.function->name == "min") return Ends{.oldest = true};
  }
  return std::nullopt;
}

PlanNodePtr WithScan(const PlanNode& node, const PlanNodePtr& scan) {
  return node.kind() == PlanKind::kScan ? scan : node.WithChildren({WithScan(*node.child(), scan)});
}

/// Child `index` of the join as it may be when the other child has the ends; null when it may not.
PlanNodePtr TellJoined(const JoinNode& join, std::size_t index) {
  const PlanNode& rows = *join.children()[index];
  const PlanNode& ends = *join.children()[1 - index];
  const PlanNode* const bottom = Bottom(rows);
  const PlanNode* const top = Bottom(ends);
  if (bottom->kind() != PlanKind::kScan || top->kind() != PlanKind::kAggregate ||
      top->child()->kind() != PlanKind::kScan) {
    return nullptr;
  }
  const ScanNode& scan = As<ScanNode>(*bottom);
  const AggregateNode& groups = As<AggregateNode>(*top);
  const ScanNode& all = As<ScanNode>(*groups.child());
  if (scan.table().database != all.table().database || scan.table().table != all.table().table) return nullptr;
  if (IsCut(scan.spec()) || all.spec().residual != nullptr || all.spec().limit_hint.has_value()) return nullptr;
  std::optional<Ends> found;
  std::vector<ColumnRef> matched;  // keys of the groups that equal the row's own
  for (const JoinNode::Key& key : join.keys()) {
    const Expr& of_rows = *(index == 0 ? key.left : key.right);
    const Expr& of_ends = *(index == 0 ? key.right : key.left);
    if (of_rows.kind != ExprKind::kColumn || of_ends.kind != ExprKind::kColumn) continue;
    const std::optional<ColumnRef> row = TraceDown(rows, of_rows.column);
    const std::optional<ColumnRef> end = TraceDown(ends, of_ends.column);
    if (!row.has_value() || !end.has_value()) continue;
    const std::optional<catalog::ColumnId> id = scan.StorageColumn(*row);
    if (!id.has_value()) continue;
    if (*id == catalog::kTimeColumn && !found.has_value()) found = EndOf(groups, all, *end);
    if (!IsOfSeries(*id, scan)) continue;
    for (const AggregateNode::Key& group : groups.keys()) {
      const bool same = group.output.column == *end && group.expr->kind == ExprKind::kColumn &&
                        all.StorageColumn(group.expr->column) == id;
      if (same) matched.push_back(*end);
    }
  }
  if (!found.has_value() || !HoldsNewer(all.spec(), scan.spec(), found->newest)) return nullptr;
  for (const AggregateNode::Key& group : groups.keys()) {
    if (std::find(matched.begin(), matched.end(), group.output.column) == matched.end()) return nullptr;
  }
  ScanNode::Spec told = scan.spec();
  told.newest_only = found->newest;
  told.oldest_only = found->oldest;
  return WithScan(rows, std::make_shared<ScanNode>(scan.outputs(), std::move(told)));
}

PlanNodePtr TellJoin(const PlanNodePtr& node) {
  const JoinNode& join = As<JoinNode>(*node);
  if (join.spec().kind != JoinKind::kInner) return node;
  for (const std::size_t index : {0U, 1U}) {
    PlanNodePtr told = TellJoined(join, index);
    if (told == nullptr) continue;
    std::vector<PlanNodePtr> children = join.children();
    children[index] = std::move(told);
    return join.WithChildren(std::move(children));
  }
  return node;
}

}  // namespace

PlanNodePtr PushEnds(const PlanNodePtr& root) {
  if (root->kind() == PlanKind::kAggregate && root->child()->kind() == PlanKind::kScan) {
    PlanNodePtr told = TellScan(As<AggregateNode>(*root));
    return told != nullptr ? told : root;
  }
  return RewriteChildren(root->kind() == PlanKind::kJoin ? TellJoin(root) : root, PushEnds);
}

}  // namespace tideline::sql
