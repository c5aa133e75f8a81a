// Calls that take lambdas: values first, which fix what the lambdas' parameters are, then each lambda
// in order, whose result may fix what later ones take.
#include "sql/bind/expression_binder.h"

namespace tideline::sql {

Result<ExprPtr> ExpressionBinder::BindLambdaCall(const ast::FunctionCall& call) {
  const Position at = PlaceOf(call.position);
  const functions::ScalarFunction* scalar = context_.registry.FindScalar(call.name);
  if (scalar == nullptr || (scalar->profile == functions::Profile::kExtendedOnly && !context_.extended())) {
    std::string hint;
    if (context_.extended()) hint = NameHint(call.name, context_.registry.NamesLike(call.name));
    return ErrorAt(at, "Function {} not registered{}", call.name, hint);
  }
  BoundArguments bound = TL_TRY(BindMixedArguments(call, context_.registry.SignaturesOf(*scalar)));
  context_.NoteFunction(*scalar);
  return MakeCall(*scalar, bound.resolved.overload, bound.resolved.result_type, std::move(bound.arguments), at);
}

Result<ExpressionBinder::BoundArguments> ExpressionBinder::BindMixedArguments(
    const ast::FunctionCall& call, std::span<const functions::Signature> signatures) {
  std::vector<ExprPtr> arguments(call.arguments.size());
  std::vector<Type> types(arguments.size());
  std::vector<int> arity(arguments.size(), 0);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const ast::Expr& value = *call.arguments[i].value;
    if (value.kind == ast::ExprKind::kLambda) {
      arity[i] = 1 + static_cast<int>(As<ast::LambdaExpr>(value).parameters.size());
    } else {
      arguments[i] = TL_TRY(Bind(value));
      types[i] = arguments[i]->type;
    }
  }
  Result<functions::ResolvedTypes> resolution = functions::ResolveOverload(call.name, signatures, types, arity);
  if (!resolution.ok()) return ErrorAt(PlaceOf(call.position), "{}", MessageOf(resolution.status()));
  functions::ResolvedTypes resolved = *std::move(resolution);
  const functions::Signature& signature = signatures[resolved.overload];
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arity[i] == 0) {
      arguments[i] = CoerceTo(arguments[i], resolved.argument_types[i]);
      continue;
    }
    const auto& lambda = As<ast::LambdaExpr>(*call.arguments[i].value);
    ExprPtr bound = TL_TRY(BindLambda(lambda, functions::LambdaParameterTypes(signature, i, resolved)));
    const Result<Type> wanted = functions::BindLambdaResult(signature, i, bound->children[0]->type, &resolved);
    if (!wanted.ok()) return ErrorAt(lambda.position, "{}", MessageOf(wanted.status()));
    auto coerced = std::make_shared<Expr>(*bound);
    coerced->children[0] = CoerceTo(bound->children[0], *wanted);
    coerced->type = *wanted;
    arguments[i] = std::move(coerced);
  }
  return BoundArguments{std::move(resolved), std::move(arguments)};
}

Status ExpressionBinder::SplitAggregateLambdas(std::vector<ExprPtr>* arguments, std::vector<ExprPtr>* lambdas) {
  std::vector<ExprPtr> values;
  for (ExprPtr& argument : *arguments) {
    if (argument->kind != ExprKind::kLambda) {
      values.push_back(std::move(argument));
      continue;
    }
    // Its state outlives the row at hand: a column in the body would have no row to be read from.
    std::vector<ColumnRef> read;
    CollectColumns(*argument, &read);
    if (!read.empty()) {
      return ErrorAt(argument->position, "Lambda of an aggregation can only use its own parameters");
    }
    lambdas->push_back(std::move(argument));
  }
  *arguments = std::move(values);
  return OkStatus();
}

Result<ExprPtr> ExpressionBinder::BindLambda(const ast::LambdaExpr& lambda, const std::vector<Type>& types) {
  TL_TRY(context_.CountExpr());
  auto bound = std::make_shared<Expr>();
  bound->kind = ExprKind::kLambda;
  bound->position = PlaceOf(lambda.position);
  const std::size_t outer_count = lambda_parameters_.size();
  for (std::size_t i = 0; i < lambda.parameters.size(); ++i) {
    const ast::Identifier& name = lambda.parameters[i];
    for (std::size_t k = outer_count; k < lambda_parameters_.size(); ++k) {
      if (!EqualsIgnoreCase(lambda_parameters_[k].name, name.text)) continue;
      lambda_parameters_.resize(outer_count);
      return ErrorAt(name.position, "Lambda arguments must have distinct names: {}", name.text);
    }
    const ColumnRef column = context_.NewColumn();
    bound->parameters.push_back(column);
    bound->parameter_types.push_back(types[i]);
    lambda_parameters_.push_back({name.text, MakeColumn(column, types[i], name.text, PlaceOf(name.position))});
  }
  // Lambdas run inside one row: nothing in them may be over several.
  const ExpressionPlace place = place_;
  place_.clause = "Lambda expression";
  place_.aggregates = nullptr;
  place_.aggregates_refused = {};
  place_.subqueries = nullptr;
  place_.inside_aggregates = nullptr;
  place_.windows = nullptr;
  place_.groupings = nullptr;
  place_.in_lambda = true;
  Result<ExprPtr> body = Bind(*lambda.body);
  place_ = place;
  lambda_parameters_.resize(outer_count);
  if (!body.ok()) return body.status();
  bound->type = (*body)->type;
  bound->children.push_back(*std::move(body));
  return ExprPtr(std::move(bound));
}

}  // namespace tideline::sql
