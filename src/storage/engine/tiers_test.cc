// Two stores and what moves between them: merges, moves, retention, the clock, undelete.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "storage/engine/engine.h"
#include "storage/engine/engine_test_support.h"
#include "storage/engine/merge_plan.h"

namespace tideline::engine {
namespace {

using catalog::StoreTier;
using testing::Rows;
using testing::SimEngine;
using testing::TestRecord;
using tideline::testing::Keep;

constexpr std::int64_t kNow = SimEngine::kNow;

TestRecord Row(std::int64_t time_ns, double value = 1, std::int64_t version = 1, int host = 0) {
  return {.dimensions = {{"host", "h" + std::to_string(host)}},
          .measure_name = "m",
          .measures = {{"", value}},
          .time_ns = time_ns,
          .version = version};
}

std::size_t CountOf(const SimEngine& sim, StoreTier tier) {
  const auto all = const_cast<SimEngine&>(sim).engine().ListSegments();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& segment) {
    return segment.entry.tier == tier;
  }));
}

std::size_t FilesUnder(const SimEngine& sim, std::string_view part) {
  std::size_t count = 0;
  for (const std::string& path : sim.disk.Paths()) {
    if (path.find(part) != std::string::npos && !path.ends_with(".tmp")) ++count;
  }
  return count;
}

class TiersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_TRUE(sim_.Create({.retention = {.memory_hours = 2, .magnetic_days = 10},
                             .magnetic_store_writes = {.enabled = true}})
                    .ok());
  }
  void Settle() {
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    const Status settled = sim_.engine().Settle();
    ASSERT_TRUE(settled.ok()) << settled;
  }
  void Reopen() {
    sim_.Close();
    const Status opened = sim_.Open();
    ASSERT_TRUE(opened.ok()) << opened;
  }
  SimEngine sim_{1};
};

TEST_F(TiersTest, RowsMoveWhenTheyAreOlderThanTheMemoryStore) {
  Rows expected;
  for (int i = 0; i < 50; ++i) {
    const TestRecord record = Row(kNow - i * kNsPerMinute, i);
    EXPECT_EQ(sim_.WriteOne(record), Verdict::kNew);
    expected[testing::KeyOf(record)] = testing::ValuesOf(record);
  }
  Settle();
  EXPECT_EQ(CountOf(sim_, StoreTier::kMagnetic), 0U);
  EXPECT_GT(CountOf(sim_, StoreTier::kMemory), 0U);
  sim_.clock.Advance(4 * kNsPerHour);
  Settle();
  EXPECT_EQ(CountOf(sim_, StoreTier::kMemory), 0U);
  EXPECT_EQ(CountOf(sim_, StoreTier::kMagnetic), 1U);
  EXPECT_EQ(FilesUnder(sim_, "/magnetic/"), 1U);
  EXPECT_EQ(sim_.Read(), expected);
  // The manifest says where each lies.
  Reopen();
  EXPECT_EQ(CountOf(sim_, StoreTier::kMagnetic), 1U);
  EXPECT_EQ(sim_.Read(), expected);
  const EngineStats stats = sim_.engine().stats();
  EXPECT_EQ(stats.magnetic_segment_count, 1U);
  EXPECT_GT(stats.magnetic_bytes, 0U);
  // Upserts reach into the magnetic store, and are seen as one row.
  EXPECT_EQ(sim_.WriteOne(Row(kNow, 100, 2)), Verdict::kReplaced);
  EXPECT_EQ(sim_.Read().size(), expected.size());
  Settle();
  EXPECT_EQ(sim_.Read().size(), expected.size());
  // Growing the memory store again brings nothing back.
  ASSERT_TRUE(sim_.engine()
                  .UpdateTable("db", "t", {.retention = catalog::Retention{.memory_hours = 100, .magnetic_days = 10}})
                  .ok());
  Settle();
  EXPECT_GT(CountOf(sim_, StoreTier::kMagnetic), 0U);
  EXPECT_EQ(sim_.Read().size(), expected.size());
}

TEST_F(TiersTest, ShrinkingTheMemoryStoreMovesRows) {
  EXPECT_EQ(sim_.WriteOne(Row(kNow - 90 * kNsPerMinute)), Verdict::kNew);
  Settle();
  EXPECT_EQ(CountOf(sim_, StoreTier::kMemory), 1U);
  ASSERT_TRUE(sim_.engine()
                  .UpdateTable("db", "t", {.retention = catalog::Retention{.memory_hours = 1, .magnetic_days = 10}})
                  .ok());
  Settle();
  EXPECT_EQ(CountOf(sim_, StoreTier::kMagnetic), 1U);
  EXPECT_EQ(sim_.Read().size(), 1U);
}

// While rows move, one of them is replaced and a checkpoint takes that in: the manifest that names the moved rows must
// say which of them is dead, for the log is not replayed from there.
TEST_F(TiersTest, ACheckpointDuringAMoveLosesNoMark) {
  Rows expected;
  for (int i = 0; i < 50; ++i) {
    const TestRecord record = Row(kNow - i * kNsPerMinute, i);
    ASSERT_EQ(sim_.WriteOne(record), Verdict::kNew);
    expected[testing::KeyOf(record)] = testing::ValuesOf(record);
  }
  Settle();
  sim_.clock.Advance(4 * kNsPerHour);
  const TestRecord newer = Row(kNow - 7 * kNsPerMinute, 700, 2);
  bool replaced = false;
  sim_.disk.BeforeWrites([&](std::string_view path) {
    if (replaced || path.find("/magnetic/") == std::string_view::npos) return;
    replaced = true;
    EXPECT_EQ(sim_.WriteOne(newer), Verdict::kReplaced);
    EXPECT_TRUE(sim_.engine().Checkpoint().ok());
  });
  ASSERT_TRUE(sim_.engine().Settle().ok());
  sim_.disk.BeforeWrites({});
  ASSERT_TRUE(replaced);
  ASSERT_GT(CountOf(sim_, StoreTier::kMagnetic), 0U);
  expected[testing::KeyOf(newer)] = testing::ValuesOf(newer);
  EXPECT_EQ(sim_.Read(), expected);
  sim_.Crash(Keep::kAll);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read(), expected);
  Settle();
  Reopen();
  EXPECT_EQ(sim_.Read(), expected);
}

// Power goes at each call of a move in turn; whatever is left is whole, once, and nothing stays without an owner.
TEST_F(TiersTest, AMoveCanBeCutAnywhere) {
  for (std::uint64_t call = 1; call <= 60; ++call) {
    SCOPED_TRACE(call);
    SimEngine sim(call);
    ASSERT_TRUE(sim.Open().ok());
    ASSERT_TRUE(sim.Create({.retention = {.memory_hours = 1, .magnetic_days = 10}}).ok());
    Rows expected;
    for (int i = 0; i < 20; ++i) {
      const TestRecord record = Row(kNow - i * kNsPerMinute, i);
      ASSERT_EQ(sim.WriteOne(record), Verdict::kNew);
      expected[testing::KeyOf(record)] = testing::ValuesOf(record);
      if (i % 7 == 0) {
        ASSERT_TRUE(sim.engine().Checkpoint().ok());
      }
    }
    ASSERT_TRUE(sim.engine().Checkpoint().ok());
    sim.clock.Advance(3 * kNsPerHour);
    sim.disk.CrashAtCall(call);
    const Status settled = sim.engine().Settle();
    sim.Close();
    sim.disk.Restart(Keep::kRandom);
    const Status opened = sim.Open();
    ASSERT_TRUE(opened.ok()) << opened;
    EXPECT_EQ(sim.Read(), expected);
    ASSERT_TRUE(sim.engine().Settle().ok());
    EXPECT_EQ(sim.Read(), expected);
    EXPECT_EQ(CountOf(sim, StoreTier::kMagnetic), 1U);
    Rows again;
    sim.Close();
    ASSERT_TRUE(sim.Open().ok());
    EXPECT_EQ(sim.Read(), expected);
    EXPECT_LE(FilesUnder(sim, "/magnetic/"), 2U) << "the one that is live, and the fallback's at most";
    if (settled.ok()) break;
  }
}

TEST_F(TiersTest, RowsThatDieWhileTheyMoveStayDead) {
  // Merges of many rounds with upserts in between, checked against the plain answer.
  std::mt19937 random(7);
  Rows expected;
  std::map<std::int64_t, std::int64_t> versions;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::int64_t time = kNow + static_cast<std::int64_t>(random() % 200) * kNsPerMinute;
      const std::int64_t version = ++versions[time];
      const TestRecord record = Row(time, round * 100 + i, version);
      ASSERT_EQ(sim_.WriteOne(record), version == 1 ? Verdict::kNew : Verdict::kReplaced);
      expected[testing::KeyOf(record)] = testing::ValuesOf(record);
    }
    if (round % 2 == 0) {
      ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    }
    ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
    sim_.clock.Advance(20 * kNsPerMinute);
    ASSERT_EQ(sim_.Read(), expected) << round;
    if (round % 10 == 9) Reopen();
  }
  Settle();
  EXPECT_EQ(sim_.Read(), expected);
  EXPECT_LE(sim_.engine().stats().writes_at_rest_max, 4U);
}

// ---- retention -----------------------------------------------------------------------------------

TEST_F(TiersTest, AJumpOfTheWallClockDeletesNothing) {
  EXPECT_EQ(sim_.WriteOne(Row(kNow)), Verdict::kNew);
  Settle();
  sim_.clock.SetWall(TimestampNs{kNow + 3650 * kNsPerDay});
  Settle();
  EXPECT_TRUE(sim_.engine().stats().expiry_paused);
  EXPECT_TRUE(sim_.Read().empty()) << "the cut of a query follows the clock";
  // A restart does not believe it either, not within the day.
  Reopen();
  Settle();
  EXPECT_TRUE(sim_.engine().stats().expiry_paused);
  sim_.clock.SetWall(TimestampNs{kNow + kNsPerMinute});
  Settle();
  EXPECT_FALSE(sim_.engine().stats().expiry_paused);
  EXPECT_EQ(sim_.Read().size(), 1U);
  EXPECT_EQ(CountOf(sim_, StoreTier::kMemory), 1U) << "nothing moved either";
}

TEST_F(TiersTest, ALongTimeOffIsBelievedAfterADay) {
  EXPECT_EQ(sim_.WriteOne(Row(kNow)), Verdict::kNew);
  Settle();
  sim_.Close();
  sim_.clock.Advance(365 * kNsPerDay);
  ASSERT_TRUE(sim_.Open().ok());
  Settle();
  EXPECT_TRUE(sim_.engine().stats().expiry_paused);
  EXPECT_EQ(sim_.engine().ListSegments().size(), 1U);
  sim_.clock.Advance(kNsPerDay + 1);
  Settle();
  EXPECT_FALSE(sim_.engine().stats().expiry_paused);
  EXPECT_TRUE(sim_.engine().ListSegments().empty());
}

class ExpiredRows : public TiersTest {
 protected:
  // Once retention is long enough, all that expired can be had again.
  void ExpectBack(const Rows& before) {
    ASSERT_TRUE(sim_.engine()
                    .UpdateTable("db", "t", {.retention = catalog::Retention{.memory_hours = 2, .magnetic_days = 100}})
                    .ok());
    const auto back = sim_.engine().Undelete({.database = "db", .table = "t"});
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->rows, before.size());
    EXPECT_EQ(sim_.Read(), before);
  }
};

TEST_F(ExpiredRows, StayADayAndComeBack) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sim_.WriteOne(Row(kNow + i * kNsPerSecond, i)), Verdict::kNew);
  EXPECT_EQ(sim_.WriteOne(Row(kNow, 77, 2)), Verdict::kReplaced);
  Settle();
  EXPECT_EQ(sim_.WriteOne(Row(kNow + kNsPerSecond, 78, 2)), Verdict::kReplaced);
  Settle();
  const Rows before = sim_.Read();
  sim_.clock.Advance(11 * kNsPerDay);
  Settle();
  EXPECT_TRUE(sim_.Read().empty());
  EXPECT_TRUE(sim_.engine().ListSegments().empty());
  EXPECT_GT(sim_.engine().stats().dropped_bytes, 0U);
  Reopen();
  // They would expire at once.
  EXPECT_EQ(CodeOf(sim_.engine().Undelete({.database = "db", .table = "t"}).status()), ErrorCode::kInvalidArgument);
  ExpectBack(before);
  Reopen();
  EXPECT_EQ(sim_.Read(), before);
  EXPECT_EQ(sim_.engine().stats().dropped_bytes, 0U);
}

// What expired before a file held it is in a file all the same, and one that is merged keeps it.
TEST_F(ExpiredRows, ComeBackWhereTheyExpiredBeforeTheyWereFiled) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sim_.WriteOne(Row(kNow + i * kNsPerSecond, i)), Verdict::kNew);
  const Rows before = sim_.Read();
  sim_.clock.Advance(10 * kNsPerDay + 3 * kNsPerHour);
  Settle();
  EXPECT_TRUE(sim_.Read().empty());
  ExpectBack(before);
}

TEST_F(ExpiredRows, GoAfterADay) {
  EXPECT_EQ(sim_.WriteOne(Row(kNow)), Verdict::kNew);
  Settle();
  sim_.clock.Advance(11 * kNsPerDay);
  Settle();
  EXPECT_GT(FilesUnder(sim_, "/segments/") + FilesUnder(sim_, "/magnetic/"), 0U);
  sim_.clock.Advance(kNsPerDay + kNsPerSecond);
  Settle();
  // One more manifest lets go of the fallback's files.
  EXPECT_EQ(sim_.WriteOne(Row(sim_.clock.WallNow().value)), Verdict::kNew);
  Settle();
  Settle();
  EXPECT_EQ(sim_.engine().stats().dropped_bytes, 0U);
  EXPECT_EQ(FilesUnder(sim_, "/magnetic/"), 0U);
  EXPECT_EQ(sim_.engine().Undelete({.database = "db", .table = "t"})->rows, 0U);
}

// Rows have moved and nobody writes any more: some files are named by the fallback alone.
class StoreAtRest : public TiersTest {
 protected:
  void SetUp() override {
    TiersTest::SetUp();
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(sim_.WriteOne(Row(kNow + i * kNsPerSecond, i)), Verdict::kNew);
      ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    }
    sim_.clock.Advance(10 * kNsPerDay);
    Settle();
    rows_ = sim_.Read();
    named_ = sim_.engine().ListSegments().size();
    ASSERT_GT(Files(), named_);
  }
  std::size_t Files() const { return FilesUnder(sim_, "/segments/") + FilesUnder(sim_, "/magnetic/"); }
  Rows rows_;
  std::size_t named_ = 0;
};

// They go all the same, once, and nothing is written after.
TEST_F(StoreAtRest, KeepsNoReplacedFiles) {
  sim_.clock.Advance(kNsPerMinute);
  ASSERT_TRUE(sim_.engine().Settle().ok());
  EXPECT_EQ(Files(), named_);
  const std::uint64_t calls = sim_.disk.call_count();
  sim_.clock.Advance(kNsPerMinute);
  ASSERT_TRUE(sim_.engine().Settle().ok());
  EXPECT_EQ(sim_.disk.call_count(), calls);
  Reopen();
  EXPECT_EQ(sim_.Read(), rows_);
}

// A disk that takes no manifest is asked again in a while, not at every turn; the first one that it takes lets files go.
TEST_F(StoreAtRest, TriesAFallbackThatCannotBeRenewedAgainInAWhile) {
  const std::size_t held = Files();
  sim_.disk.FailCall(1, tideline::testing::Fault::kNoSpace, /*sticky=*/true);
  std::vector<int> tried_at;
  for (int second = 0; second < 45; ++second) {
    const std::uint64_t calls = sim_.disk.call_count();
    const Status upkeep = sim_.engine().RunMaintenance();
    if (!upkeep.ok()) {
      EXPECT_EQ(CodeOf(upkeep), ErrorCode::kResourceExhausted) << upkeep;
      tried_at.push_back(second);
    }
    EXPECT_EQ(sim_.disk.call_count() > calls, !upkeep.ok()) << second;
    sim_.clock.Advance(kNsPerSecond);
  }
  EXPECT_EQ(tried_at, (std::vector<int>{10, 20, 30, 40}));
  EXPECT_EQ(Files(), held) << "the fallback names them";
  sim_.disk.ClearFaults();
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(Files(), held) << "not tried again at once";
  sim_.clock.Advance(5 * kNsPerSecond);
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(Files(), named_);
  Reopen();
  EXPECT_EQ(sim_.Read(), rows_);
}

// Keys that were written again while their rows were gone keep what was written.
TEST_F(TiersTest, UndeleteLeavesNewerRowsAlone) {
  EXPECT_EQ(sim_.WriteOne(Row(kNow, 1, 5)), Verdict::kNew);
  EXPECT_EQ(sim_.WriteOne(Row(kNow + kNsPerSecond, 2)), Verdict::kNew);
  Settle();
  sim_.clock.Advance(11 * kNsPerDay);
  Settle();
  ASSERT_TRUE(sim_.engine()
                  .UpdateTable("db", "t", {.retention = catalog::Retention{.memory_hours = 2, .magnetic_days = 100}})
                  .ok());
  EXPECT_EQ(sim_.WriteOne(Row(kNow, 9, 1)), Verdict::kNew);
  const auto back = sim_.engine().Undelete({.database = "db", .table = "t"});
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->rows, 1U);
  const Rows rows = sim_.Read();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.begin()->second.at("measure_value::double"), "9");
}

// ---- merging -------------------------------------------------------------------------------------

// A year of backfill, one row an hour for 100 series, in random order: few files, little read for nothing.
TEST_F(TiersTest, AYearOfBackfillLeavesFewSegments) {
  // The full measure takes minutes without optimization; a quarter of the series makes the same windows.
  const int kSeries = std::getenv("TIDELINE_LONG_TESTS") != nullptr ? 100 : 25;
  constexpr int kHours = 8'760;
  ASSERT_TRUE(sim_.engine()
                  .UpdateTable("db", "t", {.retention = catalog::Retention{.memory_hours = 1, .magnetic_days = 1'000}})
                  .ok());
  std::vector<std::uint32_t> order(static_cast<std::size_t>(kSeries) * kHours);
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  std::vector<TestRecord> records;
  std::size_t written = 0;
  for (const std::uint32_t place : order) {
    records.push_back(Row(kNow - std::int64_t{place / kSeries} * kNsPerHour, place, 1, place % kSeries));
    if (records.size() == 1'000) {
      const auto results = sim_.Write(records);
      ASSERT_TRUE(results.ok()) << results.status();
      written += records.size();
      records.clear();
      // Fourteen checkpoints in all, each followed by the background's turn.
      if (written % (order.size() / 14 / 1'000 * 1'000) == 0) {
        ASSERT_TRUE(sim_.engine().Checkpoint().ok());
        ASSERT_TRUE(sim_.engine().Settle().ok());
      }
    }
  }
  if (!records.empty()) {
    ASSERT_TRUE(sim_.Write(records).ok());
  }
  Settle();
  const auto segments = sim_.engine().ListSegments();
  std::uint64_t rows = 0;
  for (const auto& segment : segments) rows += segment.entry.row_count;
  const EngineStats stats = sim_.engine().stats();
  RecordProperty("segments", static_cast<int>(segments.size()));
  RecordProperty("write_amplification_percent", static_cast<int>(stats.WriteAmplification() * 100));
  EXPECT_LE(segments.size(), 40U);
  EXPECT_LE(static_cast<double>(rows), 1.05 * static_cast<double>(order.size()));
  EXPECT_LE(stats.writes_at_rest_max, 4U);
  EXPECT_LE(stats.WriteAmplification(), 6.0);
  // One month of one series reads little beside what it wants.
  auto snapshot = sim_.engine().OpenSnapshot("db", "t");
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(snapshot->Totals().rows, order.size());
}

TEST(MergePlan, WritesARowAtMostThreeTimesBeforeItMoves) {
  std::vector<std::shared_ptr<SegmentSource>> segments;
  const auto add = [&](std::uint64_t rows, std::uint8_t writes, StoreTier tier = StoreTier::kMemory) {
    catalog::SegmentEntry entry;
    entry.key = "segments/" + std::to_string(segments.size());
    entry.row_count = rows;
    entry.write_count = writes;
    entry.tier = tier;
    entry.window_length_ns = kNsPerHour;
    entry.time_ns_max = kNsPerHour - 1;
    segments.push_back(std::make_shared<SegmentSource>(SegmentEnvironment{}, entry, Bitmap()));
  };
  for (int i = 0; i < 11; ++i) add(100, 3);
  EXPECT_FALSE(PlanMerge(segments, {}).has_value()) << "all written three times";
  for (int i = 0; i < 3; ++i) add(10, 1);
  const auto job = PlanMerge(segments, {});
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->kind, MergeKind::kMerge);
  EXPECT_EQ(job->segments.size(), 3U);
  EXPECT_EQ(job->write_count(), 2);
  // Where writers would be refused, no count holds.
  EXPECT_EQ(PlanMerge(segments, {.crowded_at = 12})->segments.size(), kMergeFanOut);
  // Old enough, everything moves at once.
  const auto move = PlanMerge({segments.begin(), segments.begin() + 4}, {.memory_edge_ns = kNsPerHour});
  ASSERT_TRUE(move.has_value());
  EXPECT_EQ(move->kind, MergeKind::kMove);
  EXPECT_EQ(move->segments.size(), 4U);
  EXPECT_EQ(move->write_count(), 4);
}

TEST(MergePlan, ALittleLateDataDoesNotWriteAWindowAnew) {
  std::vector<std::shared_ptr<SegmentSource>> segments;
  for (int i = 0; i < 5; ++i) {
    catalog::SegmentEntry entry;
    entry.key = "magnetic/" + std::to_string(i);
    entry.row_count = i == 0 ? 10'000'000 : 1'000;
    entry.tier = StoreTier::kMagnetic;
    entry.window_length_ns = kNsPerDay;
    segments.push_back(std::make_shared<SegmentSource>(SegmentEnvironment{}, entry, Bitmap()));
  }
  const auto job = PlanMerge(segments, {});
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->segments.size(), 4U);
  EXPECT_EQ(job->row_count(), 4'000U);
}

// ---- DELETE --------------------------------------------------------------------------------------

class DeleteTest : public TiersTest {
 protected:
  void Fill() {
    for (int host = 0; host < 3; ++host) {
      for (int i = 0; i < 10; ++i) {
        const TestRecord record = Row(kNow + i * kNsPerSecond, i, 1, host);
        ASSERT_EQ(sim_.WriteOne(record), Verdict::kNew);
        all_[testing::KeyOf(record)] = testing::ValuesOf(record);
      }
    }
  }
  DeleteRequest Request(int host, std::vector<TimeRange> times = {}, bool dry_run = false) {
    SeriesPredicate predicate;
    predicate.column = sim_.engine().catalog().FindTable("db", "t")->dimensions[0].id;
    predicate.values = {"h" + std::to_string(host)};
    return {.database = "db", .table = "t", .times = std::move(times), .series = {predicate}, .dry_run = dry_run};
  }
  Rows Without(int host, std::int64_t first = INT64_MIN, std::int64_t last = INT64_MAX) const {
    Rows rows = all_;
    std::erase_if(rows, [&](const auto& row) {
      return row.first.first.find("h" + std::to_string(host)) != std::string::npos && row.first.second >= first &&
             row.first.second <= last;
    });
    return rows;
  }
  Rows all_;
};

TEST_F(DeleteTest, TakesRowsFromBuffersAndFilesAlike) {
  Fill();
  Settle();
  // Half of host 1 again, in the buffer, by a higher version.
  for (int i = 0; i < 5; ++i) {
    const TestRecord record = Row(kNow + i * kNsPerSecond, 50 + i, 2, 1);
    ASSERT_EQ(sim_.WriteOne(record), Verdict::kReplaced);
    all_[testing::KeyOf(record)] = testing::ValuesOf(record);
  }
  EXPECT_EQ(sim_.engine().DeleteRows(Request(1, {}, true))->rows, 10U);
  EXPECT_EQ(sim_.Read(), all_) << "a dry run counts only";
  {
    const auto before = sim_.engine().OpenSnapshot("db", "t");
    const auto deleted = sim_.engine().DeleteRows(Request(1));
    ASSERT_TRUE(deleted.ok()) << deleted.status();
    EXPECT_EQ(deleted->rows, 10U);
    EXPECT_FALSE(deleted->delete_id.is_nil());
    EXPECT_GT(deleted->undo_until_ns, kNow);
    EXPECT_EQ(sim_.Read(), Without(1));
    EXPECT_EQ(testing::ReadRows(*before), all_) << "a snapshot from before sees what it saw";
  }
  EXPECT_EQ(sim_.engine().DeleteRows(Request(1))->rows, 0U);
  Reopen();
  EXPECT_EQ(sim_.Read(), Without(1));
  Settle();
  EXPECT_EQ(sim_.Read(), Without(1));
  Reopen();
  EXPECT_EQ(sim_.Read(), Without(1));
}

TEST_F(DeleteTest, SurvivesACrashAndIsReplayedExactly) {
  Fill();
  ASSERT_TRUE(sim_.engine().DeleteRows(Request(2, {{kNow, kNow + 4 * kNsPerSecond}})).ok());
  Rows expected = Without(2, kNow, kNow + 4 * kNsPerSecond);
  // A key written again after the delete stays.
  const TestRecord again = Row(kNow, 500, 1, 2);
  ASSERT_EQ(sim_.WriteOne(again), Verdict::kNew);
  expected[testing::KeyOf(again)] = testing::ValuesOf(again);
  EXPECT_EQ(sim_.Read(), expected);
  sim_.Crash(Keep::kNone);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read(), expected);
  EXPECT_EQ(sim_.WriteOne(Row(kNow, 501, 1, 2)), Verdict::kDuplicate);
  EXPECT_EQ(sim_.WriteOne(Row(kNow + kNsPerSecond, 502, 1, 2)), Verdict::kNew);
  sim_.Crash(Keep::kNone);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read().size(), expected.size() + 1);
}

// All rows of a new series die before they are filed: the checkpoint that lets go of the log keeps the series.
TEST_F(DeleteTest, ASeriesWhoseRowsAreGoneStaysKnown) {
  Fill();
  Settle();
  ASSERT_EQ(sim_.WriteOne(Row(kNow, 1, 1, 40)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().DeleteRows(Request(40)).ok());
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  const TestRecord next = Row(kNow, 2, 1, 41);
  ASSERT_EQ(sim_.WriteOne(next), Verdict::kNew);
  all_[testing::KeyOf(next)] = testing::ValuesOf(next);
  sim_.Crash(Keep::kAll);
  const Status opened = sim_.Open();
  ASSERT_TRUE(opened.ok()) << opened;
  EXPECT_EQ(sim_.Read(), all_);
  const TestRecord again = Row(kNow, 3, 1, 40);
  EXPECT_EQ(sim_.WriteOne(again), Verdict::kNew);
  all_[testing::KeyOf(again)] = testing::ValuesOf(again);
  EXPECT_EQ(sim_.Read(), all_);
}

TEST_F(DeleteTest, CanBeUndone) {
  Fill();
  Settle();
  const auto deleted = sim_.engine().DeleteRows(Request(0));
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  const TestRecord again = Row(kNow + kNsPerSecond, 500, 1, 0);
  ASSERT_EQ(sim_.WriteOne(again), Verdict::kNew);
  // Through merges, a move and a restart.
  sim_.clock.Advance(5 * kNsPerHour);
  Settle();
  Reopen();
  const auto back = sim_.engine().Undelete({.database = "db", .table = "t", .delete_id = deleted->delete_id});
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->rows, 9U) << "all but the one written again";
  all_[testing::KeyOf(again)] = testing::ValuesOf(again);
  EXPECT_EQ(sim_.Read(), all_);
  EXPECT_EQ(CodeOf(sim_.engine().Undelete({.database = "db", .table = "t", .delete_id = deleted->delete_id}).status()),
            ErrorCode::kNotFound)
      << "once";
  Reopen();
  EXPECT_EQ(sim_.Read(), all_);
}

TEST_F(DeleteTest, CannotBeUndoneLater) {
  Fill();
  const auto deleted = sim_.engine().DeleteRows(Request(0));
  ASSERT_TRUE(deleted.ok());
  sim_.clock.Advance(kNsPerDay + 1);
  Settle();
  EXPECT_EQ(CodeOf(sim_.engine().Undelete({.database = "db", .table = "t", .delete_id = deleted->delete_id}).status()),
            ErrorCode::kNotFound);
  EXPECT_EQ(sim_.Read(), Without(0));
}

// Power goes at each call of a delete in turn: it happened whole or not at all.
TEST_F(DeleteTest, IsWholeOrAbsentAfterAPowerCut) {
  for (std::uint64_t call = 1; call <= 40; ++call) {
    SCOPED_TRACE(call);
    SimEngine sim(call);
    ASSERT_TRUE(sim.Open().ok());
    ASSERT_TRUE(sim.Create().ok());
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(sim.WriteOne(Row(kNow + i, i, 1, i % 2)), Verdict::kNew);
      if (i == 9) {
        ASSERT_TRUE(sim.engine().Checkpoint().ok());
      }
    }
    SeriesPredicate predicate;
    predicate.column = sim.engine().catalog().FindTable("db", "t")->dimensions[0].id;
    predicate.values = {"h1"};
    sim.disk.CrashAtCall(call);
    const bool done = sim.engine().DeleteRows({.database = "db", .table = "t", .series = {predicate}}).ok();
    sim.Close();
    sim.disk.Restart(Keep::kRandom);
    ASSERT_TRUE(sim.Open().ok());
    const std::size_t left = sim.Read().size();
    EXPECT_TRUE(left == 10 || (left == 20 && !done)) << left;
    sim.Close();
    ASSERT_TRUE(sim.Open().ok());
    EXPECT_EQ(sim.Read().size(), left);
    if (done) break;
  }
}

// ---- a disk that fills up ------------------------------------------------------------------------

TEST(DiskSpace, WritesStopBeforeTheDiskIsFullAndReadsGoOn) {
  SimEngine sim(5);
  sim.options.reserve_bytes = 1 << 20;
  ASSERT_TRUE(sim.Open().ok());
  ASSERT_TRUE(sim.Create().ok());
  ASSERT_EQ(sim.WriteOne(Row(kNow)), Verdict::kNew);
  std::uint64_t used = 0;
  for (const std::string& path : sim.disk.Paths()) used += sim.disk.Stat(path)->bytes;
  sim.disk.SetCapacity((used + (1 << 20)) * 2);
  ASSERT_TRUE(sim.engine().RunMaintenance().ok());
  ASSERT_EQ(sim.WriteOne(Row(kNow + 1)), Verdict::kNew);
  sim.disk.SetCapacity(used + (1 << 20) + used / 50);
  ASSERT_TRUE(sim.engine().RunMaintenance().ok());
  EXPECT_EQ(CodeOf(sim.Write({Row(kNow + 2)}).status()), ErrorCode::kResourceExhausted);
  EXPECT_EQ(sim.Read().size(), 2U);
  ASSERT_TRUE(sim.engine().Checkpoint().ok()) << "the reserve makes room";
  sim.disk.SetCapacity(used * 100);
  ASSERT_TRUE(sim.engine().RunMaintenance().ok());
  EXPECT_EQ(sim.WriteOne(Row(kNow + 2)), Verdict::kNew);
}

TEST(SeriesBudget, NewSeriesAreRefusedBeforeMemoryIsGone) {
  SimEngine sim(6);
  sim.options.series_bytes_max = 1;
  ASSERT_TRUE(sim.Open().ok());
  ASSERT_TRUE(sim.Create().ok());
  ASSERT_EQ(sim.WriteOne(Row(kNow)), Verdict::kNew);
  ASSERT_TRUE(sim.engine().RunMaintenance().ok());
  EXPECT_EQ(CodeOf(sim.Write({Row(kNow, 1, 1, 9)}).status()), ErrorCode::kResourceExhausted);
  EXPECT_EQ(sim.WriteOne(Row(kNow + 1)), Verdict::kNew) << "known series go on";
}

}  // namespace
}  // namespace tideline::engine
