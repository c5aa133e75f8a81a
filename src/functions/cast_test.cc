#include "functions/cast.h"

#include <gtest/gtest.h>

#include <cmath>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::TextOf;

std::string Cast(const Value& value, const Type& to) {
  const Result<Value> result = CastValue(value, to);
  return result.ok() ? TextOf(*result) : "error: " + std::string(MessageOf(result.status()));
}
Value Text(std::string text) { return Value::Varchar(std::move(text)); }

struct CastCase {
  Value value;
  Type to;
  std::string expected;
};

TEST(CastTest, FollowsTheMatrix) {
  const CastCase cases[] = {
      {Value::Double(2.5), Type::Bigint(), "3"},
      {Value::Double(-2.5), Type::Bigint(), "-3"},
      {Value::Double(1e19), Type::Bigint(), "error: Out of range for bigint: 1.0E19"},
      {Value::Double(std::nan("")), Type::Boolean(), "true"},
      {Value::Double(std::nan("")), Type::Bigint(), "error: Cannot cast NaN to bigint"},
      {Value::Bigint(3'000'000'000), Type::Integer(),
       "error: Out of range for integer: 3000000000"},
      {Text("1.5"), Type::Bigint(), "error: Cannot cast '1.5' to BIGINT"},
      {Text(" 1"), Type::Bigint(), "error: Cannot cast ' 1' to BIGINT"},
      {Text("+7"), Type::Integer(), "7"},
      {Text("99999999999"), Type::Integer(), "error: Cannot cast '99999999999' to INT"},
      {Text(" -1.5E3 "), Type::Double(), "-1500.0"},
      {Text("-Infinity"), Type::Double(), "-Infinity"},
      {Text("inf"), Type::Double(), "error: Cannot cast 'inf' to DOUBLE"},
      {Text("0x10"), Type::Double(), "error: Cannot cast '0x10' to DOUBLE"},
      {Text("T"), Type::Boolean(), "true"},
      {Text("yes"), Type::Boolean(), "error: Cannot cast 'yes' to BOOLEAN"},
      {Text("hello"), Type::Varchar(2), "he"},
      {Text("néé"), Type::Varchar(2), "né"},
      {Value::Integer(12345), Type::Varchar(3),
       "error: Value 12345 cannot be represented as varchar(3)"},
      {Text("2022-06-17"), Type::Timestamp(), "2022-06-17 00:00:00.000000000"},
      {Text(" 2022-6-7 1:2 "), Type::Timestamp(), "2022-06-07 01:02:00.000000000"},
      {Text("2022-06-17 08:04:05.5+05:00"), Type::Timestamp(), "2022-06-17 03:04:05.500000000"},
      {Text("2022-06-17 08:04:05 +0000"), Type::Timestamp(), "2022-06-17 08:04:05.000000000"},
      {Text("2022-06-17 08:04:05 America/New_York"), Type::Timestamp(),
       "2022-06-17 12:04:05.000000000"},
      {Text("2022-06-17T08:04:05Z"), Type::Timestamp(), "2022-06-17 08:04:05.000000000"},
      {Text("2022-02-30"), Type::Timestamp(),
       "error: Value cannot be cast to timestamp: 2022-02-30"},
      {Text("2022-06-17 08:04:05.1234567890"), Type::Timestamp(),
       "error: Value cannot be cast to timestamp: 2022-06-17 08:04:05.1234567890"},
      {Value::Timestamp(-1), Type::Date(), "1969-12-31"},
      {Value::Timestamp(-1), Type::Time(), "23:59:59.999999999"},
      {Value::Date(19160), Type::Timestamp(), "2022-06-17 00:00:00.000000000"},
      {Value::DayToSecond(42'800'000), Type::Varchar(), "0 00:00:00.042800000"},
      {Value::YearToMonth(-31), Type::Varchar(), "-2-7"},
      {Value::Boolean(true), Type::Double(), "1.0"},
      {Text("12.345"), Type::Decimal(5, 2), "12.35"},
      {Value::Decimal(12345, 5, 2), Type::Bigint(), "123"},
      {Value::Integer(1), Type::Date(), "error: Cannot cast integer to date"},
  };
  for (const CastCase& test : cases) {
    EXPECT_EQ(Cast(test.value, test.to), test.expected) << TextOf(test.value);
  }
}

TEST(CastTest, CastsNested) {
  const Type ints = Type::Array(Type::Integer());
  const Value array = Value::Nested(ints, {Value::Integer(1), Value::Null(Type::Integer())});
  EXPECT_EQ(Cast(array, Type::Array(Type::Double())), "[1.0,null]");
  EXPECT_EQ(Cast(array, Type::Varchar()), "[1,null]");
  const Type pair = Type::Row({{"", Type::Integer()}, {"", Type::Varchar()}});
  const Value row = Value::Nested(pair, {Value::Integer(1), Text("x")});
  EXPECT_EQ(Cast(row, Type::Row({{"a", Type::Double()}, {"b", Type::Bigint()}})),
            "error: Cannot cast 'x' to BIGINT");
  EXPECT_FALSE(CanCast(pair, Type::Row({{"a", Type::Double()}})));
  EXPECT_EQ(Cast(array, Type::Json()), "[1,null]");
  EXPECT_EQ(Cast(Value::Text(Type::Json(), "[1,2.5]"), Type::Array(Type::Double())), "[1.0,2.5]");
}

TEST(CastTest, FindsCommonTypes) {
  EXPECT_EQ(CommonSuperType(Type::Integer(), Type::Double()), Type::Double());
  EXPECT_EQ(CommonSuperType(Type::Varchar(2), Type::Varchar(5)), Type::Varchar(5));
  EXPECT_EQ(CommonSuperType(Type::Date(), Type::Timestamp()), Type::Timestamp());
  EXPECT_EQ(CommonSuperType(Type::Varchar(), Type::Timestamp()), std::nullopt);
  EXPECT_EQ(CommonComparisonType(Type::Varchar(), Type::Timestamp()), Type::Timestamp());
  EXPECT_EQ(CommonSuperType(Type::Array(Type::Integer()), Type::Array(Type::Unknown())),
            Type::Array(Type::Integer()));
  EXPECT_FALSE(CanCoerce(Type::Varchar(), Type::Timestamp(), false));
  EXPECT_TRUE(CanCoerce(Type::Varchar(), Type::Timestamp(), true));
}

}  // namespace
}  // namespace tideline::functions
