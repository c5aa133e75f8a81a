#include "server/magnetic_store.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "storage/objstore/directory_object_store.h"
#include "tests/support/s3_test_server.h"
#include "tests/support/sim_file_system.h"

namespace tideline::server {
namespace {

using tideline::testing::S3TestServer;
using tideline::testing::SimFileSystem;

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

}  // namespace
}  // namespace tideline::server
