#include "sql/optimize/constant_evaluator.h"

#include <algorithm>
#include <any>

#include "functions/cast.h"

namespace tideline::sql {

namespace {

/// a = b as SQL compares scalars of one type; nested values are left to the executor.
Result<bool> EqualScalars(const Value& a, const Value& b) {
  if (a.type().is_nested() || a.type().id() != b.type().id()) {
    return Unimplemented("comparison of {} is not folded", a.type().ToString());
  }
  if (a.type().is(TypeId::kDouble)) return a.floating() == b.floating();
  if (a.type().is(TypeId::kDecimal) && !(a.type() == b.type())) {
    return Unimplemented("comparison of decimals of two scales is not folded");
  }
  return a == b;
}

Result<Value> EvaluateCall(const Expr& expr, const EvaluateOptions& options) {
  std::vector<Vector> arguments;
  bool has_null = false;
  for (const ExprPtr& child : expr.children) {
    const Value value = TL_TRY(EvaluateConstant(*child, options));
    has_null = has_null || value.is_null();
    arguments.push_back(Vector::Constant(child->type, value, 1));
  }
  if (has_null && expr.scalar->nulls == functions::NullPolicy::kNullInNullOut) return Value::Null(expr.type);
  functions::KernelContext context{};
  context.now = options.now;
  context.compat_profile = options.compat_profile;
  context.result_type = &expr.type;
  std::any state;
  context.state = &state;
  Vector result = Vector::Flat(expr.type, 1);
  functions::RowErrors errors;
  TL_TRY(expr.scalar->overloads[expr.overload].kernel(context, arguments, Selection::All(1), &result, &errors));
  if (!errors.empty()) return errors.entries().front().status;
  return result.GetValue(0);
}

Result<Value> EvaluateLogic(const Expr& expr, const EvaluateOptions& options) {
  const bool decides = expr.kind == ExprKind::kOr;
  bool has_null = false;
  for (const ExprPtr& child : expr.children) {
    const Value value = TL_TRY(EvaluateConstant(*child, options));
    if (value.is_null()) {
      has_null = true;
    } else if (value.boolean() == decides) {
      return Value::Boolean(decides);
    }
  }
  return has_null ? Value::Null(Type::Boolean()) : Value::Boolean(!decides);
}

Result<Value> EvaluateCase(const Expr& expr, const EvaluateOptions& options) {
  std::size_t i = 0;
  for (; i + 1 < expr.children.size(); i += 2) {
    const Value when = TL_TRY(EvaluateConstant(*expr.children[i], options));
    if (!when.is_null() && when.boolean()) return EvaluateConstant(*expr.children[i + 1], options);
  }
  if (i < expr.children.size()) return EvaluateConstant(*expr.children[i], options);
  return Value::Null(expr.type);
}

Result<Value> EvaluateIn(const Expr& expr, const EvaluateOptions& options) {
  const Value needle = TL_TRY(EvaluateConstant(*expr.children[0], options));
  bool has_null = needle.is_null();
  for (std::size_t i = 1; i < expr.children.size(); ++i) {
    const Value item = TL_TRY(EvaluateConstant(*expr.children[i], options));
    if (item.is_null() || needle.is_null()) {
      has_null = true;
      continue;
    }
    const bool equal = TL_TRY(EqualScalars(needle, item));
    if (equal) return Value::Boolean(true);
  }
  return has_null ? Value::Null(Type::Boolean()) : Value::Boolean(false);
}

Result<Value> EvaluateCast(const Expr& expr, const EvaluateOptions& options) {
  const Value value = TL_TRY(EvaluateConstant(*expr.children[0], options));
  if (value.is_null()) return Value::Null(expr.type);
  Result<Value> cast = functions::CastValue(value, expr.type);
  if (!cast.ok() && expr.try_cast && CodeOf(cast.status()) == ErrorCode::kExecutionFailed) {
    return Value::Null(expr.type);
  }
  return cast;
}

}  // namespace

Result<Value> EvaluateConstant(const Expr& expr, const EvaluateOptions& options) {
  switch (expr.kind) {
    case ExprKind::kConstant:
      return expr.constant;
    case ExprKind::kCall:
      return EvaluateCall(expr, options);
    case ExprKind::kCast:
      return EvaluateCast(expr, options);
    case ExprKind::kAnd:
    case ExprKind::kOr:
      return EvaluateLogic(expr, options);
    case ExprKind::kCase:
      return EvaluateCase(expr, options);
    case ExprKind::kCoalesce:
      for (const ExprPtr& child : expr.children) {
        Value value = TL_TRY(EvaluateConstant(*child, options));
        if (!value.is_null()) return value;
      }
      return Value::Null(expr.type);
    case ExprKind::kNullIf: {
      Value a = TL_TRY(EvaluateConstant(*expr.children[0], options));
      const Value b = TL_TRY(EvaluateConstant(*expr.children[1], options));
      if (a.is_null() || b.is_null()) return a;
      const bool equal = TL_TRY(EqualScalars(a, b));
      if (equal) return Value::Null(expr.type);
      return a;
    }
    case ExprKind::kIn:
      return EvaluateIn(expr, options);
    case ExprKind::kIsNull: {
      const Value value = TL_TRY(EvaluateConstant(*expr.children[0], options));
      return Value::Boolean(value.is_null());
    }
    case ExprKind::kTry: {
      Result<Value> value = EvaluateConstant(*expr.children[0], options);
      if (!value.ok() && CodeOf(value.status()) == ErrorCode::kExecutionFailed) return Value::Null(expr.type);
      return value;
    }
    case ExprKind::kColumn:
    case ExprKind::kRow:
    case ExprKind::kField:
    case ExprKind::kLambda:
    case ExprKind::kParameter:
    case ExprKind::kSubquery:
      return Unimplemented("not folded");
  }
  return Internal("expression of unknown kind {}", static_cast<int>(expr.kind));
}

}  // namespace tideline::sql
