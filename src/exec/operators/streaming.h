// exec/operators/streaming.h: operators that pass batches through: filter, project, limit, and the
// sources at the beginning of a plan.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "exec/operators/operator.h"
#include "sql/plan/expr.h"

namespace tideline::exec {

/// Hands on the rows for which `predicate` is true.
Result<std::unique_ptr<Consumer>> NewFilter(const sql::Expr& predicate,
                                            const ColumnPositions& columns,
                                            const EvalContext& context, Consumer* next);

/// Hands on batches of new columns, one per expression.
Result<std::unique_ptr<Consumer>> NewProject(std::span<const sql::ExprPtr> exprs,
                                             const ColumnPositions& columns,
                                             const EvalContext& context, Consumer* next);

/// Hands on the columns at `positions`, in that order, perhaps under a type with another spelling.
std::unique_ptr<Consumer> NewPick(std::vector<std::size_t> positions, std::vector<Type> types,
                                  Consumer* next);

/// What the workers of a limit share.
struct LimitState {
  LimitState(std::int64_t skip, std::int64_t take)
      : offset(skip), count(take), enough(take == 0) {}
  const std::int64_t offset;
  const std::int64_t count;            ///< INT64_MAX: no limit
  std::atomic<std::int64_t> taken{0};  ///< rows that came so far
  std::atomic<bool> enough;            ///< workers may stop reading
};
std::unique_ptr<Consumer> NewLimit(std::shared_ptr<LimitState> state, Consumer* next);

/// Rows of a VALUES list: `rows[r][c]` reads no columns and is of type `types[c]`.
Result<std::shared_ptr<Source>> NewValuesSource(const std::vector<std::vector<sql::ExprPtr>>& rows,
                                                const std::vector<Type>& types,
                                                const EvalContext& context);

/// No rows.
std::shared_ptr<Source> NewEmptySource();

}  // namespace tideline::exec
