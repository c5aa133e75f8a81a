#include "sql/bind/expression_binder.h"

#include "functions/cast.h"
#include "functions/decimal.h"
#include "sql/bind/type_names.h"

namespace tideline::sql {

namespace {

/// @scheduled_runtime, the one parameter with a type of its own.
constexpr std::string_view kScheduledRuntime = "scheduled_runtime";

ExprPtr MakeTextConstant(std::string text, Position at) {
  const Type type = Type::Varchar(CodePointCount(text));
  return MakeConstant(Value::Text(type, std::move(text)), at);
}

ExprPtr MakeIntegerConstant(std::int64_t value, Position at) {
  const bool small = value <= std::numeric_limits<std::int32_t>::max();
  return MakeConstant(small ? Value::Integer(static_cast<std::int32_t>(value)) : Value::Bigint(value), at);
}

std::string_view CurrentTimeFunction(ast::CurrentTimeKind kind) {
  switch (kind) {
    case ast::CurrentTimeKind::kDate:
      return "current_date";
    case ast::CurrentTimeKind::kTime:
      return "current_time";
    case ast::CurrentTimeKind::kTimestamp:
      return "current_timestamp";
    case ast::CurrentTimeKind::kLocalTime:
      return "localtime";
    case ast::CurrentTimeKind::kLocalTimestamp:
      return "localtimestamp";
  }
  return {};
}

std::string UpperCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

}  // namespace

Result<ExprPtr> ExpressionBinder::Bind(const ast::Expr& expr) {
  TL_TRY(context_.CountExpr());
  ExprPtr bound = TL_TRY(BindNode(expr));
  // These write an operand more than once, so that nesting them doubles.
  const bool doubles = expr.kind == ast::ExprKind::kBetween || expr.kind == ast::ExprKind::kCase ||
                       expr.kind == ast::ExprKind::kFunctionCall;
  if (doubles && CountNodes(*bound, kExprNodesMax) > kExprNodesMax) {
    return ResourceExhausted("line {}:{}: The expression is too complex: more than {} parts", expr.position.line,
                             expr.position.column, kExprNodesMax);
  }
  return bound;
}

Result<ExprPtr> ExpressionBinder::BindNode(const ast::Expr& expr) {
  const Position at = PlaceOf(expr.position);
  switch (expr.kind) {
    case ast::ExprKind::kNullLiteral:
      return MakeConstant(Value(), at);
    case ast::ExprKind::kBooleanLiteral:
      return MakeConstant(Value::Boolean(As<ast::BooleanLiteral>(expr).value), at);
    case ast::ExprKind::kIntegerLiteral:
      return MakeIntegerConstant(As<ast::IntegerLiteral>(expr).value, at);
    case ast::ExprKind::kDoubleLiteral:
      return MakeConstant(Value::Double(As<ast::DoubleLiteral>(expr).value), at);
    case ast::ExprKind::kStringLiteral:
      return MakeTextConstant(As<ast::StringLiteral>(expr).value, at);
    case ast::ExprKind::kBinaryLiteral:
      return MakeConstant(Value::Text(Type::Varbinary(), As<ast::BinaryLiteral>(expr).value), at);
    case ast::ExprKind::kIntervalLiteral: {
      const auto& literal = As<ast::IntervalLiteral>(expr);
      return MakeConstant(literal.family == ast::IntervalFamily::kDayToSecond
                              ? Value::DayToSecond(literal.value)
                              : Value::YearToMonth(static_cast<std::int32_t>(literal.value)),
                          at);
    }
    case ast::ExprKind::kTypedLiteral:
      return BindTypedLiteral(As<ast::TypedLiteral>(expr));
    case ast::ExprKind::kColumnRef:
      return BindColumn(As<ast::ColumnRef>(expr));
    case ast::ExprKind::kParameter:
      return BindParameter(As<ast::Parameter>(expr));
    case ast::ExprKind::kCurrentTime:
      return BindScalarCall(CurrentTimeFunction(As<ast::CurrentTimeExpr>(expr).which), {}, at);
    case ast::ExprKind::kUnary:
      return BindUnary(As<ast::UnaryExpr>(expr));
    case ast::ExprKind::kBinary:
      return BindBinary(As<ast::BinaryExpr>(expr));
    case ast::ExprKind::kComparison: {
      const auto& comparison = As<ast::ComparisonExpr>(expr);
      ExprPtr left = TL_TRY(Bind(*comparison.left));
      ExprPtr right = TL_TRY(Bind(*comparison.right));
      constexpr std::string_view kFunctions[] = {"$equal", "$not_equal", "$less",
                                                 "$less_equal", "$greater", "$greater_equal"};
      return BindComparison(kFunctions[static_cast<std::size_t>(comparison.op)],
                            ast::ComparisonOperatorText(comparison.op), std::move(left), std::move(right), at);
    }
    case ast::ExprKind::kLogical:
      return BindLogical(As<ast::LogicalExpr>(expr));
    case ast::ExprKind::kNot: {
      ExprPtr operand = TL_TRY(BindCondition(*As<ast::NotExpr>(expr).operand, "Value of logical NOT expression"));
      return MakeNot(std::move(operand), at, context_);
    }
    case ast::ExprKind::kBetween:
      return BindBetween(As<ast::BetweenExpr>(expr));
    case ast::ExprKind::kInList:
      return BindInList(As<ast::InListExpr>(expr));
    case ast::ExprKind::kInSubquery:
      return BindInSubquery(As<ast::InSubqueryExpr>(expr));
    case ast::ExprKind::kLike:
      return BindLike(As<ast::LikeExpr>(expr));
    case ast::ExprKind::kIsNull: {
      const auto& is_null = As<ast::IsNullExpr>(expr);
      ExprPtr value = TL_TRY(Bind(*is_null.value));
      ExprPtr test = MakeExpr(ExprKind::kIsNull, Type::Boolean(), {std::move(value)}, at);
      return is_null.negated ? MakeNot(std::move(test), at, context_) : Result<ExprPtr>(std::move(test));
    }
    case ast::ExprKind::kIsDistinctFrom: {
      const auto& distinct = As<ast::IsDistinctFromExpr>(expr);
      ExprPtr left = TL_TRY(Bind(*distinct.left));
      ExprPtr right = TL_TRY(Bind(*distinct.right));
      ExprPtr test = TL_TRY(BindComparison("$distinct_from", "IS DISTINCT FROM", std::move(left), std::move(right), at));
      return distinct.negated ? MakeNot(std::move(test), at, context_) : Result<ExprPtr>(std::move(test));
    }
    case ast::ExprKind::kQuantified:
      return BindQuantified(As<ast::QuantifiedExpr>(expr));
    case ast::ExprKind::kAtTimeZone: {
      const auto& zoned = As<ast::AtTimeZoneExpr>(expr);
      if (context_.registry.FindScalar("at_timezone") == nullptr) {
        return NotSupportedYet(expr.position, "AT TIME ZONE");
      }
      ExprPtr value = TL_TRY(Bind(*zoned.value));
      ExprPtr zone = TL_TRY(Bind(*zoned.zone));
      return BindScalarCall("at_timezone", {std::move(value), std::move(zone)}, at);
    }
    case ast::ExprKind::kSubscript:
      return BindSubscript(As<ast::SubscriptExpr>(expr));
    case ast::ExprKind::kFieldAccess: {
      const auto& access = As<ast::FieldAccessExpr>(expr);
      ExprPtr base = TL_TRY(Bind(*access.base));
      return BindField(std::move(base), access.field);
    }
    case ast::ExprKind::kRow: {
      std::vector<ExprPtr> items;
      std::vector<Type::Field> fields;
      for (const ast::ExprPtr& item : As<ast::RowExpr>(expr).items) {
        ExprPtr bound = TL_TRY(Bind(*item));
        fields.push_back({std::string(), bound->type});
        items.push_back(std::move(bound));
      }
      return MakeExpr(ExprKind::kRow, Type::Row(std::move(fields)), std::move(items), at);
    }
    case ast::ExprKind::kArray:
      return BindArray(As<ast::ArrayExpr>(expr));
    case ast::ExprKind::kCase:
      return BindCase(As<ast::CaseExpr>(expr));
    case ast::ExprKind::kCast:
      return BindCast(As<ast::CastExpr>(expr));
    case ast::ExprKind::kExtract:
      return BindExtract(As<ast::ExtractExpr>(expr));
    case ast::ExprKind::kFunctionCall:
      return BindCall(As<ast::FunctionCall>(expr));
    case ast::ExprKind::kLambda:
      return ErrorAt(at, "Lambda expression should always be used inside a function");
    case ast::ExprKind::kGrouping:
      return BindGrouping(As<ast::GroupingExpr>(expr));
    case ast::ExprKind::kScalarSubquery:
      return BindScalarSubquery(As<ast::ScalarSubquery>(expr));
    case ast::ExprKind::kExists:
      return BindExists(As<ast::ExistsExpr>(expr));
  }
  return Internal("expression of unknown kind {}", static_cast<int>(expr.kind));
}

Result<ExprPtr> ExpressionBinder::BindCondition(const ast::Expr& expr, std::string_view who) {
  ExprPtr bound = TL_TRY(Bind(expr));
  if (bound->type.is(TypeId::kUnknown)) return CoerceTo(bound, Type::Boolean());
  if (!bound->type.is(TypeId::kBoolean)) {
    // The service ends this text with ": ", and clients compare it.
    return ErrorAt(expr.position, "{} must evaluate to a boolean (actual: {}): ", who, bound->type.ToString());
  }
  return bound;
}

Result<ExprPtr> ExpressionBinder::BindTypedLiteral(const ast::TypedLiteral& literal) {
  const Position at = PlaceOf(literal.position);
  Type type = TL_TRY(ResolveTypeName(literal.type));
  if (type.is(TypeId::kJson)) {
    // JSON '[1]' is an array; the cast of a varchar would be the JSON string "[1]".
    return BindScalarCall("json_parse", {MakeConstant(Value::Varchar(literal.text), at)}, at);
  }
  if (type.is(TypeId::kDecimal) && literal.type.parameters.empty()) {
    const std::optional<Type> own = functions::DecimalTypeOf(literal.text);
    if (!own.has_value()) return ErrorAt(at, "'{}' is not a valid decimal literal", literal.text);
    type = *own;
  }
  if (!functions::CanCast(Type::Varchar(), type)) {
    return ErrorAt(at, "Cannot cast {} to {}", Type::Varchar(CodePointCount(literal.text)).ToString(), type.ToString());
  }
  Result<Value> value = functions::CastValue(Value::Varchar(literal.text), type);
  if (!value.ok()) return ErrorAt(at, "'{}' is not a valid {} literal", literal.text, type.ToString());
  return MakeConstant(*std::move(value), at);
}

Result<ExprPtr> ExpressionBinder::BindColumn(const ast::ColumnRef& column) {
  const Position at = PlaceOf(column.position);
  // Parameters of lambdas hide everything else.
  for (const bool fold : {false, true}) {
    for (std::size_t i = lambda_parameters_.size(); i-- > 0;) {
      const ExprAlias& parameter = lambda_parameters_[i];
      const std::string& name = column.parts[0].text;
      if (fold ? !EqualsIgnoreCase(parameter.name, name) : parameter.name != name) continue;
      ExprPtr bound = parameter.expr;
      for (std::size_t k = 1; k < column.parts.size(); ++k) {
        bound = TL_TRY(BindField(std::move(bound), column.parts[k]));
      }
      return bound;
    }
  }
  if (place_.aliases != nullptr && column.parts.size() == 1) {
    const std::string& name = column.parts[0].text;
    for (const bool fold : {false, true}) {
      const ExprAlias* found = nullptr;
      for (const ExprAlias& alias : *place_.aliases) {
        if (fold ? !EqualsIgnoreCase(alias.name, name) : alias.name != name) continue;
        if (found != nullptr && !SameExpr(*found->expr, *alias.expr)) {
          return ErrorAt(at, "Column '{}' is ambiguous", name);
        }
        found = &alias;
      }
      if (found != nullptr) return found->expr;
    }
  }
  const Scope::Match match = TL_TRY(scope_.Resolve(column.parts, column.position, context_.extended()));
  ExprPtr bound = match.column->expr;
  if (bound->kind == ExprKind::kColumn) {
    auto placed = std::make_shared<Expr>(*bound);
    placed->position = at;
    bound = std::move(placed);
  }
  for (std::size_t i = match.parts; i < column.parts.size(); ++i) {
    bound = TL_TRY(BindField(std::move(bound), column.parts[i]));
  }
  return bound;
}

Result<ExprPtr> ExpressionBinder::BindField(ExprPtr base, const ast::Identifier& field) {
  if (!base->type.is(TypeId::kRow)) {
    return ErrorAt(field.position, "Expression of type {} has no field '{}'", base->type.ToString(), field.text);
  }
  const std::vector<Type::Field>& fields = base->type.fields();
  const auto make = [&](std::size_t index) {
    auto expr = std::make_shared<Expr>();
    expr->kind = ExprKind::kField;
    expr->type = fields[index].type;
    expr->field_index = static_cast<std::uint32_t>(index);
    expr->position = PlaceOf(field.position);
    expr->children.push_back(base);
    return ExprPtr(std::move(expr));
  };
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    // Anonymous fields answer to field0, field1, ...
    const std::string name = fields[i].name.empty() ? fmt::format("field{}", i) : fields[i].name;
    if (!EqualsIgnoreCase(name, field.text)) continue;
    if (found.has_value()) return ErrorAt(field.position, "Ambiguous row field reference: {}", field.text);
    found = i;
  }
  if (!found.has_value()) {
    return ErrorAt(field.position, "Column '{}' does not exist", base->kind == ExprKind::kColumn
                                                                      ? base->name + "." + field.text
                                                                      : field.text);
  }
  return make(*found);
}

Result<ExprPtr> ExpressionBinder::BindParameter(const ast::Parameter& parameter) {
  const Position at = PlaceOf(parameter.position);
  const Type known = parameter.name == kScheduledRuntime ? Type::Timestamp() : Type::Unknown();
  const auto given = context_.options.parameters.find(parameter.name);
  if (given != context_.options.parameters.end()) {
    context_.NoteParameter(parameter.name, given->second.type());
    return MakeConstant(given->second, at);
  }
  if (!context_.options.allow_unbound_parameters) {
    return ErrorAt(at, "Parameter '@{}' has no value", parameter.name);
  }
  context_.NoteParameter(parameter.name, known);
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kParameter;
  expr->type = known;
  expr->name = parameter.name;
  expr->position = at;
  return ExprPtr(std::move(expr));
}

Result<ExprPtr> ExpressionBinder::BindGrouping(const ast::GroupingExpr& grouping) {
  const Position at = PlaceOf(grouping.position);
  if (place_.groupings == nullptr) {
    return ErrorAt(at, "{} cannot contain aggregations, window functions or grouping operations: grouping",
                   place_.clause);
  }
  if (grouping.arguments.size() > kGroupingArgumentsMax) {
    return ErrorAt(at, "GROUPING supports up to {} column arguments", kGroupingArgumentsMax);
  }
  ExpressionBinder inner(context_, scope_, {.clause = "GROUPING"});
  GroupingCall call;
  call.position = at;
  for (const ast::ExprPtr& argument : grouping.arguments) {
    ExprPtr bound = TL_TRY(inner.Bind(*argument));
    call.arguments.push_back(std::move(bound));
  }
  call.output = {context_.NewColumn(), "grouping", Type::Bigint()};
  const ExprPtr value = MakeColumn(call.output.column, call.output.type, call.output.name, at);
  place_.groupings->push_back(std::move(call));
  return value;
}

Result<ExprPtr> ExpressionBinder::BindSubscript(const ast::SubscriptExpr& subscript) {
  const Position at = PlaceOf(subscript.position);
  ExprPtr base = TL_TRY(Bind(*subscript.base));
  ExprPtr index = TL_TRY(Bind(*subscript.index));
  if (!base->type.is(TypeId::kRow)) {
    return BindOperatorCall("$subscript", "[]", {std::move(base), std::move(index)}, at);
  }
  if (index->kind != ExprKind::kConstant || !index->type.is(TypeId::kInteger) || index->constant.is_null()) {
    return ErrorAt(at, "Subscript expression on ROW requires a constant integer index");
  }
  const std::int64_t position = index->constant.integer();
  const auto count = static_cast<std::int64_t>(base->type.fields().size());
  if (position < 1 || position > count) {
    return ErrorAt(at, "Invalid subscript index: {}: the row has {} fields", position, count);
  }
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kField;
  expr->field_index = static_cast<std::uint32_t>(position - 1);
  expr->type = base->type.fields()[expr->field_index].type;
  expr->position = at;
  expr->children.push_back(std::move(base));
  return ExprPtr(std::move(expr));
}

Result<ExprPtr> ExpressionBinder::BindArray(const ast::ArrayExpr& array) {
  std::vector<ExprPtr> items;
  for (const ast::ExprPtr& item : array.items) {
    ExprPtr bound = TL_TRY(Bind(*item));
    items.push_back(std::move(bound));
  }
  const Position at = PlaceOf(array.position);
  if (items.empty()) return MakeConstant(Value::Nested(Type::Array(Type::Unknown()), {}), at);
  const std::optional<Type> common = CommonType(items, false);
  if (!common.has_value()) {
    return ErrorAt(at, "All ARRAY elements must be the same type: {}", items[0]->type.ToString());
  }
  for (ExprPtr& item : items) item = CoerceTo(item, *common);
  return BindScalarCall("$array", std::move(items), at);
}

Result<ExprPtr> ExpressionBinder::FinishCase(std::vector<ExprPtr> parts, Position at, std::string_view what) {
  // parts: when, then, when, then, ..., else.
  std::vector<ExprPtr> results;
  for (std::size_t i = 1; i < parts.size(); i += 2) results.push_back(parts[i]);
  results.push_back(parts.back());
  const std::optional<Type> common = CommonType(results, false);
  if (!common.has_value()) {
    std::string types;
    for (const ExprPtr& result : results) {
      if (!types.empty()) types += ", ";
      types += result->type.ToString();
    }
    return ErrorAt(at, "All {} results must be the same type: {}", what, types);
  }
  for (std::size_t i = 1; i < parts.size(); i += 2) parts[i] = CoerceTo(parts[i], *common);
  parts.back() = CoerceTo(parts.back(), *common);
  return MakeExpr(ExprKind::kCase, *common, std::move(parts), at);
}

Result<ExprPtr> ExpressionBinder::BindCase(const ast::CaseExpr& expr) {
  const Position at = PlaceOf(expr.position);
  ExprPtr operand;
  if (expr.operand != nullptr) {
    operand = TL_TRY(Bind(*expr.operand));
    if (HasVolatileCall(*operand)) {
      return NotSupportedYet(expr.operand->position, "CASE over a value that differs at each call");
    }
  }
  std::vector<ExprPtr> parts;
  for (const ast::CaseBranch& branch : expr.branches) {
    ExprPtr when;
    if (operand == nullptr) {
      when = TL_TRY(BindCondition(*branch.when, "CASE WHEN clause"));
    } else {
      ExprPtr value = TL_TRY(Bind(*branch.when));
      when = TL_TRY(BindComparison("$equal", "=", operand, std::move(value), PlaceOf(branch.when->position)));
    }
    parts.push_back(std::move(when));
    ExprPtr then = TL_TRY(Bind(*branch.then));
    parts.push_back(std::move(then));
  }
  ExprPtr otherwise = MakeConstant(Value(), at);
  if (expr.otherwise != nullptr) otherwise = TL_TRY(Bind(*expr.otherwise));
  parts.push_back(std::move(otherwise));
  return FinishCase(std::move(parts), at, "CASE");
}

Result<ExprPtr> ExpressionBinder::BindCast(const ast::CastExpr& cast) {
  const Type type = TL_TRY(ResolveTypeName(cast.type));
  ExprPtr value = TL_TRY(Bind(*cast.value));
  const Position at = PlaceOf(cast.position);
  if (value->kind == ExprKind::kParameter && value->type.is(TypeId::kUnknown)) {
    // CAST(@p AS type): the value may come as any text; the service calls that varchar.
    value = CoerceTo(value, Type::Varchar());
  }
  if (type.is(TypeId::kUnknown) || !functions::CanCast(value->type, type)) {
    return ErrorAt(at, "Cannot cast {} to {}", value->type.ToString(), type.ToString());
  }
  return MakeCast(std::move(value), type, cast.try_cast, at);
}

Result<ExprPtr> ExpressionBinder::BindExtract(const ast::ExtractExpr& extract) {
  static constexpr std::string_view kFields[] = {"year",        "quarter",     "month", "week", "day",
                                                 "day_of_month", "day_of_week", "dow",   "day_of_year",
                                                 "doy",         "year_of_week", "yow",  "hour",
                                                 "minute",      "second"};
  for (const std::string_view field : kFields) {
    if (field != extract.field.text) continue;
    ExprPtr value = TL_TRY(Bind(*extract.value));
    return BindScalarCall(field, {std::move(value)}, PlaceOf(extract.position));
  }
  return ErrorAt(extract.field.position, "Invalid EXTRACT field: {}", UpperCase(extract.field.text));
}

}  // namespace tideline::sql
