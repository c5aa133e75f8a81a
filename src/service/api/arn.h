// service/api/arn.h: the names of resources, as AWS writes them.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "service/api/requests.h"

namespace tideline::api {

std::string DatabaseArn(const CallContext& call, std::string_view database);
std::string TableArn(const CallContext& call, std::string_view database, std::string_view table);
/// kInvalidArgument unless `key` has the form of a key id, an alias, or the ARN of one.
Status CheckKmsKey(std::string_view key);
/// The ARN of the key that `key` names (empty: the service's own): a key's ARN stays, an alias becomes a key that
/// follows from its name, of its own account and region or else of the call's.
std::string KmsKeyArn(const CallContext& call, std::string_view key);

/// What a taggable ARN names; the table is empty for a database.
struct ResourceName {
  enum class Kind : std::uint8_t { kDatabase, kTable, kScheduledQuery };
  Kind kind = Kind::kDatabase;
  std::string account_id;
  std::string database;
  std::string table;
};
/// kInvalidArgument unless `arn` is one of the service's three forms, with a region of its partition and an account of
/// twelve digits. Any region will do: a client may have signed for any.
Result<ResourceName> ParseResourceArn(std::string_view arn);

}  // namespace tideline::api
