#include "service/api/arn.h"

#include <vector>

#include "base/hash.h"

namespace tideline::api {
namespace {

// Names of the regions tell the partition.
std::string_view PartitionOf(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  if (region.starts_with("us-gov-")) return "aws-us-gov";
  return "aws";
}

}  // namespace

std::string DatabaseArn(const CallContext& call, std::string_view database) {
  return fmt::format("arn:{}:timestream:{}:{}:database/{}", PartitionOf(call.region), call.region,
                     call.account_id, database);
}

std::string TableArn(const CallContext& call, std::string_view database, std::string_view table) {
  return fmt::format("{}/table/{}", DatabaseArn(call, database), table);
}

std::string KmsKeyArn(const CallContext& call, std::string_view key) {
  if (key.starts_with("arn:")) return std::string(key);
  const std::string prefix =
      fmt::format("arn:{}:kms:{}:{}:key/", PartitionOf(call.region), call.region, call.account_id);
  const bool is_key_id = key.size() == 36 && key[8] == '-' && key[13] == '-';
  if (is_key_id) return prefix + std::string(key);
  // An alias, or the service's own key when none was named: a key id that follows from it, so that
  // the same alias is the same key for ever.
  const std::string_view alias = key.empty() ? std::string_view("alias/aws/timestream") : key;
  const std::uint64_t high = Hash64(alias, 1);
  const std::uint64_t low = Hash64(alias, 2);
  return prefix + fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high >> 32,
                              (high >> 16) & 0xffff, high & 0xfff, low >> 52,
                              low & 0xffffffffffffU);
}

Result<ResourceName> ParseResourceArn(std::string_view arn) {
  const auto malformed = [&] { return InvalidArgument("Invalid resource ARN: {}", arn); };
  std::vector<std::string_view> parts;
  std::string_view rest = arn;
  while (parts.size() < 5) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) return malformed();
    parts.push_back(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn" || !parts[1].starts_with("aws") || parts[2] != "timestream") {
    return malformed();
  }
  ResourceName name;
  if (rest.starts_with("scheduled-query/") && rest.size() > 16) {
    name.kind = ResourceName::Kind::kScheduledQuery;
    return name;
  }
  if (!rest.starts_with("database/")) return malformed();
  rest.remove_prefix(9);
  const std::size_t slash = rest.find('/');
  name.database = rest.substr(0, slash);
  if (name.database.empty()) return malformed();
  if (slash == std::string_view::npos) return name;
  rest.remove_prefix(slash + 1);
  if (!rest.starts_with("table/")) return malformed();
  rest.remove_prefix(6);
  if (rest.empty() || rest.find('/') != std::string_view::npos) return malformed();
  name.kind = ResourceName::Kind::kTable;
  name.table = rest;
  return name;
}

}  // namespace tideline::api
