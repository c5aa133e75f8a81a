// The magnetic store is out of reach: at the start, while rows move, and when it comes back.
#include <gtest/gtest.h>

#include "base/log.h"
#include "storage/engine/delete_rows.h"
#include "storage/engine/engine_test_support.h"
#include "storage/engine/segment_source.h"
#include "tests/support/sim_object_store.h"

namespace tideline::engine {
namespace {

using testing::SimEngine;
using testing::TestRecord;
using tideline::testing::Keep;
using tideline::testing::SimObjectFaults;
using tideline::testing::SimObjectStore;

constexpr std::int64_t kNow = SimEngine::kNow;

TestRecord Row(std::int64_t time_ns) {
  return {.dimensions = {{"host", "a"}}, .measure_name = "m", .measures = {{"x", std::int64_t{1}}}, .time_ns = time_ns};
}

class MagneticOutage : public ::testing::Test {
 protected:
  // One row in the bucket, one in the memory store.
  void SetUp() override {
    SetLogLevel(LogLevel::kOff);
    sim_.options.magnetic_store = &bucket_;
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_TRUE(sim_.Create({.retention = {.memory_hours = 1, .magnetic_days = 100}}).ok());
    ASSERT_EQ(sim_.WriteOne(Row(kNow - kNsPerDay)), Verdict::kNew);
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    ASSERT_TRUE(sim_.engine().Settle().ok());
    ASSERT_EQ(sim_.WriteOne(Row(kNow)), Verdict::kNew);
    ASSERT_EQ(bucket_.Objects().size(), 1U);
  }
  void TearDown() override { SetLogLevel(LogLevel::kInfo); }
  static ScanRequest Recent() { return {.times = {{kNow - kNsPerMinute, kNow}}}; }
  ErrorCode ReadAllCode() {
    const auto snapshot = sim_.engine().OpenSnapshot("db", "t");
    ScanRequest request;
    for (const auto& column : snapshot->schema().Columns()) request.columns.push_back(column.id);
    const auto scan = snapshot->Scan(request);
    return CodeOf(scan.status());
  }

  SimObjectStore bucket_{3};
  SimEngine sim_{31};
};

TEST_F(MagneticOutage, AStartWithoutTheStoreServesWhatIsHere) {
  // What a merge left that died before its manifest.
  const std::string prefix = bucket_.Objects()[0].key.substr(0, bucket_.Objects()[0].key.rfind('/') + 1);
  ASSERT_TRUE(bucket_.Put(prefix + "12345678-1234-4234-8234-123456789abc", AsBytes("left behind")).ok());
  ASSERT_TRUE(bucket_.Put(prefix + "readme", AsBytes("somebody's")).ok());
  sim_.Crash(Keep::kAll);
  bucket_.CutOff(true);
  const Status opened = sim_.Open();
  ASSERT_TRUE(opened.ok()) << opened;
  EXPECT_EQ(sim_.Read(Recent()).size(), 1U) << "the memory store answers";
  EXPECT_EQ(sim_.WriteOne(Row(kNow + 1)), Verdict::kNew) << "writes go on";
  EXPECT_EQ(ReadAllCode(), ErrorCode::kUnavailable) << "no silent part of an answer";
  EXPECT_FALSE(sim_.engine().RunMaintenance().ok());
  bucket_.CutOff(false);
  EXPECT_EQ(sim_.Read().size(), 3U);
  EXPECT_EQ(bucket_.Objects().size(), 3U);
  sim_.clock.Advance(11 * kNsPerSecond);
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(bucket_.Objects().size(), 2U) << "what no manifest names is removed once the store answers";
  EXPECT_TRUE(bucket_.Head(prefix + "readme").ok()) << "but only if the name is one of ours";
  EXPECT_EQ(sim_.Read().size(), 3U);
}

TEST_F(MagneticOutage, RowsWaitInTheMemoryStoreUntilTheStoreAnswers) {
  bucket_.CutOff(true);
  sim_.clock.Advance(3 * kNsPerHour);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_FALSE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(sim_.Read({.times = {{kNow, kNow}}}).size(), 1U);
  bucket_.CutOff(false);
  sim_.clock.Advance(11 * kNsPerSecond);
  ASSERT_TRUE(sim_.engine().Settle().ok());
  EXPECT_EQ(bucket_.Objects().size(), 2U);
  EXPECT_EQ(sim_.Read().size(), 2U);
}

// The log has rows of the bucket to mark that cannot be looked up: they are owed, also over checkpoints and more starts.
TEST_F(MagneticOutage, AStartOwesTheMarksOfRowsItCannotReadAndPaysThemLater) {
  TestRecord newer = Row(kNow - kNsPerDay);
  newer.version = 2;
  newer.measures = {{"x", std::int64_t{2}}};
  ASSERT_EQ(sim_.WriteOne(newer), Verdict::kReplaced);
  const testing::Rows before = sim_.Read();
  ASSERT_EQ(before.size(), 2U);
  sim_.Crash(Keep::kAll);
  bucket_.CutOff(true);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read(Recent()).size(), 1U);
  EXPECT_EQ(ReadAllCode(), ErrorCode::kUnavailable) << "no silent part of an answer";
  // A checkpoint cuts the log; what is owed must not go with it.
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  ASSERT_EQ(sim_.WriteOne(Row(kNow + 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  sim_.Crash(Keep::kAll);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(ReadAllCode(), ErrorCode::kUnavailable);
  bucket_.CutOff(false);
  testing::Rows wanted = before;
  wanted[testing::KeyOf(Row(kNow + 1))] = testing::ValuesOf(Row(kNow + 1));
  EXPECT_EQ(sim_.Read(), wanted) << "the replaced row is not seen again";
  const auto verified = sim_.engine().Verify();
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_TRUE(verified->problems.empty()) << verified->problems.front();
  // Paid for good: the next start owes nothing, even when the store is out again.
  ASSERT_EQ(sim_.WriteOne(Row(kNow + 2)), Verdict::kNew);
  wanted[testing::KeyOf(Row(kNow + 2))] = testing::ValuesOf(Row(kNow + 2));
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  sim_.Crash(Keep::kAll);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read(), wanted);
  sim_.clock.Advance(3 * kNsPerHour);
  ASSERT_TRUE(sim_.engine().Settle().ok());
  EXPECT_EQ(sim_.Read(), wanted) << "merged";
}

TEST_F(MagneticOutage, AStartOwesDeletesOfRowsItCannotRead) {
  ASSERT_EQ(sim_.WriteOne(Row(kNow - kNsPerDay + 1)), Verdict::kNew);
  const TimeRange day{kNow - 2 * kNsPerDay, kNow - kNsPerHour};
  ASSERT_EQ(sim_.engine().DeleteRows({.database = "db", .table = "t", .times = {day}})->rows, 2U);
  sim_.Crash(Keep::kAll);
  bucket_.CutOff(true);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read(Recent()).size(), 1U);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  sim_.Crash(Keep::kAll);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(ReadAllCode(), ErrorCode::kUnavailable);
  bucket_.CutOff(false);
  EXPECT_EQ(sim_.Read().size(), 1U) << "what was deleted stays deleted";
  EXPECT_EQ(sim_.WriteOne(Row(kNow - kNsPerDay)), Verdict::kNew) << "and its key is free";
  EXPECT_EQ(sim_.Read().size(), 2U);
}

TEST(OwingVector, ReadsBackAndRefusesDamage) {
  DeleteOutcome outcome{.table = catalog::TableId{7}, .delete_id = {}, .through = SequenceNumber{9}, .times = {{1, 2}}};
  outcome.series.Add(3);
  Bitmap dead;
  dead.Add(5);
  const OwedMarks owed{.keys = {{.series = 300, .time_ns = -4, .number = 8}, {.series = 2, .time_ns = 1, .number = 8}},
                       .deletes = {{std::make_shared<const DeleteOutcome>(outcome), 9}}};
  Bytes bytes;
  EncodeOwingVector(dead, owed, &bytes);
  const auto read = DecodeDeadRows(bytes, kOwingVectorFormat);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->dead.Contains(5));
  ASSERT_EQ(read->owed.keys.size(), 2U);
  EXPECT_EQ(read->owed.keys[1].series, 300U);
  EXPECT_EQ(read->owed.keys[1].time_ns, -4);
  ASSERT_EQ(read->owed.deletes.size(), 1U);
  EXPECT_TRUE(read->owed.deletes[0].outcome->series.Contains(3));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(DecodeDeadRows(BytesView(bytes).first(cut), kOwingVectorFormat).ok()) << cut;
  }
}

TEST(OwedMarks, AreLimited) {
  catalog::SegmentEntry entry;
  entry.key = "magnetic/one";
  SegmentSource source({}, entry, {});
  ASSERT_TRUE(source.Owe({.keys = std::vector<OwedKey>(kOwedMarksMax)}).ok());
  const Status refused = source.Owe({.keys = std::vector<OwedKey>(1)});
  EXPECT_EQ(CodeOf(refused), ErrorCode::kResourceExhausted);
  EXPECT_EQ(MessageOf(refused),
            "magnetic/one: more than 4194304 rows must be marked in it, and its store does not answer");
  EXPECT_EQ(source.owed_count(), kOwedMarksMax) << "nothing was added";
}

// Each fault of the store by itself, at every upload: answers lost before and after, late, refused, cut half-way.
TEST_F(MagneticOutage, EveryFaultOfTheStoreLeavesTheRowsWhereTheyWereOrMovesThem) {
  int hours = 0;
  for (double SimObjectFaults::* const fault :
       {&SimObjectFaults::lose_before, &SimObjectFaults::lose_after, &SimObjectFaults::late, &SimObjectFaults::refuse,
        &SimObjectFaults::cut_upload, &SimObjectFaults::fail_read}) {
    ASSERT_EQ(sim_.WriteOne(Row(sim_.clock.WallNow().value + 1)), Verdict::kNew);
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    sim_.clock.Advance(3 * kNsPerHour);
    SimObjectFaults faults;
    faults.*fault = 1;
    bucket_.SetFaults(faults);
    static_cast<void>(sim_.engine().RunMaintenance());
    bucket_.SetFaults({});
    ++hours;
    EXPECT_EQ(sim_.Read().size(), static_cast<std::size_t>(2 + hours));
    sim_.Crash(Keep::kAll);
    ASSERT_TRUE(sim_.Open().ok());
    EXPECT_EQ(sim_.Read().size(), static_cast<std::size_t>(2 + hours));
    sim_.clock.Advance(11 * kNsPerSecond);
    ASSERT_TRUE(sim_.engine().Settle().ok());
    EXPECT_EQ(sim_.Read().size(), static_cast<std::size_t>(2 + hours));
  }
  for (const catalog::LiveSegment& segment : sim_.engine().ListSegments()) {
    EXPECT_EQ(segment.entry.tier, catalog::StoreTier::kMagnetic) << "all moved in the end";
  }
}

}  // namespace
}  // namespace tideline::engine
