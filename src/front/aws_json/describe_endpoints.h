// front/aws_json/describe_endpoints.h: the address that the asking client can use.
//
// What an SDK does with the address differs: botocore and Go dial https unless it carries a scheme,
// while JavaScript v3 keeps scheme and port of its base URL and takes the address as a bare host
// name. So the answer depends on who asks, unless an address is configured.
#pragma once

#include <string>

#include "net/http_message.h"

namespace tideline::aws_json {

inline constexpr int kEndpointCacheMinutes = 1440;

/// `advertised` wins when not empty.
std::string EndpointAddress(const net::HttpRequest& request, const std::string& advertised);
/// The whole body of DescribeEndpoints.
std::string DescribeEndpointsBody(const net::HttpRequest& request, const std::string& advertised);

}  // namespace tideline::aws_json
