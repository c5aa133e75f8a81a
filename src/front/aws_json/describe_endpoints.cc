#include "front/aws_json/describe_endpoints.h"

#include "base/json.h"

namespace tideline::aws_json {
namespace {

std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.rfind(':'));
}

}  // namespace

std::string EndpointAddress(const net::HttpRequest& request, const std::string& advertised) {
  if (!advertised.empty()) return advertised;
  const std::string_view host = request.FindOr("host", "localhost");
  const std::string_view name = WithoutPort(host);
  const bool javascript =
      request.FindOr("user-agent").find("aws-sdk-js/3") != std::string_view::npos ||
      request.FindOr("x-amz-user-agent").find("aws-sdk-js/3") != std::string_view::npos;
  if (javascript) return std::string(name);
  if (request.tls && name.ends_with(".amazonaws.com")) return std::string(name);
  return fmt::format("{}://{}", request.tls ? "https" : "http", host);
}

std::string DescribeEndpointsBody(const net::HttpRequest& request, const std::string& advertised) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Key("Endpoints");
  json.BeginArray();
  json.BeginObject();
  json.Member("Address", EndpointAddress(request, advertised));
  json.Member("CachePeriodInMinutes", std::int64_t{kEndpointCacheMinutes});
  json.EndObject();
  json.EndArray();
  json.EndObject();
  return body;
}

}  // namespace tideline::aws_json
