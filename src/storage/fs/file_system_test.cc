// One suite over both file systems: the simulated disk must behave as the real one where nothing
// fails.
#include "storage/fs/file_system.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "storage/fs/posix_file_system.h"
#include "tests/support/sim_file_system.h"

namespace tideline::fs {
namespace {

using testing::Fault;
using testing::Keep;
using testing::SimFileSystem;

Bytes Text(std::string_view text) {
  const BytesView view = AsBytes(text);
  return {view.begin(), view.end()};
}

void RemoveTree(FileSystem& fs, const std::string& path) {
  for (const DirectoryEntry& entry : fs.List(path).value_or(std::vector<DirectoryEntry>())) {
    const std::string child = JoinPath(path, entry.name);
    if (entry.is_directory) {
      RemoveTree(fs, child);
    } else {
      EXPECT_TRUE(fs.Remove(child).ok());
    }
  }
  EXPECT_TRUE(fs.RemoveDirectory(path).ok());
}

class FileSystemTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) {
      ASSERT_TRUE(CreateDirectories(fs(), root_).ok());
      return;
    }
    char name[] = "/tmp/tideline_fs_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
  }
  void TearDown() override { RemoveTree(fs(), root_); }
  FileSystem& fs() { return GetParam() ? PosixFileSystem() : static_cast<FileSystem&>(sim_); }
  std::string At(std::string_view name) const { return JoinPath(root_, name); }

  SimFileSystem sim_{1};
  std::string root_ = "/root";
};

TEST_P(FileSystemTest, WritesReadsAndReportsTheEnd) {
  auto file = *fs().Open(At("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file->WriteAt(10'000, AsBytes("tail")).ok());
  ASSERT_TRUE(file->WriteAt(0, AsBytes("head")).ok());
  ASSERT_TRUE(file->SyncData().ok());
  EXPECT_EQ(*file->Size(), 10'004U);
  Bytes out(20'000);
  EXPECT_EQ(*file->ReadAt(0, out), 10'004U);
  EXPECT_EQ(AsText(BytesView(out).subspan(10'000, 4)), "tail");
  EXPECT_EQ(out[5000], std::byte{0});
  EXPECT_EQ(*file->ReadAt(20'000, out), 0U);
  EXPECT_EQ(CodeOf(ReadExactly(*file, 10'000, std::span(out).first(5))), ErrorCode::kDataLoss);
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kReadDisk}) {
    auto reader = *fs().Open(At("a"), mode);
    std::fill(out.begin(), out.end(), std::byte{1});
    EXPECT_EQ(*reader->ReadAt(9'999, std::span(out).first(100)), 5U);
    EXPECT_EQ(AsText(BytesView(out).subspan(1, 4)), "tail");
  }
  EXPECT_TRUE(file->Close().ok());
  EXPECT_TRUE(file->Close().ok());
}

TEST_P(FileSystemTest, ErrorsKeepTheirClass) {
  EXPECT_EQ(CodeOf(fs().Open(At("none"), OpenMode::kRead).status()), ErrorCode::kNotFound);
  ASSERT_TRUE(fs().Open(At("a"), OpenMode::kCreateNew).ok());
  EXPECT_EQ(CodeOf(fs().Open(At("a"), OpenMode::kCreateNew).status()), ErrorCode::kAlreadyExists);
  ASSERT_TRUE(fs().Open(At("b"), OpenMode::kCreateNew).ok());
  EXPECT_EQ(CodeOf(fs().Link(At("a"), At("b"))), ErrorCode::kAlreadyExists);
  EXPECT_EQ(CodeOf(fs().RenameNoReplace(At("a"), At("b"))), ErrorCode::kAlreadyExists);
  EXPECT_EQ(CodeOf(fs().Remove(At("none"))), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(fs().CreateDirectory(At("x/y"))), ErrorCode::kNotFound);
}

TEST_P(FileSystemTest, FilesAppearWholeOnceAndAreReplacedWhole) {
  ASSERT_TRUE(WriteFileOnce(fs(), At("a"), AsBytes("one")).ok());
  EXPECT_EQ(CodeOf(WriteFileOnce(fs(), At("a"), AsBytes("two"))), ErrorCode::kAlreadyExists);
  EXPECT_EQ(*ReadWholeFile(fs(), At("a"), 100), Text("one"));
  ASSERT_TRUE(WriteFileReplacing(fs(), At("a"), AsBytes("three")).ok());
  EXPECT_EQ(*ReadWholeFile(fs(), At("a"), 100), Text("three"));
  EXPECT_EQ(CodeOf(ReadWholeFile(fs(), At("a"), 4).status()), ErrorCode::kDataLoss);
  { NewFile abandoned = *NewFile::Create(fs(), At("b")); }
  EXPECT_EQ(fs().List(root_)->size(), 1U);
}

TEST_P(FileSystemTest, ListsDirectoriesSortedAndRemovesTemporaries) {
  ASSERT_TRUE(CreateDirectories(fs(), At("d/e/f")).ok());
  ASSERT_TRUE(CreateDirectories(fs(), At("d/e/f")).ok());
  // Only what NewFile makes is no one's: the others are somebody's, whatever they end in.
  for (const char* name : {"z", "a.1.tmp", "b", "c.tmp", "f.20.tmp", "g.x1.tmp", "g..tmp", ".7.tmp"}) {
    ASSERT_TRUE(fs().Open(At(name), OpenMode::kCreateNew).ok());
  }
  EXPECT_EQ(*RemoveTemporaryFiles(fs(), root_), 2U);
  const std::vector<DirectoryEntry> expected = {{".7.tmp", false}, {"b", false},        {"c.tmp", false}, {"d", true},
                                                {"g..tmp", false}, {"g.x1.tmp", false}, {"z", false}};
  EXPECT_EQ(*fs().List(root_), expected);
}

TEST_P(FileSystemTest, ZeroFillAllocateTruncate) {
  auto file = *fs().Open(At("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(WriteZeros(*file, 3'000'000).ok());
  EXPECT_EQ(*file->Size(), 3'000'000U);
  ASSERT_TRUE(file->Truncate(10).ok());
  EXPECT_EQ(*file->Size(), 10U);
  ASSERT_TRUE(file->Allocate(5000).ok());
  EXPECT_EQ(*file->Size(), 5000U);
  EXPECT_GT(fs().Space(root_)->free_bytes, 0U);
}

TEST_P(FileSystemTest, ALockIsHeldOnce) {
  auto lock = fs().Lock(At("LOCK"));
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(CodeOf(fs().Lock(At("LOCK")).status()), ErrorCode::kAborted);
  lock->reset();
  EXPECT_TRUE(fs().Lock(At("LOCK")).ok());
}

INSTANTIATE_TEST_SUITE_P(Both, FileSystemTest, ::testing::Bool(),
                         [](const auto& instance) { return instance.param ? "Posix" : "Sim"; });

TEST(SimFileSystem, ForgetsWhatWasNotSynced) {
  SimFileSystem disk(1);
  auto file = *disk.Open("/a", OpenMode::kCreateNew);
  ASSERT_TRUE(file->WriteAt(0, AsBytes("old")).ok());
  ASSERT_TRUE(file->SyncData().ok());
  disk.Restart(Keep::kNone);
  EXPECT_EQ(CodeOf(disk.Stat("/a").status()), ErrorCode::kNotFound);  // the name was not synced

  ASSERT_TRUE(WriteFileOnce(disk, "/a", AsBytes("old")).ok());
  file = *disk.Open("/a", OpenMode::kReadWrite);
  ASSERT_TRUE(file->WriteAt(0, AsBytes("new")).ok());
  disk.Restart(Keep::kNone);
  EXPECT_EQ(disk.Contents("/a"), Text("old"));
  EXPECT_FALSE(file->WriteAt(0, AsBytes("x")).ok()) << "a handle does not survive";
}

TEST(SimFileSystem, TearsWritesAtSectors) {
  bool saw_mixture = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimFileSystem disk(seed);
    ASSERT_TRUE(WriteFileOnce(disk, "/a", Bytes(2048)).ok());
    auto file = *disk.Open("/a", OpenMode::kReadWrite);
    ASSERT_TRUE(file->WriteAt(0, Bytes(2048, std::byte{1})).ok());
    disk.Restart(Keep::kRandom);
    const Bytes left = disk.Contents("/a");
    ASSERT_EQ(left.size(), 2048U);
    std::set<std::byte> values;
    for (std::size_t sector = 0; sector < 4; ++sector) {
      for (std::size_t i = 0; i < 512; ++i) ASSERT_EQ(left[sector * 512 + i], left[sector * 512]);
      values.insert(left[sector * 512]);
    }
    saw_mixture |= values.size() == 2;
  }
  EXPECT_TRUE(saw_mixture);
}

TEST(SimFileSystem, AFailedSyncLiesAfterwardsAsLinuxDoes) {
  SimFileSystem disk(3);
  ASSERT_TRUE(WriteFileOnce(disk, "/a", Bytes(64 * 512)).ok());
  auto file = *disk.Open("/a", OpenMode::kReadWrite);
  const Bytes ones(64 * 512, std::byte{1});
  ASSERT_TRUE(file->WriteAt(0, ones).ok());
  disk.FailCall(1, Fault::kIoError);
  EXPECT_EQ(CodeOf(file->SyncData()), ErrorCode::kUnavailable);
  EXPECT_TRUE(file->SyncData().ok());
  EXPECT_EQ(disk.Contents("/a"), ones) << "the cache shows what the disk lost";
  auto direct = *disk.Open("/a", OpenMode::kReadDisk);
  Bytes stored(ones.size());
  ASSERT_TRUE(ReadExactly(*direct, 0, stored).ok());
  EXPECT_NE(stored, ones);
  disk.Restart(Keep::kAll);
  EXPECT_EQ(disk.Contents("/a"), stored);
}

TEST(SimFileSystem, CreateOnceIsAllOrNothingAtEveryCrashPoint) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (std::uint64_t point = 1;; ++point) {
      SimFileSystem disk(seed);
      disk.CrashAtCall(point);
      const Status written = WriteFileOnce(disk, "/a", Bytes(3000, std::byte{7}));
      const bool was_cut = disk.crashed();
      disk.Restart(seed % 3 == 0 ? Keep::kAll : seed % 3 == 1 ? Keep::kNone : Keep::kRandom);
      const Result<Bytes> content = ReadWholeFile(disk, "/a", 10'000);
      if (content.ok()) {
        EXPECT_EQ(*content, Bytes(3000, std::byte{7}));
      } else {
        EXPECT_FALSE(written.ok());
      }
      if (!was_cut) break;
    }
  }
}

TEST(SimFileSystem, FailsTheNthCallAndRunsFull) {
  for (const Fault fault : {Fault::kIoError, Fault::kNoSpace, Fault::kQuota, Fault::kShortWrite}) {
    SimFileSystem disk(5);
    disk.FailCall(2, fault);  // the write; the first is the open
    const Status status = WriteFileOnce(disk, "/a", Bytes(100));
    const bool space = fault == Fault::kNoSpace || fault == Fault::kQuota;
    EXPECT_EQ(CodeOf(status), space ? ErrorCode::kResourceExhausted : ErrorCode::kUnavailable);
    EXPECT_TRUE(disk.Paths().empty());
    EXPECT_TRUE(WriteFileOnce(disk, "/a", Bytes(100)).ok()) << "the fault happens once";
  }
  SimFileSystem disk(6);
  disk.SetCapacity(1000);
  EXPECT_EQ(CodeOf(WriteFileOnce(disk, "/a", Bytes(1001))), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(WriteFileOnce(disk, "/a", Bytes(1000)).ok());
}

}  // namespace
}  // namespace tideline::fs
