// The verdict on records and their staging; see table.h.
#include <algorithm>
#include <bit>

#include "base/check.h"
#include "storage/engine/table.h"

namespace tideline::engine {
namespace {

constexpr std::string_view kSingleColumnNames[] = {
    "measure_value::double", "measure_value::bigint", "measure_value::varchar",
    "measure_value::boolean", "measure_value::timestamp"};

/// What a new series counts for until upkeep measures; of ten dimensions it is about this.
constexpr std::size_t kSeriesBytesGuess = 256;

MeasureType RequestedType(const RecordView& record) {
  return record.multi ? MeasureType::kMulti : record.measures[0].type;
}

Cell CellOf(const MeasureView& measure) {
  switch (measure.type) {
    case MeasureType::kDouble:
      return {.bits = std::bit_cast<std::uint64_t>(measure.floating)};
    case MeasureType::kVarchar:
      return {.bits = 0, .text = measure.text};
    default:
      return {.bits = static_cast<std::uint64_t>(measure.integer)};
  }
}

bool Refuse(Verdict verdict, RecordResult* result) {
  result->verdict = verdict;
  return false;
}

// Doors hand in the same view for a name again and again.
bool IsSameView(std::string_view a, std::string_view b) {
  return a.data() == b.data() && a.size() == b.size() && a.data() != nullptr;
}

}  // namespace

std::size_t Table::PayloadBytesMax(std::span<const RecordView> records) {
  std::size_t bytes = 64;
  for (const RecordView& record : records) {
    // A row, its shape, and everything it may define: measure, columns, dimensions, series.
    bytes += OutcomeWriter::kRowHeadBytesMax + 128 + record.measure_name.size();
    for (const DimensionView& d : record.dimensions) {
      bytes += 40 + 2 * d.name.size() + d.value.size();
    }
    for (const MeasureView& m : record.measures) bytes += 64 + m.name.size() + m.text.size();
  }
  return bytes;
}

Status Table::Write(std::span<Part> parts, std::unique_ptr<PendingWrite>& pending) {
  const Result<std::uint64_t> wait_for = StageAndLog(parts, pending);
  TL_TRY(wait_for.status());
  if (pending == nullptr) return OkStatus();
  // Nothing of the last part was stored: wait for what its equal records repeat, unless it is durable. The
  // answer may run on this thread, so no lock is held.
  PendingWrite* waiting = pending.release();
  if (*wait_for <= services_.lane->published()) {
    waiting->OnDurable(OkStatus(), SequenceNumber{*wait_for});
  } else {
    services_.lane->wal().WhenDurable(SequenceNumber{*wait_for}, waiting);
  }
  return OkStatus();
}

Result<std::uint64_t> Table::StageAndLog(std::span<Part> parts,
                                         std::unique_ptr<PendingWrite>& pending) {
  BatchLookups lookups;
  for (int round = 0;; ++round) {
    {
      MutexLock lock(mutex_);
      if (dropped_) return NotFound("the table was deleted");
      TL_TRY(PrepareLookups(parts, &lookups));
      // Files change faster than this disk reads: the others wait for once.
      if (round == kUnlockedRoundsMax) TL_TRY(ReadLookups(&lookups));
      if (lookups.questions.empty()) {
        TL_TRY(CheckMarksBudget(parts, lookups));
        return StageParts(parts, lookups, pending);
      }
    }
    TL_TRY(ReadLookups(&lookups));
  }
}

Status Table::ReadLookups(BatchLookups* lookups) {
  std::unique_ptr<KeyProbe> probe;
  {
    MutexLock lock(probe_mutex_);
    probe = std::move(idle_probe_);
  }
  if (probe == nullptr) probe = std::make_unique<KeyProbe>();
  const Status read = lookups->Read(probe.get());
  MutexLock lock(probe_mutex_);
  idle_probe_ = std::move(probe);
  return read;
}

// A record newer than everything in segments is in none; most are. Of the others the series is found here and need not
// be found again by staging.
Status Table::PrepareLookups(std::span<const Part> parts, BatchLookups* lookups) {
  const bool crowded = services_.series_bytes->load(std::memory_order_relaxed) > services_.options->series_bytes_max;
  const std::shared_ptr<const SourceList> list = sources();
  if (!lookups->lists.empty() && lookups->lists.back() == list) return OkStatus();
  const auto may_be_stored = [this](const RecordView& record) { return record.time.value <= newest_stored_ns_; };
  std::size_t count = 0;
  bool any = crowded;
  for (const Part& part : parts) {
    count += part.records.size();
    any = any || std::any_of(part.records.begin(), part.records.end(), may_be_stored);
  }
  if (!any) return OkStatus();
  lookups->series.resize(count, BatchLookups::kNone);
  lookups->key_of_record.resize(count, BatchLookups::kNone);
  // What was read of a segment that is gone is in another one.
  for (KeyLookup& key : lookups->keys) {
    std::erase_if(key.rows, [&](const StoredRow& row) {
      return std::find(list->segments.begin(), list->segments.end(), row.segment) == list->segments.end() &&
             std::find(list->runs.begin(), list->runs.end(), row.segment) == list->runs.end();
    });
  }
  ForgetRecordBefore();
  std::size_t position = 0;
  for (const Part& part : parts) {
    for (const RecordView& record : part.records) {
      const std::size_t at = position++;
      if (!crowded && !may_be_stored(record)) continue;
      RecordResult refusal;
      if (!ResolveMeasure(record, &refusal) || !ResolveDimensions(record, &refusal)) {
        cached_dimensions_ = 0;
        last_series_.reset();
        continue;
      }
      FindSeries();
      RememberSeries(series_);
      if (series_.has_value()) {
        lookups->series[at] = series_->value;
        AskSegments(record, at, *list, lookups);
      } else if (crowded) {
        return ResourceExhausted("series_bytes_max: the series of all tables take more than {} bytes of memory, no "
                                 "new ones are taken", services_.options->series_bytes_max);
      }
    }
  }
  lookups->lists.push_back(list);
  return OkStatus();
}

void Table::AskSegments(const RecordView& record, std::size_t position, const SourceList& list,
                        BatchLookups* lookups) {
  const std::int64_t time_ns = record.time.value;
  if (time_ns > index_.HighWater(*series_) || FindInBuffers(*series_, time_ns).has_value()) return;
  std::uint32_t& key = lookups->key_of_record[position];
  std::uint32_t next_place = 0;
  for (const auto* segments : {&list.runs, &list.segments}) {
    for (const auto& segment : *segments) {
      const std::uint32_t place = next_place++;
      if (time_ns < segment->time_ns_min() || time_ns > segment->time_ns_max()) continue;
      if (key == BatchLookups::kNone) {
        key = static_cast<std::uint32_t>(lookups->keys.size());
        const VerdictRules& rules = services_.options->verdict_rules;
        lookups->keys.push_back({.series = series_->value,
                                 .time_ns = time_ns,
                                 .version = record.version,
                                 .compares_higher = !rules.refuse_lower_version_of_equal_values});
      }
      const auto& asked = lookups->keys[key].asked;
      if (std::find(asked.begin(), asked.end(), segment.get()) != asked.end()) continue;
      lookups->questions.push_back({key, place, segment});
    }
  }
}

// Rows that replace others leave marks behind, which only a merge takes away.
Status Table::CheckMarksBudget(std::span<const Part> parts, const BatchLookups& lookups) const {
  const std::size_t limit = services_.options->deletion_bytes_max;
  if (services_.deletion_bytes->load(std::memory_order_relaxed) <= limit) return OkStatus();
  std::size_t position = 0;
  for (const Part& part : parts) {
    for (const RecordView& record : part.records) {
      const KeyLookup* key = lookups.KeyOf(position++);
      if (key == nullptr || record.only_if_absent) continue;
      if (std::any_of(key->rows.begin(), key->rows.end(),
                      [&](const StoredRow& row) { return row.version < record.version; })) {
        return ResourceExhausted("deletion_bytes_max: marks of replaced rows take more than {} bytes of memory, no "
                                 "stored row is replaced until merging catches up", limit);
      }
    }
  }
  return OkStatus();
}

std::uint64_t Table::StageParts(std::span<Part> parts, const BatchLookups& lookups,
                                std::unique_ptr<PendingWrite>& pending) {
  wait_for_ = 0;
  number_before_batch_ = last_number_;
  std::size_t position = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (active_->staged_rows() >= services_.options->buffer_rows_max) Rotate();
    writer_.Begin(id_);
    StageAll(parts[i].records, position, lookups, &pending->results);
    position += parts[i].records.size();
    PublishDraft();
    if (rows_staged_ == 0) continue;
    const std::size_t bytes = writer_.payload().size();
    pending->staged_bytes += bytes;
    services_.staged_bytes->fetch_add(bytes, std::memory_order_relaxed);
    Charge(bytes);
    wal::WalCompletion* completion = i + 1 == parts.size() ? pending.release() : nullptr;
    const SequenceNumber number = services_.lane->Append(
        parts[i].reservation, OutcomeType::kWrite, writer_.payload(), completion,
        [this](SequenceNumber assigned) { CommitStaged(assigned.value); });
    last_number_ = number.value;
    wait_for_ = number.value;
  }
  return wait_for_;
}

// What the buffers take of the budget of hot bytes: about the log's bytes and the row's own columns.
void Table::Charge(std::size_t payload_bytes) {
  constexpr std::size_t kRowOwnBytes = 48;
  const std::size_t held = payload_bytes + rows_staged_ * kRowOwnBytes;
  active_->AddChargedBytes(held);
  services_.hot_bytes->fetch_add(held, std::memory_order_relaxed);
}

void Table::ForgetRecordBefore() {
  cached_dimensions_ = 0;
  last_measure_ = kNewMeasure;
  last_measure_name_ = {};
  last_measures_ = {};
  last_shaped_measure_ = kNewMeasure;
  last_series_.reset();
  for (CachedDimension& cached : dimension_cache_) {
    cached.name_view = {};
    cached.value = {};
  }
}

void Table::StageAll(std::span<const RecordView> records, std::size_t first_position,
                     const BatchLookups& lookups, std::vector<RecordResult>* results) {
  rows_staged_ = 0;
  ForgetRecordBefore();
  for (std::size_t i = 0; i < records.size(); ++i) {
    RecordResult& result = results->emplace_back();
    result.store = records[i].store;
    StageRecord(records[i], lookups.SeriesOf(first_position + i), lookups.KeyOf(first_position + i), &result);
  }
}

void Table::FindSeries() {
  if (measure_ == kNewMeasure || new_dimensions_ != 0) {
    series_.reset();
  } else if (same_dimensions_ && measure_ == last_measure_ && last_series_.has_value()) {
    series_ = last_series_;
  } else {
    if (last_series_.has_value()) {
      series_ = index_.FindFollower(*last_series_, measure_, parts_);
      if (series_.has_value()) return;
    }
    HashDimensions();
    key_hash_ = hot::SeriesIndex::KeyHash(measure_, dimensions_hash_);
    series_ = index_.Find(key_hash_, measure_, parts_);
  }
}

void Table::HashDimensions() {
  if (dimensions_hashed_) return;
  dimensions_hashed_ = true;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    CachedDimension& cached = dimension_cache_[i];
    if (!cached.is_hashed) cached.hash = hot::Dictionary::HashOf(cached.value);
    cached.is_hashed = true;
    parts_[i].hash = cached.hash;
  }
  dimensions_hash_ = hot::SeriesIndex::DimensionsHash(parts_);
}

void Table::RememberSeries(std::optional<SeriesId> series) {
  if (last_series_.has_value() && series.has_value() && *last_series_ != *series) {
    index_.NoteFollower(*last_series_, *series);
  }
  last_measure_ = measure_;
  last_series_ = series;
}

void Table::StageRecord(const RecordView& record, std::uint32_t known_series, const KeyLookup* lookup,
                        RecordResult* result) {
  const bool known = known_series != BatchLookups::kNone;
  if (known) new_dimensions_ = 0;
  if (!ResolveMeasure(record, result) || !ResolveAttributes(record, result) ||
      (!known && (!ResolveDimensions(record, result) || !CheckNewNames(record, result)))) {
    cached_dimensions_ = 0;
    // Else a record without dimensions would look like a repetition of the one before the refused one.
    last_series_.reset();
    return;
  }
  if (known) {
    series_ = SeriesId{known_series};
    cached_dimensions_ = 0;
  } else {
    FindSeries();
  }
  // The dimensions of a known series were not resolved: there is nothing to compare the next record with.
  const auto remember = [&] { RememberSeries(known ? std::nullopt : series_); };
  bool replaces = false;
  if (series_.has_value() && record.time.value <= index_.HighWater(*series_)) {
    const Existing existing = FindExisting(*series_, record.time.value, lookup);
    if (existing.place != Existing::Place::kNone) {
      remember();
      if (!JudgeExisting(existing, record, result)) return;
      AddMark(existing);
      replaces = true;
    }
  }
  Widen(record);
  StageRow(record, replaces);
  last_measures_ = record.measures;
  last_shaped_measure_ = measure_;
  result->verdict = replaces ? Verdict::kReplaced : Verdict::kNew;
  remember();
}

bool Table::JudgeExisting(const Existing& existing, const RecordView& record, RecordResult* result) {
  const VerdictRules& rules = services_.options->verdict_rules;
  if (record.version > existing.version && !record.only_if_absent) return true;
  const bool is_lower = record.version < existing.version && !record.only_if_absent;
  if (is_lower && (rules.refuse_lower_version_of_equal_values || !SameValues(existing, record))) {
    result->existing_version = existing.version;
    return Refuse(Verdict::kLowerVersion, result);
  }
  const bool same = is_lower || record.only_if_absent || SameValues(existing, record);
  if (!same && !rules.first_in_batch_wins && IsOfThisBatch(existing)) return true;
  result->existing_version = existing.version;
  result->verdict = same ? Verdict::kEqual : Verdict::kDuplicate;
  if (same && existing.place == Existing::Place::kBuffer) {
    // A row of this very batch has no number yet; the batch waits for itself anyway.
    wait_for_ = std::max(wait_for_, existing.row.sheet->Number(existing.row.row));
  }
  return false;
}

bool Table::IsOfThisBatch(const Existing& existing) const {
  if (existing.place != Existing::Place::kBuffer) return false;
  const std::uint64_t number = existing.row.sheet->Number(existing.row.row);
  return number == 0 || number > number_before_batch_;
}

bool Table::ResolveMeasure(const RecordView& record, RecordResult* result) {
  const hot::Dictionary& names = index_.measure_names();
  const MeasureType requested = RequestedType(record);
  const bool is_last = IsSameView(record.measure_name, last_measure_name_);
  const std::uint32_t code =
      is_last ? last_named_measure_ + 1
              : names.Find(record.measure_name, hot::Dictionary::HashOf(record.measure_name));
  if (code == hot::kNullCode) {
    measure_ = kNewMeasure;
    if (measures_.size() < catalog::kMeasureNamesMax) return true;
    result->item = RecordResult::kWholeRecord;
    return Refuse(Verdict::kMeasureNameLimit, result);
  }
  measure_ = code - 1;
  last_measure_name_ = record.measure_name;
  last_named_measure_ = measure_;
  if (measures_[measure_].type == requested) return true;
  result->existing_type = measures_[measure_].type;
  result->item = RecordResult::kWholeRecord;
  return Refuse(Verdict::kMeasureTypeConflict, result);
}

bool Table::ResolveAttributes(const RecordView& record, RecordResult* result) {
  new_attributes_ = 0;
  same_shape_ = false;
  resolved_.resize(record.measures.size());
  if (!record.multi) {
    const MeasureType type = record.measures[0].type;
    const auto& column = single_columns_[static_cast<std::size_t>(type)];
    resolved_[0] = {column.value_or(kNoColumn), type};
    same_shape_ = measure_ != kNewMeasure && !measures_[measure_].attributes.empty();
    return true;
  }
  if (measure_ != kNewMeasure) {
    const std::vector<Attribute>& last = measures_[measure_].attributes;
    same_shape_ = last.size() == record.measures.size();
    const bool has_before = last_shaped_measure_ == measure_ && last_measures_.size() == last.size();
    for (std::size_t i = 0; same_shape_ && i < last.size(); ++i) {
      const MeasureView& measure = record.measures[i];
      same_shape_ = last[i].type == measure.type &&
                    ((has_before && IsSameView(measure.name, last_measures_[i].name)) ||
                     last[i].name == measure.name);
    }
    if (same_shape_) return true;
  }
  for (std::size_t i = 0; i < record.measures.size(); ++i) {
    const MeasureView& measure = record.measures[i];
    const ColumnRef* known = FindName(measure.name);
    resolved_[i] = {known == nullptr ? kNoColumn : known->id, measure.type};
    result->item = static_cast<std::uint16_t>(i);
    if (known == nullptr) {
      if (attribute_count_ + ++new_attributes_ > catalog::kMultiAttributesMax) {
        return Refuse(Verdict::kAttributeLimit, result);
      }
    } else if (known->kind != ColumnKind::kMultiAttribute) {
      return Refuse(Verdict::kNameKindConflict, result);
    } else if (known->type != measure.type) {
      result->existing_type = known->type;
      return Refuse(Verdict::kMeasureTypeConflict, result);
    }
  }
  result->item = 0;
  return true;
}

bool Table::ResolveDimensions(const RecordView& record, RecordResult* result) {
  const std::size_t count = record.dimensions.size();
  if (dimension_cache_.size() < count) dimension_cache_.resize(count);
  parts_.resize(count);
  new_dimensions_ = 0;
  same_dimensions_ = cached_dimensions_ == count && last_series_.has_value();
  for (std::size_t i = 0; i < count; ++i) {
    const DimensionView& dimension = record.dimensions[i];
    CachedDimension& cached = dimension_cache_[i];
    const bool is_named = IsSameView(dimension.name, cached.name_view) || cached.name == dimension.name;
    if (!is_named || cached.slot == kNewSlot) {
      same_dimensions_ = false;
      const ColumnRef* known = FindName(dimension.name);
      if (known != nullptr && known->kind != ColumnKind::kDimension) {
        result->item_is_dimension = true;
        result->item = static_cast<std::uint16_t>(i);
        return Refuse(Verdict::kNameKindConflict, result);
      }
      cached.name = dimension.name;
      cached.name_view = {};  // should the record be refused here
      cached.slot = known == nullptr ? kNewSlot : known->slot;
      cached.value = {};
      if (known == nullptr &&
          index_.slot_count() + ++new_dimensions_ > catalog::kDimensionsMax) {
        result->item_is_dimension = true;
        result->item = static_cast<std::uint16_t>(i);
        return Refuse(Verdict::kDimensionLimit, result);
      }
    }
    if (cached.value.data() == nullptr || cached.value != dimension.value) {
      same_dimensions_ = false;
      cached.is_hashed = false;
    }
    cached.name_view = dimension.name;
    cached.value = dimension.value;
    parts_[i] = {.slot = cached.slot, .value = dimension.value, .hash = cached.hash};
  }
  cached_dimensions_ = count;
  if (!same_dimensions_) dimensions_hashed_ = false;
  return true;
}

// Names that are both new could still collide with each other: a dimension and an attribute.
bool Table::CheckNewNames(const RecordView& record, RecordResult* result) {
  if (new_dimensions_ == 0 || new_attributes_ == 0) return true;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].slot != kNewSlot) continue;
    for (std::size_t j = 0; j < resolved_.size(); ++j) {
      if (resolved_[j].id == kNoColumn && record.measures[j].name == record.dimensions[i].name) {
        result->item_is_dimension = true;
        result->item = static_cast<std::uint16_t>(i);
        return Refuse(Verdict::kNameKindConflict, result);
      }
    }
  }
  return true;
}

// Defines whatever the record is the first to use, in the table and in the log.
void Table::Widen(const RecordView& record) {
  if (new_dimensions_ != 0) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].slot != kNewSlot) continue;
      const ColumnId column = Draft().next_column;
      parts_[i].slot = DefineDimension(column, record.dimensions[i].name);
      dimension_cache_[i].slot = parts_[i].slot;
      writer_.Dimension(column, record.dimensions[i].name);
    }
    dimensions_hashed_ = false;
  }
  if (measure_ == kNewMeasure) {
    const MeasureType type = RequestedType(record);
    measure_ = DefineMeasure(record.measure_name, type);
    writer_.Measure(measure_, type, record.measure_name);
  }
  if (!same_shape_) {
    MeasureState& measure = measures_[measure_];
    measure.attributes.resize(resolved_.size());
    for (std::size_t i = 0; i < resolved_.size(); ++i) {
      const MeasureView& view = record.measures[i];
      if (resolved_[i].id == kNoColumn) {
        const std::string_view name =
            record.multi ? view.name : kSingleColumnNames[static_cast<std::size_t>(view.type)];
        const ColumnKind kind =
            record.multi ? ColumnKind::kMultiAttribute : ColumnKind::kMeasureValue;
        resolved_[i].id = Draft().next_column;
        DefineValueColumn(resolved_[i].id, name, kind, view.type);
        writer_.ValueColumn(resolved_[i].id, kind, view.type, name);
      }
      measure.attributes[i] = {std::string(view.name), view.type, resolved_[i].id, nullptr};
    }
    measure.shape = resolved_;
  }
  if (!series_.has_value()) {
    HashDimensions();
    key_hash_ = hot::SeriesIndex::KeyHash(measure_, dimensions_hash_);
    series_ = index_.Add(key_hash_, measure_, parts_);
    services_.series_bytes->fetch_add(kSeriesBytesGuess, std::memory_order_relaxed);
    NoteSeriesDimensions(measure_, parts_);
    writer_.Series(*series_, measure_, parts_);
  }
}

void Table::StageRow(const RecordView& record, bool replaces) {
  MeasureState& measure = measures_[measure_];
  PrepareSheet(&measure, measure_);
  hot::Sheet* sheet = measure.sheet;
  const std::int64_t time_ns = record.time.value;
  const std::uint32_t row = sheet->StageRow(series_->value, time_ns, record.version);
  active_->NoteRow(sheet, row, series_->value, time_ns);
  Touch(sheet);
  ++rows_staged_;
  std::int64_t& high_water = index_.HighWater(*series_);
  high_water = std::max(high_water, time_ns);
  writer_.Shape(measure.shape);
  writer_.Row(*series_, time_ns, record.version, replaces);
  for (std::size_t i = 0; i < measure.attributes.size(); ++i) {
    Attribute& attribute = measure.attributes[i];
    if (attribute.cells == nullptr) attribute.cells = sheet->ColumnFor(attribute.id, attribute.type);
    const Cell cell = CellOf(record.measures[i]);
    if (attribute.type == MeasureType::kVarchar) {
      attribute.cells->AppendText(row, cell.text);
    } else {
      attribute.cells->AppendBits(row, cell.bits);
    }
    writer_.Value(attribute.type, cell);
  }
}

void Table::PrepareSheet(MeasureState* measure, std::uint32_t ordinal) {
  if (measure->buffer == active_) return;
  measure->buffer = active_;
  measure->sheet = active_->SheetFor(ordinal);
  for (Attribute& attribute : measure->attributes) attribute.cells = nullptr;
}

void Table::Touch(hot::Sheet* sheet) {
  if (sheet->staged_rows() == sheet->row_count() + 1) touched_.push_back(sheet);
}

void Table::CommitStaged(std::uint64_t number) {
  for (hot::Sheet* sheet : touched_) sheet->Commit(number);
  touched_.clear();
  for (const Mark& mark : marks_) {
    if (mark.segment != nullptr) {
      mark.segment->deletions().Mark(static_cast<std::uint32_t>(mark.segment_row), number);
    } else {
      mark.row.sheet->MarkDead(mark.row.row, number);
    }
  }
  marks_.clear();
  active_->NoteNumber(number);
}

void Table::AddMark(const Existing& existing) {
  marks_.push_back({existing.row, existing.segment, existing.segment_row});
}

std::optional<Table::Existing> Table::FindInBuffers(SeriesId series, std::int64_t time_ns) const {
  const std::shared_ptr<const SourceList> list = sources();
  for (auto buffer = list->buffers.rbegin(); buffer != list->buffers.rend(); ++buffer) {
    const auto row = (*buffer)->Find(series.value, time_ns);
    if (!row.has_value()) continue;
    return Existing{.place = Existing::Place::kBuffer, .row = *row, .version = row->sheet->Version(row->row)};
  }
  return std::nullopt;
}

// A key replaced earlier in this batch is found in the active buffer first, so marks that have no number yet need no
// look.
Table::Existing Table::FindExisting(SeriesId series, std::int64_t time_ns,
                                    const KeyLookup* lookup) const {
  const auto in_buffer = FindInBuffers(series, time_ns);
  if (in_buffer.has_value()) return *in_buffer;
  if (lookup == nullptr) return {};
  for (const StoredRow& stored : lookup->rows) {
    if (stored.segment->deletions().IsMarked(static_cast<std::uint32_t>(stored.row))) continue;
    return {.place = Existing::Place::kSegment,
            .segment = stored.segment,
            .segment_row = stored.row,
            .version = stored.version,
            .stored = &stored};
  }
  return {};
}

Result<Table::Existing> Table::ReadExisting(SeriesId series, std::int64_t time_ns,
                                            std::vector<std::shared_ptr<SegmentSource>>* out_of_reach) {
  const auto in_buffer = FindInBuffers(series, time_ns);
  if (in_buffer.has_value()) return *in_buffer;
  const std::shared_ptr<const SourceList> list = sources();
  for (const auto* segments : {&list->runs, &list->segments}) {
    for (auto at = segments->rbegin(); at != segments->rend(); ++at) {
      const std::shared_ptr<SegmentSource>& segment = *at;
      if (time_ns < segment->time_ns_min() || time_ns > segment->time_ns_max()) continue;
      if (store_is_out_ && segment->IsOutOfReach(Unavailable("asked before"))) {
        out_of_reach->push_back(segment);
        continue;
      }
      auto found = replay_probe_.Find(segment, series.value, time_ns);
      if (segment->IsOutOfReach(found.status())) {
        store_is_out_ = true;
        out_of_reach->push_back(segment);
        continue;
      }
      const auto row = TL_TRY(std::move(found));
      if (!row.has_value() || segment->deletions().IsMarked(static_cast<std::uint32_t>(*row))) {
        continue;
      }
      return Existing{.place = Existing::Place::kSegment, .segment = segment, .segment_row = *row};
    }
  }
  return Existing{};
}

namespace {

bool SameCell(MeasureType type, const MeasureView& measure, std::uint64_t bits,
              std::string_view text) {
  switch (type) {
    case MeasureType::kDouble: return std::bit_cast<double>(bits) == measure.floating;
    case MeasureType::kVarchar: return text == measure.text;
    default: return static_cast<std::int64_t>(bits) == measure.integer;
  }
}

}  // namespace

bool Table::SameValues(const Existing& existing, const RecordView& record) const {
  const auto find = [&](ColumnId column) -> const MeasureView* {
    const std::vector<Attribute>& last = measures_[measure_].attributes;
    for (std::size_t i = 0; i < record.measures.size(); ++i) {
      if ((same_shape_ ? last[i].id : resolved_[i].id) == column) return &record.measures[i];
    }
    return nullptr;
  };
  std::size_t same = 0;
  if (existing.place == Existing::Place::kBuffer) {
    const hot::Sheet& sheet = *existing.row.sheet;
    for (std::uint32_t i = 0; i < sheet.column_count(); ++i) {
      const hot::SheetColumn& column = sheet.column(i);
      const std::uint32_t at = column.Locate(existing.row.row);
      if (at == hot::SheetColumn::kNoValue) continue;
      const MeasureView* measure = find(column.id());
      if (measure == nullptr) return false;
      const StringRef text = column.is_text() ? column.Text(at) : StringRef();
      const std::uint64_t bits = column.is_text() ? 0 : column.Bits(at);
      if (!SameCell(column.type(), *measure, bits, text.view())) return false;
      ++same;
    }
    return same == record.measures.size();
  }
  // Values were read when the versions were found to be the same.
  TL_CHECK(existing.stored != nullptr && existing.stored->has_cells);
  for (const StoredCell& cell : existing.stored->cells) {
    const MeasureView* measure = find(cell.column);
    if (measure == nullptr || !SameCell(measure->type, *measure, cell.bits, cell.text)) return false;
    ++same;
  }
  return same == record.measures.size();
}

}  // namespace tideline::engine
