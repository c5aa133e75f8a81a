// Names and tokens: ARNs, pagination tokens, and the rules that one record has to keep.
#include <gtest/gtest.h>

#include "service/api/arn.h"
#include "service/api/page_token.h"
#include "service/api/record_checker.h"

namespace tideline::api {
namespace {

TEST(ArnTest, CarriesRegionPartitionAndAccount) {
  CallContext call;
  EXPECT_EQ(TableArn(call, "d", "t"),
            "arn:aws:timestream:us-east-1:000000000000:database/d/table/t");
  call.region = "cn-north-1";
  EXPECT_EQ(DatabaseArn(call, "d"), "arn:aws-cn:timestream:cn-north-1:000000000000:database/d");
}

TEST(ArnTest, KmsKeysBecomeArnsAndStayTheSame) {
  const CallContext call;
  EXPECT_EQ(KmsKeyArn(call, "arn:aws:kms:x:1:key/y"), "arn:aws:kms:x:1:key/y");
  EXPECT_EQ(KmsKeyArn(call, "").substr(0, 37), "arn:aws:kms:us-east-1:000000000000:ke");
  EXPECT_EQ(KmsKeyArn(call, ""), KmsKeyArn(call, "alias/aws/timestream"));
  EXPECT_NE(KmsKeyArn(call, ""), KmsKeyArn(call, "alias/other"));
  EXPECT_EQ(KmsKeyArn(call, "arn:aws:kms:us-east-1:000000000000:alias/mine"), KmsKeyArn(call, "alias/mine"));
  for (const std::string_view good :
       {"alias/a_b-c", "01234567-89ab-cdef-0123-456789abcdef", "arn:aws-cn:kms:cn-north-1:1:key/a"}) {
    EXPECT_TRUE(CheckKmsKey(good).ok()) << good;
  }
  for (const std::string_view bad :
       {"", "a b", "arn:", "arn:aws:s3:::bucket", "arn:aws:kms:x:1:user/y", "arn:aws:kms:x:1:key/"}) {
    EXPECT_EQ(CodeOf(CheckKmsKey(bad)), ErrorCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(KmsKeyArn(call, "").size(), std::string("arn:aws:kms:us-east-1:000000000000:key/").size() + 36);
}

TEST(ArnTest, ParsesTheThreeForms) {
  const auto table = ParseResourceArn("arn:aws:timestream:r:000000000001:database/d/table/t");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->kind, ResourceName::Kind::kTable);
  EXPECT_EQ(table->table, "t");
  EXPECT_EQ(ParseResourceArn("arn:aws:timestream:r:000000000001:database/d")->database, "d");
  EXPECT_EQ(ParseResourceArn("arn:aws:timestream:r:000000000001:scheduled-query/q-1")->kind,
            ResourceName::Kind::kScheduledQuery);
  for (const std::string_view bad :
       {"", "x", "arn:aws:s3:::bucket", "arn:aws:timestream:r:000000000001:database/",
        "arn:aws:timestream:r:000000000001:database/d/table/", "arn:aws:timestream:r:000000000001:database/d/x/t",
        "arn:aws:timestream:r:000000000001:database/d/table/t/u", "arn:aws:timestream:r:1:database/d",
        "arn:aws:timestream::000000000001:database/d", "arn:aws-cn:timestream:us-east-1:000000000001:database/d",
        "arn:awsx:timestream:r:000000000001:database/d"}) {
    EXPECT_EQ(CodeOf(ParseResourceArn(bad).status()), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(PageTokenTest, RoundTripsWithinItsScope) {
  const PageToken token{"a name", "x/y"};
  const std::string text = token.Encode("tables/d");
  const auto back = PageToken::Decode("tables/d", text);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->first, "a name");
  EXPECT_EQ(back->second, "x/y");
  EXPECT_FALSE(PageToken::Decode("tables/e", text).ok());
  std::string changed = text;
  changed[0] = changed[0] == '0' ? '1' : '0';
  EXPECT_FALSE(PageToken::Decode("tables/d", changed).ok());
  for (const std::string_view bad : {"x", "zz", "00", "0011223344556677"}) {
    EXPECT_EQ(MessageOf(PageToken::Decode("tables/d", bad).status()), "Invalid pagination token") << bad;
  }
}

TEST(RecordCheckerTest, TimesInEveryUnit) {
  EXPECT_EQ(*ParseRecordTime("1", TimeUnit::kSeconds), 1'000'000'000);
  EXPECT_EQ(*ParseRecordTime("1", TimeUnit::kMilliseconds), 1'000'000);
  EXPECT_EQ(*ParseRecordTime("1", TimeUnit::kMicroseconds), 1'000);
  EXPECT_EQ(*ParseRecordTime("9223372036854775807", TimeUnit::kNanoseconds), INT64_MAX);
  for (const std::string_view bad : {"", "x", "1.5", "-", "9223372036854775808", " 1"}) {
    EXPECT_EQ(MessageOf(ParseRecordTime(bad, TimeUnit::kNanoseconds).status()),
              "Invalid time for record.")
        << bad;
  }
  EXPECT_FALSE(ParseRecordTime("9223372036854775807", TimeUnit::kMicroseconds).ok());
  // Before 1970: read, and then outside of the window or refused by it.
  EXPECT_EQ(*ParseRecordTime("-1", TimeUnit::kMilliseconds), -1'000'000);
  EXPECT_EQ(*ParseRecordTime("-9223372036854775807", TimeUnit::kSeconds), INT64_MIN);
}

TEST(RecordCheckerTest, WindowsFollowRetention) {
  catalog::TableSchema table;
  table.properties.retention = {.memory_hours = 12, .magnetic_days = 5};
  const TimestampNs now{1'700'000'000 * kNsPerSecond};
  IngestionWindow window = WindowOf(table, now);
  engine::Store store = engine::Store::kMemory;
  EXPECT_EQ(window.end_ns - window.begin_ns, 12 * kNsPerHour + 40 * kNsPerMinute);
  EXPECT_TRUE(CheckWindow(now.value, window, &store).ok());
  EXPECT_NE(MessageOf(CheckWindow(window.end_ns, window, &store)).find("of the memory store."),
            std::string::npos);
  table.properties.magnetic_store_writes.enabled = true;
  window = WindowOf(table, now);
  EXPECT_EQ(window.end_ns - window.begin_ns,
            12 * kNsPerHour + 5 * kNsPerDay + 40 * kNsPerMinute);
  EXPECT_TRUE(CheckWindow(now.value - kNsPerDay, window, &store).ok());
  EXPECT_EQ(store, engine::Store::kMagnetic);
  EXPECT_EQ(CodeOf(CheckWindow(window.begin_ns - 1, window, &store)), ErrorCode::kAborted);
}

TEST(RecordCheckerTest, NamesAndReservedWords) {
  EXPECT_TRUE(CheckDimensionName("host").ok());
  EXPECT_TRUE(CheckDimensionName("with blank").ok());
  for (const std::string_view bad :
       {"time", "measure_name", "measure_name_x", "measure_value", "measure_value::double", "ts_x",
        "a:b", "a\"b", "a\nb", "a\xe2\x80\xa8"}) {
    EXPECT_EQ(CodeOf(CheckDimensionName(bad)), ErrorCode::kAborted) << bad;
  }
  EXPECT_EQ(CodeOf(CheckDimensionName(std::string(61, 'a'))), ErrorCode::kAborted);
  EXPECT_TRUE(CheckMeasureName(std::string(256, 'a'), "measure name").ok());
  EXPECT_EQ(CodeOf(CheckMeasureName(std::string(257, 'a'), "measure name")), ErrorCode::kAborted);
  EXPECT_EQ(CodeOf(CheckMeasureName("a:b", "measure name")), ErrorCode::kAborted);
}

TEST(RecordCheckerTest, ReadsMeasuresByType) {
  using catalog::MeasureType;
  const auto parse = [](std::string_view text, MeasureType type) {
    return ParseMeasure("m", text, type, TimeUnit::kSeconds);
  };
  EXPECT_EQ(parse("1.5e3", MeasureType::kDouble)->floating, 1500);
  EXPECT_EQ(parse("+2", MeasureType::kDouble)->floating, 2);
  EXPECT_EQ(parse("-0.0", MeasureType::kDouble)->floating, 0);
  EXPECT_EQ(parse("1e-400", MeasureType::kDouble)->floating, 0);
  for (const std::string_view bad : {"NaN", "Infinity", "-Infinity", "", "1e400", "x", "1 ", "0x10"}) {
    EXPECT_EQ(CodeOf(parse(bad, MeasureType::kDouble).status()), ErrorCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(parse("-9223372036854775808", MeasureType::kBigint)->integer, INT64_MIN);
  EXPECT_FALSE(parse("9223372036854775808", MeasureType::kBigint).ok());
  EXPECT_FALSE(parse("1.0", MeasureType::kBigint).ok());
  EXPECT_EQ(parse("TRUE", MeasureType::kBoolean)->integer, 1);
  EXPECT_FALSE(parse("yes", MeasureType::kBoolean).ok());
  EXPECT_EQ(parse("2", MeasureType::kTimestamp)->integer, 2 * kNsPerSecond);
  EXPECT_FALSE(parse("-2", MeasureType::kTimestamp).ok());
  EXPECT_FALSE(parse(std::string(2049, 'x'), MeasureType::kVarchar).ok());
}

}  // namespace
}  // namespace tideline::api
