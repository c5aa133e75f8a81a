#include "sql/optimize/order_joins.h"

#include <algorithm>

#include "sql/plan/join_node.h"
#include "sql/plan/may_fail.h"
#include "sql/plan/project_node.h"
#include "sql/plan/scan_node.h"

namespace tideline::sql {

namespace {

bool CanMove(const JoinNode& join) {
  if (join.spec().kind != JoinKind::kInner || join.spec().dependent) return false;
  std::vector<ExprPtr> parts;
  AppendConjuncts(join.spec().condition, &parts);
  return std::none_of(parts.begin(), parts.end(),
                      [](const ExprPtr& part) { return MayFail(*part) || HasVolatileCall(*part); });
}

struct Tree {
  std::vector<PlanNodePtr> relations;
  std::vector<ExprPtr> conditions;
};

void TakeApart(const PlanNodePtr& node, Tree* tree) {
  if (node->kind() != PlanKind::kJoin || !CanMove(As<JoinNode>(*node))) {
    tree->relations.push_back(node);
    return;
  }
  for (const PlanNodePtr& child : node->children()) TakeApart(child, tree);
  AppendConjuncts(As<JoinNode>(*node).spec().condition, &tree->conditions);
}

/// The join of `left` and `right` on those of `conditions` that they can tell; these are in `*used`.
PlanNodePtr JoinOn(const PlanNodePtr& left, const PlanNodePtr& right, const std::vector<ExprPtr>& conditions,
                   std::vector<bool>* used) {
  ColumnSet both = left->OutputSet();
  for (const OutputColumn& output : right->outputs()) both.Add(output.column);
  std::vector<ExprPtr> parts;
  used->assign(conditions.size(), false);
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    if (!both.Covers(*conditions[i])) continue;
    parts.push_back(conditions[i]);
    (*used)[i] = true;
  }
  JoinNode::Spec spec;
  spec.condition = MakeAnd(std::move(parts));
  return std::make_shared<JoinNode>(left, right, std::move(spec));
}

PlanNodePtr PutTogether(Tree tree) {
  std::vector<bool> used;
  while (tree.relations.size() > 1) {
    std::size_t best_a = 0;
    std::size_t best_b = 1;
    double best_rows = 0;
    bool best_tied = false;
    PlanNodePtr best;
    for (std::size_t a = 0; a < tree.relations.size(); ++a) {
      for (std::size_t b = a + 1; b < tree.relations.size(); ++b) {
        PlanNodePtr joined = JoinOn(tree.relations[a], tree.relations[b], tree.conditions, &used);
        const bool tied = std::find(used.begin(), used.end(), true) != used.end();
        const double rows = joined->EstimatedRows();
        const bool better = best == nullptr || (tied && !best_tied) || (tied == best_tied && rows < best_rows);
        if (!better) continue;
        best = std::move(joined);
        best_a = a;
        best_b = b;
        best_rows = rows;
        best_tied = tied;
      }
    }
    JoinOn(tree.relations[best_a], tree.relations[best_b], tree.conditions, &used);
    std::vector<ExprPtr> rest;
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (!used[i]) rest.push_back(tree.conditions[i]);
    }
    tree.conditions = std::move(rest);
    tree.relations[best_a] = std::move(best);
    tree.relations.erase(tree.relations.begin() + static_cast<std::ptrdiff_t>(best_b));
  }
  return tree.relations.front();
}

bool HasJoin(const PlanNode& node) {
  if (node.kind() == PlanKind::kJoin) return true;
  return std::any_of(node.children().begin(), node.children().end(),
                     [](const PlanNodePtr& child) { return HasJoin(*child); });
}

PlanNodePtr Estimate(const PlanNodePtr& node, const PlanStatistics& statistics) {
  if (node->kind() == PlanKind::kScan) {
    const ScanNode& scan = As<ScanNode>(*node);
    ScanNode::Spec spec = scan.spec();
    spec.matching_rows = statistics.Rows(scan);
    for (std::size_t i = 0; i < scan.outputs().size(); ++i) {
      const catalog::Column* column = scan.table().FindColumn(spec.storage_columns[i]);
      const bool of_series = column != nullptr && (column->kind == catalog::ColumnKind::kDimension ||
                                                   column->kind == catalog::ColumnKind::kMeasureName);
      if (!of_series) continue;
      const std::optional<double> distinct = statistics.DistinctValues(scan.table(), spec.storage_columns[i]);
      if (distinct.has_value()) spec.distinct_values[spec.storage_columns[i]] = *distinct;
    }
    return std::make_shared<ScanNode>(scan.outputs(), std::move(spec));
  }
  if (node->children().empty()) return node;
  std::vector<PlanNodePtr> children;
  for (const PlanNodePtr& child : node->children()) children.push_back(Estimate(child, statistics));
  return node->WithChildren(std::move(children));
}

}  // namespace

PlanNodePtr OrderJoins(const PlanNodePtr& root) {
  if (root->kind() == PlanKind::kJoin && CanMove(As<JoinNode>(*root))) {
    Tree tree;
    TakeApart(root, &tree);
    if (tree.relations.size() > 2 && tree.relations.size() <= kOrderedRelationsMax) {
      for (PlanNodePtr& relation : tree.relations) relation = OrderJoins(relation);
      PlanNodePtr ordered = PutTogether(std::move(tree));
      // The same columns in the same order, for whoever goes by place.
      std::vector<ProjectNode::Item> items;
      for (const OutputColumn& output : root->outputs()) {
        items.push_back({output, MakeColumn(output.column, output.type, output.name)});
      }
      return std::make_shared<ProjectNode>(std::move(ordered), std::move(items));
    }
  }
  return RewriteChildren(root, OrderJoins);
}

PlanNodePtr EstimateScans(const PlanNodePtr& root, const PlanStatistics& statistics) {
  return HasJoin(*root) ? Estimate(root, statistics) : root;
}

}  // namespace tideline::sql
