#include "cli/load_columns.h"

#include <gtest/gtest.h>

#include "cli/api_load_sink.h"

namespace tideline::cli {
namespace {

using Fields = LoadColumns::Fields;

// The row as it is sent; empty when it has no value.
Result<std::string> RecordOf(LoadColumns& columns, const Fields& fields) {
  std::string text;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const std::string_view field : fields) {
    places.emplace_back(text.size(), field.size());
    text += field;
  }
  Fields in_text;
  for (const auto& [offset, size] : places) in_text.push_back(std::string_view(text).substr(offset, size));
  LoadBatch batch(10);
  const bool added = TL_TRY(columns.AddRow(text, in_text, 1, &batch));
  EXPECT_EQ(batch.size(), added ? 1U : 0U);
  text.clear();  // the batch keeps what it needs
  std::string json;
  if (added) AppendRecordJson(batch.Records()[0], &json);
  return json;
}

std::string ErrorOf(const Fields& header, LoadColumnOptions options = {}) {
  return std::string(MessageOf(LoadColumns::Make(header, std::move(options)).status()));
}

TEST(LoadColumnsTest, HeaderErrorsNameTheColumn) {
  EXPECT_EQ(ErrorOf({"time", "v", "w", "v"}), "the header names column 'v' twice, as field 2 and field 4");
  EXPECT_EQ(ErrorOf({"time", "", "w"}), "field 2 of the header has no name");
  EXPECT_EQ(ErrorOf({"when", "v"}), "the header has no column 'time', which --time-column names");
  LoadColumnOptions host;
  host.dimensions = {"host"};
  EXPECT_EQ(ErrorOf({"time", "v"}, host), "the header has no column 'host', which --dimensions names");
  EXPECT_EQ(ErrorOf({"time", "host"}, host),
            "the header has no column for a measure: all of its 2 are the time or dimensions");
  LoadColumnOptions typed = host;
  typed.types = {{"w", "DOUBLE"}};
  EXPECT_EQ(ErrorOf({"time", "host", "v"}, typed), "the header has no column 'w', which --type names");
  typed.types = {{"host", "DOUBLE"}};
  EXPECT_EQ(ErrorOf({"time", "host", "v"}, typed),
            "--type names column 'host', which is a dimension and has a type of its own");
}

TEST(LoadColumnsTest, TypeFlags) {
  EXPECT_EQ((*ParseTypeFlags({"a=b=Double"}))["a=b"], "DOUBLE");
  EXPECT_EQ(MessageOf(ParseTypeFlags({"v=float"}).status()),
            "--type v=float: 'float' is no type; it must be double, bigint, boolean, varchar or timestamp");
  EXPECT_FALSE(ParseTypeFlags({"v"}).ok());
  EXPECT_FALSE(ParseTypeFlags({"v=double", "v=bigint"}).ok());
}

TEST(LoadColumnsTest, ATypeIsThatOfAllValuesSeen) {
  LoadColumns columns = *LoadColumns::Make({"time", "v", "w"}, {});
  columns.Infer({"2024-01-01", "1", "1"});
  columns.Infer({"2024-01-01", "one", ""});
  EXPECT_EQ(*RecordOf(columns, {"2024-01-01", "1", " 2.5"}),
            R"({"Dimensions":[],"MeasureValues":[{"Name":"v","Value":"1","Type":"VARCHAR"},)"
            R"({"Name":"w","Value":"2.5","Type":"DOUBLE"}],"Time":"1704067200000000000"})");
  EXPECT_EQ(MessageOf(RecordOf(columns, {"2024-01-01", "1", "two"}).status()),
            "column 'w': 'two' is no number, as all values before are; --type w=varchar takes it");
  EXPECT_EQ(*RecordOf(columns, {"2024-01-01", "", ""}), "");
}

TEST(LoadColumnsTest, ValuesHaveTheTypeOfTheirColumn) {
  LoadColumnOptions options;
  options.time_unit = "SECONDS";
  options.types = {{"i", "BIGINT"}, {"b", "BOOLEAN"}, {"t", "TIMESTAMP"}, {"d", "DOUBLE"}};
  LoadColumns columns = *LoadColumns::Make({"time", "i", "b", "t", "d"}, options);
  EXPECT_TRUE(RecordOf(columns, {"1", "5", "True", "7", "1e300"}).ok());
  const auto error = [&](const Fields& fields) { return std::string(MessageOf(RecordOf(columns, fields).status())); };
  EXPECT_EQ(error({"soon", "5", "", "", ""}), "column 'time': 'soon' is no whole number of SECONDS");
  EXPECT_EQ(error({"1", "5.0", "", "", ""}), "column 'i': '5.0' is no whole number of 64 bits");
  EXPECT_EQ(error({"1", "", "yes", "", ""}), "column 'b': 'yes' is neither true nor false");
  EXPECT_EQ(error({"1", "", "", "x", ""}), "column 't': 'x' is no whole number of SECONDS");
  EXPECT_EQ(error({"1", "", "", "", "NaN"}), "column 'd': 'NaN' is no finite number; leave it empty");
}

TEST(LoadColumnsTest, DatesBecomeNanoseconds) {
  LoadColumnOptions options;
  options.types = {{"t", "TIMESTAMP"}};
  options.dimensions = {"host"};
  LoadColumns columns = *LoadColumns::Make({"time", "host", "t"}, options);
  EXPECT_EQ(*RecordOf(columns, {"2024-01-01", "a", "2024-01-01 00:00:01"}),
            R"({"Dimensions":[{"Name":"host","Value":"a"}],"MeasureValues":[{"Name":"t","Value":"1704067201000000000",)"
            R"("Type":"TIMESTAMP"}],"Time":"1704067200000000000"})");
}

}  // namespace
}  // namespace tideline::cli
