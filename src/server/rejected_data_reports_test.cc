#include "server/rejected_data_reports.h"

#include <gtest/gtest.h>

#include <future>

#include "base/log.h"
#include "storage/seal/key_ring.h"
#include "storage/seal/local_key_file.h"
#include "tests/support/sim_file_system.h"
#include "tests/support/sim_object_store.h"

namespace tideline::server {
namespace {

using tideline::testing::Keep;
using tideline::testing::SimFileSystem;
using tideline::testing::SimObjectStore;

// Passes everything on: the reports own what they open, the bucket outlives them.
class Borrowed final : public objstore::ObjectStore {
 public:
  explicit Borrowed(objstore::ObjectStore& store) : store_(store) {}
  Result<objstore::PutOutcome> PutIfAbsent(std::string_view key, BytesView bytes) override {
    return store_.PutIfAbsent(key, bytes);
  }
  Status Put(std::string_view key, BytesView bytes) override { return store_.Put(key, bytes); }
  Result<std::unique_ptr<objstore::ObjectWriter>> Create(std::string_view key) override { return store_.Create(key); }
  Result<std::size_t> Read(std::string_view key, std::uint64_t offset, std::span<std::byte> out) override {
    return store_.Read(key, offset, out);
  }
  Result<objstore::ObjectInfo> Head(std::string_view key) override { return store_.Head(key); }
  Result<std::vector<objstore::ObjectInfo>> List(std::string_view prefix, std::string_view start_after,
                                                 std::size_t count_max) override {
    return store_.List(prefix, start_after, count_max);
  }
  Status Remove(std::string_view key) override { return store_.Remove(key); }

 private:
  objstore::ObjectStore& store_;
};

class RejectedDataReportsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kOff);
    auto table = std::make_shared<catalog::TableSchema>();
    table->database = "db";
    table->table = "t";
    table->properties.magnetic_store_writes.rejected_data_location = {.bucket_name = "reports",
                                                                      .object_key_prefix = "late"};
    table_ = table;
  }
  void TearDown() override { SetLogLevel(LogLevel::kInfo); }

  void Start() {
    reports_ = std::make_unique<RejectedDataReports>(
        [this](const std::string&) -> Result<std::unique_ptr<objstore::ObjectStore>> {
          return std::make_unique<Borrowed>(bucket_);
        },
        clock_,
        RejectedRecordSpool::Options{
            .file_system = &disk_, .directory = "/data/reports", .sealer = sealer_, .key_scope = Uuid{}});
  }
  // As kill -9 does: nothing more is written, and what the page cache has stays.
  void Kill(Keep keep = Keep::kAll) {
    disk_.CrashAtCall(1);
    bucket_.CutOff(true);
    reports_ = nullptr;
    disk_.Restart(keep);
    bucket_.CutOff(false);
  }
  // As a writer does who is then answered.
  void Add(const std::string& value) {
    reports_->Add({.table = table_, .reason = "A record already exists", .json = "{\"v\":\"" + value + "\"}"});
    std::promise<void> kept;
    reports_->WhenKept([&kept] { kept.set_value(); });
    kept.get_future().wait();
  }
  std::string AllReports() {
    std::string all;
    for (const auto& object : bucket_.Objects()) all += std::string(AsText(*bucket_.GetWhole(object.key, 1 << 20)));
    return all;
  }
  std::size_t SpoolFiles() {
    std::size_t count = 0;
    for (const std::string& path : disk_.Paths()) count += path.starts_with("/data/reports/") ? 1 : 0;
    return count;
  }

  SimFileSystem disk_{1};
  SimObjectStore bucket_{2};
  ManualClock clock_{TimestampNs{1'704'067'200'000'000'000}};
  seal::PlainSealer plain_;
  seal::Sealer* sealer_ = &plain_;
  catalog::TableSchemaPtr table_;
  std::unique_ptr<RejectedDataReports> reports_;
};

TEST_F(RejectedDataReportsTest, AKilledProcessReportsWhenItStartsAgain) {
  bucket_.CutOff(true);  // the report's own second does not come in time
  Start();
  Add("one");
  Add("two");
  Kill();
  ASSERT_EQ(AllReports(), "");
  Start();
  reports_->Flush();
  const std::string text = AllReports();
  EXPECT_NE(text.find("{\"v\":\"one\"}"), std::string::npos) << text;
  EXPECT_NE(text.find("{\"v\":\"two\"}"), std::string::npos);
  EXPECT_EQ(bucket_.Objects().size(), 1U);
  EXPECT_TRUE(bucket_.Objects()[0].key.starts_with("late/db/t/2024-01-01/"));
  EXPECT_EQ(SpoolFiles(), 0U);
  reports_ = nullptr;
  Start();
  reports_->Flush();
  EXPECT_EQ(bucket_.Objects().size(), 1U) << "once";
}

TEST_F(RejectedDataReportsTest, FilesOfOthersInItsDirectoryStay) {
  const std::vector<std::string> foreign{"/data/reports/1.records", "/data/reports/2024.pdf",
                                         "/data/reports/x00000000000000000001.records"};
  ASSERT_TRUE(fs::CreateDirectories(disk_, "/data/reports").ok());
  for (const std::string& path : foreign) ASSERT_TRUE(fs::WriteFileOnce(disk_, path, AsBytes("not ours")).ok());
  Start();
  Add("one");
  reports_->Flush();
  reports_ = nullptr;
  Start();
  reports_->Flush();
  EXPECT_EQ(bucket_.Objects().size(), 1U);
  EXPECT_EQ(disk_.Paths(), foreign);
}

TEST_F(RejectedDataReportsTest, AMachineThatLosesPowerReportsWhatWasAnswered) {
  bucket_.CutOff(true);
  Start();
  Add("one");
  reports_->Flush();  // another file
  Add("two");
  Kill(Keep::kNone);
  Start();
  reports_->Flush();
  EXPECT_NE(AllReports().find("\"one\""), std::string::npos);
  EXPECT_NE(AllReports().find("\"two\""), std::string::npos);
}

TEST_F(RejectedDataReportsTest, ABucketOutOfReachIsTriedAgain) {
  bucket_.CutOff(true);
  Start();
  Add("one");
  reports_->Flush();
  Add("two");
  reports_->Flush();
  EXPECT_EQ(reports_->waiting_count(), 2U);
  EXPECT_GT(SpoolFiles(), 0U);
  bucket_.CutOff(false);
  reports_->Flush();
  EXPECT_EQ(reports_->waiting_count(), 0U);
  EXPECT_NE(AllReports().find("\"one\""), std::string::npos);
  EXPECT_NE(AllReports().find("\"two\""), std::string::npos);
  EXPECT_EQ(SpoolFiles(), 0U);
}

TEST_F(RejectedDataReportsTest, ATornFrameCostsOnlyItself) {
  bucket_.CutOff(true);
  Start();
  Add("one");
  Add("two");
  Kill();
  std::string path;
  for (const std::string& each : disk_.Paths()) {
    if (each.starts_with("/data/reports/")) path = each;
  }
  auto file = *disk_.Open(path, fs::OpenMode::kReadWrite);
  ASSERT_TRUE(file->Truncate(*file->Size() - 3).ok());
  Start();
  reports_->Flush();
  EXPECT_NE(AllReports().find("\"one\""), std::string::npos);
  EXPECT_EQ(AllReports().find("\"two\""), std::string::npos);
}

TEST_F(RejectedDataReportsTest, DamageIsFoundAndWhatStandsBeforeItIsReported) {
  bucket_.CutOff(true);
  Start();
  Add("one");
  Add("two");
  Kill();
  for (const std::string& path : disk_.Paths()) {
    if (!path.starts_with("/data/reports/")) continue;
    ASSERT_TRUE(disk_.FlipBit(path, disk_.Contents(path).size() * 8 - 100).ok());
  }
  Start();
  reports_->Flush();
  EXPECT_NE(AllReports().find("\"one\""), std::string::npos);
  EXPECT_EQ(AllReports().find("\"two\""), std::string::npos);
}

TEST_F(RejectedDataReportsTest, ADiskThatFailsCostsNoReport) {
  Start();
  disk_.FailCall(1, tideline::testing::Fault::kNoSpace, /*sticky=*/true);
  Add("one");
  disk_.ClearFaults();
  reports_->Flush();
  EXPECT_NE(AllReports().find("\"one\""), std::string::npos);
}

TEST_F(RejectedDataReportsTest, RecordsLieSealedOnTheDisk) {
  ASSERT_TRUE(fs::CreateDirectories(disk_, "/data").ok());
  const auto key_file = *seal::LocalKeyFile::Create(disk_, "/data/master-key");
  const auto ring = *seal::KeyRing::Open(disk_, "/data/keys", *key_file);
  sealer_ = ring.get();
  bucket_.CutOff(true);
  Start();
  Add("a secret value");
  for (const std::string& path : disk_.Paths()) {
    EXPECT_EQ(AsText(disk_.Contents(path)).find("a secret value"), std::string_view::npos) << path;
  }
  Kill();
  Start();
  reports_->Flush();
  EXPECT_NE(AllReports().find("a secret value"), std::string::npos);
  reports_ = nullptr;
}

}  // namespace
}  // namespace tideline::server
