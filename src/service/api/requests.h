// service/api/requests.h: the management calls of the write API as typed values, free of any wire.
//
// A door fills these after it has checked shapes (required members, lengths, patterns); the service
// checks meaning. Names follow the API's members.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "storage/catalog/schema.h"

namespace tideline::api {

/// Who asks, and in which terms answers are given.
struct CallContext {
  std::string principal_arn;
  std::string region = "us-east-1";  ///< ARNs of answers carry the signature's region
  std::string account_id = "000000000000";
  bool compat_profile = false;
};

struct CreateDatabaseRequest {
  std::string database;
  std::optional<std::string> kms_key_id;
  catalog::Tags tags;
};

struct UpdateDatabaseRequest {
  std::string database;
  std::string kms_key_id;
};

/// A database as DescribeDatabase answers it.
struct DatabaseAnswer {
  std::string arn;
  std::string name;
  std::size_t table_count = 0;
  std::string kms_key_arn;
  TimestampNs created;
  TimestampNs updated;
};

struct CreateTableRequest {
  std::string database;
  std::string table;
  std::optional<catalog::Retention> retention;
  std::optional<catalog::MagneticStoreWrites> magnetic_store_writes;
  std::optional<std::vector<catalog::PartitionKey>> partition_keys;
  catalog::Tags tags;
};

struct UpdateTableRequest {
  std::string database;
  std::string table;
  std::optional<catalog::Retention> retention;
  std::optional<catalog::MagneticStoreWrites> magnetic_store_writes;
  std::optional<std::vector<catalog::PartitionKey>> partition_keys;
};

struct TableAnswer {
  std::string arn;
  catalog::TableSchemaPtr schema;
};

/// One page of a list; `next_token` is empty on the last.
template <typename T>
struct Page {
  std::vector<T> items;
  std::string next_token;
};

struct ListRequest {
  std::optional<std::string> database;  ///< ListTables only
  std::string next_token;
  std::optional<std::int64_t> max_results;
};

}  // namespace tideline::api
