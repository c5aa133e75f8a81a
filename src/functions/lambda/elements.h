// functions/lambda/elements.h: running a lambda over the elements of many rows in one call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "functions/function.h"

namespace tideline::functions {

/// The elements of all selected rows, in order, and the row each belongs to.
struct LambdaElements {
  std::vector<std::uint32_t> elements;  ///< indices into the list's children
  std::vector<std::uint32_t> owners;

  LambdaElements(const Vector& list, const Selection& rows);
};

/// Elements `indices` of an array, or points of a series as row(time, value), as the lambda's
/// argument.
Vector LambdaArgument(const Vector& list, std::span<const std::uint32_t> indices);

/// Runs the lambda; errors of element i become errors of row owners[i], one per row. `*result` has
/// one row per owner. Nothing may be called with no owners: the result's type would be unknown.
Status RunLambda(const Lambda& lambda, std::span<const Vector> arguments,
                 std::span<const std::uint32_t> owners, Vector* result, RowErrors* errors);

/// Whether boolean row `row` is true and not null.
bool IsTrue(const Vector& booleans, std::size_t row);

}  // namespace tideline::functions
