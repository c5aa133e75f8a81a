#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "base/time.h"

namespace tideline {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("{} is odd", value);
  return value / 2;
}
Result<int> Quarter(int value) {
  const int half = TL_TRY(Half(value));
  return TL_TRY(Half(half));
}

TEST(StatusTest, TryUnwrapsOrReturns) {
  EXPECT_EQ(*Quarter(8), 2);
  const Result<int> bad = Quarter(6);
  EXPECT_EQ(CodeOf(bad.status()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(bad.status().message(), "3 is odd");
}

TEST(StatusTest, WhatIsThereAlreadyCountsAsMade) {
  EXPECT_TRUE(IgnoreExisting(OkStatus()).ok());
  EXPECT_TRUE(IgnoreExisting(AlreadyExists("the table t is there")).ok());
  EXPECT_EQ(CodeOf(IgnoreExisting(Aborted("taken"))), ErrorCode::kAborted);
}

TEST(BytesTest, RoundTripsEveryKind) {
  Bytes bytes;
  ByteWriter out(&bytes);
  out.U32(7);
  out.Varint(0);
  out.Varint(UINT64_MAX);
  out.SignedVarint(INT64_MIN);
  out.SignedVarint(-1);
  out.LengthPrefixed("text");
  ByteReader in(bytes);
  EXPECT_EQ(*in.U32(), 7U);
  EXPECT_EQ(*in.Varint(), 0U);
  EXPECT_EQ(*in.Varint(), UINT64_MAX);
  EXPECT_EQ(*in.SignedVarint(), INT64_MIN);
  EXPECT_EQ(*in.SignedVarint(), -1);
  EXPECT_EQ(*in.LengthPrefixed(10), "text");
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(CodeOf(in.U8().status()), ErrorCode::kDataLoss);
}

TEST(BytesTest, RefusesOverlongVarintAndLength) {
  const Bytes overlong(11, std::byte{0xff});
  EXPECT_EQ(CodeOf(ByteReader(overlong).Varint().status()), ErrorCode::kDataLoss);
  Bytes bytes;
  ByteWriter(&bytes).LengthPrefixed("abcdef");
  EXPECT_EQ(CodeOf(ByteReader(bytes).LengthPrefixed(5).status()), ErrorCode::kDataLoss);
}

TEST(HashTest, Crc32cKnownAnswer) {
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xe3069283U);
  EXPECT_EQ(Crc32c(AsBytes("6789"), Crc32c(AsBytes("12345"))), 0xe3069283U);
}

TEST(JsonTest, ParsesAndWrites) {
  const Result<JsonValue> value =
      JsonValue::Parse(R"({"a":[1,-2.5,"x\u00e9",null,true],"b":{"c":"d"}})");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->Find("a")->items()[2].text(), "x\xc3\xa9");
  EXPECT_EQ(value->Find("b")->FindText("c"), "d");
  EXPECT_FALSE(JsonValue::Parse("{").ok());
  EXPECT_FALSE(JsonValue::Parse(std::string(100, '[') + std::string(100, ']')).ok());
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.Member("a", std::int64_t{1});
  writer.Key("b");
  writer.BeginArray();
  writer.String("q\"\n\x01\xff");
  writer.Double(0.5);
  writer.EndArray();
  writer.EndObject();
  EXPECT_EQ(out, "{\"a\":1,\"b\":[\"q\\\"\\n\\u0001\xef\xbf\xbd\",0.5]}");
}

TEST(MemoryBudgetTest, ChildDrawsOnParent) {
  MemoryBudget process("process", 100);
  MemoryBudget query("query", 80, &process);
  EXPECT_TRUE(query.Reserve(80).ok());
  EXPECT_EQ(CodeOf(query.Reserve(1)), ErrorCode::kResourceExhausted);
  MemoryBudget other("other", 80, &process);
  EXPECT_FALSE(other.Reserve(30).ok());
  query.Release(80);
  EXPECT_TRUE(other.Reserve(30).ok());
}

TEST(RandomTest, BelowStaysBelow) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.Below(7), 7U);
}

TEST(ThreadPoolTest, RunsAllBeforeStop) {
  std::atomic<int> count = 0;
  ThreadPool pool({.name = "test", .thread_count = 2});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pool.Submit([&] { ++count; }).ok());
  pool.Stop();
  EXPECT_EQ(count, 100);
  EXPECT_EQ(CodeOf(pool.Submit([] {})), ErrorCode::kUnavailable);
}

TEST(TimeTest, FormatsIso8601) {
  EXPECT_EQ(FormatIso8601({0}, 3), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatIso8601({-1}, 9), "1969-12-31T23:59:59.999999999Z");
}

}  // namespace
}  // namespace tideline
