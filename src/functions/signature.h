// functions/signature.h: how a signature's types meet an argument's types. Used by registry.cc's
// public functions; nothing outside this room needs it.
#pragma once

#include "functions/registry.h"

namespace tideline::functions {

/// What the variables of a signature stand for, 'A' first.
using VariableTypes = std::array<std::optional<Type>, 26>;

/// `pattern` with its variables replaced; nothing when one of them is not bound.
std::optional<Type> Substitute(const TypePattern& pattern, const VariableTypes& variables);

/// The result type of an operator over decimals, which depends on precisions and scales:
/// +, - keep the larger scale, * adds them, / keeps the larger, % too. `name` is the operator's.
Type DecimalResult(std::string_view name, std::span<const Type> arguments);

/// Signature text of a call for messages: "sum(T)".
std::string DescribeSignature(std::string_view name, const Signature& signature);

}  // namespace tideline::functions
