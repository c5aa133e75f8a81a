// server/settings.h: what the server is told: flag over TIDELINE_* variable over tideline.toml over
// default. Rooms take option structs and never read configuration; only this file's callers do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tideline::server {

struct Settings {
#define TL_TEXT(member, name, value, text) std::string member = value;
#define TL_FLAG(member, name, value, text) bool member = value;
#define TL_CHOICE(member, name, value, choices, text) std::string member = value;
#define TL_INTEGER(member, name, value, min, max, unit, text) std::int64_t member = value;
#include "server/settings.def"
#undef TL_TEXT
#undef TL_FLAG
#undef TL_CHOICE
#undef TL_INTEGER
};

/// One setting as people see it.
struct SettingInfo {
  std::string_view name;          ///< "data-dir"
  std::string_view kind;          ///< "text", "flag", "choice", "integer"
  std::string_view default_text;
  std::string_view range;         ///< choices, or "min to max unit"; may be empty
  std::string_view text;
};
std::span<const SettingInfo> AllSettings();

/// Reads a variable of the environment; a test hands in its own.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment ProcessEnvironment();

/// Names of the process's variables.
std::vector<std::string> ProcessVariables();
/// One line for each of `names` that begins with TIDELINE_ and is no setting, with the nearest one. A warning and no
/// error: orchestrators make such variables of a service's name (TIDELINE_PORT, TIDELINE_SERVICE_HOST).
std::vector<std::string> UnknownVariables(std::span<const std::string> names);

/// Merges the sources. `flags` maps names to values ("true" for a bare flag); `toml_path` may be
/// empty (then "tideline.toml" of the working directory is read if it is there).
/// kInvalidArgument names the source, the setting, the value and what is allowed; an unknown key
/// names the nearest known one.
Result<Settings> LoadSettings(const std::map<std::string, std::string>& flags,
                              const Environment& environment, std::string_view toml_path);

/// The settings as a Markdown table, for docs/reference/settings.md.
std::string PrintSettingsReference();

}  // namespace tideline::server
