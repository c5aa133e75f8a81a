#include "storage/objstore/object_store.h"

#include <gtest/gtest.h>

#include "storage/objstore/directory_object_store.h"
#include "tests/support/sim_file_system.h"

namespace tideline::objstore {
namespace {

using testing::Fault;
using testing::Keep;
using testing::SimFileSystem;

std::unique_ptr<ObjectStore> OpenAt(fs::FileSystem& fs, std::size_t open_files_max = 2) {
  auto store =
      OpenDirectoryObjectStore(fs, {.directory = "/store", .open_files_max = open_files_max});
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

TEST(DirectoryObjectStore, CreatesOnce) {
  SimFileSystem disk(1);
  const auto store = OpenAt(disk);
  EXPECT_EQ(*store->PutIfAbsent("lanes/0/manifest/1", AsBytes("one")), PutOutcome::kCreated);
  EXPECT_EQ(*store->PutIfAbsent("lanes/0/manifest/1", AsBytes("two")), PutOutcome::kExists);
  EXPECT_EQ(AsText(*store->GetWhole("lanes/0/manifest/1", 10)), "one");
  EXPECT_EQ(AsText(*store->Get("lanes/0/manifest/1", 1, 2)), "ne");
  EXPECT_EQ(CodeOf(store->Get("lanes/0/manifest/1", 2, 2).status()), ErrorCode::kDataLoss);
  EXPECT_EQ(CodeOf(store->GetWhole("lanes/0/manifest/1", 2).status()), ErrorCode::kDataLoss);
  EXPECT_EQ(CodeOf(store->Get("none", 0, 1).status()), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(store->Head("lanes").status()), ErrorCode::kNotFound)
      << "a directory is no object";
}

TEST(DirectoryObjectStore, ReplacesAndRemovesUnderOpenReaders) {
  SimFileSystem disk(1);
  const auto store = OpenAt(disk);
  ASSERT_TRUE(store->Put("hint", AsBytes("one")).ok());
  EXPECT_EQ(AsText(*store->GetWhole("hint", 10)), "one");
  ASSERT_TRUE(store->Put("hint", AsBytes("two")).ok());
  EXPECT_EQ(AsText(*store->GetWhole("hint", 10)), "two");
  ASSERT_TRUE(store->Remove("hint").ok());
  ASSERT_TRUE(store->Remove("hint").ok());
  EXPECT_EQ(CodeOf(store->GetWhole("hint", 10).status()), ErrorCode::kNotFound);
}

TEST(DirectoryObjectStore, ListsInByteOrder) {
  SimFileSystem disk(1);
  const auto store = OpenAt(disk);
  for (const char* key : {"a/b", "a-b", "a.b", "a/b.c", "b/1", "a/b-d/e", "ab"}) {
    ASSERT_TRUE(store->Put(key, AsBytes("x")).ok());
  }
  const auto keys = [&](std::string_view prefix, std::string_view after, std::size_t max) {
    std::vector<std::string> names;
    const std::vector<ObjectInfo> objects = *store->List(prefix, after, max);
    for (const ObjectInfo& info : objects) names.push_back(info.key);
    return names;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys("", "", 100), (Keys{"a-b", "a.b", "a/b", "a/b-d/e", "a/b.c", "ab", "b/1"}));
  EXPECT_EQ(keys("a/b", "", 100), (Keys{"a/b", "a/b-d/e", "a/b.c"}));
  EXPECT_EQ(keys("a", "a.b", 2), (Keys{"a/b", "a/b-d/e"}));
  EXPECT_EQ(keys("none/", "", 2), Keys{});
}

TEST(DirectoryObjectStore, WritesLargeObjectsInPieces) {
  SimFileSystem disk(1);
  const auto store = OpenAt(disk);
  {
    auto writer = *store->Create("segments/x");
    ASSERT_TRUE(writer->Append(AsBytes("ab")).ok());
    ASSERT_TRUE(writer->Append(AsBytes("cd")).ok());
    EXPECT_EQ(writer->size(), 4U);
    EXPECT_EQ(CodeOf(store->Head("segments/x").status()), ErrorCode::kNotFound);
    EXPECT_EQ(*writer->Commit(), PutOutcome::kCreated);
  }
  EXPECT_EQ(AsText(*store->GetWhole("segments/x", 10)), "abcd");
  { auto abandoned = *store->Create("segments/y"); }
  EXPECT_EQ(store->List("", "", 10)->size(), 1U);
}

TEST(DirectoryObjectStore, RefusesBadKeysAndASecondOwner) {
  SimFileSystem disk(1);
  const auto store = OpenAt(disk);
  for (const char* key : {"", "/a", "a/", "a//b", "../a", "a/./b", "a b", "x.tmp", "LOCK"}) {
    EXPECT_EQ(CodeOf(store->Put(key, AsBytes("x"))), ErrorCode::kInvalidArgument) << key;
  }
  EXPECT_EQ(CodeOf(store->Put(std::string(513, 'a'), AsBytes("x"))), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(OpenDirectoryObjectStore(disk, {.directory = "/store"}).status()),
            ErrorCode::kAborted);
}

TEST(DirectoryObjectStore, AcknowledgedObjectsSurviveEveryCrashPoint) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t point = 1;; ++point) {
      SimFileSystem disk(seed);
      std::vector<std::string> created;
      {
        disk.CrashAtCall(point);
        auto store = OpenDirectoryObjectStore(disk, {.directory = "/store"});
        for (int i = 0; store.ok() && i < 3; ++i) {
          const std::string key = fmt::format("d{}/{}", i % 2, i);
          const auto outcome = (*store)->PutIfAbsent(key, AsBytes(key));
          if (outcome.ok() && *outcome == PutOutcome::kCreated) created.push_back(key);
        }
      }
      const bool was_cut = disk.crashed();
      disk.Restart(seed % 2 == 0 ? Keep::kRandom : Keep::kNone);
      const auto store = OpenAt(disk);
      for (const std::string& key : created) {
        ASSERT_EQ(AsText(*store->GetWhole(key, 100)), key) << "seed " << seed << " point " << point;
      }
      const std::vector<ObjectInfo> objects = *store->List("", "", 100);
      for (const ObjectInfo& info : objects) {
        EXPECT_EQ(AsText(*store->GetWhole(info.key, 100)), info.key) << "never half an object";
      }
      if (!was_cut) break;
    }
  }
}

// A directory whose name failed to become durable must not be taken for durable by the next put.
TEST(DirectoryObjectStore, ADirectoryThatFailedToSyncIsMadeAgain) {
  for (std::uint64_t n = 1; n <= 12; ++n) {
    SimFileSystem disk(n);
    std::unique_ptr<ObjectStore> store = OpenAt(disk);
    disk.FailCall(n, Fault::kIoError);
    const Status first = store->Put("a/b/one", AsBytes("1"));
    disk.ClearFaults();
    ASSERT_TRUE(store->Put("a/b/two", AsBytes("2")).ok()) << n;
    store.reset();
    disk.CrashAtCall(1);
    EXPECT_FALSE(disk.SyncDirectory("/").ok());
    disk.Restart(Keep::kNone);
    store = OpenAt(disk);
    EXPECT_EQ(AsText(*store->GetWhole("a/b/two", 10)), "2") << n;
    if (first.ok()) {
      EXPECT_EQ(AsText(*store->GetWhole("a/b/one", 10)), "1") << n;
    }
  }
}

TEST(DirectoryObjectStore, FailuresNameTheirClassAndLeaveNoObject) {
  for (const Fault fault : {Fault::kIoError, Fault::kNoSpace}) {
    for (std::uint64_t n = 1; n <= 3; ++n) {  // create, write, sync
      SimFileSystem disk(n);
      const auto store = OpenAt(disk);
      disk.FailCall(n, fault);
      const auto outcome = store->PutIfAbsent("x", AsBytes("x"));
      EXPECT_EQ(CodeOf(outcome.status()),
                fault == Fault::kNoSpace ? ErrorCode::kResourceExhausted : ErrorCode::kUnavailable);
      EXPECT_EQ(CodeOf(store->Head("x").status()), ErrorCode::kNotFound);
      EXPECT_EQ(*store->PutIfAbsent("x", AsBytes("x")), PutOutcome::kCreated);
    }
  }
}

}  // namespace
}  // namespace tideline::objstore
