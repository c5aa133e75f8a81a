// sql/plan/may_fail.h: whether evaluating an expression can raise an error.
#pragma once

#include "sql/plan/expr.h"

namespace tideline::sql {

/// False only for what is known to be safe on every value of its columns: comparisons, logic, text
/// functions without limits, lossless casts. Conditions that may fail are never moved ahead of ones
/// that stay, which may keep the offending rows out.
bool MayFail(const Expr& expr);

}  // namespace tideline::sql
