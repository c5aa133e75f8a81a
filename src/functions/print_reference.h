// functions/print_reference.h: the manual of all functions, printed from the registry.
#pragma once

#include <string>

namespace tideline::functions {

/// docs/reference/functions.md: Markdown, one section per family, functions in name order with
/// their signatures, one sentence and an example. Operators come last.
std::string PrintReference();

}  // namespace tideline::functions
