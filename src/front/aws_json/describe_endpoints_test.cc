#include "front/aws_json/describe_endpoints.h"

#include <gtest/gtest.h>

namespace tideline::aws_json {
namespace {

std::string Address(std::string_view host, std::string_view agent, bool tls,
                    const std::string& advertised = {}) {
  net::HttpRequest request;
  request.headers = {{"host", host}, {"user-agent", agent}};
  request.tls = tls;
  return EndpointAddress(request, advertised);
}

TEST(DescribeEndpointsTest, AnswersByWhoAsks) {
  EXPECT_EQ(Address("127.0.0.1:8433", "Boto3/1.26 Botocore/1.29", false), "http://127.0.0.1:8433");
  EXPECT_EQ(Address("127.0.0.1:8433", "aws-sdk-go-v2/1.30", false), "http://127.0.0.1:8433");
  EXPECT_EQ(Address("127.0.0.1:8433", "aws-sdk-js/3.600", false), "127.0.0.1");
  EXPECT_EQ(Address("[::1]:8433", "aws-sdk-js/3.600", false), "[::1]");
  EXPECT_EQ(Address("example.org:8433", "Botocore/1.29", true), "https://example.org:8433");
  EXPECT_EQ(Address("query.timestream.us-east-1.amazonaws.com", "aws-sdk-go/1.44", true),
            "query.timestream.us-east-1.amazonaws.com");
  EXPECT_EQ(Address("127.0.0.1:8433", "aws-sdk-js/3.600", false, "db.example.org"), "db.example.org");
}

}  // namespace
}  // namespace tideline::aws_json
