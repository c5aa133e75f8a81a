// sql/optimize/constant_evaluator.h: the value of an expression that reads no columns.
#pragma once

#include "base/status.h"
#include "base/time.h"
#include "sql/plan/expr.h"

namespace tideline::sql {

struct EvaluateOptions {
  TimestampNs now;
  bool compat_profile = false;
};

/// `expr` must satisfy IsConstantExpr. Branches that are not taken are not evaluated.
/// Errors: those of evaluation (kExecutionFailed); kUnimplemented for what only the executor can do
/// (lambdas, comparison of nested values). Either way the expression is left for the executor.
Result<Value> EvaluateConstant(const Expr& expr, const EvaluateOptions& options);

}  // namespace tideline::sql
