// cli/error_excerpt.h: the part of a statement that an error is about.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tideline::cli {

/// Characters of a line that are shown at most; "…" stands for what is left out at either end.
inline constexpr std::size_t kExcerptCharactersMax = 100;

/// Two lines, for a message that says "line L:C": that line of `statement`, or a window of it around the
/// place, and a caret below. Empty when the message names no place or one outside. Tabs become blanks.
std::string ErrorExcerpt(std::string_view message, std::string_view statement);

}  // namespace tideline::cli
