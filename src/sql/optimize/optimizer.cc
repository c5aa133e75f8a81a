#include "sql/optimize/optimizer.h"

#include "sql/optimize/decorrelate.h"
#include "sql/optimize/fold_constants.h"
#include "sql/optimize/order_joins.h"
#include "sql/optimize/prune_columns.h"
#include "sql/optimize/push_ends.h"
#include "sql/optimize/push_limits.h"
#include "sql/optimize/push_predicates.h"
#include "sql/optimize/push_steps.h"
#include "sql/optimize/share_plans.h"
#include "sql/plan/shared_node.h"

namespace tideline::sql {

namespace {

Status CheckOptimizedDepth(const PlanNode& root) {
  if (root.depth() <= kOptimizedDepthMax) return OkStatus();
  return ResourceExhausted("The query is too complex: its plan is more than {} operations deep", kOptimizedDepthMax);
}

}  // namespace

Result<PlanNodePtr> Optimize(PlanNodePtr root, const OptimizeOptions& options, std::uint32_t* column_count) {
  const EvaluateOptions evaluate{options.now, options.compat_profile};
  if (HasDependentJoin(*root)) {
    // Conditions on outer rows go down first, so that sub-queries are computed for what is left of them.
    if (options.enabled) root = PushPredicates(root, evaluate);
    root = TL_TRY(Decorrelate(root, {options.now, options.compat_profile}, column_count));
  }
  TL_TRY(CheckOptimizedDepth(*root));
  if (!options.enabled) return root;
  root = RewriteShared(root, [&](const PlanNodePtr& part) {
    PlanNodePtr plan = FoldConstants(part, evaluate);
    plan = PushPredicates(plan, evaluate);
    // A condition that went through a projection may have met constants there.
    plan = FoldConstants(plan, evaluate);
    if (options.statistics != nullptr) plan = EstimateScans(plan, *options.statistics);
    return OrderJoins(plan);
  });
  root = SharePlans(root, column_count);
  root = PruneColumns(root);
  root = RewriteShared(root, [](const PlanNodePtr& part) {
    // Projections go before limits are moved, which look for the scan right below.
    return PushSteps(PushEnds(PushLimits(MergeProjects(part))));
  });
  TL_TRY(CheckOptimizedDepth(*root));
  return root;
}

}  // namespace tideline::sql
