#include "storage/objstore/directory_object_store.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <list>
#include <utility>

#include "base/mutex.h"

namespace tideline::objstore {
namespace {

constexpr std::string_view kLockName = "LOCK";
constexpr std::size_t kDirectoryDepthMax = 32;

bool IsTemporary(std::string_view name) {
  return name.size() >= fs::kTemporarySuffix.size() &&
         name.substr(name.size() - fs::kTemporarySuffix.size()) == fs::kTemporarySuffix;
}

Result<PutOutcome> OutcomeOf(const Status& committed) {
  if (committed.ok()) return PutOutcome::kCreated;
  if (CodeOf(committed) == ErrorCode::kAlreadyExists) return PutOutcome::kExists;
  return committed;
}

// Files open for reading, the least recently used closed first. A file in use stays open through
// its shared pointer. Only existing objects are kept; Forget drops one whose name changed its file.
class OpenFiles {
 public:
  OpenFiles(fs::FileSystem& fs, std::size_t files_max) : fs_(fs), files_max_(files_max) {}

  Result<std::shared_ptr<fs::File>> Find(const std::string& path) {
    std::uint64_t forgets_before = 0;
    {
      const MutexLock lock(mutex_);
      const auto found = places_.find(path);
      if (found != places_.end()) {
        order_.splice(order_.begin(), order_, found->second);
        return order_.front().file;
      }
      forgets_before = forget_count_;
    }
    std::shared_ptr<fs::File> file = TL_TRY(fs_.Open(path, fs::OpenMode::kRead));
    std::shared_ptr<fs::File> closing;  // closed after the lock
    const MutexLock lock(mutex_);
    // Opened before someone replaced or removed a name: good for this read, not to be kept.
    if (forgets_before != forget_count_ || places_.contains(path)) return file;
    order_.push_front({path, file});
    places_[path] = order_.begin();
    if (order_.size() > files_max_) {
      closing = std::move(order_.back().file);
      places_.erase(order_.back().path);
      order_.pop_back();
    }
    return file;
  }

  void Forget(const std::string& path) {
    std::shared_ptr<fs::File> closing;
    const MutexLock lock(mutex_);
    ++forget_count_;
    const auto found = places_.find(path);
    if (found == places_.end()) return;
    closing = std::move(found->second->file);
    order_.erase(found->second);
    places_.erase(found);
  }

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<fs::File> file;
  };
  fs::FileSystem& fs_;
  const std::size_t files_max_;
  Mutex mutex_;
  std::list<Entry> order_ TL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> places_ TL_GUARDED_BY(mutex_);
  std::uint64_t forget_count_ TL_GUARDED_BY(mutex_) = 0;
};

class DirectoryObjectWriter final : public ObjectWriter {
 public:
  explicit DirectoryObjectWriter(fs::NewFile file) : file_(std::move(file)) {}
  Status Append(BytesView bytes) override { return file_.Append(bytes); }
  std::uint64_t size() const override { return file_.size(); }
  Result<PutOutcome> Commit() override { return OutcomeOf(file_.Commit()); }

 private:
  fs::NewFile file_;
};

class DirectoryObjectStore final : public ObjectStore {
 public:
  DirectoryObjectStore(fs::FileSystem& fs, DirectoryObjectStoreOptions options,
                       std::unique_ptr<fs::FileLock> lock)
      : fs_(fs),
        root_(std::move(options.directory)),
        lock_(std::move(lock)),
        open_files_(fs, options.open_files_max) {}

  Result<PutOutcome> PutIfAbsent(std::string_view key, BytesView bytes) override {
    TL_TRY(CheckPut(key, bytes));
    fs::NewFile file = TL_TRY(CreateFile(key));
    TL_TRY(file.Append(bytes));
    return OutcomeOf(file.Commit());
  }

  Status Put(std::string_view key, BytesView bytes) override {
    TL_TRY(CheckPut(key, bytes));
    fs::NewFile file = TL_TRY(CreateFile(key));
    TL_TRY(file.Append(bytes));
    const Status replaced = file.CommitReplacing();
    open_files_.Forget(PathOf(key));
    return replaced;
  }

  Result<std::unique_ptr<ObjectWriter>> Create(std::string_view key) override {
    TL_TRY(CheckKey(key));
    fs::NewFile file = TL_TRY(CreateFile(key));
    return std::make_unique<DirectoryObjectWriter>(std::move(file));
  }

  Result<std::size_t> Read(std::string_view key, std::uint64_t offset,
                           std::span<std::byte> out) override {
    TL_TRY(CheckKey(key));
    const std::shared_ptr<fs::File> file = TL_TRY(open_files_.Find(PathOf(key)));
    return file->ReadAt(offset, out);
  }

  Result<ObjectInfo> Head(std::string_view key) override {
    TL_TRY(CheckKey(key));
    const fs::FileInfo info = TL_TRY(fs_.Stat(PathOf(key)));
    if (info.is_directory) return NotFound("no object '{}'", key);
    return ObjectInfo{std::string(key), info.bytes};
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view start_after,
                                       std::size_t count_max) override {
    // Only the directory that the prefix names is walked. Byte order of keys is not the order of a
    // walk
    // ('-' and '.' stand before '/'), so names are sorted whole before the sizes are asked.
    std::vector<std::string> keys;
    const std::size_t slash = prefix.rfind('/');
    const std::string directory(slash == std::string_view::npos ? "" : prefix.substr(0, slash));
    if (!directory.empty()) TL_TRY(CheckKey(directory));
    TL_TRY(Walk(directory, prefix, start_after, 0, &keys));
    std::sort(keys.begin(), keys.end());
    std::vector<ObjectInfo> objects;
    for (std::string& key : keys) {
      if (objects.size() >= count_max) break;
      const Result<fs::FileInfo> info = fs_.Stat(PathOf(key));
      if (CodeOf(info.status()) == ErrorCode::kNotFound) continue;  // removed meanwhile
      if (!info.ok()) return info.status();
      objects.push_back({std::move(key), info->bytes});
    }
    return objects;
  }

  Status Remove(std::string_view key) override {
    TL_TRY(CheckKey(key));
    const std::string path = PathOf(key);
    const Status removed = fs_.Remove(path);
    open_files_.Forget(path);
    if (CodeOf(removed) == ErrorCode::kNotFound) return OkStatus();
    TL_TRY(removed);
    return fs_.SyncDirectory(fs::DirectoryOf(path));
  }

 private:
  std::string PathOf(std::string_view key) const { return fs::JoinPath(root_, key); }

  static Status CheckPut(std::string_view key, BytesView bytes) {
    TL_TRY(CheckKey(key));
    if (key == kLockName) return InvalidArgument("object key '{}' is the store's lock", key);
    if (bytes.size() > kPutBytesMax) {
      return InvalidArgument("object '{}' has {} bytes, more than the limit of {} for one put", key,
                             bytes.size(), kPutBytesMax);
    }
    return OkStatus();
  }

  Result<fs::NewFile> CreateFile(std::string_view key) {
    const std::string path = PathOf(key);
    Result<fs::NewFile> file = fs::NewFile::Create(fs_, path);
    if (CodeOf(file.status()) != ErrorCode::kNotFound) return file;
    TL_TRY(fs::CreateDirectories(fs_, fs::DirectoryOf(path)));
    return fs::NewFile::Create(fs_, path);
  }

  Status Walk(const std::string& directory, std::string_view prefix, std::string_view start_after,
              std::size_t depth, std::vector<std::string>* keys) {
    if (depth > kDirectoryDepthMax) {
      return DataLoss("directory '{}' is nested deeper than {}", directory, kDirectoryDepthMax);
    }
    const Result<std::vector<fs::DirectoryEntry>> entries =
        fs_.List(directory.empty() ? root_ : PathOf(directory));
    if (CodeOf(entries.status()) == ErrorCode::kNotFound) return OkStatus();
    if (!entries.ok()) return entries.status();
    for (const fs::DirectoryEntry& entry : *entries) {
      std::string key = directory.empty() ? entry.name : fs::JoinPath(directory, entry.name);
      if (entry.is_directory) {
        const std::string inside = key + "/";
        const std::size_t shared = std::min(inside.size(), prefix.size());
        if (inside.compare(0, shared, prefix.substr(0, shared)) != 0) continue;
        TL_TRY(Walk(key, prefix, start_after, depth + 1, keys));
      } else if (key.starts_with(prefix) && key > start_after && key != kLockName &&
                 !IsTemporary(entry.name)) {
        keys->push_back(std::move(key));
      }
    }
    return OkStatus();
  }

  fs::FileSystem& fs_;
  const std::string root_;
  const std::unique_ptr<fs::FileLock> lock_;
  OpenFiles open_files_;
};

Status RemoveTemporaries(fs::FileSystem& fs, const std::string& directory, std::size_t depth) {
  if (depth > kDirectoryDepthMax) return OkStatus();
  TL_TRY(fs::RemoveTemporaryFiles(fs, directory));
  const std::vector<fs::DirectoryEntry> entries = TL_TRY(fs.List(directory));
  for (const fs::DirectoryEntry& entry : entries) {
    if (!entry.is_directory) continue;
    TL_TRY(RemoveTemporaries(fs, fs::JoinPath(directory, entry.name), depth + 1));
  }
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenDirectoryObjectStore(fs::FileSystem& fs,
                                                              DirectoryObjectStoreOptions options) {
  TL_TRY(fs::CreateDirectories(fs, options.directory));
  std::unique_ptr<fs::FileLock> lock = TL_TRY(fs.Lock(fs::JoinPath(options.directory, kLockName)));
  TL_TRY(RemoveTemporaries(fs, options.directory, 0));
  // A process that died amid making a directory may have left a name that is not durable.
  TL_TRY(fs.SyncDirectory(options.directory));
  return std::make_unique<DirectoryObjectStore>(fs, std::move(options), std::move(lock));
}

}  // namespace tideline::objstore
