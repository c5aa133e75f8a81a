// functions/testing.h: call a registered function by name with boxed values, as tests do.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "columnar/text_format.h"
#include "columnar/value.h"
#include "functions/cast.h"
#include "functions/registry.h"

namespace tideline::functions::testing {

/// Now for every call made through here: 2024-01-01 00:00:00.
inline constexpr TimestampNs kTestNow{1'704'067'200'000'000'000};

/// The varchar form of a value; "NULL" for null.
inline std::string TextOf(const Value& value) {
  if (value.is_null()) return "NULL";
  std::string text;
  AppendText(Vector::FromValues(value.type(), std::span(&value, 1)), 0, &text);
  return text;
}

/// Resolves and runs scalar `name` over one row per entry of `rows` (each of one arity).
inline Result<std::vector<Value>> CallScalarRows(std::string_view name,
                                                 const std::vector<std::vector<Value>>& rows) {
  const FunctionRegistry& registry = FunctionRegistry::Get();
  const ScalarFunction* function = registry.FindScalar(name);
  if (function == nullptr) return NotFound("no function {}", name);
  std::vector<Type> types;
  for (const Value& value : rows.at(0)) types.push_back(value.type());
  const ResolvedTypes resolved =
      TL_TRY(ResolveOverload(name, registry.SignaturesOf(*function), types, {}));
  std::vector<Vector> arguments;
  std::vector<bool> has_null(rows.size(), false);
  for (std::size_t i = 0; i < types.size(); ++i) {
    std::vector<Value> column;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      column.push_back(TL_TRY(CastValue(rows[row][i], resolved.argument_types[i])));
      if (column.back().is_null()) has_null[row] = true;
    }
    arguments.push_back(Vector::FromValues(resolved.argument_types[i], column));
  }
  Vector result = Vector::Flat(resolved.result_type, rows.size());
  std::vector<std::uint32_t> selected;
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    if (function->nulls == NullPolicy::kNullInNullOut && has_null[row]) {
      result.SetNull(row);
    } else {
      selected.push_back(row);
    }
  }
  Random random(1);
  std::any state;
  KernelContext context;
  context.now = kTestNow;
  context.result_type = &resolved.result_type;
  context.random = &random;
  context.state = &state;
  RowErrors errors;
  TL_TRY(function->overloads[resolved.overload].kernel(
      context, arguments,
      selected.size() == rows.size() ? Selection::All(rows.size()) : Selection::Of(selected),
      &result, &errors));
  if (!errors.empty()) return errors.entries()[0].status;
  std::vector<Value> values;
  for (std::size_t row = 0; row < rows.size(); ++row) values.push_back(result.GetValue(row));
  return values;
}

inline Result<Value> CallScalar(std::string_view name, std::vector<Value> arguments) {
  const std::vector<Value> values = TL_TRY(CallScalarRows(name, {std::move(arguments)}));
  return values[0];
}

/// The answer's text, or the error's message after "error: ".
inline std::string Call(std::string_view name, std::vector<Value> arguments) {
  const Result<Value> value = CallScalar(name, std::move(arguments));
  if (!value.ok()) return "error: " + std::string(MessageOf(value.status()));
  return TextOf(*value);
}

/// A lambda whose body is C++ over boxed values; parameters come as the signature types them.
struct Body {
  std::size_t parameter_count;
  Type result_type;
  std::function<Result<Value>(const std::vector<Value>&)> function;
};

class FakeLambda : public Lambda {
 public:
  FakeLambda(const Body& body, Type cast_to) : body_(body), cast_to_(std::move(cast_to)) {}
  Status Apply(std::span<const Vector> arguments, std::span<const std::uint32_t> outer_rows,
               Vector* result, RowErrors* errors) const override {
    TL_CHECK(arguments.size() == body_.parameter_count);
    std::vector<Value> answers;
    for (std::uint32_t row = 0; row < outer_rows.size(); ++row) {
      std::vector<Value> parameters;
      for (const Vector& argument : arguments) {
        TL_CHECK(argument.size() == outer_rows.size());
        parameters.push_back(argument.GetValue(row));
      }
      Result<Value> answer = body_.function(parameters);
      if (!answer.ok()) {
        errors->Add(row, answer.status());
        answers.push_back(Value::Null(cast_to_));
      } else {
        answers.push_back(TL_TRY(CastValue(*answer, cast_to_)));
      }
    }
    *result = Vector::FromValues(cast_to_, answers);
    return OkStatus();
  }

 private:
  const Body& body_;
  const Type cast_to_;
};

/// Runs a scalar whose last arguments are lambdas, over one row per entry of `rows`. A row that
/// fails answers its message, after "error: ".
inline std::vector<std::string> CallLambdaRows(std::string_view name,
                                               const std::vector<std::vector<Value>>& rows,
                                               const std::vector<Body>& bodies) {
  const FunctionRegistry& registry = FunctionRegistry::Get();
  const ScalarFunction* function = registry.FindScalar(name);
  if (function == nullptr) return {"no such function"};
  std::vector<Type> types;
  std::vector<int> arity;
  for (const Value& value : rows.at(0)) {
    types.push_back(value.type());
    arity.push_back(0);
  }
  for (const Body& body : bodies) {
    types.push_back(Type::Unknown());
    arity.push_back(1 + static_cast<int>(body.parameter_count));
  }
  Result<ResolvedTypes> found =
      ResolveOverload(name, registry.SignaturesOf(*function), types, arity);
  if (!found.ok()) return {std::string(MessageOf(found.status()))};
  ResolvedTypes resolved = *found;
  const Signature& signature = registry.SignaturesOf(*function)[resolved.overload];
  std::vector<FakeLambda> lambdas;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const Result<Type> cast_to =
        BindLambdaResult(signature, rows[0].size() + i, bodies[i].result_type, &resolved);
    if (!cast_to.ok()) return {std::string(MessageOf(cast_to.status()))};
    lambdas.emplace_back(bodies[i], *cast_to);
  }
  std::vector<const Lambda*> pointers;
  for (const FakeLambda& lambda : lambdas) pointers.push_back(&lambda);
  std::vector<Vector> arguments;
  std::vector<std::uint32_t> selected;
  for (std::size_t i = 0; i < rows[0].size(); ++i) {
    std::vector<Value> column;
    for (const auto& row : rows) column.push_back(*CastValue(row[i], resolved.argument_types[i]));
    arguments.push_back(Vector::FromValues(resolved.argument_types[i], column));
  }
  Vector result = Vector::Flat(resolved.result_type, rows.size());
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    bool has_null = false;
    for (const Vector& argument : arguments) has_null |= argument.IsNull(row);
    if (has_null && function->nulls == NullPolicy::kNullInNullOut) {
      result.SetNull(row);
    } else {
      selected.push_back(row);
    }
  }
  std::any state;
  KernelContext context;
  context.now = kTestNow;
  context.result_type = &resolved.result_type;
  context.lambdas = pointers;
  context.state = &state;
  RowErrors errors;
  const Status status = function->overloads[resolved.overload].kernel(
      context, arguments, Selection::Of(selected), &result, &errors);
  if (!status.ok()) return {std::string(MessageOf(status))};
  std::vector<std::string> texts;
  for (std::size_t row = 0; row < rows.size(); ++row) texts.push_back(TextOf(result.GetValue(row)));
  for (const RowErrors::Entry& entry : errors.entries()) {
    texts[entry.row] = "error: " + std::string(MessageOf(entry.status));
  }
  return texts;
}
inline std::string CallLambda(std::string_view name, std::vector<Value> arguments,
                              const std::vector<Body>& bodies) {
  return CallLambdaRows(name, {std::move(arguments)}, bodies).at(0);
}

/// One state of an aggregate, with its own memory.
class AggregateRun {
 public:
  AggregateRun(const AggregateFunction& function, const AggregateOverload& overload, Type result)
      : skips_nulls_(function.skips_nulls),
        overload_(overload),
        result_type_(std::move(result)),
        memory_(overload.state_bytes + 16) {
    context_.result_type = &result_type_;
    context_.state = &call_state_;
    overload_.initialize(context_, state());
  }
  AggregateRun(const AggregateRun&) = delete;
  AggregateRun& operator=(const AggregateRun&) = delete;
  ~AggregateRun() {
    if (overload_.destroy != nullptr) overload_.destroy(state());
  }

  Status Update(std::span<const Vector> arguments, std::size_t first, std::size_t count,
                bool one_state) {
    std::vector<std::uint32_t> rows;
    for (std::size_t row = first; row < first + count; ++row) {
      bool skip = false;
      for (const Vector& argument : arguments) skip |= skips_nulls_ && argument.IsNull(row);
      if (!skip) rows.push_back(static_cast<std::uint32_t>(row));
    }
    if (one_state) {
      return overload_.update_one(context_, arguments, Selection::Of(rows), state());
    }
    const std::vector<AggregateState> states(rows.size(), state());
    return overload_.update(context_, arguments, Selection::Of(rows), states.data());
  }
  Status Combine(AggregateRun& from) { return overload_.combine(context_, from.state(), state()); }
  Result<Value> Finish() {
    Vector result = Vector::Flat(result_type_, 1);
    TL_TRY(overload_.finalize(context_, state(), 0, &result));
    return result.GetValue(0);
  }

 private:
  AggregateState state() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (16 - address % 16) % 16;
  }
  const bool skips_nulls_;
  const AggregateOverload& overload_;
  const Type result_type_;
  std::any call_state_;
  KernelContext context_;
  std::vector<std::byte> memory_;
};

/// Runs aggregate `name` over `rows`, cut into `parts` states that are combined at the end.
inline Result<Value> CallAggregate(std::string_view name,
                                   const std::vector<std::vector<Value>>& rows,
                                   std::vector<Type> types, std::size_t parts, bool one_state) {
  const FunctionRegistry& registry = FunctionRegistry::Get();
  const AggregateFunction* function = registry.FindAggregate(name);
  if (function == nullptr) return NotFound("no aggregate {}", name);
  const ResolvedTypes resolved =
      TL_TRY(ResolveOverload(name, registry.SignaturesOf(*function), types, {}));
  std::vector<Vector> arguments;
  for (std::size_t i = 0; i < types.size(); ++i) {
    std::vector<Value> column;
    for (const auto& row : rows) {
      column.push_back(TL_TRY(CastValue(row[i], resolved.argument_types[i])));
    }
    arguments.push_back(Vector::FromValues(resolved.argument_types[i], column));
  }
  const AggregateOverload& overload = function->overloads[resolved.overload];
  AggregateRun total(*function, overload, resolved.result_type);
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = rows.size() * part / parts;
    const std::size_t end = rows.size() * (part + 1) / parts;
    AggregateRun run(*function, overload, resolved.result_type);
    TL_TRY(run.Update(arguments, first, end - first, one_state));
    TL_TRY(total.Combine(run));
  }
  return total.Finish();
}

/// As Call, for an aggregate over rows; types are those of the first row.
inline std::string Aggregate(std::string_view name, const std::vector<std::vector<Value>>& rows,
                             std::size_t parts = 1, bool one_state = true) {
  std::vector<Type> types;
  for (const Value& value : rows.at(0)) types.push_back(value.type());
  const Result<Value> value = CallAggregate(name, rows, types, parts, one_state);
  if (!value.ok()) return "error: " + std::string(MessageOf(value.status()));
  return TextOf(*value);
}

}  // namespace tideline::functions::testing
