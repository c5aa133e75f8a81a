// DELETE and undelete; see engine.h.
#include <algorithm>

#include "base/log.h"
#include "storage/catalog/sealed_object.h"
#include "storage/engine/delete_rows.h"
#include "storage/engine/engine_impl.h"
#include "storage/engine/snapshot.h"

namespace tideline::engine {
namespace {

/// Rows written back at once by an undelete.
constexpr std::size_t kUndeleteBatchRows = 1'000;

MeasureView MeasureOf(const RowChunk::Column& column, std::size_t row, std::string_view name) {
  switch (column.type) {
    case segment::ColumnType::kDouble: return MeasureView::Double(column.doubles[row], name);
    case segment::ColumnType::kBoolean: return MeasureView::Boolean(column.booleans[row] != 0, name);
    case segment::ColumnType::kVarchar: return MeasureView::Varchar(column.strings[row], name);
    case segment::ColumnType::kTimestamp: return MeasureView::Timestamp(column.int64s[row], name);
    case segment::ColumnType::kBigint: break;
  }
  return MeasureView::Bigint(column.int64s[row], name);
}

}  // namespace

Result<DeleteResult> EngineImpl::DeleteRows(const DeleteRequest& request) {
  if (request.times.size() > kDeleteRangesMax) {
    return InvalidArgument("a DELETE may name at most {} time ranges, this one has {}",
                           kDeleteRangesMax, request.times.size());
  }
  TL_TRY(CheckGates());
  // Checkpoints, runs and merges' ends wait: the sources stay what they are until the rows are marked.
  MutexLock lock(maintenance_mutex_);
  TL_TRY(broken_);
  const std::shared_ptr<Table> table = FindTable(request.database, request.table);
  if (table == nullptr) return NotFound("The table {} does not exist.", request.table);
  // The copies for undo are named in the table's part of a manifest.
  if (options_.undelete_ns != 0 && !request.dry_run && !manifest_.tables.contains(table->id())) {
    TL_TRY(CheckpointLocked());
  }
  // Closes the active buffer, so that what is to be deleted no longer grows.
  const CheckpointInput input = table->BeginCheckpoint();
  if (input.through.value != 0) TL_TRY(WaitDurable(input.through));
  DeleteOutcome outcome;
  outcome.table = table->id();
  outcome.through = input.through;
  {
    const SnapshotState state(table, input.schema, table->OpenView(), RetentionEdge(*input.schema));
    outcome.series = TL_TRY(SelectSeries(state, request.series));
    outcome.times = EffectiveTimes(state, request.times);
  }
  const DeletedRows rows = TL_TRY(FindRowsToDelete(input.sources, outcome));
  DeleteResult result{.rows = rows.count()};
  if (request.dry_run || result.rows == 0) return result;
  if (deletion_bytes_.load(std::memory_order_relaxed) > options_.deletion_bytes_max) {
    return ResourceExhausted("deletion_bytes_max: marks of dead rows take more than {} bytes of memory, nothing is "
                             "deleted until merging catches up", options_.deletion_bytes_max);
  }
  outcome.delete_id = result.delete_id = NewUuid();
  if (options_.undelete_ns != 0) {
    TL_TRY(KeepForUndo(table, input, rows, outcome));
    result.undo_until_ns = TrustedNow() + options_.undelete_ns;
  }
  Bytes payload;
  EncodeDelete(outcome, &payload);
  wal::WalReservation space = TL_TRY(lane_.wal().Reserve(payload.size()));
  const SequenceNumber number = TL_TRY(table->Delete(space, payload, rows));
  TL_TRY(WaitDurable(number));
  TL_LOG_INFO("deleted {} rows of {}.{} ({})", result.rows, request.database, request.table,
              FormatUuid(result.delete_id));
  return result;
}

// A segment of the rows that are about to die, named in the manifest as dropped. Should the delete itself not come to
// pass, bringing them back finds them all there.
Status EngineImpl::KeepForUndo(const std::shared_ptr<Table>& table, const CheckpointInput& input,
                               const DeletedRows& rows, const DeleteOutcome& outcome) {
  if (!manifest_.tables.contains(table->id())) return Internal("a table with rows is in no manifest");
  FlushRequest request;
  const SeriesSet wanted(outcome.series);
  for (const auto& buffer : input.sources.buffers) {
    request.sources.push_back(MakeBufferSource(buffer, outcome.through.value, wanted, outcome.times));
  }
  for (const auto& [segment, matched] : rows.in_segments) {
    Bitmap others;
    others.AddRange(0, segment->row_count());
    others.Subtract(matched);
    request.sources.push_back(
        TL_TRY(MakeSegmentSource(segment, std::make_shared<const Bitmap>(std::move(others)))));
  }
  request.schema = input.schema;
  request.index = &table->index();
  request.through = outcome.through;
  request.make_uuid = [this] { return NewUuid(); };
  NewFiles made;
  request.make_sink = [&](const Uuid& uuid) {
    return made.MakeSink(*store_, SegmentKey(uuid, catalog::StoreTier::kMemory));
  };
  request.make_seal = SegmentSealOf(table->id());
  const FlushResult flushed = TL_TRY(Flush(std::move(request)));
  catalog::Manifest next = manifest_;
  for (const FlushedSegment& segment : flushed.segments) {
    next.dropped.push_back({.table = table->id(),
                            .dropped_ns = TrustedNow(),
                            .reason = catalog::DropReason::kDeleted,
                            .delete_id = outcome.delete_id,
                            .segment = EntryOf(segment, catalog::StoreTier::kMemory, 1)});
  }
  return StoreManifest(std::move(next), &made);
}

Result<UndeleteResult> EngineImpl::Undelete(const UndeleteRequest& request) {
  UndeleteResult result;
  const std::shared_ptr<Table> table = FindTable(request.database, request.table);
  if (table == nullptr) return NotFound("The table {} does not exist.", request.table);
  std::vector<catalog::DroppedSegment> chosen;
  {
    MutexLock lock(maintenance_mutex_);
    for (const catalog::DroppedSegment& dropped : manifest_.dropped) {
      if (dropped.table != table->id()) continue;
      const bool by_statement = dropped.reason == catalog::DropReason::kDeleted;
      if (by_statement ? dropped.delete_id == request.delete_id : request.delete_id.is_nil()) {
        chosen.push_back(dropped);
      }
    }
  }
  if (chosen.empty()) {
    if (request.delete_id.is_nil()) return result;
    return NotFound("there is no delete {} of {}, or its time is over",
                    FormatUuid(request.delete_id), request.table);
  }
  for (const catalog::DroppedSegment& dropped : chosen) {
    DeadRows loaded = TL_TRY(LoadDeletionVector(dropped.segment));
    const std::size_t owed_count = loaded.owed.count();
    const auto source =
        std::make_shared<SegmentSource>(services_.environment, dropped.segment, std::move(loaded.dead));
    TL_TRY(source->Owe(std::move(loaded.owed)));
    if (owed_count != 0) TL_TRY(source->reader().status());
    const auto dead = source->deletions().At(UINT64_MAX);
    const std::uint64_t dead_count = dead == nullptr ? 0 : dead->count();
    if (dropped.reason == catalog::DropReason::kExpired &&
        TL_TRY(Readopt(table, dropped, source, owed_count == 0 ? dead_count : UINT64_MAX))) {
      result.rows += source->row_count() - dead_count;
      continue;
    }
    result.rows += TL_TRY(WriteBack(table, source));
    MutexLock lock(maintenance_mutex_);
    TL_TRY(DropForGood([&](const catalog::DroppedSegment& each) {
      return each.segment.key == dropped.segment.key;
    }));
  }
  return result;
}

// Names an expired segment as live again: right when no row of its time has come since. False otherwise.
Result<bool> EngineImpl::Readopt(const std::shared_ptr<Table>& table,
                                 const catalog::DroppedSegment& dropped,
                                 const std::shared_ptr<SegmentSource>& source,
                                 std::uint64_t saved_count) {
  MutexLock lock(maintenance_mutex_);
  TL_TRY(broken_);
  const catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
  if (schema == nullptr || !manifest_.tables.contains(table->id())) return NotFound("the table was deleted");
  if (source->time_ns_max() < RetentionEdge(*schema)) {
    return InvalidArgument(
        "rows of {} to {} are past the table's retention and would expire again: raise it first, or set the "
        "clock right",
        FormatIso8601({source->time_ns_min()}, 3), FormatIso8601({source->time_ns_max()}, 3));
  }
  const CheckpointInput input = table->BeginCheckpoint();
  const auto overlaps = [&](std::int64_t low, std::int64_t high) {
    return low <= source->time_ns_max() && high >= source->time_ns_min();
  };
  for (const auto& buffer : table->sources()->buffers) {
    for (std::uint32_t i = 0; i < buffer->sheet_count(); ++i) {
      if (overlaps(buffer->sheet(i).time_min(), buffer->sheet(i).time_max())) return false;
    }
  }
  for (const auto* list : {&input.sources.runs, &input.sources.segments}) {
    for (const auto& segment : *list) {
      if (overlaps(segment->time_ns_min(), segment->time_ns_max())) return false;
    }
  }
  NewFiles none;
  TL_TRY(ReplaceSegments(table, {}, {dropped.segment}, {source}, 0, &none, [&](catalog::Manifest* next) {
    std::erase_if(next->dropped, [&](const catalog::DroppedSegment& each) {
      return each.segment.key == dropped.segment.key;
    });
  }));
  upkeep_[table->id()].dead_saved[dropped.segment.key] = saved_count;
  return true;
}

// Writes rows anew whose keys are not there; others were written again since and stay as they are.
Result<std::uint64_t> EngineImpl::WriteBack(const std::shared_ptr<Table>& table,
                                            const std::shared_ptr<SegmentSource>& source) {
  const catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
  if (schema == nullptr) return NotFound("the table was deleted");
  const auto reader = TL_TRY(source->reader());
  const auto series = TL_TRY(reader->series_table());
  const auto rows = TL_TRY(MakeSegmentSource(source, UINT64_MAX));
  std::uint64_t written = 0;
  for (std::size_t ordinal = 0; ordinal < series->size(); ++ordinal) {
    std::vector<DimensionView> dimensions;
    for (const catalog::Column& column : schema->dimensions) {
      const auto value = series->dimension_value(ordinal, column.id.value);
      if (value.has_value()) dimensions.push_back({column.name, *value});
    }
    const std::string_view measure_name = series->measure_name(ordinal);
    const auto measure = std::find_if(schema->measures.begin(), schema->measures.end(),
                                      [&](const auto& each) { return each->name == measure_name; });
    if (measure == schema->measures.end()) return DataLoss("a dropped segment has an unknown measure");
    const bool multi = (*measure)->type == catalog::MeasureType::kMulti;
    const std::uint64_t end = series->first_row(ordinal) + series->row_count(ordinal);
    for (std::uint64_t first = series->first_row(ordinal); first < end; first += kUndeleteBatchRows) {
      RowChunk chunk;
      TL_TRY(rows->Read(first, std::min<std::uint64_t>(kUndeleteBatchRows, end - first), &chunk));
      std::vector<std::vector<MeasureView>> measures(chunk.row_count());
      std::vector<RecordView> records;
      for (std::size_t row = 0; row < chunk.row_count(); ++row) {
        for (const RowChunk::Column& column : chunk.columns) {
          if (!column.IsValid(row)) continue;
          const catalog::Column* known = schema->FindColumn(ColumnId{column.id});
          if (known == nullptr) return DataLoss("a dropped segment has an unknown column {}", column.id);
          measures[row].push_back(MeasureOf(column, row, multi ? std::string_view(known->name) : ""));
        }
        records.push_back({.dimensions = dimensions,
                           .measure_name = measure_name,
                           .multi = multi,
                           .measures = measures[row],
                           .time = {chunk.times[row]},
                           .version = chunk.versions[row],
                           .only_if_absent = true});
      }
      if (records.empty()) continue;
      written += TL_TRY(WriteBackBatch({schema->database, schema->table, records}));
    }
  }
  return written;
}

Result<std::uint64_t> EngineImpl::WriteBackBatch(const WriteBatch& batch) {
  auto results = WriteAndWait(batch);
  if (CodeOf(results.status()) == ErrorCode::kResourceExhausted) {
    // What writers run into when files do not keep up.
    TL_TRY(Checkpoint());
    results = WriteAndWait(batch);
  }
  if (!results.ok()) return results.status();
  return static_cast<std::uint64_t>(
      std::count_if(results->begin(), results->end(),
                    [](const RecordResult& result) { return result.verdict == Verdict::kNew; }));
}

}  // namespace tideline::engine
