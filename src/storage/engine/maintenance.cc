// The background's turn, runs and checkpoints; merges are in merge.cc, expiry in expiry.cc.
#include <algorithm>
#include <future>
#include <map>
#include <numeric>

#include "base/log.h"
#include "storage/catalog/sealed_object.h"
#include "storage/engine/engine_impl.h"

namespace tideline::engine {
namespace {

constexpr std::int64_t kMaintenancePeriodNs = kNsPerSecond;
/// Series files of a table before they are written anew as one.
constexpr std::size_t kSeriesFilesMax = 16;
/// A checkpoint that failed is not tried again before, so that a full disk is not written in circles.
constexpr std::int64_t kCheckpointRetryNs = 10 * kNsPerSecond;
/// Numbers of runs are copied, not encoded, while buffers and runs take less than this part of their limit: the
/// checkpoint encodes the same rows once more, and until then memory is there to be used.
constexpr std::size_t kQuickRunsPart = 4;

class MemorySegmentSink final : public SegmentSink {
 public:
  Status Append(BytesView bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return OkStatus();
  }
  Status Commit() override { return OkStatus(); }
  Bytes Take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// Ascending.
std::vector<std::uint32_t> SeriesOf(std::span<const std::unique_ptr<RowSource>> sources) {
  std::vector<std::uint32_t> series;
  for (const auto& source : sources) {
    for (const RowSource::Range& range : source->ranges()) series.push_back(range.series);
  }
  std::sort(series.begin(), series.end());
  series.erase(std::unique(series.begin(), series.end()), series.end());
  return series;
}

}  // namespace

void EngineImpl::Background() {
  for (;;) {
    {
      MutexLock lock(wake_mutex_);
      if (!wanted_ && !stopping_) wake_.WaitFor(wake_mutex_, kMaintenancePeriodNs);
      if (stopping_) return;
      wanted_ = false;
    }
    const Status status = Upkeep();
    if (!status.ok()) TL_LOG_WARNING("maintenance: {}", MessageOf(status));
    merge_wake_.NotifyOne();
  }
}

Status EngineImpl::Upkeep() {
  MutexLock lock(maintenance_mutex_);
  return MaintainLocked();
}

Status EngineImpl::RunMaintenance() {
  const Status upkeep = Upkeep();
  bool more = false;
  const Status merged = MergeRound(&more);
  return upkeep.ok() ? merged : upkeep;
}

Status EngineImpl::Settle() {
  for (bool more = true; more;) {
    more = false;
    TL_TRY(Upkeep());
    TL_TRY(MergeRound(&more));
  }
  return Upkeep();
}

Status EngineImpl::Checkpoint() {
  MutexLock lock(maintenance_mutex_);
  return CheckpointLocked();
}

Status EngineImpl::MaintainLocked() {
  const auto tables = AllTables();
  // One table's trouble must not stop the others' upkeep; the first error is told.
  Status first = OkStatus();
  const auto note = [&first](const Status& status) {
    if (first.ok()) first = status;
  };
  WatchSpace();
  if (options_.encode_runs && !CheckpointIsNear()) {
    for (const auto& table : tables) note(EncodeRuns(table, lane_.published()));
  }
  if (CheckpointIsDue()) note(CheckpointLocked());
  std::size_t most = 0;
  std::size_t series_bytes = 0;
  std::size_t deletion_bytes = 0;
  for (const auto& table : tables) {
    note(Expire(table));
    series_bytes += SeriesBytes(*table);
    const auto sources = table->sources();
    for (const auto* list : {&sources->runs, &sources->segments}) {
      for (const auto& segment : *list) {
        segment->deletions().Freeze(table->OldestSnapshot());
        deletion_bytes += segment->deletions().memory_bytes() + segment->owed_count() * sizeof(OwedKey);
      }
    }
    std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> windows;
    for (const auto& segment : table->sources()->segments) {
      const auto& entry = segment->entry();
      if (entry.tier != catalog::StoreTier::kMemory) continue;
      most = std::max(most, ++windows[{entry.window_start_ns, entry.window_length_ns}]);
    }
  }
  crowded_.store(most > options_.segments_per_window_max, std::memory_order_relaxed);
  series_bytes_.store(series_bytes, std::memory_order_relaxed);
  deletion_bytes_.store(deletion_bytes, std::memory_order_relaxed);
  note(PurgeDropped());
  note(RenewFallback());
  CollectGarbage();
  return first;
}

// Measured anew once the index has grown by an eighth, for it walks all distinct values; in between by proportion.
std::size_t EngineImpl::SeriesBytes(const Table& table) {
  TableUpkeep& upkeep = upkeep_[table.id()];
  const std::uint32_t count = table.index().series_count();
  if (upkeep.index_bytes == 0 || count > upkeep.index_series + upkeep.index_series / 8) {
    upkeep.index_series = count;
    upkeep.index_bytes = table.index().memory_bytes();
  }
  if (upkeep.index_series == 0) return upkeep.index_bytes;
  return static_cast<std::size_t>(static_cast<double>(upkeep.index_bytes) * count /
                                  upkeep.index_series);
}

bool EngineImpl::CheckpointIsDue() {
  if (options_.clock->SteadyNow().value < checkpoint_not_before_ns_) return false;
  const std::uint64_t written =
      replayed_bytes_ + lane_.wal().stats().frame_bytes - last_checkpoint_frame_bytes_;
  if (written >= options_.checkpoint_wal_bytes) return true;
  if (hot_bytes_.load(std::memory_order_relaxed) > options_.hot_bytes_max / 4 * 3) return true;
  if (lane_.wal().retained_bytes() > options_.wal_bytes_max / 4 * 3 && written != 0) return true;
  const std::int64_t age = options_.clock->SteadyNow().value - checkpoint_pace_.last_ns();
  if (age < options_.checkpoint_age_ns) return false;
  const auto tables = AllTables();
  return std::any_of(tables.begin(), tables.end(), [](const auto& t) { return t->IsDirty(); });
}

// A simulated engine has no hurry.
bool EngineImpl::CheckpointIsNear() const {
  return options_.own_threads && checkpoint_pace_.NextIsNear(options_.clock->SteadyNow().value);
}

// ---- runs ----------------------------------------------------------------------------------------

Status EngineImpl::EncodeRuns(const std::shared_ptr<Table>& table, std::uint64_t number) {
  for (const auto& buffer : table->ClosedBuffers(number)) {
    const catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
    if (schema == nullptr) return OkStatus();
    FlushRequest request;
    request.schema = schema;
    request.index = &table->index();
    request.sources.push_back(MakeBufferSource(buffer, number));
    request.through = SequenceNumber{number};
    const std::size_t hot_bytes = hot_bytes_.load(std::memory_order_relaxed);
    if (hot_bytes < options_.hot_bytes_max / kQuickRunsPart) request.effort = codec::Effort::kQuick;
    request.make_uuid = [this] { return NewUuid(); };
    request.make_sink = [](const Uuid&) -> Result<std::unique_ptr<SegmentSink>> {
      return std::unique_ptr<SegmentSink>(std::make_unique<MemorySegmentSink>());
    };
    FlushResult flushed = TL_TRY(Flush(std::move(request)));
    std::vector<std::shared_ptr<SegmentSource>> added;
    for (FlushedSegment& segment : flushed.segments) {
      auto& sink = static_cast<MemorySegmentSink&>(*segment.sink);
      added.push_back(TL_TRY(SegmentSource::OfMemory(services_.environment,
                                                     std::move(segment.written), sink.Take())));
    }
    TL_TRY(table->Exchange({.buffers = {buffer}}, added, number));
  }
  return OkStatus();
}

// ---- checkpoint ----------------------------------------------------------------------------------

Status EngineImpl::CheckpointLocked() {
  const Status status = WriteCheckpoint();
  checkpoint_not_before_ns_ =
      status.ok() ? INT64_MIN : options_.clock->SteadyNow().value + kCheckpointRetryNs;
  return status;
}

// Writers define columns, dimensions and measures at any time. The catalog of the manifest therefore holds each
// table's schema as of the number through which its outcomes count as stored: replay skips what lies below, with
// the definitions in it.
std::vector<EngineImpl::TableCheckpoint> EngineImpl::BeginCheckpoint(catalog::Manifest* next) {
  std::vector<TableCheckpoint> checkpoints;
  MutexLock lock(catalog_mutex_);
  catalog::Catalog exact;
  for (const auto& database : catalog_.ListDatabases("", SIZE_MAX)) exact.PutDatabase(*database);
  for (const auto& table : AllTables()) {
    TableCheckpoint& checkpoint = checkpoints.emplace_back();
    checkpoint.table = table;
    checkpoint.input = table->BeginCheckpoint();
    exact.PutTable(checkpoint.input.schema);
  }
  ByteWriter out(&next->catalog_bytes);
  exact.EncodeTo(&out);
  next->catalog_through = lane_.LastNumber();
  next->next_table_id = next_table_id_;
  return checkpoints;
}

std::vector<EngineImpl::Garbage> EngineImpl::GarbageOfDroppedTables(const catalog::Manifest& next) {
  MutexLock lock(catalog_mutex_);
  std::vector<Garbage> garbage;
  for (const auto& [id, files] : manifest_.tables) {
    if (next.tables.contains(id)) continue;
    const auto dropped = dropped_.find(id);
    std::weak_ptr<const void> user;
    if (dropped != dropped_.end()) user = dropped->second;
    const auto add = [&](const std::string& key) { garbage.push_back({key, user, NextManifest()}); };
    for (const auto& file : files.series_files) add(file.key);
    for (const auto& segment : files.segments) {
      add(segment.key);
      if (!segment.deletion_vector_key.empty()) add(segment.deletion_vector_key);
    }
    garbage.push_back({{}, user, NextManifest(), id});
  }
  for (const catalog::DroppedSegment& dropped : manifest_.dropped) {
    if (next.tables.contains(dropped.table)) continue;
    garbage.push_back({dropped.segment.key, {}, NextManifest()});
    if (!dropped.segment.deletion_vector_key.empty()) {
      garbage.push_back({dropped.segment.deletion_vector_key, {}, NextManifest()});
    }
  }
  return garbage;
}

Status EngineImpl::WriteCheckpoint() {
  TL_TRY(broken_);
  catalog::Manifest next;
  next.database_uuid = manifest_.database_uuid;
  next.lane = manifest_.lane;
  next.epoch = manifest_.epoch;
  const std::uint64_t frame_bytes = lane_.wal().stats().frame_bytes;
  std::vector<TableCheckpoint> checkpoints = BeginCheckpoint(&next);
  SequenceNumber floor = next.catalog_through;
  SequenceNumber newest = floor;
  for (const TableCheckpoint& checkpoint : checkpoints) {
    floor = std::min(floor, checkpoint.input.through);
    newest = std::max(newest, checkpoint.input.through);
  }
  if (floor == manifest_.floor && next.catalog_bytes == manifest_.catalog_bytes) return OkStatus();
  // Files must not hold what the log could still lose. With interval sync durable means written.
  if (newest.value != 0) TL_TRY(WaitDurable(newest));
  if (options_.sync_interval_ns != 0) TL_TRY(lane_.wal().Flush());
  NewFiles made;
  for (TableCheckpoint& checkpoint : checkpoints) TL_TRY(WriteTable(&checkpoint, &made));
  next.floor = floor;
  for (const TableCheckpoint& checkpoint : checkpoints) {
    next.tables[checkpoint.table->id()] = checkpoint.files;
  }
  for (const catalog::DroppedSegment& dropped : manifest_.dropped) {
    if (next.tables.contains(dropped.table)) next.dropped.push_back(dropped);
  }
  const SequenceNumber truncate_to = manifest_.floor;
  // Queued only once the manifest that drops them is stored: until then later ones go on naming them.
  std::vector<Garbage> garbage = GarbageOfDroppedTables(next);
  TL_TRY(StoreManifest(std::move(next), &made));
  garbage_.insert(garbage_.end(), garbage.begin(), garbage.end());
  {
    MutexLock lock(catalog_mutex_);
    absl::erase_if(dropped_, [this](const auto& dropped) {
      return !manifest_.tables.contains(dropped.first);
    });
  }
  absl::erase_if(upkeep_, [this](const auto& upkeep) {
    return !manifest_.tables.contains(upkeep.first);
  });
  for (TableCheckpoint& checkpoint : checkpoints) {
    const SourceList removed{.buffers = checkpoint.input.sources.buffers,
                             .runs = checkpoint.input.sources.runs};
    const Status exchanged =
        checkpoint.table->Exchange(removed, checkpoint.added, checkpoint.input.through.value);
    if (!exchanged.ok()) return Break(exchanged);
    checkpoint.table->SetFiles(checkpoint.files);
    upkeep_[checkpoint.table->id()] = std::move(checkpoint.upkeep);
    for (std::string& key : checkpoint.replaced_keys) {
      garbage_.push_back({std::move(key), {}, manifest_.number});
    }
  }
  last_checkpoint_frame_bytes_ = frame_bytes;
  replayed_bytes_ = 0;
  checkpoint_pace_.Note(options_.clock->SteadyNow().value);
  checkpoint_count_.fetch_add(1, std::memory_order_relaxed);
  // The manifest before is the fallback and keeps its log.
  truncate_to_ = truncate_to;
  TL_TRY(lane_.wal().Truncate(truncate_to_));
  CollectGarbage();
  return OkStatus();
}

// The series file of a checkpoint, encoded by another thread while segments are written if series are many.
class EngineImpl::SeriesBeside {
 public:
  SeriesBeside(EngineImpl* engine, TableCheckpoint* checkpoint, std::vector<std::uint32_t> touched)
      : engine_(engine), checkpoint_(checkpoint), touched_(std::move(touched)) {
    constexpr std::size_t kManySeries = 10'000;
    if (engine_->series_encoder_ == nullptr || touched_.size() < kManySeries) return;
    auto done = std::make_shared<std::promise<void>>();
    std::future<void> encoded = done->get_future();
    const Status submitted = engine_->series_encoder_->Submit([this, done] {
      Encode();
      done->set_value();
    });
    if (submitted.ok()) encoded_ = std::move(encoded);
  }
  ~SeriesBeside() {
    if (encoded_.valid()) encoded_.wait();
  }
  SeriesBeside(const SeriesBeside&) = delete;
  SeriesBeside& operator=(const SeriesBeside&) = delete;
  /// Once.
  Result<SeriesFile> Take() {
    if (encoded_.valid()) {
      encoded_.get();
    } else {
      Encode();
    }
    return std::move(file_);
  }

 private:
  void Encode() { file_ = engine_->EncodeSeries(checkpoint_, std::move(touched_)); }

  EngineImpl* const engine_;
  TableCheckpoint* const checkpoint_;
  std::vector<std::uint32_t> touched_;
  Result<SeriesFile> file_ = Internal("the series file has not been encoded");
  std::future<void> encoded_;
};

Status EngineImpl::WriteTable(TableCheckpoint* checkpoint, NewFiles* made) {
  const CheckpointInput& input = checkpoint->input;
  checkpoint->files = checkpoint->table->files();
  checkpoint->files.through = input.through;
  checkpoint->upkeep = upkeep_[checkpoint->table->id()];
  TL_TRY(WriteDeletionVectors(checkpoint, made));
  if (input.sources.buffers.empty() && input.sources.runs.empty()) {
    // All rows of a new series may have died before they were filed. The log no longer tells of the series.
    if (input.series_count == checkpoint->upkeep.series.series) return OkStatus();
    return PutSeries(checkpoint, TL_TRY(EncodeSeries(checkpoint, {})), made);
  }
  FlushRequest request;
  WindowPlan plan;
  for (const auto& run : input.sources.runs) {
    request.sources.push_back(TL_TRY(MakeSegmentSource(run, input.through.value)));
  }
  for (const auto& buffer : input.sources.buffers) {
    request.sources.push_back(MakeBufferSource(buffer, input.through.value));
  }
  for (const auto& source : request.sources) {
    TL_TRY(source->ForTimes([&](std::span<const std::int64_t> times) { plan.Count(times); }));
  }
  plan.Decide(options_.piece_rows_min);
  request.schema = input.schema;
  request.index = &checkpoint->table->index();
  request.plan = &plan;
  request.through = input.through;
  request.retention_edge_ns = RewriteEdge(*input.schema);
  request.make_uuid = [this] { return NewUuid(); };
  request.make_sink = [this, made](const Uuid& uuid) {
    return made->MakeSink(*store_, SegmentKey(uuid, catalog::StoreTier::kMemory));
  };
  request.make_seal = SegmentSealOf(checkpoint->table->id());
  SeriesBeside series(this, checkpoint, SeriesOf(request.sources));
  const FlushResult flushed = TL_TRY(Flush(std::move(request)));
  for (const FlushedSegment& segment : flushed.segments) {
    checkpoint->files.segments.push_back(EntryOf(segment, catalog::StoreTier::kMemory, 1));
    checkpoint_rows_.fetch_add(segment.written.summary.row_count, std::memory_order_relaxed);
    checkpoint_bytes_.fetch_add(segment.written.file_bytes, std::memory_order_relaxed);
    checkpoint->added.push_back(std::make_shared<SegmentSource>(
        services_.environment, checkpoint->files.segments.back(), Bitmap()));
  }
  return PutSeries(checkpoint, TL_TRY(series.Take()), made);
}

std::string EngineImpl::SegmentKey(const Uuid& uuid, catalog::StoreTier tier) const {
  return (tier == catalog::StoreTier::kMemory ? std::string(kSegmentPrefix) : magnetic_prefix_) +
         FormatUuid(uuid);
}

objstore::ObjectStore& EngineImpl::StoreOfKey(std::string_view key) const {
  return key.starts_with(kMagneticPrefix) ? *services_.environment.magnetic : *store_;
}

catalog::SegmentEntry EngineImpl::EntryOf(const FlushedSegment& flushed, catalog::StoreTier tier,
                                          std::uint8_t write_count) const {
  catalog::SegmentEntry entry;
  entry.key = SegmentKey(flushed.file_uuid, tier);
  entry.tier = tier;
  entry.write_count = write_count;
  entry.file_uuid = flushed.file_uuid;
  entry.key_id = flushed.key_id;
  entry.bytes = flushed.written.file_bytes;
  entry.hash = flushed.written.file_hash;
  entry.window_start_ns = flushed.window.start_ns;
  entry.window_length_ns = flushed.window.length_ns;
  entry.row_count = flushed.written.summary.row_count;
  entry.series_count = flushed.written.summary.series_count;
  entry.time_ns_min = flushed.written.summary.time_ns_min;
  entry.time_ns_max = flushed.written.summary.time_ns_max;
  return entry;
}

Result<EngineImpl::SeriesFile> EngineImpl::EncodeSeries(TableCheckpoint* checkpoint,
                                                        std::vector<std::uint32_t> touched) {
  const std::uint32_t series_count = checkpoint->input.series_count;
  std::vector<catalog::SeriesFileEntry>& files = checkpoint->files.series_files;
  std::uint64_t later_entries = touched.size();
  for (std::size_t i = 1; i < files.size(); ++i) later_entries += files[i].entry_count;
  // Once what came since outweighs the first file, everything is written anew as one.
  // Many small ones are as bad: each is a file to open at start.
  const bool whole = files.empty() || files.size() >= kSeriesFilesMax ||
                     later_entries > files[0].entry_count;
  std::vector<std::uint32_t> series = std::move(touched);
  if (whole) {
    for (const auto& file : files) checkpoint->replaced_keys.push_back(file.key);
    files.clear();
    checkpoint->upkeep.series = {};
    series.resize(series_count);
    std::iota(series.begin(), series.end(), 0U);
  }
  const std::vector<std::int64_t> times = checkpoint->table->HighWaters(series);
  Bytes plain;
  const auto slot_count = static_cast<std::uint32_t>(checkpoint->input.schema->dimensions.size());
  EncodeSeriesFile(checkpoint->table->index(), slot_count, series_count, series, times,
                   &checkpoint->upkeep.series, &plain);
  SeriesFile file{.uuid = NewUuid(), .entry_count = series.size(), .stored = {}};
  file.stored = TL_TRY(catalog::SealObject(*options_.sealer, KeyScopeOf(checkpoint->table->id()), file.uuid,
                                           seal::FileType::kSeriesFile, kSeriesFileFormat, plain));
  return file;
}

Status EngineImpl::PutSeries(TableCheckpoint* checkpoint, const SeriesFile& file, NewFiles* made) {
  const std::string key = "series/" + FormatUuid(file.uuid);
  TL_TRY(made->Put(*store_, key, file.stored));
  checkpoint->files.series_files.push_back(
      {.key = key, .bytes = file.stored.size(), .entry_count = file.entry_count});
  return OkStatus();
}

Status EngineImpl::WriteDeletionVectors(TableCheckpoint* checkpoint, NewFiles* made) {
  for (const auto& source : checkpoint->input.sources.segments) {
    const std::string& key = source->entry().key;
    // First what is owed: what is paid meanwhile is then in both.
    const OwedMarks owed = source->owed();
    const auto dead = source->deletions().At(checkpoint->input.through.value);
    const std::uint64_t dead_count = dead == nullptr ? 0 : dead->count();
    std::uint64_t& saved = checkpoint->upkeep.dead_saved[key];
    std::uint64_t& owed_saved = checkpoint->upkeep.owed_saved[key];
    if (dead_count == saved && owed.count() == owed_saved) continue;
    const std::string object = TL_TRY(
        PutDeletionVector(checkpoint->table->id(), dead == nullptr ? Bitmap() : *dead, owed, made));
    saved = dead_count;
    owed_saved = owed.count();
    for (catalog::SegmentEntry& entry : checkpoint->files.segments) {
      if (entry.key != key) continue;
      if (!entry.deletion_vector_key.empty()) {
        checkpoint->replaced_keys.push_back(entry.deletion_vector_key);
      }
      entry.deletion_vector_key = object;
    }
    source->deletions().Freeze(checkpoint->table->OldestSnapshot());
  }
  return OkStatus();
}

Result<std::string> EngineImpl::PutDeletionVector(catalog::TableId table, const Bitmap& dead, const OwedMarks& owed,
                                                  NewFiles* made) {
  Bytes plain;
  if (owed.count() == 0) {
    dead.EncodeTo(&plain);
  } else {
    EncodeOwingVector(dead, owed, &plain);
  }
  const Uuid uuid = NewUuid();
  const Bytes stored = TL_TRY(
      catalog::SealObject(*options_.sealer, KeyScopeOf(table), uuid, seal::FileType::kDeletionVector,
                          owed.count() == 0 ? kDeletionVectorFormat : kOwingVectorFormat, plain));
  const std::string object = "deleted/" + FormatUuid(uuid);
  TL_TRY(made->Put(*store_, object, stored));
  return object;
}

Uuid EngineImpl::KeyScopeOf(catalog::TableId table) const {
  return catalog::TableKeyScope(database_uuid_, table);
}

std::function<Result<NewSegmentSeal>(const Uuid&)> EngineImpl::SegmentSealOf(
    catalog::TableId table) {
  seal::Sealer& sealer = *options_.sealer;
  return [&sealer, scope = KeyScopeOf(table)](const Uuid& file_uuid) -> Result<NewSegmentSeal> {
    NewSegmentSeal made;
    made.key_id = TL_TRY(sealer.CurrentKey(scope));
    made.pages = TL_TRY(SegmentSeal::Make(sealer, file_uuid, made.key_id));
    return made;
  };
}

void EngineImpl::NoteDropped() {
  std::uint64_t bytes = 0;
  for (const catalog::DroppedSegment& dropped : manifest_.dropped) bytes += dropped.segment.bytes;
  dropped_bytes_.store(bytes, std::memory_order_relaxed);
}

Status EngineImpl::Break(const Status& status) {
  if (broken_.ok()) broken_ = status;
  lane_.OnWalFailed(status);
  return status;
}

Status EngineImpl::StoreManifest(catalog::Manifest manifest, NewFiles* made) {
  TL_TRY(broken_);
  manifest_tried_steady_ns_ = options_.clock->SteadyNow().value;
  manifest.number = NextManifest();
  manifest.written_ns = TrustedNow();
  const Status stored = catalog::StoreManifest(*store_, *options_.sealer, manifest.database_uuid,
                                               NewUuid(), manifest);
  if (!stored.ok()) {
    const ErrorCode code = CodeOf(stored);
    // Whether it is stored is not known, or another process owns the directory: neither may go on. The files it
    // perhaps names stay until the next start knows.
    if (code == ErrorCode::kUnavailable || code == ErrorCode::kAborted) {
      made->Keep();
      return Break(stored);
    }
    // A full disk met by the last sync leaves the name in place: that may be stored, too.
    const auto there = store_->Head(catalog::ManifestKey(manifest.number));
    if (there.ok() || CodeOf(there.status()) != ErrorCode::kNotFound) {
      made->Keep();
      return Break(stored);
    }
    return stored;
  }
  made->Keep();
  manifest_ = std::move(manifest);
  newest_manifest_ = manifest_.number;
  NoteDropped();
  kept_manifests_.push_back(manifest_.number);
  if (kept_manifests_.size() > 2) {
    const Status removed = store_->Remove(catalog::ManifestKey(kept_manifests_.front()));
    if (!removed.ok()) TL_LOG_WARNING("an old manifest stays: {}", MessageOf(removed));
    kept_manifests_.erase(kept_manifests_.begin());
  }
  return OkStatus();
}

}  // namespace tideline::engine
