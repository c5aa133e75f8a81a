#include "cli/result_printer.h"

#include <gtest/gtest.h>

#include "cli/output.h"

namespace tideline::cli {
namespace {

std::string Print(OutputFormat format, std::string_view page_text) {
  const Result<JsonValue> page = JsonValue::Parse(page_text);
  EXPECT_TRUE(page.ok()) << page.status();
  testing::internal::CaptureStdout();
  const std::unique_ptr<ResultPrinter> printer = MakePrinter(format);
  printer->Page(*page);
  printer->End();
  EXPECT_TRUE(FlushOutput().ok());
  return testing::internal::GetCapturedStdout();
}

std::string Column(std::string_view name, std::string_view type) {
  return fmt::format(R"({{"Name":"{}","Type":{}}})", name, type);
}
std::string Scalar(std::string_view name, std::string_view type) {
  return Column(name, fmt::format(R"({{"ScalarType":"{}"}})", type));
}
std::string PageOf(const std::vector<std::string>& columns, const std::vector<std::string>& data) {
  return fmt::format(R"({{"ColumnInfo":[{}],"Rows":[{{"Data":[{}]}}]}})", fmt::join(columns, ","),
                     fmt::join(data, ","));
}
std::string Value(std::string_view text) { return fmt::format(R"({{"ScalarValue":"{}"}})", text); }

TEST(ResultPrinterTest, JsonHasTypes) {
  EXPECT_EQ(Print(OutputFormat::kJson,
                  PageOf({Scalar("a", "BIGINT"), Scalar("b", "DOUBLE"), Scalar("c", "DOUBLE"), Scalar("d", "BOOLEAN"),
                          Scalar("e", "VARCHAR"), Scalar("f", "INTEGER")},
                         {Value("-9223372036854775808"), Value("1.0E-10"), Value("NaN"), Value("true"), Value("1"),
                          R"({"NullValue":true})"})),
            "{\"a\":-9223372036854775808,\"b\":1.0E-10,\"c\":\"NaN\",\"d\":true,\"e\":\"1\",\"f\":null}\n");
}

TEST(ResultPrinterTest, JsonHasTypesWithin) {
  const std::string array = Column("a", R"({"ArrayColumnInfo":{"Type":{"ScalarType":"BIGINT"}}})");
  const std::string row = Column(
      "r", R"({"RowColumnInfo":[{"Type":{"ScalarType":"BOOLEAN"}},{"Type":{"ScalarType":"VARCHAR"}}]})");
  const std::string series = Column("s", R"({"TimeSeriesMeasureValueColumnInfo":{"Type":{"ScalarType":"DOUBLE"}}})");
  EXPECT_EQ(Print(OutputFormat::kJson,
                  PageOf({array, row, series},
                         {R"({"ArrayValue":[{"ScalarValue":"1"},{"NullValue":true}]})",
                          R"({"RowValue":{"Data":[{"ScalarValue":"false"},{"ScalarValue":"x"}]}})",
                          R"({"TimeSeriesValue":[{"Time":"2024-01-01 00:00:00.000000000",)"
                          R"("Value":{"ScalarValue":"0.5"}}]})"})),
            "{\"a\":[1,null],\"r\":[false,\"x\"],"
            "\"s\":[{\"time\":\"2024-01-01 00:00:00.000000000\",\"value\":0.5}]}\n");
}

TEST(ResultPrinterTest, JsonKeysAreDistinct) {
  const std::string x = Scalar("x", "BIGINT");
  EXPECT_EQ(Print(OutputFormat::kJson, PageOf({x, x, Scalar("x_2", "BIGINT"), x},
                                              {Value("1"), Value("2"), Value("3"), Value("4")})),
            "{\"x\":1,\"x_3\":2,\"x_2\":3,\"x_4\":4}\n");
}

TEST(ResultPrinterTest, TableEscapesControlCharacters) {
  EXPECT_EQ(Print(OutputFormat::kTable, PageOf({Scalar("a", "VARCHAR"), Scalar("b", "VARCHAR")},
                                               {Value("x\\ny\\u001b[2J"), Value("z")})),
            "a           | b\n------------+--\nx\\ny\\x1b[2J | z\n(1 row)\n");
}

}  // namespace
}  // namespace tideline::cli
