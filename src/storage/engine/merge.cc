// Merging, moving into the magnetic store and consolidating; what is chosen is in merge_plan.h.
//
// A job holds the maintenance lock while it is chosen and while its result takes the place of its sources, not while it
// reads and writes: checkpoints and writers never wait for a merge. Rows that die in between are carried over by key.
#include <algorithm>

#include "base/log.h"
#include "storage/engine/engine_impl.h"

namespace tideline::engine {
namespace {

constexpr std::int64_t kMergePeriodNs = kNsPerSecond;
/// A merge that failed is not tried again before, so that a full disk is not written in circles.
constexpr std::int64_t kMergeRetryNs = 10 * kNsPerSecond;
/// Likewise for one that met damage.
constexpr std::int64_t kDamageRetryNs = kNsPerHour;
/// Longest single wait of the pace, so that a stop is noticed.
constexpr std::int64_t kPaceStepNsMax = 100 * kNsPerMs;

}  // namespace

void EngineImpl::MergeInBackground() {
  for (bool more = false;;) {
    {
      MutexLock lock(wake_mutex_);
      if (!more && !stopping_) merge_wake_.WaitFor(wake_mutex_, kMergePeriodNs);
      if (stopping_) return;
    }
    more = false;
    const Status status = MergeRound(&more);
    if (!status.ok() && !stopped_) TL_LOG_WARNING("merging: {}", MessageOf(status));
  }
}

Status EngineImpl::MergeRound(bool* more) {
  MutexLock turn(merge_mutex_);
  Status first = SweepMagneticStore();
  // One job of each table at a time, so that tables take turns.
  for (const auto& table : AllTables()) {
    bool merged = false;
    const Status status = MergeOnce(table, &merged);
    if (first.ok()) first = status;
    *more |= merged;
  }
  return first;
}

Status EngineImpl::MergeOnce(const std::shared_ptr<Table>& table, bool* merged) {
  *merged = false;
  MergeWork work;
  work.table = table;
  {
    MutexLock lock(maintenance_mutex_);
    if (!TL_TRY(BeginMerge(&work))) return OkStatus();
  }
  NewFiles made;
  Status status = WriteMerge(&work, &made);
  MutexLock lock(maintenance_mutex_);
  if (status.ok()) status = CommitMerge(&work, &made);
  table->snapshots().Remove(work.number);
  for (const auto& segment : work.job.segments) merging_.erase(segment->entry().key);
  if (!status.ok()) {
    const bool damaged = CodeOf(status) == ErrorCode::kDataLoss;
    const std::int64_t until =
        options_.clock->SteadyNow().value + (damaged ? kDamageRetryNs : kMergeRetryNs);
    for (const auto& segment : work.job.segments) {
      upkeep_[table->id()].merge_not_before_ns[segment->entry().key] = until;
    }
    return status;
  }
  *merged = true;
  return OkStatus();
}

Result<bool> EngineImpl::BeginMerge(MergeWork* work) {
  TL_TRY(broken_);
  work->schema = catalog_.FindTable(work->table->id());
  // A table that no manifest names yet has no files; one that was dropped has no future.
  if (work->schema == nullptr || !manifest_.tables.contains(work->table->id())) return false;
  auto& not_before = upkeep_[work->table->id()].merge_not_before_ns;
  const std::int64_t now = options_.clock->SteadyNow().value;
  absl::erase_if(not_before, [now](const auto& entry) { return entry.second <= now; });
  MergePolicy policy;
  // While the clock is in doubt nothing moves, either: what has moved never comes back.
  policy.memory_edge_ns = ClockInDoubt() ? INT64_MIN : MemoryEdge(*work->schema);
  policy.piece_rows_min = options_.magnetic_piece_rows_min;
  policy.crowded_at = options_.segments_per_window_max / 2;
  policy.shed_marks = deletion_bytes_.load(std::memory_order_relaxed) > options_.deletion_bytes_max / 2;
  policy.skip = [&](const SegmentSource& segment) {
    return merging_.contains(segment.entry().key) || not_before.contains(segment.entry().key);
  };
  auto job = PlanMerge(work->table->sources()->segments, policy);
  if (!job.has_value()) return false;
  if (space_ == SpaceState::kFull) return false;
  // What frees no space and is not needed to take writes waits for better times.
  if (space_ == SpaceState::kLow && job->kind == MergeKind::kConsolidate) return false;
  work->job = *std::move(job);
  // Rows whose replacement the log could still lose must not be left out.
  if (options_.sync_interval_ns != 0) TL_TRY(lane_.wal().Flush());
  // As if a query ran: marks made from here on stay apart from the frozen ones, and are carried over.
  work->number = work->table->OpenView().number;
  work->retention_edge_ns = RewriteEdge(*work->schema);
  for (const auto& segment : work->job.segments) merging_.insert(segment->entry().key);
  return true;
}

Status EngineImpl::WriteMerge(MergeWork* work, NewFiles* made) {
  const MergeJob& job = work->job;
  objstore::ObjectStore& store = services_.environment.StoreOf(job.tier);
  FlushRequest request;
  for (const auto& segment : job.segments) {
    request.sources.push_back(TL_TRY(MakeSegmentSource(segment, work->number)));
    merge_read_bytes_.fetch_add(segment->entry().bytes, std::memory_order_relaxed);
  }
  request.schema = work->schema;
  request.index = &work->table->index();
  request.window = job.window;
  request.tier = job.tier;
  request.through = SequenceNumber{work->number};
  request.retention_edge_ns = work->retention_edge_ns;
  request.make_uuid = [this] { return NewUuid(); };
  request.make_sink = [&](const Uuid& uuid) {
    return made->MakeSink(store, SegmentKey(uuid, job.tier),
                          [this](std::size_t bytes) { return PaceMerge(bytes); });
  };
  request.make_seal = SegmentSealOf(work->table->id());
  const FlushResult flushed = TL_TRY(Flush(std::move(request)));
  for (const FlushedSegment& segment : flushed.segments) {
    work->entries.push_back(EntryOf(segment, job.tier, job.write_count()));
    work->added.push_back(
        std::make_shared<SegmentSource>(services_.environment, work->entries.back(), Bitmap()));
  }
  return OkStatus();
}

Status EngineImpl::CommitMerge(MergeWork* work, NewFiles* made) {
  if (!manifest_.tables.contains(work->table->id())) return OkStatus();  // dropped meanwhile
  const auto dead_saved = TL_TRY(SaveCarriedMarks(work, made));
  TL_TRY(ReplaceSegments(work->table, work->job.segments, work->entries, work->added, work->number,
                         made));
  for (const auto& [key, count] : dead_saved) upkeep_[work->table->id()].dead_saved[key] = count;
  merge_count_.fetch_add(1, std::memory_order_relaxed);
  auto& rows = merge_rows_[static_cast<std::size_t>(work->job.kind)];
  for (const catalog::SegmentEntry& entry : work->entries) {
    rows.fetch_add(entry.row_count, std::memory_order_relaxed);
    merge_written_bytes_.fetch_add(entry.bytes, std::memory_order_relaxed);
    if (work->job.kind == MergeKind::kMove &&
        entry.write_count > writes_at_rest_max_.load(std::memory_order_relaxed)) {
      writes_at_rest_max_.store(entry.write_count, std::memory_order_relaxed);
    }
  }
  return OkStatus();
}

// A checkpoint that came while the merge wrote has saved the marks of its time with the segments that now go, and the
// log is replayed from there on: what of them belongs to the new segments must be in files before a manifest names
// these. By key of the segment, how many rows were saved as dead.
Result<std::vector<std::pair<std::string, std::uint64_t>>> EngineImpl::SaveCarriedMarks(MergeWork* work,
                                                                                         NewFiles* made) {
  std::vector<std::pair<std::string, std::uint64_t>> dead_saved;
  const std::uint64_t through = work->table->files().through.value;
  if (through <= work->number) return dead_saved;
  TL_TRY(work->table->CarryMarks({.segments = work->job.segments}, work->added, work->number));
  for (std::size_t i = 0; i < work->added.size(); ++i) {
    const auto dead = work->added[i]->deletions().At(through);
    if (dead == nullptr) continue;
    work->entries[i].deletion_vector_key = TL_TRY(PutDeletionVector(work->table->id(), *dead, {}, made));
    dead_saved.emplace_back(work->entries[i].key, dead->count());
  }
  return dead_saved;
}

// Sleeps so that merges write no faster than the setting, and ends a merge when the engine stops.
Status EngineImpl::PaceMerge(std::size_t bytes) {
  if (!options_.own_threads) return OkStatus();
  const std::uint64_t per_second = options_.merge_bytes_per_second_max;
  std::int64_t wait_ns = 0;
  if (per_second != 0) {
    wait_ns = static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(per_second) *
                                        static_cast<double>(kNsPerSecond));
  }
  MutexLock lock(wake_mutex_);
  pace_debt_ns_ += wait_ns;
  while (pace_debt_ns_ >= kNsPerMs && !stopping_) {
    const std::int64_t step = std::min(pace_debt_ns_, kPaceStepNsMax);
    pace_.WaitFor(wake_mutex_, step);
    pace_debt_ns_ -= step;
  }
  if (stopping_) return Unavailable("the engine stops; the merge is left for the next start");
  return OkStatus();
}

Status EngineImpl::ReplaceSegments(const std::shared_ptr<Table>& table,
                                   const std::vector<std::shared_ptr<SegmentSource>>& removed,
                                   const std::vector<catalog::SegmentEntry>& entries,
                                   const std::vector<std::shared_ptr<SegmentSource>>& added,
                                   std::uint64_t number, NewFiles* made,
                                   const std::function<void(catalog::Manifest*)>& change) {
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
  if (change) change(&next);
  // What is dropped, and not removed, keeps its files.
  for (const catalog::DroppedSegment& dropped : next.dropped) {
    std::erase_if(garbage, [&](const Garbage& file) {
      return file.key == dropped.segment.key || file.key == dropped.segment.deletion_vector_key;
    });
  }
  TL_TRY(StoreManifest(std::move(next), made));
  const Status exchanged = table->Exchange({.segments = removed}, added, number);
  if (!exchanged.ok()) return Break(exchanged);
  table->SetFiles(std::move(files));
  garbage_.insert(garbage_.end(), garbage.begin(), garbage.end());
  TableUpkeep& upkeep = upkeep_[table->id()];
  for (const auto& source : removed) {
    upkeep.dead_saved.erase(source->entry().key);
    upkeep.owed_saved.erase(source->entry().key);
  }
  return OkStatus();
}

}  // namespace tideline::engine
