#include <gtest/gtest.h>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Call;
Value Str(std::string text) { return Value::Varchar(std::move(text)); }

TEST(UrlTest, Parts) {
  struct Case {
    const char* url;
    const char* parts[6];  // protocol, host, port, path, query, fragment
  };
  const Case cases[] = {
      {"http://user@Example.com:8080/a%20b?x=1&y=%2F#top",
       {"http", "Example.com", "8080", "/a b", "x=1&y=/", "top"}},
      {"https://h", {"https", "h", "NULL", "", "", ""}},
      {"http://[::1]:80/x", {"http", "[::1]", "80", "/x", "", ""}},
      {"mailto:a@b", {"mailto", "", "NULL", "", "", ""}},
      {"/only/path?q", {"", "", "NULL", "/only/path", "q", ""}},
      {"http://a b/", {"NULL", "NULL", "NULL", "NULL", "NULL", "NULL"}},
      {"http://h/%zz", {"NULL", "NULL", "NULL", "NULL", "NULL", "NULL"}},
      {"http://h:99999999999999999999/", {"NULL", "NULL", "NULL", "NULL", "NULL", "NULL"}},
  };
  const char* const names[] = {"protocol", "host", "port", "path", "query", "fragment"};
  for (const Case& one : cases) {
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(Call(std::string("url_extract_") + names[i], {Str(one.url)}), one.parts[i])
          << one.url << ' ' << names[i];
    }
  }
}

TEST(UrlTest, ParametersAndEscapes) {
  const Value url = Str("http://h/?a=1&b=x+y%26z&c&a=2");
  EXPECT_EQ(Call("url_extract_parameter", {url, Str("a")}), "1");
  EXPECT_EQ(Call("url_extract_parameter", {url, Str("b")}), "x y&z");
  EXPECT_EQ(Call("url_extract_parameter", {url, Str("c")}), "");
  EXPECT_EQ(Call("url_extract_parameter", {url, Str("d")}), "NULL");
  EXPECT_EQ(Call("url_encode", {Str("a b/é*~")}), "a+b%2F%C3%A9*%7E");
  EXPECT_EQ(Call("url_decode", {Str("a+b%2F%c3%a9*%7E")}), "a b/é*~");
  EXPECT_EQ(Call("url_decode", {Str("50%")}),
            "error: Illegal hex characters in escape (%) pattern: 50%");
}

}  // namespace
}  // namespace tideline::functions
