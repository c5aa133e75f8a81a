#include "sql/parse/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"

namespace tideline::sql::ast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Texts(std::string_view statement) {
  std::vector<std::string> texts;
  for (const Token& token : Tokenize(statement, true).tokens) {
    texts.emplace_back(token.kind == TokenKind::kInvalid ? "<invalid>" : token.Text(statement));
  }
  return texts;
}

TokenKind FirstKind(std::string_view statement) {
  return Tokenize(statement, true).tokens.front().kind;
}

TEST(LexerTest, MeasureValueIsOneToken) {
  EXPECT_THAT(Texts("b.measure_value::double"), ElementsAre("b", ".", "measure_value::double", ""));
  EXPECT_THAT(Texts("measure_value :: double"), ElementsAre("measure_value", "<invalid>"));
  EXPECT_THAT(Texts("a@b:c"), ElementsAre("a@b:c", ""));
}

TEST(LexerTest, TimeLiteralsAndNumbersTakeTheLongestMatch) {
  for (const char* text : {"5m", "72.5h", "60000ms", "1day", "10DAY", "5M", "0.5s", "1y", "8month",
                           "50ns", "3us", ".5s", "1nanosecond", "1microsecond", "1millisecond"}) {
    EXPECT_EQ(FirstKind(text), TokenKind::kTimeLiteral) << text;
  }
  for (const char* text : {"1e5", "1.5E-7", "12.5", ".5", "5.", "1e+3", "5.e1"}) {
    EXPECT_EQ(FirstKind(text), TokenKind::kDecimal) << text;
  }
  for (const char* text : {"5min", "1x", "3hours", "1e5d", "1w", "1_a", "2quarter", "1e"}) {
    EXPECT_EQ(FirstKind(text), TokenKind::kInvalid) << text;
  }
  EXPECT_THAT(Texts("1 day"), ElementsAre("1", "day", ""));
  EXPECT_THAT(Texts("a[1].b"), ElementsAre("a", "[", "1", "]", ".", "b", ""));
  EXPECT_THAT(Texts("1d-1h"), ElementsAre("1d", "-", "1h", ""));
}

TEST(LexerTest, DecodesTimeLiterals) {
  const auto nanoseconds = [](std::string_view text) {
    const Result<IntervalValue> value = DecodeTimeLiteral(text);
    EXPECT_TRUE(value.ok() && value->family == IntervalFamily::kDayToSecond) << text;
    return value.ok() ? value->value : -1;
  };
  EXPECT_EQ(nanoseconds("1d"), kNsPerDay);
  EXPECT_EQ(nanoseconds("5M"), 5 * kNsPerMinute);
  EXPECT_EQ(nanoseconds("72.5h"), 72 * kNsPerHour + 30 * kNsPerMinute);
  EXPECT_EQ(nanoseconds("42.8ms"), 42'800'000);
  EXPECT_EQ(nanoseconds("0.5ns"), 1);
  EXPECT_EQ(nanoseconds("0.49ns"), 0);
  EXPECT_EQ(nanoseconds("5.s"), 5 * kNsPerSecond);
  EXPECT_EQ(nanoseconds("9223372036854775807ns"), INT64_MAX);
  EXPECT_EQ(nanoseconds("0.000000000000000000000000000001d"), 0);
  EXPECT_EQ(*DecodeTimeLiteral("8month"), (IntervalValue{IntervalFamily::kYearToMonth, 8}));
  EXPECT_EQ(*DecodeTimeLiteral("1Year"), (IntervalValue{IntervalFamily::kYearToMonth, 12}));
  EXPECT_EQ(*DecodeTimeLiteral("1.0y"), (IntervalValue{IntervalFamily::kYearToMonth, 12}));
  for (const char* text : {"1.5month", "0.5y", "9223372036854775808ns", "106752d", "178956971y",
                           "99999999999999999999999999999999999999999s"}) {
    EXPECT_EQ(CodeOf(DecodeTimeLiteral(text).status()), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(LexerTest, QuotesAndEscapes) {
  EXPECT_EQ(UnquoteText("'it''s'"), "it's");
  EXPECT_EQ(UnquoteText("\"a\"\"b\""), "a\"b");
  EXPECT_THAT(Texts("'a\\' 'b'"), ElementsAre("'a\\'", "'b'", ""));
  EXPECT_EQ(*DecodeUnicodeString("U&'\\0041\\+01F600\\\\'", '\\'), "A\xF0\x9F\x98\x80\\");
  EXPECT_EQ(*DecodeUnicodeString("u&'#00e9x'", '#'), "\u00e9x");
  for (const char* text : {"U&'\\004'", "U&'\\D800'", "U&'\\+110000'", "U&'\\'", "U&'\\00g1'"}) {
    EXPECT_FALSE(DecodeUnicodeString(text, '\\').ok()) << text;
  }
  EXPECT_EQ(*DecodeBinaryString("X'65 6\n6'"), "ef");
  EXPECT_FALSE(DecodeBinaryString("X'656'").ok());
  EXPECT_FALSE(DecodeBinaryString("X'6g'").ok());
  EXPECT_EQ(FirstKind("x'00'"), TokenKind::kBinaryString);
  EXPECT_EQ(FirstKind("x '00'"), TokenKind::kWord);
}

TEST(LexerTest, SpaceAndComments) {
  EXPECT_THAT(Texts("a--b\n c /* d\n * */e"), ElementsAre("a", "c", "e", ""));
  EXPECT_THAT(Texts("/* a /* b */ c"), ElementsAre("c", ""));
  EXPECT_THAT(Texts("a /* b"), ElementsAre("a", "<invalid>"));
  EXPECT_THAT(Texts("a--"), ElementsAre("a", ""));
  EXPECT_THAT(Texts("\xEF\xBB\xBF"
                    "a\xC2\xA0"
                    "b"),
              ElementsAre("a", "b", ""));
  EXPECT_EQ(Tokenize("a\xC2\xA0", false).tokens.back().kind, TokenKind::kInvalid);
}

TEST(LexerTest, RefusesWhatIsNoToken) {
  const auto reason = [](std::string_view text) { return Tokenize(text, true).invalid_reason; };
  EXPECT_THAT(reason("SELECT `a`"), HasSubstr("backquoted"));
  EXPECT_THAT(reason("\u2018a\u2019"), HasSubstr("typographic"));
  EXPECT_THAT(reason("\u201Ca\u201D"), HasSubstr("typographic"));
  EXPECT_THAT(reason("h\u00f6he"), HasSubstr("double quotes"));
  EXPECT_THAT(reason("'a\xFFz'"), HasSubstr("UTF-8"));
  EXPECT_THAT(reason("\xC3"), HasSubstr("UTF-8"));
  EXPECT_THAT(reason("'open"), HasSubstr("not closed"));
  EXPECT_THAT(reason("\"open"), HasSubstr("not closed"));
  EXPECT_THAT(reason("\"\""), HasSubstr("empty"));
  EXPECT_THAT(reason(std::string_view("a\0b", 3)), HasSubstr("code 0"));
  EXPECT_THAT(reason("a | b"), HasSubstr("'|'"));
  EXPECT_THAT(reason("@"), HasSubstr("parameter"));
}

TEST(LexerTest, PositionsCountCharacters) {
  const TokenList list = Tokenize("'\u00e9\U0001F600' a\n\"\u00fc\" b\r\n  c", true);
  ASSERT_EQ(list.tokens.size(), 6u);
  const auto expect = [&](std::size_t i, std::uint32_t line, std::uint32_t column,
                          std::uint32_t offset) {
    const SourcePosition& position = list.tokens[i].position;
    EXPECT_EQ(position.line, line) << i;
    EXPECT_EQ(position.column, column) << i;
    EXPECT_EQ(position.offset_bytes, offset) << i;
  };
  expect(0, 1, 1, 0);
  expect(1, 1, 6, 9);
  expect(2, 2, 1, 11);
  expect(3, 2, 5, 16);
  expect(4, 3, 3, 21);
  expect(5, 3, 4, 22);
}

TEST(LexerTest, Keywords) {
  EXPECT_EQ(FindKeyword("select"), Keyword::kSelect);
  EXPECT_EQ(FindKeyword("SeLeCt"), Keyword::kSelect);
  EXPECT_EQ(FindKeyword("selects"), Keyword::kNone);
  EXPECT_EQ(FindKeyword(""), Keyword::kNone);
  EXPECT_EQ(FindKeyword(std::string(300, 'a')), Keyword::kNone);
  int reserved_count = 0;
  for (int i = 1; !KeywordText(static_cast<Keyword>(i)).empty(); ++i) {
    const auto keyword = static_cast<Keyword>(i);
    EXPECT_EQ(FindKeyword(KeywordText(keyword)), keyword);
    reserved_count += IsReserved(keyword) ? 1 : 0;
    if (keyword == Keyword::kZone) break;
  }
  EXPECT_EQ(reserved_count, 69);
}

}  // namespace
}  // namespace tideline::sql::ast
