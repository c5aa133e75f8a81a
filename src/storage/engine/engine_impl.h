// storage/engine/engine_impl.h: the Engine behind engine.h.
//
// Locks, taken in this order: merge_mutex_ (one merge at a time), maintenance_mutex_ (checkpoints, deletes, expiry, and
// beginning and end of a merge: what changes the manifest), catalog_mutex_ (changes of the catalog), a table's lock, the lane's lock.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "storage/engine/block_cache.h"
#include "storage/engine/checkpoint_pace.h"
#include "storage/engine/engine.h"
#include "storage/engine/flush.h"
#include "storage/engine/lane.h"
#include "storage/engine/merge_plan.h"
#include "storage/engine/new_files.h"
#include "storage/engine/series_file.h"
#include "storage/engine/table.h"
#include "storage/objstore/object_store.h"

namespace tideline::wal {
struct WalRecovery;
}

namespace tideline::engine {

struct DeleteOutcome;

/// Of deletion vector files: a Roaring bitmap in the portable format, sealed.
inline constexpr std::uint16_t kDeletionVectorFormat = 1;
/// Segments of the memory store, and of the magnetic store under the database's uuid.
inline constexpr std::string_view kSegmentPrefix = "segments/";
inline constexpr std::string_view kMagneticPrefix = "magnetic/";
inline constexpr std::string_view kReserveName = "/reserve";

class EngineImpl final : public Engine {
 public:
  explicit EngineImpl(EngineOptions options);
  ~EngineImpl() override;
  /// recovery.cc
  Status Recover();
  void NoteRecovery(const wal::WalRecovery& recovery);

  Status Stop() override;
  const catalog::Catalog& catalog() const override { return catalog_; }
  Result<catalog::DatabaseInfoPtr> CreateDatabase(const NewDatabase& database) override;
  Result<catalog::DatabaseInfoPtr> UpdateDatabase(std::string_view database,
                                                  std::string_view kms_key_id) override;
  Status DeleteDatabase(std::string_view database) override;
  Result<catalog::TableSchemaPtr> CreateTable(std::string_view database, std::string_view table,
                                              const catalog::TableProperties& properties) override;
  Result<catalog::TableSchemaPtr> UpdateTable(std::string_view database, std::string_view table,
                                              const TableUpdate& update) override;
  Status DeleteTable(std::string_view database, std::string_view table) override;
  Status Tag(std::string_view database, std::string_view table, const catalog::Tags& tags) override;
  Status Untag(std::string_view database, std::string_view table,
               const std::vector<std::string>& keys) override;

  Status Write(const WriteBatch& batch, WriteCompletion* completion) override;
  Result<std::vector<RecordResult>> WriteAndWait(const WriteBatch& batch) override;
  Result<Snapshot> OpenSnapshot(std::string_view database, std::string_view table) override;
  Result<Snapshot> OpenSnapshot(catalog::TableId table) override;
  Result<DeleteResult> DeleteRows(const DeleteRequest& request) override;
  Result<UndeleteResult> Undelete(const UndeleteRequest& request) override;

  Status Checkpoint() override;
  Status RunMaintenance() override;
  Status Settle() override;
  bool Drive() override;
  /// Every file a manifest names.
  static std::set<std::string> NamedFiles(const catalog::Manifest& manifest);
  Result<VerifyReport> Verify() override;
  EngineStats stats() const override;
  Uuid database_uuid() const override { return database_uuid_; }
  std::vector<catalog::LiveSegment> ListSegments() const override;

 private:
  /// What maintenance keeps of a table; guarded by maintenance_mutex_.
  struct TableUpkeep {
    SeriesProgress series{};
    /// Dead rows in the deletion vector file of a segment, by the segment's key.
    absl::flat_hash_map<std::string, std::uint64_t> dead_saved{};
    /// What it owes in that file.
    absl::flat_hash_map<std::string, std::uint64_t> owed_saved{};
    /// Segments whose merge failed, and the steady time before which it is not tried again.
    absl::flat_hash_map<std::string, std::int64_t> merge_not_before_ns{};
    /// Memory of the series index when it had so many series.
    std::size_t index_bytes = 0;
    std::uint32_t index_series = 0;
  };
  /// A file that no newer manifest names.
  struct Garbage {
    std::string key;
    std::weak_ptr<const void> user;  ///< whose queries read it: a segment, or a dropped table
    std::uint64_t dropped_in = 0;
    std::optional<catalog::TableId> key_of{};  ///< no file, but the data keys of a table
  };
  /// A table's part of a checkpoint, between writing and the manifest.
  struct TableCheckpoint {
    std::shared_ptr<Table> table;
    CheckpointInput input;
    catalog::TableFiles files;
    std::vector<std::shared_ptr<SegmentSource>> added;
    TableUpkeep upkeep;
    std::vector<std::string> replaced_keys;
  };
  /// A merge under way.
  struct MergeWork {
    std::shared_ptr<Table> table;
    catalog::TableSchemaPtr schema;
    MergeJob job;
    std::uint64_t number = 0;  ///< rows dead in a snapshot of it are left out; registered with the table
    std::int64_t retention_edge_ns = INT64_MIN;
    std::vector<catalog::SegmentEntry> entries;
    std::vector<std::shared_ptr<SegmentSource>> added;
  };
  enum class SpaceState : std::uint8_t { kEnough, kLow, kFull };

  // engine.cc
  std::shared_ptr<Table> FindTable(std::string_view database, std::string_view table) const;
  std::shared_ptr<Table> FindTable(catalog::TableId id) const;
  std::vector<std::shared_ptr<Table>> AllTables() const;
  Status CheckGates() const;
  Result<SequenceNumber> LogCatalogChange(OutcomeType type, BytesView payload)
      TL_REQUIRES(catalog_mutex_);
  Status WaitDurable(SequenceNumber number);
  Result<Snapshot> SnapshotOf(std::shared_ptr<Table> table);
  Status ChangeTags(std::string_view database, std::string_view table,
                    const std::function<Status(catalog::Tags*)>& change);

  // recovery.cc
  Status InitializeDatabase();
  Status InstallTables() TL_REQUIRES(maintenance_mutex_);
  Result<std::shared_ptr<Table>> InstallTable(const catalog::TableSchemaPtr& schema,
                                              const catalog::TableFiles& files)
      TL_REQUIRES(maintenance_mutex_);
  Status ReplayRecord(SequenceNumber number, std::uint16_t type, BytesView payload);
  Status ReplayCatalogRecord(OutcomeType type, BytesView payload);
  Status RemoveUnnamedFiles() TL_REQUIRES(maintenance_mutex_);
  Status RemoveUnnamedFilesOf(std::string_view prefix, const std::set<std::string>& named);
  Status SweepMagneticStore() TL_EXCLUDES(maintenance_mutex_);
  Status RemoveOldManifests() TL_REQUIRES(maintenance_mutex_);
  /// Destroys the keys of tables that neither the catalog nor `before` knows.
  void DestroyUnusedKeys(const catalog::Manifest* before) TL_REQUIRES(maintenance_mutex_);
  /// kDataLoss when there is data though there is no manifest.
  Status CheckEmpty();
  /// Compares what files hold with the last number of the log.
  Status CheckLogReaches(SequenceNumber last) TL_REQUIRES(maintenance_mutex_);

  void TellWhatIsOwed();
  Result<DeadRows> LoadDeletionVector(const catalog::SegmentEntry& entry);

  // maintenance.cc
  void Background();
  Status Upkeep();
  /// Whether checkpoints follow each other so closely that runs made in between would serve no one.
  bool CheckpointIsNear() const;
  Status MaintainLocked() TL_REQUIRES(maintenance_mutex_);
  std::size_t SeriesBytes(const Table& table) TL_REQUIRES(maintenance_mutex_);
  Status CheckpointLocked() TL_REQUIRES(maintenance_mutex_);
  Status WriteCheckpoint() TL_REQUIRES(maintenance_mutex_);
  /// Takes every table's part and encodes the catalog that fits exactly these parts.
  std::vector<TableCheckpoint> BeginCheckpoint(catalog::Manifest* next)
      TL_REQUIRES(maintenance_mutex_);
  /// What no longer has an owner once `next` is stored.
  std::vector<Garbage> GarbageOfDroppedTables(const catalog::Manifest& next)
      TL_REQUIRES(maintenance_mutex_);
  /// Notes that memory no longer fits the manifest stored: from here on only a restart helps.
  Status Break(const Status& status) TL_REQUIRES(maintenance_mutex_);
  bool CheckpointIsDue() TL_REQUIRES(maintenance_mutex_);
  Status EncodeRuns(const std::shared_ptr<Table>& table, std::uint64_t number);
  Status WriteTable(TableCheckpoint* checkpoint, NewFiles* made) TL_REQUIRES(maintenance_mutex_);
  /// What a checkpoint says of series, on its way to a file.
  struct SeriesFile {
    Uuid uuid;
    std::size_t entry_count = 0;
    Bytes stored;
  };
  class SeriesBeside;
  /// Those of `touched` (ascending) and all new ones. Of the checkpoint changes what concerns series files.
  Result<SeriesFile> EncodeSeries(TableCheckpoint* checkpoint, std::vector<std::uint32_t> touched);
  Status PutSeries(TableCheckpoint* checkpoint, const SeriesFile& file, NewFiles* made);
  /// Writes a file of dead rows; its key.
  Result<std::string> PutDeletionVector(catalog::TableId table, const Bitmap& dead, const OwedMarks& owed,
                                        NewFiles* made);
  Status WriteDeletionVectors(TableCheckpoint* checkpoint, NewFiles* made)
      TL_REQUIRES(maintenance_mutex_);
  std::uint64_t NextManifest() const { return newest_manifest_ + 1; }
  /// Stores the next manifest; `made` are files it names, kept from then on.
  Status StoreManifest(catalog::Manifest manifest, NewFiles* made) TL_REQUIRES(maintenance_mutex_);
  void NoteDropped() TL_REQUIRES(maintenance_mutex_);
  Uuid NewUuid();
  /// Whose key seals the files of a table.
  Uuid KeyScopeOf(catalog::TableId table) const;
  std::function<Result<NewSegmentSeal>(const Uuid&)> SegmentSealOf(catalog::TableId table);
  std::string SegmentKey(const Uuid& uuid, catalog::StoreTier tier) const;
  objstore::ObjectStore& StoreOfKey(std::string_view key) const;
  catalog::SegmentEntry EntryOf(const FlushedSegment& flushed, catalog::StoreTier tier,
                                std::uint8_t write_count) const;

  // merge.cc
  void MergeInBackground();
  Status MergeRound(bool* more) TL_EXCLUDES(maintenance_mutex_);
  Status MergeOnce(const std::shared_ptr<Table>& table, bool* merged)
      TL_EXCLUDES(maintenance_mutex_);
  Result<bool> BeginMerge(MergeWork* work) TL_REQUIRES(maintenance_mutex_);
  Status WriteMerge(MergeWork* work, NewFiles* made);
  Status CommitMerge(MergeWork* work, NewFiles* made) TL_REQUIRES(maintenance_mutex_);
  Result<std::vector<std::pair<std::string, std::uint64_t>>> SaveCarriedMarks(MergeWork* work, NewFiles* made)
      TL_REQUIRES(maintenance_mutex_);
  Status PaceMerge(std::size_t bytes);
  Status ReplaceSegments(const std::shared_ptr<Table>& table,
                         const std::vector<std::shared_ptr<SegmentSource>>& removed,
                         const std::vector<catalog::SegmentEntry>& entries,
                         const std::vector<std::shared_ptr<SegmentSource>>& added,
                         std::uint64_t number, NewFiles* made,
                         const std::function<void(catalog::Manifest*)>& change = {})
      TL_REQUIRES(maintenance_mutex_);

  // expiry.cc
  std::int64_t RetentionEdge(const catalog::TableSchema& schema) const;
  /// Rows before it are older than the memory store's retention.
  std::int64_t MemoryEdge(const catalog::TableSchema& schema) const;
  /// The edge before which rows may be dropped; INT64_MIN while the wall clock is in doubt.
  std::int64_t ExpiryEdge(const catalog::TableSchema& schema) const;
  std::int64_t RewriteEdge(const catalog::TableSchema& schema) const;
  bool ClockInDoubt() const;
  std::int64_t ReckonedNow() const;
  /// The wall time, or what it should be while the clock is in doubt.
  std::int64_t TrustedNow() const;
  Status Expire(const std::shared_ptr<Table>& table) TL_REQUIRES(maintenance_mutex_);
  Status PurgeDropped() TL_REQUIRES(maintenance_mutex_);
  Status DropForGood(const std::function<bool(const catalog::DroppedSegment&)>& which)
      TL_REQUIRES(maintenance_mutex_);
  void CollectGarbage() TL_REQUIRES(maintenance_mutex_);
  /// Stores the newest manifest again once files wait for long for the one before to go; so a store at rest lets go
  /// of them. After a failure they are kept, and it is tried again in a while.
  Status RenewFallback() TL_REQUIRES(maintenance_mutex_);
  void WatchSpace() TL_REQUIRES(maintenance_mutex_);
  Status KeepReserve(SpaceState state) TL_REQUIRES(maintenance_mutex_);

  // delete.cc
  Status KeepForUndo(const std::shared_ptr<Table>& table, const CheckpointInput& input,
                     const DeletedRows& rows, const DeleteOutcome& outcome)
      TL_REQUIRES(maintenance_mutex_);
  Result<bool> Readopt(const std::shared_ptr<Table>& table, const catalog::DroppedSegment& dropped,
                       const std::shared_ptr<SegmentSource>& source, std::uint64_t dead_count);
  Result<std::uint64_t> WriteBack(const std::shared_ptr<Table>& table,
                                  const std::shared_ptr<SegmentSource>& source);
  Result<std::uint64_t> WriteBackBatch(const WriteBatch& batch);

  EngineOptions options_;
  seal::PlainSealer plain_sealer_;
  std::unique_ptr<objstore::ObjectStore> store_;
  std::unique_ptr<MemoryBudget> series_tables_;  ///< outlives the cache, which holds tables counted here
  std::unique_ptr<LruBlockCache> cache_;
  Uuid database_uuid_{};  ///< set once by Recover
  /// Of keys in the magnetic store: a bucket may serve several databases. Set once by Recover.
  std::string magnetic_prefix_;
  catalog::Catalog catalog_;
  std::atomic<std::size_t> hot_bytes_{0};
  std::atomic<std::size_t> staged_bytes_{0};
  std::atomic<bool> crowded_{false};  ///< a window has segments_per_window_max segments
  Lane lane_;
  TableServices services_;

  mutable SharedMutex tables_mutex_;
  absl::flat_hash_map<catalog::TableId, std::shared_ptr<Table>> tables_
      TL_GUARDED_BY(tables_mutex_);

  Mutex catalog_mutex_;
  /// Deleted since the last checkpoint: queries may still read their files.
  absl::flat_hash_map<catalog::TableId, std::weak_ptr<Table>> dropped_
      TL_GUARDED_BY(catalog_mutex_);
  std::uint64_t next_table_id_ = 1;  // guarded by catalog_mutex_ after recovery

  Mutex merge_mutex_;
  mutable Mutex maintenance_mutex_;
  catalog::Manifest manifest_;                 // guarded by maintenance_mutex_ after recovery
  std::uint64_t newest_manifest_ = 0;          // highest number taken, perhaps by a damaged one
  std::vector<std::uint64_t> kept_manifests_;  // the last two that are good
  SequenceNumber truncate_to_{};               // likewise: the floor of the manifest before
  absl::flat_hash_map<catalog::TableId, TableUpkeep> upkeep_;
  std::vector<Garbage> garbage_;
  std::int64_t manifest_tried_steady_ns_ = 0;  ///< when a manifest was last stored, or could not be
  /// Keys of segments that a merge reads just now.
  absl::flat_hash_set<std::string> merging_;
  /// Since the start the magnetic store was out of reach; what a crash left there is still there.
  bool magnetic_unswept_ = false;
  std::int64_t sweep_not_before_ns_ = INT64_MIN;  ///< steady
  Status broken_ = OkStatus();        ///< no manifest may be stored any more
  std::int64_t checkpoint_not_before_ns_ = INT64_MIN;  ///< steady; after a failure
  CheckpointPace checkpoint_pace_{0};  ///< steady; of those that succeeded
  std::uint64_t last_checkpoint_frame_bytes_ = 0;
  std::uint64_t replayed_bytes_ = 0;  ///< read at open and not yet in files
  std::int64_t wall_at_open_ns_ = 0;
  std::int64_t steady_at_open_ns_ = 0;
  std::int64_t believed_at_open_ns_ = 0;  ///< the wall time, or the newest manifest's when that lies far behind
  mutable std::atomic<std::int64_t> last_alarm_steady_ns_{INT64_MIN / 2};
  std::atomic<SpaceState> space_{SpaceState::kEnough};
  bool reserve_known_ = false;  ///< whether it is there was looked at
  /// Batches still let through before the next look at the disk, while it has little space.
  mutable std::atomic<std::int64_t> low_space_batches_{0};
  std::atomic<std::size_t> series_bytes_{0};
  std::atomic<std::size_t> deletion_bytes_{0};
  std::atomic<std::uint64_t> dropped_bytes_{0};
  std::atomic<std::uint64_t> checkpoint_count_{0};
  std::atomic<std::uint64_t> merge_count_{0};
  std::atomic<std::uint64_t> checkpoint_rows_{0};
  std::atomic<std::uint64_t> checkpoint_bytes_{0};
  std::atomic<std::uint64_t> merge_rows_[3] = {};  ///< by MergeKind
  std::atomic<std::uint64_t> merge_read_bytes_{0};
  std::atomic<std::uint64_t> merge_written_bytes_{0};
  std::atomic<std::uint64_t> writes_at_rest_max_{0};
  // What recovery found, for people; set before the engine's threads start.
  std::uint64_t recovered_records_ = 0;
  std::uint64_t recovered_rows_ = 0;
  std::uint64_t recovered_bytes_ = 0;
  std::int64_t recovery_ns_ = 0;

  Mutex random_mutex_;
  Random random_ TL_GUARDED_BY(random_mutex_);

  Mutex wake_mutex_;
  CondVar wake_;
  bool wanted_ TL_GUARDED_BY(wake_mutex_) = false;
  bool stopping_ TL_GUARDED_BY(wake_mutex_) = false;
  CondVar merge_wake_;
  CondVar pace_;
  std::int64_t pace_debt_ns_ TL_GUARDED_BY(wake_mutex_) = 0;
  std::unique_ptr<ThreadPool> background_;  ///< upkeep
  std::unique_ptr<ThreadPool> merger_;
  std::unique_ptr<ThreadPool> series_encoder_;  ///< helps whoever writes a checkpoint
  std::atomic<bool> stopped_{false};
  Mutex stop_mutex_;
};

}  // namespace tideline::engine
