#include "sql/optimize/push_predicates.h"

#include <algorithm>

#include "sql/optimize/infer_predicates.h"
#include "sql/optimize/scan_predicates.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/join_node.h"
#include "sql/plan/may_fail.h"

namespace tideline::sql {

namespace {

/// `predicate` as each child of `node` sees it; empty when it cannot pass.
std::vector<ExprPtr> PassDownAll(const PlanNode& node, const ExprPtr& predicate) {
  std::vector<ExprPtr> passed;
  for (std::size_t i = 0; i < node.children().size(); ++i) {
    ExprPtr one = node.PassDown(predicate, i);
    if (one == nullptr) return {};
    passed.push_back(std::move(one));
  }
  return passed;
}

bool IsTrueConstant(const Expr& expr) {
  return expr.kind == ExprKind::kConstant && expr.type.is(TypeId::kBoolean) && !expr.constant.is_null() &&
         expr.constant.boolean();
}

/// Whether evaluating `expr` can fail once its constant parts, which are tried here, are known:
/// ago(1h) could fail in principle and does not.
bool CanFail(const ExprPtr& expr, const EvaluateOptions& options) {
  const ExprPtr known = RewriteExpr(expr, [&](const ExprPtr& part) -> ExprPtr {
    if (part->kind != ExprKind::kCall && part->kind != ExprKind::kCast) return nullptr;
    if (!IsConstantExpr(*part)) return nullptr;
    return EvaluateConstant(*part, options).ok() ? MakeConstant(Value::Null(part->type)) : nullptr;
  });
  return MayFail(*known);
}

/// Below these a predicate meets rows that never get up here, and must not fail on them.
bool LosesRows(const PlanNode& node) {
  return node.kind() == PlanKind::kJoin || node.kind() == PlanKind::kUnnest;
}

PlanNodePtr PushInto(const PlanNodePtr& node, std::vector<ExprPtr> conjuncts, const EvaluateOptions& options);

void AddUnlessThere(ExprPtr part, std::vector<ExprPtr>* parts) {
  const bool there = std::any_of(parts->begin(), parts->end(),
                                 [&](const ExprPtr& other) { return SameExpr(*part, *other); });
  if (!there) parts->push_back(std::move(part));
}

void AddTimes(const JoinNode& join, const std::vector<ExprPtr>& condition, const PlanNode& from, std::size_t to,
              std::vector<ExprPtr>* parts) {
  Result<std::vector<ExprPtr>> times = InferTimes(join, condition, from, to);
  if (!times.ok()) return;
  for (ExprPtr& part : *times) AddUnlessThere(std::move(part), parts);
}

/// Sorts `conjuncts` and the parts of the join's own condition: to a side, into the condition, above.
PlanNodePtr PushIntoJoin(const JoinNode& join, const std::vector<ExprPtr>& conjuncts,
                         const EvaluateOptions& options) {
  std::vector<ExprPtr> below[2];
  std::vector<ExprPtr> condition;
  std::vector<ExprPtr> above;
  std::vector<ExprPtr> own;
  AppendConjuncts(join.spec().condition, &own);
  // What the right child of a dependent join is, each left row decides: nothing goes there.
  const bool right_open = !join.spec().dependent;
  for (const ExprPtr& part : own) {
    if (IsTrueConstant(*part)) continue;
    const bool safe = !CanFail(part, options);
    if (safe && join.ConditionPasses(*part, 0)) {
      below[0].push_back(part);
    } else if (safe && right_open && join.ConditionPasses(*part, 1)) {
      below[1].push_back(part);
    } else {
      condition.push_back(part);
    }
  }
  for (const ExprPtr& conjunct : conjuncts) {
    if (IsTrueConstant(*conjunct)) continue;
    const bool safe = !CanFail(conjunct, options);
    const ExprPtr left = safe ? join.PassDown(conjunct, 0) : nullptr;
    if (left != nullptr && (right_open || !IsTrueConstant(*left))) {
      const ExprPtr right = join.PassDown(conjunct, 1);
      below[IsTrueConstant(*left) ? 1 : 0].push_back(IsTrueConstant(*left) ? right : left);
    } else if (join.spec().kind == JoinKind::kInner && !HasVolatileCall(*conjunct) && (safe || above.empty())) {
      condition.push_back(conjunct);
    } else {
      above.push_back(conjunct);
    }
  }
  // What is known of one side holds for what the condition makes equal to it on the other.
  std::vector<ExprPtr> equalities = condition;
  std::vector<ExprPtr> inferred[2];
  for (const std::size_t to : {std::size_t{0}, std::size_t{1}}) {
    if (to == 1 && !right_open) continue;
    inferred[to] = InferAcross(join, equalities, below[1 - to], to);
  }
  for (const std::size_t to : {std::size_t{0}, std::size_t{1}}) {
    for (ExprPtr& part : inferred[to]) AddUnlessThere(std::move(part), &below[to]);
  }
  std::vector<PlanNodePtr> children;
  children.push_back(PushInto(join.children()[0], std::move(below[0]), options));
  if (right_open) AddTimes(join, equalities, *children[0], 1, &below[1]);
  children.push_back(right_open ? PushInto(join.children()[1], std::move(below[1]), options) : join.children()[1]);
  std::vector<ExprPtr> times;
  if (right_open) AddTimes(join, equalities, *children[1], 0, &times);
  if (!times.empty()) children[0] = PushInto(children[0], std::move(times), options);
  PlanNodePtr pushed = join.WithCondition(MakeAnd(std::move(condition)), std::move(children));
  if (above.empty()) return pushed;
  return std::make_shared<FilterNode>(std::move(pushed), MakeAnd(std::move(above)));
}

/// A plan for `node` with `conjuncts` applied to its rows, in order.
PlanNodePtr PushInto(const PlanNodePtr& node, std::vector<ExprPtr> conjuncts, const EvaluateOptions& options) {
  if (node->kind() == PlanKind::kFilter) {
    // The lower filter's conditions come first: they may keep out what the upper ones fail on.
    std::vector<ExprPtr> all;
    AppendConjuncts(As<FilterNode>(*node).predicate(), &all);
    all.insert(all.end(), conjuncts.begin(), conjuncts.end());
    return PushInto(node->child(), std::move(all), options);
  }
  std::erase_if(conjuncts, [](const ExprPtr& conjunct) { return IsTrueConstant(*conjunct); });
  if (node->kind() == PlanKind::kJoin) return PushIntoJoin(As<JoinNode>(*node), conjuncts, options);
  if (node->kind() == PlanKind::kScan) return AddPredicates(As<ScanNode>(*node), conjuncts, options);
  std::vector<std::vector<ExprPtr>> below(node->children().size());
  std::vector<ExprPtr> above;
  for (const ExprPtr& conjunct : conjuncts) {
    std::vector<ExprPtr> passed;
    const bool movable = LosesRows(*node) ? !CanFail(conjunct, options) : above.empty() || !MayFail(*conjunct);
    if (movable) passed = PassDownAll(*node, conjunct);
    if (passed.empty()) {
      above.push_back(conjunct);
      continue;
    }
    for (std::size_t i = 0; i < passed.size(); ++i) below[i].push_back(std::move(passed[i]));
  }
  std::vector<PlanNodePtr> children;
  for (std::size_t i = 0; i < node->children().size(); ++i) {
    children.push_back(PushInto(node->children()[i], std::move(below[i]), options));
  }
  PlanNodePtr pushed = children.empty() ? node : node->WithChildren(std::move(children));
  if (above.empty()) return pushed;
  return std::make_shared<FilterNode>(std::move(pushed), MakeAnd(std::move(above)));
}

}  // namespace

PlanNodePtr PushPredicates(const PlanNodePtr& root, const EvaluateOptions& options) {
  return PushInto(root, {}, options);
}

}  // namespace tideline::sql
