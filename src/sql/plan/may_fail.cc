#include "sql/plan/may_fail.h"

#include <algorithm>
#include <string_view>

namespace tideline::sql {

namespace {

constexpr std::string_view kSafeFunctions[] = {
    "$equal",  "$not_equal", "$less",  "$less_equal", "$greater", "$greater_equal", "$distinct_from", "$not",
    "upper",   "lower",      "length", "trim",        "ltrim",    "rtrim",          "reverse",        "substr",
    "substring", "starts_with", "ends_with", "is_nan", "is_finite", "is_infinite", "now", "current_timestamp",
};

bool IsSafeCall(const Expr& expr) {
  const std::string_view name = expr.scalar->name;
  // A pattern with ESCAPE can be malformed.
  if (name == "$like") return expr.children.size() == 2;
  if (std::find(std::begin(kSafeFunctions), std::end(kSafeFunctions), name) == std::end(kSafeFunctions)) return false;
  return std::none_of(expr.children.begin(), expr.children.end(),
                      [](const ExprPtr& child) { return child->type.is_nested(); });
}

bool IsSafeCast(const Expr& expr) {
  if (expr.try_cast) return true;
  const Type& from = expr.children[0]->type;
  switch (expr.type.id()) {
    case TypeId::kBigint:
      return from.is(TypeId::kInteger);
    case TypeId::kDouble:
      return from.is(TypeId::kInteger) || from.is(TypeId::kBigint);
    case TypeId::kVarchar:
      return !from.is_nested() && (from.is(TypeId::kVarchar) || expr.type.varchar_length() == Type::kUnboundedLength);
    default:
      return false;
  }
}

}  // namespace

bool MayFail(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kCall:
      if (!IsSafeCall(expr)) return true;
      break;
    case ExprKind::kCast:
      if (!IsSafeCast(expr)) return true;
      break;
    case ExprKind::kColumn:
    case ExprKind::kConstant:
    case ExprKind::kParameter:
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kCase:
    case ExprKind::kCoalesce:
    case ExprKind::kNullIf:
    case ExprKind::kIn:
    case ExprKind::kIsNull:
    case ExprKind::kRow:
    case ExprKind::kField:
      break;
    case ExprKind::kTry:
    case ExprKind::kLambda:
    case ExprKind::kSubquery:
      return true;
  }
  return std::any_of(expr.children.begin(), expr.children.end(), [](const ExprPtr& child) { return MayFail(*child); });
}

}  // namespace tideline::sql
