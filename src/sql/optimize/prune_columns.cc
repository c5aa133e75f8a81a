#include "sql/optimize/prune_columns.h"

#include <algorithm>

#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

PlanNodePtr Prune(const PlanNodePtr& node, const ColumnSet& wanted) {
  std::vector<PlanNodePtr> children;
  for (std::size_t i = 0; i < node->children().size(); ++i) {
    children.push_back(Prune(node->children()[i], node->Required(wanted, i)));
  }
  return node->Narrowed(wanted, std::move(children));
}

bool OnlyPicksColumns(const ProjectNode& project) {
  ColumnSet seen;
  for (const ProjectNode::Item& item : project.items()) {
    if (item.expr->kind != ExprKind::kColumn || seen.Has(item.expr->column)) return false;
    seen.Add(item.expr->column);
  }
  return true;
}

bool OnlyColumnsAndConstants(const ProjectNode& project) {
  return std::all_of(project.items().begin(), project.items().end(), [](const ProjectNode::Item& item) {
    return item.expr->kind == ExprKind::kColumn || item.expr->kind == ExprKind::kConstant;
  });
}

bool IsIdentity(const ProjectNode& project) {
  const std::vector<OutputColumn>& below = project.child()->outputs();
  if (project.items().size() != below.size()) return false;
  for (std::size_t i = 0; i < below.size(); ++i) {
    const ProjectNode::Item& item = project.items()[i];
    if (item.expr->kind != ExprKind::kColumn || item.expr->column != below[i].column ||
        item.output.column != below[i].column) {
      return false;
    }
  }
  return true;
}

}  // namespace

PlanNodePtr PruneColumns(const PlanNodePtr& root) { return Prune(root, root->OutputSet()); }

PlanNodePtr MergeProjects(const PlanNodePtr& root) {
  if (root->children().empty()) return root;
  std::vector<PlanNodePtr> children;
  for (const PlanNodePtr& child : root->children()) children.push_back(MergeProjects(child));
  PlanNodePtr node = root->WithChildren(std::move(children));
  if (node->kind() != PlanKind::kProject) return node;
  const ProjectNode& project = As<ProjectNode>(*node);
  if (IsIdentity(project)) return node->child();
  if (node->child()->kind() != PlanKind::kProject) return node;
  const ProjectNode& inner = As<ProjectNode>(*node->child());
  if (!OnlyPicksColumns(project) && !OnlyColumnsAndConstants(inner)) return node;
  std::vector<ProjectNode::Item> items = project.items();
  for (ProjectNode::Item& item : items) item.expr = inner.Inline(item.expr);
  PlanNodePtr merged = std::make_shared<ProjectNode>(inner.child(), std::move(items));
  return IsIdentity(As<ProjectNode>(*merged)) ? merged->child() : merged;
}

}  // namespace tideline::sql
