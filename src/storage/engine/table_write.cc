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
  MutexLock lock(mutex_);
  if (dropped_) return NotFound("the table was deleted");
  wait_for_ = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (active_->staged_rows() >= services_.options->buffer_rows_max) Rotate();
    writer_.Begin(id_);
    const Status staged = StageAll(parts[i].records, &pending->results);
    if (!staged.ok()) pending->error = staged;
    PublishDraft();
    if (rows_staged_ == 0) {
      if (!staged.ok()) break;
      continue;
    }
    const std::size_t bytes = writer_.payload().size();
    pending->staged_bytes += bytes;
    services_.staged_bytes->fetch_add(bytes, std::memory_order_relaxed);
    Charge(bytes);
    const bool completes = i + 1 == parts.size() || !staged.ok();
    wal::WalCompletion* completion = completes ? pending.release() : nullptr;
    const SequenceNumber number = services_.lane->Append(
        parts[i].reservation, OutcomeType::kWrite, writer_.payload(), completion,
        [this](SequenceNumber assigned) { CommitStaged(assigned.value); });
    last_number_ = number.value;
    wait_for_ = number.value;
    if (completes) break;
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

Status Table::StageAll(std::span<const RecordView> records, std::vector<RecordResult>* results) {
  rows_staged_ = 0;
  cached_dimensions_ = 0;
  last_measure_ = kNewMeasure;
  last_series_.reset();
  for (CachedDimension& cached : dimension_cache_) cached.value = {};
  for (const RecordView& record : records) {
    RecordResult& result = results->emplace_back();
    result.store = record.store;
    TL_TRY(StageRecord(record, &result));
  }
  return OkStatus();
}

Status Table::StageRecord(const RecordView& record, RecordResult* result) {
  if (!ResolveMeasure(record, result) || !ResolveAttributes(record, result) ||
      !ResolveDimensions(record, result) || !CheckNewNames(record, result)) {
    cached_dimensions_ = 0;
    // Else a record without dimensions would look like a repetition of the one before the refused one.
    last_series_.reset();
    return OkStatus();
  }
  const bool is_new_key = measure_ == kNewMeasure || new_dimensions_ != 0;
  if (is_new_key) {
    series_.reset();
  } else if (same_dimensions_ && measure_ == last_measure_ && last_series_.has_value()) {
    series_ = last_series_;
  } else {
    key_hash_ = hot::SeriesIndex::KeyHash(measure_, dimensions_hash_);
    series_ = index_.Find(key_hash_, measure_, parts_);
  }
  bool replaces = false;
  if (series_.has_value() && record.time.value <= index_.HighWater(*series_)) {
    const Existing existing = TL_TRY(FindExisting(*series_, record.time.value));
    if (existing.place != Existing::Place::kNone) {
      last_measure_ = measure_;
      last_series_ = series_;
      if (record.version < existing.version && !record.only_if_absent) {
        result->existing_version = existing.version;
        Refuse(Verdict::kLowerVersion, result);
        return OkStatus();
      }
      if (record.version == existing.version || record.only_if_absent) {
        const bool same = record.only_if_absent || TL_TRY(SameValues(existing, record));
        result->existing_version = existing.version;
        result->verdict = same ? Verdict::kEqual : Verdict::kDuplicate;
        if (same && existing.place == Existing::Place::kBuffer) {
          // A row of this very batch has no number yet; the batch waits for itself anyway.
          wait_for_ = std::max(wait_for_, existing.row.sheet->Number(existing.row.row));
        }
        return OkStatus();
      }
      AddMark(existing);
      replaces = true;
    }
  }
  if (!series_.has_value() &&
      services_.series_bytes->load(std::memory_order_relaxed) > services_.options->series_bytes_max) {
    return ResourceExhausted("series_bytes_max: the series of all tables take more than {} bytes of memory, no new "
                             "ones are taken", services_.options->series_bytes_max);
  }
  Widen(record);
  StageRow(record, replaces);
  result->verdict = replaces ? Verdict::kReplaced : Verdict::kNew;
  last_measure_ = measure_;
  last_series_ = series_;
  return OkStatus();
}

bool Table::ResolveMeasure(const RecordView& record, RecordResult* result) {
  const hot::Dictionary& names = index_.measure_names();
  const MeasureType requested = RequestedType(record);
  const std::uint32_t code =
      names.Find(record.measure_name, hot::Dictionary::HashOf(record.measure_name));
  if (code == hot::kNullCode) {
    measure_ = kNewMeasure;
    if (measures_.size() < catalog::kMeasureNamesMax) return true;
    result->item = RecordResult::kWholeRecord;
    return Refuse(Verdict::kMeasureNameLimit, result);
  }
  measure_ = code - 1;
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
    for (std::size_t i = 0; same_shape_ && i < last.size(); ++i) {
      same_shape_ = last[i].type == record.measures[i].type && last[i].name == record.measures[i].name;
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
    if (cached.name != dimension.name || cached.slot == kNewSlot) {
      same_dimensions_ = false;
      const ColumnRef* known = FindName(dimension.name);
      if (known != nullptr && known->kind != ColumnKind::kDimension) {
        result->item_is_dimension = true;
        result->item = static_cast<std::uint16_t>(i);
        return Refuse(Verdict::kNameKindConflict, result);
      }
      cached.name = dimension.name;
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
      cached.hash = hot::Dictionary::HashOf(dimension.value);
    }
    cached.value = dimension.value;
    parts_[i] = {.slot = cached.slot, .value = dimension.value, .hash = cached.hash};
  }
  cached_dimensions_ = count;
  if (!same_dimensions_) dimensions_hash_ = hot::SeriesIndex::DimensionsHash(parts_);
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
    dimensions_hash_ = hot::SeriesIndex::DimensionsHash(parts_);
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
    key_hash_ = hot::SeriesIndex::KeyHash(measure_, dimensions_hash_);
    series_ = index_.Add(key_hash_, measure_, parts_);
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

Result<Table::Existing> Table::FindExisting(SeriesId series, std::int64_t time_ns) {
  // A key replaced earlier in this batch is found in the active buffer first, so marks that have no number
  // yet need no look.
  Existing found;
  const std::shared_ptr<const SourceList> list = sources();
  for (auto buffer = list->buffers.rbegin(); buffer != list->buffers.rend(); ++buffer) {
    const auto row = (*buffer)->Find(series.value, time_ns);
    if (!row.has_value()) continue;
    found.place = Existing::Place::kBuffer;
    found.row = *row;
    found.version = row->sheet->Version(row->row);
    return found;
  }
  for (const auto* segments : {&list->runs, &list->segments}) {
    for (auto at = segments->rbegin(); at != segments->rend(); ++at) {
      const std::shared_ptr<SegmentSource>& segment = *at;
      if (time_ns < segment->time_ns_min() || time_ns > segment->time_ns_max()) continue;
      const auto row = TL_TRY(probe_.Find(segment, series.value, time_ns));
      if (!row.has_value() || segment->deletions().IsMarked(static_cast<std::uint32_t>(*row))) {
        continue;
      }
      const auto reader = TL_TRY(segment->reader());
      const std::size_t stripe_index = reader->FindStripe(*row);
      const segment::Stripe stripe = TL_TRY(reader->OpenStripe(stripe_index));
      const segment::ColumnBlock versions = TL_TRY(stripe.OpenVersions());
      TL_TRY(versions.ReadInt64(*row - stripe.summary().first_row, {&found.version, 1}));
      found.place = Existing::Place::kSegment;
      found.segment = segment;
      found.segment_row = *row;
      return found;
    }
  }
  return found;
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

// The value of one block at one row; false when it is NULL there.
Result<bool> ReadCell(const segment::ColumnBlock& block, segment::ColumnType type, std::size_t row,
                      Cell* cell) {
  std::uint64_t valid = 0;
  const std::span<std::uint64_t> validity(&valid, 1);
  switch (type) {
    case segment::ColumnType::kDouble: {
      double value = 0;
      TL_TRY(block.ReadDouble(row, {&value, 1}, validity));
      cell->bits = std::bit_cast<std::uint64_t>(value);
      break;
    }
    case segment::ColumnType::kBoolean: {
      std::uint8_t value = 0;
      TL_TRY(block.ReadBool(row, {&value, 1}, validity));
      cell->bits = value;
      break;
    }
    case segment::ColumnType::kVarchar:
      TL_TRY(block.ReadString(row, {&cell->text, 1}, validity));
      break;
    case segment::ColumnType::kBigint:
    case segment::ColumnType::kTimestamp: {
      std::int64_t value = 0;
      TL_TRY(block.ReadInt64(row, {&value, 1}, validity));
      cell->bits = static_cast<std::uint64_t>(value);
      break;
    }
  }
  return (valid & 1) != 0;
}

}  // namespace

Result<bool> Table::SameValues(const Existing& existing, const RecordView& record) {
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
  const auto reader = TL_TRY(existing.segment->reader());
  const segment::Stripe stripe =
      TL_TRY(reader->OpenStripe(reader->FindStripe(existing.segment_row)));
  const std::size_t row = existing.segment_row - stripe.summary().first_row;
  for (const segment::BlockInfo& info : stripe.blocks()) {
    if (info.column >= segment::kColumnIdMax) continue;
    const segment::ColumnBlock block = TL_TRY(stripe.OpenColumn(info.column));
    Cell cell;
    if (!TL_TRY(ReadCell(block, info.type, row, &cell))) continue;
    const MeasureView* measure = find(ColumnId{info.column});
    if (measure == nullptr) return false;
    if (!SameCell(measure->type, *measure, cell.bits, cell.text)) return false;
    ++same;
  }
  return same == record.measures.size();
}

}  // namespace tideline::engine
