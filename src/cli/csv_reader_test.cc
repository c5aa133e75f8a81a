#include "cli/csv_reader.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "base/random.h"

namespace tideline::cli {
namespace {

using Records = std::vector<std::vector<std::string>>;

Records ReadAll(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  Records records;
  std::vector<std::string_view> fields;
  while (*reader.Next(&fields)) {
    for (const std::string_view field : fields) {
      // They lie in the record, which is how they are copied along with it.
      EXPECT_GE(field.data(), reader.record().data());
      EXPECT_LE(field.data() + field.size(), reader.record().data() + reader.record().size());
    }
    records.emplace_back(fields.begin(), fields.end());
  }
  return records;
}

TEST(CsvReaderTest, ReadsQuotesSeparatorsAndLineEnds) {
  const auto records = ReadAll("a,b\r\n\"x,\"\"y\"\"\",\"two\nlines\"\n\n,\n");
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1], (std::vector<std::string>{"x,\"y\"", "two\nlines"}));
  EXPECT_EQ(records[2], (std::vector<std::string>{"", ""}));
}

TEST(CsvReaderTest, OpenQuoteIsAnError) {
  std::istringstream in("a\n\"b\n");
  CsvReader reader(in);
  std::vector<std::string_view> fields;
  EXPECT_TRUE(*reader.Next(&fields));
  EXPECT_EQ(MessageOf(reader.Next(&fields).status()), "line 2: a quoted field does not end");
}

TEST(CsvReaderTest, LastLineNeedsNoEnd) {
  EXPECT_EQ(ReadAll("a,b\n1,2"), (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(ReadAll("a,b\r\n1,\r"), (Records{{"a", "b"}, {"1", ""}}));
  EXPECT_EQ(ReadAll("a\n\"b\""), (Records{{"a"}, {"b"}}));
  EXPECT_EQ(ReadAll(""), Records());
  EXPECT_EQ(ReadAll("\n\r\n"), Records());
}

TEST(CsvReaderTest, KeepsWhatIsQuoted) {
  EXPECT_EQ(ReadAll("\"a\r\",\"\r\n\"\r\n"), (Records{{"a\r", "\r\n"}}));
  EXPECT_EQ(ReadAll("a\"b,\"c\"d\n"), (Records{{"a\"b", "cd"}}));
}

TEST(CsvReaderTest, CountsTheLinesOfRecords) {
  std::istringstream in("\na,\"x\ny\"\n\nb,c\n");
  CsvReader reader(in);
  std::vector<std::string_view> fields;
  EXPECT_TRUE(*reader.Next(&fields));
  EXPECT_EQ(reader.line(), 2U);
  EXPECT_TRUE(*reader.Next(&fields));
  EXPECT_EQ(reader.line(), 5U);
}

// Records of all lengths lie across the ends of the blocks that are read.
TEST(CsvReaderTest, ReadsWhatItWasWrittenFrom) {
  Random random(7);
  Records written;
  std::string text;
  while (text.size() < 3'000'000) {
    std::vector<std::string>& record = written.emplace_back();
    for (std::size_t i = 0; i < 3; ++i) {
      const bool is_quoted = random.Below(3) == 0;
      const std::size_t size = random.Below(500) == 0 ? random.Below(300'000) : random.Below(20);
      record.push_back(is_quoted ? "x,\"\n\xc3\xa4" : std::string(size, static_cast<char>('a' + i)));
      text += i == 0 ? "" : ",";
      text += is_quoted ? "\"x,\"\"\n\xc3\xa4\"" : record.back();
    }
    text += random.Below(2) == 0 ? "\n" : "\r\n";
  }
  EXPECT_TRUE(ReadAll(text) == written);
}

TEST(CsvReaderTest, AQuoteThatIsNeverClosedEndsAtTheLimit) {
  std::istringstream in("a\n\"" + std::string(3 * kCsvRecordBytesMax, 'b'));
  CsvReader reader(in);
  std::vector<std::string_view> fields;
  EXPECT_TRUE(*reader.Next(&fields));
  EXPECT_EQ(MessageOf(reader.Next(&fields).status()), "line 2: the record exceeds the limit of 16777216 bytes");
}

// Lines of two bytes each, then a record of `bytes` bytes and its end.
std::string FileWithRecord(std::size_t bytes_before, std::size_t bytes, bool is_quoted, std::string_view end) {
  std::string text;
  text.reserve(bytes_before + bytes + end.size());
  while (text.size() < bytes_before) text += "x\n";
  text += is_quoted ? "\"\"\"\n" : "a,";
  text.resize(bytes_before + bytes - (is_quoted ? 1 : 0), 'b');
  if (is_quoted) text += '"';
  text += end;
  return text;
}

// Whether a record of `above` bytes above the limit is read, and as it was written.
void CheckLimit(std::size_t limit, std::size_t before, bool is_quoted, std::string_view end, std::size_t above) {
  SCOPED_TRACE(fmt::format("limit {}, {} before, quoted {}, end of {}, {} above", limit, before, is_quoted, end.size(),
                           above));
  std::istringstream in(FileWithRecord(before, limit + above, is_quoted, end));
  CsvReader reader(in, ',', limit);
  std::vector<std::string_view> fields;
  for (std::size_t i = 0; i < before / 2; ++i) ASSERT_TRUE(*reader.Next(&fields));
  const Result<bool> more = reader.Next(&fields);
  EXPECT_EQ(reader.line(), before / 2 + 1);
  if (above > 0) {
    EXPECT_EQ(CodeOf(more.status()), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(MessageOf(more.status()).ends_with(fmt::format("exceeds the limit of {} bytes", limit))) << more.status();
    return;
  }
  ASSERT_TRUE(more.ok() && *more) << more.status();
  EXPECT_EQ(fields.back().size(), limit - (is_quoted ? 3 : 2));
  EXPECT_EQ(fields.back().back(), 'b');
  EXPECT_EQ(*reader.Next(&fields), end.ends_with("last\n"));
}

// Wherever the record lies in the blocks of 256 KiB that are read, whatever ends it, less than a block and more.
TEST(CsvReaderTest, TheLimitOfARecordIsExact) {
  constexpr std::size_t kBlock = 262'144;
  for (const std::size_t limit : {std::size_t{100}, kBlock - 2, kBlock - 1, kBlock, kBlock + 1, 2 * kBlock + 3}) {
    for (const std::size_t before : {std::size_t{0}, std::size_t{2}, kBlock - 100, kBlock - 2, kBlock, kBlock + 2}) {
      for (const bool is_quoted : {false, true}) {
        for (const std::string_view end : {"", "\r", "\n", "\r\n", "\nlast\n", "\r\nlast\n"}) {
          for (const std::size_t above : {0U, 1U, 2U}) CheckLimit(limit, before, is_quoted, end, above);
        }
      }
    }
  }
}

TEST(CsvReaderTest, ARecordMayHave16MiB) {
  for (const bool is_quoted : {false, true}) {
    CheckLimit(kCsvRecordBytesMax, 300'000, is_quoted, "\n", 0);
    CheckLimit(kCsvRecordBytesMax, 300'000, is_quoted, "", 1);
  }
  static_assert(kCsvRecordBytesMax == 16'777'216);
}

TEST(CsvReaderTest, AStreamThatCannotBeReadIsAnError) {
  std::istringstream in("a\n1\n");
  in.setstate(std::ios::badbit);
  CsvReader reader(in);
  std::vector<std::string_view> fields;
  EXPECT_EQ(CodeOf(reader.Next(&fields).status()), ErrorCode::kUnavailable);
}

TEST(CsvReaderTest, SkipsAByteOrderMark) {
  EXPECT_EQ(ReadAll("\xef\xbb\xbftime,a\n")[0], (std::vector<std::string>{"time", "a"}));
}

TEST(CsvReaderTest, WrongUtf8IsAnErrorWithItsLine) {
  for (const char* bad : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    std::istringstream in("a,\xc3\xa4,\xf0\x9f\x90\x9f\n\"b\nx" + std::string(bad) + "\"\n");
    CsvReader reader(in);
    std::vector<std::string_view> fields;
    EXPECT_TRUE(*reader.Next(&fields));
    const Status status = reader.Next(&fields).status();
    EXPECT_TRUE(MessageOf(status).starts_with("line 3: byte 2 is 0x")) << status;
  }
}

}  // namespace
}  // namespace tideline::cli
