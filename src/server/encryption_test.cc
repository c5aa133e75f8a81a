#include "server/encryption.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "storage/engine/engine.h"
#include "tests/support/sim_file_system.h"

namespace tideline::server {
namespace {

using tideline::testing::SimFileSystem;

// Opens and closes an engine on the directory, as a server would.
Status Serve(SimFileSystem& disk, std::string_view choice, std::string_view key_file = "") {
  SetLogLevel(LogLevel::kOff);
  const DataKeys keys = TL_TRY(OpenDataKeys(disk, "db", choice, key_file));
  engine::EngineOptions options;
  options.data_dir = "db";
  options.file_system = &disk;
  options.own_threads = false;
  options.sealer = keys.sealer();
  const auto engine = TL_TRY(engine::Engine::Open(std::move(options)));
  return engine->Stop();
}

ErrorCode CodeOfServe(SimFileSystem& disk, std::string_view choice, std::string_view key_file = "") {
  return CodeOf(Serve(disk, choice, key_file));
}

TEST(DataKeys, ADirectoryStaysWhatItWas) {
  for (const std::string_view first : {"auto", "on"}) {
    SimFileSystem disk(1);
    ASSERT_EQ(Serve(disk, first), OkStatus());
    EXPECT_TRUE(disk.Stat("db/master-key").ok());
    EXPECT_EQ(CodeOfServe(disk, "auto"), ErrorCode::kOk);
    EXPECT_EQ(CodeOfServe(disk, "on"), ErrorCode::kOk);
    EXPECT_EQ(CodeOfServe(disk, "off"), ErrorCode::kInvalidArgument);
  }
  SimFileSystem disk(1);
  ASSERT_EQ(Serve(disk, "off"), OkStatus());
  EXPECT_FALSE(disk.Stat("db/master-key").ok());
  EXPECT_EQ(CodeOfServe(disk, "auto"), ErrorCode::kOk);
  EXPECT_EQ(CodeOfServe(disk, "off"), ErrorCode::kOk);
  EXPECT_EQ(CodeOfServe(disk, "on"), ErrorCode::kInvalidArgument);
}

TEST(DataKeys, ALostKeyFileIsNeverMadeAnew) {
  SimFileSystem disk(1);
  ASSERT_EQ(Serve(disk, "auto"), OkStatus());
  const Bytes kept = disk.Contents("db/master-key");
  ASSERT_TRUE(disk.Remove("db/master-key").ok());
  const Status lost = Serve(disk, "auto");
  EXPECT_EQ(CodeOf(lost), ErrorCode::kNotFound);
  EXPECT_NE(MessageOf(lost).find("db/master-key"), std::string_view::npos);
  EXPECT_FALSE(disk.Stat("db/master-key").ok());
  // Somebody else's key file.
  ASSERT_TRUE(seal::LocalKeyFile::Create(disk, "db/master-key").ok());
  const Status foreign = Serve(disk, "auto");
  EXPECT_EQ(CodeOf(foreign), ErrorCode::kPermissionDenied);
  EXPECT_NE(MessageOf(foreign).find("db/master-key"), std::string_view::npos);
  // The copy, kept in another place.
  ASSERT_TRUE(fs::WriteFileOnce(disk, "copy-of-the-key", kept).ok());
  EXPECT_EQ(CodeOfServe(disk, "auto", "copy-of-the-key"), ErrorCode::kOk);
}

TEST(DataKeys, AStartThatDiedGoesOnWithItsKey) {
  for (std::uint64_t call = 1; call < 40; ++call) {
    SimFileSystem disk(call);
    ASSERT_TRUE(fs::CreateDirectories(disk, "db").ok());
    disk.CrashAtCall(call);
    const Status first = Serve(disk, "auto");
    disk.Restart(tideline::testing::Keep::kRandom);
    const Status second = Serve(disk, "auto");
    EXPECT_TRUE(second.ok()) << "call " << call << ": " << second;
    if (first.ok()) break;
  }
}

TEST(DataKeys, ToolsMakeNothing) {
  SimFileSystem disk(1);
  EXPECT_EQ(OpenExistingKeys(disk, "db", "")->sealer(), nullptr);
  EXPECT_TRUE(disk.Paths().empty());
}

}  // namespace
}  // namespace tideline::server
