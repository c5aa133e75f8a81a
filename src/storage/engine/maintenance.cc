// Checkpoints, runs, merges and expiry; see design.md section 3 and durability.md section 3.3.
#include <algorithm>
#include <map>

#include "base/log.h"
#include "storage/catalog/sealed_object.h"
#include "storage/engine/engine_impl.h"

namespace tideline::engine {
namespace {

constexpr std::int64_t kMaintenancePeriodNs = kNsPerSecond;
/// A window with more segments than this is merged.
constexpr std::size_t kSegmentsPerWindowGoal = 10;
/// A merge does not make segments of more rows.
constexpr std::uint64_t kMergeRowsMax = 64'000'000;
/// Series files of a table before they are written anew as one.
constexpr std::size_t kSeriesFilesMax = 16;
/// A wall clock this far from the steady clock's reckoning must not delete.
constexpr std::int64_t kClockJumpNsMax = kNsPerHour;
/// A checkpoint or merge that failed is not tried again before, so that a full disk is not written in circles.
constexpr std::int64_t kRetryNs = 10 * kNsPerSecond;
/// Likewise for a merge that met damage.
constexpr std::int64_t kDamageRetryNs = kNsPerHour;

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

class ObjectSegmentSink final : public SegmentSink {
 public:
  explicit ObjectSegmentSink(std::unique_ptr<objstore::ObjectWriter> writer)
      : writer_(std::move(writer)) {}
  Status Append(BytesView bytes) override { return writer_->Append(bytes); }
  Status Commit() override {
    const objstore::PutOutcome outcome = TL_TRY(writer_->Commit());
    if (outcome == objstore::PutOutcome::kCreated) return OkStatus();
    return Unavailable("a segment file could not be stored under its unique name");
  }

 private:
  std::unique_ptr<objstore::ObjectWriter> writer_;
};

std::string SegmentKey(const Uuid& uuid) { return "segments/" + FormatUuid(uuid); }

}  // namespace

void EngineImpl::Background() {
  for (;;) {
    {
      MutexLock lock(wake_mutex_);
      if (!wanted_ && !stopping_) wake_.WaitFor(wake_mutex_, kMaintenancePeriodNs);
      if (stopping_) return;
      wanted_ = false;
    }
    const Status status = RunMaintenance();
    if (!status.ok()) TL_LOG_WARNING("maintenance: {}", MessageOf(status));
  }
}

Status EngineImpl::RunMaintenance() {
  MutexLock lock(maintenance_mutex_);
  return MaintainLocked();
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
  for (const auto& table : tables) note(EncodeRuns(table, lane_.published()));
  if (CheckpointIsDue()) note(CheckpointLocked());
  std::size_t most = 0;
  for (const auto& table : tables) {
    note(Expire(table));
    // One at a time, so that buffers and checkpoints do not wait for long.
    bool merged = false;
    note(MergeOnce(table, &merged));
    if (merged) services_.wake();
    std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> windows;
    for (const auto& segment : table->sources()->segments) {
      const auto& entry = segment->entry();
      most = std::max(most, ++windows[{entry.window_start_ns, entry.window_length_ns}]);
    }
  }
  crowded_.store(most > options_.segments_per_window_max, std::memory_order_relaxed);
  CollectGarbage();
  return first;
}

bool EngineImpl::CheckpointIsDue() {
  if (options_.clock->SteadyNow().value < checkpoint_not_before_ns_) return false;
  const std::uint64_t written =
      replayed_bytes_ + lane_.wal().stats().frame_bytes - last_checkpoint_frame_bytes_;
  if (written >= options_.checkpoint_wal_bytes) return true;
  if (hot_bytes_.load(std::memory_order_relaxed) > options_.hot_bytes_max / 4 * 3) return true;
  if (lane_.wal().retained_bytes() > options_.wal_bytes_max / 4 * 3 && written != 0) return true;
  const std::int64_t age = options_.clock->SteadyNow().value - last_checkpoint_steady_ns_;
  if (age < options_.checkpoint_age_ns) return false;
  const auto tables = AllTables();
  return std::any_of(tables.begin(), tables.end(), [](const auto& t) { return t->IsDirty(); });
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
  RemoveUnnamed();
  checkpoint_not_before_ns_ =
      status.ok() ? INT64_MIN : options_.clock->SteadyNow().value + kRetryNs;
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
  for (TableCheckpoint& checkpoint : checkpoints) TL_TRY(WriteTable(&checkpoint));
  next.floor = floor;
  for (const TableCheckpoint& checkpoint : checkpoints) {
    next.tables[checkpoint.table->id()] = checkpoint.files;
  }
  const SequenceNumber truncate_to = manifest_.floor;
  // Queued only once the manifest that drops them is stored: until then later ones go on naming them.
  std::vector<Garbage> garbage = GarbageOfDroppedTables(next);
  TL_TRY(StoreManifest(std::move(next)));
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
  last_checkpoint_steady_ns_ = options_.clock->SteadyNow().value;
  checkpoint_count_.fetch_add(1, std::memory_order_relaxed);
  // The manifest before is the fallback and keeps its log.
  truncate_to_ = truncate_to;
  TL_TRY(lane_.wal().Truncate(truncate_to_));
  CollectGarbage();
  return OkStatus();
}

Status EngineImpl::WriteTable(TableCheckpoint* checkpoint) {
  const CheckpointInput& input = checkpoint->input;
  checkpoint->files = checkpoint->table->files();
  checkpoint->files.through = input.through;
  checkpoint->upkeep = upkeep_[checkpoint->table->id()];
  TL_TRY(WriteDeletionVectors(checkpoint));
  if (input.sources.buffers.empty() && input.sources.runs.empty()) return OkStatus();
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
  request.retention_edge_ns = ExpiryEdge(*input.schema);
  request.make_uuid = [this] { return NewUuid(); };
  request.make_sink = [this](const Uuid& uuid) TL_NO_THREAD_SAFETY_ANALYSIS {
    return MakeObjectSink(uuid);
  };
  const FlushResult flushed = TL_TRY(Flush(std::move(request)));
  for (const FlushedSegment& segment : flushed.segments) {
    checkpoint->files.segments.push_back(EntryOf(segment));
    checkpoint->added.push_back(std::make_shared<SegmentSource>(
        services_.environment, checkpoint->files.segments.back(), Bitmap()));
  }
  return WriteSeries(checkpoint, flushed.series);
}

catalog::SegmentEntry EngineImpl::EntryOf(const FlushedSegment& flushed) const {
  catalog::SegmentEntry entry;
  entry.key = SegmentKey(flushed.file_uuid);
  entry.file_uuid = flushed.file_uuid;
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

Status EngineImpl::WriteSeries(TableCheckpoint* checkpoint,
                               const std::vector<std::uint32_t>& touched) {
  const std::uint32_t series_count = checkpoint->input.series_count;
  std::vector<catalog::SeriesFileEntry>& files = checkpoint->files.series_files;
  std::uint64_t later_entries = touched.size();
  for (std::size_t i = 1; i < files.size(); ++i) later_entries += files[i].entry_count;
  // Once what came since outweighs the first file, everything is written anew as one.
  // Many small ones are as bad: each is a file to open at start.
  const bool whole = files.empty() || files.size() >= kSeriesFilesMax ||
                     later_entries > files[0].entry_count;
  std::vector<std::uint32_t> series = touched;
  if (whole) {
    for (const auto& file : files) checkpoint->replaced_keys.push_back(file.key);
    files.clear();
    checkpoint->upkeep.series = {};
    series.resize(series_count);
    for (std::uint32_t i = 0; i < series_count; ++i) series[i] = i;
  }
  const std::vector<std::int64_t> times = checkpoint->table->HighWaters(series);
  Bytes plain;
  const auto slot_count = static_cast<std::uint32_t>(checkpoint->input.schema->dimensions.size());
  EncodeSeriesFile(checkpoint->table->index(), slot_count, series_count, series, times,
                   &checkpoint->upkeep.series, &plain);
  const Uuid uuid = NewUuid();
  const Bytes stored =
      TL_TRY(catalog::SealObject(*options_.sealer, manifest_.database_uuid, uuid,
                                 seal::FileType::kSeriesFile, kSeriesFileFormat, plain));
  const std::string key = "series/" + FormatUuid(uuid);
  TL_TRY(PutObject(key, stored));
  files.push_back({.key = key,
                   .bytes = stored.size(),
                   .entry_count = series.size()});
  return OkStatus();
}

Status EngineImpl::WriteDeletionVectors(TableCheckpoint* checkpoint) {
  for (const auto& source : checkpoint->input.sources.segments) {
    const std::string& key = source->entry().key;
    const auto dead = source->deletions().At(checkpoint->input.through.value);
    std::uint64_t& saved = checkpoint->upkeep.dead_saved[key];
    if (dead == nullptr || dead->count() == saved) continue;
    Bytes plain;
    dead->EncodeTo(&plain);
    const Uuid uuid = NewUuid();
    const Bytes stored =
        TL_TRY(catalog::SealObject(*options_.sealer, manifest_.database_uuid, uuid,
                                   seal::FileType::kDeletionVector, kDeletionVectorFormat, plain));
    const std::string object = "deleted/" + FormatUuid(uuid);
    TL_TRY(PutObject(object, stored));
    saved = dead->count();
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

Result<std::unique_ptr<SegmentSink>> EngineImpl::MakeObjectSink(const Uuid& uuid) {
  const std::string key = SegmentKey(uuid);
  auto writer = TL_TRY(store_->Create(key));
  unnamed_.push_back(key);
  return std::unique_ptr<SegmentSink>(std::make_unique<ObjectSegmentSink>(std::move(writer)));
}

Status EngineImpl::PutObject(const std::string& key, BytesView bytes) {
  ObjectSegmentSink sink(TL_TRY(store_->Create(key)));
  unnamed_.push_back(key);
  TL_TRY(sink.Append(bytes));
  return sink.Commit();
}

void EngineImpl::RemoveUnnamed() {
  // A manifest that is perhaps stored names them: they stay until the next start knows.
  if (broken_.ok()) {
    for (const std::string& key : unnamed_) {
      const Status removed = store_->Remove(key);
      if (!removed.ok()) TL_LOG_WARNING("{} stays until restart: {}", key, MessageOf(removed));
    }
  }
  unnamed_.clear();
}

Status EngineImpl::Break(const Status& status) {
  if (broken_.ok()) broken_ = status;
  lane_.OnWalFailed(status);
  return status;
}

Status EngineImpl::StoreManifest(catalog::Manifest manifest) {
  TL_TRY(broken_);
  manifest.number = NextManifest();
  const Status stored = catalog::StoreManifest(*store_, *options_.sealer, manifest.database_uuid,
                                               NewUuid(), manifest);
  if (!stored.ok()) {
    const ErrorCode code = CodeOf(stored);
    // Whether it is stored is not known, or another process owns the directory: neither may go on.
    if (code == ErrorCode::kUnavailable || code == ErrorCode::kAborted) return Break(stored);
    // A full disk met by the last sync leaves the name in place: that may be stored, too.
    const auto there = store_->Head(catalog::ManifestKey(manifest.number));
    if (there.ok() || CodeOf(there.status()) != ErrorCode::kNotFound) return Break(stored);
    return stored;
  }
  unnamed_.clear();
  manifest_ = std::move(manifest);
  newest_manifest_ = manifest_.number;
  kept_manifests_.push_back(manifest_.number);
  if (kept_manifests_.size() > 2) {
    const Status removed = store_->Remove(catalog::ManifestKey(kept_manifests_.front()));
    if (!removed.ok()) TL_LOG_WARNING("an old manifest stays: {}", MessageOf(removed));
    kept_manifests_.erase(kept_manifests_.begin());
  }
  return OkStatus();
}

// ---- merges, expiry, removal ---------------------------------------------------------------------

Status EngineImpl::MergeOnce(const std::shared_ptr<Table>& table, bool* merged) {
  *merged = false;
  TL_TRY(broken_);
  const catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
  if (schema == nullptr) return OkStatus();
  std::map<Window, std::vector<std::shared_ptr<SegmentSource>>> windows;
  for (const auto& segment : table->sources()->segments) {
    windows[{segment->entry().window_start_ns, segment->entry().window_length_ns}].push_back(segment);
  }
  const std::int64_t now = options_.clock->SteadyNow().value;
  auto& not_before = upkeep_[table->id()].merge_not_before_ns;
  std::erase_if(not_before, [&](const auto& window) { return window.second <= now; });
  for (auto& [window, segments] : windows) {
    if (segments.size() <= kSegmentsPerWindowGoal || not_before.contains(window)) continue;
    // The smallest first: each row is then rewritten once per eightfold growth.
    std::stable_sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) {
      return a->row_count() < b->row_count();
    });
    std::size_t count = 0;
    for (std::uint64_t rows = 0; count < kMergeFanOut; ++count) {
      rows += segments[count]->row_count();
      if (rows > kMergeRowsMax) break;
    }
    if (count < 2) continue;
    segments.resize(count);
    const Status status = Merge(table, schema, window, segments);
    RemoveUnnamed();
    if (!status.ok()) {
      const bool damaged = CodeOf(status) == ErrorCode::kDataLoss;
      not_before[window] = now + (damaged ? kDamageRetryNs : kRetryNs);
      return status;
    }
    merge_count_.fetch_add(1, std::memory_order_relaxed);
    *merged = true;
    return OkStatus();
  }
  return OkStatus();
}

Status EngineImpl::Merge(const std::shared_ptr<Table>& table, const catalog::TableSchemaPtr& schema,
                         const Window& window,
                         const std::vector<std::shared_ptr<SegmentSource>>& segments) {
  const std::uint64_t number = lane_.published();
  // Rows whose replacement the log could still lose must not be left out.
  if (options_.sync_interval_ns != 0) TL_TRY(lane_.wal().Flush());
  FlushRequest request;
  for (const auto& segment : segments) {
    request.sources.push_back(TL_TRY(MakeSegmentSource(segment, number)));
  }
  request.schema = schema;
  request.index = &table->index();
  request.window = window;
  request.through = SequenceNumber{number};
  request.retention_edge_ns = ExpiryEdge(*schema);
  request.make_uuid = [this] { return NewUuid(); };
  request.make_sink = [this](const Uuid& uuid) TL_NO_THREAD_SAFETY_ANALYSIS {
    return MakeObjectSink(uuid);
  };
  const FlushResult flushed = TL_TRY(Flush(std::move(request)));
  std::vector<std::shared_ptr<SegmentSource>> added;
  std::vector<catalog::SegmentEntry> entries;
  for (const FlushedSegment& segment : flushed.segments) {
    entries.push_back(EntryOf(segment));
    added.push_back(
        std::make_shared<SegmentSource>(services_.environment, entries.back(), Bitmap()));
  }
  return ReplaceSegments(table, segments, entries, added, number);
}

Status EngineImpl::ReplaceSegments(const std::shared_ptr<Table>& table,
                                   const std::vector<std::shared_ptr<SegmentSource>>& removed,
                                   const std::vector<catalog::SegmentEntry>& entries,
                                   const std::vector<std::shared_ptr<SegmentSource>>& added,
                                   std::uint64_t number) {
  catalog::Manifest next = manifest_;
  catalog::TableFiles files = table->files();
  const std::uint64_t dropped_in = NextManifest();
  std::vector<Garbage> garbage;
  for (const auto& source : removed) {
    std::erase_if(files.segments, [&](const catalog::SegmentEntry& entry) {
      if (entry.key != source->entry().key) return false;
      garbage.push_back({entry.key, source, dropped_in});
      if (!entry.deletion_vector_key.empty()) {
        garbage.push_back({entry.deletion_vector_key, {}, dropped_in});
      }
      return true;
    });
  }
  files.segments.insert(files.segments.end(), entries.begin(), entries.end());
  next.tables[table->id()] = files;
  TL_TRY(StoreManifest(std::move(next)));
  const Status exchanged = table->Exchange({.segments = removed}, added, number);
  if (!exchanged.ok()) return Break(exchanged);
  table->SetFiles(std::move(files));
  garbage_.insert(garbage_.end(), garbage.begin(), garbage.end());
  TableUpkeep& upkeep = upkeep_[table->id()];
  for (const auto& source : removed) upkeep.dead_saved.erase(source->entry().key);
  return OkStatus();
}

std::int64_t EngineImpl::ExpiryEdge(const catalog::TableSchema& schema) const {
  const std::int64_t wall = options_.clock->WallNow().value - wall_at_open_ns_;
  const std::int64_t steady = options_.clock->SteadyNow().value - steady_at_open_ns_;
  if (wall - steady > kClockJumpNsMax) {
    TL_LOG_WARNING("the wall clock jumped ahead by {} s: expiry is paused",
                   (wall - steady) / kNsPerSecond);
    return INT64_MIN;
  }
  return RetentionEdge(schema);
}

Status EngineImpl::Expire(const std::shared_ptr<Table>& table) {
  const catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
  if (schema == nullptr) return OkStatus();
  std::vector<std::shared_ptr<SegmentSource>> expired;
  const auto sources = table->sources();
  if (sources->segments.empty()) return OkStatus();
  const std::int64_t edge = ExpiryEdge(*schema);
  for (const auto& segment : sources->segments) {
    if (segment->time_ns_max() < edge) expired.push_back(segment);
  }
  if (expired.empty()) return OkStatus();
  return ReplaceSegments(table, expired, {}, {}, UINT64_MAX);
}

void EngineImpl::CollectGarbage() {
  std::erase_if(garbage_, [this](const Garbage& file) {
    if (file.dropped_in >= manifest_.number || !file.user.expired()) return false;
    const Status removed = store_->Remove(file.key);
    if (!removed.ok()) TL_LOG_WARNING("{} stays for now: {}", file.key, MessageOf(removed));
    return removed.ok();
  });
}

}  // namespace tideline::engine
