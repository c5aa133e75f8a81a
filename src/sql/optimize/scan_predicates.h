// sql/optimize/scan_predicates.h: conditions above a scan, turned into what storage can use.
#pragma once

#include <vector>

#include "sql/optimize/constant_evaluator.h"
#include "sql/plan/scan_node.h"

namespace tideline::sql {

/// `scan` with `conjuncts` (over its outputs) added: time ranges, series predicates, and a residual
/// for what neither can express. Conjuncts keep their order in the residual.
PlanNodePtr AddPredicates(const ScanNode& scan, const std::vector<ExprPtr>& conjuncts,
                          const EvaluateOptions& options);

}  // namespace tideline::sql
