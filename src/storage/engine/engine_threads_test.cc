// Writers, readers and maintenance at the same time, on the real file system; meant for tsan.
#include <stdlib.h>

#include <atomic>
#include <filesystem>

#include "base/thread_pool.h"
#include "storage/engine/engine_test_support.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::engine {
namespace {

using testing::Rows;
using testing::TestBatch;
using testing::TestRecord;

constexpr int kKeys = 40;

class EngineThreads : public ::testing::Test {
 public:
  static TestRecord Record(int key, std::int64_t version, std::int64_t now) {
    return {.dimensions = {{"host", "h" + std::to_string(key % 7)}},
            .measure_name = "m",
            .measures = {{"a", version}, {"b", version}},
            .time_ns = now - key * kNsPerSecond,
            .version = version};
  }

 protected:
  void SetUp() override {
    char path[] = "/tmp/tideline_engine_XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    directory_ = path;
    options_.data_dir = directory_;
    options_.file_system = &fs::PosixFileSystem();
    options_.buffer_rows_max = 500;
    options_.piece_rows_min = 100;
    options_.wal_file_bytes = 4 << 20;
    options_.memory_bytes_max = std::size_t{2} << 30;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  EngineOptions options_;
};

// So many that another thread encodes their file while segments are written; once they are new, and once they are known.
TEST_F(EngineThreads, CheckpointsOfManySeriesComeBack) {
  constexpr int kSeries = 12'000;
  constexpr int kBatch = 1'000;
  options_.buffer_rows_max = kSeries;
  const std::int64_t now = SystemClock().WallNow().value;
  Rows expected;
  for (int life = 0; life < 3; ++life) {
    auto opened = Engine::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    Engine& engine = **opened;
    if (life == 0) {
      ASSERT_TRUE(engine.CreateDatabase({.name = "db"}).ok());
      ASSERT_TRUE(engine.CreateTable("db", "t", {}).ok());
    }
    auto snapshot = engine.OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    ASSERT_TRUE(testing::ReadRows(*snapshot) == expected) << "life " << life;
    EXPECT_EQ(engine.stats().replayed_records, 0U);
    for (int first = 0; first < kSeries; first += kBatch) {
      std::vector<TestRecord> batch;
      for (int i = first; i < first + kBatch; ++i) {
        batch.push_back({.dimensions = {{"host", "h" + std::to_string(i)}},
                         .measure_name = "m",
                         .measures = {{"a", std::int64_t{i}}},
                         .time_ns = now - life * kNsPerSecond});
        expected[testing::KeyOf(batch.back())] = testing::ValuesOf(batch.back());
      }
      ASSERT_TRUE(engine.WriteAndWait(TestBatch(batch).View()).ok());
    }
    ASSERT_TRUE(engine.Checkpoint().ok());
    ASSERT_TRUE(engine.Stop().ok());
  }
}

// Upserts under running queries show the old or the new row, never both or none.
TEST_F(EngineThreads, UpsertsUnderScansShowOldOrNew) {
  auto opened = Engine::Open(options_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  Engine& engine = **opened;
  ASSERT_TRUE(engine.CreateDatabase({.name = "db"}).ok());
  ASSERT_TRUE(engine.CreateTable("db", "t", {}).ok());
  const std::int64_t now = SystemClock().WallNow().value;
  std::vector<TestRecord> first;
  for (int key = 0; key < kKeys; ++key) first.push_back(Record(key, 1, now));
  ASSERT_TRUE(engine.WriteAndWait(TestBatch(first).View()).ok());

  std::atomic<bool> stop{false};
  std::atomic<int> scans{0};
  ThreadPool pool({.name = "test", .thread_count = 4, .queue_max = 16});
  for (int reader = 0; reader < 2; ++reader) {
    ASSERT_TRUE(pool.Submit([&] {
      std::int64_t newest = 0;
      while (!stop.load()) {
        auto snapshot = engine.OpenSnapshot("db", "t");
        ASSERT_TRUE(snapshot.ok());
        const Rows rows = testing::ReadRows(*snapshot);
        EXPECT_EQ(rows.size(), static_cast<std::size_t>(kKeys));
        std::int64_t sum = 0;
        for (const auto& [key, values] : rows) {
          EXPECT_EQ(values.at("a"), values.at("b"));
          sum += std::stoll(values.at("a"));
        }
        EXPECT_GE(sum, newest);
        newest = sum;
        scans.fetch_add(1);
      }
    }).ok());
  }
  ASSERT_TRUE(pool.Submit([&] {
    while (!stop.load()) {
      EXPECT_TRUE(engine.RunMaintenance().ok());
      EXPECT_TRUE(engine.Checkpoint().ok());
    }
  }).ok());
  for (std::int64_t version = 2; version < 150; ++version) {
    std::vector<TestRecord> batch;
    for (int key = 0; key < kKeys; ++key) batch.push_back(Record(key, version, now));
    const auto results = engine.WriteAndWait(TestBatch(batch).View());
    ASSERT_TRUE(results.ok()) << results.status();
    for (const RecordResult& result : *results) EXPECT_EQ(result.verdict, Verdict::kReplaced);
  }
  stop.store(true);
  pool.Stop();
  EXPECT_GT(scans.load(), 0);
  ASSERT_TRUE(engine.Stop().ok());
}

TEST_F(EngineThreads, WritersOfNewSeriesAndReaders) {
  std::size_t rows_before = 0;
  {
    auto opened = Engine::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    Engine& engine = **opened;
    ASSERT_TRUE(engine.CreateDatabase({.name = "db"}).ok());
    ASSERT_TRUE(engine.CreateTable("db", "t", {}).ok());
    const std::int64_t now = SystemClock().WallNow().value;
    ThreadPool pool({.name = "test", .thread_count = 4, .queue_max = 16});
    std::atomic<int> writers{3};
    for (int writer = 0; writer < 3; ++writer) {
      ASSERT_TRUE(pool.Submit([&, writer] {
        for (int round = 0; round < 60; ++round) {
          std::vector<TestRecord> batch;
          for (int i = 0; i < 20; ++i) {
            TestRecord record = Record(i, 1, now + round * kNsPerMs);
            record.dimensions.emplace_back("writer", std::to_string(writer));
            record.dimensions.emplace_back("d" + std::to_string(round % 5), std::to_string(i));
            if (round % 10 == 0) record.measure_name = "n" + std::to_string(round);
            batch.push_back(record);
          }
          const auto results = engine.WriteAndWait(TestBatch(batch).View());
          ASSERT_TRUE(results.ok()) << results.status();
        }
        writers.fetch_sub(1);
      }).ok());
    }
    ASSERT_TRUE(pool.Submit([&] {
      while (writers.load() != 0) {
        auto snapshot = engine.OpenSnapshot("db", "t");
        ASSERT_TRUE(snapshot.ok());
        const std::size_t rows = testing::ReadRows(*snapshot).size();
        EXPECT_GE(rows, rows_before);
        rows_before = rows;
      }
    }).ok());
    pool.Stop();
    auto snapshot = engine.OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    EXPECT_EQ(testing::ReadRows(*snapshot).size(), 3U * 60U * 20U);
  }
  auto again = Engine::Open(options_);
  ASSERT_TRUE(again.ok()) << again.status();
  auto snapshot = (*again)->OpenSnapshot("db", "t");
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(testing::ReadRows(*snapshot).size(), 3U * 60U * 20U);
}

// Columns, dimensions and measures defined while checkpoints run are whole after a power cut.
TEST(EngineThreadsPowerCut, NamesDefinedDuringCheckpointsSurvive) {
  testing::SimEngine sim(7);
  sim.options.own_threads = true;
  ASSERT_TRUE(sim.Open().ok());
  ASSERT_TRUE(sim.Create().ok());
  int next = 0;
  for (int round = 0; round < 12; ++round) {
    std::atomic<bool> stop{false};
    ThreadPool pool({.name = "test", .thread_count = 1, .queue_max = 4});
    ASSERT_TRUE(pool.Submit([&] {
      for (int i = 0; i < 60 && !stop.load(); ++i, ++next) {
        const std::string number = std::to_string(next);
        TestRecord record = EngineThreads::Record(next, 1, testing::SimEngine::kNow);
        if (next % 8 == 0) record.dimensions.emplace_back("d" + number, "v");
        if (next % 3 == 0) record.measure_name = "m" + number;
        record.measures.emplace_back("a" + number, 0.5 * next);
        EXPECT_EQ(sim.WriteOne(record), Verdict::kNew);
      }
      stop = true;
    }).ok());
    while (!stop.load()) ASSERT_TRUE(sim.engine().Checkpoint().ok());
    pool.Stop();
    const Rows rows = sim.Read();
    EXPECT_EQ(rows.size(), static_cast<std::size_t>(next));
    sim.Crash(tideline::testing::Keep::kNone);
    const Status opened = sim.Open();
    ASSERT_TRUE(opened.ok()) << opened;
    ASSERT_EQ(sim.Read(), rows);
  }
}

}  // namespace
}  // namespace tideline::engine
