#include "storage/engine/data_directory.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/uuid.h"

namespace tideline::engine {
namespace {

constexpr std::size_t kNumberDigits = 20;
constexpr std::size_t kUuidCharacters = 36;

constexpr std::array<std::string_view, 7> kMarkedDirectories = {"manifest", "wal",     "keys",    "segments",
                                                                "series",   "deleted", "magnetic"};
constexpr std::array<std::string_view, 4> kOtherDirectories = {"buckets", "reports", "spill", "tls"};
/// In the directory itself.
constexpr std::array<std::string_view, 5> kFilesThatDoNotCount = {"LOCK", "lost+found", "master-key", "root-key.json",
                                                                  "tideline.toml"};
constexpr std::array<std::string_view, 2> kTlsFiles = {"certificate.pem", "key.pem"};

template <std::size_t n>
bool IsOneOf(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsUuid(std::string_view text) { return text.size() == kUuidCharacters && ParseUuid(text).ok(); }

// Manifests and log files are named by numbers, all others by uuids; a data key's name goes on behind its first one.
bool IsOwnName(std::string_view name) {
  if (name.size() == kNumberDigits &&
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return true;
  }
  return name.size() >= kUuidCharacters && IsUuid(name.substr(0, kUuidCharacters));
}

bool IsHiddenOrTemporary(std::string_view name) {
  return name.starts_with('.') || name.ends_with(fs::kTemporarySuffix);
}

// Links to directories, by which people put parts on other disks, are directories.
bool IsOwnDirectory(fs::FileSystem& fs, std::string_view data_dir, std::string_view name) {
  if (!IsOneOf(kMarkedDirectories, name) && !IsOneOf(kOtherDirectories, name)) return false;
  const auto info = fs.Stat(fs::JoinPath(data_dir, name));
  return info.ok() && info->is_directory;
}

struct Contents {
  bool is_marked = false;
  std::vector<std::string> foreign;  ///< what counts, by its path in the directory
};

// A directory of one of Tideline's names.
Status LookInto(fs::FileSystem& fs, std::string_view data_dir, const std::string& name, Contents* contents) {
  const auto entries = TL_TRY(fs.List(fs::JoinPath(data_dir, name)));
  for (const fs::DirectoryEntry& entry : entries) {
    if (IsHiddenOrTemporary(entry.name)) continue;
    if (name == "tls" && !entry.is_directory && IsOneOf(kTlsFiles, entry.name)) continue;
    if (IsOneOf(kMarkedDirectories, name) && IsOwnName(entry.name)) {
      contents->is_marked = true;
      return OkStatus();
    }
    contents->foreign.push_back(fs::JoinPath(name, entry.name));
  }
  return OkStatus();
}

}  // namespace

Status CheckDataDirectory(fs::FileSystem& fs, std::string_view data_dir) {
  const auto info = fs.Stat(data_dir);
  if (CodeOf(info.status()) == ErrorCode::kNotFound) return OkStatus();
  TL_TRY(info.status());
  if (!info->is_directory) return InvalidArgument("the data directory {} is a file", data_dir);
  const auto entries = TL_TRY(fs.List(data_dir));
  Contents contents;
  for (const fs::DirectoryEntry& entry : entries) {
    if (IsHiddenOrTemporary(entry.name) || IsOneOf(kFilesThatDoNotCount, entry.name)) continue;
    if (IsOwnDirectory(fs, data_dir, entry.name)) {
      TL_TRY(LookInto(fs, data_dir, entry.name, &contents));
      if (contents.is_marked) return OkStatus();
    } else {
      contents.foreign.push_back(entry.name);
    }
  }
  if (contents.foreign.empty()) return OkStatus();
  const std::string more =
      contents.foreign.size() == 1 ? "" : fmt::format(" and {} more", contents.foreign.size() - 1);
  return InvalidArgument(
      "{} is not empty and is no data directory of Tideline's: there is {}{}. Nothing was changed in it; name a new or "
      "empty directory",
      data_dir, contents.foreign.front(), more);
}

bool IsOwnKey(std::string_view key, std::string_view prefix) {
  return key.starts_with(prefix) && IsUuid(key.substr(prefix.size()));
}

}  // namespace tideline::engine
