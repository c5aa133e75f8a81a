// Late records: their lookups in files fail, wait or meet exchanged files, and the batch stays whole.
#include <gtest/gtest.h>

#include <atomic>

#include "base/no_wait.h"
#include "base/thread_pool.h"
#include "storage/engine/engine_test_support.h"

namespace tideline::engine {
namespace {

using testing::SimEngine;
using testing::TestBatch;
using testing::TestRecord;
using tideline::testing::Keep;

constexpr std::int64_t kNow = SimEngine::kNow;

TestRecord Row(std::int64_t time_ns, std::int64_t value = 1, std::int64_t version = 1, int host = 0) {
  return {.dimensions = {{"host", "h" + std::to_string(host)}},
          .measure_name = "m",
          .measures = {{"x", value}},
          .time_ns = time_ns,
          .version = version};
}

// Keeps the answer of a write that someone else drives.
class Answer final : public WriteCompletion {
 public:
  void OnWritten(const Status& status, std::span<const RecordResult> results) override {
    MutexLock lock(mutex_);
    status_ = status;
    results_.assign(results.begin(), results.end());
    done_ = true;
  }
  bool done() {
    MutexLock lock(mutex_);
    return done_;
  }
  Verdict verdict(std::size_t i) {
    MutexLock lock(mutex_);
    return results_.at(i).verdict;
  }

 private:
  Mutex mutex_;
  bool done_ TL_GUARDED_BY(mutex_) = false;
  Status status_ TL_GUARDED_BY(mutex_) = OkStatus();
  std::vector<RecordResult> results_ TL_GUARDED_BY(mutex_);
};

class LateWrite : public ::testing::Test {
 protected:
  // One row in a file of which nothing is cached.
  void SetUp() override {
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_TRUE(sim_.Create().ok());
    ASSERT_EQ(sim_.WriteOne(Row(kNow)), Verdict::kNew);
    Reopen();
  }
  void Reopen() {
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    sim_.Close();
    ASSERT_TRUE(sim_.Open().ok());
  }
  SimEngine sim_{11};
};

TEST_F(LateWrite, AFailedLookupStoresNothingOfItsBatch) {
  sim_.disk.FailReadsOf("/segments/");
  // New rows before and behind the one whose file cannot be read.
  const auto refused = sim_.Write({Row(kNow + 1, 1, 1, 1), Row(kNow, 2, 2), Row(kNow + 2, 1, 1, 2)});
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(CodeOf(refused.status()), ErrorCode::kResourceExhausted);
  sim_.disk.ClearFaults();
  EXPECT_EQ(sim_.Read().size(), 1U);
  EXPECT_EQ(sim_.engine().stats().series_count, 1U) << "no series either";
  sim_.Crash(Keep::kAll);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read().size(), 1U) << "nor in the log";
  const auto written = sim_.Write({Row(kNow + 1, 1, 1, 1), Row(kNow, 2, 2), Row(kNow + 2, 1, 1, 2)});
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ((*written)[0].verdict, Verdict::kNew);
  EXPECT_EQ((*written)[1].verdict, Verdict::kReplaced);
  EXPECT_EQ(sim_.Read().size(), 3U);
}

TEST_F(LateWrite, NewSeriesOverTheBudgetRefuseTheirBatchWhole) {
  sim_.Close();
  sim_.options.series_bytes_max = 1;
  ASSERT_TRUE(sim_.Open().ok());
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(CodeOf(sim_.Write({Row(kNow + 1), Row(kNow + 1, 1, 1, 5)}).status()),
            ErrorCode::kResourceExhausted);
  EXPECT_EQ(sim_.Read().size(), 1U) << "the record of the known series may not be stored and refused at once";
  EXPECT_EQ(sim_.WriteOne(Row(kNow + 1)), Verdict::kNew);
}

TEST_F(LateWrite, NewSeriesCountAtOnce) {
  sim_.Close();
  sim_.options.series_bytes_max = 4'000;
  ASSERT_TRUE(sim_.Open().ok());
  // No upkeep runs in between: what one burst of new series takes must not go unseen until the next look.
  int taken = 0;
  while (taken < 1'000 && sim_.Write({Row(kNow + 1, 1, 1, 100 + taken)}).ok()) ++taken;
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, 100);
}

// While one writer's lookup waits for the disk, another one writes, and queries see it.
TEST_F(LateWrite, ASlowDiskHoldsUpNoOtherWriterOfTheTable) {
  std::atomic<bool> reached{false};
  std::atomic<bool> go_on{false};
  Mutex mutex;
  CondVar changed;
  // Bounded, so that a writer that does wait makes the test fail and not hang.
  const auto wait_for = [&](const std::atomic<bool>& flag) {
    MutexLock lock(mutex);
    for (int i = 0; i < 100 && !flag; ++i) changed.WaitFor(mutex, 100 * kNsPerMs);
    return flag.load();
  };
  const auto set = [&](std::atomic<bool>* flag) {
    MutexLock lock(mutex);
    *flag = true;
    changed.NotifyAll();
  };
  sim_.disk.BeforeReads([&](std::string_view path) {
    if (path.find("/segments/") == std::string_view::npos || reached.exchange(true)) return;
    set(&reached);
    wait_for(go_on);
  });
  Answer late;
  ThreadPool pool({.name = "writer", .thread_count = 1, .queue_max = 1});
  const std::vector<TestRecord> late_records = {Row(kNow, 7, 2), Row(kNow + 5, 1, 1, 3)};
  const TestBatch late_batch(late_records);
  ASSERT_TRUE(pool.Submit([&] {
    const Status status = sim_.engine().Write(late_batch.View(), &late);
    EXPECT_TRUE(status.ok()) << status;
  }).ok());
  ASSERT_TRUE(wait_for(reached));
  Answer other;
  const std::vector<TestRecord> other_records = {Row(kNow + 9), Row(kNow + 9, 1, 1, 8)};
  const TestBatch other_batch(other_records);
  ASSERT_TRUE(sim_.engine().Write(other_batch.View(), &other).ok());
  EXPECT_FALSE(go_on);
  while (sim_.engine().Drive()) {
  }
  EXPECT_TRUE(other.done());
  EXPECT_FALSE(late.done());
  set(&go_on);
  pool.Stop();
  while (sim_.engine().Drive()) {
  }
  ASSERT_TRUE(late.done());
  EXPECT_EQ(late.verdict(0), Verdict::kReplaced);
  EXPECT_EQ(late.verdict(1), Verdict::kNew);
  EXPECT_EQ(sim_.Read().size(), 4U);
}

// Files take each other's place between a lookup and the verdict: what came is asked too.
TEST_F(LateWrite, ALookupFollowsItsRowIntoANewFile) {
  bool done = false;
  sim_.disk.BeforeReads([&](std::string_view path) {
    if (path.find("/segments/") == std::string_view::npos || done) return;
    done = true;
    // The row is replaced and the new one goes into a file of its own, while the lookup reads the old file.
    EXPECT_EQ(sim_.WriteOne(Row(kNow, 5, 5)), Verdict::kReplaced);
    EXPECT_TRUE(sim_.engine().Checkpoint().ok());
  });
  EXPECT_EQ(sim_.WriteOne(Row(kNow, 3, 3)), Verdict::kLowerVersion);
  EXPECT_TRUE(done);
  EXPECT_EQ(sim_.WriteOne(Row(kNow, 5, 5)), Verdict::kEqual);
  EXPECT_EQ(sim_.WriteOne(Row(kNow, 6, 5)), Verdict::kDuplicate);
  EXPECT_EQ(sim_.Read().size(), 1U);
}

TEST_F(LateWrite, AThreadThatMayNotWaitIsToldSoAndNothingIsStored) {
  {
    const NoWait no_wait;
    EXPECT_EQ(CodeOf(sim_.Write({Row(kNow + 1), Row(kNow, 2, 2)}).status()), ErrorCode::kUnavailable);
    EXPECT_TRUE(NoWait::refused());
  }
  EXPECT_EQ(sim_.Read().size(), 1U);
  EXPECT_EQ(sim_.WriteOne(Row(kNow)), Verdict::kEqual);
  {
    const NoWait no_wait;
    EXPECT_EQ(sim_.WriteOne(Row(kNow, 2, 2)), Verdict::kReplaced) << "the lookup before left it all in the cache";
    EXPECT_FALSE(NoWait::refused());
  }
}

// ---- marks on dead rows are memory, too ------------------------------------------------------------

TEST_F(LateWrite, ReplacingIsRefusedWhileMarksTakeTooMuchMemory) {
  sim_.Close();
  sim_.options.deletion_bytes_max = 64;
  ASSERT_TRUE(sim_.Open().ok());
  std::vector<TestRecord> rows;
  for (int i = 0; i < 200; ++i) rows.push_back(Row(kNow - i * kNsPerSecond, 1, 1, 1));
  ASSERT_TRUE(sim_.Write(rows).ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  for (TestRecord& row : rows) row.version = 2;
  ASSERT_TRUE(sim_.Write({rows.begin(), rows.begin() + 100}).ok());
  // Upkeep counts the marks; the merge that would take them away fails.
  sim_.disk.FailCall(1, tideline::testing::Fault::kNoSpace, /*sticky=*/true);
  EXPECT_EQ(CodeOf(sim_.engine().RunMaintenance()), ErrorCode::kResourceExhausted);
  sim_.disk.ClearFaults();
  EXPECT_GT(sim_.engine().stats().deletion_bytes, 64U);
  EXPECT_EQ(CodeOf(sim_.Write({rows[150]}).status()), ErrorCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(sim_.engine().DeleteRows({.database = "db", .table = "t"}).status()),
            ErrorCode::kResourceExhausted);
  EXPECT_EQ(sim_.WriteOne(Row(kNow + 1)), Verdict::kNew) << "what replaces nothing goes on";
  EXPECT_EQ(sim_.Read().size(), 202U);
  sim_.clock.Advance(11 * kNsPerSecond);
  ASSERT_TRUE(sim_.engine().Settle().ok());
  EXPECT_EQ(sim_.engine().stats().deletion_bytes, 0U) << "merging took the dead rows and their marks away";
  EXPECT_EQ(sim_.WriteOne(rows[150]), Verdict::kReplaced);
  EXPECT_EQ(sim_.Read().size(), 202U);
}

// ---- series tables of segments ---------------------------------------------------------------------

TEST_F(LateWrite, SeriesTablesStayInsideTheirBudget) {
  sim_.Close();
  sim_.options.series_table_bytes_max = 30'000;
  ASSERT_TRUE(sim_.Open().ok());
  // Files of different hours, each with a table of about ten kilobytes.
  for (int hour = 0; hour < 5; ++hour) {
    std::vector<TestRecord> rows;
    for (int host = 0; host < 100; ++host) rows.push_back(Row(kNow - hour * kNsPerHour, 1, 1, host));
    ASSERT_TRUE(sim_.Write(rows).ok());
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  }
  sim_.Close();
  ASSERT_TRUE(sim_.Open().ok());
  const auto snapshot = sim_.engine().OpenSnapshot("db", "t");
  ASSERT_TRUE(snapshot.ok());
  ScanRequest request;
  for (const auto& column : snapshot->schema().Columns()) request.columns.push_back(column.id);
  EXPECT_EQ(CodeOf(snapshot->Scan(request).status()), ErrorCode::kResourceExhausted) << "five at once";
  EXPECT_TRUE(sim_.engine().Settle().ok()) << "upkeep is never refused for it";
  for (int hour = 0; hour < 5; ++hour) {
    request.times = {{kNow - hour * kNsPerHour, kNow - hour * kNsPerHour}};
    const auto scan = snapshot->Scan(request);
    ASSERT_TRUE(scan.ok()) << scan.status() << " though what others left in the cache could give way";
    EXPECT_GT(sim_.engine().stats().series_table_bytes, 0U);
    EXPECT_LE(sim_.engine().stats().series_table_bytes, 30'000U);
  }
}

}  // namespace
}  // namespace tideline::engine
