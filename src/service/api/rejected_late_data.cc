#include "service/api/rejected_late_data.h"

#include <fmt/format.h>

#include "base/json.h"

namespace tideline::api {
namespace {

std::string_view WireTypeName(catalog::MeasureType type) {
  switch (type) {
    case catalog::MeasureType::kDouble: return "DOUBLE";
    case catalog::MeasureType::kBigint: return "BIGINT";
    case catalog::MeasureType::kVarchar: return "VARCHAR";
    case catalog::MeasureType::kBoolean: return "BOOLEAN";
    case catalog::MeasureType::kTimestamp: return "TIMESTAMP";
    case catalog::MeasureType::kMulti: return "MULTI";
  }
  return "";
}

std::string ValueText(const engine::MeasureView& measure) {
  switch (measure.type) {
    case catalog::MeasureType::kDouble: return fmt::format("{}", measure.floating);
    case catalog::MeasureType::kVarchar: return std::string(measure.text);
    case catalog::MeasureType::kBoolean: return measure.integer != 0 ? "true" : "false";
    case catalog::MeasureType::kBigint:
    case catalog::MeasureType::kTimestamp:
    case catalog::MeasureType::kMulti: break;
  }
  return std::to_string(measure.integer);
}

}  // namespace

std::string LateRecordJson(const engine::RecordView& record) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("dimensions");
  json.BeginArray();
  for (const engine::DimensionView& dimension : record.dimensions) {
    json.BeginObject();
    json.Member("name", dimension.name);
    json.Member("value", dimension.value);
    json.Member("dimensionValueType", "VARCHAR");
    json.EndObject();
  }
  json.EndArray();
  json.Member("measureName", record.measure_name);
  json.Key("measureValue");
  if (record.multi) {
    json.Null();
  } else {
    json.String(ValueText(record.measures[0]));
  }
  json.Key("measureValues");
  if (record.multi) {
    json.BeginArray();
    for (const engine::MeasureView& measure : record.measures) {
      json.BeginObject();
      json.Member("name", measure.name);
      json.Member("value", ValueText(measure));
      json.Member("type", WireTypeName(measure.type));
      json.EndObject();
    }
    json.EndArray();
  } else {
    json.Null();
  }
  json.Member("measureValueType", record.multi ? "MULTI" : WireTypeName(record.measures[0].type));
  json.Member("time", std::to_string(record.time.value));
  json.Member("timeUnit", "NANOSECONDS");
  json.Member("version", record.version);
  json.EndObject();
  return text;
}

}  // namespace tideline::api
