// One named test for each fault of the disk that the engine must survive. The object store's are in magnetic_outage_test.cc,
// power cuts in engine_crash_test.cc, the log's own (torn tail, rot, missing file) in storage/wal/wal_test.cc.
#include <gtest/gtest.h>

#include "base/log.h"
#include "storage/engine/engine_test_support.h"

namespace tideline::engine {
namespace {

using testing::SimEngine;
using testing::TestRecord;
using tideline::testing::Fault;
using tideline::testing::Keep;

constexpr std::int64_t kNow = SimEngine::kNow;

TestRecord Row(std::int64_t time_ns, std::int64_t value = 1, std::int64_t version = 1) {
  return {.dimensions = {{"host", "a"}}, .measure_name = "m", .measures = {{"x", value}}, .time_ns = time_ns,
          .version = version};
}

class EngineFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kOff);
    sim_.options.on_fatal = [this](const Status&) { fatal_ = true; };
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_TRUE(sim_.Create().ok());
    ASSERT_EQ(sim_.WriteOne(Row(kNow)), Verdict::kNew);
  }
  void TearDown() override { SetLogLevel(LogLevel::kInfo); }
  void Restart(Keep keep) {
    sim_.Crash(keep);
    sim_.disk.ClearFaults();
    const Status opened = sim_.Open();
    ASSERT_TRUE(opened.ok()) << opened;
  }
  /// The log has failed: nothing is acknowledged any more, and a restart brings back what was.
  void ExpectPoisoned() {
    EXPECT_TRUE(fatal_);
    EXPECT_FALSE(sim_.Write({Row(kNow + 2)}).ok()) << "nothing is synced again in the hope that it works now";
    EXPECT_EQ(sim_.Read().count({"host=a,|m", kNow}), 1U) << "reads go on";
    for (const Keep keep : {Keep::kNone, Keep::kAll, Keep::kRandom}) {
      Restart(keep);
      EXPECT_EQ(sim_.Read().count({"host=a,|m", kNow}), 1U);
    }
    ASSERT_TRUE(sim_.Write({Row(kNow + 3)}).ok());
    EXPECT_EQ(sim_.Read().count({"host=a,|m", kNow + 3}), 1U);
  }
  /// Path of the file whose rows begin at `time_ns`.
  std::string PathOf(std::int64_t time_ns) {
    for (const catalog::LiveSegment& segment : sim_.engine().ListSegments()) {
      if (segment.entry.time_ns_min == time_ns) return "/data/" + segment.entry.key;
    }
    return "";
  }
  // Two files, of different hours, of which nothing is cached.
  void MakeTwoFiles() {
    sim_.Close();
    sim_.options.piece_rows_min = 1;
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_EQ(sim_.WriteOne(Row(kNow - 5 * kNsPerHour)), Verdict::kNew);
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    sim_.Close();
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_EQ(sim_.engine().ListSegments().size(), 2U);
  }
  void ExpectTheRestAnswers(const std::string& lost) {
    const auto snapshot = sim_.engine().OpenSnapshot("db", "t");
    ScanRequest request;
    for (const auto& column : snapshot->schema().Columns()) request.columns.push_back(column.id);
    const Status scanned = snapshot->Scan(request).status();
    EXPECT_EQ(CodeOf(scanned), ErrorCode::kDataLoss) << "never an empty or partial answer: " << scanned;
    EXPECT_NE(MessageOf(scanned).find(lost.substr(6)), std::string_view::npos) << "it names the file: " << scanned;
    EXPECT_EQ(sim_.Read({.times = {{kNow, kNow}}}).size(), 1U);
    EXPECT_EQ(sim_.WriteOne(Row(kNow + 1)), Verdict::kNew);
    EXPECT_FALSE(sim_.Write({Row(kNow - 5 * kNsPerHour, 2, 2)}).ok()) << "no verdict without the stored row";
    EXPECT_EQ(sim_.Read({.times = {{kNow, kNow + 1}}}).size(), 2U);
  }

  SimEngine sim_{41};
  bool fatal_ = false;
};

TEST_F(EngineFaults, EioOnAWriteOfTheLogPoisonsIt) {
  sim_.disk.FailCall(1, Fault::kIoError);
  EXPECT_FALSE(sim_.Write({Row(kNow + 1)}).ok());
  ExpectPoisoned();
}

TEST_F(EngineFaults, AShortWriteOfTheLogPoisonsIt) {
  sim_.disk.FailCall(1, Fault::kShortWrite);
  EXPECT_FALSE(sim_.Write({Row(kNow + 1)}).ok());
  ExpectPoisoned();
}

TEST_F(EngineFaults, EioOnASyncOfTheLogPoisonsIt) {
  sim_.disk.FailSyncsOf("/wal/");
  EXPECT_FALSE(sim_.Write({Row(kNow + 1)}).ok());
  sim_.disk.ClearFaults();  // the disk is well again, and what it lost is lost
  ExpectPoisoned();
}

TEST_F(EngineFaults, EioOnASyncOfASegmentLeavesItsRowsInTheLog) {
  sim_.disk.FailSyncsOf("/segments/");
  EXPECT_FALSE(sim_.engine().Checkpoint().ok());
  EXPECT_FALSE(fatal_) << "the file is given up, not the log";
  EXPECT_EQ(sim_.WriteOne(Row(kNow + 1)), Verdict::kNew);
  EXPECT_EQ(sim_.Read().size(), 2U);
  Restart(Keep::kNone);
  EXPECT_EQ(sim_.Read().size(), 2U);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok()) << "into a new file";
  Restart(Keep::kNone);
  EXPECT_EQ(sim_.Read().size(), 2U);
}

// Whichever call of a checkpoint fails, and however: acknowledged rows are there, before and after a restart.
TEST_F(EngineFaults, EveryCallOfACheckpointMayFail) {
  for (const Fault fault : {Fault::kIoError, Fault::kNoSpace, Fault::kShortWrite}) {
    for (std::uint64_t call = 1; call < 60; ++call) {
      const std::int64_t time_ns = kNow + static_cast<std::int64_t>(call) * kNsPerSecond;
      ASSERT_TRUE(sim_.Write({Row(time_ns)}).ok());
      const std::size_t rows = sim_.Read().size();
      const std::uint64_t before = sim_.disk.call_count();
      sim_.disk.FailCall(call, fault);
      const Status checkpoint = sim_.engine().Checkpoint();
      const bool met = !sim_.disk.fault_pending();
      sim_.disk.ClearFaults();
      EXPECT_EQ(sim_.Read().size(), rows) << call;
      Restart(Keep::kNone);
      EXPECT_EQ(sim_.Read().size(), rows) << "call " << call << " of " << sim_.disk.call_count() - before;
      if (!met && checkpoint.ok()) break;
    }
  }
}

TEST_F(EngineFaults, EnospcRefusesWritesAndServesReads) {
  sim_.Close();
  sim_.options.wal_file_bytes = 32 << 10;
  ASSERT_TRUE(sim_.Open().ok());
  std::uint64_t used = 0;
  for (const std::string& path : sim_.disk.Paths()) used += sim_.disk.Stat(path)->bytes;
  sim_.disk.SetCapacity(used);
  // The log's file was filled beforehand, so writes go on until the next one is wanted.
  Status refused = OkStatus();
  std::size_t rows = 1;
  for (int i = 1; refused.ok() && i < 100'000; ++i) {
    std::vector<TestRecord> records;
    for (int j = 0; j < 100; ++j) records.push_back(Row(kNow + i * kNsPerMinute + j * kNsPerSecond / 4));
    const auto written = sim_.Write(records);
    refused = written.status();
    if (written.ok()) rows += records.size();
    while (sim_.engine().Drive()) {
    }
  }
  EXPECT_EQ(CodeOf(refused), ErrorCode::kResourceExhausted) << refused;
  EXPECT_FALSE(fatal_);
  EXPECT_EQ(sim_.Read().size(), rows);
  sim_.disk.SetCapacity(UINT64_MAX);
  sim_.clock.Advance(kNsPerMinute);
  for (int i = 0; i < 5 && !sim_.Write({Row(kNow - 1)}).ok(); ++i) {
    while (sim_.engine().Drive()) {
    }
  }
  EXPECT_EQ(sim_.Read().size(), rows + 1) << "it resumes by itself";
}

TEST_F(EngineFaults, ATornLogTailLosesOnlyWhatHadNoAnswer) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    // The power goes in the write or the sync of the frame; some of its sectors are stored.
    sim_.disk.CrashAtCall(1 + seed % 2);
    EXPECT_FALSE(sim_.Write({Row(kNow + 1, 7)}).ok());
    Restart(Keep::kRandom);
    const auto rows = sim_.Read();
    EXPECT_EQ(rows.count({"host=a,|m", kNow}), 1U) << seed;
    if (rows.size() == 2) break;  // it was stored whole after all
  }
}

TEST_F(EngineFaults, AMissingSegmentIsAnErrorAndTheRestAnswers) {
  MakeTwoFiles();
  const std::string lost = PathOf(kNow - 5 * kNsPerHour);
  ASSERT_TRUE(sim_.disk.Remove(lost).ok());
  ExpectTheRestAnswers(lost);
}

TEST_F(EngineFaults, ATruncatedSegmentIsAnErrorAndTheRestAnswers) {
  MakeTwoFiles();
  const std::string lost = PathOf(kNow - 5 * kNsPerHour);
  {
    auto file = *sim_.disk.Open(lost, fs::OpenMode::kReadWrite);
    ASSERT_TRUE(file->Truncate(*file->Size() / 2).ok());
  }
  ExpectTheRestAnswers(lost);
}

TEST_F(EngineFaults, EioOnAReadFailsTheQueryAndNamesTheFile) {
  MakeTwoFiles();
  const std::string lost = PathOf(kNow - 5 * kNsPerHour);
  sim_.disk.FailReadsOf(lost);
  ExpectTheRestAnswers(lost);
  sim_.disk.ClearFaults();
  EXPECT_EQ(sim_.Read().size(), 3U) << "the disk is well again";
}

}  // namespace
}  // namespace tideline::engine
