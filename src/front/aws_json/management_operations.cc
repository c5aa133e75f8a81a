#include "front/aws_json/management_operations.h"

#include <array>
#include <utility>

namespace tideline::aws_json {
namespace {

using api::CallContext;
using api::ManagementService;
using catalog::Enforcement;
using catalog::PartitionKey;
using catalog::PartitionKeyType;

constexpr TextRule kNameRule{.pattern = Pattern::kName};
constexpr std::size_t kArnLengthMax = 1011;
constexpr std::string_view kEncryptionOptions[] = {"SSE_S3", "SSE_KMS"};
constexpr std::string_view kPartitionKeyTypes[] = {"DIMENSION", "MEASURE"};
constexpr std::string_view kEnforcements[] = {"REQUIRED", "OPTIONAL"};

// ---- reading -----------------------------------------------------------------------------------

catalog::Tags ReadTags(ShapeReader* shape, bool required) {
  catalog::Tags tags;
  const JsonValue* list = shape->Array("Tags", 0, 200, required);
  if (list == nullptr) return tags;
  std::size_t position = 0;
  for (const JsonValue& item : list->items()) {
    ShapeReader tag(item, fmt::format("{}.{}.member", shape->PathOf("Tags"), ++position),
                    shape->violations());
    std::string key = tag.RequiredText(
        "Key", {.length_min = 1, .length_max = api::kTagKeyCharactersMax});
    std::string value =
        tag.RequiredText("Value", {.length_max = api::kTagValueCharactersMax});
    tags.emplace_back(std::move(key), std::move(value));
  }
  return tags;
}

std::optional<catalog::Retention> ReadRetention(ShapeReader* shape) {
  const JsonValue* object = shape->Object("RetentionProperties");
  if (object == nullptr) return std::nullopt;
  ShapeReader reader(*object, shape->PathOf("RetentionProperties"), shape->violations());
  catalog::Retention retention;
  retention.memory_hours =
      reader.RequiredInteger("MemoryStoreRetentionPeriodInHours", {.min = 1, .max = 8'766});
  retention.magnetic_days =
      reader.RequiredInteger("MagneticStoreRetentionPeriodInDays", {.min = 1, .max = 73'000});
  return retention;
}

catalog::S3Location ReadS3(const JsonValue& object, std::string path, Violations* violations) {
  ShapeReader reader(object, std::move(path), violations);
  catalog::S3Location location;
  location.bucket_name = reader.Text(
      "BucketName", {.length_min = 3, .length_max = 63, .pattern = Pattern::kS3Bucket});
  location.object_key_prefix = reader.Text(
      "ObjectKeyPrefix", {.length_min = 1, .length_max = 928, .pattern = Pattern::kS3Key});
  location.encryption_option = reader.Text("EncryptionOption", {.values = kEncryptionOptions});
  location.kms_key_id = reader.Text("KmsKeyId", {.length_min = 1, .length_max = 2'048});
  return location;
}

std::optional<catalog::MagneticStoreWrites> ReadMagneticWrites(ShapeReader* shape) {
  const JsonValue* object = shape->Object("MagneticStoreWriteProperties");
  if (object == nullptr) return std::nullopt;
  ShapeReader reader(*object, shape->PathOf("MagneticStoreWriteProperties"), shape->violations());
  catalog::MagneticStoreWrites writes;
  writes.enabled = reader.RequiredBoolean("EnableMagneticStoreWrites");
  const JsonValue* place = reader.Object("MagneticStoreRejectedDataLocation");
  if (place == nullptr) return writes;
  writes.has_rejected_data_location = true;
  ShapeReader location(*place, reader.PathOf("MagneticStoreRejectedDataLocation"),
                       shape->violations());
  if (const JsonValue* s3 = location.Object("S3Configuration")) {
    writes.rejected_data_location =
        ReadS3(*s3, location.PathOf("S3Configuration"), shape->violations());
  }
  return writes;
}

std::optional<std::vector<PartitionKey>> ReadSchema(ShapeReader* shape) {
  const JsonValue* object = shape->Object("Schema");
  if (object == nullptr) return std::nullopt;
  ShapeReader reader(*object, shape->PathOf("Schema"), shape->violations());
  const JsonValue* list = reader.Array("CompositePartitionKey", 1);
  if (list == nullptr) return std::nullopt;
  std::vector<PartitionKey> keys;
  for (const JsonValue& item : list->items()) {
    ShapeReader member(item,
                       fmt::format("{}.{}.member", reader.PathOf("CompositePartitionKey"),
                                   keys.size() + 1),
                       shape->violations());
    PartitionKey key;
    key.type = member.RequiredText("Type", {.values = kPartitionKeyTypes}) == "DIMENSION"
                   ? PartitionKeyType::kDimension
                   : PartitionKeyType::kMeasure;
    key.name = member.Text("Name", {.length_min = 1}).value_or("");
    const std::string enforcement =
        member.Text("EnforcementInRecord", {.values = kEnforcements}).value_or("");
    key.enforcement = enforcement == "REQUIRED"   ? Enforcement::kRequired
                      : enforcement == "OPTIONAL" ? Enforcement::kOptional
                                                  : Enforcement::kNotGiven;
    keys.push_back(std::move(key));
  }
  return keys;
}

// ---- writing -----------------------------------------------------------------------------------

// Epoch seconds with three decimals, as real answers carry.
void WriteTime(JsonWriter* json, std::string_view name, TimestampNs time) {
  json->Key(name);
  json->Raw(fmt::format("{:.3f}", static_cast<double>(time.value / kNsPerMs) / 1e3));
}

void WriteDatabase(JsonWriter* json, const api::DatabaseAnswer& database) {
  json->BeginObject();
  json->Member("Arn", database.arn);
  json->Member("DatabaseName", database.name);
  json->Member("TableCount", static_cast<std::int64_t>(database.table_count));
  json->Member("KmsKeyId", database.kms_key_arn);
  WriteTime(json, "CreationTime", database.created);
  WriteTime(json, "LastUpdatedTime", database.updated);
  json->EndObject();
}

void WriteOptional(JsonWriter* json, std::string_view name, const std::optional<std::string>& text) {
  if (text.has_value()) json->Member(name, *text);
}

void WriteMagneticWrites(JsonWriter* json, const catalog::MagneticStoreWrites& writes) {
  json->Key("MagneticStoreWriteProperties");
  json->BeginObject();
  json->MemberBool("EnableMagneticStoreWrites", writes.enabled);
  if (writes.has_rejected_data_location) {
    json->Key("MagneticStoreRejectedDataLocation");
    json->BeginObject();
    if (writes.rejected_data_location.has_value()) {
      const catalog::S3Location& s3 = *writes.rejected_data_location;
      json->Key("S3Configuration");
      json->BeginObject();
      WriteOptional(json, "BucketName", s3.bucket_name);
      WriteOptional(json, "ObjectKeyPrefix", s3.object_key_prefix);
      WriteOptional(json, "EncryptionOption", s3.encryption_option);
      WriteOptional(json, "KmsKeyId", s3.kms_key_id);
      json->EndObject();
    }
    json->EndObject();
  }
  json->EndObject();
}

void WriteSchema(JsonWriter* json, const std::vector<PartitionKey>& keys) {
  json->Key("Schema");
  json->BeginObject();
  json->Key("CompositePartitionKey");
  json->BeginArray();
  for (const PartitionKey& key : keys) {
    json->BeginObject();
    json->Member("Type", key.type == PartitionKeyType::kDimension ? "DIMENSION" : "MEASURE");
    if (!key.name.empty()) json->Member("Name", key.name);
    if (key.enforcement != Enforcement::kNotGiven) {
      json->Member("EnforcementInRecord",
                   key.enforcement == Enforcement::kRequired ? "REQUIRED" : "OPTIONAL");
    }
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

std::string_view StatusText(catalog::TableStatus status) {
  switch (status) {
    case catalog::TableStatus::kActive:
      return "ACTIVE";
    case catalog::TableStatus::kDeleting:
      return "DELETING";
    case catalog::TableStatus::kRestoring:
      return "RESTORING";
  }
  return "ACTIVE";
}

void WriteTable(JsonWriter* json, const api::TableAnswer& table) {
  const catalog::TableSchema& schema = *table.schema;
  json->BeginObject();
  json->Member("Arn", table.arn);
  json->Member("TableName", schema.table);
  json->Member("DatabaseName", schema.database);
  json->Member("TableStatus", StatusText(schema.status));
  json->Key("RetentionProperties");
  json->BeginObject();
  json->Member("MemoryStoreRetentionPeriodInHours", schema.properties.retention.memory_hours);
  json->Member("MagneticStoreRetentionPeriodInDays", schema.properties.retention.magnetic_days);
  json->EndObject();
  WriteTime(json, "CreationTime", schema.created);
  WriteTime(json, "LastUpdatedTime", schema.updated);
  WriteMagneticWrites(json, schema.properties.magnetic_store_writes);
  WriteSchema(json, schema.properties.partition_keys);
  json->EndObject();
}

std::string DatabaseBody(const api::DatabaseAnswer& database) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Key("Database");
  WriteDatabase(&json, database);
  json.EndObject();
  return body;
}

std::string TableBody(const api::TableAnswer& table) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Key("Table");
  WriteTable(&json, table);
  json.EndObject();
  return body;
}

template <typename T>
std::string PageBody(std::string_view name, const api::Page<T>& page,
                     void (*write)(JsonWriter*, const T&)) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Key(name);
  json.BeginArray();
  for (const T& item : page.items) write(&json, item);
  json.EndArray();
  if (!page.next_token.empty()) json.Member("NextToken", page.next_token);
  json.EndObject();
  return body;
}

// ---- operations --------------------------------------------------------------------------------

constexpr std::string_view kEmptyObject = "{}";

Result<std::string> CreateDatabase(ManagementService& service, const CallContext& call,
                                   const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  api::CreateDatabaseRequest request;
  request.database = shape.RequiredText("DatabaseName", kNameRule);
  request.kms_key_id = shape.Text("KmsKeyId", {.length_min = 1, .length_max = 2'048});
  request.tags = ReadTags(&shape, false);
  if (!violations->empty()) return std::string();
  return DatabaseBody(TL_TRY(service.CreateDatabase(call, request)));
}

Result<std::string> DescribeDatabase(ManagementService& service, const CallContext& call,
                                     const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string database = shape.RequiredText("DatabaseName");
  if (!violations->empty()) return std::string();
  return DatabaseBody(TL_TRY(service.DescribeDatabase(call, database)));
}

Result<std::string> UpdateDatabase(ManagementService& service, const CallContext& call,
                                   const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  api::UpdateDatabaseRequest request;
  request.database = shape.RequiredText("DatabaseName");
  request.kms_key_id = shape.RequiredText("KmsKeyId", {.length_min = 1, .length_max = 2'048});
  if (!violations->empty()) return std::string();
  return DatabaseBody(TL_TRY(service.UpdateDatabase(call, request)));
}

Result<std::string> DeleteDatabase(ManagementService& service, const CallContext&,
                                   const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string database = shape.RequiredText("DatabaseName");
  if (!violations->empty()) return std::string();
  TL_TRY(service.DeleteDatabase(database));
  return std::string();
}

api::ListRequest ReadListRequest(ShapeReader* shape) {
  api::ListRequest request;
  request.next_token = shape->Text("NextToken").value_or("");
  request.max_results = shape->Integer("MaxResults", {.min = 1, .max = 20});
  return request;
}

Result<std::string> ListDatabases(ManagementService& service, const CallContext& call,
                                  const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const api::ListRequest request = ReadListRequest(&shape);
  if (!violations->empty()) return std::string();
  return PageBody("Databases", TL_TRY(service.ListDatabases(call, request)), WriteDatabase);
}

Result<std::string> CreateTable(ManagementService& service, const CallContext& call,
                                const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  api::CreateTableRequest request;
  request.database = shape.RequiredText("DatabaseName", kNameRule);
  request.table = shape.RequiredText("TableName", kNameRule);
  request.retention = ReadRetention(&shape);
  request.tags = ReadTags(&shape, false);
  request.magnetic_store_writes = ReadMagneticWrites(&shape);
  request.partition_keys = ReadSchema(&shape);
  if (!violations->empty()) return std::string();
  return TableBody(TL_TRY(service.CreateTable(call, request)));
}

Result<std::string> DescribeTable(ManagementService& service, const CallContext& call,
                                  const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string database = shape.RequiredText("DatabaseName");
  const std::string table = shape.RequiredText("TableName");
  if (!violations->empty()) return std::string();
  return TableBody(TL_TRY(service.DescribeTable(call, database, table)));
}

Result<std::string> UpdateTable(ManagementService& service, const CallContext& call,
                                const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  api::UpdateTableRequest request;
  request.database = shape.RequiredText("DatabaseName");
  request.table = shape.RequiredText("TableName");
  request.retention = ReadRetention(&shape);
  request.magnetic_store_writes = ReadMagneticWrites(&shape);
  request.partition_keys = ReadSchema(&shape);
  if (!violations->empty()) return std::string();
  return TableBody(TL_TRY(service.UpdateTable(call, request)));
}

Result<std::string> DeleteTable(ManagementService& service, const CallContext&,
                                const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string database = shape.RequiredText("DatabaseName");
  const std::string table = shape.RequiredText("TableName");
  if (!violations->empty()) return std::string();
  TL_TRY(service.DeleteTable(database, table));
  return std::string();
}

Result<std::string> ListTables(ManagementService& service, const CallContext& call,
                               const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  api::ListRequest request = ReadListRequest(&shape);
  request.database = shape.Text("DatabaseName");
  if (!violations->empty()) return std::string();
  return PageBody("Tables", TL_TRY(service.ListTables(call, request)), WriteTable);
}

void WriteTag(JsonWriter* json, const catalog::Tag& tag) {
  json->BeginObject();
  json->Member("Key", tag.first);
  json->Member("Value", tag.second);
  json->EndObject();
}

std::string ReadArn(ShapeReader* shape) {
  return shape->RequiredText("ResourceARN", {.length_min = 1, .length_max = kArnLengthMax});
}

Result<std::string> ListTagsForResource(ManagementService& service, const CallContext& call,
                                        const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string arn = ReadArn(&shape);
  // Members of the query service's form of this call.
  api::ListRequest request;
  request.max_results = shape.Integer("MaxResults", {.min = 1, .max = 200});
  request.next_token = shape.Text("NextToken").value_or("");
  if (!violations->empty()) return std::string();
  return PageBody("Tags", TL_TRY(service.ListTags(call, arn, request)), WriteTag);
}

Result<std::string> TagResource(ManagementService& service, const CallContext& call,
                                const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string arn = ReadArn(&shape);
  const catalog::Tags tags = ReadTags(&shape, true);
  if (!violations->empty()) return std::string();
  TL_TRY(service.TagResource(call, arn, tags));
  return std::string(kEmptyObject);
}

Result<std::string> UntagResource(ManagementService& service, const CallContext& call,
                                  const JsonValue& body, Violations* violations) {
  ShapeReader shape(body, "", violations);
  const std::string arn = ReadArn(&shape);
  std::vector<std::string> keys;
  if (const JsonValue* list = shape.Array("TagKeys", 0, 200, true)) {
    for (const JsonValue& item : list->items()) {
      if (item.kind() != JsonValue::Kind::kString) {
        violations->AddWrongType("a value", "String");
        continue;
      }
      CheckText(item.text(), {.length_min = 1, .length_max = api::kTagKeyCharactersMax},
                fmt::format("tagKeys.{}.member", keys.size() + 1), violations);
      keys.push_back(item.text());
    }
  }
  if (!violations->empty()) return std::string();
  TL_TRY(service.UntagResource(call, arn, keys));
  return std::string(kEmptyObject);
}

struct Entry {
  std::string_view name;
  ManagementOperation operation;
};
constexpr std::array<Entry, 13> kOperations{{
    {"CreateDatabase", CreateDatabase},
    {"DescribeDatabase", DescribeDatabase},
    {"UpdateDatabase", UpdateDatabase},
    {"DeleteDatabase", DeleteDatabase},
    {"ListDatabases", ListDatabases},
    {"CreateTable", CreateTable},
    {"DescribeTable", DescribeTable},
    {"UpdateTable", UpdateTable},
    {"DeleteTable", DeleteTable},
    {"ListTables", ListTables},
    {"ListTagsForResource", ListTagsForResource},
    {"TagResource", TagResource},
    {"UntagResource", UntagResource},
}};

}  // namespace

ManagementOperation FindManagementOperation(std::string_view name) {
  for (const Entry& entry : kOperations) {
    if (entry.name == name) return entry.operation;
  }
  return nullptr;
}

}  // namespace tideline::aws_json
