// functions/cast.h: conversions between types, explicit (CAST) and implicit (coercion).
#pragma once

#include <optional>
#include <span>

#include "functions/function.h"

namespace tideline::functions {

/// Whether CAST(from AS to) exists at all, element by element for nested types.
bool CanCast(const Type& from, const Type& to);

/// Whether `from` becomes `to` without being asked: unknown to anything, integer to bigint or
/// double, bigint to double, varchar(n) to varchar, date to timestamp, decimal to double,
/// element-wise for nested types. With `in_timestamp_context` also varchar to timestamp, date and
/// time: the service applies that to comparisons and to arguments where such a type is expected, so
/// overload resolution and comparison binding ask for it.
bool CanCoerce(const Type& from, const Type& to, bool in_timestamp_context);

/// The least type both coerce to (CASE, UNION, IN, VALUES, comparison); nothing when there is none.
std::optional<Type> CommonSuperType(const Type& a, const Type& b);

/// The same for `=`, `<`, BETWEEN and IN: also text with a timestamp, date or time, which text becomes.
std::optional<Type> CommonComparisonType(const Type& a, const Type& b);

/// Casts `rows` of `input` into the flat `result` (type `to`, same size). Null stays null.
/// Failures go to `errors` with the service's texts ("Cannot cast 'abc' to BIGINT", ...).
Status CastVector(const KernelContext& context, const Vector& input, const Type& to,
                  const Selection& rows, Vector* result, RowErrors* errors);

/// One boxed value; kExecutionFailed on failure.
Result<Value> CastValue(const Value& value, const Type& to);

}  // namespace tideline::functions
