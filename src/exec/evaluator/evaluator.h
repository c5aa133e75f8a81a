// exec/evaluator/evaluator.h: runs a bound expression over batches.
//
// An expression is compiled once per thread into a tree of nodes that know the positions of their
// columns and keep the state of their kernels (compiled patterns, hash sets of IN lists). What makes
// it fast: a part that reads no column is computed once; a part that reads one column only is
// computed once per dictionary entry, per run of equal codes, or once for a constant column; nothing
// is computed for rows outside the selection.
//
// What makes it right: AND, OR, CASE, COALESCE and TRY evaluate a part only for rows that need it, so
// that `CASE WHEN y <> 0 THEN x / y END` never fails. A row that failed is null from there on and its
// error is kept aside: the query fails with it unless a TRY above turns it into a null.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "base/status.h"
#include "columnar/vector.h"
#include "functions/function.h"
#include "sql/plan/expr.h"

namespace tideline::exec {

class ExprNode;

/// Where each column of a query lies in a batch; ids without a place are not in it.
class ColumnPositions {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  void Set(sql::ColumnRef column, std::size_t position) {
    if (column.id >= positions_.size()) positions_.resize(column.id + 1, kNone);
    positions_[column.id] = static_cast<std::uint32_t>(position);
  }
  /// kNone when absent.
  std::uint32_t Find(sql::ColumnRef column) const {
    return column.id < positions_.size() ? positions_[column.id] : kNone;
  }

 private:
  std::vector<std::uint32_t> positions_;
};

/// What an expression may know of its query. The pointers outlive every evaluator.
struct EvalContext {
  TimestampNs now;
  bool compat_profile = false;
  const CancelToken* cancel = nullptr;
  MemoryBudget* memory = nullptr;
  std::uint64_t random_seed = 0;
  Deadline deadline;
  const Clock* clock = nullptr;

  /// For operators that work long on one batch: kCancelled, kDeadlineExceeded or OK.
  Status CheckStillWanted() const {
    if (clock != nullptr && cancel != nullptr) return CheckLive(*cancel, deadline, *clock);
    return cancel != nullptr && cancel->cancelled() ? Cancelled("the query was cancelled") : OkStatus();
  }
};

/// One expression, ready to run on one thread. Not thread-safe; make one per thread.
class Evaluator {
 public:
  /// kInternal when `expr` reads a column that `columns` lacks; kUnimplemented for an expression that
  /// should have been planned away (sub-query, unbound parameter).
  static Result<Evaluator> Make(const sql::Expr& expr, const ColumnPositions& columns,
                                const EvalContext& context);
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;
  ~Evaluator();

  /// Computes `rows` of `batch`. `result` has batch.row_count rows in any encoding; rows outside the
  /// selection are unspecified but safe to read. Fails with the error of the first failing row.
  Status Evaluate(const Batch& batch, const Selection& rows, Vector* result);

  /// For a boolean expression: appends the rows among `rows` for which it is true to `*passed`, in
  /// order. A conjunction is taken part by part, each on what the earlier ones left.
  Status Select(const Batch& batch, const Selection& rows, std::vector<std::uint32_t>* passed);

 private:
  Evaluator();
  Status Part(ExprNode& node, const Batch& batch, const Selection& rows, Vector* result);
  std::unique_ptr<Random> random_;
  std::vector<std::unique_ptr<ExprNode>> parts_;  // more than one: a conjunction, for Select
  std::unique_ptr<ExprNode> whole_;
};

/// The lambdas of one aggregate call, which read nothing but their parameters; for one thread.
class LambdaSet {
 public:
  static Result<LambdaSet> Make(std::span<const sql::ExprPtr> lambdas, const EvalContext& context);
  LambdaSet();
  LambdaSet(LambdaSet&&) noexcept;
  LambdaSet& operator=(LambdaSet&&) noexcept;
  ~LambdaSet();
  /// For KernelContext::lambdas; valid while the set lives, wherever it is moved.
  std::span<const functions::Lambda* const> pointers() const { return pointers_; }

 private:
  std::unique_ptr<Random> random_;
  std::vector<std::unique_ptr<functions::Lambda>> lambdas_;
  std::vector<const functions::Lambda*> pointers_;
};

/// `expr`, which reads no column, as a value: VALUES rows, limits.
Result<Vector> EvaluateConstant(const sql::Expr& expr, const EvalContext& context);

}  // namespace tideline::exec
