#include "storage/engine/engine.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/log.h"
#include "storage/engine/engine_impl.h"
#include "storage/engine/snapshot.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::engine {
namespace {

/// Parts of a batch that are logged as one record stay below this, whatever the records hold.
constexpr std::size_t kPartPayloadBytesMax = std::size_t{4} << 20;

/// Blocks its thread until an outcome is durable, or a batch is answered.
class DurableWaiter final : public wal::WalCompletion {
 public:
  void OnDurable(const Status& status, SequenceNumber /*number*/) override {
    MutexLock lock(mutex_);
    status_ = status;
    done_ = true;
    changed_.NotifyAll();
  }
  bool done() {
    MutexLock lock(mutex_);
    return done_;
  }
  Status Wait() {
    MutexLock lock(mutex_);
    while (!done_) changed_.Wait(mutex_);
    return status_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool done_ TL_GUARDED_BY(mutex_) = false;
  Status status_ TL_GUARDED_BY(mutex_);
};

class BatchWaiter final : public WriteCompletion {
 public:
  void OnWritten(const Status& status, std::span<const RecordResult> results) override {
    MutexLock lock(mutex_);
    status_ = status;
    results_.assign(results.begin(), results.end());
    done_ = true;
    changed_.NotifyAll();
  }
  bool done() {
    MutexLock lock(mutex_);
    return done_;
  }
  Result<std::vector<RecordResult>> Wait() {
    MutexLock lock(mutex_);
    while (!done_) changed_.Wait(mutex_);
    if (!status_.ok()) return status_;
    return std::move(results_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool done_ TL_GUARDED_BY(mutex_) = false;
  Status status_ TL_GUARDED_BY(mutex_);
  std::vector<RecordResult> results_ TL_GUARDED_BY(mutex_);
};

Status CheckTagCount(const catalog::Tags& tags) {
  if (tags.size() <= catalog::kTagsMax) return OkStatus();
  return QuotaExceeded("a resource may have at most {} tags, this one would have {}",
                       catalog::kTagsMax, tags.size());
}

// Catalog records of a table leave out what write records define.
Bytes EncodeProperties(const catalog::TableSchema& schema) {
  catalog::TableSchema bare = schema;
  bare.dimensions.clear();
  bare.values.clear();
  bare.measures.clear();
  Bytes bytes;
  ByteWriter out(&bytes);
  catalog::EncodeTable(bare, &out);
  return bytes;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options) {
  TL_CHECK(options.file_system != nullptr && options.clock != nullptr);
  fs::RaiseOpenFilesMax();
  auto engine = std::make_unique<EngineImpl>(std::move(options));
  TL_TRY(engine->Recover());
  return std::unique_ptr<Engine>(std::move(engine));
}

EngineImpl::EngineImpl(EngineOptions options)
    : options_(std::move(options)),
      lane_(options_.on_fatal),
      random_(options_.uuid_seed == 0 ? Random::FromSystem() : Random(options_.uuid_seed)) {
  const std::size_t budget =
      options_.memory_bytes_max == 0 ? DetectMemoryBytes() : options_.memory_bytes_max;
  if (options_.hot_bytes_max == 0) options_.hot_bytes_max = budget / 4;
  if (options_.cache_bytes_max == 0) options_.cache_bytes_max = budget / 4;
  if (options_.series_bytes_max == 0) options_.series_bytes_max = budget / 4;
  if (options_.deletion_bytes_max == 0) options_.deletion_bytes_max = budget / 16;
  if (options_.series_table_bytes_max == 0) options_.series_table_bytes_max = options_.cache_bytes_max / 2;
  if (options_.sealer == nullptr) options_.sealer = &plain_sealer_;
  series_tables_ = std::make_unique<MemoryBudget>("series tables of segments", options_.series_table_bytes_max);
  cache_ = std::make_unique<LruBlockCache>(options_.cache_bytes_max);
  services_.catalog = &catalog_;
  services_.lane = &lane_;
  services_.options = &options_;
  services_.hot_bytes = &hot_bytes_;
  services_.staged_bytes = &staged_bytes_;
  services_.series_bytes = &series_bytes_;
  services_.deletion_bytes = &deletion_bytes_;
  services_.wake = [this] {
    MutexLock lock(wake_mutex_);
    wanted_ = true;
    wake_.NotifyOne();
  };
  wall_at_open_ns_ = believed_at_open_ns_ = options_.clock->WallNow().value;
  steady_at_open_ns_ = options_.clock->SteadyNow().value;
  checkpoint_pace_ = CheckpointPace(steady_at_open_ns_);
}

EngineImpl::~EngineImpl() {
  const Status stopped = Stop();
  if (!stopped.ok()) TL_LOG_WARNING("engine: stopping failed: {}", MessageOf(stopped));
}

Status EngineImpl::Stop() {
  MutexLock lock(stop_mutex_);
  if (stopped_.exchange(true)) return OkStatus();
  {
    MutexLock wake_lock(wake_mutex_);
    stopping_ = true;
    wake_.NotifyAll();
    merge_wake_.NotifyAll();
    pace_.NotifyAll();
  }
  if (background_ != nullptr) background_->Stop();
  if (merger_ != nullptr) merger_->Stop();
  if (!lane_.started()) return OkStatus();
  const Status checkpoint = Checkpoint();
  SequenceNumber floor;
  {
    MutexLock maintenance(maintenance_mutex_);
    floor = manifest_.floor;
  }
  const Status log = lane_.wal().Stop(floor);
  return checkpoint.ok() ? log : checkpoint;
}

bool EngineImpl::Drive() { return lane_.wal().Drive(); }

EngineStats EngineImpl::stats() const {
  EngineStats stats;
  stats.published_number = lane_.published();
  stats.wal_retained_bytes = lane_.started() ? lane_.wal().retained_bytes() : 0;
  stats.hot_bytes = hot_bytes_.load(std::memory_order_relaxed);
  stats.staged_bytes = staged_bytes_.load(std::memory_order_relaxed);
  for (const auto& table : AllTables()) {
    const auto sources = table->sources();
    stats.segment_count += sources->segments.size();
    for (const auto& segment : sources->segments) {
      stats.segment_bytes += segment->entry().bytes;
      if (segment->entry().tier == catalog::StoreTier::kMemory) continue;
      ++stats.magnetic_segment_count;
      stats.magnetic_bytes += segment->entry().bytes;
    }
    stats.series_count += table->index().series_count();
  }
  stats.replayed_records = recovered_records_;
  stats.replayed_rows = recovered_rows_;
  stats.replayed_bytes = recovered_bytes_;
  stats.recovery_ns = recovery_ns_;
  stats.checkpoint_count = checkpoint_count_.load(std::memory_order_relaxed);
  stats.merge_count = merge_count_.load(std::memory_order_relaxed);
  stats.dropped_bytes = dropped_bytes_.load(std::memory_order_relaxed);
  stats.series_bytes = series_bytes_.load(std::memory_order_relaxed);
  stats.series_table_bytes = series_tables_->used_bytes();
  stats.deletion_bytes = deletion_bytes_.load(std::memory_order_relaxed);
  stats.cache_bytes = cache_->bytes();
  stats.expiry_paused = ClockInDoubt();
  stats.checkpoint_rows = checkpoint_rows_.load(std::memory_order_relaxed);
  stats.checkpoint_bytes = checkpoint_bytes_.load(std::memory_order_relaxed);
  const auto rows_of = [this](MergeKind kind) {
    return merge_rows_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
  };
  stats.merged_rows = rows_of(MergeKind::kMerge);
  stats.moved_rows = rows_of(MergeKind::kMove);
  stats.consolidated_rows = rows_of(MergeKind::kConsolidate);
  stats.merge_read_bytes = merge_read_bytes_.load(std::memory_order_relaxed);
  stats.merge_written_bytes = merge_written_bytes_.load(std::memory_order_relaxed);
  stats.writes_at_rest_max = writes_at_rest_max_.load(std::memory_order_relaxed);
  return stats;
}

std::vector<catalog::LiveSegment> EngineImpl::ListSegments() const {
  std::vector<catalog::LiveSegment> all;
  for (const auto& table : AllTables()) {
    const catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
    if (schema == nullptr) continue;
    for (const auto& segment : table->sources()->segments) {
      const auto dead = segment->deletions().At(UINT64_MAX);
      all.push_back({schema->database, schema->table, segment->entry(),
                     dead == nullptr ? 0 : dead->count()});
    }
  }
  std::sort(all.begin(), all.end(), [](const catalog::LiveSegment& a, const catalog::LiveSegment& b) {
    return std::tie(a.database, a.table, a.entry.window_start_ns, a.entry.window_length_ns, a.entry.key) <
           std::tie(b.database, b.table, b.entry.window_start_ns, b.entry.window_length_ns, b.entry.key);
  });
  return all;
}

// ---- finding -------------------------------------------------------------------------------------

std::shared_ptr<Table> EngineImpl::FindTable(catalog::TableId id) const {
  ReaderLock lock(tables_mutex_);
  const auto at = tables_.find(id);
  return at == tables_.end() ? nullptr : at->second;
}

std::shared_ptr<Table> EngineImpl::FindTable(std::string_view database,
                                             std::string_view table) const {
  const catalog::TableSchemaPtr schema = catalog_.FindTable(database, table);
  return schema == nullptr ? nullptr : FindTable(schema->id);
}

std::vector<std::shared_ptr<Table>> EngineImpl::AllTables() const {
  ReaderLock lock(tables_mutex_);
  std::vector<std::shared_ptr<Table>> all;
  all.reserve(tables_.size());
  for (const auto& [id, table] : tables_) all.push_back(table);
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a->id() < b->id(); });
  return all;
}

Uuid EngineImpl::NewUuid() {
  MutexLock lock(random_mutex_);
  return MakeUuid(random_);
}

// ---- catalog -------------------------------------------------------------------------------------

Result<SequenceNumber> EngineImpl::LogCatalogChange(OutcomeType type, BytesView payload) {
  if (stopped_) return Unavailable("the engine is stopped");
  wal::WalReservation space = TL_TRY(lane_.wal().Reserve(payload.size()));
  return lane_.Append(space, type, payload, nullptr, [](SequenceNumber) {});
}

Status EngineImpl::WaitDurable(SequenceNumber number) {
  DurableWaiter waiter;
  lane_.wal().WhenDurable(number, &waiter);
  while (!options_.own_threads && !waiter.done() && lane_.wal().Drive()) {
  }
  TL_TRY(waiter.Wait());
  lane_.Publish(number);
  return OkStatus();
}

Result<catalog::DatabaseInfoPtr> EngineImpl::CreateDatabase(const NewDatabase& database) {
  TL_TRY(CheckTagCount(database.tags));
  SequenceNumber number;
  {
    MutexLock lock(catalog_mutex_);
    if (catalog_.FindDatabase(database.name) != nullptr) {
      return AlreadyExists("A database with the name {} already exists.", database.name);
    }
    if (catalog_.database_count() >= options_.databases_max) {
      return QuotaExceeded("an account may have at most {} databases", options_.databases_max);
    }
    const TimestampNs now = options_.clock->WallNow();
    catalog::DatabaseInfo info{.name = database.name,
                               .kms_key_id = database.kms_key_id,
                               .tags = database.tags,
                               .created = now,
                               .updated = now};
    Bytes payload;
    ByteWriter out(&payload);
    catalog::EncodeDatabase(info, &out);
    number = TL_TRY(LogCatalogChange(OutcomeType::kPutDatabase, payload));
    catalog_.PutDatabase(std::move(info));
  }
  TL_TRY(WaitDurable(number));
  return catalog_.FindDatabase(database.name);
}

Result<catalog::DatabaseInfoPtr> EngineImpl::UpdateDatabase(std::string_view database,
                                                            std::string_view kms_key_id) {
  SequenceNumber number;
  {
    MutexLock lock(catalog_mutex_);
    const catalog::DatabaseInfoPtr existing = catalog_.FindDatabase(database);
    if (existing == nullptr) return NotFound("The database {} does not exist.", database);
    if (existing->kms_key_id == kms_key_id) return existing;
    catalog::DatabaseInfo info = *existing;
    info.kms_key_id = kms_key_id;
    info.updated = options_.clock->WallNow();
    Bytes payload;
    ByteWriter out(&payload);
    catalog::EncodeDatabase(info, &out);
    number = TL_TRY(LogCatalogChange(OutcomeType::kPutDatabase, payload));
    catalog_.PutDatabase(std::move(info));
  }
  TL_TRY(WaitDurable(number));
  return catalog_.FindDatabase(database);
}

Status EngineImpl::DeleteDatabase(std::string_view database) {
  SequenceNumber number;
  {
    MutexLock lock(catalog_mutex_);
    if (catalog_.FindDatabase(database) == nullptr) {
      return NotFound("The database {} does not exist.", database);
    }
    if (catalog_.TableCount(database) != 0) {
      return InvalidArgument(
          "The database {} is not empty. Delete all tables before deleting the database.", database);
    }
    number = TL_TRY(LogCatalogChange(OutcomeType::kDropDatabase, AsBytes(database)));
    catalog_.DropDatabase(database);
  }
  return WaitDurable(number);
}

Result<catalog::TableSchemaPtr> EngineImpl::CreateTable(std::string_view database,
                                                        std::string_view table,
                                                        const catalog::TableProperties& properties) {
  TL_TRY(CheckTagCount(properties.tags));
  SequenceNumber number;
  auto schema = std::make_shared<catalog::TableSchema>();
  {
    MutexLock lock(catalog_mutex_);
    if (catalog_.FindDatabase(database) == nullptr) {
      return NotFound("The database {} does not exist.", database);
    }
    if (catalog_.FindTable(database, table) != nullptr) {
      return AlreadyExists("A table with the name {} already exists.", table);
    }
    if (catalog_.table_count() >= options_.tables_max) {
      return QuotaExceeded("an account may have at most {} tables", options_.tables_max);
    }
    schema->id = catalog::TableId{next_table_id_};
    schema->database = database;
    schema->table = table;
    schema->properties = properties;
    schema->created = schema->updated = options_.clock->WallNow();
    number = TL_TRY(LogCatalogChange(OutcomeType::kCreateTable, EncodeProperties(*schema)));
    ++next_table_id_;
    {
      WriterLock tables_lock(tables_mutex_);
      tables_[schema->id] = std::make_shared<Table>(services_, schema);
    }
    catalog_.PutTable(schema);
  }
  TL_TRY(WaitDurable(number));
  return catalog::TableSchemaPtr(schema);
}

Result<catalog::TableSchemaPtr> EngineImpl::UpdateTable(std::string_view database,
                                                        std::string_view table_name,
                                                        const TableUpdate& update) {
  SequenceNumber number;
  catalog::TableSchemaPtr updated;
  {
    MutexLock lock(catalog_mutex_);
    const std::shared_ptr<Table> table = FindTable(database, table_name);
    if (table == nullptr) return NotFound("The table {} does not exist.", table_name);
    const auto change = [&](catalog::TableSchema* schema) -> Status {
      if (update.partition_keys.has_value()) {
        const auto& before = schema->properties.partition_keys;
        const auto& after = *update.partition_keys;
        const bool same = std::equal(before.begin(), before.end(), after.begin(), after.end(),
                                     [](const auto& a, const auto& b) {
                                       return a.type == b.type && a.name == b.name;
                                     });
        if (!same) return InvalidArgument("The partition key of a table cannot be changed.");
        schema->properties.partition_keys = after;
      }
      if (update.retention.has_value()) schema->properties.retention = *update.retention;
      if (update.magnetic_store_writes.has_value()) {
        schema->properties.magnetic_store_writes = *update.magnetic_store_writes;
      }
      schema->updated = options_.clock->WallNow();
      return OkStatus();
    };
    const auto log = [&](const catalog::TableSchema& schema) TL_NO_THREAD_SAFETY_ANALYSIS -> Status {
      number = TL_TRY(LogCatalogChange(OutcomeType::kUpdateTable, EncodeProperties(schema)));
      return OkStatus();
    };
    updated = TL_TRY(table->UpdateSchema(change, log));
  }
  TL_TRY(WaitDurable(number));
  return updated;
}

Status EngineImpl::DeleteTable(std::string_view database, std::string_view table_name) {
  SequenceNumber number;
  {
    MutexLock lock(catalog_mutex_);
    const std::shared_ptr<Table> table = FindTable(database, table_name);
    if (table == nullptr) return NotFound("The table {} does not exist.", table_name);
    Bytes payload;
    ByteWriter out(&payload);
    out.Varint(table->id().value);
    wal::WalReservation space = TL_TRY(lane_.wal().Reserve(payload.size()));
    // After Drop no write of the table can come behind its end in the log.
    table->Drop();
    dropped_[table->id()] = table;
    number = lane_.Append(space, OutcomeType::kDropTable, payload, nullptr, [](SequenceNumber) {});
    catalog_.DropTable(table->id());
    WriterLock tables_lock(tables_mutex_);
    tables_.erase(table->id());
  }
  return WaitDurable(number);
}

Status EngineImpl::ChangeTags(std::string_view database, std::string_view table_name,
                              const std::function<Status(catalog::Tags*)>& change) {
  SequenceNumber number;
  {
    MutexLock lock(catalog_mutex_);
    if (table_name.empty()) {
      const catalog::DatabaseInfoPtr existing = catalog_.FindDatabase(database);
      if (existing == nullptr) return NotFound("The database {} does not exist.", database);
      catalog::DatabaseInfo info = *existing;
      TL_TRY(change(&info.tags));
      Bytes payload;
      ByteWriter out(&payload);
      catalog::EncodeDatabase(info, &out);
      number = TL_TRY(LogCatalogChange(OutcomeType::kPutDatabase, payload));
      catalog_.PutDatabase(std::move(info));
    } else {
      const std::shared_ptr<Table> table = FindTable(database, table_name);
      if (table == nullptr) return NotFound("The table {} does not exist.", table_name);
      const auto log = [&](const catalog::TableSchema& schema)
                           TL_NO_THREAD_SAFETY_ANALYSIS -> Status {
        number = TL_TRY(LogCatalogChange(OutcomeType::kUpdateTable, EncodeProperties(schema)));
        return OkStatus();
      };
      const auto retag = [&](catalog::TableSchema* schema) {
        return change(&schema->properties.tags);
      };
      TL_TRY(table->UpdateSchema(retag, log));
    }
  }
  return WaitDurable(number);
}

Status EngineImpl::Tag(std::string_view database, std::string_view table,
                       const catalog::Tags& added) {
  return ChangeTags(database, table, [&](catalog::Tags* tags) {
    for (const auto& tag : added) {
      const auto at = std::find_if(tags->begin(), tags->end(),
                                   [&](const auto& there) { return there.first == tag.first; });
      if (at == tags->end()) {
        tags->push_back(tag);
      } else {
        at->second = tag.second;
      }
    }
    return CheckTagCount(*tags);
  });
}

Status EngineImpl::Untag(std::string_view database, std::string_view table,
                         const std::vector<std::string>& keys) {
  return ChangeTags(database, table, [&](catalog::Tags* tags) {
    std::erase_if(*tags, [&](const auto& tag) {
      return std::find(keys.begin(), keys.end(), tag.first) != keys.end();
    });
    return OkStatus();
  });
}

// ---- data ----------------------------------------------------------------------------------------

Status EngineImpl::CheckGates() const {
  if (stopped_) return Unavailable("the engine is stopped");
  const std::size_t staged = staged_bytes_.load(std::memory_order_relaxed);
  if (staged > options_.staged_bytes_max) {
    return ResourceExhausted("staged_bytes_max: {} bytes wait for the log, the limit is {}", staged,
                             options_.staged_bytes_max);
  }
  const std::size_t hot = hot_bytes_.load(std::memory_order_relaxed);
  if (hot > options_.hot_bytes_max) {
    return ResourceExhausted("hot_bytes_max: {} bytes wait to be written to files, the limit is {}",
                             hot, options_.hot_bytes_max);
  }
  const SpaceState space = space_.load(std::memory_order_relaxed);
  if (space == SpaceState::kFull) {
    return ResourceExhausted("the disk of the data directory is nearly full: writes are refused until there is space");
  }
  if (space == SpaceState::kLow &&
      low_space_batches_.fetch_sub(1, std::memory_order_relaxed) <= 0) {
    return ResourceExhausted("the disk of the data directory has little space left: writes are slowed down");
  }
  if (crowded_.load(std::memory_order_relaxed)) {
    return ResourceExhausted("segments_per_window_max: merging must catch up, the limit is {}",
                             options_.segments_per_window_max);
  }
  return OkStatus();
}

Status EngineImpl::Write(const WriteBatch& batch, WriteCompletion* completion) {
  if (batch.records.empty() || batch.records.size() > kBatchRecordsMax) {
    return InvalidArgument("a batch has 1 to {} records, this one has {}", kBatchRecordsMax,
                           batch.records.size());
  }
  TL_TRY(CheckGates());
  const std::shared_ptr<Table> table = FindTable(batch.database, batch.table);
  if (table == nullptr) return NotFound("The table {} does not exist.", batch.table);
  std::vector<Table::Part> parts;
  const std::size_t part_bytes_max =
      std::min<std::size_t>(kPartPayloadBytesMax, lane_.wal().record_bytes_max());
  std::size_t first = 0;
  while (first < batch.records.size()) {
    std::size_t last = first;
    std::size_t bytes = 0;
    while (last < batch.records.size()) {
      const std::size_t more = Table::PayloadBytesMax(batch.records.subspan(last, 1));
      if (last > first && bytes + more > part_bytes_max) break;
      bytes += more;
      ++last;
    }
    parts.push_back({batch.records.subspan(first, last - first),
                     TL_TRY(lane_.wal().Reserve(bytes))});
    first = last;
  }
  auto pending = std::make_unique<PendingWrite>(services_, completion);
  pending->results.reserve(batch.records.size());
  return table->Write(parts, pending);
}

Result<std::vector<RecordResult>> EngineImpl::WriteAndWait(const WriteBatch& batch) {
  BatchWaiter waiter;
  TL_TRY(Write(batch, &waiter));
  while (!options_.own_threads && !waiter.done() && lane_.wal().Drive()) {
  }
  return waiter.Wait();
}

Result<Snapshot> EngineImpl::SnapshotOf(std::shared_ptr<Table> table) {
  // The view first: a schema read after it has every column that the view's rows use.
  const Table::View view = table->OpenView();
  catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
  if (schema == nullptr) {
    table->snapshots().Remove(view.number);
    return NotFound("the table was deleted");
  }
  const std::int64_t edge = RetentionEdge(*schema);
  return Snapshot(
      std::make_shared<const SnapshotState>(std::move(table), std::move(schema), view, edge));
}

Result<Snapshot> EngineImpl::OpenSnapshot(std::string_view database, std::string_view table_name) {
  std::shared_ptr<Table> table = FindTable(database, table_name);
  if (table == nullptr) return NotFound("The table {} does not exist.", table_name);
  return SnapshotOf(std::move(table));
}

Result<Snapshot> EngineImpl::OpenSnapshot(catalog::TableId id) {
  std::shared_ptr<Table> table = FindTable(id);
  if (table == nullptr) return NotFound("The table does not exist.");
  return SnapshotOf(std::move(table));
}

}  // namespace tideline::engine
