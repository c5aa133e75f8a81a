// exec/operators/join.h: pairs of rows by hashing, or by trying every pair when there is no equality.
//
// One side, the smaller by estimate, is read first and kept: its columns lie as one flat vector each,
// and rows with equal keys side by side in a list of row numbers. The other side then streams by: each
// of its rows finds the list of its key (a text key once per dictionary entry), and the pairs go on in
// batches, after whatever of the condition is not an equality has been tried on them. Without keys
// the list is all rows. Rows kept without a partner follow their batch, or, on the side that was read
// first, come at the very end.
//
// Null and NaN equal nothing. Memory for the kept side is charged to the operator's budget; when that is
// short, parts of both sides go to disk (join_build.h, spilled_join.h).
#pragma once

#include <memory>

#include "exec/operators/operator.h"
#include "exec/operators/operator_context.h"
#include "exec/scan/runtime_filter.h"
#include "sql/plan/join_node.h"

namespace tideline::exec {

/// Takes the rows of one child as a sink; then the other child's rows pass through NewProbe.
class JoinBreaker : public Sink {
 public:
  /// `own` outlives the breaker. kUnimplemented for a join that cannot be run.
  static Result<std::shared_ptr<JoinBreaker>> Make(const sql::JoinNode& node, bool build_left,
                                                   OperatorContext* own);
  /// Which child to read first, if they deliver so many rows.
  static bool ShouldBuildLeft(const sql::JoinNode& node, double left_rows, double right_rows);

  /// Shows `filter` the key of every row that is kept; before the first consumer is made.
  virtual void AddFilter(std::shared_ptr<RuntimeFilter> filter) = 0;
  /// Takes the other child's rows, with its outputs as columns, and hands on the join's.
  virtual Result<std::unique_ptr<Consumer>> NewProbe(Consumer* next) = 0;
  /// Rows of the kept side that found no partner, to be read when all probes have finished; null
  /// pointer if the join does not deliver them.
  virtual std::shared_ptr<Source> Unmatched() = 0;
  /// The join's rows of what both sides put on disk, to be read after Unmatched; null pointer if
  /// nothing can go there.
  virtual std::shared_ptr<Source> Spilled() = 0;
};

}  // namespace tideline::exec
