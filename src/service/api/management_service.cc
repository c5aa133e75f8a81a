#include "service/api/management_service.h"

#include <algorithm>

#include "service/api/choices.h"
#include "service/api/page_token.h"
#include "service/api/record_checker.h"

namespace tideline::api {
namespace {

using catalog::Enforcement;
using catalog::PartitionKey;
using catalog::PartitionKeyType;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

Status CheckName(std::string_view what, std::string_view name) {
  if (name.size() < kNameBytesMin || name.size() > kNameBytesMax) {
    return InvalidArgument("The {} name '{}' has {} character{}; it must have between {} and {}.", what,
                           name.substr(0, 300), name.size(), name.size() == 1 ? "" : "s", kNameBytesMin, kNameBytesMax);
  }
  // Doors that follow the model have refused it before, in the model's words.
  if (!std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return InvalidArgument("The {} name '{}' has a character that is not allowed; letters, digits and . - _ are.", what,
                           name);
  }
  return OkStatus();
}

bool IsTagCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(" +-=._:/@").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;  // letters of other scripts
}

Status CheckTags(const catalog::Tags& tags) {
  for (const auto& [key, value] : tags) {
    if (key.starts_with("aws:")) {
      return InvalidArgument("The tag key '{}' begins with 'aws:', which is reserved.", key);
    }
    if (!std::all_of(key.begin(), key.end(), IsTagCharacter) ||
        !std::all_of(value.begin(), value.end(), IsTagCharacter)) {
      return InvalidArgument(
          "The tag '{}' contains a character that is not allowed; letters, digits, blanks and "
          "+ - = . _ : / @ are.",
          key);
    }
  }
  return OkStatus();
}

// Of a repeated key the last value counts.
catalog::Tags Unique(const catalog::Tags& tags) {
  catalog::Tags unique;
  for (const auto& tag : tags) {
    const auto same = std::find_if(unique.begin(), unique.end(),
                                   [&](const auto& other) { return other.first == tag.first; });
    if (same == unique.end()) {
      unique.push_back(tag);
    } else {
      same->second = tag.second;
    }
  }
  return unique;
}

Result<std::vector<PartitionKey>> CheckPartitionKeys(std::vector<PartitionKey> keys) {
  if (keys.size() > 1) {
    return InvalidArgument(
        "You have specified too many partition keys to be used in your composite partition key. "
        "Only 1 partition keys can be specified.");
  }
  for (PartitionKey& key : keys) {
    if (key.type == PartitionKeyType::kMeasure) {
      if (!key.name.empty()) {
        return InvalidArgument("A partition key of type MEASURE must not have a Name.");
      }
      if (key.enforcement != Enforcement::kNotGiven) {
        return InvalidArgument("A partition key of type MEASURE must not have EnforcementInRecord.");
      }
    } else {
      if (key.name.empty()) return InvalidArgument("A partition key of type DIMENSION must have a Name.");
      if (const Status status = CheckDimensionName(key.name); !status.ok()) {
        return InvalidArgument("No record can have the partition key's dimension: {}", MessageOf(status));
      }
      if (key.enforcement == Enforcement::kNotGiven && choices::kDefaultEnforcementOptional) {
        key.enforcement = Enforcement::kOptional;
      }
    }
  }
  return keys;
}

Status CheckMagneticWrites(const catalog::MagneticStoreWrites& writes) {
  if (!writes.enabled && writes.has_rejected_data_location) {
    return InvalidArgument(
        "MagneticStoreRejectedDataLocation must not be given while EnableMagneticStoreWrites is "
        "false.");
  }
  return OkStatus();
}

}  // namespace

Status ManagementService::NoDatabase(std::string_view database) const {
  return NotFound("The database {} does not exist.", database);
}

Result<catalog::TableSchemaPtr> ManagementService::FindTable(std::string_view database,
                                                             std::string_view table) {
  catalog::TableSchemaPtr found = engine_.catalog().FindTable(database, table);
  if (found != nullptr) return found;
  if (engine_.catalog().FindDatabase(database) == nullptr) return NoDatabase(database);
  return NotFound("The table {} does not exist.", table);
}

Result<DatabaseAnswer> ManagementService::Answer(const CallContext& call,
                                                 const catalog::DatabaseInfoPtr& database) {
  DatabaseAnswer answer;
  answer.arn = DatabaseArn(call, database->name);
  answer.name = database->name;
  answer.table_count = engine_.catalog().TableCount(database->name);
  answer.kms_key_arn = KmsKeyArn(call, database->kms_key_id);
  answer.created = database->created;
  answer.updated = database->updated;
  return answer;
}

TableAnswer ManagementService::Answer(const CallContext& call, const catalog::TableSchemaPtr& table) {
  return {TableArn(call, table->database, table->table), table};
}

Result<DatabaseAnswer> ManagementService::CreateDatabase(const CallContext& call,
                                                         const CreateDatabaseRequest& request) {
  TL_TRY(CheckName("database", request.database));
  TL_TRY(CheckTags(request.tags));
  if (request.kms_key_id.has_value()) TL_TRY(CheckKmsKey(*request.kms_key_id));
  const Result<catalog::DatabaseInfoPtr> made =
      engine_.CreateDatabase({request.database, request.kms_key_id.value_or(""), Unique(request.tags)});
  if (CodeOf(made.status()) == ErrorCode::kAlreadyExists) {
    return AlreadyExists(fmt::runtime(choices::kDatabaseExistsText), request.database);
  }
  TL_TRY(made.status());
  return Answer(call, *made);
}

Result<DatabaseAnswer> ManagementService::DescribeDatabase(const CallContext& call,
                                                           std::string_view database) {
  const catalog::DatabaseInfoPtr found = engine_.catalog().FindDatabase(database);
  if (found == nullptr) return NoDatabase(database);
  return Answer(call, found);
}

Result<DatabaseAnswer> ManagementService::UpdateDatabase(const CallContext& call,
                                                         const UpdateDatabaseRequest& request) {
  TL_TRY(CheckKmsKey(request.kms_key_id));
  const catalog::DatabaseInfoPtr before = engine_.catalog().FindDatabase(request.database);
  if (before != nullptr && KmsKeyArn(call, before->kms_key_id) == KmsKeyArn(call, request.kms_key_id)) {
    return Answer(call, before);
  }
  const Result<catalog::DatabaseInfoPtr> updated = engine_.UpdateDatabase(request.database, request.kms_key_id);
  if (CodeOf(updated.status()) == ErrorCode::kNotFound) return NoDatabase(request.database);
  TL_TRY(updated.status());
  return Answer(call, *updated);
}

Status ManagementService::DeleteDatabase(std::string_view database) {
  if (engine_.catalog().FindDatabase(database) == nullptr) return NoDatabase(database);
  if (engine_.catalog().TableCount(database) != 0) {
    return InvalidArgument(fmt::runtime(choices::kDatabaseNotEmptyText), database);
  }
  return engine_.DeleteDatabase(database);
}

Result<Page<DatabaseAnswer>> ManagementService::ListDatabases(const CallContext& call,
                                                              const ListRequest& request) {
  const auto limit = static_cast<std::size_t>(request.max_results.value_or(choices::kListPageDefault));
  const PageToken from = TL_TRY(PageToken::Decode("databases", request.next_token));
  const auto found = engine_.catalog().ListDatabases(from.first, limit + 1);
  Page<DatabaseAnswer> page;
  for (std::size_t i = 0; i < std::min(limit, found.size()); ++i) {
    page.items.push_back(TL_TRY(Answer(call, found[i])));
  }
  if (found.size() > limit) page.next_token = PageToken{page.items.back().name, ""}.Encode("databases");
  return page;
}

Result<TableAnswer> ManagementService::CreateTable(const CallContext& call,
                                                   const CreateTableRequest& request) {
  TL_TRY(CheckName("table", request.table));
  TL_TRY(CheckTags(request.tags));
  catalog::TableProperties properties;
  properties.tags = Unique(request.tags);
  if (request.retention.has_value()) properties.retention = *request.retention;
  if (request.magnetic_store_writes.has_value()) {
    TL_TRY(CheckMagneticWrites(*request.magnetic_store_writes));
    properties.magnetic_store_writes = *request.magnetic_store_writes;
  }
  if (request.partition_keys.has_value()) {
    properties.partition_keys = TL_TRY(CheckPartitionKeys(*request.partition_keys));
  }
  const Result<catalog::TableSchemaPtr> made =
      engine_.CreateTable(request.database, request.table, properties);
  if (CodeOf(made.status()) == ErrorCode::kNotFound) return NoDatabase(request.database);
  if (CodeOf(made.status()) == ErrorCode::kAlreadyExists) {
    return AlreadyExists(fmt::runtime(choices::kTableExistsText), request.table, request.database);
  }
  TL_TRY(made.status());
  return Answer(call, *made);
}

Result<TableAnswer> ManagementService::DescribeTable(const CallContext& call,
                                                     std::string_view database,
                                                     std::string_view table) {
  return Answer(call, TL_TRY(FindTable(database, table)));
}

Result<TableAnswer> ManagementService::UpdateTable(const CallContext& call,
                                                   const UpdateTableRequest& request) {
  TL_TRY(FindTable(request.database, request.table));
  engine::TableUpdate update;
  update.retention = request.retention;
  if (request.magnetic_store_writes.has_value()) {
    TL_TRY(CheckMagneticWrites(*request.magnetic_store_writes));
    update.magnetic_store_writes = request.magnetic_store_writes;
  }
  if (request.partition_keys.has_value()) {
    update.partition_keys = TL_TRY(CheckPartitionKeys(*request.partition_keys));
  }
  if (!request.retention.has_value() && !request.magnetic_store_writes.has_value() &&
      !request.partition_keys.has_value()) {
    return InvalidArgument(
        "At least one of RetentionProperties, MagneticStoreWriteProperties and Schema must be given.");
  }
  return Answer(call, TL_TRY(engine_.UpdateTable(request.database, request.table, update)));
}

Status ManagementService::DeleteTable(std::string_view database, std::string_view table) {
  TL_TRY(FindTable(database, table));
  return engine_.DeleteTable(database, table);
}

Result<Page<TableAnswer>> ManagementService::ListTables(const CallContext& call,
                                                        const ListRequest& request) {
  const auto limit = static_cast<std::size_t>(request.max_results.value_or(choices::kListPageDefault));
  const std::string scope = "tables/" + request.database.value_or("");
  const PageToken from = TL_TRY(PageToken::Decode(scope, request.next_token));
  if (request.database.has_value() &&
      engine_.catalog().FindDatabase(*request.database) == nullptr) {
    return NoDatabase(*request.database);
  }
  const auto found = request.database.has_value()
                         ? engine_.catalog().ListTables(*request.database, from.second, limit + 1)
                         : engine_.catalog().ListAllTables(from.first, from.second, limit + 1);
  Page<TableAnswer> page;
  for (std::size_t i = 0; i < std::min(limit, found.size()); ++i) {
    page.items.push_back(Answer(call, found[i]));
  }
  if (found.size() > limit) {
    const catalog::TableSchema& last = *page.items.back().schema;
    page.next_token = PageToken{last.database, last.table}.Encode(scope);
  }
  return page;
}

Result<ResourceName> ManagementService::FindResource(const CallContext& call, std::string_view arn) {
  const ResourceName name = TL_TRY(ParseResourceArn(arn));
  const bool ours = name.account_id == call.account_id && name.kind != ResourceName::Kind::kScheduledQuery;
  if (ours && name.kind == ResourceName::Kind::kTable) TL_TRY(FindTable(name.database, name.table).status());
  if (!ours || engine_.catalog().FindDatabase(name.database) == nullptr) {
    return NotFound("The resource {} does not exist.", arn);
  }
  return name;
}

Result<Page<catalog::Tag>> ManagementService::ListTags(const CallContext& call, std::string_view arn,
                                                       const ListRequest& request) {
  const ResourceName name = TL_TRY(FindResource(call, arn));
  const std::string scope = fmt::format("tags/{}/{}", name.database, name.table);
  const PageToken from = TL_TRY(PageToken::Decode(scope, request.next_token));
  catalog::Tags tags;
  if (name.kind == ResourceName::Kind::kTable) {
    tags = TL_TRY(FindTable(name.database, name.table))->properties.tags;
  } else if (const auto database = engine_.catalog().FindDatabase(name.database)) {
    tags = database->tags;
  }
  // By key, so that a page begins where the one before ended, whatever was tagged meanwhile.
  std::sort(tags.begin(), tags.end());
  const auto limit = static_cast<std::size_t>(request.max_results.value_or(static_cast<std::int64_t>(tags.size())));
  Page<catalog::Tag> page;
  for (const catalog::Tag& tag : tags) {
    if (!from.first.empty() && tag.first <= from.first) continue;
    if (page.items.size() == limit) {
      page.next_token = PageToken{page.items.back().first, ""}.Encode(scope);
      break;
    }
    page.items.push_back(tag);
  }
  return page;
}

Status ManagementService::TagResource(const CallContext& call, std::string_view arn, const catalog::Tags& tags) {
  const ResourceName name = TL_TRY(FindResource(call, arn));
  TL_TRY(CheckTags(tags));
  return engine_.Tag(name.database, name.table, Unique(tags));
}

Status ManagementService::UntagResource(const CallContext& call, std::string_view arn,
                                        const std::vector<std::string>& keys) {
  const ResourceName name = TL_TRY(FindResource(call, arn));
  return engine_.Untag(name.database, name.table, keys);
}

}  // namespace tideline::api
