// Scalar functions by name: one line each for what is easy to get wrong.
#include <gtest/gtest.h>

#include "functions/print_reference.h"
#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Call;

Value Text(std::string text) { return Value::Varchar(std::move(text)); }
Value Int(std::int32_t v) { return Value::Integer(v); }
Value Dbl(double v) { return Value::Double(v); }
Value Ts(std::string text) { return *CastValue(Text(std::move(text)), Type::Timestamp()); }
Value Date(std::string text) { return *CastValue(Text(std::move(text)), Type::Date()); }
Value Seconds(double s) { return Value::DayToSecond(static_cast<std::int64_t>(s * 1e9)); }
Value Ints(std::vector<int> values) {
  std::vector<Value> items;
  for (const int v : values) items.push_back(Int(v));
  return Value::Nested(Type::Array(Type::Integer()), std::move(items));
}
Value SeriesOf(std::vector<std::pair<int, double>> points) {
  std::vector<Value> items;
  for (const auto& [second, value] : points) {
    items.push_back(Value::Timestamp(second * kNsPerSecond));
    items.push_back(Dbl(value));
  }
  return Value::Nested(Type::Timeseries(Type::Double()), std::move(items));
}
Value At(double seconds) { return Value::Timestamp(static_cast<std::int64_t>(seconds * 1e9)); }

TEST(FunctionsTest, Mathematics) {
  EXPECT_EQ(Call("round", {Dbl(-2.5)}), "-3.0");
  EXPECT_EQ(Call("round", {Dbl(-0.4)}), "-0.0");
  EXPECT_EQ(Call("round", {Dbl(2.675), Int(2)}), "2.68");
  EXPECT_EQ(Call("round", {Dbl(1234.5678), Int(2)}), "1234.57");
  EXPECT_EQ(Call("round", {Int(12345), Int(-2)}), "12300");
  EXPECT_EQ(Call("abs", {Int(INT32_MIN)}),
            "error: Value -2147483648 is out of range for abs(integer)");
  EXPECT_EQ(Call("from_base", {Text("zz"), Int(16)}), "error: Not a valid base-16 number: zz");
  EXPECT_EQ(Call("to_base", {Int(-255), Int(16)}), "-ff");
  EXPECT_EQ(Call("bit_count", {Int(-7), Int(64)}), "62");
  EXPECT_EQ(Call("bit_count", {Int(19), Int(2)}),
            "error: Number must be representable with the bits specified. 19 can not be "
            "represented with 2 bits");
  EXPECT_EQ(Call("log", {Int(2), Int(8)}), "3.0");
  EXPECT_EQ(Call("truncate", {Dbl(-2.7)}), "-2.0");
  EXPECT_EQ(Call("width_bucket", {Dbl(5), Int(0), Int(10), Int(5)}), "3");
  EXPECT_EQ(Call("greatest", {Int(1), Value(), Int(2)}), "NULL");
  EXPECT_EQ(Call("greatest", {Int(1), Dbl(2.5)}), "2.5");
  EXPECT_EQ(Call("typeof", {Value()}), "unknown");
}

TEST(FunctionsTest, Text) {
  EXPECT_EQ(Call("substr", {Text("Timestream"), Int(-6), Int(3)}), "str");
  EXPECT_EQ(Call("substr", {Text("abc"), Int(0)}), "");
  EXPECT_EQ(Call("substr", {Text("abc"), Int(-5)}), "");
  EXPECT_EQ(Call("split_part", {Text("a,b"), Text(","), Int(5)}), "NULL");
  EXPECT_EQ(Call("split", {Text("a,b,,c"), Text(",")}), "[a,b,,c]");
  EXPECT_EQ(Call("lpad", {Text("abcd"), Int(2), Text("x")}), "ab");
  EXPECT_EQ(Call("lpad", {Text("7"), Int(3), Text("0")}), "007");
  EXPECT_EQ(Call("replace", {Text("abc"), Text(""), Text("-")}), "-a-b-c-");
  EXPECT_EQ(Call("strpos", {Text("high"), Text("h"), Int(2)}), "4");
  EXPECT_EQ(Call("strrpos", {Text("high"), Text("h")}), "4");
  EXPECT_EQ(Call("upper", {Text("straße é ж")}), "STRAßE É Ж");
  EXPECT_EQ(Call("reverse", {Text("né")}), "én");
  EXPECT_EQ(Call("trim", {Text(" \t a b\n")}), "a b");
  EXPECT_EQ(Call("levenshtein_distance", {Text("kitten"), Text("sitting")}), "3");
  EXPECT_EQ(Call("translate", {Text("abcd"), Text("ac"), Text("z")}), "zbd");
  EXPECT_EQ(Call("concat", {Text("a")}),
            "error: There must be two or more concatenation arguments");
}

TEST(FunctionsTest, Dates) {
  EXPECT_EQ(Call("bin", {Ts("2022-06-17 10:15:20"), Value::DayToSecond(7 * kNsPerDay)}),
            "2022-06-16 00:00:00.000000000");
  EXPECT_EQ(Call("bin", {Text("2021-11-15 11:18:42"), Value::DayToSecond(3 * kNsPerDay)}),
            "2021-11-14 00:00:00.000000000");
  EXPECT_EQ(Call("bin", {Ts("1969-12-31 23:59:59"), Seconds(60)}), "1969-12-31 23:59:00.000000000");
  EXPECT_EQ(Call("date_trunc", {Text("week"), Ts("2022-06-17 10:00:00")}),
            "2022-06-13 00:00:00.000000000");
  EXPECT_EQ(Call("date_trunc", {Text("foo"), Ts("2022-06-17")}),
            "error: 'foo' is not a valid Timestamp field");
  EXPECT_EQ(Call("date_diff", {Text("month"), Date("2020-01-31"), Date("2020-02-29")}), "1");
  EXPECT_EQ(Call("date_diff", {Text("month"), Date("2020-01-31"), Date("2020-03-01")}), "1");
  EXPECT_EQ(Call("date_diff", {Text("year"), Date("2019-03-01"), Date("2020-02-29")}), "0");
  EXPECT_EQ(Call("week", {Text("2021-01-01")}), "53");
  EXPECT_EQ(Call("year_of_week", {Text("2021-01-01")}), "2020");
  EXPECT_EQ(Call("nanosecond", {Ts("2020-01-01 00:00:00.162")}), "162000000");
  EXPECT_EQ(Call("to_unixtime", {Text("2022-06-17 17:44:43.771000000")}), "1.6554878837710001E9");
  EXPECT_EQ(Call("from_iso8601_date", {Text("2020-123")}), "2020-05-02");
  EXPECT_EQ(Call("from_iso8601_timestamp", {Text("2022-06-17T08:04:05.000000000+05:00")}),
            "2022-06-17 03:04:05.000000000");
  EXPECT_EQ(Call("parse_duration", {Text("42.8ms")}), "0 00:00:00.042800000");
  EXPECT_EQ(Call("parse_duration", {Text("3 hours")}), "error: Unknown time unit: hours");
  EXPECT_EQ(Call("ago", {Seconds(3600)}), "2023-12-31 23:00:00.000000000");
  EXPECT_EQ(Call("ago", {Text("7d")}).substr(0, 58),
            "error: Unexpected parameters (varchar) for function ago. E");
}

TEST(FunctionsTest, Arrays) {
  EXPECT_EQ(Call("array_intersect", {Ints({1, 2, 3}), Ints({3, 4})}), "[3]");
  EXPECT_EQ(Call("slice", {Ints({6, 8, 2, 9}), Int(-2), Int(5)}), "[2,9]");
  EXPECT_EQ(Call("array_position", {Ints({3, 4, 5}), Int(5)}), "3");
  EXPECT_EQ(Call("array_join", {Ints({1, 2}), Text(";")}), "1;2");
  EXPECT_EQ(Call("sequence", {Int(3), Int(15), Int(4)}), "[3,7,11,15]");
  EXPECT_EQ(Call("sequence", {Int(3), Int(1), Int(2)}).substr(0, 35),
            "error: sequence stop value should b");
  EXPECT_EQ(Call("cardinality", {Ints({1, 2})}), "2");
  EXPECT_EQ(Call("contains", {Ints({1, 2}), Int(3)}), "false");
  EXPECT_EQ(Call("zip", {Ints({1, 2}), Ints({7})}), "[(1,7),(2,null)]");
  EXPECT_EQ(Call("repeat", {Int(1), Int(3)}), "[1,1,1]");
  EXPECT_EQ(Call("array_max", {Ints({})}), "NULL");
  EXPECT_EQ(Call("array_sort", {Ints({3, 1, 2})}), "[1,2,3]");
}

TEST(FunctionsTest, TimeSeries) {
  const Value s = SeriesOf({{0, 1}, {2, 3}, {4, 2}, {6, 5}, {8, 4}});
  EXPECT_EQ(Call("interpolate_linear", {s, At(1.5)}), "2.5");
  EXPECT_EQ(Call("interpolate_linear", {s, At(9)}), "NULL");
  EXPECT_EQ(Call("interpolate_locf", {s, At(3)}), "3.0");
  EXPECT_EQ(Call("interpolate_locf", {s, At(-1)}), "NULL");
  EXPECT_EQ(Call("interpolate_fill", {s, At(3), Int(0)}), "0.0");
  EXPECT_EQ(Call("interpolate_fill", {s, At(4), Int(0)}), "2.0");
  const double expected[] = {2.435267857142857, 2.3191964285714284, 3.412946428571429,
                             5.029017857142858};
  for (int i = 0; i < 4; ++i) {
    const auto value = testing::CallScalar("interpolate_spline_cubic", {s, At(2 * i + 1)});
    EXPECT_NEAR(value->floating(), expected[i], 1e-12);
  }
  const Value hill = SeriesOf({{0, 10}, {10, 20}, {20, 10}});
  EXPECT_EQ(Call("integral_trapezoidal", {hill}), "300.0");
  EXPECT_EQ(Call("integral_trapezoidal", {hill, Seconds(10)}), "30.0");
  EXPECT_EQ(Call("derivative_linear", {hill, Seconds(5)}),
            "[{time: 1970-01-01 00:00:10.000000000, value: 5.0}, {time: 1970-01-01 "
            "00:00:20.000000000, value: -5.0}]");
  const Value a = SeriesOf({{0, 1}, {1, 2}, {2, 3}, {3, 4}});
  const Value b = SeriesOf({{0, 1}, {1, 4}, {2, 9}, {3, 16}});
  EXPECT_EQ(Call("correlate_spearman", {a, b}), "1.0");
  EXPECT_NEAR(testing::CallScalar("correlate_pearson", {a, b})->floating(), 0.9843740386976972,
              1e-12);
  EXPECT_EQ(Call("correlate_pearson", {a, hill}),
            "error: Time series must have the same timestamps");
  EXPECT_EQ(Call("interpolate_linear", {SeriesOf({{0, 1}, {0, 2}}), At(0)}),
            "error: Duplicate timestamp in time series: 1970-01-01 00:00:00.000000000");
}

TEST(FunctionsTest, RegularExpressions) {
  EXPECT_EQ(Call("regexp_extract", {Text("example expect"), Text("(ex)(\\w)"), Int(2)}), "a");
  EXPECT_EQ(Call("regexp_extract", {Text("abc"), Text("x")}), "NULL");
  EXPECT_EQ(Call("regexp_extract", {Text("abc"), Text("(a)"), Int(2)}),
            "error: Pattern has 1 groups. Cannot access group 2");
  EXPECT_EQ(Call("regexp_extract_all", {Text("abc"), Text("x")}), "[]");
  EXPECT_EQ(Call("regexp_split", {Text("a1b2"), Text("\\d")}), "[a,b,]");
  EXPECT_EQ(Call("regexp_replace", {Text("example"), Text("x(.)"), Text("$1x")}), "eaxmple");
  EXPECT_EQ(Call("regexp_replace", {Text("abc"), Text(""), Text("-")}), "-a-b-c-");
  EXPECT_EQ(Call("regexp_like",
                 {Text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaX"), Text("^(a|a)*(a|a)*(a|a)*$")}),
            "error: Regular expression matching exceeded its limit");
  EXPECT_EQ(Call("regexp_like", {Text("a"), Text("(")}).substr(0, 32),
            "error: Invalid regular expressio");
}

TEST(FunctionsTest, FormatsDates) {
  EXPECT_EQ(
      Call("date_format", {Ts("2019-10-20 10:20:20.123456789"), Text("%a %b %e %j %f %p %%")}),
      "Sun Oct 20 293 123456 AM %");
  EXPECT_EQ(Call("date_format", {Ts("2019-10-20"), Text("%D")}),
            "error: %D not supported in date format string");
  EXPECT_EQ(Call("date_parse", {Text("12/31/99 11:05 PM"), Text("%m/%d/%y %h:%i %p")}),
            "1999-12-31 23:05:00.000000000");
  EXPECT_EQ(Call("date_parse", {Text("2019-x"), Text("%Y-%m")}),
            "error: Invalid format: \"2019-x\" is malformed at \"x\"");
}

TEST(FunctionsTest, PrintsItsManual) {
  const std::string manual = PrintReference();
  EXPECT_NE(manual.find("### bin\n"), std::string::npos);
  EXPECT_NE(manual.find("### approx_percentile"), std::string::npos);
}

}  // namespace
}  // namespace tideline::functions
