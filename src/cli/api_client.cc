#include "cli/api_client.h"

#include <cstdlib>

#include "base/time.h"
#include "crypto/encoding.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::cli {
namespace {

constexpr std::string_view kTargetPrefix = "Timestream_20181101.";
constexpr std::string_view kContentType = "application/x-amz-json-1.0";
constexpr std::size_t kKeyFileBytesMax = 1 << 16;

struct Credentials {
  std::string access_key_id, secret_access_key, session_token;
};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// A key without its secret, or the other way round, would only be refused by the server as a bad signature.
Status CheckPair(std::string_view id, std::string_view id_name, std::string_view secret, std::string_view secret_name,
                 std::string_view verb) {
  if (id.empty() == secret.empty()) return OkStatus();
  return InvalidArgument("{} {}, but {} is not", id.empty() ? secret_name : id_name, verb,
                         id.empty() ? id_name : secret_name);
}

Result<Credentials> FindCredentials(const ClientOptions& options) {
  TL_TRY(CheckPair(options.access_key_id, "--access-key-id", options.secret_access_key, "--secret-access-key",
                   "is given"));
  if (!options.access_key_id.empty()) {
    return Credentials{options.access_key_id, options.secret_access_key, {}};
  }
  for (const std::string prefix : {"TIDELINE_", "AWS_"}) {
    const std::string id_name = prefix + "ACCESS_KEY_ID";
    const std::string secret_name = prefix + "SECRET_ACCESS_KEY";
    const std::string id = Variable(id_name.c_str());
    const std::string secret = Variable(secret_name.c_str());
    TL_TRY(CheckPair(id, id_name, secret, secret_name, "is set"));
    if (!id.empty()) return Credentials{id, secret, Variable((prefix + "SESSION_TOKEN").c_str())};
  }
  const Result<Bytes> kept =
      fs::ReadWholeFile(fs::PosixFileSystem(), fs::JoinPath(options.data_dir, "root-key.json"),
                        kKeyFileBytesMax);
  if (kept.ok()) {
    if (const Result<JsonValue> json = JsonValue::Parse(AsText(*kept)); json.ok()) {
      return Credentials{std::string(json->FindText("AccessKeyId")),
                         std::string(json->FindText("SecretAccessKey")), {}};
    }
  }
  return Credentials{"dev", "dev", {}};
}

Status StatusOfAnswer(int http_status, const ApiError& error) {
  const std::string text = fmt::format("{}: {}", error.code, error.message);
  switch (http_status) {
    case 404:
      return NotFound("{}", text);
    case 409:
      return AlreadyExists("{}", text);
    case 429:
    case 503:
      return ResourceExhausted("{}", text);
    default:
      return http_status >= 500 ? Unavailable("{}", text) : InvalidArgument("{}", text);
  }
}

}  // namespace

std::string QueryBody(std::string_view sql, std::string_view next_token, std::string_view client_token) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("QueryString", sql);
  if (!client_token.empty()) json.Member("ClientToken", client_token);
  if (!next_token.empty()) json.Member("NextToken", next_token);
  json.EndObject();
  return body;
}

Result<ApiClient> ApiClient::Connect(const ClientOptions& options) {
  const net::Url url = TL_TRY(net::ParseUrl(options.endpoint));
  net::HttpClientOptions http;
  http.request_ns_max = options.request_ns_max;
  http.ca_file = options.ca_file;
  http.verify_tls = options.verify_tls;
  const Credentials credentials = TL_TRY(FindCredentials(options));
  crypto::SigV4SignerOptions signing;
  signing.access_key_id = credentials.access_key_id;
  signing.secret_access_key = credentials.secret_access_key;
  signing.session_token = credentials.session_token;
  signing.region = options.region;
  signing.service = "timestream";
  return ApiClient(net::HttpClient(url, http), crypto::SigV4Signer(std::move(signing)),
                   options.profile);
}

Result<std::string> ApiClient::CallRaw(std::string_view operation, std::string_view body,
                                       ApiError* error) {
  const std::string target = std::string(kTargetPrefix) + std::string(operation);
  const std::string host = http_.url().HostHeader();
  const crypto::HttpField fields[] = {
      {"content-type", kContentType}, {"host", host}, {"x-amz-target", target}};
  const std::string hash = crypto::HexOf(crypto::Sha256Of(body));
  const auto added =
      TL_TRY(signer_.Sign("POST", "/", "", fields, hash, SystemClock().WallNow()));
  net::HttpClientRequest request;
  request.method = "POST";
  request.target = "/";
  for (const crypto::HttpField& field : fields) {
    request.headers.push_back({std::string(field.name), std::string(field.value)});
  }
  for (const auto& header : added) request.headers.push_back({header.name, header.value});
  if (!profile_.empty()) request.headers.push_back({"x-tideline-profile", profile_});
  request.body = body;
  net::HttpClientResponse response = TL_TRY(http_.Send(request));
  if (response.status == 200) return std::move(response.body);
  ApiError local;
  ApiError& failure = error != nullptr ? *error : local;
  failure.code = fmt::format("HTTP {}", response.status);
  failure.message = response.body;
  if (Result<JsonValue> json = JsonValue::Parse(response.body); json.ok()) {
    const std::string_view type = json->FindText("__type");
    failure.code = type.substr(type.find('#') + 1);
    failure.message = json->FindText("message");
    failure.body = *std::move(json);
  }
  return StatusOfAnswer(response.status, failure);
}

Result<JsonValue> ApiClient::Call(std::string_view operation, std::string_view body,
                                  ApiError* error) {
  const std::string answer = TL_TRY(CallRaw(operation, body, error));
  return JsonValue::Parse(answer.empty() ? "{}" : std::string_view(answer));
}

}  // namespace tideline::cli
