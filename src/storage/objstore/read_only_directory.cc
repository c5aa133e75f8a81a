#include "storage/objstore/read_only_directory.h"

#include <algorithm>

namespace tideline::objstore {
namespace {

constexpr std::string_view kTemporarySuffix = ".tmp";

class ReadOnlyDirectory final : public ObjectStore {
 public:
  ReadOnlyDirectory(fs::FileSystem& fs, std::string directory)
      : fs_(fs), directory_(std::move(directory)) {}

  Result<PutOutcome> PutIfAbsent(std::string_view, BytesView) override { return Refused(); }
  Status Put(std::string_view, BytesView) override { return Refused(); }
  Result<std::unique_ptr<ObjectWriter>> Create(std::string_view) override { return Refused(); }
  Status Remove(std::string_view) override { return Refused(); }

  Result<std::size_t> Read(std::string_view key, std::uint64_t offset,
                           std::span<std::byte> out) override {
    TL_TRY(CheckKey(key));
    auto file = TL_TRY(fs_.Open(PathOf(key), fs::OpenMode::kRead));
    return file->ReadAt(offset, out);
  }

  Result<ObjectInfo> Head(std::string_view key) override {
    TL_TRY(CheckKey(key));
    const fs::FileInfo info = TL_TRY(fs_.Stat(PathOf(key)));
    if (info.is_directory) return NotFound("{} is a directory", key);
    return ObjectInfo{std::string(key), info.bytes};
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view start_after,
                                       std::size_t count_max) override {
    std::vector<ObjectInfo> found;
    const std::size_t slash = prefix.rfind('/');
    const std::string folder(prefix.substr(0, slash == std::string_view::npos ? 0 : slash + 1));
    TL_TRY(Collect(folder, prefix, &found));
    std::sort(found.begin(), found.end(),
              [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
    std::erase_if(found, [&](const ObjectInfo& object) { return object.key <= start_after; });
    if (found.size() > count_max) found.resize(count_max);
    return found;
  }

 private:
  static Status Refused() { return PermissionDenied("this directory is open for reading only"); }
  std::string PathOf(std::string_view key) const { return directory_ + "/" + std::string(key); }

  Status Collect(const std::string& folder, std::string_view prefix, std::vector<ObjectInfo>* found) {
    const auto entries = fs_.List(PathOf(folder));
    if (!entries.ok()) {
      return CodeOf(entries.status()) == ErrorCode::kNotFound ? OkStatus() : entries.status();
    }
    for (const fs::DirectoryEntry& entry : *entries) {
      const std::string key = folder + entry.name;
      if (entry.is_directory) {
        TL_TRY(Collect(key + "/", prefix, found));
      } else if (key.starts_with(prefix) && !key.ends_with(kTemporarySuffix)) {
        const auto info = fs_.Stat(PathOf(key));
        if (info.ok()) found->push_back({key, info->bytes});
      }
    }
    return OkStatus();
  }

  fs::FileSystem& fs_;
  const std::string directory_;
};

}  // namespace

std::unique_ptr<ObjectStore> OpenReadOnlyDirectory(fs::FileSystem& fs, std::string directory) {
  return std::make_unique<ReadOnlyDirectory>(fs, std::move(directory));
}

}  // namespace tideline::objstore
