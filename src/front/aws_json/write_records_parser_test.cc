#include "front/aws_json/write_records_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace tideline::aws_json {
namespace {

using catalog::MeasureType;

// A body with the padding that the parser may read.
std::string Padded(std::string_view body) { return std::string(body) + std::string(64, ' '); }

class WriteRecordsParserTest : public testing::Test {
 protected:
  Result<api::WriteRecordsRequest> Parse(std::string_view body) {
    buffer_ = Padded(body);
    violations_ = Violations();
    return parser_.Parse(std::string_view(buffer_).substr(0, body.size()), &violations_);
  }
  std::string Message() const { return violations_.empty() ? "" : violations_.Message(); }

  WriteRecordsParser parser_;
  std::string buffer_;
  Violations violations_;
};

TEST_F(WriteRecordsParserTest, ReadsEveryMemberInAnyOrder) {
  const auto request = Parse(R"({"Records":[{"Version":3,"Time":"17","TimeUnit":"SECONDS",
      "MeasureValues":[{"Type":"BIGINT","Value":"5","Name":"n"},{"Name":"t","Value":"9","Type":"TIMESTAMP"}],
      "MeasureValueType":"MULTI","MeasureName":"m","Dimensions":[{"Value":"v","Name":"d","DimensionValueType":"VARCHAR"}]}],
      "CommonAttributes":{"Dimensions":[{"Name":"c","Value":""}],"MeasureValue":"1.5"},
      "TableName":"t","DatabaseName":"d","Unknown":{"a":[1,{}]}})");
  ASSERT_TRUE(request.ok()) << request.status();
  ASSERT_EQ(Message(), "");
  EXPECT_EQ(request->database, "d");
  EXPECT_EQ(request->table, "t");
  ASSERT_EQ(request->records.size(), 1U);
  const api::RecordInput& record = request->records[0];
  EXPECT_EQ(record.version, 3);
  EXPECT_EQ(record.time, "17");
  EXPECT_EQ(record.time_unit, api::TimeUnit::kSeconds);
  EXPECT_EQ(record.measure_value_type, MeasureType::kMulti);
  EXPECT_EQ(record.measure_name, "m");
  ASSERT_EQ(record.measure_values.size(), 2U);
  EXPECT_EQ(record.measure_values[0].type, MeasureType::kBigint);
  EXPECT_EQ(record.measure_values[1].type, MeasureType::kTimestamp);
  ASSERT_EQ(record.dimensions.size(), 1U);
  EXPECT_EQ(record.dimensions[0].value, "v");
  EXPECT_EQ(request->common.dimensions[0].name, "c");
  EXPECT_EQ(request->common.measure_value, "1.5");
}

TEST_F(WriteRecordsParserTest, UnescapesText) {
  const auto request = Parse(
      R"({"DatabaseName":"d","TableName":"t","Records":[{"MeasureName":"\u00e9\"\n","Time":"1","MeasureValue":"2"}]})");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->records[0].measure_name, "\xc3\xa9\"\n");
}

TEST_F(WriteRecordsParserTest, NullsReadAsAbsent) {
  const auto request = Parse(
      R"({"DatabaseName":"d","TableName":"t","CommonAttributes":null,"Records":[{"Time":null,"Version":null,"Dimensions":null,"MeasureValues":null,"TimeUnit":null}]})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(Message(), "");
  EXPECT_FALSE(request->records[0].time.has_value());
  EXPECT_FALSE(request->records[0].version.has_value());
}

TEST_F(WriteRecordsParserTest, NamesThePathOfAViolation) {
  ASSERT_TRUE(Parse(R"({"DatabaseName":"d","TableName":"t","Records":[{"Dimensions":[{"Name":"x","Value":"y","DimensionValueType":"BIGINT"}]}]})").ok());
  EXPECT_EQ(Message(),
            "1 validation error detected: Value 'BIGINT' at "
            "'records.1.member.dimensions.1.member.dimensionValueType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [VARCHAR]");
}

TEST_F(WriteRecordsParserTest, CountsRecords) {
  ASSERT_TRUE(Parse(R"({"DatabaseName":"d","TableName":"t","Records":[]})").ok());
  EXPECT_NE(Message().find("at 'records' failed"), std::string::npos);
  std::string many = R"({"DatabaseName":"d","TableName":"t","Records":[{})";
  for (int i = 1; i < 101; ++i) many += ",{}";
  ASSERT_TRUE(Parse(many + "]}").ok());
  EXPECT_NE(Message().find("Member must have length less than or equal to 100"), std::string::npos);
  ASSERT_TRUE(Parse(R"({"DatabaseName":"d"})").ok());
  EXPECT_NE(Message().find("Value null at 'records'"), std::string::npos);
  EXPECT_NE(Message().find("Value null at 'tableName'"), std::string::npos);
}

TEST_F(WriteRecordsParserTest, CountsRecordsBeforeTheCommonAttributes) {
  std::string many = R"({"DatabaseName":"d","TableName":"t","Records":[{})";
  for (int i = 1; i < 101; ++i) many += ",{}";
  ASSERT_TRUE(Parse(many + R"(],"CommonAttributes":{}})").ok());
  EXPECT_NE(Message().find("Member must have length less than or equal to 100"), std::string::npos);
}

TEST_F(WriteRecordsParserTest, RepeatedMembersDoNotAddUp) {
  std::string list = R"("Records":[{"Time":"1"})";
  for (int i = 1; i < 100; ++i) list += R"(,{"Time":"1"})";
  list += "]";
  const auto twice = Parse(R"({"DatabaseName":"d","TableName":"t",)" + list + "," + list + "}");
  ASSERT_TRUE(twice.ok());
  EXPECT_EQ(Message(), "");
  EXPECT_EQ(twice->records.size(), 100U);
  std::string members = R"({"DatabaseName":"d","TableName":"t","Records":[{)";
  for (int i = 0; i < 200; ++i) {
    members += R"("Dimensions":[)";
    for (int j = 0; j < 128; ++j) members += R"({"Name":"a","Value":"b"},)";
    members += R"({"Name":"a","Value":"b"}],)";
  }
  EXPECT_FALSE(Parse(members + R"("Time":"1"}]})").ok());
}

TEST_F(WriteRecordsParserTest, MessageIsShortHoweverMuchIsWrong) {
  std::string many = R"({"DatabaseName":"d","TableName":"t","Records":[{"Dimensions":[{})";
  for (int i = 1; i < 10'000; ++i) many += ",{}";
  ASSERT_TRUE(Parse(many + "]}]}").ok());
  EXPECT_EQ(Message().substr(0, 33), "20001 validation errors detected:");
  EXPECT_LT(Message().size(), 20'000U);
}

TEST_F(WriteRecordsParserTest, WrongTypesAreNoted) {
  ASSERT_TRUE(Parse(R"({"DatabaseName":"d","TableName":"t","Records":[{"Time":17}]})").ok());
  EXPECT_TRUE(violations_.has_wrong_type());
  ASSERT_TRUE(Parse(R"({"DatabaseName":"d","TableName":"t","Records":{"a":1}})").ok());
  EXPECT_TRUE(violations_.has_wrong_type());
  ASSERT_TRUE(Parse(R"({"DatabaseName":"d","TableName":"t","Records":[5]})").ok());
  EXPECT_TRUE(violations_.has_wrong_type());
}

TEST_F(WriteRecordsParserTest, RefusesWhatIsNoJson) {
  for (const std::string_view body :
       {"", "{", "[]", "nul", "{\"Records\":[{]}", "{}x", "{\"Records\":[{\"Time\":\"1\"}]", "\"text\"",
        "{\"DatabaseName\":\"\\ud800\"}"}) {
    EXPECT_FALSE(Parse(body).ok()) << body;
  }
}

TEST_F(WriteRecordsParserTest, KeepsNothingOfTheRequestBefore) {
  ASSERT_TRUE(Parse(R"({"DatabaseName":"d","TableName":"t","CommonAttributes":{"MeasureName":"m"},"Records":[{"Time":"1"},{}]})").ok());
  const auto second = Parse(R"({"DatabaseName":"d","TableName":"t","Records":[{}]})");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->records.size(), 1U);
  EXPECT_FALSE(second->common.measure_name.has_value());
  EXPECT_FALSE(second->records[0].time.has_value());
}

}  // namespace
}  // namespace tideline::aws_json
