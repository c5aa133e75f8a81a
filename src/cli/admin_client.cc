#include "cli/admin_client.h"

#include "net/http_client.h"

namespace tideline::cli {
namespace {

/// Upkeep and verification of a large database take their time.
constexpr std::int64_t kAdminNsMax = kNsPerHour;

}  // namespace

Result<JsonValue> CallAdmin(const std::string& endpoint, std::string_view path,
                            std::string_view body) {
  net::HttpClientOptions options;
  options.request_ns_max = kAdminNsMax;
  net::HttpClient http(TL_TRY(net::ParseUrl(endpoint)), std::move(options));
  net::HttpClientRequest request;
  request.method = "POST";
  request.target = path;
  request.headers = {{"content-type", "application/json"}};
  request.body = body;
  const net::HttpClientResponse response = TL_TRY(http.Send(request));
  Result<JsonValue> answer = JsonValue::Parse(response.body);
  if (response.status == 200) return answer;
  const std::string_view message = answer.ok() ? answer->FindText("message") : response.body;
  return InvalidArgument("{} {}: {}", path, response.status, message);
}

}  // namespace tideline::cli
