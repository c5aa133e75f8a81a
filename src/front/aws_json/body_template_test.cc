#include "front/aws_json/body_template.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/random.h"
#include "front/aws_json/write_records_parser.h"

namespace tideline::aws_json {
namespace {

constexpr std::string_view kBody =
    R"({"DatabaseName": "d", "TableName": "t", "CommonAttributes": {"Version": 17, "Dimensions": [{"Name": "region", "Value": "eu"}]}, )"
    R"("Records": [{"Dimensions": [{"Name": "host", "Value": "a"}], "MeasureName": "cpu", "MeasureValueType": "MULTI", )"
    R"("MeasureValues": [{"Name": "user", "Value": "1", "Type": "DOUBLE"}, {"Name": "idle", "Value": "2", "Type": "BIGINT"}], "Time": "100"}, )"
    R"({"Dimensions": [{"Name": "host", "Value": "bb"}], "MeasureName": "cpu", "MeasureValueType": "MULTI", )"
    R"("MeasureValues": [{"Name": "user", "Value": "33", "Type": "DOUBLE"}, {"Name": "idle", "Value": "4", "Type": "BIGINT"}], "Time": "200"}]})";

std::string Padded(std::string_view body) { return std::string(body) + std::string(64, '"'); }

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  const std::size_t at = result.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? result : result.replace(at, from.size(), to);
}

// Everything a request says, as text.
std::string Describe(const api::RecordInput& record) {
  std::string text;
  for (const auto& d : record.dimensions) text += fmt::format("<{}={}>", d.name, d.value);
  for (const auto& m : record.measure_values) {
    text += fmt::format("[{}={}:{}]", m.name, m.value, static_cast<int>(m.type));
  }
  const auto member = [&](char name, const auto& value) {
    if (value.has_value()) text += fmt::format(" {}'{}'", name, *value);
  };
  member('n', record.measure_name);
  member('v', record.measure_value);
  member('t', record.time);
  member('V', record.version);
  if (record.measure_value_type) text += fmt::format(" T{}", static_cast<int>(*record.measure_value_type));
  if (record.time_unit) text += fmt::format(" U{}", static_cast<int>(*record.time_unit));
  return text + (record.has_measure_values ? " m;" : ";");
}
std::string Describe(const api::WriteRecordsRequest& request) {
  std::string text = fmt::format("{}.{} common {}", request.database, request.table, Describe(request.common));
  for (const auto& record : request.records) text += "\n" + Describe(record);
  return text;
}

// What a parser that has seen nothing before makes of a body; empty when it refuses it.
std::string FullParse(std::string_view body) {
  WriteRecordsParser parser;
  Violations violations;
  const std::string padded = Padded(body);
  const auto request = parser.Parse(std::string_view(padded).substr(0, body.size()), &violations);
  return request.ok() && violations.empty() ? Describe(*request) : std::string();
}

std::unique_ptr<BodyTemplate> LearnFrom(std::string_view body) {
  WriteRecordsParser parser;
  Violations violations;
  const std::string padded = Padded(body);
  const std::string_view text = std::string_view(padded).substr(0, body.size());
  const auto request = parser.Parse(text, &violations);
  EXPECT_TRUE(request.ok() && violations.empty());
  return BodyTemplate::Learn(text, *request);
}

// What the template makes of a body; empty when it does not match.
std::string TemplateParse(const BodyTemplate& learned, std::string_view body) {
  const std::string padded = Padded(body);
  RequestParts parts;
  api::WriteRecordsRequest request;
  if (!learned.Match(std::string_view(padded).substr(0, body.size()), &parts, &request)) return {};
  return Describe(request);
}

TEST(BodyTemplateTest, ReadsWhatDiffersInValuesOnly) {
  const auto learned = LearnFrom(kBody);
  ASSERT_NE(learned, nullptr);
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"\"a\"", "\"\""},
                                 {"\"bb\"", "\"a host with a rather long name, longer than 16\""},
                                 {"\"33\"", "\"-1.5e9\""},
                                 {"\"200\"", "\"1700000000000\""},
                                 {"17", "123456789012345678"},
                                 {"}, {\"Dim", "} , \n\t {\"Dim"}}) {
    const std::string body = Replaced(kBody, from, to);
    EXPECT_EQ(TemplateParse(*learned, body), FullParse(body)) << to;
    EXPECT_NE(FullParse(body), "") << to;
  }
}

TEST(BodyTemplateTest, LeavesTheRestToTheFullParser) {
  const auto learned = LearnFrom(kBody);
  ASSERT_NE(learned, nullptr);
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"\"a\"", "\"\\u0041\""},
                                 {"\"bb\"", "\"\xc3\xa9\""},
                                 {"\"33\"", "\"\""},
                                 {"\"33\"", "\"3\n\""},
                                 {"\"33\"", "33"},
                                 {"\"200\"", "null"},
                                 {"17", "1.5"},
                                 {"17", "017"},
                                 {"17", "9223372036854775807"},
                                 {"17", ""},
                                 {"user", "User"},
                                 {"BIGINT", "DOUBLE"},
                                 {"]}", "]}x"},
                                 {"\"t\"", "\"u\""}}) {
    EXPECT_EQ(TemplateParse(*learned, Replaced(kBody, from, to)), "") << to;
  }
  for (std::size_t length = 0; length < kBody.size(); ++length) {
    EXPECT_EQ(TemplateParse(*learned, kBody.substr(0, length)), "") << length;
  }
}

TEST(BodyTemplateTest, DoesNotLearnWhatItCannotPredict) {
  // Records of two shapes, names with escapes, members given twice.
  EXPECT_EQ(LearnFrom(R"({"DatabaseName":"d","TableName":"t","Records":[{"Time":"1"},{"MeasureName":"m"}]})"), nullptr);
  EXPECT_EQ(LearnFrom(R"({"DatabaseName":"d","TableName":"t","Records":[{"MeasureName":"\u0041"}]})"), nullptr);
  EXPECT_EQ(LearnFrom(R"({"DatabaseName":"d","TableName":"t","Records":[{}],"Records":[{}]})"), nullptr);
}

TEST(BodyTemplateTest, LearnsAnyOrderOfMembers) {
  const std::string_view body =
      R"( {"TableName":"t","Records":[{"Time":"1","MeasureValue":"5","MeasureName":"m","Dimensions":null,"Version":2}] , )"
      R"("Unknown":[{"a":"}"},1.5,true],"CommonAttributes":{"TimeUnit":"SECONDS","Time":"7"},"DatabaseName":"d"} )";
  const auto learned = LearnFrom(body);
  ASSERT_NE(learned, nullptr);
  const std::string other = Replaced(Replaced(body, "\"7\"", "\"8\""), "\"5\"", "\"6.25\"");
  EXPECT_NE(TemplateParse(*learned, other), "");
  EXPECT_EQ(TemplateParse(*learned, other), FullParse(other));
}

TEST(BodyTemplateTest, NeverAcceptsMoreThanTheFullParser) {
  const auto learned = LearnFrom(kBody);
  ASSERT_NE(learned, nullptr);
  Random random(7);
  int matched = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string body(kBody);
    const std::size_t at = random.Below(body.size());
    switch (random.Below(3)) {
      case 0:
        body[at] = static_cast<char>(random.Below(256));
        break;
      case 1:
        body.erase(at, 1 + random.Below(3));
        break;
      default:
        body.insert(at, 1, "\"\\{}[],:0 a\x01\xc3"[random.Below(13)]);
    }
    const std::string seen = TemplateParse(*learned, body);
    if (seen.empty()) continue;
    ++matched;
    ASSERT_EQ(seen, FullParse(body)) << body;
  }
  EXPECT_GT(matched, 100);
}

TEST(BodyTemplateTest, LimitsRecords) {
  const auto body_of = [](int count) {
    std::string body = R"({"DatabaseName":"d","TableName":"t","Records":[{"Time":"1"})";
    for (int i = 1; i < count; ++i) body += R"(,{"Time":"2"})";
    return body + "]}";
  };
  const auto learned = LearnFrom(body_of(1));
  ASSERT_NE(learned, nullptr);
  EXPECT_NE(TemplateParse(*learned, body_of(100)), "");
  EXPECT_EQ(TemplateParse(*learned, body_of(101)), "");
}

}  // namespace
}  // namespace tideline::aws_json
