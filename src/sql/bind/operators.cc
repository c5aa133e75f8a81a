// What the operators of the grammar mean for which types.
#include "functions/cast.h"
#include "sql/bind/expression_binder.h"

namespace tideline::sql {

namespace {

bool IsTimeType(const Type& type) {
  return type.is(TypeId::kTimestamp) || type.is(TypeId::kDate) || type.is(TypeId::kTime);
}

std::string TypesOf(std::span<const ExprPtr> arguments) {
  std::string out;
  for (const ExprPtr& argument : arguments) {
    if (!out.empty()) out += ", ";
    out += argument->type.ToString();
  }
  return out;
}

/// `pair` of text and time: the time type; nothing for any other pair.
std::optional<Type> TimeOfPair(const Type& a, const Type& b) {
  if (a.is(TypeId::kVarchar) && IsTimeType(b)) return b;
  if (b.is(TypeId::kVarchar) && IsTimeType(a)) return a;
  return std::nullopt;
}

std::string_view BinaryFunction(ast::BinaryOperator op) {
  switch (op) {
    case ast::BinaryOperator::kAdd:
      return "$add";
    case ast::BinaryOperator::kSubtract:
      return "$subtract";
    case ast::BinaryOperator::kMultiply:
      return "$multiply";
    case ast::BinaryOperator::kDivide:
      return "$divide";
    case ast::BinaryOperator::kModulo:
      return "$modulus";
    case ast::BinaryOperator::kConcat:
      return "$concat";
  }
  return {};
}

}  // namespace

ExprPtr ExpressionBinder::CoerceTo(const ExprPtr& expr, const Type& type) {
  if (expr->kind == ExprKind::kParameter && expr->type.is(TypeId::kUnknown)) {
    context_.NoteParameter(expr->name, type);
    auto typed = std::make_shared<Expr>(*expr);
    typed->type = type;
    return typed;
  }
  // A longer varchar holds a shorter one as it is.
  if (expr->kind == ExprKind::kConstant && expr->type.is(TypeId::kVarchar) && type.is(TypeId::kVarchar) &&
      type.varchar_length() == Type::kUnboundedLength && !expr->constant.is_null()) {
    return MakeConstant(Value::Text(type, expr->constant.text()), expr->position);
  }
  return MakeCast(expr, type);
}

std::optional<Type> ExpressionBinder::CommonType(std::span<const ExprPtr> parts, bool in_time_context) {
  Type common = parts.front()->type;
  for (const ExprPtr& part : parts.subspan(1)) {
    std::optional<Type> wider = functions::CommonSuperType(common, part->type);
    if (!wider.has_value() && in_time_context) wider = TimeOfPair(common, part->type);
    if (!wider.has_value()) return std::nullopt;
    common = *std::move(wider);
  }
  return common;
}

Result<ExprPtr> MakeNot(ExprPtr expr, Position at, BindContext& context) {
  const functions::ScalarFunction* function = context.registry.FindScalar("$not");
  if (function == nullptr) return Internal("operator NOT is not registered");
  return MakeCall(*function, 0, Type::Boolean(), {std::move(expr)}, at);
}

Result<ExprPtr> ExpressionBinder::BindOperatorCall(std::string_view function, std::string_view symbol,
                                                   std::vector<ExprPtr> arguments, Position at) {
  const functions::ScalarFunction* scalar = context_.registry.FindScalar(function);
  if (scalar == nullptr) return Internal("operator {} is not registered", function);
  std::vector<Type> types;
  for (const ExprPtr& argument : arguments) types.push_back(argument->type);
  const std::vector<int> arity(arguments.size(), 0);
  const Result<functions::ResolvedTypes> resolved =
      functions::ResolveOverload(function, context_.registry.SignaturesOf(*scalar), types, arity);
  if (!resolved.ok()) return ErrorAt(at, "'{}' cannot be applied to {}", symbol, TypesOf(arguments));
  std::vector<ExprPtr> coerced = TL_TRY(CoerceArguments(*resolved, std::move(arguments)));
  context_.NoteFunction(*scalar);
  return MakeCall(*scalar, resolved->overload, resolved->result_type, std::move(coerced), at);
}

Result<ExprPtr> ExpressionBinder::BindComparison(std::string_view function, std::string_view symbol,
                                                 ExprPtr left, ExprPtr right, Position at) {
  const ExprPtr pair[] = {left, right};
  std::optional<Type> common = CommonType(pair, true);
  if (!common.has_value()) return ErrorAt(at, "'{}' cannot be applied to {}", symbol, TypesOf(pair));
  // NULL = NULL has no type to compare in; any will do.
  if (common->is(TypeId::kUnknown)) common = Type::Boolean();
  const std::string types = TypesOf(pair);
  Result<ExprPtr> call =
      BindOperatorCall(function, symbol, {CoerceTo(left, *common), CoerceTo(right, *common)}, at);
  if (!call.ok() && CodeOf(call.status()) == ErrorCode::kInvalidArgument) {
    return ErrorAt(at, "'{}' cannot be applied to {}", symbol, types);  // types as they were written
  }
  return call;
}

Result<ExprPtr> ExpressionBinder::BindUnary(const ast::UnaryExpr& unary) {
  ExprPtr operand = TL_TRY(Bind(*unary.operand));
  const Position at = PlaceOf(unary.position);
  const bool minus = unary.op == ast::UnaryOperator::kMinus;
  const bool negatable = operand->type.is_numeric() || operand->type.is(TypeId::kIntervalDayToSecond) ||
                         operand->type.is(TypeId::kIntervalYearToMonth) || operand->type.is(TypeId::kUnknown);
  if (!negatable) {
    return ErrorAt(at, "'{}' cannot be applied to {}", minus ? "-" : "+", operand->type.ToString());
  }
  if (!minus) return operand;
  if (operand->type.is(TypeId::kUnknown)) operand = CoerceTo(operand, Type::Integer());
  // -2147483648 is an integer though 2147483648 is not.
  if (operand->kind == ExprKind::kConstant && operand->type.is(TypeId::kBigint) && !operand->constant.is_null() &&
      operand->constant.integer() == std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1) {
    return MakeConstant(Value::Integer(std::numeric_limits<std::int32_t>::min()), at);
  }
  return BindOperatorCall("$negate", "-", {std::move(operand)}, at);
}

Result<ExprPtr> ExpressionBinder::BindBinary(const ast::BinaryExpr& binary) {
  std::vector<ExprPtr> operands(2);
  operands[0] = TL_TRY(Bind(*binary.left));
  operands[1] = TL_TRY(Bind(*binary.right));
  const Position at = PlaceOf(binary.position);
  const std::string_view symbol = ast::BinaryOperatorText(binary.op);
  if (binary.op != ast::BinaryOperator::kConcat) {
    // Text becomes time as an argument and in comparisons, never in arithmetic.
    for (const ExprPtr& operand : operands) {
      if (operand->type.is(TypeId::kVarchar)) {
        return ErrorAt(at, "'{}' cannot be applied to {}", symbol, TypesOf(operands));
      }
    }
  }
  return BindOperatorCall(BinaryFunction(binary.op), symbol, std::move(operands), at);
}

Result<ExprPtr> ExpressionBinder::BindLogical(const ast::LogicalExpr& logical) {
  std::vector<ExprPtr> operands;
  for (std::size_t i = 0; i < logical.operands.size(); ++i) {
    ExprPtr operand = TL_TRY(BindCondition(*logical.operands[i], i == 0 ? "Left side of logical expression"
                                                                        : "Right side of logical expression"));
    operands.push_back(std::move(operand));
  }
  return MakeExpr(logical.op == ast::LogicalOperator::kAnd ? ExprKind::kAnd : ExprKind::kOr, Type::Boolean(),
                  std::move(operands), PlaceOf(logical.position));
}

Result<ExprPtr> ExpressionBinder::BindBetween(const ast::BetweenExpr& between) {
  ExprPtr value = TL_TRY(Bind(*between.value));
  ExprPtr low = TL_TRY(Bind(*between.low));
  ExprPtr high = TL_TRY(Bind(*between.high));
  const Position at = PlaceOf(between.position);
  const ExprPtr parts[] = {value, low, high};
  std::optional<Type> common = CommonType(parts, true);
  if (!common.has_value() || (!common->is(TypeId::kUnknown) && !common->is_orderable())) {
    return ErrorAt(at, "Cannot check if {} is BETWEEN {} and {}", value->type.ToString(), low->type.ToString(),
                   high->type.ToString());
  }
  if (HasVolatileCall(*value)) {
    // Two comparisons would draw two values.
    ExprPtr test = TL_TRY(BindOperatorCall(
        "$between", "BETWEEN", {CoerceTo(value, *common), CoerceTo(low, *common), CoerceTo(high, *common)}, at));
    if (!between.negated) return test;
    return MakeNot(std::move(test), at, context_);
  }
  ExprPtr from = TL_TRY(BindComparison("$greater_equal", ">=", CoerceTo(value, *common), CoerceTo(low, *common), at));
  ExprPtr to = TL_TRY(BindComparison("$less_equal", "<=", CoerceTo(value, *common), CoerceTo(high, *common), at));
  ExprPtr both = MakeExpr(ExprKind::kAnd, Type::Boolean(), {std::move(from), std::move(to)}, at);
  if (!between.negated) return both;
  return MakeNot(std::move(both), at, context_);
}

Result<ExprPtr> ExpressionBinder::BindInList(const ast::InListExpr& in) {
  std::vector<ExprPtr> parts;
  ExprPtr value = TL_TRY(Bind(*in.value));
  parts.push_back(std::move(value));
  for (const ast::ExprPtr& item : in.items) {
    ExprPtr bound = TL_TRY(Bind(*item));
    parts.push_back(std::move(bound));
  }
  const Position at = PlaceOf(in.position);
  std::optional<Type> common = CommonType(parts, true);
  if (!common.has_value()) {
    return ErrorAt(at, "IN value and list items must be the same type: {}", TypesOf(parts));
  }
  if (common->is(TypeId::kUnknown)) common = Type::Boolean();
  if (!common->is_comparable()) return ErrorAt(at, "Type {} cannot be compared in IN", common->ToString());
  for (ExprPtr& part : parts) part = CoerceTo(part, *common);
  ExprPtr test = MakeExpr(ExprKind::kIn, Type::Boolean(), std::move(parts), at);
  if (!in.negated) return test;
  return MakeNot(std::move(test), at, context_);
}

Result<ExprPtr> ExpressionBinder::BindLike(const ast::LikeExpr& like) {
  const Position at = PlaceOf(like.position);
  std::vector<ExprPtr> parts;
  const auto add = [&](const ast::Expr& expr, std::string_view who) -> Status {
    ExprPtr bound = TL_TRY(Bind(expr));
    if (bound->type.is(TypeId::kUnknown)) bound = CoerceTo(bound, Type::Varchar());
    if (!bound->type.is(TypeId::kVarchar)) {
      return ErrorAt(expr.position, "{} LIKE expression must evaluate to a varchar (actual: {})", who,
                     bound->type.ToString());
    }
    parts.push_back(std::move(bound));
    return OkStatus();
  };
  TL_TRY(add(*like.value, "Left side of"));
  TL_TRY(add(*like.pattern, "Pattern for"));
  if (like.escape != nullptr) TL_TRY(add(*like.escape, "Escape for"));
  ExprPtr test = TL_TRY(BindOperatorCall("$like", "LIKE", std::move(parts), at));
  if (!like.negated) return test;
  return MakeNot(std::move(test), at, context_);
}

}  // namespace tideline::sql
