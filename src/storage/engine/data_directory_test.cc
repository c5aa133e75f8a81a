#include "storage/engine/data_directory.h"

#include <gtest/gtest.h>

#include "storage/engine/engine_test_support.h"

namespace tideline::engine {
namespace {

using testing::SimEngine;
using tideline::testing::SimFileSystem;

constexpr std::string_view kUuid = "12345678-1234-4234-8234-123456789abc";

void Put(SimFileSystem& disk, const std::string& path) {
  ASSERT_TRUE(fs::CreateDirectories(disk, fs::DirectoryOf(path)).ok());
  ASSERT_TRUE(fs::WriteFileOnce(disk, path, AsBytes("somebody's")).ok());
}

TEST(DataDirectory, ForeignDirectoriesAreRefusedAndStayAsTheyAre) {
  // Names that look like ours in part among them.
  for (const char* name : {"thesis.txt", "spill/thesis.txt", "wal/notes", "keys/id_rsa", "manifest/readme",
                           "segments/a", "reports/2024.pdf", "buckets/photos/a.jpg", "tls/ca.pem", "etc/passwd", "reserve/x",
                           "manifest/0000000000000000001", "LOCK.old", "wal/00000000000000000001.bak"}) {
    SCOPED_TRACE(name);
    SimFileSystem disk{1};
    Put(disk, fs::JoinPath("/data", name));
    const std::uint64_t before = disk.StateHash();
    const Status checked = CheckDataDirectory(disk, "/data");
    EXPECT_EQ(CodeOf(checked), ErrorCode::kInvalidArgument);
    EXPECT_NE(MessageOf(checked).find("/data"), std::string_view::npos) << checked;
    EngineOptions options;
    options.file_system = &disk;
    options.data_dir = "/data";
    options.own_threads = false;
    EXPECT_EQ(CodeOf(Engine::Open(std::move(options)).status()), ErrorCode::kInvalidArgument);
    EXPECT_EQ(disk.StateHash(), before);
  }
}

TEST(DataDirectory, NewOnesAreTaken) {
  for (const char* name : {".gitkeep", ".snapshot/x", "lost+found/#12", "LOCK", "master-key", "root-key.json",
                           "tideline.toml", "tls/certificate.pem", "tls/key.pem", "master-key.1.tmp",
                           "manifest/00000000000000000001.1.tmp", "keys/.keep"}) {
    SCOPED_TRACE(name);
    SimFileSystem disk{1};
    Put(disk, fs::JoinPath("/data", name));
    EXPECT_EQ(CheckDataDirectory(disk, "/data"), OkStatus());
  }
  SimFileSystem disk{1};
  EXPECT_EQ(CheckDataDirectory(disk, "/data"), OkStatus()) << "absent";
  ASSERT_TRUE(fs::CreateDirectories(disk, "/data/spill").ok());
  ASSERT_TRUE(fs::CreateDirectories(disk, "/data/keys").ok());
  EXPECT_EQ(CheckDataDirectory(disk, "/data"), OkStatus()) << "empty directories of our names";
  ASSERT_TRUE(fs::CreateDirectories(disk, "/data/other").ok());
  EXPECT_EQ(CodeOf(CheckDataDirectory(disk, "/data")), ErrorCode::kInvalidArgument);
  Put(disk, "/file");
  EXPECT_EQ(CodeOf(CheckDataDirectory(disk, "/file")), ErrorCode::kInvalidArgument);
}

TEST(DataDirectory, OneFileUnderOurNameIsTheMark) {
  for (const std::string& name :
       {std::string("manifest/00000000000000000007"), std::string("wal/00000000000000000001"),
        fmt::format("keys/{}.00000001.{}", kUuid, kUuid), fmt::format("segments/{}", kUuid),
        fmt::format("series/{}", kUuid), fmt::format("deleted/{}", kUuid), fmt::format("magnetic/{}/{}", kUuid, kUuid)}) {
    SCOPED_TRACE(name);
    SimFileSystem disk{1};
    Put(disk, "/data/spill/thesis.txt");
    Put(disk, "/data/zebra");
    Put(disk, fs::JoinPath("/data", name));
    EXPECT_EQ(CheckDataDirectory(disk, "/data"), OkStatus());
  }
}

TEST(DataDirectory, AnOpenedOneOpensAgainAndKeepsWhatOthersPutThere) {
  SimEngine sim{5};
  ASSERT_TRUE(sim.Open().ok());
  ASSERT_TRUE(sim.Create().ok());
  sim.Close();
  const std::string root = sim.options.data_dir;
  for (const char* name : {"segments/notes", "series/a.txt", "deleted/b", "manifest/!first", "manifest/zz", "wal/c",
                           "notes.tmp", "segments/d.tmp", "segments/12345678-1234-4234-8234-123456789abc.bak"}) {
    Put(sim.disk, fs::JoinPath(root, name));
  }
  const std::string orphan = fs::JoinPath(root, fmt::format("segments/{}", kUuid));
  Put(sim.disk, orphan);
  Put(sim.disk, orphan + ".3.tmp");
  const auto list = [&] {
    std::vector<std::string> paths;
    for (const std::string& path : sim.disk.Paths()) {
      if (!sim.disk.Contents(path).empty() && AsText(sim.disk.Contents(path)) == "somebody's") paths.push_back(path);
    }
    return paths;
  };
  EXPECT_EQ(list().size(), 11U);
  const Status opened = sim.Open();
  ASSERT_TRUE(opened.ok()) << opened;
  EXPECT_EQ(list().size(), 9U);
  EXPECT_EQ(CodeOf(sim.disk.Stat(orphan).status()), ErrorCode::kNotFound);
}

TEST(DataDirectory, AFirstStartThatDiedAnywhereOpens) {
  std::uint64_t calls = 1;
  for (;; ++calls) {
    SimEngine sim{calls};
    sim.disk.CrashAtCall(calls);
    const bool opened = sim.Open().ok();
    if (opened && !sim.disk.crashed()) break;
    sim.Crash(tideline::testing::Keep::kAll);
    const Status again = sim.Open();
    ASSERT_TRUE(again.ok()) << "died at call " << calls << ": " << again;
    ASSERT_LT(calls, 10'000U);
  }
  EXPECT_GT(calls, 5U);
}

TEST(IsOwnKey, WantsAUuidBehindThePrefix) {
  EXPECT_TRUE(IsOwnKey(fmt::format("segments/{}", kUuid), "segments/"));
  for (const char* key : {"segments/", "segments/a", "segments/12345678-1234-4234-8234-123456789abc.1",
                          "series/12345678-1234-4234-8234-123456789abc"}) {
    EXPECT_FALSE(IsOwnKey(key, "segments/")) << key;
  }
}

}  // namespace
}  // namespace tideline::engine
