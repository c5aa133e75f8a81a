#include "sql/optimize/push_steps.h"

#include <algorithm>
#include <numeric>

#include "base/time.h"
#include "sql/plan/aggregate_node.h"
#include "sql/plan/scan_node.h"

namespace tideline::sql {

namespace {

bool IsTheTime(const Expr& expr, const ScanNode& scan) {
  return expr.kind == ExprKind::kColumn && scan.StorageColumn(expr.column) == catalog::kTimeColumn;
}

std::int64_t UnitNs(std::string_view unit) {
  if (unit == "second") return kNsPerSecond;
  if (unit == "minute") return kNsPerMinute;
  if (unit == "hour") return kNsPerHour;
  if (unit == "day") return 24 * kNsPerHour;
  return 0;
}

/// The length of the steps, counted from 1970, within which `expr` is the same: bin(time, 5m) and
/// date_trunc('hour', time). 0 for anything else.
std::int64_t StepOf(const Expr& expr, const ScanNode& scan) {
  if (expr.kind != ExprKind::kCall || expr.children.size() != 2) return 0;
  const bool is_bin = expr.scalar->name == "bin";
  if (!is_bin && expr.scalar->name != "date_trunc") return 0;
  const Expr& time = *expr.children[is_bin ? 0 : 1];
  const Expr& length = *expr.children[is_bin ? 1 : 0];
  if (!IsTheTime(time, scan) || length.kind != ExprKind::kConstant || length.constant.is_null()) return 0;
  if (!is_bin) return UnitNs(length.constant.text());
  if (!length.type.is(TypeId::kIntervalDayToSecond)) return 0;
  return std::max<std::int64_t>(length.constant.integer(), 0);
}

/// Takes in every place at which `expr` reads the time; false when it asks for more than a step.
bool AddSteps(const Expr& expr, const ScanNode& scan, std::int64_t* step) {
  if (IsTheTime(expr, scan)) return false;
  const std::int64_t own = StepOf(expr, scan);
  if (own > 0) {
    *step = std::gcd(*step, own);
    return true;
  }
  return std::all_of(expr.children.begin(), expr.children.end(),
                     [&](const ExprPtr& child) { return AddSteps(*child, scan, step); });
}

PlanNodePtr TellStep(const AggregateNode& node) {
  const ScanNode& scan = As<ScanNode>(*node.child());
  std::int64_t step = 0;
  bool fits = true;
  const auto add = [&](const ExprPtr& expr) { fits = fits && (expr == nullptr || AddSteps(*expr, scan, &step)); };
  for (const AggregateNode::Key& key : node.keys()) add(key.expr);
  for (const AggregateCall& call : node.calls()) {
    for (const ExprPtr& argument : call.arguments) add(argument);
    for (const AggregateOrder& order : call.order_by) add(order.expr);
    add(call.filter);
  }
  if (!fits || step == 0) return nullptr;
  ScanNode::Spec told = scan.spec();
  told.time_step_ns = step;
  return node.WithChildren({std::make_shared<ScanNode>(scan.outputs(), std::move(told))});
}

}  // namespace

PlanNodePtr PushSteps(const PlanNodePtr& root) {
  if (root->kind() == PlanKind::kAggregate && root->child()->kind() == PlanKind::kScan) {
    PlanNodePtr told = TellStep(As<AggregateNode>(*root));
    return told != nullptr ? told : root;
  }
  return RewriteChildren(root, PushSteps);
}

}  // namespace tideline::sql
