#include <gtest/gtest.h>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Aggregate;
using testing::Call;
using Rows = std::vector<std::vector<Value>>;

Value Str(std::string text) { return Value::Varchar(std::move(text)); }
Value Int(int v) { return Value::Integer(v); }
Value Strs(std::vector<std::string> values) {
  std::vector<Value> items;
  for (auto& v : values) items.push_back(Str(v));
  return Value::Nested(Type::Array(Type::Varchar()), std::move(items));
}
Value Nums(std::vector<int> values) {
  std::vector<Value> items;
  for (const int v : values) items.push_back(Int(v));
  return Value::Nested(Type::Array(Type::Integer()), std::move(items));
}
Value MapOf(std::vector<std::pair<std::string, int>> entries) {
  std::vector<Value> items;
  for (const auto& [key, value] : entries) {
    items.push_back(Str(key));
    items.push_back(Int(value));
  }
  return Value::Nested(Type::Map(Type::Varchar(), Type::Integer()), std::move(items));
}
Value Weights(std::vector<std::pair<std::string, double>> entries) {
  std::vector<Value> items;
  for (const auto& [key, value] : entries) {
    items.push_back(Str(key));
    items.push_back(Value::Double(value));
  }
  return Value::Nested(Type::Map(Type::Varchar(), Type::Double()), std::move(items));
}

TEST(MapTest, Construction) {
  EXPECT_EQ(Call("map", {Strs({"a", "b"}), Nums({1, 2})}), "{a=1, b=2}");
  EXPECT_EQ(Call("map", {Strs({}), Nums({})}), "{}");
  EXPECT_EQ(Call("map", {Strs({"a"}), Nums({1, 2})}),
            "error: Key and value arrays must be the same length");
  EXPECT_EQ(Call("map", {Strs({"a", "a"}), Nums({1, 2})}),
            "error: Duplicate map keys (a) are not allowed");
  const Value no_key = Value::Nested(Type::Array(Type::Varchar()), {Value::Null(Type::Varchar())});
  EXPECT_EQ(Call("map", {no_key, Nums({1})}), "error: map key cannot be null");
  const Type pair = Type::Row({{"", Type::Varchar()}, {"", Type::Integer()}});
  const Value entry = Value::Nested(pair, {Str("a"), Int(1)});
  EXPECT_EQ(Call("map_from_entries", {Value::Nested(Type::Array(pair), {entry})}), "{a=1}");
  EXPECT_EQ(Call("map_from_entries", {Value::Nested(Type::Array(pair), {entry, entry})}),
            "error: Duplicate map keys (a) are not allowed");
  EXPECT_EQ(Call("map_from_entries", {Value::Nested(Type::Array(pair), {Value::Null(pair)})}),
            "error: map entry cannot be null");
  EXPECT_EQ(Call("split_to_map", {Str("a:1,b:2"), Str(","), Str(":")}), "{a=1, b=2}");
  EXPECT_EQ(Call("split_to_map", {Str("a:1,a:2"), Str(","), Str(":")}),
            "error: Duplicate map keys (a) are not allowed");
  EXPECT_EQ(Call("split_to_map", {Str("a"), Str(","), Str(":")}).substr(0, 29),
            "error: Key-value delimiter mu");
}

TEST(MapTest, TakingApart) {
  const Value map = MapOf({{"a", 1}, {"b", 2}});
  EXPECT_EQ(Call("map_keys", {map}), "[a,b]");
  EXPECT_EQ(Call("map_values", {map}), "[1,2]");
  EXPECT_EQ(Call("map_entries", {map}), "[(a,1),(b,2)]");
  EXPECT_EQ(Call("map_entries", {MapOf({})}), "[]");
  EXPECT_EQ(Call("cardinality", {map}), "2");
  EXPECT_EQ(Call("element_at", {map, Str("b")}), "2");
  EXPECT_EQ(Call("element_at", {map, Str("c")}), "NULL");
  EXPECT_EQ(Call("$subscript", {map, Str("c")}), "error: Key not present in map: c");
  EXPECT_EQ(Call("map_concat", {map, MapOf({{"c", 4}, {"a", 3}})}), "{a=3, b=2, c=4}");
  EXPECT_EQ(Call("map_concat", {map, MapOf({}), MapOf({{"b", 9}})}), "{a=1, b=9}");
}

TEST(MapTest, Aggregates) {
  const Rows rows = {{Str("a"), Int(1)},
                     {Str("b"), Int(2)},
                     {Value::Null(Type::Varchar()), Int(3)},
                     {Str("a"), Value::Null(Type::Integer())}};
  for (const std::size_t parts : {1U, 2U, 4U}) {
    EXPECT_EQ(Aggregate("map_agg", rows, parts), "{a=1, b=2}");
    EXPECT_EQ(Aggregate("multimap_agg", rows, parts, false), "{a=[1,null], b=[2]}");
    const Rows values = {{Int(7)}, {Int(8)}, {Value::Null(Type::Integer())}, {Int(7)}};
    EXPECT_EQ(Aggregate("histogram", values, parts), "{7=2, 8=1}");
    EXPECT_EQ(Aggregate("set_agg", values, parts), "[7,8,null]");
    EXPECT_EQ(Aggregate("map_union", {{MapOf({{"a", 1}})}, {MapOf({{"b", 2}, {"a", 3}})}}, parts),
              "{a=1, b=2}");
    EXPECT_EQ(Aggregate("set_union", {{Nums({1, 2})}, {Nums({})}, {Nums({2, 3})}}, parts),
              "[1,2,3]");
    EXPECT_EQ(Aggregate("listagg", {{Str("a"), Str("-")}, {Str("b"), Str("-")}}, parts), "a-b");
    EXPECT_EQ(Aggregate("entropy", {{Int(1)}, {Int(1)}, {Int(2)}, {Int(0)}}, parts), "1.5");
  }
  EXPECT_EQ(Aggregate("map_agg", {{Value::Null(Type::Varchar()), Int(1)}}), "NULL");
  EXPECT_EQ(Aggregate("set_union", {{Nums({})}}), "[]");
  EXPECT_EQ(Aggregate("entropy", {{Int(-1)}}),
            "error: Entropy count argument must be non-negative");
  EXPECT_EQ(Aggregate("checksum", {{Int(1)}, {Int(2)}}),
            Aggregate("checksum", {{Int(2)}, {Int(1)}}));
  EXPECT_NE(Aggregate("checksum", {{Int(1)}, {Int(2)}}),
            Aggregate("checksum", {{Int(1)}, {Int(1)}}));
}

TEST(MapTest, Histograms) {
  const auto row = [](int n, double x) { return std::vector<Value>{Int(n), Value::Double(x)}; };
  EXPECT_EQ(Aggregate("numeric_histogram", {row(2, 1), row(2, 12), row(2, 2), row(2, 10)}),
            "{1.5=2.0, 11.0=2.0}");
  EXPECT_EQ(Aggregate("numeric_histogram", {row(5, 1), row(5, 1), row(5, 2)}),
            "{1.0=2.0, 2.0=1.0}");
  EXPECT_EQ(Aggregate("numeric_histogram", {row(1, 1)}),
            "error: numeric_histogram bucket count must be greater than one");
  Rows many;
  for (int i = 0; i < 1000; ++i) many.push_back(row(10, i * 37 % 100));
  const auto found =
      testing::CallAggregate("numeric_histogram", many, {Type::Integer(), Type::Double()}, 3, true);
  ASSERT_TRUE(found.ok());
  double weight = 0;
  for (std::size_t i = 1; i < found->items().size(); i += 2) {
    weight += found->items()[i].floating();
  }
  EXPECT_EQ(found->items().size(), 20U);
  EXPECT_EQ(weight, 1000.0);
  Rows frequent;
  for (int i = 0; i < 1000; ++i) {
    frequent.push_back({Int(2), Int(i % 3 == 0 ? 1 : (i % 5 == 0 ? 2 : i)), Int(20)});
  }
  const auto top =
      testing::CallAggregate("approx_most_frequent", frequent,
                             {Type::Integer(), Type::Integer(), Type::Integer()}, 2, true);
  ASSERT_TRUE(top.ok());
  EXPECT_EQ(top->items()[0].integer(), 1);
  EXPECT_EQ(top->items()[2].integer(), 2);
  EXPECT_NEAR(static_cast<double>(top->items()[1].integer()), 334, 50);
}

TEST(ArrayTest, Derived) {
  EXPECT_EQ(Call("ngrams", {Nums({1, 2, 3}), Int(2)}), "[[1,2],[2,3]]");
  EXPECT_EQ(Call("ngrams", {Nums({1, 2}), Int(5)}), "[[1,2]]");
  EXPECT_EQ(Call("ngrams", {Nums({1}), Int(0)}), "error: N must be positive");
  EXPECT_EQ(Call("combinations", {Nums({1, 2, 3, 4}), Int(2)}),
            "[[1,2],[1,3],[2,3],[1,4],[2,4],[3,4]]");
  EXPECT_EQ(Call("combinations", {Nums({1, 2}), Int(0)}), "[[]]");
  EXPECT_EQ(Call("combinations", {Nums({1, 2}), Int(3)}), "[]");
  EXPECT_EQ(Call("combinations", {Nums({1, 2}), Int(6)}),
            "error: combination size must not exceed 5: 6");
  EXPECT_EQ(Call("combinations", {Nums(std::vector<int>(1000, 1)), Int(3)}),
            "error: combinations exceed max size: more than 100000");
  EXPECT_EQ(Call("trim_array", {Nums({1, 2, 3}), Int(2)}), "[1]");
  EXPECT_EQ(Call("trim_array", {Nums({1}), Int(2)}),
            "error: size must not exceed array cardinality 1: 2");
  EXPECT_EQ(Call("array_first", {Nums({})}), "NULL");
  EXPECT_EQ(Call("array_last", {Nums({4, 5})}), "5");
  EXPECT_EQ(Call("array_sum", {Nums({4, 5})}), "9");
  EXPECT_EQ(Call("array_average", {Nums({})}), "NULL");
  EXPECT_EQ(Call("array_frequency", {Nums({4, 5, 4})}), "{4=2, 5=1}");
  EXPECT_EQ(Call("array_has_duplicates", {Nums({4, 5})}), "false");
}

TEST(StatisticsTest, Values) {
  const auto near = [](std::string_view name, std::vector<Value> arguments, double expected) {
    const Result<Value> value = testing::CallScalar(name, std::move(arguments));
    ASSERT_TRUE(value.ok()) << name << ' ' << value.status();
    EXPECT_NEAR(value->floating(), expected, std::abs(expected) * 1e-13) << name;
  };
  const auto d = [](double v) { return Value::Double(v); };
  near("inverse_normal_cdf", {d(0), d(1), d(0.975)}, 1.9599639845400545);
  near("inverse_normal_cdf", {d(0), d(1), d(1e-10)}, -6.361340902404056);
  near("inverse_normal_cdf", {d(10), d(9), d(0.9)}, 21.53396408990140);
  near("wilson_interval_lower", {Int(1250), Int(1310), d(1.96)}, 0.9414883725395894);
  near("great_circle_distance", {d(36.12), d(-86.67), d(33.94), d(-118.40)}, 2886.4489734367016);
  near("cosine_similarity", {Weights({{"a", 1.0}, {"b", 2.0}}), Weights({{"b", 2.0}, {"c", 3.0}})},
       4 / std::sqrt(5.0 * 13.0));
  EXPECT_EQ(Call("inverse_normal_cdf", {d(0), d(1), d(1)}), "error: p must be 0 > p > 1");
  EXPECT_EQ(Call("wilson_interval_upper", {Int(2), Int(1), d(1)}),
            "error: number of successes must not be larger than number of trials");
  EXPECT_EQ(Call("great_circle_distance", {d(91), d(0), d(0), d(0)}),
            "error: Latitude must be between -90 and 90");
  const auto bins = [](std::vector<double> values) {
    std::vector<Value> items;
    for (const double v : values) items.push_back(Value::Double(v));
    return Value::Nested(Type::Array(Type::Double()), std::move(items));
  };
  EXPECT_EQ(Call("width_bucket", {d(3.14), bins({0, 2, 4})}), "2");
  EXPECT_EQ(Call("width_bucket", {d(-1), bins({0, 2, 4})}), "0");
  EXPECT_EQ(Call("width_bucket", {d(1), bins({})}), "error: Bins cannot be an empty array");
  EXPECT_EQ(Call("width_bucket", {d(1), bins({2, 1})}),
            "error: Bin values are not sorted in ascending order");
  EXPECT_EQ(Call("regexp_position", {Str("I have 23 apples and 5 pears"), Str("\\d+")}), "8");
  EXPECT_EQ(Call("regexp_position", {Str("née 5é6"), Str("\\d"), Int(6), Int(1)}), "7");
  EXPECT_EQ(Call("regexp_position", {Str("abc"), Str("x")}), "-1");
  EXPECT_EQ(Call("regexp_position", {Str("abc"), Str("a"), Int(0)}),
            "error: start position cannot be smaller than 1");
  EXPECT_EQ(Call("fail", {Str("too late {}")}), "error: too late {}");
  EXPECT_EQ(Call("uuid", {}).size(), 36U);
}

}  // namespace
}  // namespace tideline::functions
