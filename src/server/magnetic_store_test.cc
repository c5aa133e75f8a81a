#include "server/magnetic_store.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "storage/objstore/directory_object_store.h"
#include "server/probed_object_store.h"
#include "tests/support/s3_test_server.h"
#include "tests/support/sim_object_store.h"
#include "tests/support/sim_file_system.h"

namespace tideline::server {
namespace {

using tideline::testing::S3TestServer;
using tideline::testing::SimFileSystem;
using tideline::testing::SimObjectStore;

std::optional<std::string> TestKeys(std::string_view name) {
  if (name == "AWS_ACCESS_KEY_ID") return "AK";
  if (name == "AWS_SECRET_ACCESS_KEY") return "SK";
  return std::nullopt;
}

TEST(MagneticStore, IsOpenedAndProbed) {
  SetLogLevel(LogLevel::kOff);
  SimFileSystem disk(1);
  const auto backing = *objstore::OpenDirectoryObjectStore(disk, {.directory = "b"});
  S3TestServer fit(*backing, {});
  Settings settings;
  EXPECT_EQ(*OpenMagneticStore(settings, &TestKeys), nullptr);
  settings.object_store = "s3://bucket/some/prefix";
  settings.object_store_endpoint = fit.endpoint();
  const auto store = OpenMagneticStore(settings, &TestKeys);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_NE(*store, nullptr);
  const auto no_keys = [](std::string_view) { return std::optional<std::string>(); };
  const Status keyless = OpenMagneticStore(settings, no_keys).status();
  EXPECT_EQ(CodeOf(keyless), ErrorCode::kInvalidArgument);
  EXPECT_NE(MessageOf(keyless).find("AWS_ACCESS_KEY_ID"), std::string_view::npos);
  settings.object_store = "/a/directory";
  EXPECT_EQ(CodeOf(OpenMagneticStore(settings, &TestKeys).status()), ErrorCode::kInvalidArgument);
  S3TestServer unfit(*backing, {.keeps_conditions = false});
  settings.object_store = "s3://bucket";
  settings.object_store_endpoint = unfit.endpoint();
  EXPECT_EQ(CodeOf(OpenMagneticStore(settings, &TestKeys).status()), ErrorCode::kUnimplemented);
  SetLogLevel(LogLevel::kInfo);
}

TEST(MagneticStore, OneThatDoesNotAnswerIsOpenedAndProbedBeforeItIsWritten) {
  SetLogLevel(LogLevel::kOff);
  ManualClock clock{TimestampNs{0}};
  Status answer = Unavailable("connection refused");
  int probes = 0;
  auto bucket = std::make_unique<SimObjectStore>(1);
  SimObjectStore* const raw = bucket.get();
  raw->CutOff(true);
  ProbedObjectStore store(std::move(bucket), "s3://bucket", [&](objstore::ObjectStore&) {
    ++probes;
    return answer;
  }, clock);
  EXPECT_EQ(CodeOf(store.EnsureFit()), ErrorCode::kUnavailable);
  raw->CutOff(false);
  EXPECT_EQ(CodeOf(store.Head("a").status()), ErrorCode::kNotFound) << "reads are passed on";
  EXPECT_EQ(CodeOf(store.Put("a", AsBytes("1"))), ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(store.Create("a").status()), ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(store.Remove("a")), ErrorCode::kUnavailable);
  EXPECT_EQ(probes, 1) << "not at every call";
  clock.Advance(kProbeRetryNs);
  answer = OkStatus();
  EXPECT_TRUE(store.Put("a", AsBytes("1")).ok());
  EXPECT_TRUE(store.Put("b", AsBytes("1")).ok());
  EXPECT_EQ(probes, 2);
  EXPECT_EQ(raw->Objects().size(), 2U);
  SetLogLevel(LogLevel::kInfo);
}

TEST(MagneticStore, OneThatTurnsOutUnfitIsNeverWritten) {
  SetLogLevel(LogLevel::kOff);
  ManualClock clock{TimestampNs{0}};
  int probes = 0;
  ProbedObjectStore store(std::make_unique<SimObjectStore>(1), "s3://bucket", [&](objstore::ObjectStore&) {
    return ++probes == 1 ? Unavailable("no route") : Unimplemented("it ignores If-None-Match");
  }, clock);
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(store.Put("a", AsBytes("1")).ok());
    clock.Advance(kProbeRetryNs);
  }
  EXPECT_EQ(probes, 2) << "what is unfit stays so";
  EXPECT_EQ(CodeOf(store.Put("a", AsBytes("1"))), ErrorCode::kUnimplemented);
  SetLogLevel(LogLevel::kInfo);
}

TEST(MagneticStore, ABucketNoOneServesIsNoErrorOfTheStart) {
  SetLogLevel(LogLevel::kOff);
  Settings settings;
  settings.object_store = "s3://bucket";
  settings.object_store_endpoint = "http://127.0.0.1:1";  // nothing listens there
  const auto store = OpenMagneticStore(settings, &TestKeys);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_FALSE((*store)->List("", "", 1).ok());
  EXPECT_EQ(CodeOf((*store)->Put("a", AsBytes("1"))), ErrorCode::kUnavailable);
  SetLogLevel(LogLevel::kInfo);
}

}  // namespace
}  // namespace tideline::server
