#include <gtest/gtest.h>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Call;
Value Str(std::string text) { return Value::Varchar(std::move(text)); }

TEST(JsonTest, ParsesAndSorts) {
  EXPECT_EQ(Call("json_parse", {Str(" { \"b\" : [ 1 , 2.50 ], \"a\": \"x y\\n\", \"b\": null } ")}),
            "{\"a\":\"x y\\n\",\"b\":null}");
  EXPECT_EQ(Call("json_parse", {Str("[]")}), "[]");
  EXPECT_EQ(Call("json_parse", {Str("7")}), "7");
  EXPECT_EQ(Call("json_parse", {Str("{x")}), "error: Cannot convert value to JSON: '{x'");
  EXPECT_EQ(Call("json_parse", {Str("")}), "error: Cannot convert value to JSON: ''");
  EXPECT_EQ(Call("json_format", {Value::Text(Type::Json(), "[1]")}), "[1]");
}

TEST(JsonTest, Paths) {
  const Value json =
      Str("{\"a\": [1, {\"b c\": \"x\\\"y\"}, true, null], \"2\": 1.10, \"k-1\": {}}");
  const std::pair<const char*, const char*> cases[] = {
      {"$.a[0]", "1"},
      {"$.a[1][\"b c\"]", "x\"y"},
      {"$['a'][2]", "true"},
      {"$.a[3]", "NULL"},
      {"$.a[4]", "NULL"},
      {"$.a[-1]", "NULL"},
      {"$.2", "1.10"},
      {"$.a", "NULL"},
      {"$.zz.y", "NULL"},
      {"$.a[0].x", "NULL"},
      {"$", "NULL"},
      {"a", "error: Invalid JSON path: 'a'"},
      {"$.", "error: Invalid JSON path: '$.'"},
      {"$[\"a\"", "error: Invalid JSON path: '$[\"a\"'"},
      {"$[\"a", "error: Invalid JSON path: '$[\"a'"}};
  for (const auto& [path, expected] : cases) {
    EXPECT_EQ(Call("json_extract_scalar", {json, Str(path)}), expected) << path;
  }
  EXPECT_EQ(Call("json_extract", {json, Str("$.a")}), "[1,{\"b c\":\"x\\\"y\"},true,null]");
  EXPECT_EQ(Call("json_extract", {json, Str("$.a[3]")}), "null");
  EXPECT_EQ(Call("json_extract", {Str("{bad"), Str("$.a")}), "NULL");
  EXPECT_EQ(Call("json_size", {json, Str("$.a")}), "4");
  EXPECT_EQ(Call("json_size", {json, Str("$")}), "3");
  EXPECT_EQ(Call("json_size", {json, Str("$.a[0]")}), "0");
}

TEST(JsonTest, Arrays) {
  const Value json = Str("[1, \"1\", 2.5, true, [3], {\"a\": 1}]");
  EXPECT_EQ(Call("json_array_length", {json}), "6");
  EXPECT_EQ(Call("json_array_length", {Str("{}")}), "NULL");
  EXPECT_EQ(Call("json_array_get", {json, Value::Integer(4)}), "[3]");
  EXPECT_EQ(Call("json_array_get", {json, Value::Integer(-1)}), "{\"a\":1}");
  EXPECT_EQ(Call("json_array_get", {json, Value::Integer(6)}), "NULL");
  EXPECT_EQ(Call("json_array_get", {json, Value::Integer(-7)}), "NULL");
  EXPECT_EQ(Call("json_array_contains", {json, Value::Bigint(1)}), "true");
  EXPECT_EQ(Call("json_array_contains", {json, Value::Bigint(2)}), "false");
  EXPECT_EQ(Call("json_array_contains", {json, Value::Double(2.5)}), "true");
  EXPECT_EQ(Call("json_array_contains", {json, Str("1")}), "true");
  EXPECT_EQ(Call("json_array_contains", {json, Value::Boolean(false)}), "false");
  EXPECT_EQ(Call("is_json_scalar", {Str("1")}), "true");
  EXPECT_EQ(Call("is_json_scalar", {Str("[1]")}), "false");
  EXPECT_EQ(Call("is_json_scalar", {Str("1 2")}), "error: Invalid JSON value: 1 2");
}

}  // namespace
}  // namespace tideline::functions
