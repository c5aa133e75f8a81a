#include "net/url.h"

#include <gtest/gtest.h>

namespace tideline::net {
namespace {

TEST(UrlTest, ParsesEveryForm) {
  const Url plain = *ParseUrl("http://localhost:8433/a/b?c=d#e");
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.host, "localhost");
  EXPECT_EQ(plain.port, 8433);
  EXPECT_EQ(plain.target, "/a/b?c=d");
  EXPECT_EQ(plain.HostHeader(), "localhost:8433");
  const Url tls = *ParseUrl("https://[::1]");
  EXPECT_TRUE(tls.tls);
  EXPECT_EQ(tls.host, "::1");
  EXPECT_EQ(tls.port, 443);
  EXPECT_EQ(tls.target, "/");
  EXPECT_EQ(tls.HostHeader(), "[::1]");
  EXPECT_EQ(ParseUrl("https://[::1]:8433?x")->ToString(), "https://[::1]:8433/?x");
  EXPECT_EQ(ParseUrl("http://a:80")->HostHeader(), "a");
  EXPECT_EQ(ParseUrl("https://a:80")->HostHeader(), "a:80");
}

TEST(UrlTest, Refuses) {
  for (const char* bad :
       {"", "localhost", "ftp://a", "http://", "http:///x", "http://a:", "http://a:65536",
        "http://a:1x", "http://[::1", "http://[a]", "http://[::1]8", "http://::1:80",
        "http://user@a", "http://a b", "http://a\r\n", "HTTP://a:b"}) {
    EXPECT_EQ(CodeOf(ParseUrl(bad).status()), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(HostPortTest, ParsesAndRefuses) {
  EXPECT_EQ(ParseHostPort("127.0.0.1:0")->ToString(), "127.0.0.1:0");
  EXPECT_EQ(ParseHostPort("[::]:8433")->host, "::");
  EXPECT_EQ(ParseHostPort(":80")->host, "::");
  for (const char* bad : {"", "a", "a:", "::1", "[::1]", "a:b", "a:-1", "a: 1", "a:1:2"}) {
    EXPECT_FALSE(ParseHostPort(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace tideline::net
