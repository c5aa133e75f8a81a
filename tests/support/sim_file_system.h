// tests/support/sim_file_system.h: a disk in memory that forgets, fails and lies on request.
//
// Every file has two contents: what the cache shows and what the disk holds, and a set of 512-byte
// sectors in which they may differ (dirty). A sync copies the dirty sectors to the disk. Names are
// the same: link, rename, unlink and create change what is seen at once, and what the disk holds
// only with SyncDirectory. A power cut keeps all, none or a random subset of the dirty sectors and
// of the unsynced name changes (each separately, in order), so every state is reached that a disk,
// which may reorder anything between two syncs, can be left in. A failed sync marks its sectors
// clean although only some were stored, as Linux does.
//
// Deterministic: one seed and one sequence of calls give one result. Thread-safe, though calls from
// several threads have no order to repeat.
//
//   SimFileSystem disk(seed);
//   disk.CrashAtCall(17);            // the 17th changing call from now cuts the power
//   ... run until it fails ...
//   disk.Restart(Keep::kRandom);     // and look what is left
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "storage/fs/file_system.h"

namespace tideline::testing {

inline constexpr std::size_t kSectorBytes = 512;

/// What a power cut leaves of what was not synced.
enum class Keep { kAll, kNone, kRandom };

enum class Fault {
  kIoError,     ///< EIO; of a sync, a random part is stored and all is marked clean
  kNoSpace,     ///< ENOSPC; nothing changes
  kQuota,       ///< EDQUOT
  kShortWrite,  ///< of a write, a random front part is written, then EIO; else as kIoError
};

class SimFileSystem final : public fs::FileSystem {
 public:
  explicit SimFileSystem(std::uint64_t seed);
  ~SimFileSystem() override;

  /// Calls so far that change something or sync: open for creation, write, sync, allocate,
  /// truncate, link, rename, remove, directory calls. Crash and fault points are counted in these.
  std::uint64_t call_count() const;
  /// Cuts the power in the `n`-th changing call from now (1: the next one), before it takes effect;
  /// a write or sync may take effect in part. Until Restart every call fails with kUnavailable.
  void CrashAtCall(std::uint64_t n);
  /// Makes the `n`-th changing call from now fail; with `sticky` all later ones too, until
  /// ClearFaults.
  void FailCall(std::uint64_t n, Fault fault, bool sticky = false);
  /// Whether the call that FailCall named is still to come, or fails for good.
  bool fault_pending() const;
  /// Makes every later sync (data or all) of a path that contains `part` fail with EIO.
  void FailSyncsOf(std::string_view part);
  /// Makes every later read of a path that contains `part` fail with EIO.
  void FailReadsOf(std::string_view part);
  void ClearFaults();
  /// Calls `hook` with the path before each write takes effect and with no lock of the disk held: what others do
  /// while a file is being written. The hook may use the disk; writes inside it do not call it again.
  void BeforeWrites(std::function<void(std::string_view path)> hook);
  /// Likewise before each read: a hook that waits makes a slow disk.
  void BeforeReads(std::function<void(std::string_view path)> hook);
  /// Limits the sum of file sizes; growing past it is ENOSPC.
  void SetCapacity(std::uint64_t bytes);
  bool crashed() const;
  /// Cuts the power now, if it is not cut, and starts again: open files and locks are gone.
  void Restart(Keep keep);
  /// Inverts one bit of a file, on the disk and in the cache. kNotFound; the bit must lie inside
  /// (checked).
  Status FlipBit(std::string_view path, std::uint64_t bit);
  /// Overwrites bytes of a file, on the disk and in the cache, without counting as a call.
  Status Corrupt(std::string_view path, std::uint64_t offset, BytesView bytes);
  /// What the cache shows; empty if absent.
  Bytes Contents(std::string_view path) const;
  /// Paths of all files, sorted.
  std::vector<std::string> Paths() const;
  /// A hash of all names and contents that the cache shows: equal states, equal hash.
  std::uint64_t StateHash() const;

  Result<std::unique_ptr<fs::File>> Open(std::string_view path, fs::OpenMode mode) override;
  Status Link(std::string_view from, std::string_view to) override;
  Status RenameNoReplace(std::string_view from, std::string_view to) override;
  Status RenameReplace(std::string_view from, std::string_view to) override;
  Status Remove(std::string_view path) override;
  Status CreateDirectory(std::string_view path) override;
  Status RemoveDirectory(std::string_view path) override;
  Status SyncDirectory(std::string_view path) override;
  Result<std::vector<fs::DirectoryEntry>> List(std::string_view path) override;
  Result<fs::FileInfo> Stat(std::string_view path) override;
  Result<fs::SpaceInfo> Space(std::string_view path) override;
  Result<std::unique_ptr<fs::FileLock>> Lock(std::string_view path) override;

 private:
  friend class SimFile;
  friend class SimLock;
  struct Inode;
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace tideline::testing
