#include "front/aws_json/query_operations.h"

#include <array>

#include "front/aws_json/page_json_encoder.h"

namespace tideline::aws_json {
namespace {

using api::CallContext;
using api::QueryService;

constexpr std::string_view kInsightModes[] = {"ENABLED_WITH_RATE_CONTROL", "DISABLED"};
constexpr TextRule kQueryStringRule{.length_min = 1, .length_max = api::kQueryBytesMax};

void WriteStatus(JsonWriter* json, const api::QueryStatus& status) {
  json->BeginObject();
  json->MemberDouble("ProgressPercentage", status.progress_percentage);
  json->Member("CumulativeBytesScanned", status.bytes_scanned);
  json->Member("CumulativeBytesMetered", status.bytes_metered);
  json->EndObject();
}

api::QueryRequest ReadQuery(const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  api::QueryRequest request;
  request.query = shape.RequiredText("QueryString", kQueryStringRule);
  request.client_token =
      shape.Text("ClientToken", {.length_min = 32, .length_max = 128}).value_or("");
  request.next_token = shape.Text("NextToken", {.length_min = 1, .length_max = 2'048}).value_or("");
  request.max_rows = shape.Integer("MaxRows", {.min = 1, .max = 1'000});
  if (const JsonValue* insights = shape.Object("QueryInsights")) {
    // Accepted; insights are not answered yet, which is what rate control does too.
    ShapeReader(*insights, "queryInsights", violations)
        .RequiredText("Mode", {.values = kInsightModes});
  }
  return request;
}

std::string PageBody(const api::QueryPage& page) {
  std::string answer;
  answer.reserve(page.rows->size() + 1024 + 64 * page.columns->size());
  JsonWriter json(&answer);
  json.BeginObject();
  json.Member("QueryId", page.query_id);
  if (!page.next_token.empty()) json.Member("NextToken", page.next_token);
  json.Key("Rows");
  json.Raw(*page.rows);
  json.Key("ColumnInfo");
  WriteColumnInfo(&json, *page.columns);
  json.Key("QueryStatus");
  WriteStatus(&json, page.status);
  json.EndObject();
  return answer;
}

Result<std::string> Query(QueryService& service, const CallContext& call, const JsonValue& body,
                          Violations* violations) {
  const api::QueryRequest request = ReadQuery(body, violations);
  if (!violations->empty()) return std::string();
  PageJsonEncoder encoder;
  const api::QueryPage page = TL_TRY(service.Query(call, request, encoder));
  return PageBody(page);
}

Result<std::string> CancelQuery(QueryService& service, const CallContext& call,
                                const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string query_id = shape.RequiredText(
      "QueryId", {.length_min = 1, .length_max = 64, .pattern = Pattern::kQueryId});
  if (!violations->empty()) return std::string();
  const std::string message = TL_TRY(service.CancelQuery(call, query_id));
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  if (!message.empty()) json.Member("CancellationMessage", message);
  json.EndObject();
  return answer;
}

Result<std::string> PrepareQuery(QueryService& service, const CallContext& call,
                                 const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string query = shape.RequiredText("QueryString", kQueryStringRule);
  const std::optional<bool> validate_only = shape.Boolean("ValidateOnly");
  if (!violations->empty()) return std::string();
  if (validate_only.has_value() && !*validate_only) {
    return InvalidArgument("ValidateOnly is false; only true is supported.");
  }
  const api::PreparedQuery prepared = TL_TRY(service.PrepareQuery(call, query));
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  json.Member("QueryString", query);
  json.Key("Columns");
  json.BeginArray();
  for (const api::PreparedColumn& column : prepared.columns) {
    json.BeginObject();
    json.Member("Name", column.name);
    json.Key("Type");
    WriteType(&json, column.type);
    if (!column.table.empty()) {
      json.Member("DatabaseName", column.database);
      json.Member("TableName", column.table);
    }
    json.MemberBool("Aliased", column.aliased);
    json.EndObject();
  }
  json.EndArray();
  json.Key("Parameters");
  json.BeginArray();
  for (const api::PreparedParameter& parameter : prepared.parameters) {
    json.BeginObject();
    json.Member("Name", parameter.name);
    json.Key("Type");
    WriteType(&json, parameter.type);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return answer;
}

struct NamedQueryOperation {
  std::string_view name;
  QueryOperation operation;
};
constexpr std::array<NamedQueryOperation, 3> kQueryOperations{
    {{"Query", Query}, {"CancelQuery", CancelQuery}, {"PrepareQuery", PrepareQuery}}};

}  // namespace

std::optional<std::string> TryShortQuery(QueryService& service, const CallContext& call,
                                         std::string_view text) {
  const Result<JsonValue> body = JsonValue::Parse(text);
  if (!body.ok()) return std::nullopt;
  Violations violations;
  const api::QueryRequest request = ReadQuery(*body, &violations);
  if (!violations.empty()) return std::nullopt;
  PageJsonEncoder encoder;
  const std::optional<api::QueryPage> page = service.TryShort(call, request, encoder);
  if (!page.has_value()) return std::nullopt;
  return PageBody(*page);
}

QueryOperation FindQueryOperation(std::string_view name) {
  for (const NamedQueryOperation& entry : kQueryOperations) {
    if (entry.name == name) return entry.operation;
  }
  return nullptr;
}

}  // namespace tideline::aws_json
