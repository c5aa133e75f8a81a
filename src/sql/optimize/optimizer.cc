#include "sql/optimize/optimizer.h"

#include "sql/optimize/fold_constants.h"
#include "sql/optimize/prune_columns.h"
#include "sql/optimize/push_ends.h"
#include "sql/optimize/push_limits.h"
#include "sql/optimize/push_predicates.h"

namespace tideline::sql {

PlanNodePtr Optimize(PlanNodePtr root, const OptimizeOptions& options) {
  if (!options.enabled) return root;
  const EvaluateOptions evaluate{options.now, options.compat_profile};
  root = FoldConstants(root, evaluate);
  root = PushPredicates(root, evaluate);
  // A condition that went through a projection may have met constants there.
  root = FoldConstants(root, evaluate);
  // Before limits, which look for the scan right below.
  root = MergeProjects(PruneColumns(root));
  return PushEnds(PushLimits(root));
}

}  // namespace tideline::sql
