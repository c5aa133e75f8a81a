// functions/regexp/java_pattern.h: patterns in Java's syntax, written as PCRE2 reads them.
//
// The two agree on nearly everything. What differs and is rewritten here:
//
//   \u0041                      \x{0041}
//   \p{Lower}, \p{Alpha}, ...   POSIX classes over ASCII: [[:lower:]], inside a class [:lower:]
//   \p{IsLatin}, \p{IsL}        \p{Latin}, \p{L}
//   \p{script=Latin}            \p{Latin}; also sc, general_category, gc
//   [a-c[x-z]], [a-z&&[^bc]]    classes inside classes: alternation, look-ahead
//
// (?U), (?u) and (?d), which mean other things in the two or nothing in one, are refused.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace tideline::functions {

/// Longest pattern; bounds what compiling one can cost.
inline constexpr std::size_t kPatternBytesMax = 64 * 1024;
/// Classes inside classes, at most.
inline constexpr std::size_t kClassDepthMax = 32;

/// kInvalidArgument for what cannot be said; most errors are left for PCRE2 to find.
Result<std::string> ToPcrePattern(std::string_view java);

}  // namespace tideline::functions
