// functions/growth.h: how much one call of a function may make for one batch of rows.
//
// A function computes a batch at once, so what it makes lies in memory whole before anyone can put it on
// disk. Most functions make about as much as they are given; those that can make more ask here as they go:
// sequence, repeat, lpad, replace, … The evaluator asks on behalf of all others, whose arguments may be
// one long list or text that every row points to.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"

namespace tideline::functions {

/// Most bytes of one text that a function makes.
inline constexpr std::size_t kTextBytesMax = std::size_t{64} << 20;
/// Most bytes of text that one call makes for a batch of rows.
inline constexpr std::size_t kCallTextBytesMax = std::size_t{256} << 20;
/// Most list elements that one call makes for a batch of rows, those of lists in lists counted as often as
/// they appear.
inline constexpr std::size_t kCallElementsMax = 20'000'000;

/// kExecutionFailed past the limit; `function` begins the message.
Status CheckTextBytes(std::string_view function, std::size_t bytes);
Status CheckCallTextBytes(std::string_view function, std::size_t bytes);
Status CheckCallElements(std::string_view function, std::size_t count);

}  // namespace tideline::functions
