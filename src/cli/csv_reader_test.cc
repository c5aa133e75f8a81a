#include "cli/csv_reader.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tideline::cli {
namespace {

std::vector<std::vector<std::string>> ReadAll(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> fields;
  while (*reader.Next(&fields)) records.push_back(fields);
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
  std::vector<std::string> fields;
  EXPECT_TRUE(*reader.Next(&fields));
  EXPECT_EQ(MessageOf(reader.Next(&fields).status()), "line 2: a quoted field does not end");
}

TEST(CsvReaderTest, SkipsAByteOrderMark) {
  EXPECT_EQ(ReadAll("\xef\xbb\xbftime,a\n")[0], (std::vector<std::string>{"time", "a"}));
}

TEST(CsvReaderTest, WrongUtf8IsAnErrorWithItsLine) {
  for (const char* bad : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    std::istringstream in("a,\xc3\xa4,\xf0\x9f\x90\x9f\n\"b\nx" + std::string(bad) + "\"\n");
    CsvReader reader(in);
    std::vector<std::string> fields;
    EXPECT_TRUE(*reader.Next(&fields));
    const Status status = reader.Next(&fields).status();
    EXPECT_TRUE(MessageOf(status).starts_with("line 3: byte 2 is 0x")) << status;
  }
}

}  // namespace
}  // namespace tideline::cli
