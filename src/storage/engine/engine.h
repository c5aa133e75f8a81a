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
#include "storage/catalog/catalog.h"
#include "storage/engine/engine_options.h"
#include "storage/engine/scan.h"
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
  std::uint64_t replayed_records = 0;  ///< at open
  std::uint64_t checkpoint_count = 0;
  std::uint64_t merge_count = 0;
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
  /// kAlreadyExists; kQuotaExceeded above kDatabasesMax or kTagsMax.
  virtual Result<catalog::DatabaseInfoPtr> CreateDatabase(const NewDatabase& database) = 0;
  /// kNotFound. The same key is accepted and changes nothing.
  virtual Result<catalog::DatabaseInfoPtr> UpdateDatabase(std::string_view database,
                                                          std::string_view kms_key_id) = 0;
  /// kNotFound; kInvalidArgument while it has tables.
  virtual Status DeleteDatabase(std::string_view database) = 0;
  /// kNotFound (database), kAlreadyExists, kQuotaExceeded above kTablesMax or kTagsMax.
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
  /// EngineOptions, named. kUnavailable: stopped, or the log failed.
  virtual Status Write(const WriteBatch& batch, WriteCompletion* completion) = 0;
  /// Blocks until durable and visible; for tests, loaders and jobs.
  virtual Result<std::vector<RecordResult>> WriteAndWait(const WriteBatch& batch) = 0;

  /// kNotFound: no such table.
  virtual Result<Snapshot> OpenSnapshot(std::string_view database, std::string_view table) = 0;
  virtual Result<Snapshot> OpenSnapshot(catalog::TableId table) = 0;

  // ---- maintenance ---------------------------------------------------------------------------
  /// Writes everything published so far to files and raises the log's floor. Blocks.
  virtual Status Checkpoint() = 0;
  /// What the background does on its own clock: runs, merges, expiry, removal of files. Blocks.
  virtual Status RunMaintenance() = 0;
  /// With own_threads false: commits what is logged; false when there is nothing to do.
  virtual bool Drive() = 0;
  virtual EngineStats stats() const = 0;

 protected:
  Engine() = default;
};

}  // namespace tideline::engine
