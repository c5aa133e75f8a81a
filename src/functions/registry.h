// functions/registry.h: every function there is, found by name; frozen before main's work begins.
//
// Registration links a static node into a constinit list head: no allocation, no order dependence.
// Freeze() sorts the list, reads the signatures and aborts on a duplicate name or a signature that
// does not parse: both are bugs in the binary, not in its input.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "functions/function.h"

namespace tideline::functions {

/// A type with variables, as a signature writes it.
struct TypePattern {
  enum class Kind : std::uint8_t { kConcrete, kVariable, kArray, kMap, kTimeseries, kRow, kLambda };
  enum class Constraint : std::uint8_t { kNone, kComparable, kOrderable, kNumeric };
  Kind kind = Kind::kConcrete;
  Type concrete;                      // kConcrete
  char variable = 0;                  // kVariable
  Constraint constraint = Constraint::kNone;
  std::vector<TypePattern> children;  // element; key, value; fields; lambda: parameters then result
  std::vector<std::string> names;     // kRow: field names, empty for anonymous ones
};

struct Signature {
  std::vector<TypePattern> arguments;
  bool variadic = false;  ///< the last argument repeats zero or more times
  TypePattern result;
  std::string_view text;
};

/// Outcome of overload resolution for non-lambda arguments.
struct ResolvedTypes {
  std::size_t overload = 0;            ///< index into the function's overloads
  std::vector<Type> argument_types;    ///< what each argument is to be cast to; unknown for lambdas
  Type result_type;                    ///< unknown while it depends on a lambda's result
  /// What each type variable ('A' is 0) stands for so far; nothing while it depends on a lambda.
  std::array<std::optional<Type>, 26> variables;
};

class FunctionRegistry {
 public:
  /// The process's registry, frozen on first use. Thread-safe.
  static const FunctionRegistry& Get();

  /// Case-insensitive; null pointer when there is none.
  const ScalarFunction* FindScalar(std::string_view name) const;
  const AggregateFunction* FindAggregate(std::string_view name) const;
  const WindowFunction* FindWindow(std::string_view name) const;
  std::span<const Signature> SignaturesOf(const ScalarFunction& function) const;
  std::span<const Signature> SignaturesOf(const AggregateFunction& function) const;
  std::span<const Signature> SignaturesOf(const WindowFunction& function) const;

  /// All in name order, for documentation and SHOW FUNCTIONS.
  std::span<const ScalarFunction* const> scalars() const;
  std::span<const AggregateFunction* const> aggregates() const;
  std::span<const WindowFunction* const> windows() const;

  /// Up to three names near `name`, for "did you mean".
  std::vector<std::string> NamesLike(std::string_view name) const;

 private:
  FunctionRegistry();
  struct Tables;
  const Tables* tables_;
};

/// Picks the overload for `arguments` (unknown type for lambdas and bare NULL): an exact match
/// first, then the one with the fewest implicit casts (functions/cast.h: CanCoerce); of equals, the
/// one listed first. `lambda_arity[i]` is 0 for a value, else 1 + the lambda's parameter count.
/// kInvalidArgument, in Presto's words, lists the signatures when none fits: "Unexpected
/// parameters (varchar) for function sum. Expected: ...". The caller adds the position.
Result<ResolvedTypes> ResolveOverload(std::string_view name, std::span<const Signature> signatures,
                                      std::span<const Type> arguments,
                                      std::span<const int> lambda_arity);

/// The parameter types of the lambda that is argument `argument`, once `resolved` is known. Every
/// variable they use is bound when the lambdas before it have been bound in order.
std::vector<Type> LambdaParameterTypes(const Signature& signature, std::size_t argument,
                                       const ResolvedTypes& resolved);
/// Tells `resolved` the type of a lambda's body: binds the variable of its result (and result_type
/// when that was waiting for it) and yields the type the body must be cast to. kInvalidArgument when
/// the body's type does not become the type that the other arguments already fixed.
Result<Type> BindLambdaResult(const Signature& signature, std::size_t argument, const Type& body,
                              ResolvedTypes* resolved);

/// Parses one signature text; kInvalidArgument when malformed. For Freeze and tests.
Result<Signature> ParseSignature(std::string_view text);

namespace internal {
template <typename T>
struct Node {
  explicit Node(const T& function);
  const T& function;
  const Node* next;
};
}  // namespace internal

#define TL_REGISTER_AS(Kind, object)                                          \
  static const ::tideline::functions::internal::Node<::tideline::functions::Kind> \
      tl_node_##object(object)
#define TL_REGISTER_SCALAR(object) TL_REGISTER_AS(ScalarFunction, object)
#define TL_REGISTER_AGGREGATE(object) TL_REGISTER_AS(AggregateFunction, object)
#define TL_REGISTER_WINDOW(object) TL_REGISTER_AS(WindowFunction, object)

}  // namespace tideline::functions
