#include "tests/support/sim_file_system.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace tideline::testing {
namespace {

using fs::DirectoryOf;

constexpr double kKeepOdds[] = {0.1, 0.5, 0.9};

bool IsRoot(std::string_view path) { return path == "/" || path == "." || path.empty(); }

Status FaultStatus(Fault fault, std::string_view operation, std::string_view path) {
  switch (fault) {
    case Fault::kNoSpace:
      return ResourceExhausted("{} of '{}' failed: simulated ENOSPC", operation, path);
    case Fault::kQuota:
      return ResourceExhausted("{} of '{}' failed: simulated EDQUOT", operation, path);
    case Fault::kIoError:
    case Fault::kShortWrite:
      return Unavailable("{} of '{}' failed: simulated EIO", operation, path);
  }
  return Internal("unknown fault");
}

Status PowerIsOff() { return Unavailable("simulated power cut"); }

}  // namespace

struct SimFileSystem::Inode {
  Bytes cache;
  Bytes disk;
  std::set<std::uint64_t> dirty;  // sectors of `cache` that a sync would store

  void StoreSector(std::uint64_t sector) {
    const std::size_t begin = static_cast<std::size_t>(sector) * kSectorBytes;
    if (begin >= cache.size()) return;
    const std::size_t end = std::min(begin + kSectorBytes, cache.size());
    if (disk.size() < end) disk.resize(end);
    std::copy(cache.begin() + static_cast<std::ptrdiff_t>(begin),
              cache.begin() + static_cast<std::ptrdiff_t>(end),
              disk.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  void MarkDirty(std::uint64_t offset, std::uint64_t bytes) {
    if (bytes == 0) return;
    for (std::uint64_t s = offset / kSectorBytes; s <= (offset + bytes - 1) / kSectorBytes; ++s) {
      dirty.insert(s);
    }
  }
  void StoreAll() {
    for (const std::uint64_t sector : dirty) StoreSector(sector);
    dirty.clear();
    disk.resize(cache.size());
  }
};

struct SimFileSystem::State {
  // A name leads to an inode, or to a directory where the pointer is null.
  using Node = std::shared_ptr<Inode>;
  using Names = std::map<std::string, Node, std::less<>>;
  // One atomic change of names of one directory; no node: the name goes.
  struct NameChange {
    std::string directory;
    std::vector<std::pair<std::string, std::optional<Node>>> names;
  };
  enum class Kind { kWrite, kSync, kOther };

  explicit State(std::uint64_t seed) : random(seed) {}

  // Counts one changing call. OK: go on. An error: `take_part` says whether the call shall still
  // take effect in part (a cut or failing write or sync).
  Status Enter(Kind kind, std::string_view operation, std::string_view path, bool* take_part)
      TL_REQUIRES(mutex) {
    *take_part = false;
    if (crashed) return PowerIsOff();
    ++calls;
    if (crash_at != 0 && calls >= crash_at) {
      crashed = true;
      *take_part = kind == Kind::kWrite && random.Below(2) == 0;
      return PowerIsOff();
    }
    if (kind == Kind::kSync) {
      for (const std::string& part : failing_syncs) {
        if (path.find(part) == std::string_view::npos) continue;
        *take_part = true;
        return FaultStatus(Fault::kIoError, operation, path);
      }
    }
    if (fail_at == 0 || calls < fail_at || (calls > fail_at && !fail_sticky)) return OkStatus();
    const bool is_space = fault == Fault::kNoSpace || fault == Fault::kQuota;
    *take_part =
        (kind == Kind::kSync && !is_space) || (kind == Kind::kWrite && fault == Fault::kShortWrite);
    return FaultStatus(fault, operation, path);
  }
  Status EnterPlain(std::string_view operation, std::string_view path) TL_REQUIRES(mutex) {
    bool ignored = false;
    return Enter(Kind::kOther, operation, path, &ignored);
  }

  void Change(NameChange change) TL_REQUIRES(mutex) {
    Apply(change, &seen);
    pending.push_back(std::move(change));
  }
  static void Apply(const NameChange& change, Names* names) {
    for (const auto& [name, node] : change.names) {
      if (node.has_value()) {
        (*names)[name] = *node;
      } else {
        names->erase(name);
      }
    }
  }
  Status ParentExists(std::string_view path) TL_REQUIRES(mutex) {
    const std::string parent = DirectoryOf(path);
    if (IsRoot(parent)) return OkStatus();
    const auto found = seen.find(parent);
    if (found == seen.end() || found->second != nullptr) {
      return NotFound("no directory '{}'", parent);
    }
    return OkStatus();
  }
  Result<Node> FindFile(std::string_view path) TL_REQUIRES(mutex) {
    const auto found = seen.find(path);
    if (found == seen.end()) return NotFound("no file '{}'", path);
    if (found->second == nullptr) return Unavailable("'{}' is a directory", path);
    return found->second;
  }
  std::uint64_t UsedBytes() TL_REQUIRES(mutex) {
    std::set<const Inode*> counted;
    std::uint64_t bytes = 0;
    for (const auto& [name, node] : seen) {
      if (node != nullptr && counted.insert(node.get()).second) bytes += node->cache.size();
    }
    return bytes;
  }
  Status Grow(Inode& inode, std::uint64_t size, std::string_view path) TL_REQUIRES(mutex) {
    if (size <= inode.cache.size()) return OkStatus();
    if (capacity != UINT64_MAX && UsedBytes() + (size - inode.cache.size()) > capacity) {
      return FaultStatus(Fault::kNoSpace, "write", path);
    }
    const std::size_t old = inode.cache.size();
    inode.cache.resize(static_cast<std::size_t>(size));
    inode.MarkDirty(old, size - old);
    return OkStatus();
  }
  // What is left of one file after a power cut.
  void Settle(Inode& inode, Keep keep) TL_REQUIRES(mutex) {
    if (keep == Keep::kAll) inode.StoreAll();
    if (keep == Keep::kRandom) {
      const double odds = kKeepOdds[random.Below(3)];
      const std::size_t old = inode.disk.size();
      for (const std::uint64_t sector : inode.dirty) {
        if (random.NextDouble() < odds) inode.StoreSector(sector);
      }
      const bool keep_size = random.Below(2) == 0;
      inode.disk.resize(keep_size ? inode.cache.size()
                                  : std::min(inode.cache.size(), std::max(old, inode.disk.size())));
    }
    inode.dirty.clear();
    inode.cache = inode.disk;
  }

  mutable Mutex mutex;
  Random random TL_GUARDED_BY(mutex);
  Names seen TL_GUARDED_BY(mutex);
  Names stored TL_GUARDED_BY(mutex);
  std::vector<NameChange> pending TL_GUARDED_BY(mutex);
  std::set<std::string> locks TL_GUARDED_BY(mutex);
  std::uint64_t life TL_GUARDED_BY(mutex) = 1;  // a file or lock of an earlier life is dead
  std::uint64_t calls TL_GUARDED_BY(mutex) = 0;
  std::uint64_t crash_at TL_GUARDED_BY(mutex) = 0;
  std::uint64_t fail_at TL_GUARDED_BY(mutex) = 0;
  bool fail_sticky TL_GUARDED_BY(mutex) = false;
  Fault fault TL_GUARDED_BY(mutex) = Fault::kIoError;
  std::vector<std::string> failing_syncs TL_GUARDED_BY(mutex);
  std::vector<std::string> failing_reads TL_GUARDED_BY(mutex);
  std::uint64_t capacity TL_GUARDED_BY(mutex) = UINT64_MAX;
  bool crashed TL_GUARDED_BY(mutex) = false;
  std::function<void(std::string_view)> before_write;  // set before the disk is used
  std::function<void(std::string_view)> before_read;   // likewise
  std::atomic<bool> in_hook{false};
};

class SimFile final : public fs::File {
 public:
  using State = SimFileSystem::State;
  SimFile(State& state, State::Node node, std::string path, std::uint64_t life, bool from_disk)
      : state_(state),
        node_(std::move(node)),
        path_(std::move(path)),
        life_(life),
        from_disk_(from_disk) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::byte> out) override {
    if (state_.before_read) state_.before_read(path_);
    const MutexLock lock(state_.mutex);
    TL_TRY(Alive());
    for (const std::string& part : state_.failing_reads) {
      if (path_.find(part) != std::string::npos) {
        return DataLoss("read of '{}' failed: simulated EIO", path_);
      }
    }
    const Bytes& cache = node_->cache;
    if (offset >= cache.size()) return std::size_t{0};
    const auto begin = static_cast<std::size_t>(offset);
    const std::size_t count = std::min(out.size(), cache.size() - begin);
    for (std::size_t done = 0; done < count;) {
      const std::size_t sector_end = ((begin + done) / kSectorBytes + 1) * kSectorBytes;
      const std::size_t step = std::min(sector_end - begin, count) - done;
      CopySector(begin + done, out.subspan(done, step));
      done += step;
    }
    return count;
  }

  Status WriteAt(std::uint64_t offset, BytesView bytes) override {
    if (state_.before_write && !state_.in_hook.exchange(true)) {
      state_.before_write(path_);
      state_.in_hook = false;
    }
    const MutexLock lock(state_.mutex);
    TL_TRY(Alive());
    bool take_part = false;
    const Status entered = state_.Enter(State::Kind::kWrite, "write", path_, &take_part);
    if (!entered.ok()) {
      if (!take_part || bytes.empty()) return entered;
      bytes = bytes.first(static_cast<std::size_t>(state_.random.Below(bytes.size() + 1)));
    }
    TL_TRY(state_.Grow(*node_, offset + bytes.size(), path_));
    std::copy(bytes.begin(), bytes.end(),
              node_->cache.begin() + static_cast<std::ptrdiff_t>(offset));
    node_->MarkDirty(offset, bytes.size());
    return entered;
  }

  Status SyncData() override { return Sync("fdatasync"); }
  Status SyncAll() override { return Sync("fsync"); }
  Status StartWriteback(std::uint64_t, std::uint64_t) override {
    const MutexLock lock(state_.mutex);
    return Alive();
  }
  Status Allocate(std::uint64_t bytes) override {
    const MutexLock lock(state_.mutex);
    TL_TRY(Alive());
    TL_TRY(state_.EnterPlain("fallocate", path_));
    return state_.Grow(*node_, bytes, path_);
  }
  Status Truncate(std::uint64_t bytes) override {
    const MutexLock lock(state_.mutex);
    TL_TRY(Alive());
    TL_TRY(state_.EnterPlain("ftruncate", path_));
    if (bytes > node_->cache.size()) return state_.Grow(*node_, bytes, path_);
    node_->cache.resize(static_cast<std::size_t>(bytes));
    node_->MarkDirty(bytes, 1);
    return OkStatus();
  }
  Result<std::uint64_t> Size() override {
    const MutexLock lock(state_.mutex);
    TL_TRY(Alive());
    return std::uint64_t{node_->cache.size()};
  }
  Status DropCache() override { return OkStatus(); }
  Status Close() override {
    closed_ = true;
    return OkStatus();
  }
  const std::string& path() const override { return path_; }

 private:
  Status Alive() TL_REQUIRES(state_.mutex) {
    if (state_.crashed) return PowerIsOff();
    if (life_ != state_.life || closed_) return Unavailable("file '{}' is closed", path_);
    return OkStatus();
  }
  // `out` lies in one sector. A read past the cache first stores what is dirty, so only clean
  // sectors show the disk.
  void CopySector(std::size_t at, std::span<std::byte> out) TL_REQUIRES(state_.mutex) {
    const bool cached = !from_disk_ || node_->dirty.contains(at / kSectorBytes);
    const Bytes& source = cached ? node_->cache : node_->disk;
    std::fill(out.begin(), out.end(), std::byte{0});
    if (at >= source.size()) return;
    const std::size_t count = std::min(out.size(), source.size() - at);
    std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(at), count, out.begin());
  }
  Status Sync(std::string_view operation) {
    const MutexLock lock(state_.mutex);
    TL_TRY(Alive());
    bool take_part = false;
    const Status entered = state_.Enter(State::Kind::kSync, operation, path_, &take_part);
    if (entered.ok()) {
      node_->StoreAll();
    } else if (take_part) {
      for (const std::uint64_t sector : node_->dirty) {
        if (state_.random.Below(2) == 0) node_->StoreSector(sector);
      }
      node_->dirty.clear();
      node_->disk.resize(node_->cache.size());
    }
    return entered;
  }

  State& state_;
  const State::Node node_;
  const std::string path_;
  const std::uint64_t life_;
  const bool from_disk_;
  bool closed_ = false;
};

class SimLock final : public fs::FileLock {
 public:
  SimLock(SimFileSystem::State& state, std::string path, std::uint64_t life)
      : state_(state), path_(std::move(path)), life_(life) {}
  ~SimLock() override {
    const MutexLock lock(state_.mutex);
    if (life_ == state_.life) state_.locks.erase(path_);
  }

 private:
  SimFileSystem::State& state_;
  const std::string path_;
  const std::uint64_t life_;
};

SimFileSystem::SimFileSystem(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}
SimFileSystem::~SimFileSystem() = default;

std::uint64_t SimFileSystem::call_count() const {
  const MutexLock lock(state_->mutex);
  return state_->calls;
}
void SimFileSystem::CrashAtCall(std::uint64_t n) {
  TL_CHECK(n > 0);
  const MutexLock lock(state_->mutex);
  state_->crash_at = state_->calls + n;
}
void SimFileSystem::FailCall(std::uint64_t n, Fault fault, bool sticky) {
  TL_CHECK(n > 0);
  const MutexLock lock(state_->mutex);
  state_->fail_at = state_->calls + n;
  state_->fault = fault;
  state_->fail_sticky = sticky;
}
bool SimFileSystem::fault_pending() const {
  const MutexLock lock(state_->mutex);
  return state_->fail_at != 0 && (state_->fail_sticky || state_->calls < state_->fail_at);
}

void SimFileSystem::FailSyncsOf(std::string_view part) {
  const MutexLock lock(state_->mutex);
  state_->failing_syncs.emplace_back(part);
}
void SimFileSystem::FailReadsOf(std::string_view part) {
  const MutexLock lock(state_->mutex);
  state_->failing_reads.emplace_back(part);
}
void SimFileSystem::ClearFaults() {
  const MutexLock lock(state_->mutex);
  state_->fail_at = 0;
  state_->fail_sticky = false;
  state_->failing_syncs.clear();
  state_->failing_reads.clear();
}
void SimFileSystem::BeforeWrites(std::function<void(std::string_view path)> hook) {
  state_->before_write = std::move(hook);
}
void SimFileSystem::BeforeReads(std::function<void(std::string_view path)> hook) {
  state_->before_read = std::move(hook);
}
void SimFileSystem::SetCapacity(std::uint64_t bytes) {
  const MutexLock lock(state_->mutex);
  state_->capacity = bytes;
}
bool SimFileSystem::crashed() const {
  const MutexLock lock(state_->mutex);
  return state_->crashed;
}

void SimFileSystem::Restart(Keep keep) {
  State& state = *state_;
  const MutexLock lock(state.mutex);
  for (const State::NameChange& change : state.pending) {
    if (keep == Keep::kNone || (keep == Keep::kRandom && state.random.Below(2) == 0)) continue;
    State::Apply(change, &state.stored);
  }
  state.pending.clear();
  // What stands in a directory that did not survive is gone too. A parent sorts before its
  // children.
  for (auto it = state.stored.begin(); it != state.stored.end();) {
    const std::string parent = DirectoryOf(it->first);
    const bool orphan = !IsRoot(parent) && !state.stored.contains(parent);
    it = orphan ? state.stored.erase(it) : std::next(it);
  }
  std::set<Inode*> settled;
  for (const auto& [name, node] : state.stored) {
    if (node != nullptr && settled.insert(node.get()).second) state.Settle(*node, keep);
  }
  state.seen = state.stored;
  state.locks.clear();
  ++state.life;
  state.crashed = false;
  state.crash_at = 0;
}

Status SimFileSystem::FlipBit(std::string_view path, std::uint64_t bit) {
  const MutexLock lock(state_->mutex);
  const State::Node node = TL_TRY(state_->FindFile(path));
  const auto at = static_cast<std::size_t>(bit / 8);
  TL_CHECK(at < node->cache.size());
  const std::byte mask = std::byte{1} << (bit % 8);
  node->cache[at] ^= mask;
  if (at < node->disk.size()) node->disk[at] ^= mask;
  return OkStatus();
}

Status SimFileSystem::Corrupt(std::string_view path, std::uint64_t offset, BytesView bytes) {
  const MutexLock lock(state_->mutex);
  const State::Node node = TL_TRY(state_->FindFile(path));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t at = static_cast<std::size_t>(offset) + i;
    TL_CHECK(at < node->cache.size());
    node->cache[at] = bytes[i];
    if (at < node->disk.size()) node->disk[at] = bytes[i];
  }
  return OkStatus();
}

Bytes SimFileSystem::Contents(std::string_view path) const {
  const MutexLock lock(state_->mutex);
  const Result<State::Node> node = state_->FindFile(path);
  return node.ok() ? (*node)->cache : Bytes{};
}

std::vector<std::string> SimFileSystem::Paths() const {
  const MutexLock lock(state_->mutex);
  std::vector<std::string> paths;
  for (const auto& [name, node] : state_->seen) {
    if (node != nullptr) paths.push_back(name);
  }
  return paths;
}

std::uint64_t SimFileSystem::StateHash() const {
  const MutexLock lock(state_->mutex);
  std::uint64_t hash = 0;
  for (const auto& [name, node] : state_->seen) {
    hash = CombineHash(hash, Hash64(name));
    if (node != nullptr) hash = CombineHash(hash, Hash64(BytesView(node->cache)));
  }
  return hash;
}

Result<std::unique_ptr<fs::File>> SimFileSystem::Open(std::string_view path, fs::OpenMode mode) {
  const MutexLock lock(state_->mutex);
  if (state_->crashed) return PowerIsOff();
  State::Node node;
  if (mode == fs::OpenMode::kCreateNew) {
    TL_TRY(state_->EnterPlain("open", path));
    TL_TRY(state_->ParentExists(path));
    if (state_->seen.contains(path)) return AlreadyExists("'{}' exists", path);
    node = std::make_shared<Inode>();
    state_->Change({DirectoryOf(path), {{std::string(path), node}}});
  } else {
    node = TL_TRY(state_->FindFile(path));
  }
  return std::make_unique<SimFile>(*state_, std::move(node), std::string(path), state_->life,
                                   mode == fs::OpenMode::kReadDisk);
}

Status SimFileSystem::Link(std::string_view from, std::string_view to) {
  const MutexLock lock(state_->mutex);
  TL_TRY(state_->EnterPlain("link", to));
  State::Node node = TL_TRY(state_->FindFile(from));
  TL_TRY(state_->ParentExists(to));
  if (state_->seen.contains(to)) return AlreadyExists("'{}' exists", to);
  state_->Change({DirectoryOf(to), {{std::string(to), std::move(node)}}});
  return OkStatus();
}

Status SimFileSystem::RenameNoReplace(std::string_view from, std::string_view to) {
  {
    const MutexLock lock(state_->mutex);
    if (!state_->crashed && state_->seen.contains(to)) return AlreadyExists("'{}' exists", to);
  }
  return RenameReplace(from, to);
}

Status SimFileSystem::RenameReplace(std::string_view from, std::string_view to) {
  const MutexLock lock(state_->mutex);
  TL_TRY(state_->EnterPlain("rename", to));
  State::Node node = TL_TRY(state_->FindFile(from));
  TL_TRY(state_->ParentExists(to));
  state_->Change(
      {DirectoryOf(to), {{std::string(from), std::nullopt}, {std::string(to), std::move(node)}}});
  return OkStatus();
}

Status SimFileSystem::Remove(std::string_view path) {
  const MutexLock lock(state_->mutex);
  TL_TRY(state_->EnterPlain("unlink", path));
  TL_TRY(state_->FindFile(path));
  state_->Change({DirectoryOf(path), {{std::string(path), std::nullopt}}});
  return OkStatus();
}

Status SimFileSystem::CreateDirectory(std::string_view path) {
  const MutexLock lock(state_->mutex);
  TL_TRY(state_->EnterPlain("mkdir", path));
  TL_TRY(state_->ParentExists(path));
  if (IsRoot(path) || state_->seen.contains(path)) return AlreadyExists("'{}' exists", path);
  state_->Change({DirectoryOf(path), {{std::string(path), State::Node()}}});
  return OkStatus();
}

Status SimFileSystem::RemoveDirectory(std::string_view path) {
  const MutexLock lock(state_->mutex);
  TL_TRY(state_->EnterPlain("rmdir", path));
  const auto found = state_->seen.find(path);
  if (found == state_->seen.end() || found->second != nullptr) {
    return NotFound("no directory '{}'", path);
  }
  const auto child = state_->seen.lower_bound(std::string(path) + "/");
  if (child != state_->seen.end() && child->first.starts_with(std::string(path) + "/")) {
    return Unavailable("directory '{}' is not empty", path);
  }
  state_->Change({DirectoryOf(path), {{std::string(path), std::nullopt}}});
  return OkStatus();
}

Status SimFileSystem::SyncDirectory(std::string_view path) {
  const MutexLock lock(state_->mutex);
  bool take_part = false;
  TL_TRY(state_->Enter(State::Kind::kSync, "fsync", path, &take_part));
  std::vector<State::NameChange> left;
  for (State::NameChange& change : state_->pending) {
    if (change.directory == path || (IsRoot(change.directory) && IsRoot(path))) {
      State::Apply(change, &state_->stored);
    } else {
      left.push_back(std::move(change));
    }
  }
  state_->pending = std::move(left);
  return OkStatus();
}

Result<std::vector<fs::DirectoryEntry>> SimFileSystem::List(std::string_view path) {
  const MutexLock lock(state_->mutex);
  if (state_->crashed) return PowerIsOff();
  if (!IsRoot(path)) {
    const auto found = state_->seen.find(path);
    if (found == state_->seen.end() || found->second != nullptr) {
      return NotFound("no directory '{}'", path);
    }
  }
  std::vector<fs::DirectoryEntry> entries;
  for (const auto& [name, node] : state_->seen) {
    const std::string parent = DirectoryOf(name);
    if (parent != path && !(IsRoot(parent) && IsRoot(path))) continue;
    const std::size_t slash = name.rfind('/');
    entries.push_back(
        {slash == std::string::npos ? name : name.substr(slash + 1), node == nullptr});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<fs::FileInfo> SimFileSystem::Stat(std::string_view path) {
  const MutexLock lock(state_->mutex);
  if (state_->crashed) return PowerIsOff();
  if (IsRoot(path)) return fs::FileInfo{0, true};
  const auto found = state_->seen.find(path);
  if (found == state_->seen.end()) return NotFound("no file '{}'", path);
  if (found->second == nullptr) return fs::FileInfo{0, true};
  return fs::FileInfo{found->second->cache.size(), false};
}

Result<fs::SpaceInfo> SimFileSystem::Space(std::string_view) {
  const MutexLock lock(state_->mutex);
  if (state_->crashed) return PowerIsOff();
  const std::uint64_t used = state_->UsedBytes();
  return fs::SpaceInfo{state_->capacity, state_->capacity - std::min(used, state_->capacity)};
}

Result<std::unique_ptr<fs::FileLock>> SimFileSystem::Lock(std::string_view path) {
  const MutexLock lock(state_->mutex);
  if (state_->crashed) return PowerIsOff();
  TL_TRY(state_->ParentExists(path));
  if (!state_->seen.contains(path)) {
    TL_TRY(state_->EnterPlain("open", path));
    state_->Change({DirectoryOf(path), {{std::string(path), std::make_shared<Inode>()}}});
  }
  if (!state_->locks.insert(std::string(path)).second) {
    return Aborted("lock '{}' is held by another process", path);
  }
  return std::make_unique<SimLock>(*state_, std::string(path), state_->life);
}

}  // namespace tideline::testing
