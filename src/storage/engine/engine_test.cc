#include "storage/engine/engine.h"

#include <functional>
#include <set>
#include <utility>

#include "storage/engine/engine_test_support.h"
#include "storage/engine/flush.h"
#include "storage/engine/inspect.h"

namespace tideline::engine {
namespace {

using testing::Rows;
using testing::SimEngine;
using testing::TestRecord;
using tideline::testing::Keep;

constexpr std::int64_t kNow = SimEngine::kNow;

TestRecord Single(std::int64_t time_ns, double value, std::int64_t version = 1,
                  const std::string& host = "a") {
  return {.dimensions = {{"host", host}, {"region", "eu"}},
          .measure_name = "cpu",
          .measures = {{"", value}},
          .time_ns = time_ns,
          .version = version};
}

TestRecord Multi(std::int64_t time_ns, std::int64_t n, std::int64_t version = 1) {
  return {.dimensions = {{"host", "a"}},
          .measure_name = "m",
          .measures = {{"x", n}, {"y", static_cast<double>(n) / 2}, {"s", std::string("text ") + std::to_string(n)},
                       {"ok", n % 2 == 0}, {"at", TimestampNs{n}}},
          .time_ns = time_ns,
          .version = version};
}

std::size_t CountFiles(const SimEngine& sim, std::string_view part) {
  std::size_t count = 0;
  for (const std::string& path : sim.disk.Paths()) {
    if (path.find(part) != std::string::npos && !path.ends_with(".tmp")) ++count;
  }
  return count;
}

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_TRUE(sim_.Create().ok());
  }
  void Reopen() {
    sim_.Close();
    const Status opened = sim_.Open();
    ASSERT_TRUE(opened.ok()) << opened;
  }
  SimEngine sim_{1};
};

TEST_F(EngineTest, VerdictRules) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kEqual);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2)), Verdict::kDuplicate);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2, 5)), Verdict::kReplaced);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2, 4)), Verdict::kLowerVersion);
  const auto lower = sim_.Write({Single(kNow, 2, 3)});
  ASSERT_TRUE(lower.ok());
  EXPECT_EQ((*lower)[0].existing_version, 5);
  // The same value under a higher version raises the version.
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2, 9)), Verdict::kReplaced);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 3, 8)), Verdict::kLowerVersion);
  const Rows rows = sim_.Read();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.begin()->second.at("measure_value::double"), "2");
}

TEST_F(EngineTest, VerdictsHoldAcrossRunsAndFiles) {
  for (int round = 0; round < 3; ++round) {
    const std::int64_t base = kNow + round * kNsPerSecond;
    EXPECT_EQ(sim_.WriteOne(Multi(base, round)), Verdict::kNew);
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    EXPECT_EQ(sim_.WriteOne(Multi(base, round)), Verdict::kEqual);
    EXPECT_EQ(sim_.WriteOne(Multi(base, round + 7)), Verdict::kDuplicate);
    EXPECT_EQ(sim_.WriteOne(Multi(base, round + 7, 2)), Verdict::kReplaced);
    EXPECT_EQ(sim_.WriteOne(Multi(base, round, 1)), Verdict::kLowerVersion);
    Reopen();
    EXPECT_EQ(sim_.WriteOne(Multi(base, round + 7, 2)), Verdict::kEqual);
  }
  const Rows rows = sim_.Read();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows.begin()->second.at("x"), "7");
}

TEST_F(EngineTest, FirstOfTwoInOneBatchWins) {
  const auto results = sim_.Write({Single(kNow, 1), Single(kNow, 2), Single(kNow, 1), Single(kNow, 3, 2)});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].verdict, Verdict::kNew);
  EXPECT_EQ((*results)[1].verdict, Verdict::kDuplicate);
  EXPECT_EQ((*results)[2].verdict, Verdict::kEqual);
  EXPECT_EQ((*results)[3].verdict, Verdict::kReplaced);
  EXPECT_EQ(sim_.Read().begin()->second.at("measure_value::double"), "3");
}

// The service decides, and may decide otherwise (service/api/choices.h).
TEST_F(EngineTest, VerdictRulesOfTheOtherKind) {
  sim_.Close();
  sim_.options.verdict_rules = {.refuse_lower_version_of_equal_values = false, .first_in_batch_wins = false};
  Reopen();
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round);
    const std::int64_t base = kNow + round * kNsPerSecond;
    const auto results = sim_.Write({Single(base, 1, 5), Single(base, 2, 5), Single(base, 2, 5), Single(base, 3, 4)});
    ASSERT_TRUE(results.ok());
    EXPECT_EQ((*results)[0].verdict, Verdict::kNew);
    EXPECT_EQ((*results)[1].verdict, Verdict::kReplaced) << "the last of a batch takes the place";
    EXPECT_EQ((*results)[2].verdict, Verdict::kEqual);
    EXPECT_EQ((*results)[3].verdict, Verdict::kLowerVersion) << "a lower version with another value never counts";
    // The second round asks files.
    if (round == 1) {
      ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    }
    EXPECT_EQ(sim_.WriteOne(Single(base, 4, 5)), Verdict::kDuplicate) << "of another batch the first wins";
    EXPECT_EQ(sim_.WriteOne(Single(base, 2, 3)), Verdict::kEqual) << "a lower version that repeats is accepted";
    EXPECT_EQ(sim_.WriteOne(Single(base, 3, 3)), Verdict::kLowerVersion);
  }
  const Rows before = sim_.Read();
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before.begin()->second.at("measure_value::double"), "2");
  sim_.Crash(tideline::testing::Keep::kAll);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read(), before);
}

TEST_F(EngineTest, QuotasOfDatabasesAndTables) {
  sim_.Close();
  sim_.options.databases_max = 3;
  sim_.options.tables_max = 2;
  Reopen();
  ASSERT_TRUE(sim_.engine().CreateDatabase({.name = "two"}).ok());
  ASSERT_TRUE(sim_.engine().CreateDatabase({.name = "three"}).ok());
  const Status database = sim_.engine().CreateDatabase({.name = "four"}).status();
  EXPECT_EQ(CodeOf(database), ErrorCode::kQuotaExceeded);
  EXPECT_NE(MessageOf(database).find("at most 3 databases"), std::string_view::npos) << database;
  EXPECT_EQ(CodeOf(sim_.engine().CreateDatabase({.name = "two"}).status()), ErrorCode::kAlreadyExists);
  ASSERT_TRUE(sim_.engine().CreateTable("two", "b", {}).ok());
  const Status table = sim_.engine().CreateTable("three", "c", {}).status();
  EXPECT_EQ(CodeOf(table), ErrorCode::kQuotaExceeded);
  EXPECT_NE(MessageOf(table).find("at most 2 tables"), std::string_view::npos) << table;
  // What was refused is not there, and what goes makes room; a restart counts the same.
  Reopen();
  EXPECT_EQ(CodeOf(sim_.engine().CreateTable("three", "c", {}).status()), ErrorCode::kQuotaExceeded);
  ASSERT_TRUE(sim_.engine().DeleteTable("two", "b").ok());
  EXPECT_TRUE(sim_.engine().CreateTable("three", "c", {}).ok());
  ASSERT_TRUE(sim_.engine().DeleteDatabase("two").ok());
  EXPECT_TRUE(sim_.engine().CreateDatabase({.name = "four"}).ok());
  EXPECT_EQ(EngineOptions().databases_max, 500U);
  EXPECT_EQ(EngineOptions().tables_max, 50'000U);
}

TEST_F(EngineTest, OutOfOrderRowsAreStoredOnceEach) {
  testing::Rows expected;
  for (int i = 0; i < 200; ++i) {
    const TestRecord record = Single(kNow - (i * 37 % 200) * kNsPerSecond, i);
    EXPECT_EQ(sim_.WriteOne(record), Verdict::kNew);
    expected[testing::KeyOf(record)] = testing::ValuesOf(record);
    if (i == 90) {
      ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    }
  }
  EXPECT_EQ(sim_.Read(), expected);
}

TEST_F(EngineTest, MeasureAndAttributeKeepTheirType) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  TestRecord wrong = Single(kNow + 1, 1);
  wrong.measures = {{"", std::int64_t{1}}};
  const auto results = sim_.Write({wrong});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].verdict, Verdict::kMeasureTypeConflict);
  EXPECT_EQ((*results)[0].existing_type, MeasureType::kDouble);
  EXPECT_EQ((*results)[0].item, RecordResult::kWholeRecord);
  EXPECT_EQ(sim_.WriteOne(Multi(kNow, 1)), Verdict::kNew);
  TestRecord other = Multi(kNow + 1, 1);
  other.measure_name = "other";
  other.measures = {{"z", 1.0}, {"x", 2.0}};
  const auto conflict = sim_.Write({other});
  ASSERT_TRUE(conflict.ok());
  EXPECT_EQ((*conflict)[0].verdict, Verdict::kMeasureTypeConflict);
  EXPECT_EQ((*conflict)[0].item, 1);
  // A refused record widens nothing.
  const auto schema = sim_.engine().catalog().FindTable("db", "t");
  EXPECT_EQ(schema->FindColumn("z"), nullptr);
  EXPECT_EQ(schema->measures.size(), 2U);
  TestRecord collides = Multi(kNow + 2, 1);
  collides.dimensions = {{"x", "v"}};
  EXPECT_EQ(sim_.WriteOne(collides), Verdict::kNameKindConflict);
}

TEST_F(EngineTest, SchemaFollowsTheRecords) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  EXPECT_EQ(sim_.WriteOne(Multi(kNow, 1)), Verdict::kNew);
  Reopen();
  const auto schema = sim_.engine().catalog().FindTable("db", "t");
  std::string names;
  for (const auto& column : schema->Columns()) names += column.name + " ";
  EXPECT_EQ(names, "host region measure_name time measure_value::double x y s ok at ");
  const auto measures = schema->MeasuresByName();
  ASSERT_EQ(measures.size(), 2U);
  EXPECT_EQ(measures[0]->dimensions.size(), 2U);
  EXPECT_EQ(measures[1]->dimensions.size(), 1U);
  EXPECT_EQ(measures[1]->type, MeasureType::kMulti);
}

TEST_F(EngineTest, LimitsRefuseRecordsNotBatches) {
  TestRecord wide{.measure_name = "m", .measures = {{"", 1.0}}, .time_ns = kNow};
  for (int i = 0; i < 128; ++i) wide.dimensions.emplace_back("d" + std::to_string(i), "v");
  EXPECT_EQ(sim_.WriteOne(wide), Verdict::kNew);
  wide.dimensions[0].first = "another";
  EXPECT_EQ(sim_.WriteOne(wide), Verdict::kDimensionLimit);
}

TEST_F(EngineTest, SnapshotIsStable) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  auto before = sim_.engine().OpenSnapshot("db", "t");
  ASSERT_TRUE(before.ok());
  const Rows old_rows = testing::ReadRows(*before);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2, 2)), Verdict::kReplaced);
  EXPECT_EQ(sim_.WriteOne(Single(kNow + 1, 3)), Verdict::kNew);
  EXPECT_EQ(testing::ReadRows(*before), old_rows);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_EQ(testing::ReadRows(*before), old_rows);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 4, 3)), Verdict::kReplaced);
  EXPECT_EQ(testing::ReadRows(*before), old_rows);
  EXPECT_EQ(sim_.Read().size(), 2U);
}

TEST_F(EngineTest, PredicatesAndTimesSelect) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 50; ++i) {
    records.push_back(Single(kNow + i, i, 1, "h" + std::to_string(i % 5)));
  }
  TestRecord bare = Single(kNow, 100);
  bare.dimensions = {{"region", "us"}};
  records.push_back(bare);
  ASSERT_TRUE(sim_.Write(records).ok());
  const ColumnId host = sim_.engine().catalog().FindTable("db", "t")->FindColumn("host")->id;
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_EQ(sim_.Read({.series = {{.column = host, .values = {"h1", "none"}}}}).size(), 10U);
    EXPECT_EQ(sim_.Read({.series = {{.column = host, .matches_null = true}}}).size(), 1U);
    EXPECT_EQ(sim_.Read({.series = {{.column = host, .values = {"h1"}, .matches_null = true}}}).size(), 11U);
    const auto test = [](std::optional<std::string_view> value) {
      return value.has_value() && *value > "h2";
    };
    EXPECT_EQ(sim_.Read({.series = {{.column = host, .test = test}}}).size(), 20U);
    EXPECT_EQ(sim_.Read({.times = {{kNow + 10, kNow + 19}, {kNow + 15, kNow + 20}, {kNow + 49, INT64_MAX}}})
                  .size(),
              12U);
    auto snapshot = sim_.engine().OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    EXPECT_EQ(*snapshot->CountSeries({}), 6U);
    EXPECT_EQ(snapshot->Totals().rows, 51U);
    EXPECT_EQ(*snapshot->DistinctValues(host), 5U);
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  }
}

TEST_F(EngineTest, RetentionCutsQueriesAndDropsFiles) {
  ASSERT_TRUE(sim_.engine()
                  .UpdateTable("db", "t", {.retention = catalog::Retention{.memory_hours = 1, .magnetic_days = 1}})
                  .ok());
  EXPECT_EQ(sim_.WriteOne(Single(kNow - 20 * kNsPerHour, 1)), Verdict::kNew);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_EQ(sim_.Read().size(), 2U);
  sim_.clock.Advance(6 * kNsPerHour);
  EXPECT_EQ(sim_.Read().size(), 1U);
  sim_.clock.Advance(20 * kNsPerHour);
  EXPECT_EQ(sim_.Read().size(), 0U);
  EXPECT_EQ(sim_.engine().stats().segment_count, 1U);
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(sim_.engine().stats().segment_count, 0U);
  Reopen();
  EXPECT_EQ(sim_.Read().size(), 0U);
}

TEST_F(EngineTest, JumpingWallClockDeletesNothing) {
  ASSERT_TRUE(sim_.engine()
                  .UpdateTable("db", "t", {.retention = catalog::Retention{.memory_hours = 1, .magnetic_days = 1}})
                  .ok());
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  sim_.clock.SetWall(TimestampNs{kNow + 400 * kNsPerDay});
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(sim_.engine().stats().segment_count, 1U);
}

TEST_F(EngineTest, CatalogSurvivesRestart) {
  ASSERT_TRUE(sim_.engine().Tag("db", "", {{"k", "v"}}).ok());
  ASSERT_TRUE(sim_.engine().CreateTable("db", "u", {.retention = {.memory_hours = 2, .magnetic_days = 3}}).ok());
  ASSERT_TRUE(sim_.engine().Tag("db", "u", {{"a", "1"}, {"b", "2"}}).ok());
  ASSERT_TRUE(sim_.engine().Untag("db", "u", {"a"}).ok());
  ASSERT_TRUE(sim_.engine().UpdateDatabase("db", "key").ok());
  EXPECT_EQ(CodeOf(sim_.engine().DeleteDatabase("db")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(sim_.engine().CreateDatabase({.name = "db"}).status()), ErrorCode::kAlreadyExists);
  EXPECT_EQ(CodeOf(sim_.engine().CreateTable("none", "u", {}).status()), ErrorCode::kNotFound);
  ASSERT_TRUE(sim_.engine().DeleteTable("db", "t").ok());
  for (int pass = 0; pass < 2; ++pass) {
    if (pass == 0) {
      sim_.Crash(Keep::kNone);
      ASSERT_TRUE(sim_.Open().ok());
    } else {
      ASSERT_TRUE(sim_.engine().Stop().ok());
      Reopen();
    }
    const auto database = sim_.engine().catalog().FindDatabase("db");
    ASSERT_NE(database, nullptr);
    EXPECT_EQ(database->kms_key_id, "key");
    EXPECT_EQ(database->tags.size(), 1U);
    EXPECT_EQ(sim_.engine().catalog().FindTable("db", "t"), nullptr);
    const auto table = sim_.engine().catalog().FindTable("db", "u");
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->properties.retention.magnetic_days, 3);
    EXPECT_EQ(table->properties.tags, (catalog::Tags{{"b", "2"}}));
  }
}

TEST_F(EngineTest, DeletedTableComesBackEmpty) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_EQ(sim_.WriteOne(Single(kNow + 1, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().DeleteTable("db", "t").ok());
  ASSERT_TRUE(sim_.engine().CreateTable("db", "t", {}).ok());
  EXPECT_EQ(sim_.Read().size(), 0U);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 9)), Verdict::kNew);
  sim_.Crash(Keep::kNone);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read().size(), 1U);
}

// An equal record is not acknowledged before the row it repeats is synced.
TEST_F(EngineTest, EqualRecordWaitsForTheRowItRepeats) {
  struct Note final : WriteCompletion {
    void OnWritten(const Status& status, std::span<const RecordResult> results) override {
      EXPECT_TRUE(status.ok());
      verdict = results[0].verdict;
      done = true;
    }
    bool done = false;
    Verdict verdict = Verdict::kNew;
  };
  const std::vector<TestRecord> records{Single(kNow, 1)};
  const testing::TestBatch batch(records);
  Note first;
  Note second;
  ASSERT_TRUE(sim_.engine().Write(batch.View(), &first).ok());
  ASSERT_TRUE(sim_.engine().Write(batch.View(), &second).ok());
  EXPECT_FALSE(first.done);
  EXPECT_FALSE(second.done);
  EXPECT_EQ(sim_.Read().size(), 0U);
  while (!first.done && sim_.engine().Drive()) {
  }
  while (!second.done && sim_.engine().Drive()) {
  }
  EXPECT_TRUE(first.done);
  ASSERT_TRUE(second.done);
  EXPECT_EQ(second.verdict, Verdict::kEqual);
  EXPECT_EQ(sim_.Read().size(), 1U);
}

// An upsert, then a write of the same key, then a crash, keeps the write.
TEST_F(EngineTest, UpsertThenSameKeyThenCrashKeepsTheWrite) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2, 2)), Verdict::kReplaced);
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 3, 3)), Verdict::kReplaced);
  for (int pass = 0; pass < 2; ++pass) {
    sim_.Crash(Keep::kNone);
    ASSERT_TRUE(sim_.Open().ok());
    const Rows rows = sim_.Read();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows.begin()->second.at("measure_value::double"), "3");
  }
}

TEST_F(EngineTest, TellsWhatTheLogBrought) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_EQ(sim_.WriteOne(Single(kNow + 1, 2)), Verdict::kNew);
  EXPECT_EQ(sim_.WriteOne(Single(kNow + 2, 3)), Verdict::kNew);
  sim_.Crash(Keep::kNone);
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.engine().stats().replayed_rows, 2U);
  EXPECT_GT(sim_.engine().stats().replayed_bytes, 0U);
  Reopen();
  EXPECT_EQ(sim_.engine().stats().replayed_rows, 0U);
}

TEST_F(EngineTest, RunsAndMergesKeepEveryRow) {
  sim_.Close();
  sim_.options.buffer_rows_max = 64;
  sim_.options.piece_rows_min = 32;
  ASSERT_TRUE(sim_.Open().ok());
  Rows expected;
  for (int round = 0; round < 40; ++round) {
    std::vector<TestRecord> records;
    for (int i = 0; i < 30; ++i) {
      TestRecord record = i % 3 == 0 ? Multi(kNow - (round * 7 + i) * kNsPerMinute, i, round + 1)
                                     : Single(kNow + round * 100 + i, i, 1, "h" + std::to_string(i % 4));
      records.push_back(record);
      expected[testing::KeyOf(record)] = testing::ValuesOf(record);
    }
    const auto results = sim_.Write(records);
    ASSERT_TRUE(results.ok());
    for (const auto& result : *results) EXPECT_TRUE(IsAccepted(result.verdict));
    ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
    if (round % 3 == 2) {
      ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    }
  }
  EXPECT_EQ(sim_.Read(), expected);
  EXPECT_GT(sim_.engine().stats().merge_count, 0U);
  Reopen();
  EXPECT_EQ(sim_.Read(), expected);
}

TEST_F(EngineTest, WithoutRunsFullBuffersWaitForACheckpoint) {
  for (const bool encode_runs : {true, false}) {
    SimEngine sim(2);
    sim.options.buffer_rows_max = 64;
    sim.options.encode_runs = encode_runs;
    ASSERT_TRUE(sim.Open().ok());
    ASSERT_TRUE(sim.Create().ok());
    Rows expected;
    for (int i = 0; i < 300; ++i) {
      const TestRecord record = Single(kNow - i * kNsPerSecond, i, 1, "h" + std::to_string(i % 50));
      EXPECT_EQ(sim.WriteOne(record), Verdict::kNew);
      expected[testing::KeyOf(record)] = testing::ValuesOf(record);
    }
    const std::uint64_t bytes = sim.engine().stats().hot_bytes;
    ASSERT_TRUE(sim.engine().RunMaintenance().ok());
    EXPECT_EQ(sim.engine().stats().hot_bytes == bytes, !encode_runs);
    EXPECT_EQ(sim.Read(), expected);
    ASSERT_TRUE(sim.engine().Checkpoint().ok());
    EXPECT_EQ(sim.Read(), expected);
  }
}

// 8,192 measure names and 1,024 attributes cost what they hold.
TEST_F(EngineTest, ManyMeasureNamesAndAttributesStaySmall) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 8192; ++i) {
    TestRecord record = Single(kNow, i);
    record.measure_name = "measure" + std::to_string(i);
    records.push_back(record);
    if (records.size() == 100 || i == 8191) {
      ASSERT_TRUE(sim_.Write(records).ok());
      records.clear();
    }
  }
  TestRecord one_more = Single(kNow, 1);
  one_more.measure_name = "too many";
  EXPECT_EQ(sim_.WriteOne(one_more), Verdict::kMeasureNameLimit);
  EXPECT_LT(sim_.engine().stats().hot_bytes, 64U << 20);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_LT(sim_.engine().stats().segment_bytes, 4U << 20);
  EXPECT_EQ(sim_.Read().size(), 8192U);
}

TEST_F(EngineTest, ThousandSparseAttributes) {
  std::vector<TestRecord> records;
  Rows expected;
  for (int i = 0; i < 2000; ++i) {
    TestRecord record{.dimensions = {{"host", "a"}}, .measure_name = "m", .time_ns = kNow + i};
    for (int j = 0; j < 4; ++j) {
      record.measures.emplace_back("a" + std::to_string((i * 4 + j) % 1024), 1.0 * i);
    }
    expected[testing::KeyOf(record)] = testing::ValuesOf(record);
    records.push_back(record);
    if (records.size() < 100) continue;
    const auto written = sim_.Write(records);
    ASSERT_TRUE(written.ok()) << written.status();
    records.clear();
  }
  TestRecord more{.dimensions = {}, .measure_name = "m", .measures = {{"new", 1.0}, {"a1", 1.0}}, .time_ns = kNow};
  EXPECT_EQ(sim_.WriteOne(more), Verdict::kAttributeLimit);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_LT(sim_.engine().stats().segment_bytes, 1U << 20);
  EXPECT_EQ(sim_.Read(), expected);
}

TEST_F(EngineTest, DictionariesAreSharedWithinAScan) {
  ASSERT_TRUE(sim_.Write({Single(kNow, 1, 1, "a"), Single(kNow, 1, 1, "b")}).ok());
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  ASSERT_TRUE(sim_.Write({Single(kNow, 1, 1, "c"), Single(kNow, 1, 1, "d")}).ok());
  auto snapshot = sim_.engine().OpenSnapshot("db", "t");
  ASSERT_TRUE(snapshot.ok());
  const ColumnId host = snapshot->schema().FindColumn("host")->id;
  auto scan = snapshot->Scan({.columns = {host, catalog::kMeasureNameColumn}});
  ASSERT_TRUE(scan.ok());
  ASSERT_EQ((*scan)->morsel_count(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    auto morsel = (*scan)->OpenMorsel(i);
    ScanBatch batch;
    ASSERT_TRUE(*(*morsel)->Next(&batch));
    EXPECT_EQ(batch.batch.columns[0].dictionary_base(), (*scan)->Dictionary(host));
  }
  EXPECT_EQ((*scan)->statistics().rows, 4U);
}

TEST_F(EngineTest, ADimensionOfOneSeriesIsConstant) {
  ASSERT_TRUE(sim_.Write({Single(kNow, 1, 1, "a"), Single(kNow + 1, 1, 1, "a")}).ok());
  for (int tier = 0; tier < 2; ++tier) {
    auto snapshot = sim_.engine().OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    auto scan = snapshot->Scan({.columns = {snapshot->schema().FindColumn("host")->id}});
    ASSERT_TRUE(scan.ok());
    auto morsel = (*scan)->OpenMorsel(0);
    ScanBatch batch;
    ASSERT_TRUE(*(*morsel)->Next(&batch));
    ASSERT_EQ(batch.row_count(), 2U);
    EXPECT_TRUE(batch.batch.columns[0].is_constant());
    EXPECT_EQ(batch.batch.columns[0].GetValue(1), Value::Varchar("a"));
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  }
}

TEST_F(EngineTest, LongBatchesEndWithTheirMeasure) {
  std::vector<TestRecord> records;
  for (const char* name : {"a", "b", "c", "d"}) {
    const int rows = name[0] < 'c' ? 300 : 20;  // short ones share a batch
    for (int i = 0; i < rows; ++i) {
      TestRecord record = Single(kNow + i, 1, 1, "h");
      record.measure_name = name;
      records.push_back(std::move(record));
    }
  }
  ASSERT_TRUE(sim_.Write(records).ok());
  for (int tier = 0; tier < 2; ++tier) {
    auto snapshot = sim_.engine().OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    for (const bool looks : {true, false}) {
      const ColumnId column = looks ? catalog::kMeasureNameColumn : catalog::kTimeColumn;
      auto scan = snapshot->Scan({.columns = {column}});
      ASSERT_TRUE(scan.ok());
      ASSERT_EQ((*scan)->morsel_count(), 1U);
      auto morsel = (*scan)->OpenMorsel(0);
      std::vector<std::size_t> batches;
      ScanBatch batch;
      while (*(*morsel)->Next(&batch)) {
        batches.push_back(batch.row_count());
        if (tier == 1) {
          EXPECT_EQ(batch.batch.columns[0].is_constant(), looks && batch.row_count() == 300);
        }
      }
      // Rows that are not in files yet lie apart by measure anyway.
      std::vector<std::size_t> expected{300, 300, 20, 20};
      if (tier == 1 && looks) expected = {300, 300, 40};
      if (tier == 1 && !looks) expected = {640};
      EXPECT_EQ(batches, expected);
    }
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  }
}

TEST_F(EngineTest, GatesAreNamed) {
  sim_.Close();
  sim_.options.hot_bytes_max = 1;
  ASSERT_TRUE(sim_.Open().ok());
  ASSERT_TRUE(sim_.Write({Single(kNow, 1)}).ok());
  const auto refused = sim_.Write({Single(kNow + 1, 1)});
  EXPECT_EQ(CodeOf(refused.status()), ErrorCode::kResourceExhausted);
  EXPECT_NE(MessageOf(refused.status()).find("hot_bytes_max"), std::string_view::npos);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_TRUE(sim_.Write({Single(kNow + 1, 1)}).ok());
}

TEST_F(EngineTest, EveryFileCanBeInspected) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 2, 2)), Verdict::kReplaced);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  std::string all;
  for (const std::string& path : sim_.disk.Paths()) {
    if (path.find("LOCK") != std::string::npos || path.ends_with(".tmp")) continue;
    const auto text = InspectFile(sim_.disk, path);
    ASSERT_TRUE(text.ok()) << path << ": " << text.status();
    all += *text;
  }
  for (const char* part : {"manifest 3", "dead rows", "series file", "row of series 0", "stripe 0"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << " in\n" << all;
  }
}

TEST_F(EngineTest, InspectTellsStrangersFromDamage) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  for (const std::string& path : sim_.disk.Paths()) {
    if (path.find("LOCK") != std::string::npos || path.ends_with(".tmp")) continue;
    // Its first bytes, and then those of its header.
    for (const std::uint64_t bit : {3U, 8U * 20U}) {
      ASSERT_TRUE(sim_.disk.FlipBit(path, bit).ok());
      const Status status = InspectFile(sim_.disk, path).status();
      EXPECT_EQ(CodeOf(status), ErrorCode::kDataLoss) << path << ": " << status;
      EXPECT_EQ(MessageOf(status).find(path), std::string_view::npos) << status;
      ASSERT_TRUE(sim_.disk.FlipBit(path, bit).ok());
    }
  }
  for (const char* text : {"", "time,v\n", "TIDLSEG"}) {
    auto file = sim_.disk.Open("/stranger.csv", fs::OpenMode::kCreateNew);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->WriteAt(0, std::as_bytes(std::span(std::string_view(text)))).ok());
    file->reset();
    const Status status = InspectFile(sim_.disk, "/stranger.csv").status();
    EXPECT_EQ(CodeOf(status), ErrorCode::kInvalidArgument) << status;
    ASSERT_TRUE(sim_.disk.Remove("/stranger.csv").ok());
  }
}

// Damage is an error that names the file, never an empty answer.
TEST_F(EngineTest, DamagedFilesAreErrors) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  sim_.Close();
  for (const std::string& path : sim_.disk.Paths()) {
    const bool is_series = path.find("/series/") != std::string::npos;
    if (!is_series && path.find("/segments/") == std::string::npos) continue;
    const std::uint64_t bit = sim_.disk.Contents(path).size() / 2 * 8;
    ASSERT_TRUE(sim_.disk.FlipBit(path, bit).ok());
    const Status opened = sim_.Open();
    if (is_series) {
      EXPECT_EQ(CodeOf(opened), ErrorCode::kDataLoss) << opened;
    } else {
      ASSERT_TRUE(opened.ok()) << opened;
      auto snapshot = sim_.engine().OpenSnapshot("db", "t");
      ASSERT_TRUE(snapshot.ok());
      const auto scan = snapshot->Scan({.columns = {catalog::kTimeColumn}});
      Status status = scan.status();
      for (std::size_t i = 0; status.ok() && i < (*scan)->morsel_count(); ++i) {
        auto morsel = (*scan)->OpenMorsel(i);
        ScanBatch batch;
        status = morsel.ok() ? (*morsel)->Next(&batch).status() : morsel.status();
      }
      EXPECT_EQ(CodeOf(status), ErrorCode::kDataLoss) << path << status;
    }
    sim_.Close();
    ASSERT_TRUE(sim_.disk.FlipBit(path, bit).ok());
  }
}

// The newest manifest is damaged: the one before still has its files and its log.
TEST_F(EngineTest, FallsBackToTheManifestBefore) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sim_.WriteOne(Single(kNow + i, i)), Verdict::kNew);
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    EXPECT_EQ(sim_.WriteOne(Single(kNow + i, i + 10, 2)), Verdict::kReplaced);
  }
  const Rows rows = sim_.Read();
  sim_.Close();
  std::string newest;
  for (const std::string& path : sim_.disk.Paths()) {
    if (path.find("/manifest/") != std::string::npos) newest = path;
  }
  ASSERT_TRUE(sim_.disk.FlipBit(newest, 800).ok());
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.Read(), rows);
  EXPECT_EQ(sim_.WriteOne(Single(kNow + 5, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  Reopen();
  EXPECT_EQ(sim_.Read().size(), rows.size() + 1);
  // Neither the damaged one nor those before it stay.
  sim_.Close();
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_LE(CountFiles(sim_, "/manifest/"), 2U);
}

// A refused record between two must not make the second pass for a repetition of the first.
TEST_F(EngineTest, RecordWithoutDimensionsAfterARefusedOneIsItsOwnSeries) {
  TestRecord refused = Single(kNow + 1, 1);
  refused.measures = {{"", std::int64_t{1}}};
  TestRecord bare = Single(kNow + 2, 3);
  bare.dimensions = {};
  const auto results = sim_.Write({Single(kNow, 1), refused, bare});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[1].verdict, Verdict::kMeasureTypeConflict);
  EXPECT_EQ((*results)[2].verdict, Verdict::kNew);
  const Rows rows = sim_.Read();
  EXPECT_EQ(rows.size(), 2U);
  EXPECT_TRUE(rows.contains(testing::KeyOf(bare)));
}

/// Calls out whenever the time is asked for: a way into the middle of a checkpoint.
class CallingClock final : public Clock {
 public:
  explicit CallingClock(const Clock& clock) : clock_(clock) {}
  TimestampNs WallNow() const override {
    if (on_wall) std::exchange(on_wall, {})();
    return clock_.WallNow();
  }
  SteadyNs SteadyNow() const override { return clock_.SteadyNow(); }
  mutable std::function<void()> on_wall{};

 private:
  const Clock& clock_;
};

TEST_F(EngineTest, DimensionDefinedDuringACheckpointSurvives) {
  CallingClock clock(sim_.clock);
  sim_.Close();
  sim_.options.clock = &clock;
  ASSERT_TRUE(sim_.Open().ok());
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  TestRecord wider = Single(kNow + 1, 2);
  wider.dimensions.emplace_back("rack", "r1");
  wider.measure_name = "another";
  bool called = false;
  clock.on_wall = [&] {
    called = true;
    EXPECT_EQ(sim_.WriteOne(wider), Verdict::kNew);
  };
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  ASSERT_TRUE(called);
  const Rows rows = sim_.Read();
  for (int pass = 0; pass < 2; ++pass) {
    sim_.Crash(Keep::kNone);
    const Status opened = sim_.Open();
    ASSERT_TRUE(opened.ok()) << opened;
    EXPECT_EQ(sim_.Read(), rows);
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  }
  sim_.Close();
}

// With interval sync a merge leaves a row out only once its replacement cannot be lost.
TEST_F(EngineTest, MergeWaitsForTheReplacementToBeSynced) {
  sim_.Close();
  sim_.options.sync_interval_ns = kNsPerHour;
  sim_.options.checkpoint_age_ns = 1000 * kNsPerDay;
  ASSERT_TRUE(sim_.Open().ok());
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(sim_.WriteOne(Single(kNow + i, i)), Verdict::kNew);
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  }
  for (int i = 0; i < 12; ++i) EXPECT_EQ(sim_.WriteOne(Single(kNow + i, 100, 2)), Verdict::kReplaced);
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(sim_.engine().stats().merge_count, 1U);
  sim_.Crash(Keep::kNone);
  const Status opened = sim_.Open();
  ASSERT_TRUE(opened.ok()) << opened;
  EXPECT_EQ(sim_.Read().size(), 12U);
}

// The disk is full at each call of a checkpoint in turn: no file stays without an owner, and none that a later
// manifest goes on naming is removed.
TEST_F(EngineTest, FullDiskDuringACheckpointLeavesNothingAndLosesNothing) {
  int failures = 0;
  for (std::uint64_t call = 1; call <= 40; ++call) {
    SCOPED_TRACE(call);
    SimEngine sim(call);
    sim.options.checkpoint_age_ns = 1000 * kNsPerDay;
    // Where a sync fails nothing is known any more and the process ends.
    bool fatal = false;
    sim.options.on_fatal = [&fatal](const Status&) { fatal = true; };
    ASSERT_TRUE(sim.Open().ok());
    ASSERT_TRUE(sim.Create({.retention = {.memory_hours = 1, .magnetic_days = 1}}).ok());
    ASSERT_TRUE(sim.engine().CreateTable("db", "u", {}).ok());
    const std::vector<TestRecord> records{Single(kNow, 1)};
    ASSERT_TRUE(sim.engine().WriteAndWait(testing::TestBatch(records).View("db", "u")).ok());
    // Two windows, to expire one after the other.
    EXPECT_EQ(sim.WriteOne(Single(kNow - 12 * kNsPerHour, 1)), Verdict::kNew);
    ASSERT_TRUE(sim.engine().Checkpoint().ok());
    EXPECT_EQ(sim.WriteOne(Single(kNow, 1)), Verdict::kNew);
    ASSERT_TRUE(sim.engine().Checkpoint().ok());
    EXPECT_EQ(sim.WriteOne(Single(kNow + 1, 1, 1, "b")), Verdict::kNew);
    ASSERT_TRUE(sim.engine().DeleteTable("db", "u").ok());
    const std::size_t segments = CountFiles(sim, "/segments/");
    const std::size_t series = CountFiles(sim, "/series/");
    sim.disk.FailCall(call, tideline::testing::Fault::kNoSpace);
    const Status checkpoint = sim.engine().Checkpoint();
    sim.disk.ClearFaults();
    if (!checkpoint.ok() && !fatal) {
      ++failures;
      EXPECT_EQ(CountFiles(sim, "/segments/"), segments);
      EXPECT_EQ(CountFiles(sim, "/series/"), series);
    }
    for (int i = 0; i < 2 && !fatal; ++i) {
      sim.clock.Advance(14 * kNsPerHour);
      const Status maintained = sim.engine().RunMaintenance();
      ASSERT_TRUE(maintained.ok()) << maintained << " after " << checkpoint;
    }
    sim.Crash(Keep::kNone);
    const Status opened = sim.Open();
    ASSERT_TRUE(opened.ok()) << opened;
    EXPECT_EQ(sim.engine().catalog().FindTable("db", "u"), nullptr);
  }
  EXPECT_GT(failures, 8);
}

// Data without a manifest is a directory restored in part, not a new one.
TEST_F(EngineTest, MissingManifestsAreAnError) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  sim_.Close();
  for (const std::string& path : sim_.disk.Paths()) {
    if (path.find("/manifest/") == std::string::npos) continue;
    ASSERT_TRUE(sim_.disk.Remove(path).ok());
  }
  const std::size_t segments = CountFiles(sim_, "/segments/");
  EXPECT_EQ(CodeOf(sim_.Open()), ErrorCode::kDataLoss);
  EXPECT_EQ(CountFiles(sim_, "/segments/"), segments);
  EXPECT_GT(segments, 0U);
}

TEST_F(EngineTest, SnapshotOfADeletedTableKeepsItsFiles) {
  EXPECT_EQ(sim_.WriteOne(Single(kNow, 1)), Verdict::kNew);
  ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  {
    auto snapshot = sim_.engine().OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    ASSERT_TRUE(sim_.engine().DeleteTable("db", "t").ok());
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(sim_.engine().Tag("db", "", {{"k", std::to_string(i)}}).ok());
      ASSERT_TRUE(sim_.engine().Checkpoint().ok());
    }
    EXPECT_EQ(testing::ReadRows(*snapshot).size(), 1U);
  }
  ASSERT_TRUE(sim_.engine().RunMaintenance().ok());
  EXPECT_EQ(CountFiles(sim_, "/segments/"), 0U);
}

TEST(WindowPlan, KeepsWindowsFew) {
  WindowPlan plan;
  std::vector<std::int64_t> times;
  for (int hour = 0; hour < 3000; ++hour) {
    for (int i = 0; i < 4; ++i) times.push_back(kNow + hour * kNsPerHour + i);
  }
  plan.Count(times);
  plan.Decide(2);
  std::set<Window> windows;
  for (const std::int64_t time : times) windows.insert(plan.Find(time));
  EXPECT_LE(windows.size(), kWindowsMax);
  EXPECT_GT(windows.size(), 8U);
}

TEST(WindowPlan, TakesTheExtremesOfTime) {
  WindowPlan plan;
  const std::vector<std::int64_t> times{INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX};
  plan.Count(times);
  plan.Decide(100);
  for (const std::int64_t time : times) EXPECT_LE(plan.Find(time).start_ns, time);
}

}  // namespace
}  // namespace tideline::engine
