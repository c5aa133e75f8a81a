#include "cli/api_load_sink.h"

#include <algorithm>

#include "cli/load_columns.h"
#include "service/api/write_service.h"

namespace tideline::cli {
void AppendRecordJson(const api::RecordInput& record, std::string* out) {
  JsonWriter json(out);
  json.BeginObject();
  json.Key("Dimensions");
  json.BeginArray();
  for (const api::DimensionView& dimension : record.dimensions) {
    json.BeginObject();
    json.Member("Name", dimension.name);
    json.Member("Value", dimension.value);
    json.EndObject();
  }
  json.EndArray();
  json.Key("MeasureValues");
  json.BeginArray();
  for (const api::MeasureValueView& measure : record.measure_values) {
    json.BeginObject();
    json.Member("Name", measure.name);
    json.Member("Value", measure.value);
    json.Member("Type", TypeNameOf(measure.type));
    json.EndObject();
  }
  json.EndArray();
  json.Member("Time", *record.time);
  json.EndObject();
}

std::size_t ApiLoadSink::records_max() const { return api::kRecordsPerRequestMax; }

Status ApiLoadSink::Prepare() {
  if (!target_.create) return OkStatus();
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("DatabaseName", target_.database);
  json.EndObject();
  if (const Status made = IgnoreExisting(client_.Call("CreateDatabase", body).status()); !made.ok()) {
    return Annotate(made, "create database");
  }
  body.clear();
  JsonWriter table(&body);
  table.BeginObject();
  table.Member("DatabaseName", target_.database);
  table.Member("TableName", target_.table);
  table.Key("RetentionProperties");
  table.BeginObject();
  table.Member("MemoryStoreRetentionPeriodInHours", target_.memory_hours);
  table.Member("MagneticStoreRetentionPeriodInDays", target_.magnetic_days);
  table.EndObject();
  table.Key("MagneticStoreWriteProperties");
  table.BeginObject();
  table.MemberBool("EnableMagneticStoreWrites", true);
  table.EndObject();
  table.EndObject();
  if (const Status made = IgnoreExisting(client_.Call("CreateTable", body).status()); !made.ok()) {
    return Annotate(made, "create table");
  }
  return OkStatus();
}

Status ApiLoadSink::Send(std::span<const api::RecordInput> records) {
  body_.clear();
  JsonWriter json(&body_);
  json.BeginObject();
  json.Member("DatabaseName", target_.database);
  json.Member("TableName", target_.table);
  json.Key("CommonAttributes");
  json.BeginObject();
  json.Member("MeasureName", target_.measure_name);
  json.Member("MeasureValueType", "MULTI");
  json.Member("TimeUnit", target_.time_unit);
  json.EndObject();
  json.Key("Records");
  json.BeginArray();
  std::string record_json;
  for (const api::RecordInput& record : records) {
    record_json.clear();
    AppendRecordJson(record, &record_json);
    json.Raw(record_json);
  }
  json.EndArray();
  json.EndObject();

  ApiError error;
  answer_ = {};
  const Status status = client_.Call("WriteRecords", body_, &error).status();
  const JsonValue* rejected = error.body.Find("RejectedRecords");
  if (status.ok() || rejected != nullptr) {
    for (std::size_t i = 0; rejected != nullptr && i < rejected->items().size(); ++i) {
      const JsonValue& record = rejected->items()[i];
      const JsonValue* index = record.Find("RecordIndex");
      const auto at = static_cast<std::uint32_t>(index == nullptr ? 0 : index->integer());
      answer_.rejected.push_back({at, std::string(record.FindText("Reason")), {}});
    }
    return OkStatus();
  }
  // Of all refusals only this one is about a record.
  const bool is_of_record = error.code == "ValidationException";
  if (is_of_record || CodeOf(status) != ErrorCode::kInvalidArgument) return status;
  return PermissionDenied("{}", MessageOf(status));
}

}  // namespace tideline::cli
