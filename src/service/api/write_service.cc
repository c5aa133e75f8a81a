#include "service/api/write_service.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "service/api/choices.h"
#include "service/api/record_checker.h"
#include "service/api/record_names.h"

namespace tideline::api {
namespace {

using catalog::MeasureType;

static_assert(choices::kMultiUpsertReplacesSet,
              "not built: engine::Table would have to add what the stored row holds to the staged one, and space in "
              "the log is reserved before that row is known (Table::PayloadBytesMax)");

// Doors hand in the same view for a name again and again: then there is nothing to compare.
bool SameText(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.data() == b.data() || a == b);
}

bool SameNames(std::span<const engine::DimensionView> a, std::span<const engine::DimensionView> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return SameText(x.name, y.name); });
}

bool SameDimensions(std::span<const DimensionView> a, std::span<const DimensionView> b) {
  if (a.data() == b.data() && a.size() == b.size()) return true;
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const DimensionView& x, const DimensionView& y) {
                      return SameText(x.name, y.name) && x.value == y.value;
                    });
}

// Turns the records of one request into the engine's views. Kept per thread, so that its vectors
// grow once. Views point into the door's buffer and into this object.
class BatchBuilder {
 public:
  // Refuses the whole request with kInvalidArgument; records that fail alone go to `rejected`.
  Status Build(const WriteRecordsRequest& request, const catalog::TableSchema& table,
               TimestampNs now, std::vector<RejectedRecord>* rejected);
  // The names of the records in the batch, for reasons.
  RecordNames NamesOfRecords() const;

  std::span<const engine::RecordView> records() const { return records_; }
  // Position of each record in the request.
  const std::vector<std::uint32_t>& indexes() const { return indexes_; }

 private:
  // Where a record's parts lie in the vectors below, which may still move while they grow.
  struct Place {
    std::size_t dimension_first, dimension_count;
    std::size_t measure_first, measure_count;
    bool same_dimension_names;  // as the record before
    bool same_measures;         // names and types, likewise
  };

  Status AddRecord(const WriteRecordsRequest& request, const RecordInput& record,
                   const catalog::TableSchema& table);
  Status AddDimensions(const RecordInput& common, const RecordInput& record,
                       const catalog::TableSchema& table, bool* same_names);
  Status CheckDimensions(std::span<const engine::DimensionView> dimensions,
                         const catalog::TableSchema& table, bool* same_names);
  Status CheckDimensionNames(std::span<const engine::DimensionView> dimensions);
  Status AddMeasures(const RecordInput& common, const RecordInput& record, bool multi,
                     MeasureType type, TimeUnit unit, std::string_view measure_name, bool* same);
  Status AddAttributes(std::span<const MeasureValueView> attributes, TimeUnit unit);
  Status CheckAttributeNames(std::size_t first);
  // Keeps the first reason to reject the record alone for later: whatever refuses the whole request comes before it.
  Status Hold(Status status) {
    if (CodeOf(status) != ErrorCode::kAborted) return status;
    if (rejection_.ok()) rejection_ = std::move(status);
    return OkStatus();
  }
  Status CheckSize(std::string_view measure_name) const;
  bool SameMeasuresAsBefore(std::size_t first, std::size_t count, bool multi) const;
  void FixViews();

  IngestionWindow window_;
  std::vector<engine::DimensionView> dimensions_;
  std::vector<engine::MeasureView> measures_;
  std::vector<engine::RecordView> records_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> indexes_;
  Status rejection_;  // of the record that is being added
  const RecordInput* previous_ = nullptr;  // last record whose dimensions were checked
  std::size_t previous_dimension_first_ = 0;
  std::size_t dimension_bytes_ = 0;
  // Where dimensions lie whose names have passed; the next record has the same names nearly always.
  std::size_t checked_names_first_ = 0;
  std::size_t checked_names_count_ = 0;
};

Status BatchBuilder::Build(const WriteRecordsRequest& request, const catalog::TableSchema& table,
                           TimestampNs now, std::vector<RejectedRecord>* rejected) {
  dimensions_.clear();
  measures_.clear();
  records_.clear();
  places_.clear();
  indexes_.clear();
  previous_ = nullptr;
  checked_names_count_ = 0;
  window_ = WindowOf(table, now);
  for (std::size_t i = 0; i < request.records.size(); ++i) {
    const std::size_t dimension_count = dimensions_.size();
    const std::size_t measure_count = measures_.size();
    const Status status = AddRecord(request, request.records[i], table);
    if (status.ok()) {
      indexes_.push_back(static_cast<std::uint32_t>(i));
      continue;
    }
    if (CodeOf(status) != ErrorCode::kAborted) return status;
    rejected->push_back({static_cast<std::uint32_t>(i), std::string(MessageOf(status)), {}});
    dimensions_.resize(dimension_count);
    measures_.resize(measure_count);
    previous_ = nullptr;  // dimension_bytes_ may be this record's
    checked_names_count_ = 0;
  }
  FixViews();
  return OkStatus();
}

Status BatchBuilder::AddRecord(const WriteRecordsRequest& request, const RecordInput& record,
                               const catalog::TableSchema& table) {
  const RecordInput& common = request.common;
  rejection_ = OkStatus();
  const TimeUnit unit =
      PickMember(record.time_unit, common.time_unit).value_or(TimeUnit::kMilliseconds);
  const MeasureType type =
      PickMember(record.measure_value_type, common.measure_value_type).value_or(MeasureType::kDouble);
  const bool multi = type == MeasureType::kMulti;
  const std::optional<std::string_view> measure_name = PickMember(record.measure_name, common.measure_name);
  if (!measure_name.has_value()) return InvalidArgument("The record has no MeasureName.");
  const std::optional<std::string_view> time = PickMember(record.time, common.time);
  if (!time.has_value()) return InvalidArgument("The record has no Time.");
  const std::int64_t time_ns = TL_TRY(ParseRecordTime(*time, unit));
  const std::int64_t version = PickMember(record.version, common.version).value_or(1);
  if (version < 1) {
    return InvalidArgument("The record version {} is invalid; it must be at least 1.", version);
  }
  Place place{};
  place.measure_first = measures_.size();
  TL_TRY(AddMeasures(common, record, multi, type, unit, *measure_name, &place.same_measures));
  place.measure_count = measures_.size() - place.measure_first;
  if (previous_ != nullptr && SameDimensions(previous_->dimensions, record.dimensions)) {
    place.dimension_first = previous_dimension_first_;
    place.dimension_count = common.dimensions.size() + record.dimensions.size();
    place.same_dimension_names = true;
  } else {
    place.dimension_first = dimensions_.size();
    TL_TRY(AddDimensions(common, record, table, &place.same_dimension_names));
    place.dimension_count = dimensions_.size() - place.dimension_first;
    previous_ = &record;
    previous_dimension_first_ = place.dimension_first;
  }
  if (records_.empty() || records_.back().measure_name != *measure_name) {
    TL_TRY(Hold(CheckMeasureName(*measure_name, "measure name")));
  }
  if (!rejection_.ok()) return rejection_;
  if (!multi) TL_TRY(CheckSize(*measure_name));
  engine::Store store = engine::Store::kMemory;
  TL_TRY(CheckWindow(time_ns, window_, &store));
  records_.push_back({.measure_name = *measure_name,
                      .multi = multi,
                      .time = {time_ns},
                      .version = version,
                      .store = store});
  places_.push_back(place);
  return OkStatus();
}

Status BatchBuilder::AddDimensions(const RecordInput& common, const RecordInput& record,
                                   const catalog::TableSchema& table, bool* same_names) {
  const std::size_t first = dimensions_.size();
  for (const auto& part : {common.dimensions, record.dimensions}) {
    for (const DimensionView& dimension : part) {
      dimensions_.push_back({dimension.name, dimension.value});
    }
  }
  return CheckDimensions({dimensions_.data() + first, dimensions_.size() - first}, table, same_names);
}

Status BatchBuilder::CheckDimensionNames(std::span<const engine::DimensionView> dimensions) {
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (dimensions[j].name == dimensions[i].name) {
        return InvalidArgument(
            "The dimension name {} is given more than once, in the record or in the record and "
            "the common attributes.",
            dimensions[i].name);
      }
    }
  }
  for (const engine::DimensionView& dimension : dimensions) {
    TL_TRY(Hold(CheckDimensionName(dimension.name)));
  }
  return OkStatus();
}

Status BatchBuilder::CheckDimensions(std::span<const engine::DimensionView> dimensions,
                                     const catalog::TableSchema& table, bool* same_names) {
  dimension_bytes_ = 0;
  for (const engine::DimensionView& dimension : dimensions) {
    dimension_bytes_ += dimension.name.size() + dimension.value.size();
  }
  const std::span<const engine::DimensionView> checked(dimensions_.data() + checked_names_first_,
                                                       checked_names_count_);
  // Those checked last are those of the record before: where that was refused, nothing counts as checked.
  *same_names = !checked.empty() && SameNames(checked, dimensions);
  if (!*same_names) {
    TL_TRY(CheckDimensionNames(dimensions));
    checked_names_first_ = static_cast<std::size_t>(dimensions.data() - dimensions_.data());
    checked_names_count_ = dimensions.size();
  }
  if (dimensions.size() > catalog::kDimensionsMax) {
    return Hold(Rejected("The number of dimensions of the record exceeds the limit of {}.", catalog::kDimensionsMax));
  }
  if (dimension_bytes_ > kDimensionPairBytesMax) {
    return Hold(Rejected("The size of dimension names and values exceeds the limit of {} bytes.",
                         kDimensionPairBytesMax));
  }
  for (const catalog::PartitionKey& key : table.properties.partition_keys) {
    if (key.type != catalog::PartitionKeyType::kDimension ||
        key.enforcement != catalog::Enforcement::kRequired) {
      continue;
    }
    const bool present = std::any_of(dimensions.begin(), dimensions.end(),
                                     [&](const auto& dimension) { return dimension.name == key.name; });
    if (!present) return Hold(Aborted(fmt::runtime(choices::kPartitionKeyMissingText), key.name));
  }
  return OkStatus();
}

Status BatchBuilder::AddMeasures(const RecordInput& common, const RecordInput& record, bool multi,
                                 MeasureType type, TimeUnit unit, std::string_view measure_name,
                                 bool* same) {
  const bool has_value = record.measure_value.has_value() || common.measure_value.has_value();
  const bool has_values = !record.measure_values.empty() || !common.measure_values.empty();
  if (!multi) {
    if (type == MeasureType::kTimestamp) {
      return InvalidArgument("TIMESTAMP is an invalid measure value type for the measure {}; it is "
                             "allowed in MULTI records only.",
                             measure_name);
    }
    if (has_values) {
      return InvalidArgument("MeasureValues is given for the measure {}, whose type is not MULTI.",
                             measure_name);
    }
    if (!has_value) return InvalidArgument("The record has no MeasureValue.");
    const std::string_view text = *PickMember(record.measure_value, common.measure_value);
    measures_.push_back(TL_TRY(ParseMeasure(measure_name, text, type, unit)));
    *same = SameMeasuresAsBefore(measures_.size() - 1, 1, false);
    return OkStatus();
  }
  if (has_value) {
    return InvalidArgument("MeasureValue is given for the measure {}, whose type is MULTI.",
                           measure_name);
  }
  if (!has_values) {
    return InvalidArgument("MeasureValues must not be empty for the MULTI measure {}.", measure_name);
  }
  const std::size_t first = measures_.size();
  TL_TRY(AddAttributes(CommonValuesThatCount(record.measure_values, common.measure_values), unit));
  TL_TRY(AddAttributes(record.measure_values, unit));
  const std::size_t count = measures_.size() - first;
  if (count > kMeasuresPerRecordMax) {
    TL_TRY(Hold(Rejected("The number of measures of the record exceeds the limit of {}.", kMeasuresPerRecordMax)));
  }
  // A record repeats the names of the one before nearly always; then they need no second look.
  *same = SameMeasuresAsBefore(first, count, true);
  return *same ? OkStatus() : CheckAttributeNames(first);
}

Status BatchBuilder::CheckAttributeNames(std::size_t first) {
  absl::flat_hash_set<std::string_view> names;
  for (std::size_t i = first; i < measures_.size(); ++i) {
    TL_TRY(Hold(CheckMeasureName(measures_[i].name, "measure name")));
    if (!names.insert(measures_[i].name).second) {
      return InvalidArgument("The measure {} is given more than once.", measures_[i].name);
    }
  }
  return OkStatus();
}

bool BatchBuilder::SameMeasuresAsBefore(std::size_t first, std::size_t count, bool multi) const {
  if (records_.empty() || records_.back().multi != multi ||
      places_.back().measure_count != count) {
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const engine::MeasureView& mine = measures_[first + i];
    const engine::MeasureView& before = measures_[places_.back().measure_first + i];
    if (mine.type != before.type || !SameText(mine.name, before.name)) return false;
  }
  return true;
}

Status BatchBuilder::AddAttributes(std::span<const MeasureValueView> attributes, TimeUnit unit) {
  for (const MeasureValueView& attribute : attributes) {
    double value = 0;
    if (attribute.type == MeasureType::kDouble && attribute.value.size() <= kMeasureValueBytesMax &&
        ReadDouble(attribute.value, &value)) {
      measures_.push_back(engine::MeasureView::Double(StoredDouble(value), attribute.name));
      continue;
    }
    measures_.push_back(
        TL_TRY(ParseMeasure(attribute.name, attribute.value, attribute.type, unit)));
  }
  return OkStatus();
}

Status BatchBuilder::CheckSize(std::string_view measure_name) const {
  const engine::MeasureView& measure = measures_.back();
  const std::size_t value_bytes =
      measure.type == MeasureType::kVarchar ? measure.text.size()
      : measure.type == MeasureType::kBoolean ? std::size_t{1}
                                              : sizeof(double);
  const std::size_t bytes = dimension_bytes_ + measure_name.size() + value_bytes + sizeof(std::int64_t);
  if (bytes > kRecordBytesMax) {
    return Rejected("The size of the record exceeds the limit of {} bytes.", kRecordBytesMax);
  }
  return OkStatus();
}

void BatchBuilder::FixViews() {
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const Place& place = places_[i];
    records_[i].dimensions = {dimensions_.data() + place.dimension_first, place.dimension_count};
    records_[i].measures = {measures_.data() + place.measure_first, place.measure_count};
  }
}

RecordNames BatchBuilder::NamesOfRecords() const {
  RecordNames names;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    names.Add(records_[i], places_[i].same_dimension_names, places_[i].same_measures);
  }
  return names;
}

// Waits for the engine's verdicts and turns them into the answer. Deletes itself.
class PendingWrite final : public engine::WriteCompletion {
 public:
  PendingWrite(const BatchBuilder& batch, catalog::TableSchemaPtr table, RejectedLateDataSink* late_sink,
               std::vector<RejectedRecord> rejected, WriteService::Done done, Counter& stored,
               Counter& refused)
      : names_(batch.NamesOfRecords()),
        indexes_(batch.indexes()),
        table_(std::move(table)),
        late_sink_(late_sink),
        rejected_(std::move(rejected)),
        done_(std::move(done)),
        stored_(stored),
        refused_(refused) {
    // The views end with the call: what may have to be reported is copied now.
    if (late_sink_ == nullptr ||
        !table_->properties.magnetic_store_writes.rejected_data_location.has_value()) {
      return;
    }
    for (std::size_t i = 0; i < batch.records().size(); ++i) {
      const engine::RecordView& record = batch.records()[i];
      if (record.store == engine::Store::kMagnetic) late_records_[i] = LateRecordJson(record);
    }
  }

  void OnWritten(const Status& status, std::span<const engine::RecordResult> results) override {
    const std::unique_ptr<PendingWrite> self(this);
    if (!status.ok()) {
      done_(status);
      return;
    }
    WriteRecordsAnswer answer;
    bool is_reported = false;
    answer.rejected = std::move(rejected_);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const engine::RecordResult& result = results[i];
      if (IsRejectedLate(result)) {
        // Answered as ingested; the report tells what became of it.
        ++answer.magnetic_store;
        if (late_sink_ == nullptr) continue;
        late_sink_->Add({table_, names_.ReasonOf(i, result), std::move(late_records_[i])});
        is_reported = true;
      } else if (!engine::IsAccepted(result.verdict)) {
        answer.rejected.push_back(
            {indexes_[i], names_.ReasonOf(i, result), ExistingVersion(result)});
      } else if (result.store == engine::Store::kMemory) {
        ++answer.memory_store;
      } else {
        ++answer.magnetic_store;
      }
    }
    std::sort(answer.rejected.begin(), answer.rejected.end(),
              [](const auto& a, const auto& b) { return a.record_index < b.record_index; });
    stored_.Add(static_cast<std::uint64_t>(answer.memory_store + answer.magnetic_store));
    refused_.Add(answer.rejected.size());
    if (!is_reported) {
      done_(std::move(answer));
      return;
    }
    // "Ingested" is told once the report survives what the rows survive. Other writes do not wait for that.
    late_sink_->WhenKept([done = done_, answer = std::move(answer)] { done(answer); });
  }

  // Ends it without the engine: refused at once, or nothing was left to write.
  void Finish(const Status& status) { OnWritten(status, {}); }

 private:
  // A conflict with what the magnetic store holds, which the original finds only later.
  static bool IsRejectedLate(const engine::RecordResult& result) {
    return result.store == engine::Store::kMagnetic &&
           (result.verdict == engine::Verdict::kDuplicate ||
            result.verdict == engine::Verdict::kLowerVersion);
  }
  static std::optional<std::int64_t> ExistingVersion(const engine::RecordResult& result) {
    if (result.verdict != engine::Verdict::kLowerVersion) return std::nullopt;
    return result.existing_version;
  }

  const RecordNames names_;
  const std::vector<std::uint32_t> indexes_;
  const catalog::TableSchemaPtr table_;
  RejectedLateDataSink* const late_sink_;
  std::map<std::size_t, std::string> late_records_;  ///< by position in the batch
  std::vector<RejectedRecord> rejected_;
  const WriteService::Done done_;
  Counter& stored_;
  Counter& refused_;
};

}  // namespace

WriteService::WriteService(engine::Engine& engine, const Clock& clock,
                           RejectedLateDataSink* rejected)
    : engine_(engine),
      clock_(clock),
      rejected_(rejected),
      records_stored_(Metrics().MakeCounter("tideline_records_stored_total",
                                            "Records accepted by writes, repeats included")),
      records_rejected_(Metrics().MakeCounter("tideline_records_rejected_total",
                                              "Records rejected one by one")) {}

void WriteService::WriteRecords(const WriteRecordsRequest& request, Done done) {
  const catalog::TableSchemaPtr table =
      engine_.catalog().FindTable(request.database, request.table);
  if (table == nullptr) {
    done(engine_.catalog().FindDatabase(request.database) == nullptr
             ? NotFound("The database {} does not exist.", request.database)
             : NotFound("The table {} does not exist.", request.table));
    return;
  }
  static thread_local BatchBuilder builder;
  std::vector<RejectedRecord> rejected;
  if (Status status = builder.Build(request, *table, clock_.WallNow(), &rejected); !status.ok()) {
    done(std::move(status));
    return;
  }
  auto pending = std::make_unique<PendingWrite>(builder, table, rejected_, std::move(rejected),
                                                std::move(done), records_stored_, records_rejected_);
  if (builder.records().empty()) {
    pending.release()->Finish(OkStatus());
    return;
  }
  const engine::WriteBatch batch{
      .database = request.database, .table = request.table, .records = builder.records()};
  // From here on the engine may have completed, and deleted, the pending write already.
  PendingWrite* waiting = pending.release();
  if (const Status status = engine_.Write(batch, waiting); !status.ok()) waiting->Finish(status);
}

}  // namespace tideline::api
