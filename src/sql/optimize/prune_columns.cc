#include "sql/optimize/prune_columns.h"

#include <algorithm>
#include <functional>
#include <map>

#include "sql/plan/project_node.h"
#include "sql/plan/shared_node.h"

namespace tideline::sql {

namespace {

/// Columns of each shared plan that some place reads.
using SharedWanted = std::map<const SharedPlan*, ColumnSet>;

PlanNodePtr Prune(const PlanNodePtr& node, const ColumnSet& wanted, SharedWanted* shared) {
  std::vector<PlanNodePtr> children;
  for (std::size_t i = 0; i < node->children().size(); ++i) {
    children.push_back(Prune(node->children()[i], node->Required(wanted, i), shared));
  }
  PlanNodePtr narrowed = node->Narrowed(wanted, std::move(children));
  if (narrowed->kind() == PlanKind::kShared) {
    const SharedNode& use = As<SharedNode>(*narrowed);
    for (const ColumnRef column : use.inputs()) (*shared)[&use.plan()].Add(column);
  }
  return narrowed;
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

PlanNodePtr PruneColumns(const PlanNodePtr& root) {
  SharedWanted wanted;
  const std::vector<SharedPlanPtr> plans = SharedPlansOf(*root);
  PlanNodePtr pruned = Prune(root, root->OutputSet(), &wanted);
  if (plans.empty()) return pruned;
  // Who reads a plan comes before it: then it is known what all its readers want.
  std::map<std::uint32_t, PlanNodePtr> roots;
  for (std::size_t i = plans.size(); i-- > 0;) {
    roots[plans[i]->id] = Prune(plans[i]->root, wanted[plans[i].get()], &wanted);
  }
  std::map<std::uint32_t, SharedPlanPtr> made;
  const std::function<PlanNodePtr(const PlanNodePtr&)> replace = [&](const PlanNodePtr& node) -> PlanNodePtr {
    if (node->kind() == PlanKind::kShared) return As<SharedNode>(*node).WithPlan(made.at(As<SharedNode>(*node).plan().id));
    if (node->children().empty()) return node;
    std::vector<PlanNodePtr> children;
    for (const PlanNodePtr& child : node->children()) children.push_back(replace(child));
    return node->WithChildren(std::move(children));
  };
  // A plan that nobody reads any more is not run: nothing refers to it.
  for (const SharedPlanPtr& plan : plans) {
    made[plan->id] = std::make_shared<SharedPlan>(SharedPlan{plan->id, replace(roots.at(plan->id))});
  }
  return replace(pruned);
}

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
