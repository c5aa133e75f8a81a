#include <gtest/gtest.h>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Call;
Value Str(std::string text) { return Value::Varchar(std::move(text)); }
Value Stamp(std::string text) { return *CastValue(Str(std::move(text)), Type::Timestamp()); }

TEST(FormatDatetimeTest, Letters) {
  const Value at = Stamp("2019-03-05 17:08:09.012345678");
  const std::pair<const char*, const char*> cases[] = {
      {"yyyy-MM-dd HH:mm:ss", "2019-03-05 17:08:09"},
      {"yyyy-MM-dd'T'HH:mm", "2019-03-05T17:08"},
      {"yy M d H m s", "19 3 5 17 8 9"},
      {"G C Y u LL", "AD 20 2019 2019 03"},
      {"E EEEE e", "Tue Tuesday 2"},
      {"MMM MMMM", "Mar March"},
      {"x w D DDD", "2019 10 64 064"},
      {"a h hh K k", "PM 5 05 5 17"},
      {"S SSS SSSSSSSSS n", "0 012 012345678 12345678"},
      {"z Z ZZ ZZZ", "UTC +0000 +00:00 UTC"},
      {"'it''s' ''y''", "it's '2019'"},
      {"j", "error: Illegal pattern component: j"},
      {"'open", "error: Unterminated quote in format: 'open"},
      {"", ""}};
  for (const auto& [format, expected] : cases) {
    EXPECT_EQ(Call("format_datetime", {at, Str(format)}), expected) << format;
  }
  EXPECT_EQ(Call("format_datetime", {Stamp("2019-01-01 00:30:00"), Str("hh k K a")}), "12 24 0 AM");
  EXPECT_EQ(Call("format_datetime", {Value::Null(Type::Timestamp()), Str("yyyy")}), "NULL");
}

TEST(ParseDatetimeTest, Letters) {
  struct Case {
    const char* text;
    const char* format;
    const char* expected;
  };
  const Case cases[] = {
      {"2019-12-29 10:10 PST", "uuuu-LL-dd HH:mm z", "2019-12-29 18:10:00.000000000"},
      {"2019-12-29 10:10 +0530", "yyyy-MM-dd HH:mm Z", "2019-12-29 04:40:00.000000000"},
      {"2019-12-29 10:10-08:00", "yyyy-MM-dd HH:mmZZ", "2019-12-29 18:10:00.000000000"},
      {"20191229", "yyyyMMdd", "2019-12-29 00:00:00.000000000"},
      {"5 March 70 9:05 pm", "d MMMM yy h:mm a", "1970-03-05 21:05:00.000000000"},
      {"12:30 AM", "hh:mm a", "1970-01-01 00:30:00.000000000"},
      {"24", "kk", "1970-01-01 00:00:00.000000000"},
      {"01.5", "ss.S", "1970-01-01 00:00:01.500000000"},
      {"01.012345678", "ss.SSSSSSSSS", "1970-01-01 00:00:01.012345678"},
      {"2020 060", "yyyy DDD", "2020-02-29 00:00:00.000000000"},
      {"2020-W10-3", "xxxx-'W'ww-e", "2020-03-04 00:00:00.000000000"},
      {"Tue 5", "E d", "1970-01-05 00:00:00.000000000"},
      {"2019-13", "yyyy-MM", "error: Invalid format: \"2019-13\" is malformed at \"13\""},
      {"2019", "yyyy-MM", "error: Invalid format: \"2019\" is too short"},
      {"2019-02-30", "yyyy-MM-dd",
       "error: Invalid format: \"2019-02-30\": the month has no day 30"},
      {"2019 366", "yyyy DDD", "error: Invalid format: \"2019 366\": the year has no day 366"},
      {"2019x", "yyyy", "error: Invalid format: \"2019x\" is malformed at \"x\""},
      {"10 Nowhere/City", "HH z",
       "error: Invalid format: \"10 Nowhere/City\" is malformed at \"Nowhere/City\""},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Call("parse_datetime", {Str(one.text), Str(one.format)}), one.expected) << one.text;
  }
}

}  // namespace
}  // namespace tideline::functions
