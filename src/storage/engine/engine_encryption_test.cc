// An engine over sealed files: nothing readable on the disk, keys that go with their tables.
#include <algorithm>

#include "base/log.h"
#include "storage/engine/encryption.h"
#include "storage/engine/engine_test_support.h"
#include "storage/engine/inspect.h"
#include "storage/seal/key_ring.h"
#include "storage/seal/local_key_file.h"

namespace tideline::engine {
namespace {

using testing::Rows;
using testing::SimEngine;
using testing::TestRecord;
using tideline::testing::Keep;

TestRecord RecordAt(std::int64_t minute, const std::string& text = "a-secret-text") {
  return {.dimensions = {{"host", "host-with-a-name"}},
          .measure_name = "measured-things",
          .measures = {{"note", text}, {"n", minute}},
          .time_ns = SimEngine::kNow - minute * kNsPerMinute};
}

class EncryptedEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::CreateDirectories(sim_.disk, "/data").ok());
    ASSERT_TRUE(seal::LocalKeyFile::Create(sim_.disk, "/data/master-key").ok());
    sim_.options.piece_rows_min = 1;
  }
  Status Open() {
    sim_.Close();
    file_ = TL_TRY(seal::LocalKeyFile::Open(sim_.disk, "/data/master-key"));
    ring_ = TL_TRY(seal::KeyRing::Open(sim_.disk, "/data/keys", *file_));
    sim_.options.sealer = ring_.get();
    return sim_.Open();
  }
  void TearDown() override { sim_.Close(); }

  std::vector<std::string> FilesHolding(std::string_view text) const {
    std::vector<std::string> found;
    for (const std::string& path : sim_.disk.Paths()) {
      const Bytes bytes = sim_.disk.Contents(path);
      if (AsText(bytes).find(text) != std::string_view::npos) found.push_back(path);
    }
    return found;
  }
  std::vector<std::string> PathsIn(std::string_view directory) const {
    std::vector<std::string> found;
    for (const std::string& path : sim_.disk.Paths()) {
      if (path.starts_with(directory)) found.push_back(path);
    }
    return found;
  }

  SimEngine sim_{7};
  std::unique_ptr<seal::LocalKeyFile> file_;
  std::unique_ptr<seal::KeyRing> ring_;
};

TEST_F(EncryptedEngine, NothingThatWasWrittenCanBeReadOnTheDisk) {
  ASSERT_EQ(Open(), OkStatus());
  ASSERT_TRUE(sim_.Create().ok());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(sim_.Write({RecordAt(i)}).ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  // A deletion vector, and rows in the log alone.
  TestRecord newer = RecordAt(3, "another-secret");
  newer.version = 2;
  EXPECT_EQ(sim_.WriteOne(newer), Verdict::kReplaced);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  for (int i = 50; i < 60; ++i) ASSERT_TRUE(sim_.Write({RecordAt(i)}).ok());
  const Rows rows = sim_.Read();
  EXPECT_EQ(rows.size(), 60U);
  for (const char* text : {"a-secret-text", "another-secret", "host-with-a-name", "measured-things", "note"}) {
    EXPECT_TRUE(FilesHolding(text).empty()) << text << " stands in " << FilesHolding(text).front();
  }
  EXPECT_EQ(*FindEncryption(sim_.disk, "/data"), Encryption::kOn);
  EXPECT_FALSE(PathsIn("/data/segments/").empty());
  EXPECT_FALSE(PathsIn("/data/deleted/").empty());
  // Without keys every file can be checked, and said to be sealed.
  for (const char* directory : {"/data/manifest/", "/data/segments/", "/data/series/", "/data/deleted/", "/data/wal/"}) {
    for (const std::string& path : PathsIn(directory)) {
      if (path.ends_with(".tmp")) continue;
      const auto text = InspectFile(sim_.disk, path);
      ASSERT_TRUE(text.ok()) << path << ": " << text.status();
      EXPECT_NE(text->find("encrypted"), std::string::npos) << path << ": " << *text;
      const auto opened = InspectFile(sim_.disk, path, ring_.get());
      ASSERT_TRUE(opened.ok()) << path << ": " << opened.status();
      EXPECT_EQ(opened->find("encrypted"), std::string::npos) << path << ": " << *opened;
    }
  }
  sim_.Crash(Keep::kNone);
  ASSERT_EQ(Open(), OkStatus());
  EXPECT_EQ(sim_.Read(), rows);
  sim_.Close();
  sim_.options.sealer = nullptr;
  EXPECT_EQ(CodeOf(sim_.Open()), ErrorCode::kPermissionDenied);
}

TEST_F(EncryptedEngine, AFlippedBitInAnySealedFileIsFound) {
  SetLogLevel(LogLevel::kOff);
  ASSERT_EQ(Open(), OkStatus());
  ASSERT_TRUE(sim_.Create().ok());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(sim_.Write({RecordAt(i)}).ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  for (const char* directory : {"/data/segments/", "/data/series/", "/data/manifest/"}) {
    const std::string path = PathsIn(directory).back();
    const std::uint64_t bits = sim_.disk.Contents(path).size() * 8;
    for (std::uint64_t bit = 0; bit < bits; bit += 997) {
      ASSERT_TRUE(sim_.disk.FlipBit(path, bit).ok());
      const auto without = InspectFile(sim_.disk, path);
      EXPECT_FALSE(without.ok()) << path << " bit " << bit << ": " << *without;
      ASSERT_TRUE(sim_.disk.FlipBit(path, bit).ok());
    }
  }
  SetLogLevel(LogLevel::kInfo);
}

TEST_F(EncryptedEngine, ATableIsDestroyedWithItsKey) {
  ASSERT_EQ(Open(), OkStatus());
  ASSERT_TRUE(sim_.Create().ok());
  ASSERT_TRUE(sim_.engine().CreateTable("db", "doomed", {}).ok());
  ASSERT_TRUE(sim_.Write({RecordAt(1)}).ok());
  const std::vector<TestRecord> records{RecordAt(1), RecordAt(2)};
  const testing::TestBatch batch(records);
  ASSERT_TRUE(sim_.engine().WriteAndWait(batch.View("db", "doomed")).ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  // The lane's, and one of each table.
  EXPECT_EQ(ring_->Scopes().size(), 3U);
  ASSERT_TRUE(sim_.engine().DeleteTable("db", "doomed").ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_EQ(ring_->Scopes().size(), 3U) << "the fallback manifest still names the table";
  ASSERT_TRUE(sim_.Write({RecordAt(3)}).ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(ring_->Scopes().size(), 2U);
  sim_.Crash(Keep::kNone);
  ASSERT_EQ(Open(), OkStatus());
  EXPECT_EQ(ring_->Scopes().size(), 2U);
  EXPECT_EQ(sim_.Read().size(), 2U);
}

TEST_F(EncryptedEngine, KeysOfTablesDroppedBeforeACrashGoAtTheNextStart) {
  ASSERT_EQ(Open(), OkStatus());
  ASSERT_TRUE(sim_.Create().ok());
  ASSERT_TRUE(sim_.Write({RecordAt(1)}).ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  ASSERT_TRUE(sim_.engine().DeleteTable("db", "t").ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  sim_.Crash(Keep::kNone);
  ASSERT_EQ(Open(), OkStatus());
  EXPECT_EQ(ring_->Scopes().size(), 2U) << "the fallback manifest still names the table";
  ASSERT_TRUE(sim_.engine().CreateDatabase({.name = "other"}).ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(ring_->Scopes().size(), 1U);
}

TEST_F(EncryptedEngine, NewFilesTakeTheNewKeyAndOldOnesStayReadable) {
  ASSERT_EQ(Open(), OkStatus());
  ASSERT_TRUE(sim_.Create().ok());
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(sim_.Write({RecordAt(round * 5 + i)}).ok());
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    const std::vector<Uuid> scopes = ring_->Scopes();
    for (const Uuid& scope : scopes) ASSERT_TRUE(ring_->Rotate(scope).ok());
  }
  EXPECT_EQ(ring_->Keys().size(), 26U);
  // Merges read old keys and write the new one.
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_GT(sim_.engine().stats().merge_count, 0U);
  EXPECT_EQ(sim_.Read().size(), 60U);
  sim_.Crash(Keep::kNone);
  ASSERT_EQ(Open(), OkStatus());
  EXPECT_EQ(sim_.Read().size(), 60U);
}

}  // namespace
}  // namespace tideline::engine
