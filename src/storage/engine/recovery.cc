// Opening a data directory; see engine.h and durability.md section 3.2.
#include <algorithm>
#include <set>

#include "base/log.h"
#include "storage/catalog/sealed_object.h"
#include "storage/engine/data_directory.h"
#include "storage/engine/engine_impl.h"
#include "storage/objstore/directory_object_store.h"
#include "storage/wal/wal_recovery.h"

namespace tideline::engine {
namespace {

constexpr std::size_t kFilesListedMax = 10'000;
/// Between two looks whether the magnetic store answers again.
constexpr std::int64_t kSweepRetryNs = 10 * kNsPerSecond;

wal::WalOptions LogOptions(const EngineOptions& options, const Uuid& database_uuid,
                           wal::WalListener* listener) {
  wal::WalOptions log;
  log.directory = options.data_dir + "/wal";
  log.database_uuid = database_uuid;
  log.key_scope = database_uuid;
  log.file_bytes = options.wal_file_bytes;
  log.wal_bytes_max = options.wal_bytes_max;
  if (options.sync_interval_ns != 0) {
    log.sync = wal::SyncMode::kInterval;
    log.sync_interval_ns = options.sync_interval_ns;
  }
  log.own_threads = options.own_threads;
  log.uuid_seed = options.uuid_seed;
  log.clock = options.clock;
  log.sealer = options.sealer;
  log.listener = listener;
  return log;
}

}  // namespace

Status EngineImpl::Recover() {
  TL_TRY(CheckDataDirectory(*options_.file_system, options_.data_dir));
  store_ = TL_TRY(objstore::OpenDirectoryObjectStore(*options_.file_system,
                                                     {.directory = options_.data_dir}));
  services_.environment = {
      .store = store_.get(),
      .magnetic = options_.magnetic_store == nullptr ? store_.get() : options_.magnetic_store,
      .sealer = options_.sealer,
      .cache = cache_.get(),
      .series_tables = series_tables_.get()};
  std::size_t damaged_manifests = 0;
  {
    MutexLock lock(maintenance_mutex_);
    auto loaded = TL_TRY(catalog::LoadNewestManifest(*store_, *options_.sealer));
    if (loaded.skipped != 0) {
      TL_LOG_ERROR("{} newer manifests are damaged; using manifest {}", loaded.skipped,
                   loaded.manifest.number);
    }
    manifest_ = std::move(loaded.manifest);
    newest_manifest_ = loaded.newest_number;
    if (manifest_.number == 0) {
      TL_TRY(CheckEmpty());
      TL_TRY(InitializeDatabase());
    }
    database_uuid_ = manifest_.database_uuid;
    magnetic_prefix_ = fmt::format("{}{}/", kMagneticPrefix, FormatUuid(manifest_.database_uuid));
    if (manifest_.written_ns != 0 && manifest_.written_ns < wall_at_open_ns_) {
      believed_at_open_ns_ = manifest_.written_ns;
    }
    NoteDropped();
    kept_manifests_ = {manifest_.number};
    damaged_manifests = loaded.skipped;
    TL_TRY(InstallTables());
  }
  const wal::WalOptions log = LogOptions(options_, manifest_.database_uuid, &lane_);
  const wal::WalRecovery recovery = TL_TRY(
      wal::RecoverWal(*options_.file_system, log, manifest_.floor,
                      {.quarantine = options_.recover_quarantine},
                      [this](SequenceNumber number, std::uint16_t type, BytesView payload) {
                        return ReplayRecord(number, type, payload);
                      }));
  for (const wal::WalGap& gap : recovery.gaps) {
    TL_LOG_ERROR("promised records {} to {} of {} are lost", gap.first_number.value,
                 gap.last_number.value, gap.file);
  }
  {
    MutexLock lock(maintenance_mutex_);
    TL_TRY(CheckLogReaches(SequenceNumber{recovery.position.next_number.value - 1}));
    // Only now is it sure that manifest and log belong together. What a damaged manifest names stays, for people to
    // look at.
    if (damaged_manifests == 0) TL_TRY(RemoveUnnamedFiles());
  }
  TellWhatIsOwed();
  replayed_bytes_ = recovery.bytes_read;
  auto writer = TL_TRY(wal::WalWriter::Open(*options_.file_system, log, recovery.position));
  const SequenceNumber last = writer->last_number();
  lane_.Start(std::move(writer), last);
  truncate_to_ = manifest_.floor;
  NoteRecovery(recovery);
  if (options_.own_threads) {
    background_ = std::make_unique<ThreadPool>(
        ThreadPoolOptions{.name = "background", .thread_count = 1, .queue_max = 16, .nice = 5});
    merger_ = std::make_unique<ThreadPool>(
        ThreadPoolOptions{.name = "merger", .thread_count = 1, .queue_max = 16, .nice = 10});
    series_encoder_ = std::make_unique<ThreadPool>(
        ThreadPoolOptions{.name = "series-file", .thread_count = 1, .queue_max = 1, .nice = 5});
    TL_TRY(background_->Submit([this] { Background(); }));
    TL_TRY(merger_->Submit([this] { MergeInBackground(); }));
  }
  return OkStatus();
}

void EngineImpl::NoteRecovery(const wal::WalRecovery& recovery) {
  recovered_records_ = recovery.record_count;
  recovered_bytes_ = recovery.bytes_read;
  for (const auto& table : AllTables()) recovered_rows_ += table->replayed_rows();
  recovery_ns_ = options_.clock->SteadyNow().value - steady_at_open_ns_;
}

// A directory whose manifests are gone (restored in part, not mounted) must not be taken for a new one.
Status EngineImpl::CheckEmpty() {
  std::string found;
  for (const std::string_view prefix : {"segments/", "series/", "deleted/"}) {
    const auto page = TL_TRY(store_->List(prefix, "", 1));
    if (!page.empty()) found = page.front().key;
  }
  const auto log = options_.file_system->List(options_.data_dir + "/wal");
  if (!log.ok() && CodeOf(log.status()) != ErrorCode::kNotFound) return log.status();
  if (log.ok() && !log->empty()) found = "wal/" + log->front().name;
  if (found.empty()) return OkStatus();
  return DataLoss("{} has no manifest, yet there is {}", options_.data_dir, found);
}

// Numbers that the log gives out anew must not lie below what files claim to hold: replay would skip them.
Status EngineImpl::CheckLogReaches(SequenceNumber last) {
  SequenceNumber newest = manifest_.catalog_through;
  for (const auto& [id, files] : manifest_.tables) newest = std::max(newest, files.through);
  if (newest <= last) return OkStatus();
  if (!options_.recover_quarantine) {
    return DataLoss("the log ends at record {}, files hold records through {}", last.value,
                    newest.value);
  }
  TL_LOG_ERROR("records {} to {} are not in the log and partly in files", last.value + 1,
               newest.value);
  catalog::Manifest next = manifest_;
  next.catalog_through = std::min(next.catalog_through, last);
  next.floor = std::min(next.floor, last);
  for (auto& [id, files] : next.tables) files.through = std::min(files.through, last);
  NewFiles none;
  TL_TRY(StoreManifest(std::move(next), &none));
  for (const auto& table : AllTables()) table->LowerThrough(last);
  return OkStatus();
}

// The first manifest makes the database's identity durable before anything refers to it.
Status EngineImpl::InitializeDatabase() {
  manifest_ = {};
  manifest_.number = newest_manifest_ = 1;
  manifest_.database_uuid = NewUuid();
  manifest_.written_ns = wall_at_open_ns_;
  ByteWriter out(&manifest_.catalog_bytes);
  catalog_.EncodeTo(&out);
  return catalog::StoreManifest(*store_, *options_.sealer, manifest_.database_uuid, NewUuid(),
                                manifest_);
}

Status EngineImpl::InstallTables() {
  ByteReader in(manifest_.catalog_bytes);
  TL_TRY(catalog_.DecodeFrom(&in));
  next_table_id_ = manifest_.next_table_id;
  for (const auto& schema : catalog_.ListAllTables("", "", SIZE_MAX)) {
    const auto files = manifest_.tables.find(schema->id);
    auto table = TL_TRY(InstallTable(
        schema, files == manifest_.tables.end() ? catalog::TableFiles{} : files->second));
    WriterLock lock(tables_mutex_);
    tables_[schema->id] = std::move(table);
  }
  return OkStatus();
}

Result<std::shared_ptr<Table>> EngineImpl::InstallTable(const catalog::TableSchemaPtr& schema,
                                                        const catalog::TableFiles& files) {
  auto table = std::make_shared<Table>(services_, schema);
  table->PrepareIndex();
  TableUpkeep& upkeep = upkeep_[schema->id];
  for (const catalog::SeriesFileEntry& entry : files.series_files) {
    const Bytes stored = TL_TRY(store_->GetWhole(entry.key, catalog::kObjectBytesMax));
    const auto object = catalog::OpenObject(*options_.sealer, seal::FileType::kSeriesFile,
                                            kSeriesFileFormat, stored);
    if (!object.ok()) return Annotate(object.status(), entry.key);
    const Status loaded = LoadSeriesFile(object->plain, &table->writable_index(), &upkeep.series);
    if (!loaded.ok()) return Annotate(loaded, entry.key);
  }
  std::vector<std::shared_ptr<SegmentSource>> segments;
  for (const catalog::SegmentEntry& entry : files.segments) {
    DeadRows loaded = TL_TRY(LoadDeletionVector(entry));
    if (!entry.deletion_vector_key.empty()) {
      upkeep.dead_saved[entry.key] = loaded.dead.count();
      upkeep.owed_saved[entry.key] = loaded.owed.count();
    }
    segments.push_back(
        std::make_shared<SegmentSource>(services_.environment, entry, std::move(loaded.dead)));
    TL_TRY(segments.back()->Owe(std::move(loaded.owed)));
  }
  table->Install(files, std::move(segments));
  return table;
}

Result<DeadRows> EngineImpl::LoadDeletionVector(const catalog::SegmentEntry& entry) {
  if (entry.deletion_vector_key.empty()) return DeadRows();
  const Bytes stored = TL_TRY(store_->GetWhole(entry.deletion_vector_key, catalog::kObjectBytesMax));
  const auto object = catalog::OpenObject(*options_.sealer, seal::FileType::kDeletionVector,
                                          kOwingVectorFormat, stored);
  if (!object.ok()) return Annotate(object.status(), entry.deletion_vector_key);
  auto rows = DecodeDeadRows(object->plain, object->identity.format_version);
  if (!rows.ok()) return Annotate(rows.status(), entry.deletion_vector_key);
  return rows;
}

// Said once, for it explains why queries of old rows fail.
void EngineImpl::TellWhatIsOwed() {
  for (const auto& table : AllTables()) {
    std::size_t segments = 0;
    std::size_t owed = 0;
    for (const auto& segment : table->sources()->segments) {
      const std::size_t count = segment->owed_count();
      owed += count;
      segments += count == 0 ? 0 : 1;
    }
    const catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
    if (owed == 0 || schema == nullptr) continue;
    TL_LOG_ERROR("{}.{}: {} replaced rows and deletes are yet to be marked in {} segments of the magnetic store, which "
                 "does not answer; queries that need these segments fail until it does",
                 schema->database, schema->table, owed, segments);
  }
}

std::set<std::string> EngineImpl::NamedFiles(const catalog::Manifest& manifest) {
  std::set<std::string> named;
  for (const auto& [id, files] : manifest.tables) {
    for (const auto& file : files.series_files) named.insert(file.key);
    for (const auto& segment : files.segments) {
      named.insert(segment.key);
      if (!segment.deletion_vector_key.empty()) named.insert(segment.deletion_vector_key);
    }
  }
  for (const catalog::DroppedSegment& dropped : manifest.dropped) {
    named.insert(dropped.segment.key);
    if (!dropped.segment.deletion_vector_key.empty()) {
      named.insert(dropped.segment.deletion_vector_key);
    }
  }
  return named;
}

// Files of a flush or merge that no manifest came to name. Those of the manifest before stay until the
// next one: it is the fallback.
Status EngineImpl::RemoveUnnamedFiles() {
  std::set<std::string> named = NamedFiles(manifest_);
  if (manifest_.number > 1) {
    const auto before = catalog::LoadManifest(*store_, *options_.sealer, manifest_.number - 1);
    // An older one that cannot be read just now may be the fallback of tomorrow: nothing is removed today.
    if (!before.ok() && CodeOf(before.status()) != ErrorCode::kNotFound &&
        CodeOf(before.status()) != ErrorCode::kDataLoss) {
      TL_LOG_WARNING("no file is removed: {}", MessageOf(before.status()));
      return OkStatus();
    }
    if (before.ok()) {
      kept_manifests_ = {manifest_.number - 1, manifest_.number};
      for (const std::string& key : NamedFiles(*before)) {
        if (named.insert(key).second) garbage_.push_back({key, {}, manifest_.number});
      }
    }
    DestroyUnusedKeys(before.ok() ? &*before : nullptr);
  }
  for (const std::string_view prefix :
       {kSegmentPrefix, std::string_view("series/"), std::string_view("deleted/")}) {
    TL_TRY(RemoveUnnamedFilesOf(prefix, named));
  }
  const Status swept = RemoveUnnamedFilesOf(magnetic_prefix_, named);
  if (!swept.ok()) {
    // In the data directory it is a disk that fails, elsewhere a store that is out of reach: what lies in memory and on
    // this disk is served meanwhile.
    if (services_.environment.magnetic == store_.get()) return swept;
    magnetic_unswept_ = true;
    TL_LOG_ERROR("the magnetic store cannot be listed: starting without it. Queries that need it fail and nothing moves "
                 "there until it answers ({})", MessageOf(swept));
  }
  return RemoveOldManifests();
}

Status EngineImpl::RemoveUnnamedFilesOf(std::string_view prefix, const std::set<std::string>& named) {
  objstore::ObjectStore& store = StoreOfKey(prefix);
  for (std::string after;;) {
    const auto page = TL_TRY(store.List(prefix, after, kFilesListedMax));
    if (page.empty()) return OkStatus();
    after = page.back().key;
    for (const objstore::ObjectInfo& object : page) {
      if (named.contains(object.key)) continue;
      if (IsOwnKey(object.key, prefix)) {
        TL_TRY(store.Remove(object.key));
      } else {
        TL_LOG_WARNING("{} is no file of Tideline's and stays", object.key);
      }
    }
  }
}

// What the start could not do. Only merges write there, and this is their thread, so what is not named now never will be.
Status EngineImpl::SweepMagneticStore() {
  std::set<std::string> named;
  {
    MutexLock lock(maintenance_mutex_);
    if (!magnetic_unswept_ || options_.clock->SteadyNow().value < sweep_not_before_ns_) return OkStatus();
    sweep_not_before_ns_ = options_.clock->SteadyNow().value + kSweepRetryNs;
    named = NamedFiles(manifest_);
    for (const Garbage& file : garbage_) named.insert(file.key);
  }
  TL_TRY(RemoveUnnamedFilesOf(magnetic_prefix_, named));
  TL_LOG_INFO("the magnetic store answers again");
  MutexLock lock(maintenance_mutex_);
  magnetic_unswept_ = false;
  return OkStatus();
}

// A table's keys outlive it until no kept manifest names it. Not done when its end cannot be told from damage.
void EngineImpl::DestroyUnusedKeys(const catalog::Manifest* before) {
  std::set<Uuid> used{manifest_.database_uuid};
  for (const auto& schema : catalog_.ListAllTables("", "", SIZE_MAX)) {
    used.insert(KeyScopeOf(schema->id));
  }
  for (const auto& [id, files] : manifest_.tables) used.insert(KeyScopeOf(id));
  if (before != nullptr) {
    for (const auto& [id, files] : before->tables) {
      if (used.insert(KeyScopeOf(id)).second) garbage_.push_back({{}, {}, manifest_.number, id});
    }
  }
  for (const Uuid& scope : options_.sealer->Scopes()) {
    if (used.contains(scope)) continue;
    const Status destroyed = options_.sealer->DestroyKeys(scope);
    if (!destroyed.ok()) TL_LOG_WARNING("an unused key stays: {}", MessageOf(destroyed));
  }
}

// Older ones than the fallback stay behind when a newer one was damaged; their files are gone.
Status EngineImpl::RemoveOldManifests() {
  const std::string oldest_kept = catalog::ManifestKey(kept_manifests_.front());
  for (std::string after;;) {
    const auto page = TL_TRY(store_->List(catalog::kManifestPrefix, after, kFilesListedMax));
    if (page.empty()) return OkStatus();
    after = page.back().key;
    for (const objstore::ObjectInfo& object : page) {
      if (object.key >= oldest_kept) return OkStatus();
      if (catalog::IsManifestKey(object.key)) TL_TRY(store_->Remove(object.key));
    }
  }
}

Status EngineImpl::ReplayRecord(SequenceNumber number, std::uint16_t type, BytesView payload) {
  const auto outcome = static_cast<OutcomeType>(type);
  if (outcome == OutcomeType::kDelete) {
    ByteReader in(payload);
    const catalog::TableId id{TL_TRY(in.Varint())};
    const std::shared_ptr<Table> table = FindTable(id);
    if (table != nullptr) TL_TRY(table->ReplayDelete(number, payload));
    lane_.Publish(number);
    return OkStatus();
  }
  if (outcome != OutcomeType::kWrite) {
    if (number > manifest_.catalog_through) TL_TRY(ReplayCatalogRecord(outcome, payload));
    lane_.Publish(number);
    return OkStatus();
  }
  const catalog::TableId id = TL_TRY(WriteRecordTable(payload));
  const std::shared_ptr<Table> table = FindTable(id);
  // Written before the table was deleted, which the manifest knows already.
  if (table == nullptr) {
    lane_.Publish(number);
    return OkStatus();
  }
  TL_TRY(table->Replay(number, payload));
  lane_.Publish(number);
  // Runs are the background's work once the engine is open, unless memory would not last until then.
  if (!table->RotateIfFull()) return OkStatus();
  if (hot_bytes_.load(std::memory_order_relaxed) <= options_.hot_bytes_max / 2) return OkStatus();
  for (const auto& each : AllTables()) TL_TRY(EncodeRuns(each, number.value));
  return OkStatus();
}

Status EngineImpl::ReplayCatalogRecord(OutcomeType type, BytesView payload) {
  ByteReader in(payload);
  switch (type) {
    case OutcomeType::kPutDatabase:
      catalog_.PutDatabase(TL_TRY(catalog::DecodeDatabase(&in)));
      return OkStatus();
    case OutcomeType::kDropDatabase:
      catalog_.DropDatabase(AsText(payload));
      return OkStatus();
    case OutcomeType::kCreateTable: {
      auto schema =
          std::make_shared<const catalog::TableSchema>(TL_TRY(catalog::DecodeTable(&in)));
      if (FindTable(schema->id) != nullptr) {
        return DataLoss("log: table {} is created twice", schema->id.value);
      }
      next_table_id_ = std::max(next_table_id_, schema->id.value + 1);
      catalog_.PutTable(schema);
      WriterLock lock(tables_mutex_);
      tables_[schema->id] = std::make_shared<Table>(services_, schema);
      return OkStatus();
    }
    case OutcomeType::kUpdateTable: {
      const catalog::TableSchema update = TL_TRY(catalog::DecodeTable(&in));
      const std::shared_ptr<Table> table = FindTable(update.id);
      if (table == nullptr) return DataLoss("log: no table {} to update", update.id.value);
      const auto change = [&](catalog::TableSchema* schema) {
        schema->properties = update.properties;
        schema->status = update.status;
        schema->updated = update.updated;
        return OkStatus();
      };
      return table->UpdateSchema(change, [](const catalog::TableSchema&) { return OkStatus(); })
          .status();
    }
    case OutcomeType::kDropTable: {
      const catalog::TableId id{TL_TRY(in.Varint())};
      catalog_.DropTable(id);
      const std::shared_ptr<Table> table = FindTable(id);
      if (table != nullptr) table->Drop();
      WriterLock lock(tables_mutex_);
      tables_.erase(id);
      return OkStatus();
    }
    case OutcomeType::kWrite:
    case OutcomeType::kDelete:
      break;
  }
  return Unimplemented("log record type {} is not known to this binary", static_cast<int>(type));
}

}  // namespace tideline::engine
