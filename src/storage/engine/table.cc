#include "storage/engine/table.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "base/check.h"
#include "base/log.h"
#include "storage/engine/delete_rows.h"

namespace tideline::engine {

void PendingWrite::OnDurable(const Status& status, SequenceNumber number) {
  services_.staged_bytes->fetch_sub(staged_bytes, std::memory_order_relaxed);
  staged_bytes = 0;
  if (status.ok()) services_.lane->Publish(number);
  Finish(status);
}

void PendingWrite::Finish(const Status& status) {
  completion_->OnWritten(status, results);
  delete this;
}

void SnapshotRegistry::Add(std::uint64_t number) {
  MutexLock lock(mutex_);
  numbers_.insert(number);
}

void SnapshotRegistry::Remove(std::uint64_t number) {
  MutexLock lock(mutex_);
  numbers_.erase(numbers_.find(number));
}

std::uint64_t SnapshotRegistry::Oldest(std::uint64_t otherwise) const {
  MutexLock lock(mutex_);
  return numbers_.empty() ? otherwise : std::min(*numbers_.begin(), otherwise);
}

Table::Table(TableServices& services, catalog::TableSchemaPtr schema)
    : services_(services), id_(schema->id), schema_(std::move(schema)) {
  column_refs_.resize(1);
  AddColumnRef(catalog::MeasureNameColumn(), 0);
  AddColumnRef(catalog::TimeColumn(), 0);
  std::uint32_t slot = 0;
  for (const catalog::Column& column : schema_->dimensions) AddColumnRef(column, slot++);
  for (const catalog::Column& column : schema_->values) AddColumnRef(column, 0);
  for (const auto& measure : schema_->measures) {
    MeasureState& state = measures_.emplace_back();
    state.type = measure->type;
    for (const ColumnId dimension : measure->dimensions) {
      const catalog::Column* column = schema_->FindColumn(dimension);
      if (column != nullptr) {
        state.dimensions.set(static_cast<std::size_t>(column - schema_->dimensions.data()));
      }
    }
  }
  auto list = std::make_shared<SourceList>();
  list->buffers.push_back(std::make_shared<hot::Buffer>());
  active_ = list->buffers.back().get();
  list_ = std::move(list);
}

void Table::PrepareIndex() {
  for (std::uint32_t slot = 0; slot < schema_->dimensions.size(); ++slot) index_.AddSlot(slot);
  for (std::uint32_t i = 0; i < schema_->measures.size(); ++i) {
    index_.AddMeasure(i, schema_->measures[i]->name);
  }
}

// ---- schema --------------------------------------------------------------------------------------

const Table::ColumnRef* Table::FindName(std::string_view name) const {
  const std::uint32_t code = column_names_.Find(name, hot::Dictionary::HashOf(name));
  return code == hot::kNullCode ? nullptr : &column_refs_[code];
}

void Table::AddColumnRef(const catalog::Column& column, std::uint32_t slot) {
  ColumnRef ref{.id = column.id, .kind = column.kind, .type = MeasureType::kVarchar, .slot = slot};
  for (std::size_t i = 0; i + 1 < catalog::kMeasureTypeCount; ++i) {
    const auto type = static_cast<MeasureType>(i);
    if (catalog::ColumnTypeOf(type) == column.type) ref.type = type;
  }
  column_names_.Add(column.name, hot::Dictionary::HashOf(column.name));
  column_refs_.push_back(ref);
  const bool is_value =
      column.kind == ColumnKind::kMeasureValue || column.kind == ColumnKind::kMultiAttribute;
  if (!is_value) return;
  if (value_types_.size() <= column.id.value) value_types_.resize(column.id.value + 1);
  value_types_[column.id.value] = ref.type;
  if (column.kind == ColumnKind::kMeasureValue) {
    single_columns_[static_cast<std::size_t>(ref.type)] = column.id;
  } else {
    ++attribute_count_;
  }
}

catalog::TableSchema& Table::Draft() {
  if (draft_ == nullptr) draft_ = std::make_shared<catalog::TableSchema>(*schema_);
  return *draft_;
}

// Before the outcome is in the log: a snapshot that sees its rows must see its columns.
void Table::PublishDraft() {
  if (draft_ == nullptr) return;
  schema_ = std::move(draft_);
  draft_ = nullptr;
  services_.catalog->PutTable(schema_);
}

std::uint32_t Table::DefineDimension(ColumnId column, std::string_view name) {
  catalog::TableSchema& schema = Draft();
  const auto slot = static_cast<std::uint32_t>(schema.dimensions.size());
  schema.dimensions.push_back({.id = column,
                               .name = std::string(name),
                               .kind = ColumnKind::kDimension,
                               .type = Type::Varchar()});
  schema.next_column = ColumnId{std::max(schema.next_column.value, column.value + 1)};
  AddColumnRef(schema.dimensions.back(), slot);
  index_.AddSlot(slot);
  return slot;
}

void Table::DefineValueColumn(ColumnId column, std::string_view name, ColumnKind kind,
                              MeasureType type) {
  catalog::TableSchema& schema = Draft();
  schema.values.push_back({.id = column,
                           .name = std::string(name),
                           .kind = kind,
                           .type = catalog::ColumnTypeOf(type)});
  schema.next_column = ColumnId{std::max(schema.next_column.value, column.value + 1)};
  AddColumnRef(schema.values.back(), 0);
}

std::uint32_t Table::DefineMeasure(std::string_view name, MeasureType type) {
  catalog::TableSchema& schema = Draft();
  const auto ordinal = static_cast<std::uint32_t>(schema.measures.size());
  schema.measures.push_back(std::make_shared<const catalog::Measure>(
      catalog::Measure{.name = std::string(name), .type = type}));
  measures_.emplace_back().type = type;
  index_.AddMeasure(ordinal, name);
  return ordinal;
}

void Table::NoteSeriesDimensions(std::uint32_t measure, std::span<const hot::KeyPart> parts) {
  MeasureState& state = measures_[measure];
  bool grew = false;
  for (const hot::KeyPart& part : parts) {
    grew |= !state.dimensions.test(part.slot);
    state.dimensions.set(part.slot);
  }
  if (!grew) return;
  catalog::TableSchema& schema = Draft();
  catalog::Measure changed = *schema.measures[measure];
  changed.dimensions.clear();
  for (std::size_t slot = 0; slot < schema.dimensions.size(); ++slot) {
    if (state.dimensions.test(slot)) changed.dimensions.push_back(schema.dimensions[slot].id);
  }
  schema.measures[measure] = std::make_shared<const catalog::Measure>(std::move(changed));
}

Result<catalog::TableSchemaPtr> Table::UpdateSchema(
    const std::function<Status(catalog::TableSchema*)>& change,
    const std::function<Status(const catalog::TableSchema&)>& log) {
  MutexLock lock(mutex_);
  if (dropped_) return NotFound("the table was deleted");
  auto changed = std::make_shared<catalog::TableSchema>(*schema_);
  TL_TRY(change(changed.get()));
  TL_TRY(log(*changed));
  schema_ = changed;
  services_.catalog->PutTable(schema_);
  return schema_;
}

void Table::Drop() {
  MutexLock lock(mutex_);
  dropped_ = true;
  const auto list = sources();
  std::size_t freed = 0;
  for (const auto& buffer : list->buffers) freed += buffer->charged_bytes();
  for (const auto& run : list->runs) freed += run->memory_bytes();
  services_.hot_bytes->fetch_sub(freed, std::memory_order_relaxed);
}

// ---- replay --------------------------------------------------------------------------------------

class ReplayVisitor final : public OutcomeVisitor {
 public:
  explicit ReplayVisitor(Table& table) : table_(table) {}
  Status OnDimension(ColumnId column, std::string_view name) override {
    return table_.ReplayDimension(column, name);
  }
  Status OnValueColumn(ColumnId column, ColumnKind kind, MeasureType type,
                       std::string_view name) override {
    return table_.ReplayValueColumn(column, kind, type, name);
  }
  Status OnMeasure(std::uint32_t ordinal, MeasureType type, std::string_view name) override {
    return table_.ReplayMeasure(ordinal, type, name);
  }
  Status OnSeries(SeriesId series, std::uint32_t measure,
                  std::span<const hot::KeyPart> parts) override {
    return table_.ReplaySeries(series, measure, parts);
  }
  Status OnRow(SeriesId series, std::int64_t time_ns, std::int64_t version, bool replaces,
               std::span<const ShapeColumn> columns, std::span<const Cell> cells) override {
    return table_.ReplayRow(series, time_ns, version, replaces, columns, cells);
  }

 private:
  Table& table_;
};

Status Table::Replay(SequenceNumber number, BytesView payload) {
  MutexLock lock(mutex_);
  if (number <= files_.through) return OkStatus();
  ReplayVisitor visitor(*this);
  replayed_number_ = number.value;
  rows_staged_ = 0;
  TL_TRY(ReadWriteRecord(payload, visitor));
  PublishDraft();
  Charge(payload.size());
  replayed_rows_ += rows_staged_;
  CommitStaged(number.value);
  last_number_ = number.value;
  return OkStatus();
}

std::uint64_t Table::replayed_rows() const {
  MutexLock lock(mutex_);
  return replayed_rows_;
}

std::uint64_t DeletedRows::count() const {
  std::uint64_t rows = in_buffers.size();
  for (const auto& [segment, bitmap] : in_segments) rows += bitmap.count();
  return rows;
}

namespace {

void MarkDeleted(const DeletedRows& rows, std::uint64_t number) {
  for (const hot::BufferRow& row : rows.in_buffers) {
    if (!row.sheet->IsDead(row.row)) row.sheet->MarkDead(row.row, number);
  }
  for (const auto& [segment, bitmap] : rows.in_segments) {
    segment->deletions().MarkAll(bitmap, number);
  }
}

}  // namespace

Result<SequenceNumber> Table::Delete(wal::WalReservation& space, BytesView payload,
                                     const DeletedRows& rows) {
  MutexLock lock(mutex_);
  if (dropped_) return NotFound("the table was deleted");
  const SequenceNumber number =
      services_.lane->Append(space, OutcomeType::kDelete, payload, nullptr,
                             [&](SequenceNumber assigned) { MarkDeleted(rows, assigned.value); });
  last_number_ = number.value;
  return number;
}

Status Table::ReplayDelete(SequenceNumber number, BytesView payload) {
  MutexLock lock(mutex_);
  if (number <= files_.through) return OkStatus();
  DeleteOutcome outcome = TL_TRY(DecodeDelete(payload));
  std::vector<std::shared_ptr<SegmentSource>> out_of_reach;
  const DeletedRows rows = TL_TRY(FindRowsToDelete(*sources(), outcome, &out_of_reach));
  MarkDeleted(rows, number.value);
  if (!out_of_reach.empty()) {
    const auto owed = std::make_shared<const DeleteOutcome>(std::move(outcome));
    for (const auto& segment : out_of_reach) TL_TRY(segment->Owe({.deletes = {{owed, number.value}}}));
  }
  last_number_ = number.value;
  return OkStatus();
}

// The manifest may hold definitions that are newer than the table's rows: those that exist are the same.
Status Table::ReplayDimension(ColumnId column, std::string_view name) {
  const ColumnRef* known = FindName(name);
  if (known == nullptr) {
    if (index_.slot_count() >= catalog::kDimensionsMax) return DataLoss("log: too many dimensions");
    if (column.value > UINT16_MAX) return DataLoss("log: column id {} too large", column.value);
    DefineDimension(column, name);
    return OkStatus();
  }
  if (known->id != column || known->kind != ColumnKind::kDimension) {
    return DataLoss("log: dimension {} has column {}, not {}", name, known->id.value, column.value);
  }
  return OkStatus();
}

Status Table::ReplayValueColumn(ColumnId column, ColumnKind kind, MeasureType type,
                                std::string_view name) {
  const ColumnRef* known = FindName(name);
  if (known == nullptr) {
    if (column.value > UINT16_MAX) return DataLoss("log: column id {} too large", column.value);
    DefineValueColumn(column, name, kind, type);
    return OkStatus();
  }
  if (known->id != column || known->kind != kind || known->type != type) {
    return DataLoss("log: column {} has id {}, not {}", name, known->id.value, column.value);
  }
  return OkStatus();
}

Status Table::ReplayMeasure(std::uint32_t ordinal, MeasureType type, std::string_view name) {
  if (ordinal < measures_.size()) {
    if (measures_[ordinal].type != type || Draft().measures[ordinal]->name != name) {
      return DataLoss("log: measure {} is not {}", ordinal, name);
    }
    return OkStatus();
  }
  if (ordinal != measures_.size() || ordinal >= catalog::kMeasureNamesMax) {
    return DataLoss("log: measure {} follows {}", ordinal, measures_.size());
  }
  DefineMeasure(name, type);
  return OkStatus();
}

Status Table::ReplaySeries(SeriesId series, std::uint32_t measure,
                           std::span<const hot::KeyPart> parts) {
  if (measure >= measures_.size()) return DataLoss("log: a series of measure {}", measure);
  for (const hot::KeyPart& part : parts) {
    if (part.slot >= index_.slot_count()) return DataLoss("log: a series of slot {}", part.slot);
  }
  if (series.value < index_.series_count()) return OkStatus();
  const std::uint64_t hash =
      hot::SeriesIndex::KeyHash(measure, hot::SeriesIndex::DimensionsHash(parts));
  if (series.value != index_.series_count() || index_.Find(hash, measure, parts).has_value()) {
    return DataLoss("log: series {} follows {}", series.value, index_.series_count());
  }
  index_.Add(hash, measure, parts);
  NoteSeriesDimensions(measure, parts);
  return OkStatus();
}

Status Table::ReplayRow(SeriesId series, std::int64_t time_ns, std::int64_t version, bool replaces,
                        std::span<const ShapeColumn> columns, std::span<const Cell> cells) {
  if (series.value >= index_.series_count()) return DataLoss("log: no series {}", series.value);
  if (rows_staged_ >= kBatchRecordsMax) {
    return DataLoss("log: a record of more than {} rows", kBatchRecordsMax);
  }
  const std::uint32_t ordinal = index_.MeasureOf(series);
  MeasureState& measure = measures_[ordinal];
  const bool same_shape = std::equal(
      columns.begin(), columns.end(), measure.shape.begin(), measure.shape.end(),
      [](const ShapeColumn& a, const ShapeColumn& b) { return a.id == b.id && a.type == b.type; });
  if (!same_shape) {
    for (const ShapeColumn& column : columns) {
      if (column.id.value >= value_types_.size() || value_types_[column.id.value] != column.type) {
        return DataLoss("log: column {} is not of its type", column.id.value);
      }
    }
    std::vector<std::uint32_t> ids;
    for (const ShapeColumn& column : columns) ids.push_back(column.id.value);
    std::sort(ids.begin(), ids.end());
    if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) {
      return DataLoss("log: a row of series {} has a column twice", series.value);
    }
    measure.shape.assign(columns.begin(), columns.end());
    measure.attributes.clear();
    for (const ShapeColumn& column : columns) {
      // Nameless: the first live record resolves its names anew.
      measure.attributes.push_back({.name = "", .type = column.type, .id = column.id});
    }
  }
  if (replaces) {
    std::vector<std::shared_ptr<SegmentSource>> out_of_reach;
    const Existing existing = TL_TRY(ReadExisting(series, time_ns, &out_of_reach));
    if (existing.place != Existing::Place::kNone) {
      AddMark(existing);
    } else {
      for (const auto& segment : out_of_reach) {
        TL_TRY(segment->Owe({.keys = {{series.value, time_ns, replayed_number_}}}));
      }
    }
  }
  PrepareSheet(&measure, ordinal);
  hot::Sheet* sheet = measure.sheet;
  const std::uint32_t row = sheet->StageRow(series.value, time_ns, version);
  active_->NoteRow(sheet, row, series.value, time_ns);
  Touch(sheet);
  ++rows_staged_;
  std::int64_t& high_water = index_.HighWater(series);
  high_water = std::max(high_water, time_ns);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Attribute& attribute = measure.attributes[i];
    if (attribute.cells == nullptr) attribute.cells = sheet->ColumnFor(attribute.id, attribute.type);
    if (attribute.type == MeasureType::kVarchar) {
      attribute.cells->AppendText(row, cells[i].text);
    } else {
      attribute.cells->AppendBits(row, cells[i].bits);
    }
  }
  return OkStatus();
}

// ---- sources -------------------------------------------------------------------------------------

Table::View Table::OpenView() {
  MutexLock lock(list_mutex_);
  const View view{.sources = list_, .number = services_.lane->published()};
  snapshots_.Add(view.number);
  return view;
}

std::uint64_t Table::OldestSnapshot() const {
  MutexLock lock(list_mutex_);
  return snapshots_.Oldest(services_.lane->published());
}

std::shared_ptr<const SourceList> Table::sources() const {
  MutexLock lock(list_mutex_);
  return list_;
}

void Table::ReplaceList(std::shared_ptr<const SourceList> list) {
  newest_stored_ns_ = INT64_MIN;
  for (const auto* segments : {&list->runs, &list->segments}) {
    for (const auto& segment : *segments) {
      newest_stored_ns_ = std::max(newest_stored_ns_, segment->time_ns_max());
    }
  }
  MutexLock lock(list_mutex_);
  list_ = std::move(list);
}

void Table::Rotate() {
  auto list = std::make_shared<SourceList>(*sources());
  list->buffers.push_back(std::make_shared<hot::Buffer>());
  active_ = list->buffers.back().get();
  ReplaceList(std::move(list));
  services_.wake();
}

bool Table::RotateIfFull() {
  MutexLock lock(mutex_);
  if (active_->staged_rows() < services_.options->buffer_rows_max) return false;
  Rotate();
  return true;
}

void Table::Install(const catalog::TableFiles& files,
                    std::vector<std::shared_ptr<SegmentSource>> segments) {
  MutexLock lock(mutex_);
  files_ = files;
  last_number_ = files.through.value;
  auto list = std::make_shared<SourceList>(*sources());
  list->segments = std::move(segments);
  ReplaceList(std::move(list));
}

bool Table::IsDirty() const {
  MutexLock lock(mutex_);
  return last_number_ > files_.through.value;
}

const catalog::TableFiles Table::files() const {
  MutexLock lock(mutex_);
  return files_;
}

void Table::SetFiles(catalog::TableFiles files) {
  MutexLock lock(mutex_);
  files_ = std::move(files);
}

void Table::LowerThrough(SequenceNumber last) {
  MutexLock lock(mutex_);
  files_.through = std::min(files_.through, last);
  last_number_ = std::min(last_number_, last.value);
}

CheckpointInput Table::BeginCheckpoint() {
  MutexLock lock(mutex_);
  if (active_->staged_rows() != 0) Rotate();
  CheckpointInput input;
  input.schema = schema_;
  // Whatever the table staged has its number already, for both happen under this lock.
  input.through = services_.lane->LastNumber();
  input.sources = *sources();
  input.sources.buffers.pop_back();
  input.series_count = index_.series_count();
  return input;
}

std::vector<std::shared_ptr<hot::Buffer>> Table::ClosedBuffers(std::uint64_t number) const {
  auto closed = sources()->buffers;
  closed.pop_back();
  std::erase_if(closed, [&](const auto& buffer) { return buffer->last_number() > number; });
  return closed;
}

void Table::PutInPlace(const SourceList& removed,
                       std::span<const std::shared_ptr<SegmentSource>> added) {
  auto list = std::make_shared<SourceList>(*sources());
  const auto drop = [](auto* from, const auto& which) {
    std::erase_if(*from, [&](const auto& source) {
      return std::find(which.begin(), which.end(), source) != which.end();
    });
  };
  std::size_t freed = 0;
  for (const auto& buffer : removed.buffers) freed += buffer->charged_bytes();
  for (const auto& run : removed.runs) freed += run->memory_bytes();
  drop(&list->buffers, removed.buffers);
  drop(&list->runs, removed.runs);
  drop(&list->segments, removed.segments);
  for (const auto& segment : added) {
    services_.hot_bytes->fetch_add(segment->memory_bytes(), std::memory_order_relaxed);
    (segment->in_memory() ? list->runs : list->segments).push_back(segment);
  }
  services_.hot_bytes->fetch_sub(freed, std::memory_order_relaxed);
  for (MeasureState& measure : measures_) {
    if (measure.buffer != active_) measure.buffer = nullptr;
  }
  ReplaceList(std::move(list));
}

namespace {

struct LateMark {
  std::uint64_t series;
  std::int64_t time_ns;
  std::uint64_t number;
};

// Marks set after `number` on rows of a buffer.
void CollectBufferMarks(const hot::Buffer& buffer, std::uint64_t number,
                        std::vector<LateMark>* marks) {
  for (std::uint32_t i = 0; i < buffer.sheet_count(); ++i) {
    const hot::Sheet& sheet = buffer.sheet(i);
    if (!sheet.has_dead_rows()) continue;
    for (std::uint32_t row = 0; row < sheet.row_count(); ++row) {
      const std::uint64_t from = sheet.DeadFrom(row);
      if (from > number) marks->push_back({sheet.Series(row), sheet.Time(row), from});
    }
  }
}

Status CollectSegmentMarks(const SegmentSource& source, std::uint64_t number,
                           std::vector<LateMark>* marks) {
  auto late = source.deletions().MarksAfter(number);
  if (late.empty()) return OkStatus();
  // In row order each stripe is opened once.
  std::sort(late.begin(), late.end());
  const auto reader = TL_TRY(source.reader());
  const auto series = TL_TRY(reader->series_table());
  for (const auto& [row, from] : late) {
    const std::size_t stripe = reader->FindStripe(row);
    std::int64_t time_ns = 0;
    TL_TRY(reader->ReadTimes(stripe, row - reader->stripes()[stripe].first_row, {&time_ns, 1}));
    marks->push_back({series->id(series->FindRow(row)), time_ns, from});
  }
  return OkStatus();
}

Status CollectSegmentMarks(const SourceList& sources, std::uint64_t number,
                           std::vector<LateMark>* marks) {
  for (const auto* list : {&sources.runs, &sources.segments}) {
    for (const auto& source : *list) TL_TRY(CollectSegmentMarks(*source, number, marks));
  }
  return OkStatus();
}

bool HasMarksAfter(const SourceList& sources, std::uint64_t number) {
  const auto is_late = [number](const auto& source) { return source->deletions().newest_mark() > number; };
  return std::any_of(sources.runs.begin(), sources.runs.end(), is_late) ||
         std::any_of(sources.segments.begin(), sources.segments.end(), is_late);
}

// The probe remembers one stripe: segment by segment, in the order of keys, it decodes each stripe once. A row that is
// in no result was left out there (retention): nothing is left to die.
Status MarkByKey(std::vector<LateMark>* marks, std::span<const std::shared_ptr<SegmentSource>> added,
                 KeyProbe* probe) {
  std::sort(marks->begin(), marks->end(), [](const LateMark& a, const LateMark& b) {
    return std::tie(a.series, a.time_ns) < std::tie(b.series, b.time_ns);
  });
  for (const auto& segment : added) {
    for (const LateMark& mark : *marks) {
      if (mark.time_ns < segment->time_ns_min() || mark.time_ns > segment->time_ns_max()) continue;
      const auto row = TL_TRY(probe->Find(segment, mark.series, mark.time_ns));
      if (row.has_value()) {
        segment->deletions().Mark(static_cast<std::uint32_t>(*row), mark.number);
      }
    }
  }
  return OkStatus();
}

}  // namespace

Status Table::CarryMarks(const SourceList& removed, std::span<const std::shared_ptr<SegmentSource>> added,
                         std::uint64_t number) {
  KeyProbe probe;
  std::vector<LateMark> marks;
  TL_TRY(CollectSegmentMarks(removed, number, &marks));
  return MarkByKey(&marks, added, &probe);
}

Status Table::Exchange(const SourceList& removed,
                       std::span<const std::shared_ptr<SegmentSource>> added,
                       std::uint64_t number) {
  KeyProbe probe;
  // Marks of numbers up to here are carried over.
  std::uint64_t through = number;
  for (int round = 0;; ++round) {
    std::vector<LateMark> marks;
    std::uint64_t now = 0;
    {
      MutexLock lock(mutex_);
      if (dropped_) return OkStatus();
      for (const auto& buffer : removed.buffers) CollectBufferMarks(*buffer, through, &marks);
      const bool fresh = !marks.empty() || HasMarksAfter(removed, through);
      if (fresh && round == kUnlockedRoundsMax) {
        TL_TRY(CollectSegmentMarks(removed, through, &marks));
        TL_TRY(MarkByKey(&marks, added, &probe));
      }
      if (!fresh || round == kUnlockedRoundsMax) {
        PutInPlace(removed, added);
        break;
      }
      // Those of this number are all there, for they are made under this lock.
      now = last_number_;
    }
    TL_TRY(CollectSegmentMarks(removed, through, &marks));
    TL_TRY(MarkByKey(&marks, added, &probe));
    through = std::max(through, now);
  }
  // What it remembers may be a file that has gone.
  MutexLock lock(probe_mutex_);
  idle_probe_ = nullptr;
  return OkStatus();
}

std::vector<std::int64_t> Table::HighWaters(std::span<const std::uint32_t> series) {
  MutexLock lock(mutex_);
  std::vector<std::int64_t> times;
  times.reserve(series.size());
  for (const std::uint32_t id : series) times.push_back(index_.HighWater(SeriesId{id}));
  return times;
}

void Table::SetHighWater(std::uint32_t series, std::int64_t time_ns) {
  MutexLock lock(mutex_);
  std::int64_t& high_water = index_.HighWater(SeriesId{series});
  high_water = std::max(high_water, time_ns);
}

}  // namespace tideline::engine
