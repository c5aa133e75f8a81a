// service/api/management_service.h: databases, tables and tags, free of any wire.
//
// Checks meaning (existence, quotas, reserved forms, combinations) and keeps the service's texts;
// the catalog and its durability are the engine's. Every call blocks until it is durable.
#pragma once

#include "base/status.h"
#include "base/time.h"
#include "service/api/arn.h"
#include "service/api/requests.h"
#include "storage/engine/engine.h"

namespace tideline::api {

inline constexpr std::size_t kNameBytesMin = 3;
inline constexpr std::size_t kNameBytesMax = 256;
inline constexpr std::size_t kTagKeyCharactersMax = 128;
inline constexpr std::size_t kTagValueCharactersMax = 256;

/// Thread-safe.
class ManagementService {
 public:
  /// `engine` must outlive the service.
  explicit ManagementService(engine::Engine& engine) : engine_(engine) {}

  /// kAlreadyExists, kQuotaExceeded, kInvalidArgument.
  Result<DatabaseAnswer> CreateDatabase(const CallContext& call, const CreateDatabaseRequest& request);
  Result<DatabaseAnswer> DescribeDatabase(const CallContext& call, std::string_view database);
  Result<DatabaseAnswer> UpdateDatabase(const CallContext& call, const UpdateDatabaseRequest& request);
  Status DeleteDatabase(std::string_view database);
  Result<Page<DatabaseAnswer>> ListDatabases(const CallContext& call, const ListRequest& request);

  Result<TableAnswer> CreateTable(const CallContext& call, const CreateTableRequest& request);
  Result<TableAnswer> DescribeTable(const CallContext& call, std::string_view database,
                                    std::string_view table);
  Result<TableAnswer> UpdateTable(const CallContext& call, const UpdateTableRequest& request);
  Status DeleteTable(std::string_view database, std::string_view table);
  Result<Page<TableAnswer>> ListTables(const CallContext& call, const ListRequest& request);

  /// Tags by key; all in one page unless the request says how many.
  Result<Page<catalog::Tag>> ListTags(const CallContext& call, std::string_view arn, const ListRequest& request);
  Status TagResource(const CallContext& call, std::string_view arn, const catalog::Tags& tags);
  Status UntagResource(const CallContext& call, std::string_view arn, const std::vector<std::string>& keys);

 private:
  Result<DatabaseAnswer> Answer(const CallContext& call, const catalog::DatabaseInfoPtr& database);
  TableAnswer Answer(const CallContext& call, const catalog::TableSchemaPtr& table);
  /// The table, or which of table and database is missing, in the service's words.
  Result<catalog::TableSchemaPtr> FindTable(std::string_view database, std::string_view table);
  /// What the ARN names, if it is there.
  Result<ResourceName> FindResource(const CallContext& call, std::string_view arn);
  Status NoDatabase(std::string_view database) const;
  engine::Engine& engine_;
};

}  // namespace tideline::api
