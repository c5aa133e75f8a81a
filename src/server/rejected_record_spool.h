// server/rejected_record_spool.h: rejected late records on disk until their report is written.
//
// Their writer is answered "ingested", so they may not be forgotten with the process or the machine's power. Each is one
// frame in a file of <data directory>/reports, written and synced before the answer; a file goes when all its records
// are reported. What was reported just before a crash may be reported twice. On-disk layout: docs/file-format.md,
// "Rejected records".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "base/uuid.h"
#include "storage/fs/file_system.h"
#include "storage/seal/sealer.h"

namespace tideline::server {

/// Most bytes of one frame; bounds allocation on hostile input.
inline constexpr std::size_t kRejectedFrameBytesMax = std::size_t{1} << 20;
inline constexpr std::uint16_t kRejectedRecordFormat = 1;

/// A rejected record and where it is to be reported.
struct RejectedRecordEntry {
  std::string database{};
  std::string table{};
  std::string bucket{};
  std::string prefix{};
  std::string reason{};
  std::string json{};
  std::size_t bytes() const { return reason.size() + json.size(); }
};

/// Thread-safe.
class RejectedRecordSpool {
 public:
  struct Options {
    fs::FileSystem* file_system = nullptr;  ///< null: nothing is kept on disk
    std::string directory{};
    seal::Sealer* sealer = nullptr;  ///< required with a file system; outlives the spool
    Uuid key_scope{};
  };
  explicit RejectedRecordSpool(Options options);

  /// Records that an earlier process left, the oldest first, each passed to `each` once. A frame that is cut ends its
  /// file; one that is damaged is an error after those before it. Files go with Release of the number returned.
  Result<std::uint64_t> Load(const std::function<void(RejectedRecordEntry)>& each);
  /// False when nothing is kept on disk.
  bool is_on_disk() const { return options_.file_system != nullptr; }
  /// Appends records to the current file and syncs them. On error they are on disk in part or not at all.
  Status Append(std::span<const RejectedRecordEntry> entries);
  /// Ends the current file: later records go into another one. Names what was written so far.
  std::uint64_t Rotate();
  /// Removes every file that Rotate or Load named by `number` or less.
  Status Release(std::uint64_t number);

 private:
  std::string PathOf(std::uint64_t number) const;
  Result<Bytes> EncodeFrame(const RejectedRecordEntry& entry) TL_REQUIRES(mutex_);
  Status LoadFile(const std::string& path, const std::function<void(RejectedRecordEntry)>& each);

  const Options options_;
  Mutex mutex_;
  Random random_ TL_GUARDED_BY(mutex_);
  std::uint64_t number_ TL_GUARDED_BY(mutex_) = 1;  ///< of the current file
  std::unique_ptr<fs::File> file_ TL_GUARDED_BY(mutex_);  ///< null until something is appended
  std::uint64_t offset_ TL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tideline::server
