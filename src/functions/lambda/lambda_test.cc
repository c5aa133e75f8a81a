// Kernels that run lambdas, with lambdas written in C++.
#include <gtest/gtest.h>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Body;
using testing::CallLambda;
using testing::CallLambdaRows;
using Texts = std::vector<std::string>;
using Args = std::vector<Value>;

Value IntArray(std::vector<std::optional<int>> values) {
  Args items;
  for (const auto& v : values) {
    items.push_back(v ? Value::Integer(*v) : Value::Null(Type::Integer()));
  }
  return Value::Nested(Type::Array(Type::Integer()), std::move(items));
}
Value NoArray() { return Value::Null(Type::Array(Type::Integer())); }
Value Points(std::vector<std::pair<int, double>> points) {
  Args items;
  for (const auto& [second, value] : points) {
    items.push_back(Value::Timestamp(second * kNsPerSecond));
    items.push_back(Value::Double(value));
  }
  return Value::Nested(Type::Timeseries(Type::Double()), std::move(items));
}
Value IntMap(std::vector<std::pair<std::string, int>> entries) {
  Args items;
  for (const auto& [key, value] : entries) {
    items.push_back(Value::Varchar(key));
    items.push_back(Value::Integer(value));
  }
  return Value::Nested(Type::Map(Type::Varchar(), Type::Integer()), std::move(items));
}

// x > limit; NULL of NULL; an error for 13.
Body Above(int limit) {
  return {1, Type::Boolean(), [limit](const Args& x) -> Result<Value> {
            if (x[0].is_null()) return Value::Null(Type::Boolean());
            if (x[0].integer() == 13) return ExecutionFailed("unlucky");
            return Value::Boolean(x[0].integer() > limit);
          }};
}
Body TimesTen() {
  return {1, Type::Bigint(), [](const Args& x) -> Result<Value> {
            if (x[0].is_null()) return Value::Null(Type::Bigint());
            return Value::Bigint(x[0].integer() * 10);
          }};
}
Body Plus() {
  return {2, Type::Integer(), [](const Args& x) -> Result<Value> {
            if (x[0].is_null() || x[1].is_null()) return Value::Null(Type::Integer());
            return Value::Integer(static_cast<int>(x[0].integer() + x[1].integer()));
          }};
}
Body Same(Type type) {
  return {1, std::move(type), [](const Args& x) -> Result<Value> { return x[0]; }};
}

TEST(LambdaTest, Filter) {
  EXPECT_EQ(CallLambdaRows("filter",
                           {{IntArray({1, 2, std::nullopt, 3})},
                            {NoArray()},
                            {IntArray({})},
                            {IntArray({5, 13})},
                            {IntArray({0, 9})}},
                           {Above(1)}),
            (Texts{"[2,3]", "NULL", "[]", "error: unlucky", "[9]"}));
  const Body late = {1, Type::Boolean(), [](const Args& x) -> Result<Value> {
                       return Value::Boolean(x[0].items()[1].floating() > 1.5);
                     }};
  EXPECT_EQ(CallLambda("filter", {Points({{0, 1}, {2, 3}})}, {late}),
            "[{time: 1970-01-01 00:00:02.000000000, value: 3.0}]");
}

TEST(LambdaTest, Transform) {
  EXPECT_EQ(
      CallLambdaRows("transform", {{IntArray({1, std::nullopt})}, {NoArray()}, {IntArray({})}},
                     {TimesTen()}),
      (Texts{"[10,null]", "NULL", "[]"}));
}

TEST(LambdaTest, ReduceTakesRowsOfAnyLength) {
  EXPECT_EQ(CallLambdaRows("reduce",
                           {{IntArray({1, 2, 3}), Value::Integer(0)},
                            {IntArray({}), Value::Integer(7)},
                            {NoArray(), Value::Integer(0)},
                            {IntArray({4}), Value::Integer(1)},
                            {IntArray({4, std::nullopt}), Value::Integer(1)}},
                           {Plus(), Same(Type::Integer())}),
            (Texts{"6", "7", "NULL", "5", "NULL"}));
}

TEST(LambdaTest, MatchesAreThreeValued) {
  const std::vector<Args> rows = {{IntArray({1, 2})},
                                  {IntArray({0, std::nullopt})},
                                  {IntArray({2, std::nullopt})},
                                  {IntArray({})},
                                  {NoArray()}};
  EXPECT_EQ(CallLambdaRows("any_match", rows, {Above(1)}),
            (Texts{"true", "NULL", "true", "false", "NULL"}));
  EXPECT_EQ(CallLambdaRows("all_match", rows, {Above(1)}),
            (Texts{"false", "false", "NULL", "true", "NULL"}));
  EXPECT_EQ(CallLambdaRows("none_match", rows, {Above(1)}),
            (Texts{"false", "NULL", "false", "true", "NULL"}));
}

TEST(LambdaTest, ZipWithPadsTheShorter) {
  EXPECT_EQ(
      CallLambdaRows("zip_with",
                     {{IntArray({1, 2}), IntArray({10, 20, 30})}, {IntArray({}), IntArray({})}},
                     {Plus()}),
      (Texts{"[11,22,null]", "[]"}));
}

// Descending by value; `odd` answers what no comparator may.
Body Descending(int odd) {
  return {2, Type::Integer(), [odd](const Args& x) -> Result<Value> {
            const auto a = x[0].integer();
            const auto b = x[1].integer();
            if (a == odd || b == odd) return Value::Integer(2);
            return Value::Integer(a < b ? 1 : (a == b ? 0 : -1));
          }};
}

TEST(LambdaTest, SortsByComparator) {
  EXPECT_EQ(CallLambdaRows("array_sort",
                           {{IntArray({3, 5, 1, 5, 2, 9, 7})},
                            {IntArray({})},
                            {IntArray({4})},
                            {IntArray({1, 99, 2})},
                            {NoArray()},
                            {IntArray({1, 2})}},
                           {Descending(99)}),
            (Texts{"[9,7,5,5,3,2,1]", "[]", "[4]",
                   "error: Lambda comparator must return either -1, 0, or 1", "NULL", "[2,1]"}));
}

TEST(LambdaTest, SortsAnyLengthAndKeepsTies) {
  Random random(3);
  const Body tens = {2, Type::Integer(), [](const Args& x) -> Result<Value> {
                       const auto a = x[0].integer() / 10;
                       const auto b = x[1].integer() / 10;
                       return Value::Integer(a < b ? -1 : (a == b ? 0 : 1));
                     }};
  for (std::size_t length = 0; length < 40; ++length) {
    std::vector<std::optional<int>> values;
    for (std::size_t i = 0; i < length; ++i) values.push_back(static_cast<int>(random.Below(60)));
    std::vector<std::optional<int>> sorted = values;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return *a / 10 < *b / 10; });
    EXPECT_EQ(CallLambda("array_sort", {IntArray(values)}, {tens}),
              testing::TextOf(IntArray(sorted)));
  }
}

TEST(LambdaTest, Maps) {
  const Body large = {2, Type::Boolean(), [](const Args& x) -> Result<Value> {
                        return Value::Boolean(x[1].integer() > 1);
                      }};
  EXPECT_EQ(CallLambdaRows("map_filter", {{IntMap({{"a", 1}, {"b", 2}})}, {IntMap({})}}, {large}),
            (Texts{"{b=2}", "{}"}));
  const Body prefixed = {2, Type::Varchar(), [](const Args& x) -> Result<Value> {
                           return Value::Varchar(x[0].text().substr(0, 1));
                         }};
  EXPECT_EQ(CallLambdaRows("transform_keys",
                           {{IntMap({{"aa", 1}, {"b", 2}})}, {IntMap({{"a", 1}, {"ab", 2}})}},
                           {prefixed}),
            (Texts{"{a=1, b=2}", "error: Duplicate map keys (a) are not allowed"}));
  const Body doubled = {2, Type::Double(), [](const Args& x) -> Result<Value> {
                          return Value::Double(static_cast<double>(x[1].integer()) * 2);
                        }};
  EXPECT_EQ(CallLambda("transform_values", {IntMap({{"a", 1}})}, {doubled}), "{a=2.0}");
  const Body both = {
      3, Type::Varchar(), [](const Args& x) -> Result<Value> {
        return Value::Varchar(x[0].text() + testing::TextOf(x[1]) + testing::TextOf(x[2]));
      }};
  EXPECT_EQ(CallLambda("map_zip_with", {IntMap({{"a", 1}, {"b", 2}}), IntMap({{"c", 3}, {"b", 4}})},
                       {both}),
            "{a=a1NULL, b=b24, c=cNULL3}");
}

TEST(LambdaTest, RegexpReplace) {
  const Body upper = {1, Type::Varchar(), [](const Args& x) -> Result<Value> {
                        std::string text = "<";
                        for (const Value& group : x[0].items()) text += testing::TextOf(group);
                        if (text == "<z") return Value::Null(Type::Varchar());
                        return Value::Varchar(text + ">");
                      }};
  const Value pattern = Value::Varchar("([a-z])(\\d)?");
  EXPECT_EQ(CallLambdaRows("regexp_replace",
                           {{Value::Varchar("a1 b-"), pattern},
                            {Value::Varchar("--"), pattern},
                            {Value::Varchar("z5"), Value::Varchar("(z)")},
                            {Value::Varchar("x"), Value::Varchar("(")}},
                           {upper}),
            (Texts{"<a1> <bNULL>-", "--", "NULL",
                   "error: Invalid regular expression '(' at 1: missing closing parenthesis"}));
}

}  // namespace
}  // namespace tideline::functions
