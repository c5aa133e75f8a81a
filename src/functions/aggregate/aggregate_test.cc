#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>

#include "functions/registry.h"
#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Aggregate;
using testing::CallAggregate;
using Rows = std::vector<std::vector<Value>>;

Rows Ints(std::initializer_list<int> values) {
  Rows rows;
  for (const int value : values) rows.push_back({Value::Integer(value)});
  return rows;
}
Rows With(Rows rows, std::initializer_list<Value> more) {
  for (auto& row : rows) row.insert(row.end(), more);
  return rows;
}
const double kNan = std::nan("");

TEST(AggregateTest, Sums) {
  EXPECT_EQ(Aggregate("count", Ints({1, 2, 3})), "3");
  EXPECT_EQ(Aggregate("sum", Ints({1, 2, 3, 4})), "10");
  EXPECT_EQ(Aggregate("avg", Ints({1, 2, 3, 4})), "2.5");
  EXPECT_EQ(Aggregate("sum", {{Value::Null(Type::Bigint())}}), "NULL");
  EXPECT_EQ(Aggregate("count", {{Value::Null(Type::Bigint())}}), "0");
  EXPECT_EQ(Aggregate("sum", {{Value::Bigint(INT64_MAX)}, {Value::Bigint(1)}, {Value::Bigint(-2)}}),
            "9223372036854775806");
  EXPECT_EQ(Aggregate("sum", {{Value::Bigint(INT64_MAX)}, {Value::Bigint(1)}}),
            "error: bigint addition overflow in sum");
  EXPECT_EQ(Aggregate("bitwise_and_agg", Ints({1, -3})), "1");
  EXPECT_EQ(Aggregate("bool_or", {{Value::Boolean(false)}, {Value::Boolean(true)}}), "true");
}

TEST(AggregateTest, Extremes) {
  EXPECT_EQ(Aggregate("max", Ints({3, 1, 2})), "3");
  EXPECT_EQ(Aggregate("max", With(Ints({3, 1, 2, 4}), {Value::Integer(2)})), "[4,3]");
  EXPECT_EQ(Aggregate("min", {{Value::Varchar("b")}, {Value::Varchar("a")}}), "a");
  const Rows doubles = {{Value::Double(kNan)}, {Value::Double(2)}, {Value::Double(1)}};
  EXPECT_EQ(Aggregate("min", doubles), "1.0");
  EXPECT_EQ(Aggregate("max", doubles), "2.0");
  EXPECT_EQ(Aggregate("max", doubles, 3, false), "2.0");
  EXPECT_EQ(Aggregate("max", {{Value::Double(kNan)}}), "NaN");
  EXPECT_EQ(Aggregate("max", With(doubles, {Value::Integer(5)})), "[2.0,1.0,NaN]");
  const Rows pairs = {{Value::Varchar("a"), Value::Double(1)},
                      {Value::Varchar("b"), Value::Double(kNan)},
                      {Value::Null(Type::Varchar()), Value::Double(3)},
                      {Value::Varchar("d"), Value::Null(Type::Double())}};
  EXPECT_EQ(Aggregate("max_by", pairs), "NULL");
  EXPECT_EQ(Aggregate("min_by", pairs), "a");
  EXPECT_EQ(Aggregate("max_by", With(pairs, {Value::Integer(2)})), "[null,a]");
}

TEST(AggregateTest, Moments) {
  const auto near = [](std::string_view name, double expected) {
    const Rows rows = Ints({1, 2, 3, 4, 8});
    for (const std::size_t parts : {1, 2, 5}) {
      const double got =
          CallAggregate(name, rows, {Type::Integer()}, parts, parts != 5)->floating();
      EXPECT_NEAR(got, expected, 1e-9) << name;
    }
  };
  near("skewness", 0.8978957037987335);
  near("kurtosis", 2.021017076374555);
  near("stddev", 2.701851217221259);
  near("var_pop", 5.84);
  EXPECT_EQ(Aggregate("stddev", Ints({1})), "NULL");
  EXPECT_EQ(Aggregate("stddev_pop", Ints({1})), "0.0");
}

TEST(AggregateTest, Percentiles) {
  const auto at = [](double p) {
    return Aggregate("approx_percentile", With(Ints({1, 2, 3, 4}), {Value::Double(p)}));
  };
  EXPECT_EQ(at(0), "1");
  EXPECT_EQ(at(0.4), "2");
  EXPECT_EQ(at(0.5), "3");
  EXPECT_EQ(at(1), "4");
  EXPECT_EQ(at(1.5), "error: Percentile must be between 0 and 1");
  EXPECT_EQ(Aggregate("approx_percentile", {{Value::Double(kNan), Value::Double(0.5)}}),
            "error: approx_percentile does not support NaN");
  Rows many;
  for (int i = 0; i < 60'000; ++i) {
    many.push_back({Value::Bigint((i * 7919LL) % 60'000), Value::Double(0.9)});
  }
  for (const std::size_t parts : {1, 7}) {
    const std::int64_t got =
        CallAggregate("approx_percentile", many, {Type::Bigint(), Type::Double()}, parts, true)
            ->integer();
    EXPECT_NEAR(static_cast<double>(got), 54'000, 600);
  }
}

TEST(AggregateTest, DistinctCounts) {
  EXPECT_EQ(Aggregate("approx_distinct", Ints({1, 2, 3, 4, 8, 8})), "5");
  EXPECT_EQ(Aggregate("approx_distinct", {{Value::Null(Type::Bigint())}}), "0");
  Rows many;
  for (int i = 0; i < 40'000; ++i) many.push_back({Value::Bigint(i % 20'000)});
  const std::int64_t got =
      CallAggregate("approx_distinct", many, {Type::Bigint()}, 3, true)->integer();
  EXPECT_NEAR(static_cast<double>(got), 20'000, 20'000 * 0.08);
}

TEST(AggregateTest, Collects) {
  EXPECT_EQ(Aggregate("array_agg", {{Value::Integer(1)}, {Value::Null(Type::Integer())}}),
            "[1,null]");
  const Rows points = {{Value::Timestamp(2'000'000'000), Value::Double(3)},
                       {Value::Timestamp(0), Value::Double(1)}};
  EXPECT_EQ(Aggregate("create_time_series", points),
            "[{time: 1970-01-01 00:00:00.000000000, value: 1.0}, {time: 1970-01-01 "
            "00:00:02.000000000, value: 3.0}]");
  EXPECT_EQ(Aggregate("create_time_series", {{Value::Timestamp(0), Value::Null(Type::Double())}}),
            "error: create_time_series: the second parameter cannot be null");
}

// Whatever the cut into states, the answer is that of one pass.
TEST(AggregateTest, MergingEqualsOnePass) {
  Random random(7);
  Rows rows;
  for (int i = 0; i < 500; ++i) {
    const bool is_null = random.Below(10) == 0;
    rows.push_back({is_null ? Value::Null(Type::Bigint())
                            : Value::Bigint(static_cast<std::int64_t>(random.Below(1000)))});
  }
  for (const std::string_view name : {"count", "sum", "min", "max", "avg", "array_agg", "arbitrary",
                                      "approx_distinct", "bitwise_or_agg"}) {
    const std::string whole = Aggregate(name, rows);
    EXPECT_EQ(Aggregate(name, rows, 4), whole) << name;
    EXPECT_EQ(Aggregate(name, rows, 9, false), whole) << name;
  }
}

// Rows of many groups lie in chunks together; what one group gets is its own, in order, over the ends of chunks, with
// several rows a group in one call, and after tables were merged.
class CollectTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kGroups = 7;
  struct Table {
    explicit Table(MemoryBudget* memory) {
      context.state = &state;
      context.memory = memory;
      for (auto& group : states) overload().initialize(context, group.data());
    }
    ~Table() {
      for (auto& group : states) overload().destroy(group.data());
    }
    // Numbers [first, first + count), number n to group n % kGroups.
    void Add(std::int64_t first, std::size_t count) {
      Vector vector = Vector::Flat(Type::Bigint(), count);
      std::vector<AggregateState> each;
      for (std::size_t i = 0; i < count; ++i) {
        vector.mutable_values<std::int64_t>()[i] = first + static_cast<std::int64_t>(i);
        each.push_back(states[(static_cast<std::size_t>(first) + i) % kGroups].data());
      }
      ASSERT_TRUE(overload().update(context, std::span(&vector, 1), Selection::All(count), each.data()).ok());
    }
    std::vector<std::int64_t> Of(std::uint32_t group) {
      Vector result = Vector::Flat(Type::Array(Type::Bigint()), 1);
      EXPECT_TRUE(overload().finalize(context, states[group].data(), 0, &result).ok());
      if (result.IsNull(0)) return {};
      const auto* values = result.child(0).values<std::int64_t>();
      return {values, values + result.values<ListEntry>()[0].length};
    }
    static const AggregateOverload& overload() {
      return FunctionRegistry::Get().FindAggregate("array_agg")->overloads[0];
    }

    std::any state;
    KernelContext context;
    alignas(16) std::array<std::array<std::byte, 64>, kGroups> states;
  };
  static std::vector<std::int64_t> Numbers(std::int64_t first, std::int64_t end, std::uint32_t group) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t n = first; n < end; ++n) {
      if (n % kGroups == group) numbers.push_back(n);
    }
    return numbers;
  }
  MemoryBudget memory_{"query", std::size_t{64} << 20};
};

TEST_F(CollectTest, GroupsShareChunks) {
  {
    Table table(&memory_);
    for (std::int64_t first = 0; first < 9'000; first += 1'500) table.Add(first, 1'500);
    for (std::uint32_t group = 0; group < kGroups; ++group) EXPECT_EQ(table.Of(group), Numbers(0, 9'000, group));
    EXPECT_GT(memory_.used_bytes(), 9'000U * sizeof(std::int64_t));
    EXPECT_LT(memory_.used_bytes(), 9'000U * 24 + 64 * 1024);
  }
  EXPECT_EQ(memory_.used_bytes(), 0U);
}

TEST_F(CollectTest, TablesMerge) {
  Table into(&memory_);
  Table from(&memory_);
  into.Add(0, 2'000);
  from.Add(2'000, 2'000);
  for (std::uint32_t group = 1; group < kGroups; ++group) {
    ASSERT_TRUE(Table::overload().combine(into.context, from.states[group].data(), into.states[group].data()).ok());
  }
  EXPECT_EQ(into.Of(0), Numbers(0, 2'000, 0));
  for (std::uint32_t group = 1; group < kGroups; ++group) EXPECT_EQ(into.Of(group), Numbers(0, 4'000, group));
  // Within one table as well, in an order that goes back over chunks.
  ASSERT_TRUE(Table::overload().combine(into.context, into.states[1].data(), into.states[2].data()).ok());
  std::vector<std::int64_t> both = Numbers(0, 4'000, 2);
  for (const std::int64_t n : Numbers(0, 4'000, 1)) both.push_back(n);
  EXPECT_EQ(into.Of(2), both);
  EXPECT_TRUE(into.Of(1).empty());
}

TEST_F(CollectTest, TheBudgetIsAsked) {
  MemoryBudget small("query", 10'000);
  Table table(&small);
  Vector vector = Vector::Flat(Type::Bigint(), 2'000);
  std::fill_n(vector.mutable_values<std::int64_t>(), 2'000, 1);
  EXPECT_EQ(CodeOf(Table::overload().update_one(table.context, std::span(&vector, 1), Selection::All(2'000),
                                                table.states[0].data())),
            ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace tideline::functions
