#include "storage/objstore/s3_client.h"

#include <algorithm>

#include "crypto/encoding.h"
#include "crypto/sha256.h"
#include "storage/objstore/xml.h"

namespace tideline::objstore {
namespace {

constexpr std::size_t kErrorBytesMax = 64 * 1024;
constexpr std::int64_t kNsPerMebibyte = kNsPerSecond;

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded.push_back(c);
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string QueryText(const std::vector<std::pair<std::string, std::string>>& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    if (!text.empty()) text.push_back('&');
    text += PercentEncode(name) + "=" + PercentEncode(value);
  }
  return text;
}

bool MayPass(int status) { return status >= 500 || status == 429; }

ErrorCode CodeOfStatus(int status) {
  switch (status) {
    case 400: return ErrorCode::kInvalidArgument;
    case 401:
    case 403: return ErrorCode::kPermissionDenied;
    case 404: return ErrorCode::kNotFound;
    case 409:
    case 412: return ErrorCode::kAborted;
    case 507: return ErrorCode::kResourceExhausted;
    default: return MayPass(status) ? ErrorCode::kUnavailable : ErrorCode::kDataLoss;
  }
}

}  // namespace

Result<std::unique_ptr<S3Client>> S3Client::Make(S3Options options) {
  const bool amazon = options.endpoint.empty() ||
                      options.endpoint.find(".amazonaws.com") != std::string::npos;
  if (options.endpoint.empty()) {
    options.endpoint = fmt::format("https://s3.{}.amazonaws.com", options.region);
  }
  const auto parsed = net::ParseUrl(options.endpoint);
  if (!parsed.ok()) return Annotate(parsed.status(), "object store endpoint");
  net::Url url = *parsed;
  if (url.target != "/") {
    return InvalidArgument("object store endpoint '{}' has a path; a prefix belongs into s3://bucket/prefix",
                           options.endpoint);
  }
  const bool by_host = options.addressing == S3Addressing::kVirtual ||
                       (options.addressing == S3Addressing::kAuto && amazon);
  std::string path_root;
  if (by_host) {
    url.host = options.bucket + "." + url.host;
  } else {
    path_root = "/" + options.bucket;
  }
  return std::unique_ptr<S3Client>(
      new S3Client(std::move(options), std::move(url), std::move(path_root)));
}

S3Client::S3Client(S3Options options, net::Url url, std::string path_root)
    : options_(std::move(options)),
      url_(std::move(url)),
      host_header_(url_.HostHeader()),
      path_root_(std::move(path_root)),
      signer_({.access_key_id = options_.access_key_id,
               .secret_access_key = options_.secret_access_key,
               .session_token = options_.session_token,
               .region = options_.region,
               .service = "s3",
               .send_payload_sha256 = true,
               .encode_path = false}),
      random_(Random::FromSystem()) {}

std::int64_t S3Client::CallDeadline() const {
  return options_.clock->SteadyNow().value + options_.call_ns_max;
}

std::unique_ptr<net::HttpClient> S3Client::TakeConnection() {
  MutexLock lock(mutex_);
  while (idle_.empty() && open_count_ >= options_.connections_max) changed_.Wait(mutex_);
  if (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }
  ++open_count_;
  return std::make_unique<net::HttpClient>(
      url_, net::HttpClientOptions{.connect_ns_max = options_.connect_ns_max,
                                   .request_ns_max = options_.request_ns_max,
                                   .body_bytes_max = kPutBytesMax + kErrorBytesMax,
                                   .ca_file = options_.ca_file,
                                   .verify_tls = options_.verify_tls});
}

void S3Client::GiveConnection(std::unique_ptr<net::HttpClient> connection) {
  MutexLock lock(mutex_);
  idle_.push_back(std::move(connection));
  changed_.NotifyOne();
}

Result<net::HttpClientResponse> S3Client::SendOnce(const S3Request& request,
                                                   std::int64_t deadline_ns) {
  std::string path = path_root_ + "/";
  if (!request.key.empty()) {
    if (!options_.prefix.empty()) path += options_.prefix + "/";
    path += request.key;
  }
  const std::string query = QueryText(request.query);
  std::vector<crypto::HttpField> fields{{"host", host_header_}};
  for (const auto& [name, value] : request.headers) fields.push_back({name, value});
  const std::string digest = crypto::HexOf(crypto::Sha256Of(request.body));
  const auto signature = TL_TRY(signer_.Sign(request.method, path, query, fields, digest,
                                             options_.clock->WallNow()));
  net::HttpClientRequest wire;
  wire.method = request.method;
  wire.target = query.empty() ? path : path + "?" + query;
  for (const crypto::HttpField& field : fields) {
    wire.headers.push_back({std::string(field.name), std::string(field.value)});
  }
  for (const crypto::SigV4SignedHeader& header : signature) {
    wire.headers.push_back({header.name, header.value});
  }
  wire.body = request.body;
  const std::int64_t wanted_ns =
      options_.request_ns_max +
      static_cast<std::int64_t>((request.body.size() + request.answer_bytes_max) >> 20) * kNsPerMebibyte;
  const std::int64_t left_ns = deadline_ns - options_.clock->SteadyNow().value;
  if (left_ns <= 0) return DeadlineExceeded("the object store took too long");
  wire.request_ns_max = std::min(wanted_ns, left_ns);
  auto connection = TakeConnection();
  auto answer = connection->Send(wire);
  GiveConnection(std::move(connection));
  if (!answer.ok()) {
    return Annotate(answer.status(), fmt::format("{} {}{}", request.method, host_header_, path));
  }
  return answer;
}

bool S3Client::Pause(int attempt, std::int64_t deadline_ns) {
  const int doublings = std::min(attempt - 1, 20);
  const std::int64_t full =
      std::min(options_.pause_ns_max, options_.pause_ns_min * (std::int64_t{1} << doublings));
  MutexLock lock(mutex_);
  // Full jitter above a quarter, so that clients that failed together do not return together.
  const std::int64_t pause =
      full / 4 + static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(full - full / 4) + 1));
  const std::int64_t end = options_.clock->SteadyNow().value + pause;
  if (end >= deadline_ns) return false;
  for (std::int64_t left = pause; left > 0;) {
    changed_.WaitFor(mutex_, left);
    left = end - options_.clock->SteadyNow().value;
  }
  return true;
}

Result<net::HttpClientResponse> S3Client::Send(const S3Request& request) {
  const std::int64_t deadline_ns = CallDeadline();
  for (int attempt = 1;; ++attempt) {
    auto answer = SendOnce(request, deadline_ns);
    const ErrorCode code = CodeOf(answer.status());
    const bool passing = answer.ok() ? MayPass(answer->status)
                                     : code == ErrorCode::kUnavailable ||
                                           code == ErrorCode::kDeadlineExceeded ||
                                           code == ErrorCode::kDataLoss;
    if (!passing) return answer;
    if (attempt >= options_.attempts_max || !Pause(attempt, deadline_ns)) {
      const Status last = answer.ok() ? ErrorOf(request, *answer) : answer.status();
      return Unavailable("{} (tried {} times)", MessageOf(last), attempt);
    }
  }
}

Status S3Client::ErrorOf(const S3Request& request, const net::HttpClientResponse& answer) const {
  std::string_view code;
  std::string_view message;
  const auto xml = answer.body.size() <= kErrorBytesMax ? ParseXml(answer.body)
                                                        : Result<XmlElement>(DataLoss("too long"));
  if (xml.ok()) {
    code = xml->TextOf("Code");
    message = xml->TextOf("Message");
  }
  return internal::MakeStatus(
      CodeOfStatus(answer.status),
      fmt::format("object store {}: {} of '{}' in bucket '{}' answered {} {}{}{}", host_header_,
                  request.method, request.key, options_.bucket, answer.status, code,
                  message.empty() ? "" : ": ", message));
}

}  // namespace tideline::objstore
