// exec/spill/spill_space.h: where queries put what does not fit into their memory.
//
// One directory per process, below the data directory; old spill files go at start. One loses its name
// as soon as it is open, so that nothing is left of it however its query or the process ends. Its
// content is a sequence of frames, each written once as one page of the sealer: checked by CRC, and
// encrypted when the sealer encrypts. Nothing is ever synced: a crash may lose it.
//
// Two limits, each with its own message: bytes of one query and bytes of all. A third keeps the disk
// from being filled to its end, since the log shares it.
//
// Sources: Graefe, "Query Evaluation Techniques for Large Databases", ACM Computing Surveys 25(2),
// 1993, sections 3 and 4, for what is spilled; Kuiper et al., "Robust External Hash Aggregation in the
// Solid State Age", ICDE 2024, for spilling pages of partitions instead of rows. Departure: groups that
// are in memory stay there and only rows go to disk (operators/aggregate.h), so that no aggregate needs
// a form on disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "storage/fs/file_system.h"
#include "storage/seal/sealer.h"

namespace tideline::exec {

struct SpillOptions {
  fs::FileSystem* file_system = nullptr;        ///< required
  std::string directory;                        ///< made if absent; old spill files in it are removed
  std::uint64_t bytes_max = std::uint64_t{64} << 30;        ///< of all queries together
  std::uint64_t query_bytes_max = std::uint64_t{32} << 30;  ///< of one query
  std::uint64_t disk_free_bytes_min = 0;        ///< spilling stops when the disk has less room
  seal::Sealer* sealer = nullptr;               ///< required; PlainSealer without encryption
};

/// The process's spill directory. Thread-safe; outlives every SpillQuota. A thread of its own closes large files: the
/// kernel takes a tenth of a second to free the pages of a gigabyte, which is not the time of a query that has ended.
class SpillSpace {
 public:
  /// Errors are the file system's.
  static Result<std::unique_ptr<SpillSpace>> Open(SpillOptions options);
  ~SpillSpace();

  const SpillOptions& options() const { return options_; }
  std::uint64_t used_bytes() const { return used_.load(std::memory_order_relaxed); }

 private:
  friend class SpillQuota;
  friend class SpillFile;
  explicit SpillSpace(SpillOptions options) : options_(std::move(options)) {}
  /// Closes a file of `bytes`, which count as used until that is done.
  void Close(std::unique_ptr<fs::File> file, std::uint64_t bytes);

  const SpillOptions options_;
  std::atomic<std::uint64_t> used_{0};
  std::atomic<std::uint64_t> next_number_{1};
  ThreadPool closer_{{.name = "spill", .thread_count = 1}};  // last: it works on what is above
};

class SpillFile;

/// What one query may spill. Thread-safe; outlives its files.
class SpillQuota {
 public:
  explicit SpillQuota(SpillSpace* space) : space_(space) {}
  SpillQuota(const SpillQuota&) = delete;
  SpillQuota& operator=(const SpillQuota&) = delete;

  /// An empty file. kResourceExhausted, kUnavailable: as the file system says.
  Result<std::shared_ptr<SpillFile>> NewFile();
  std::uint64_t used_bytes() const { return used_.load(std::memory_order_relaxed); }

 private:
  friend class SpillFile;
  /// kResourceExhausted naming the limit that is reached.
  Status Reserve(std::uint64_t bytes);
  void Release(std::uint64_t bytes);
  Status CheckDisk(std::uint64_t bytes);

  SpillSpace* const space_;
  std::atomic<std::uint64_t> used_{0};
  std::atomic<std::uint64_t> unchecked_{0};  // bytes since the disk's room was looked at
};

/// Frames of one operator or result. Append from one thread at a time; Read from any.
class SpillFile {
 public:
  /// Largest frame; more is kResourceExhausted.
  static constexpr std::size_t kFrameBytesMax = std::size_t{1} << 30;

  ~SpillFile();
  /// Writes `plain` as the next frame and returns its number.
  Result<std::uint32_t> Append(BytesView plain);
  /// Frame `index`. kDataLoss when it is not what was written.
  Result<std::shared_ptr<const Bytes>> Read(std::uint32_t index) const;

 private:
  friend class SpillQuota;
  struct Frame {
    std::uint64_t offset;
    std::uint32_t stored_bytes;
    std::uint32_t plain_bytes;
  };
  SpillFile(SpillQuota* quota, std::unique_ptr<fs::File> file, std::unique_ptr<seal::FileSealer> sealer)
      : quota_(quota), file_(std::move(file)), sealer_(std::move(sealer)) {}

  SpillQuota* const quota_;
  std::unique_ptr<fs::File> file_;
  const std::unique_ptr<seal::FileSealer> sealer_;
  std::uint32_t next_index_ = 0;  // this and size_: of the one thread that appends
  std::uint64_t size_ = 0;
  mutable Mutex mutex_;
  std::vector<Frame> frames_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::exec
