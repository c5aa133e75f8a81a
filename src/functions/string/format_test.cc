#include <gtest/gtest.h>

#include <limits>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Call;
Value Str(std::string text) { return Value::Varchar(std::move(text)); }

TEST(FormatTest, OneValue) {
  const double kMax = std::numeric_limits<double>::infinity();
  const std::tuple<const char*, Value, const char*> cases[] = {
      {"%.2f", Value::Double(3.14159), "3.14"},
      {"%.2f", Value::Double(2.675), "2.68"},
      {"%.0f", Value::Double(0.5), "1"},
      {"%.1f", Value::Double(9.96), "10.0"},
      {"%f", Value::Double(-1e-9), "-0.000000"},
      {"%,.1f", Value::Double(1234567.25), "1,234,567.3"},
      {"%f", Value::Decimal(12345, 7, 2), "123.450000"},
      {"%e", Value::Double(12.3456), "1.234560e+01"},
      {"%.0e", Value::Double(9.5e-7), "1e-06"},
      {"%E", Value::Double(0), "0.000000E+00"},
      {"%g", Value::Double(0.0001), "0.000100000"},
      {"%.3g", Value::Double(123456), "1.23e+05"},
      {"%f", Value::Double(kMax), "Infinity"},
      {"%s", Str("x"), "x"},
      {"%S", Str("x"), "X"},
      {"%5s|", Str("né"), "   né|"},
      {"%-5s|", Str("né"), "né   |"},
      {"%.1s", Str("né"), "n"},
      {"%d", Value::Integer(-5), "-5"},
      {"%05d", Value::Integer(-5), "-0005"},
      {"%+,d", Value::Bigint(1234567), "+1,234,567"},
      {"%(d", Value::Integer(-5), "(5)"},
      {"% d", Value::Integer(5), " 5"},
      {"%d", Value::Bigint(INT64_MIN), "-9223372036854775808"},
      {"%x", Value::Integer(255), "ff"},
      {"%X", Value::Integer(-1), "FFFFFFFFFFFFFFFF"},
      {"%#06x", Value::Integer(255), "0x00ff"},
      {"%o", Value::Integer(8), "10"},
      {"%c", Value::Integer(233), "é"},
      {"%b", Value::Boolean(false), "false"},
      {"%b", Str("x"), "true"},
      {"%s %<d", Value::Integer(1), "error: Invalid format string: %s %<d (no argument 2 for %<)"},
      {"100%% %s%n", Str("x"), "100% x\n"},
      {"%d", Value::Null(Type::Integer()), "null"},
      {"%d", Value::Double(1), "error: Invalid format string: %d (%d does not take double)"},
      {"%q", Value::Integer(1), "error: Invalid format string: %q (unknown conversion %q)"},
      {"%", Value::Integer(1), "error: Invalid format string: % (conversion expected after '%')"},
      {"%99999999999d", Value::Integer(1),
       "error: Invalid format string: %99999999999d (width above 10000)"},
      {"%2$s", Value::Integer(1), "error: Invalid format string: %2$s (no argument 2 for %s)"},
      {"%1$s %1$s", Value::Integer(1), "1 1"},
  };
  for (const auto& [format, value, expected] : cases) {
    EXPECT_EQ(Call("format", {Str(format), value}), expected) << format;
  }
}

TEST(FormatTest, ManyValues) {
  EXPECT_EQ(Call("format", {Str("%s %d %2$d %s"), Str("a"), Value::Integer(1), Value::Double(2)}),
            "a 1 1 2.0");
  EXPECT_EQ(Call("format", {Str("plain")}), "plain");
  EXPECT_EQ(Call("format", {Value::Null(Type::Varchar()), Value::Integer(1)}), "NULL");
}

}  // namespace
}  // namespace tideline::functions
