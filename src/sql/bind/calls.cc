// Calls: the forms that look like functions, scalar functions and aggregates.
#include <algorithm>

#include "functions/cast.h"
#include "sql/bind/expression_binder.h"

namespace tideline::sql {

namespace {

bool SameCall(const AggregateCall& a, const AggregateCall& b) {
  const auto same_expr = [](const ExprPtr& x, const ExprPtr& y) {
    return (x == nullptr) == (y == nullptr) && (x == nullptr || (SameExpr(*x, *y) && !HasVolatileCall(*x)));
  };
  const auto same_order = [&](const AggregateOrder& x, const AggregateOrder& y) {
    return same_expr(x.expr, y.expr) && x.descending == y.descending && x.nulls_first == y.nulls_first;
  };
  return a.function == b.function && a.overload == b.overload && a.distinct == b.distinct &&
         same_expr(a.filter, b.filter) &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(), same_expr) &&
         std::equal(a.lambdas.begin(), a.lambdas.end(), b.lambdas.begin(), b.lambdas.end(), same_expr) &&
         std::equal(a.order_by.begin(), a.order_by.end(), b.order_by.begin(), b.order_by.end(), same_order);
}

Status CheckPlainArguments(const ast::FunctionCall& call) {
  for (const ast::Argument& argument : call.arguments) {
    if (argument.name.has_value()) return NotSupportedYet(argument.name->position, "a named argument");
  }
  if (!call.within_group.empty() && call.name != "listagg") {
    return ErrorAt(call.position, "WITHIN GROUP is not valid for function {}", call.name);
  }
  return OkStatus();
}

Status CheckNotAggregateSyntax(const ast::FunctionCall& call) {
  if (call.star) return ErrorAt(call.position, "{}(*) is not a function: only count takes *", call.name);
  if (call.distinct) {
    return ErrorAt(call.position, "DISTINCT is not supported for non-aggregation functions");
  }
  if (call.filter != nullptr) return ErrorAt(call.position, "Filter is only valid for aggregation functions");
  if (!call.order_by.empty()) return ErrorAt(call.position, "ORDER BY is only valid for aggregation functions");
  if (call.nulls != ast::NullTreatment::kUnstated) {
    return ErrorAt(call.position, "Cannot specify null treatment clause for {} function", call.name);
  }
  return OkStatus();
}

Status WrongFormArguments(const ast::FunctionCall& call, std::string_view expected) {
  return ErrorAt(call.position, "Invalid number of arguments for '{}' function: {} expected", call.name, expected);
}

}  // namespace

ExprPtr AggregateCollector::Add(AggregateCall call, Type type, std::string name, Position at,
                                BindContext* context) {
  for (const AggregateCall& known : calls_) {
    if (SameCall(known, call)) return MakeColumn(known.output.column, known.output.type, known.output.name, at);
  }
  call.output = {context->NewColumn(), name, type};
  calls_.push_back(call);
  return MakeColumn(call.output.column, std::move(type), std::move(name), at);
}

Result<std::vector<ExprPtr>> ExpressionBinder::CoerceArguments(const functions::ResolvedTypes& resolved,
                                                               std::vector<ExprPtr> arguments) {
  if (resolved.argument_types.size() != arguments.size()) {
    return Internal("overload resolution answered {} types for {} arguments", resolved.argument_types.size(),
                    arguments.size());
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = CoerceTo(arguments[i], resolved.argument_types[i]);
  }
  return arguments;
}

Result<ExprPtr> ExpressionBinder::BindScalarCall(std::string_view name, std::vector<ExprPtr> arguments,
                                                 Position at) {
  const functions::ScalarFunction* scalar = context_.registry.FindScalar(name);
  if (scalar == nullptr || (scalar->profile == functions::Profile::kExtendedOnly && !context_.extended())) {
    std::string hint;
    if (context_.extended()) hint = NameHint(name, context_.registry.NamesLike(name));
    return ErrorAt(at, "Function {} not registered{}", name, hint);
  }
  std::vector<Type> types;
  for (const ExprPtr& argument : arguments) types.push_back(argument->type);
  const std::vector<int> arity(arguments.size(), 0);
  const Result<functions::ResolvedTypes> resolved =
      functions::ResolveOverload(name, context_.registry.SignaturesOf(*scalar), types, arity);
  if (!resolved.ok()) return ErrorAt(at, "{}", MessageOf(resolved.status()));
  std::vector<ExprPtr> coerced = TL_TRY(CoerceArguments(*resolved, std::move(arguments)));
  context_.NoteFunction(*scalar);
  return MakeCall(*scalar, resolved->overload, resolved->result_type, std::move(coerced), at);
}

Result<std::vector<ExprPtr>> ExpressionBinder::BindArguments(const ast::FunctionCall& call) {
  std::vector<ExprPtr> arguments;
  for (const ast::Argument& argument : call.arguments) {
    ExprPtr bound = TL_TRY(Bind(*argument.value));
    arguments.push_back(std::move(bound));
  }
  return arguments;
}

Result<ExprPtr> ExpressionBinder::BindCall(const ast::FunctionCall& call) {
  TL_TRY(CheckPlainArguments(call));
  if (call.over.has_value()) return BindWindowCall(call);
  const functions::AggregateFunction* aggregate = context_.registry.FindAggregate(call.name);
  if (aggregate != nullptr &&
      (aggregate->profile != functions::Profile::kExtendedOnly || context_.extended())) {
    return BindAggregate(*aggregate, call);
  }
  TL_TRY(CheckNotAggregateSyntax(call));
  static constexpr std::string_view kForms[] = {"if", "coalesce", "nullif", "try", "typeof"};
  if (std::find(std::begin(kForms), std::end(kForms), call.name) != std::end(kForms)) return BindForm(call);
  if (context_.registry.FindWindow(call.name) != nullptr) {
    return ErrorAt(call.position, "Window function {} requires an OVER clause", call.name);
  }
  const bool takes_lambda =
      std::any_of(call.arguments.begin(), call.arguments.end(), [](const ast::Argument& argument) {
        return argument.value->kind == ast::ExprKind::kLambda;
      });
  if (takes_lambda) return BindLambdaCall(call);
  std::vector<ExprPtr> arguments = TL_TRY(BindArguments(call));
  return BindScalarCall(call.name, std::move(arguments), PlaceOf(call.position));
}

Result<ExprPtr> ExpressionBinder::BindForm(const ast::FunctionCall& call) {
  const Position at = PlaceOf(call.position);
  const std::size_t count = call.arguments.size();
  if (call.name == "if") {
    if (count != 2 && count != 3) return WrongFormArguments(call, "2 or 3");
    ExprPtr condition = TL_TRY(BindCondition(*call.arguments[0].value, "IF condition"));
    ExprPtr yes = TL_TRY(Bind(*call.arguments[1].value));
    ExprPtr no = MakeConstant(Value(), at);
    if (count == 3) no = TL_TRY(Bind(*call.arguments[2].value));
    return FinishCase({std::move(condition), std::move(yes), std::move(no)}, at, "IF");
  }
  std::vector<ExprPtr> arguments = TL_TRY(BindArguments(call));
  if (call.name == "typeof") {
    if (count != 1) return WrongFormArguments(call, "1");
    return MakeConstant(Value::Varchar(arguments[0]->type.ToString()), at);
  }
  if (call.name == "try") {
    if (count != 1) return WrongFormArguments(call, "1");
    const Type type = arguments[0]->type;
    return MakeExpr(ExprKind::kTry, type, std::move(arguments), at);
  }
  if (call.name == "coalesce") {
    if (count == 0 || (count == 1 && !context_.extended())) return WrongFormArguments(call, "at least 2");
    const std::optional<Type> common = CommonType(arguments, false);
    if (!common.has_value()) {
      return ErrorAt(at, "All COALESCE operands must be the same type: {}", arguments[0]->type.ToString());
    }
    for (ExprPtr& argument : arguments) argument = CoerceTo(argument, *common);
    return MakeExpr(ExprKind::kCoalesce, *common, std::move(arguments), at);
  }
  if (count != 2) return WrongFormArguments(call, "2");  // nullif
  ExprPtr test = TL_TRY(BindComparison("$equal", "=", arguments[0], arguments[1], at));
  const Type type = arguments[0]->type;
  if (arguments[0]->type.id() == arguments[1]->type.id()) {
    return MakeExpr(ExprKind::kNullIf, type, std::move(arguments), at);
  }
  // Compared in another type than it is delivered in.
  if (HasVolatileCall(*arguments[0])) {
    // A CASE would draw two values. One in the common type, cast back, is the same value.
    const std::optional<Type> common = CommonType(arguments, true);
    if (!common.has_value()) return Internal("NULLIF operands were comparable but have no common type");
    for (ExprPtr& argument : arguments) argument = CoerceTo(argument, *common);
    return MakeCast(MakeExpr(ExprKind::kNullIf, *common, std::move(arguments), at), type);
  }
  return MakeExpr(ExprKind::kCase, type, {std::move(test), CoerceTo(MakeConstant(Value(), at), type), arguments[0]}, at);
}

/// In ORDER BY an alias goes before a column of its name, also inside an aggregate, which cannot be taken over what
/// another aggregate or a window function has made.
Status ExpressionBinder::CheckReadsNoOutput(const AggregateCall& call, Position at) const {
  std::vector<ColumnRef> read;
  for (const ExprPtr& argument : call.arguments) CollectColumns(*argument, &read);
  for (const AggregateOrder& order : call.order_by) CollectColumns(*order.expr, &read);
  if (call.filter != nullptr) CollectColumns(*call.filter, &read);
  const auto reads = [&](const OutputColumn& output) {
    return std::find(read.begin(), read.end(), output.column) != read.end();
  };
  const auto& calls = place_.aggregates->calls();
  bool found = std::any_of(calls.begin(), calls.end(), [&](const AggregateCall& other) { return reads(other.output); });
  if (place_.windows != nullptr) {
    const auto& items = place_.windows->items;
    found = found || std::any_of(items.begin(), items.end(),
                                 [&](const WindowCollector::Item& item) { return reads(item.call.output); });
  }
  if (!found) return OkStatus();
  return ErrorAt(at, "Invalid reference to output projection attribute from ORDER BY aggregation");
}

Result<ExprPtr> ExpressionBinder::BindAggregate(const functions::AggregateFunction& function,
                                                const ast::FunctionCall& call) {
  const Position at = PlaceOf(call.position);
  if (place_.aggregates == nullptr) {
    if (!place_.aggregates_refused.empty()) {
      return ErrorAt(at, "{}: {}", place_.aggregates_refused, call.name);
    }
    return ErrorAt(at, "{} cannot contain aggregations, window functions or grouping operations: {}",
                   place_.clause, call.name);
  }
  if (call.star && call.name != "count") {
    return ErrorAt(at, "{}(*) is not a function: only count takes *", call.name);
  }
  if (call.nulls != ast::NullTreatment::kUnstated) {
    return ErrorAt(at, "Cannot specify null treatment clause for {} function", call.name);
  }
  ExpressionBinder inner(context_, scope_,
                         {.clause = "an aggregation",
                          .aggregates_refused = "Cannot nest aggregations inside an aggregation",
                          .aliases = place_.aliases,
                          .subqueries = place_.inside_aggregates,
                          .with = place_.with});
  AggregateCall bound;
  bound.function = &function;
  bound.distinct = call.distinct;
  BoundArguments arguments = TL_TRY(inner.BindMixedArguments(call, context_.registry.SignaturesOf(function)));
  bound.overload = arguments.resolved.overload;
  bound.arguments = std::move(arguments.arguments);
  TL_TRY(SplitAggregateLambdas(&bound.arguments, &bound.lambdas));
  if (bound.distinct) {
    for (const ExprPtr& argument : bound.arguments) {
      if (!argument->type.is_comparable() && !argument->type.is(TypeId::kUnknown)) {
        return ErrorAt(at, "DISTINCT can only be applied to comparable types (actual: {})",
                       argument->type.ToString());
      }
    }
  }
  if (!call.within_group.empty() && !call.order_by.empty()) {
    return ErrorAt(at, "{} takes one ORDER BY: inside its arguments or in WITHIN GROUP", call.name);
  }
  // listagg(x, ',') WITHIN GROUP (ORDER BY y) is listagg(x, ',' ORDER BY y).
  for (const ast::SortItem& item : call.within_group.empty() ? call.order_by : call.within_group) {
    ExprPtr key = TL_TRY(inner.Bind(*item.expr));
    if (!key->type.is_orderable() && !key->type.is(TypeId::kUnknown)) {
      return ErrorAt(item.expr->position, "ORDER BY can only be applied to orderable types (actual: {})",
                     key->type.ToString());
    }
    const bool is_argument = std::any_of(bound.arguments.begin(), bound.arguments.end(),
                                         [&](const ExprPtr& argument) { return SameExpr(*argument, *key); });
    if (bound.distinct && !is_argument) {
      return ErrorAt(item.expr->position,
                     "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments");
    }
    bound.order_by.push_back({std::move(key), item.descending, item.nulls_first.value_or(false)});
  }
  if (call.filter != nullptr) bound.filter = TL_TRY(inner.BindCondition(*call.filter, "FILTER clause"));
  if (place_.aliases != nullptr) TL_TRY(CheckReadsNoOutput(bound, at));
  return place_.aggregates->Add(std::move(bound), arguments.resolved.result_type, std::string(function.name), at, &context_);
}

}  // namespace tideline::sql
