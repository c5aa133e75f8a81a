#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Call;

Value Ts(std::string_view text) {
  return *CastValue(Value::Varchar(std::string(text)), Type::Timestamp());
}
Value Date(std::string_view text) {
  return *CastValue(Value::Varchar(std::string(text)), Type::Date());
}
const double kNan = std::nan("");

TEST(OperatorTest, IntegersOverflowAndDivideByZero) {
  EXPECT_EQ(Call("$add", {Value::Integer(2147483647), Value::Integer(1)}),
            "error: integer addition overflow: 2147483647 + 1");
  EXPECT_EQ(Call("$multiply", {Value::Bigint(INT64_MAX), Value::Bigint(2)}),
            "error: bigint multiplication overflow: 9223372036854775807 * 2");
  EXPECT_EQ(Call("$divide", {Value::Integer(-7), Value::Integer(2)}), "-3");
  EXPECT_EQ(Call("$divide", {Value::Integer(1), Value::Integer(0)}), "error: Division by zero");
  EXPECT_EQ(Call("$modulus", {Value::Integer(-7), Value::Integer(3)}), "-1");
  EXPECT_EQ(Call("$modulus", {Value::Bigint(INT64_MIN), Value::Bigint(-1)}), "0");
  EXPECT_EQ(Call("$negate", {Value::Bigint(INT64_MIN)}),
            "error: bigint negation overflow: -9223372036854775808");
  EXPECT_EQ(Call("$divide", {Value::Double(1), Value::Integer(0)}), "Infinity");
  EXPECT_EQ(Call("$add", {Value::Integer(1), Value()}), "NULL");
}

TEST(OperatorTest, MovesInstants) {
  const Value hour = Value::DayToSecond(kNsPerHour);
  EXPECT_EQ(Call("$add", {Ts("2024-01-31 10:00:00"), Value::YearToMonth(1)}),
            "2024-02-29 10:00:00.000000000");
  EXPECT_EQ(Call("$add", {Date("2020-01-31"), Value::YearToMonth(1)}), "2020-02-29");
  EXPECT_EQ(Call("$add", {Date("2020-01-31"), hour}),
            "error: Cannot add hour, minutes or seconds to a date");
  EXPECT_EQ(Call("$subtract", {Value::Time(0), hour}), "23:00:00.000000000");
  EXPECT_EQ(Call("$add", {Value::Timestamp(INT64_MAX), hour}), "error: Timestamp out of range");
  EXPECT_EQ(
      Call("$subtract", {Value::DayToSecond(6 * kNsPerDay), Value::DayToSecond(4 * kNsPerHour)}),
      "5 20:00:00.000000000");
  EXPECT_EQ(Call("$add", {Value::YearToMonth(48), Value::YearToMonth(2)}), "4-2");
  EXPECT_EQ(Call("$multiply", {hour, Value::Double(1.5)}), "0 01:30:00.000000000");
  EXPECT_EQ(Call("$divide", {hour, Value::Integer(0)}), "error: Division by zero");
}

TEST(OperatorTest, ComparesWithNanAndNull) {
  EXPECT_EQ(Call("$equal", {Value::Double(kNan), Value::Double(kNan)}), "false");
  EXPECT_EQ(Call("$not_equal", {Value::Double(kNan), Value::Double(kNan)}), "true");
  EXPECT_EQ(Call("$less_equal", {Value::Double(kNan), Value::Double(1)}), "false");
  EXPECT_EQ(Call("$greater_equal", {Value::Double(1), Value::Double(kNan)}), "false");
  EXPECT_EQ(Call("$equal", {Value::Double(-0.0), Value::Double(0.0)}), "true");
  EXPECT_EQ(Call("$distinct_from", {Value(), Value::Integer(1)}), "true");
  EXPECT_EQ(Call("$distinct_from", {Value::Null(Type::Integer()), Value()}), "false");
  EXPECT_EQ(Call("$less", {Value::Varchar("Zebra"), Value::Varchar("apple")}), "true");
  EXPECT_EQ(Call("$greater_equal", {Value::Timestamp(0), Value::Varchar("1969-12-31")}), "true");
  EXPECT_EQ(Call("$equal", {Value::Timestamp(0), Value::Varchar("soon")}),
            "error: Value cannot be cast to timestamp: soon");
}

TEST(OperatorTest, ComparesNestedWithUnknowns) {
  const Type ints = Type::Array(Type::Integer());
  const Value one_null = Value::Nested(ints, {Value::Integer(1), Value::Null(Type::Integer())});
  const Value one_two = Value::Nested(ints, {Value::Integer(1), Value::Integer(2)});
  const Value two_null = Value::Nested(ints, {Value::Integer(2), Value::Null(Type::Integer())});
  EXPECT_EQ(Call("$equal", {one_null, one_two}), "NULL");
  EXPECT_EQ(Call("$equal", {two_null, one_two}), "false");
  EXPECT_EQ(Call("$equal", {one_two, one_two}), "true");
  EXPECT_EQ(Call("$less", {one_two, Value::Nested(ints, {Value::Integer(2)})}), "true");
  EXPECT_EQ(Call("$less", {one_null, one_two}), "NULL");
  EXPECT_EQ(Call("$less", {two_null, one_two}), "false");
}

TEST(OperatorTest, Likes) {
  const auto like = [](std::string text, std::string pattern) {
    return Call("$like", {Value::Varchar(std::move(text)), Value::Varchar(std::move(pattern))});
  };
  EXPECT_EQ(like("fuel-reading", "fuel%"), "true");
  EXPECT_EQ(like("fuel", "FUEL"), "false");
  EXPECT_EQ(like("abcbc", "a%bc"), "true");
  EXPECT_EQ(like("abc", "a%cc"), "false");
  EXPECT_EQ(like("né", "n_"), "true");
  EXPECT_EQ(like("x1y2z", "%_y_%"), "true");
  EXPECT_EQ(like("", "%"), "true");
  EXPECT_EQ(like("", "_"), "false");
  EXPECT_EQ(Call("$like", {Value::Varchar("50%"), Value::Varchar("50#%"), Value::Varchar("#")}),
            "true");
  EXPECT_EQ(Call("$like", {Value::Varchar("50%"), Value::Varchar("5#0"), Value::Varchar("#")}),
            "error: Escape character must be followed by '%', '_' or the escape character itself");
}

TEST(OperatorTest, ConcatenatesAndSubscripts) {
  const Type ints = Type::Array(Type::Integer());
  const Value array = Value::Nested(ints, {Value::Integer(5), Value::Integer(6)});
  EXPECT_EQ(Call("$concat", {Value::Varchar("a"), Value::Varchar("bcdefghijklmnop")}),
            "abcdefghijklmnop");
  EXPECT_EQ(Call("$concat", {array, Value::Integer(7)}), "[5,6,7]");
  EXPECT_EQ(Call("$concat", {Value::Bigint(4), array}), "[4,5,6]");
  EXPECT_EQ(Call("$subscript", {array, Value::Integer(2)}), "6");
  EXPECT_EQ(Call("$subscript", {array, Value::Integer(5)}),
            "error: Array subscript must be less than or equal to array length: 5 > 2");
  EXPECT_EQ(Call("$subscript", {array, Value::Integer(0)}), "error: SQL array indices start at 1");
  EXPECT_EQ(Call("element_at", {array, Value::Integer(-1)}), "6");
  EXPECT_EQ(Call("element_at", {array, Value::Integer(9)}), "NULL");
  EXPECT_EQ(Call("$array", {Value::Integer(1), Value::Double(2.5)}), "[1.0,2.5]");
}

TEST(OperatorTest, KernelsAgreeAcrossEncodings) {
  const auto* add = FunctionRegistry::Get().FindScalar("$add");
  const auto& overload = add->overloads[2];
  std::vector<Value> values;
  for (int i = 0; i < 100; ++i) values.push_back(Value::Double(i));
  const Vector flat = Vector::FromValues(Type::Double(), values);
  std::vector<std::uint32_t> identity(100);
  for (std::uint32_t i = 0; i < 100; ++i) identity[i] = i;
  const Vector forms[] = {flat, flat.Slice(identity),
                          Vector::Constant(Type::Double(), Value::Double(3), 100)};
  for (const Vector& a : forms) {
    for (const Vector& b : forms) {
      const std::vector<Vector> arguments = {a, b};
      Vector result = Vector::Flat(Type::Double(), 100);
      RowErrors errors;
      ASSERT_TRUE(overload.kernel({}, arguments, Selection::All(100), &result, &errors).ok());
      for (std::size_t i = 0; i < 100; ++i) {
        EXPECT_EQ(result.values<double>()[i], a.GetValue(i).floating() + b.GetValue(i).floating());
      }
    }
  }
}

}  // namespace
}  // namespace tideline::functions
