// storage/engine/engine_options.h: what an engine is opened with, and the limits it keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "storage/catalog/schema.h"
#include "storage/fs/file_system.h"
#include "storage/objstore/object_store.h"
#include "storage/seal/sealer.h"

namespace tideline::engine {

/// Rows of an active buffer before it is closed and encoded into a run.
inline constexpr std::size_t kBufferRowsMax = 65'536;
/// A piece of a checkpoint with fewer rows goes to the next larger time window.
inline constexpr std::size_t kPieceRowsMin = 8'192;
/// Segments of one window that a merge takes at once, and that it leaves alone below.
inline constexpr std::size_t kMergeFanOut = 8;
/// Most records of one WriteBatch.
inline constexpr std::size_t kBatchRecordsMax = 10'000;
/// Longest canonical dimension set of one series in bytes (names and values), text columns aside.
inline constexpr std::size_t kSeriesBytesMax = 64 * 1024;

/// How a record is judged that has the key of a row that is there already. The service decides
/// (service/api/choices.h); these are what it has decided.
struct VerdictRules {
  /// A lower version is refused even when it repeats the stored values; else it is accepted as equal.
  bool refuse_lower_version_of_equal_values = true;
  /// Of two records of one batch with one key and version and other values the second is refused; else it
  /// takes the first one's place.
  bool first_in_batch_wins = true;
};

struct EngineOptions {
  std::string data_dir{};                        ///< made if absent; one engine at a time (LOCK)
  fs::FileSystem* file_system = nullptr;       ///< required; outlives the engine
  const Clock* clock = &SystemClock();         ///< outlives the engine
  seal::Sealer* sealer = nullptr;              ///< null: no encryption

  // ---- what the service decides ------------------------------------------------------------------
  VerdictRules verdict_rules{};
  std::size_t databases_max = catalog::kDatabasesMax;  ///< smaller only in tests
  std::size_t tables_max = catalog::kTablesMax;        ///< of all databases; smaller only in tests

  // ---- gates: past one, writes get kResourceExhausted that names it -----------------------------
  std::size_t staged_bytes_max = std::size_t{64} << 20;  ///< logged, not yet synced
  std::size_t hot_bytes_max = 0;                         ///< buffers and runs; 0: a quarter of the budget
  std::uint64_t wal_bytes_max = std::uint64_t{1} << 30;  ///< log above the floor
  std::size_t segments_per_window_max = 512;
  std::size_t series_bytes_max = 0;  ///< series of all tables; 0: a quarter of the budget
  /// Marks on dead rows of segments; 0: a sixteenth of the budget. Past it no stored row is replaced or deleted, and merges
  /// rewrite the segments with the most dead rows.
  std::size_t deletion_bytes_max = 0;
  /// Series tables of segments, those that are cached and those that queries and lookups use; 0: half of cache_bytes_max.
  /// Past it queries get kResourceExhausted.
  std::size_t series_table_bytes_max = 0;

  // ---- pace -----------------------------------------------------------------------------------
  /// Log written since the last checkpoint; a restart replays about this much.
  std::uint64_t checkpoint_wal_bytes = std::uint64_t{64} << 20;
  std::int64_t checkpoint_age_ns = kNsPerHour;
  std::size_t memory_bytes_max = 0;  ///< of the process; 0: detected
  std::size_t cache_bytes_max = 0;   ///< encoded blocks of files; 0: a quarter of the budget
  /// Rows of an active buffer; smaller only in tests.
  std::size_t buffer_rows_max = kBufferRowsMax;
  std::size_t piece_rows_min = kPieceRowsMin;

  /// Bytes that merges write per second at most; 0: no limit.
  std::uint64_t merge_bytes_per_second_max = std::uint64_t{256} << 20;

  // ---- tiers ------------------------------------------------------------------------------------
  /// Where the magnetic store lies; null: in the data directory. Outlives the engine.
  objstore::ObjectStore* magnetic_store = nullptr;
  /// Segments of the magnetic store with fewer rows are put together into longer windows.
  std::uint64_t magnetic_piece_rows_min = 65'536;
  /// How long dropped segments and deleted rows can be brought back; 0: not at all.
  std::int64_t undelete_ns = kNsPerDay;
  /// A file that holds this much space and is given back when the disk is nearly full, so that checkpoints and deletes
  /// can run; 0: none.
  std::uint64_t reserve_bytes = 0;

  // ---- log ------------------------------------------------------------------------------------
  std::uint64_t wal_file_bytes = std::uint64_t{64} << 20;
  /// Zero: completions wait for a sync. Else they run once written and a sync follows within this.
  std::int64_t sync_interval_ns = 0;
  bool recover_quarantine = false;  ///< start in spite of a damaged log, see wal_recovery.h

  /// False: buffers that are full wait for a checkpoint as they are and do not become runs, which take less memory and
  /// are read more quickly. For a load that no one queries.
  bool encode_runs = true;

  /// False: no thread of the engine's own; runs, checkpoints and merges happen only inside Drive,
  /// RunMaintenance and Checkpoint, for tests and simulation.
  bool own_threads = true;
  /// Non-zero: file uuids come from this seed.
  std::uint64_t uuid_seed = 0;
  /// Told when the log has failed; the server ends the process with status 74. May be null.
  std::function<void(const Status&)> on_fatal{};
};

}  // namespace tideline::engine
