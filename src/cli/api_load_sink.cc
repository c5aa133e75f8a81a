#include "cli/api_load_sink.h"

#include "base/json.h"
#include "cli/load_columns.h"
#include "service/api/write_service.h"

namespace tideline::cli {
namespace {

// Begins a body with the names that every call on the table has.
void BeginTable(const LoadTarget& target, JsonWriter* json) {
  json->BeginObject();
  json->Member("DatabaseName", target.database);
  json->Member("TableName", target.table);
}

std::string CreateDatabaseBody(const LoadTarget& target) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("DatabaseName", target.database);
  json.EndObject();
  return body;
}

std::string CreateTableBody(const LoadTarget& target) {
  std::string body;
  JsonWriter json(&body);
  BeginTable(target, &json);
  json.Key("RetentionProperties");
  json.BeginObject();
  json.Member("MemoryStoreRetentionPeriodInHours", target.memory_hours);
  json.Member("MagneticStoreRetentionPeriodInDays", target.magnetic_days);
  json.EndObject();
  json.Key("MagneticStoreWriteProperties");
  json.BeginObject();
  json.MemberBool("EnableMagneticStoreWrites", true);
  json.EndObject();
  json.EndObject();
  return body;
}

void AppendWriteBody(const LoadTarget& target, std::span<const api::RecordInput> records, std::string* body) {
  JsonWriter json(body);
  BeginTable(target, &json);
  json.Key("CommonAttributes");
  json.BeginObject();
  json.Member("MeasureName", target.measure_name);
  json.Member("MeasureValueType", "MULTI");
  json.Member("TimeUnit", target.time_unit);
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
}

// The list of RejectedRecords.
api::WriteRecordsAnswer AnswerOf(const JsonValue& rejected) {
  api::WriteRecordsAnswer answer;
  for (const JsonValue& record : rejected.items()) {
    const JsonValue* index = record.Find("RecordIndex");
    const auto at = static_cast<std::uint32_t>(index == nullptr ? 0 : index->integer());
    answer.rejected.push_back({at, std::string(record.FindText("Reason")), {}});
  }
  return answer;
}

}  // namespace

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
  const Status database = client_.Call("CreateDatabase", CreateDatabaseBody(target_)).status();
  TL_TRY(Annotate(IgnoreExisting(database), "create database"));
  const Status table = client_.Call("CreateTable", CreateTableBody(target_)).status();
  return Annotate(IgnoreExisting(table), "create table");
}

Status ApiLoadSink::Send(std::span<const api::RecordInput> records) {
  body_.clear();
  AppendWriteBody(target_, records, &body_);
  ApiError error;
  answer_ = {};
  const Status status = client_.Call("WriteRecords", body_, &error).status();
  if (status.ok()) return OkStatus();
  if (const JsonValue* rejected = error.body.Find("RejectedRecords"); rejected != nullptr) {
    answer_ = AnswerOf(*rejected);
    return OkStatus();
  }
  // The client gives kInvalidArgument to most refusals; of all of them only this one is about a record.
  const bool is_of_record = error.code == "ValidationException";
  if (is_of_record || CodeOf(status) != ErrorCode::kInvalidArgument) return status;
  return PermissionDenied("{}", MessageOf(status));
}

}  // namespace tideline::cli
