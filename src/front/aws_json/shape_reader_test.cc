#include "front/aws_json/shape_reader.h"

#include <gtest/gtest.h>

namespace tideline::aws_json {
namespace {

TEST(ShapeReaderTest, ReportsEveryViolationInOneMessage) {
  const JsonValue body = *JsonValue::Parse(R"({"DatabaseName":"no blanks","MaxResults":21})");
  Violations violations;
  ShapeReader shape(body, "", &violations);
  shape.RequiredText("DatabaseName", {.pattern = Pattern::kName});
  shape.Integer("MaxResults", {.min = 1, .max = 20});
  shape.RequiredText("TableName");
  EXPECT_EQ(violations.Message(),
            "3 validation errors detected: Value 'no blanks' at 'databaseName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '21' "
            "at 'maxResults' failed to satisfy constraint: Member must have value less than or equal "
            "to 20; Value null at 'tableName' failed to satisfy constraint: Member must not be null");
}

TEST(ShapeReaderTest, OneViolationIsSingular) {
  const JsonValue body = *JsonValue::Parse("{}");
  Violations violations;
  ShapeReader(body, "", &violations).RequiredText("DatabaseName");
  EXPECT_TRUE(violations.Message().starts_with("1 validation error detected: "));
}

TEST(ShapeReaderTest, WrongTypesAreReportedAlone) {
  const JsonValue body = *JsonValue::Parse(R"({"DatabaseName":5})");
  Violations violations;
  ShapeReader shape(body, "", &violations);
  shape.RequiredText("DatabaseName", {.length_min = 10});
  shape.RequiredText("TableName");
  EXPECT_TRUE(violations.has_wrong_type());
  EXPECT_EQ(violations.Message(), "NUMBER_VALUE can not be converted to String");
}

TEST(ShapeReaderTest, NullReadsAsAbsentAndUnknownMembersAreIgnored) {
  const JsonValue body = *JsonValue::Parse(R"({"A":null,"Unknown":[1]})");
  Violations violations;
  ShapeReader shape(body, "", &violations);
  EXPECT_FALSE(shape.Text("A").has_value());
  EXPECT_FALSE(shape.Integer("A").has_value());
  EXPECT_EQ(shape.Object("A"), nullptr);
  EXPECT_TRUE(violations.empty());
}

TEST(ShapeReaderTest, LengthsCountCharacters) {
  Violations violations;
  CheckText("\xc3\xa9\xc3\xa9", {.length_max = 2}, "x", &violations);
  EXPECT_TRUE(violations.empty());
  CheckText("abc", {.length_max = 2}, "x", &violations);
  EXPECT_FALSE(violations.empty());
}

TEST(ShapeReaderTest, PatternsMatchTheWholeText) {
  EXPECT_TRUE(MatchesPattern(Pattern::kName, "a_b.c-D9"));
  EXPECT_FALSE(MatchesPattern(Pattern::kName, "a b"));
  EXPECT_FALSE(MatchesPattern(Pattern::kName, ""));
  EXPECT_TRUE(MatchesPattern(Pattern::kS3Bucket, "my.bucket-1"));
  EXPECT_FALSE(MatchesPattern(Pattern::kS3Bucket, "My"));
  EXPECT_TRUE(MatchesPattern(Pattern::kS3Key, "a/b.c"));
  EXPECT_FALSE(MatchesPattern(Pattern::kS3Key, "/a"));
  EXPECT_TRUE(MatchesPattern(Pattern::kQueryId, "AE23"));
  EXPECT_FALSE(MatchesPattern(Pattern::kQueryId, "AE-23"));
}

}  // namespace
}  // namespace tideline::aws_json
