// storage/wal/wal_options.h: what WAL writer and recovery must agree on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/sequence_number.h"
#include "base/status.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/seal/sealer.h"

namespace tideline::wal {

/// Most payload bytes of a frame, as stored and as unpacked; checked before allocation.
inline constexpr std::size_t kFramePayloadBytesMax = std::size_t{16} << 20;
/// Largest log file that is read back.
inline constexpr std::uint64_t kLogFileBytesMax = std::uint64_t{1} << 30;
/// Smallest `WalOptions::file_bytes`; tests use it to see many files.
inline constexpr std::uint64_t kLogFileBytesMin = 16 << 10;

enum class SyncMode {
  kFull,      ///< a completion runs after its frame is synced
  kInterval,  ///< a completion runs after its frame is written; a sync follows within
              ///< `sync_interval_ns`, which is the window of loss when the machine (not the
              ///< process) dies. A checkpoint calls WalWriter::Flush before it raises the floor.
};

/// Told what concerns the whole log, on one of the log's threads with no lock held; outlives the
/// log.
class WalListener {
 public:
  virtual ~WalListener() = default;
  /// Everything through `through` is durable; runs once per group, before the group's completions.
  virtual void OnGroupDurable(SequenceNumber /*through*/) {}
  /// The log is poisoned: a write or sync failed. Runs once, before any waiter is failed; the
  /// server answers by ending the process with status 74, so that restart recovers from what the
  /// disk holds.
  virtual void OnWalFailed(const Status& status) = 0;
};

struct WalOptions {
  std::string directory = {};  ///< holds nothing but log files; made if absent
  Uuid database_uuid = {};
  Uuid key_scope = {};  ///< the lane's, for seal::Sealer::CurrentKey

  std::uint64_t file_bytes = std::uint64_t{64} << 20;    ///< kLogFileBytesMin to kLogFileBytesMax
  /// Room for new frames in the file that a start makes, for which someone waits; at most file_bytes. Less than the
  /// largest frame is possible, but such a frame would make the file grow.
  std::uint64_t start_room_bytes = std::uint64_t{20} << 20;
  std::uint64_t wal_bytes_max = std::uint64_t{1} << 30;  ///< above the floor; bounds replay time
  SyncMode sync = SyncMode::kFull;
  std::int64_t sync_interval_ns = 100 * kNsPerMs;
  std::int64_t commit_delay_ns = 0;  ///< waits this long for company before each frame
  std::int64_t seal_idle_ns =
      kNsPerSecond;  ///< an empty frame follows after so long without writes
  std::int64_t prepare_retry_ns =
      kNsPerSecond;      ///< between tries to prepare the next file on a full disk
  bool compress = true;  ///< LZ4 where it saves an eighth or more

  /// False: no threads; whoever owns the writer calls WalWriter::Drive (simulation).
  bool own_threads = true;
  /// Non-zero: file uuids come from this seed, so that a simulation repeats itself. It must differ
  /// at every start on one disk.
  std::uint64_t uuid_seed = 0;

  const Clock* clock = &SystemClock();
  seal::Sealer* sealer = nullptr;   ///< required; outlives the log
  WalListener* listener = nullptr;  ///< may be null
};

}  // namespace tideline::wal
