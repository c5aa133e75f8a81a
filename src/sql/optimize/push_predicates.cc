#include "sql/optimize/push_predicates.h"

#include "sql/optimize/may_fail.h"
#include "sql/optimize/scan_predicates.h"
#include "sql/plan/filter_node.h"

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

/// A plan for `node` with `conjuncts` applied to its rows, in order.
PlanNodePtr PushInto(const PlanNodePtr& node, std::vector<ExprPtr> conjuncts, const EvaluateOptions& options) {
  if (node->kind() == PlanKind::kFilter) {
    // The lower filter's conditions come first: they may keep out what the upper ones fail on.
    std::vector<ExprPtr> all;
    AppendConjuncts(As<FilterNode>(*node).predicate(), &all);
    all.insert(all.end(), conjuncts.begin(), conjuncts.end());
    return PushInto(node->child(), std::move(all), options);
  }
  if (node->kind() == PlanKind::kScan) return AddPredicates(As<ScanNode>(*node), conjuncts, options);
  std::vector<std::vector<ExprPtr>> below(node->children().size());
  std::vector<ExprPtr> above;
  for (const ExprPtr& conjunct : conjuncts) {
    std::vector<ExprPtr> passed;
    if (above.empty() || !MayFail(*conjunct)) passed = PassDownAll(*node, conjunct);
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
