#include "service/api/arn.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"

namespace tideline::api {
namespace {

constexpr std::size_t kAccountIdDigits = 12;

// Names of the regions tell the partition.
std::string_view PartitionOf(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  if (region.starts_with("us-gov-")) return "aws-us-gov";
  return "aws";
}

// arn:partition:service:region:account:resource
struct ArnParts {
  std::string_view partition, service, region, account, resource;
};

std::optional<ArnParts> SplitArn(std::string_view arn) {
  if (!arn.starts_with("arn:")) return std::nullopt;
  arn.remove_prefix(4);
  ArnParts parts;
  for (std::string_view* part : {&parts.partition, &parts.service, &parts.region, &parts.account}) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    *part = arn.substr(0, colon);
    arn.remove_prefix(colon + 1);
  }
  parts.resource = arn;
  return parts;
}

bool IsKeyName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_/").find(c) != std::string_view::npos;
  });
}

// A key id that follows from the name of an alias, so that the same alias is the same key for ever.
std::string KeyIdOfAlias(std::string_view alias) {
  const std::uint64_t high = Hash64(alias, 1);
  const std::uint64_t low = Hash64(alias, 2);
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xfff,
                     low >> 52, low & 0xffffffffffffU);
}

}  // namespace

std::string DatabaseArn(const CallContext& call, std::string_view database) {
  return fmt::format("arn:{}:timestream:{}:{}:database/{}", PartitionOf(call.region), call.region,
                     call.account_id, database);
}

std::string TableArn(const CallContext& call, std::string_view database, std::string_view table) {
  return fmt::format("{}/table/{}", DatabaseArn(call, database), table);
}

Status CheckKmsKey(std::string_view key) {
  const std::optional<ArnParts> arn = SplitArn(key);
  const bool valid = arn.has_value()
                         ? arn->partition.starts_with("aws") && arn->service == "kms" && !arn->region.empty() &&
                               (arn->resource.starts_with("key/") || arn->resource.starts_with("alias/")) &&
                               IsKeyName(arn->resource.substr(arn->resource.find('/') + 1))
                         : IsKeyName(key);
  if (valid) return OkStatus();
  return InvalidArgument("The KmsKeyId '{}' is no key id, alias or ARN of one.", key.substr(0, 300));
}

std::string KmsKeyArn(const CallContext& call, std::string_view key) {
  if (const std::optional<ArnParts> arn = SplitArn(key)) {
    if (!arn->resource.starts_with("alias/")) return std::string(key);
    return fmt::format("arn:{}:kms:{}:{}:key/{}", arn->partition, arn->region, arn->account,
                       KeyIdOfAlias(arn->resource));
  }
  const bool is_key_id = key.size() == 36 && key[8] == '-' && key[13] == '-';
  const std::string_view alias = key.empty() ? std::string_view("alias/aws/timestream") : key;
  return fmt::format("arn:{}:kms:{}:{}:key/{}", PartitionOf(call.region), call.region, call.account_id,
                     is_key_id ? std::string(key) : KeyIdOfAlias(alias));
}

Result<ResourceName> ParseResourceArn(std::string_view arn) {
  const auto malformed = [&] { return InvalidArgument("Invalid resource ARN: {}", arn); };
  const std::optional<ArnParts> parts = SplitArn(arn);
  if (!parts.has_value() || parts->service != "timestream" || parts->region.empty() ||
      parts->partition != PartitionOf(parts->region) || parts->account.size() != kAccountIdDigits ||
      !std::all_of(parts->account.begin(), parts->account.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return malformed();
  }
  std::string_view rest = parts->resource;
  ResourceName name;
  name.account_id = parts->account;
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
