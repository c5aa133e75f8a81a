// exec/operators/unnest.h: a row per element of arrays, maps and time series.
#pragma once

#include <memory>

#include "exec/operators/operator.h"
#include "sql/plan/unnest_node.h"

namespace tideline::exec {

/// Hands on each row once per element of `node`'s values, a batch at a time. `node` and `context`
/// outlive the consumer; `columns` are those of its child.
Result<std::unique_ptr<Consumer>> NewUnnest(const sql::UnnestNode& node, const ColumnPositions& columns,
                                            const EvalContext& context, Consumer* next);

}  // namespace tideline::exec
