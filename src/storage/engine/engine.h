// storage/engine/engine.h: the one storage interface that others call.
//
// Owns a data directory: log, segments, manifest, catalog. What a call acknowledges survives the
// process and the machine. Durability and recovery: docs/architecture.md, "Storage".
//
//   auto engine = TL_TRY(Engine::Open({.data_dir = dir, .file_system = &fs::PosixFileSystem()}));
//   TL_TRY(engine->CreateDatabase({.name = "db"}));
//   TL_TRY(engine->CreateTable("db", "cpu", {}));
//   TL_TRY(engine->Write(batch, &completion));          // completion runs once durable and visible
//   Snapshot snapshot = TL_TRY(engine->OpenSnapshot("db", "cpu"));
//   TL_TRY(engine->Stop());
//
// Thread-safe. Calls that change the catalog block until durable: not for a loop thread. Write never
// blocks on a disk unless it must read old rows to find whether a late record is new.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/uuid.h"
#include "storage/catalog/catalog.h"
#include "storage/catalog/manifest.h"
#include "storage/engine/engine_options.h"
#include "storage/engine/scan.h"
#include "storage/engine/verify.h"
#include "storage/engine/write_batch.h"

namespace tideline::engine {

/// Members that are absent keep their value; of a partition key only the enforcement may change.
struct TableUpdate {
  std::optional<catalog::Retention> retention{};
  std::optional<catalog::MagneticStoreWrites> magnetic_store_writes{};
  std::optional<std::vector<catalog::PartitionKey>> partition_keys{};
};

struct NewDatabase {
  std::string name{};
  std::string kms_key_id{};
  catalog::Tags tags{};
};

/// Figures of the whole engine, for health and metrics.
struct EngineStats {
  std::uint64_t published_number = 0;
  std::uint64_t wal_retained_bytes = 0;
  std::uint64_t hot_bytes = 0;       ///< buffers and runs
  std::uint64_t staged_bytes = 0;    ///< logged, not yet synced
  std::uint64_t segment_count = 0;   ///< in files
  std::uint64_t segment_bytes = 0;
  std::uint64_t series_count = 0;
  std::uint64_t replayed_records = 0;  ///< of the log, when the engine was opened
  std::uint64_t replayed_rows = 0;     ///< in them, without those that were in files already
  std::uint64_t replayed_bytes = 0;    ///< of the log
  std::int64_t recovery_ns = 0;        ///< what opening took
  std::uint64_t checkpoint_count = 0;
  std::uint64_t merge_count = 0;
  std::uint64_t magnetic_segment_count = 0;  ///< of segment_count
  std::uint64_t magnetic_bytes = 0;          ///< of segment_bytes
  std::uint64_t dropped_bytes = 0;           ///< files that undelete can bring back
  std::uint64_t series_bytes = 0;            ///< memory of the series indexes, estimated since the last upkeep
  std::uint64_t series_table_bytes = 0;      ///< memory of segments' series tables, in use or cached
  std::uint64_t deletion_bytes = 0;          ///< memory of marks on dead rows of segments, as of the last upkeep
  std::uint64_t cache_bytes = 0;             ///< encoded blocks and series tables that are kept
  bool expiry_paused = false;                ///< the wall clock is in doubt

  // Rows written into segment files since the start, by what wrote them; the log's bytes are not counted here.
  std::uint64_t checkpoint_rows = 0;
  std::uint64_t checkpoint_bytes = 0;
  std::uint64_t merged_rows = 0;        ///< within a store
  std::uint64_t moved_rows = 0;         ///< into the magnetic store
  std::uint64_t consolidated_rows = 0;  ///< within the magnetic store, into longer windows
  std::uint64_t merge_read_bytes = 0;
  std::uint64_t merge_written_bytes = 0;
  /// Of all rows moved into the magnetic store: how often the one written most often was written.
  std::uint64_t writes_at_rest_max = 0;
  /// How often a row was written into segment files on average; 0 before the first checkpoint.
  double WriteAmplification() const {
    return checkpoint_rows == 0
               ? 0
               : static_cast<double>(checkpoint_rows + merged_rows + moved_rows + consolidated_rows) /
                     static_cast<double>(checkpoint_rows);
  }
};

/// Which rows a DELETE takes away: all predicates on dimensions and measure_name hold, and the time lies in one of
/// `times` (empty list: any time).
struct DeleteRequest {
  std::string_view database{};
  std::string_view table{};
  std::vector<TimeRange> times{};
  std::vector<SeriesPredicate> series{};
  bool dry_run = false;  ///< counts only
};
struct DeleteResult {
  std::uint64_t rows = 0;
  Uuid delete_id{};                 ///< nil when nothing was deleted
  std::int64_t undo_until_ns = 0;   ///< wall time; 0: cannot be undone
};

struct UndeleteRequest {
  std::string_view database{};
  std::string_view table{};
  Uuid delete_id{};  ///< nil: segments that expired
};
struct UndeleteResult {
  std::uint64_t rows = 0;  ///< brought back
};

class Engine {
 public:
  /// Recovers what the directory holds and starts the engine's threads.
  /// kAborted: another process has the directory. kDataLoss: promised bytes are damaged.
  /// kUnimplemented: written by a newer version.
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options);
  virtual ~Engine() = default;

  /// Refuses new calls, writes a checkpoint, ends the threads. Idempotent. No snapshot may be in use
  /// when the engine is destroyed.
  virtual Status Stop() = 0;

  // ---- catalog: durable at return -----------------------------------------------------------------
  virtual const catalog::Catalog& catalog() const = 0;
  /// kAlreadyExists; kQuotaExceeded above databases_max or kTagsMax.
  virtual Result<catalog::DatabaseInfoPtr> CreateDatabase(const NewDatabase& database) = 0;
  /// kNotFound. The same key is accepted and changes nothing.
  virtual Result<catalog::DatabaseInfoPtr> UpdateDatabase(std::string_view database,
                                                          std::string_view kms_key_id) = 0;
  /// kNotFound; kInvalidArgument while it has tables.
  virtual Status DeleteDatabase(std::string_view database) = 0;
  /// kNotFound (database), kAlreadyExists, kQuotaExceeded above tables_max or kTagsMax.
  virtual Result<catalog::TableSchemaPtr> CreateTable(std::string_view database,
                                                      std::string_view table,
                                                      const catalog::TableProperties& properties) = 0;
  /// kNotFound; kInvalidArgument when a partition key's type, name or count would change.
  virtual Result<catalog::TableSchemaPtr> UpdateTable(std::string_view database,
                                                      std::string_view table,
                                                      const TableUpdate& update) = 0;
  /// kNotFound. Running queries finish on what they hold.
  virtual Status DeleteTable(std::string_view database, std::string_view table) = 0;
  /// Adds or overwrites tags of a database (`table` empty) or table. kNotFound; kQuotaExceeded above
  /// kTagsMax.
  virtual Status Tag(std::string_view database, std::string_view table,
                     const catalog::Tags& tags) = 0;
  /// Unknown keys are ignored. kNotFound.
  virtual Status Untag(std::string_view database, std::string_view table,
                       const std::vector<std::string>& keys) = 0;

  // ---- data ------------------------------------------------------------------------------------
  /// Takes a verdict on each record, stages and logs the accepted ones, and returns; `completion` runs
  /// later (or at once, see write_batch.h) and must live until then. On error nothing was stored and
  /// `completion` is not called.
  ///
  /// kNotFound: no such table. kInvalidArgument: too many records. kResourceExhausted: a gate of
  /// EngineOptions, named. kUnavailable: stopped, or the log failed, or a file that may hold a late record's key cannot be
  /// read; on a thread inside NoWait: it would have to be read from the disk. kDataLoss: that file is damaged.
  virtual Status Write(const WriteBatch& batch, WriteCompletion* completion) = 0;
  /// Blocks until durable and visible; for tests, loaders and jobs.
  virtual Result<std::vector<RecordResult>> WriteAndWait(const WriteBatch& batch) = 0;

  /// kNotFound: no such table.
  virtual Result<Snapshot> OpenSnapshot(std::string_view database, std::string_view table) = 0;
  virtual Result<Snapshot> OpenSnapshot(catalog::TableId table) = 0;

  /// Takes whole rows away: those written before the call. Durable and invisible at return; can be undone for
  /// EngineOptions::undelete_ns. Blocks; checkpoints wait for it, writers do not. kNotFound; kInvalidArgument: a
  /// predicate on a value column, too many time ranges.
  virtual Result<DeleteResult> DeleteRows(const DeleteRequest& request) = 0;
  /// Brings back what a DELETE took away, or what expired, while its time is not over. Keys that were written again
  /// stay as they are. kNotFound: no such table or delete; kInvalidArgument: the rows would expire at once.
  virtual Result<UndeleteResult> Undelete(const UndeleteRequest& request) = 0;

  // ---- maintenance ---------------------------------------------------------------------------
  /// Writes everything published so far to files and raises the log's floor. Blocks.
  virtual Status Checkpoint() = 0;
  /// What the background does on its own clock: runs, merges, expiry, removal of files. Blocks.
  virtual Status RunMaintenance() = 0;
  /// RunMaintenance until there is nothing left to merge, move or expire. Blocks.
  virtual Status Settle() = 0;
  /// With own_threads false: commits what is logged; false when there is nothing to do.
  virtual bool Drive() = 0;
  virtual EngineStats stats() const = 0;
  /// Made with the data directory; what belongs to no table is sealed under it.
  virtual Uuid database_uuid() const = 0;
  /// Checks every file that the newest manifest names, and the log. Blocks for long; writes, queries and upkeep go on.
  virtual Result<VerifyReport> Verify() = 0;
  /// Live segments of all tables, by database, table, window and key.
  virtual std::vector<catalog::LiveSegment> ListSegments() const = 0;

 protected:
  Engine() = default;
};

}  // namespace tideline::engine
