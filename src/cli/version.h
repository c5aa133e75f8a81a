// cli/version.h: what this binary calls itself.
#pragma once

#include <string_view>

namespace tideline::cli {
inline constexpr std::string_view kVersion = TIDELINE_VERSION;
}  // namespace tideline::cli
