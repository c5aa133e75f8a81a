// service/api/arn.h: the names of resources, as AWS writes them.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "service/api/requests.h"

namespace tideline::api {

std::string DatabaseArn(const CallContext& call, std::string_view database);
std::string TableArn(const CallContext& call, std::string_view database, std::string_view table);
/// `key` as given: an ARN stays, a key id or alias becomes a key ARN of this account and region.
std::string KmsKeyArn(const CallContext& call, std::string_view key);

/// What a taggable ARN names; the table is empty for a database.
struct ResourceName {
  enum class Kind : std::uint8_t { kDatabase, kTable, kScheduledQuery };
  Kind kind = Kind::kDatabase;
  std::string database;
  std::string table;
};
/// kInvalidArgument unless `arn` is one of the service's three forms. Region and account are not
/// compared: a client may have signed for any region.
Result<ResourceName> ParseResourceArn(std::string_view arn);

}  // namespace tideline::api
