#include "sql/plan/make_call.h"

#include "functions/registry.h"

namespace tideline::sql {

Result<ExprPtr> MakeScalarCall(std::string_view name, std::vector<ExprPtr> arguments, Position position) {
  const functions::FunctionRegistry& registry = functions::FunctionRegistry::Get();
  const functions::ScalarFunction* scalar = registry.FindScalar(name);
  if (scalar == nullptr) return Internal("function {} is not registered", name);
  std::vector<Type> types;
  for (const ExprPtr& argument : arguments) types.push_back(argument->type);
  const std::vector<int> arity(arguments.size(), 0);
  Result<functions::ResolvedTypes> resolved =
      functions::ResolveOverload(name, registry.SignaturesOf(*scalar), types, arity);
  if (!resolved.ok()) return Internal("{}", MessageOf(resolved.status()));
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = MakeCast(std::move(arguments[i]), resolved->argument_types[i]);
  }
  return MakeCall(*scalar, resolved->overload, resolved->result_type, std::move(arguments), position);
}

ExprPtr ReadColumn(const OutputColumn& output) { return MakeColumn(output.column, output.type, output.name); }

}  // namespace tideline::sql
