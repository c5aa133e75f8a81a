#include "server/settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "base/bytes.h"
#include "net/url.h"
#include "storage/fs/posix_file_system.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace tideline::server {
namespace {

#define TL_STRING_OF(x) #x
#define TL_TEXT(member, name, value, text) SettingInfo{name, "text", value, "", text},
#define TL_FLAG(member, name, value, text) SettingInfo{name, "flag", #value, "", text},
#define TL_CHOICE(member, name, value, choices, text) SettingInfo{name, "choice", value, choices, text},
#define TL_INTEGER(member, name, value, min, max, unit, text) \
  SettingInfo{name, "integer", #value, WithoutTrailingBlank(#min " to " #max " " unit), text},

// Of a number without a unit.
constexpr std::string_view WithoutTrailingBlank(std::string_view text) {
  return text.ends_with(' ') ? text.substr(0, text.size() - 1) : text;
}

constexpr SettingInfo kSettings[] = {
#include "server/settings.def"
};
#undef TL_TEXT
#undef TL_FLAG
#undef TL_CHOICE
#undef TL_INTEGER

constexpr std::string_view kDefaultTomlPath = "tideline.toml";
constexpr std::string_view kVariablePrefix = "TIDELINE_";
constexpr std::size_t kTomlBytesMax = std::size_t{1} << 20;
/// A name is taken for a slip of another one up to so many letters.
constexpr std::size_t kSlipDistanceMax = 3;

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view NearestName(std::string_view name) {
  // "tls" means one of tls-certificate and tls-key, though http is fewer letters away.
  const std::string group = std::string(name) + "-";
  for (const SettingInfo& info : kSettings) {
    if (info.name.starts_with(group)) return info.name;
  }
  return std::min_element(std::begin(kSettings), std::end(kSettings),
                          [&](const SettingInfo& a, const SettingInfo& b) {
                            return EditDistance(a.name, name) < EditDistance(b.name, name);
                          })
      ->name;
}

bool IsKnown(std::string_view name) {
  return std::any_of(std::begin(kSettings), std::end(kSettings),
                     [&](const SettingInfo& info) { return info.name == name; });
}

Status ReadFlag(std::string_view name, std::string_view text, bool* value) {
  if (text == "true" || text == "1" || text == "on" || text.empty()) {
    *value = true;
  } else if (text == "false" || text == "0" || text == "off") {
    *value = false;
  } else {
    return InvalidArgument("setting {} is '{}'; it must be true or false", name, text);
  }
  return OkStatus();
}

Status ReadChoice(std::string_view name, std::string_view text, std::string_view choices,
                  std::string* value) {
  std::string_view rest = choices;
  while (true) {
    const std::size_t bar = rest.find('|');
    if (rest.substr(0, bar) == text) {
      *value = text;
      return OkStatus();
    }
    if (bar == std::string_view::npos) break;
    rest.remove_prefix(bar + 1);
  }
  return InvalidArgument("setting {} is '{}'; it must be one of {}", name, text, choices);
}

Status ReadInteger(std::string_view name, std::string_view text, std::int64_t min, std::int64_t max,
                   std::int64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error != std::errc() || end != text.data() + text.size() || *value < min || *value > max) {
    return InvalidArgument("setting {} is '{}'; it must be a whole number from {} to {}", name, text,
                           min, max);
  }
  return OkStatus();
}

Status Apply(std::string_view name, std::string_view value, Settings* settings) {
#define TL_TEXT(member, setting, initial, text) \
  if (name == setting) {                        \
    settings->member = value;                   \
    return OkStatus();                          \
  }
#define TL_FLAG(member, setting, initial, text) \
  if (name == setting) return ReadFlag(name, value, &settings->member);
#define TL_CHOICE(member, setting, initial, choices, text) \
  if (name == setting) return ReadChoice(name, value, choices, &settings->member);
#define TL_INTEGER(member, setting, initial, min, max, unit, text) \
  if (name == setting) return ReadInteger(name, value, min, max, &settings->member);
#include "server/settings.def"
#undef TL_TEXT
#undef TL_FLAG
#undef TL_CHOICE
#undef TL_INTEGER
  return InvalidArgument("unknown setting {}; did you mean {}?", name, NearestName(name));
}

std::string VariableName(std::string_view setting) {
  std::string name(kVariablePrefix);
  for (const char c : setting) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  }
  return name;
}

Status ApplyToml(std::string_view path, bool required, Settings* settings) {
  fs::FileSystem& files = fs::PosixFileSystem();
  const auto info = files.Stat(path);
  if (CodeOf(info.status()) == ErrorCode::kNotFound && !required) return OkStatus();
  if (info.ok() && info->is_directory) {
    return InvalidArgument("cannot read the settings file {}: it is a directory", path);
  }
  const auto content = fs::ReadWholeFile(files, path, kTomlBytesMax);
  if (!content.ok()) return Annotate(content.status(), "cannot read the settings file");
  const toml::parse_result parsed = toml::parse(AsText(*content), path);
  if (!parsed) {
    return InvalidArgument("{}:{}: {}", path, parsed.error().source().begin.line,
                           parsed.error().description());
  }
  for (const auto& [key, node] : parsed.table()) {
    std::string text;
    if (!IsKnown(key.str())) return Annotate(Apply(key.str(), "", settings), path);
    if (const auto string = node.value_exact<std::string>()) {
      text = *string;
    } else if (const auto integer = node.value_exact<std::int64_t>()) {
      text = std::to_string(*integer);
    } else if (const auto flag = node.value_exact<bool>()) {
      text = *flag ? "true" : "false";
    } else {
      return InvalidArgument("{}: {} must be a text, a whole number, or true or false", path,
                             key.str());
    }
    if (const Status status = Apply(key.str(), text, settings); !status.ok()) {
      return Annotate(status, path);
    }
  }
  return OkStatus();
}

// "https://host[:port]", "host" or "host:port": what SDKs take for an address.
Status CheckEndpoint(const std::string& endpoint) {
  const bool has_scheme = endpoint.find("://") != std::string::npos;
  const auto url = net::ParseUrl(has_scheme ? endpoint : "http://" + endpoint);
  const bool is_bare = has_scheme || endpoint.find_first_of("/?#") == std::string::npos;
  const bool has_host_letters = url.ok() && std::all_of(url->host.begin(), url->host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == ':';
  });
  if (has_host_letters && is_bare) return OkStatus();
  return InvalidArgument(
      "setting endpoint is '{}'; it must be a host, HOST:PORT, or http:// or https:// and one of these", endpoint);
}

}  // namespace

std::span<const SettingInfo> AllSettings() { return kSettings; }

Environment ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::vector<std::string> ProcessVariables() {
  std::vector<std::string> names;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view line(*at);
    names.emplace_back(line.substr(0, line.find('=')));
  }
  return names;
}

std::vector<std::string> UnknownVariables(std::span<const std::string> names) {
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    if (!name.starts_with(kVariablePrefix)) continue;
    const auto distance = [&](const SettingInfo& info) { return EditDistance(VariableName(info.name), name); };
    const SettingInfo& nearest = *std::min_element(
        std::begin(kSettings), std::end(kSettings),
        [&](const SettingInfo& a, const SettingInfo& b) { return distance(a) < distance(b); });
    if (distance(nearest) == 0) continue;
    lines.push_back(fmt::format("the variable {} is no setting and is ignored", name));
    if (distance(nearest) > kSlipDistanceMax) continue;
    lines.back() += fmt::format("; did you mean {}?", VariableName(nearest.name));
  }
  return lines;
}

Result<Settings> LoadSettings(const std::map<std::string, std::string>& flags,
                              const Environment& environment, std::string_view toml_path) {
  Settings settings;
  TL_TRY(ApplyToml(toml_path.empty() ? kDefaultTomlPath : toml_path, !toml_path.empty(), &settings));
  for (const SettingInfo& info : kSettings) {
    const std::string variable = VariableName(info.name);
    if (const std::optional<std::string> value = environment(variable)) {
      if (const Status status = Apply(info.name, *value, &settings); !status.ok()) {
        return Annotate(status, variable);
      }
    }
  }
  for (const auto& [name, value] : flags) {
    if (!IsKnown(name)) return Apply(name, value, &settings);
    TL_TRY(Apply(name, value, &settings));
  }
  if (settings.access_key_id.empty() != settings.secret_access_key.empty()) {
    return InvalidArgument("settings access-key-id and secret-access-key must be given together");
  }
  if (settings.tls_certificate.empty() != settings.tls_key.empty()) {
    return InvalidArgument("settings tls-certificate and tls-key must be given together");
  }
  const bool twelve_digits =
      settings.account_id.size() == 12 &&
      std::all_of(settings.account_id.begin(), settings.account_id.end(),
                  [](char c) { return c >= '0' && c <= '9'; });
  if (!twelve_digits) {
    return InvalidArgument("setting account-id is '{}'; it must have 12 digits", settings.account_id);
  }
  if (!settings.endpoint.empty()) TL_TRY(CheckEndpoint(settings.endpoint));
  return settings;
}

std::string PrintSettingsReference() {
  std::string out =
      "# Settings\n\nA flag wins over a variable, a variable over `tideline.toml`, that over the "
      "default. None is needed to start.\n\n| Flag | Variable | Default | Range | Meaning |\n"
      "|---|---|---|---|---|\n";
  for (const SettingInfo& info : kSettings) {
    std::string range(info.range);
    for (std::size_t at = 0; (at = range.find('|', at)) != std::string::npos; at += 2) {
      range.insert(at, "\\");
    }
    out += fmt::format("| `--{}` | `{}` | {} | {} | {} |\n", info.name, VariableName(info.name),
                       info.default_text.empty() ? "" : fmt::format("`{}`", info.default_text),
                       range, info.text);
  }
  return out;
}

}  // namespace tideline::server
