#include "service/auth/authenticator.h"

#include <fmt/format.h>

#include "base/status.h"
#include "crypto/encoding.h"

namespace tideline::auth {
namespace {

std::string_view FindHeader(std::span<const crypto::HttpField> headers, std::string_view name) {
  for (const crypto::HttpField& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

bool ListsHeader(std::string_view signed_headers, std::string_view name) {
  while (!signed_headers.empty()) {
    const std::size_t end = signed_headers.find(';');
    if (signed_headers.substr(0, end) == name) return true;
    if (end == std::string_view::npos) break;
    signed_headers.remove_prefix(end + 1);
  }
  return false;
}

constexpr std::string_view kUnknownKeyText = "The security token included in the request is invalid.";
constexpr std::string_view kMismatchText =
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.";

}  // namespace

Identity Authenticator::Anyone(std::string_view authorization) const {
  Identity identity;
  identity.principal_arn = fmt::format("arn:aws:iam::{}:root", options_.account_id);
  identity.region = options_.default_region;
  if (const auto parts = crypto::ParseSigV4Authorization(authorization); parts.ok()) {
    identity.region = parts->region;
    identity.access_key_id = parts->access_key_id;
  }
  return identity;
}

std::optional<AuthFailure> Authenticator::CheckClock(std::string_view amz_date) const {
  const Result<TimestampNs> sent = crypto::ParseAmzDate(amz_date);
  if (!sent.ok()) {
    return AuthFailure{AuthFailureKind::kIncompleteSignature,
                       fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'.", amz_date)};
  }
  const TimestampNs now = clock_.WallNow();
  const TimestampNs earliest{now.value - options_.clock_window_ns};
  const TimestampNs latest{now.value + options_.clock_window_ns};
  const std::int64_t minutes = options_.clock_window_ns / kNsPerMinute;
  if (*sent < earliest) {
    return AuthFailure{
        AuthFailureKind::kInvalidSignature,
        fmt::format("Signature expired: {} is now earlier than {} ({} - {} min.)", amz_date,
                    crypto::FormatAmzDate(earliest), crypto::FormatAmzDate(now), minutes)};
  }
  if (*sent > latest) {
    return AuthFailure{
        AuthFailureKind::kInvalidSignature,
        fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)", amz_date,
                    crypto::FormatAmzDate(latest), crypto::FormatAmzDate(now), minutes)};
  }
  return std::nullopt;
}

std::variant<Identity, AuthFailure> Authenticator::Authenticate(const SignedRequest& request) const {
  const std::string_view header = FindHeader(request.headers, "authorization");
  if (options_.accept_anyone) return Anyone(header);
  if (header.empty()) {
    return AuthFailure{AuthFailureKind::kMissingToken, "Missing Authentication Token"};
  }
  const auto parts = crypto::ParseSigV4Authorization(header);
  if (!parts.ok()) {
    return AuthFailure{AuthFailureKind::kIncompleteSignature,
                       std::string(MessageOf(parts.status()))};
  }
  const std::string_view amz_date = FindHeader(request.headers, "x-amz-date");
  if (amz_date.empty()) {
    return AuthFailure{AuthFailureKind::kIncompleteSignature,
                       "Authorization header requires existence of either a 'X-Amz-Date' or a "
                       "'Date' header."};
  }
  if (parts->service != options_.service) {
    return AuthFailure{AuthFailureKind::kInvalidSignature,
                       fmt::format("Credential should be scoped to correct service: '{}'. ",
                                   options_.service)};
  }
  if (amz_date.substr(0, 8) != parts->date) {
    return AuthFailure{
        AuthFailureKind::kInvalidSignature,
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                    "date from HTTP: '{}' != '{}', from '{}'.",
                    parts->date, amz_date.substr(0, 8), amz_date)};
  }
  const std::shared_ptr<const AccessKey> key = keys_.Find(parts->access_key_id);
  if (key == nullptr) {
    return AuthFailure{AuthFailureKind::kUnrecognizedClient, std::string(kUnknownKeyText)};
  }
  if (auto failure = CheckClock(amz_date)) return *failure;
  for (const std::string_view required : {"host", "x-amz-date", "x-amz-security-token"}) {
    const bool present = required != "x-amz-security-token" ||
                         !FindHeader(request.headers, required).empty();
    if (present && !ListsHeader(parts->signed_headers, required)) {
      return AuthFailure{AuthFailureKind::kInvalidSignature,
                         fmt::format("'{}' must be a signed header", required)};
    }
  }
  const std::string body_hash = crypto::HexOf(request.body_sha256);
  const std::string_view declared = FindHeader(request.headers, "x-amz-content-sha256");
  if (!declared.empty() && declared != body_hash) {
    return AuthFailure{AuthFailureKind::kInvalidSignature, std::string(kMismatchText)};
  }
  crypto::SigV4Request signed_request;
  signed_request.method = request.method;
  signed_request.path = request.path;
  signed_request.query = request.query;
  signed_request.headers = request.headers;
  signed_request.payload_sha256 = body_hash;
  const Status verified =
      crypto::VerifySigV4(signed_request, *parts, amz_date, key->secret_access_key);
  if (!verified.ok()) {
    return AuthFailure{AuthFailureKind::kInvalidSignature,
                       CodeOf(verified) == ErrorCode::kUnauthenticated
                           ? std::string(kMismatchText)
                           : std::string(MessageOf(verified))};
  }
  return Identity{key->principal_arn, key->access_key_id, std::string(parts->region)};
}

}  // namespace tideline::auth
