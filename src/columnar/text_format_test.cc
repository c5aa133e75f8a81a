#include "columnar/text_format.h"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace tideline {
namespace {

std::string Print(double value) {
  std::string text;
  AppendDouble(value, &text);
  return text;
}

TEST(TextFormatTest, PrintsDoublesLikeJava) {
  const std::pair<double, std::string_view> cases[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {35, "35.0"},
      {0.001, "0.001"},
      {9.999e-4, "9.999E-4"},
      {1234567, "1234567.0"},
      {1e7, "1.0E7"},
      {1.6554878837710001e9, "1.6554878837710001E9"},
      {123.456, "123.456"},
      {5e-324, "4.9E-324"},
      {2e-323, "2.0E-323"},
      {1e23, "1.0E23"},
      {1.7976931348623157e308, "1.7976931348623157E308"},
      {-12.5, "-12.5"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(Print(value), text);
  EXPECT_EQ(Print(std::nan("")), "NaN");
  EXPECT_EQ(Print(-std::numeric_limits<double>::infinity()), "-Infinity");
}

// Decimals of up to four places are printed another way: it must say what the general way says, which
// finds the fewest digits.
TEST(TextFormatTest, ShortDecimalsHaveTheFewestDigits) {
  Random random(7);
  const auto general = [](double value) {
    std::array<char, 64> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed).ptr;
    std::string text(buffer.data(), end);
    if (text.find('.') == std::string::npos) text += ".0";
    return text;
  };
  const auto expect_same = [&](double value) {
    ASSERT_EQ(Print(value), general(value));
    ASSERT_EQ(Print(-value), "-" + general(value));
  };
  for (int i = 0; i < 200'000; ++i) {
    const auto scaled = static_cast<double>(10 + random.Below(99'999'999'990));
    expect_same(scaled / 10'000);
    expect_same(std::nextafter(scaled / 10'000, 1e9));
    expect_same(1e-3 + random.NextDouble() * 1e3);
  }
  for (const double value : {0.001, 0.1, 0.5, 1.0, 100.0, 9'999'999.0, 9'999'999.9999, 0.30000000000000004, 4.35}) {
    expect_same(value);
  }
  EXPECT_EQ(Print(1e7), "1.0E7");
  EXPECT_EQ(Print(0.0009), "9.0E-4");
}

TEST(TextFormatTest, DoublesRoundTrip) {
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t bits = random.Next();
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(*ParseDouble(Print(value)), value);
  }
}

TEST(TextFormatTest, InstantsRoundTrip) {
  Random random(4);
  std::string text;
  AppendTimestamp(std::numeric_limits<std::int64_t>::max(), &text);
  EXPECT_EQ(text, "2262-04-11 23:47:16.854775807");
  for (int i = 0; i < 20'000; ++i) {
    const auto ns = static_cast<std::int64_t>(random.Next());
    text.clear();
    AppendTimestamp(ns, &text);
    EXPECT_EQ(*ParseTimestamp(text), ns) << text;
  }
  for (std::int64_t days = -800'000; days < 800'000; days += 97) {
    const CivilDate date = CivilFromDays(days);
    EXPECT_EQ(DaysFromCivil(date.year, date.month, date.day), days);
  }
}

TEST(TextFormatTest, PrintsIntervalsAndDecimals) {
  std::string text;
  AppendDayToSecond(std::numeric_limits<std::int64_t>::min(), &text);
  EXPECT_EQ(text, "-106751 23:47:16.854775808");
  text.clear();
  AppendYearToMonth(-8, &text);
  EXPECT_EQ(text, "-0-8");
  text.clear();
  AppendDecimal(-5, 2, &text);
  EXPECT_EQ(text, "-0.05");
  text.clear();
  AppendDecimal(0, 0, &text);
  EXPECT_EQ(text, "0");
}

TEST(TextFormatTest, RefusesWhatIsNoInstant) {
  for (const std::string_view text :
       {"", "2022", "2022-13-01", "2022-01-32", "2022-01-01 24:00", "2022-01-01 10",
        "2022-01-01 10:00 Nowhere/Land", "x", "2022-01-01 10:00:00.", "99999-01-01"}) {
    EXPECT_FALSE(ParseTimestamp(text).ok()) << text;
  }
}

}  // namespace
}  // namespace tideline
