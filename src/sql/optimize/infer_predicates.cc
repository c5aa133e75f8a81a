#include "sql/optimize/infer_predicates.h"

#include <algorithm>

#include "sql/plan/aggregate_node.h"
#include "sql/plan/make_call.h"
#include "sql/plan/may_fail.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

struct EqualPair {
  ExprPtr from;
  ExprPtr to;
};

/// Whether rows of child `to` that have no partner are dropped, and every row of the other child is subject to
/// the conditions that are put on it.
bool GivesUp(const JoinNode& join, std::size_t to) { return to == 0 ? !join.preserves_left() : !join.preserves_right(); }

/// Pairs of plain columns of one type that `condition` makes equal, one of each child.
std::vector<EqualPair> EqualColumns(const JoinNode& join, const std::vector<ExprPtr>& condition, std::size_t to) {
  std::vector<EqualPair> out;
  const ColumnSet target = join.children()[to]->OutputSet();
  const ColumnSet source = join.children()[1 - to]->OutputSet();
  for (const ExprPtr& part : condition) {
    if (part->kind != ExprKind::kCall || part->scalar->name != "$equal") continue;
    const ExprPtr& a = part->children[0];
    const ExprPtr& b = part->children[1];
    if (a->kind != ExprKind::kColumn || b->kind != ExprKind::kColumn || a->type.id() != b->type.id()) continue;
    // Zeros of two signs are equal and not the same.
    if (a->type.is(TypeId::kDouble) || a->type.is_nested()) continue;
    if (source.Has(a->column) && target.Has(b->column)) out.push_back({a, b});
    if (source.Has(b->column) && target.Has(a->column)) out.push_back({b, a});
  }
  return out;
}

}  // namespace

std::vector<ExprPtr> InferAcross(const JoinNode& join, const std::vector<ExprPtr>& condition,
                                 const std::vector<ExprPtr>& conjuncts, std::size_t to) {
  std::vector<ExprPtr> out;
  if (!GivesUp(join, to)) return out;
  const std::vector<EqualPair> equal = EqualColumns(join, condition, to);
  if (equal.empty()) return out;
  for (const ExprPtr& conjunct : conjuncts) {
    std::vector<ColumnRef> read;
    CollectColumns(*conjunct, &read);
    const bool one = !read.empty() && std::all_of(read.begin(), read.end(), [&](ColumnRef c) { return c == read[0]; });
    if (!one || HasVolatileCall(*conjunct)) continue;
    for (const EqualPair& pair : equal) {
      if (pair.from->column != read[0]) continue;
      ExprPtr moved = RewriteExpr(conjunct, [&](const ExprPtr& part) -> ExprPtr {
        if (part->kind != ExprKind::kColumn || part->column != read[0]) return nullptr;
        return MakeColumn(pair.to->column, part->type, pair.to->name, part->position);
      });
      out.push_back(std::move(moved));
    }
  }
  return out;
}

std::optional<TimeRange> TimesOf(const PlanNode& plan, ColumnRef column) {
  switch (plan.kind()) {
    case PlanKind::kScan: {
      const ScanNode& scan = As<ScanNode>(plan);
      if (scan.StorageColumn(column) != catalog::kTimeColumn) return std::nullopt;
      const std::vector<TimeRange>& ranges = scan.spec().time_ranges;
      if (ranges.empty() || ranges == std::vector<TimeRange>{TimeRange{}}) return std::nullopt;
      return TimeRange{ranges.front().first_ns, ranges.back().last_ns};
    }
    case PlanKind::kProject:
      for (const ProjectNode::Item& item : As<ProjectNode>(plan).items()) {
        if (item.output.column != column) continue;
        return item.expr->kind == ExprKind::kColumn ? TimesOf(*plan.child(), item.expr->column) : std::nullopt;
      }
      return std::nullopt;
    case PlanKind::kAggregate:
      for (const AggregateNode::Key& key : As<AggregateNode>(plan).keys()) {
        if (key.output.column != column) continue;
        return key.expr->kind == ExprKind::kColumn ? TimesOf(*plan.child(), key.expr->column) : std::nullopt;
      }
      return std::nullopt;
    case PlanKind::kFilter:
    case PlanKind::kSort:
    case PlanKind::kLimit:
    case PlanKind::kTopN:
    case PlanKind::kJoin:
    case PlanKind::kUnnest:
    case PlanKind::kWindow:
      for (const PlanNodePtr& child : plan.children()) {
        if (child->OutputSet().Has(column)) return TimesOf(*child, column);
      }
      return std::nullopt;
    case PlanKind::kValues:
    case PlanKind::kSetOperation:
    case PlanKind::kShared:
      return std::nullopt;
  }
  return std::nullopt;
}

Result<std::vector<ExprPtr>> InferTimes(const JoinNode& join, const std::vector<ExprPtr>& condition,
                                        const PlanNode& from, std::size_t to) {
  std::vector<ExprPtr> out;
  if (!GivesUp(join, to)) return out;
  for (const EqualPair& pair : EqualColumns(join, condition, to)) {
    if (!pair.from->type.is(TypeId::kTimestamp)) continue;
    const std::optional<TimeRange> times = TimesOf(from, pair.from->column);
    if (!times.has_value()) continue;
    const TimeRange all;
    if (times->first_ns != all.first_ns) {
      ExprPtr part = TL_TRY(MakeScalarCall("$greater_equal",
                                           {pair.to, MakeConstant(Value::Timestamp(times->first_ns))}));
      out.push_back(std::move(part));
    }
    if (times->last_ns != all.last_ns) {
      ExprPtr part = TL_TRY(MakeScalarCall("$less_equal", {pair.to, MakeConstant(Value::Timestamp(times->last_ns))}));
      out.push_back(std::move(part));
    }
  }
  return out;
}

}  // namespace tideline::sql
