// Short ways through a scan against the long way: rows at the ends of series, filters before the rest
// of a row is read. Random tables in buffers, runs and files, with replaced rows, gaps, NULLs and NaN.
#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "storage/engine/engine_test_support.h"

namespace tideline::engine {
namespace {

using testing::KeyOf;
using testing::ReadRows;
using testing::Rows;
using testing::SimEngine;
using testing::TestRecord;

constexpr std::int64_t kNow = SimEngine::kNow;
constexpr std::int64_t kMinute = 60'000'000'000;

class RandomTable {
 public:
  explicit RandomTable(std::uint64_t seed) : random_(seed), sim_(seed) {}

  void Fill() {
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_TRUE(sim_.Create({.retention = {.memory_hours = 24 * 400}}).ok());
    std::int64_t version = 1;
    for (int round = 0; round < 6; ++round) {
      std::vector<TestRecord> records;
      for (int i = 0; i < 150; ++i) {
        TestRecord record = RandomRecord(round);
        record.version = ++version;
        records.push_back(std::move(record));
      }
      ASSERT_TRUE(sim_.Write(records).ok());
      if (random_.Below(3) != 0) {
        ASSERT_TRUE(sim_.engine().Checkpoint().ok());
      }
    }
  }

  std::vector<TimeRange> RandomTimes() {
    std::vector<TimeRange> times;
    for (std::uint64_t i = 0, count = random_.Below(3); i < count; ++i) {
      const std::int64_t first = kNow - static_cast<std::int64_t>(random_.Below(3'000)) * kMinute;
      times.push_back({first, first + static_cast<std::int64_t>(random_.Below(2'000)) * kMinute});
    }
    return times;
  }
  std::vector<SeriesPredicate> RandomSeries(const Snapshot& snapshot) {
    if (random_.Below(2) == 0) return {};
    return {{.column = snapshot.schema().FindColumn("host")->id, .values = {"a", "c", "gone"}}};
  }

  SimEngine& sim() { return sim_; }
  Random& random() { return random_; }

 private:
  TestRecord RandomRecord(int round) {
    TestRecord record;
    record.dimensions = {{"host", std::string(1, static_cast<char>('a' + random_.Below(5)))}};
    record.measure_name = random_.Below(2) == 0 ? "m" : "n";
    // Mostly later than what came before, sometimes much earlier, sometimes the same key again.
    const std::int64_t minutes = random_.Below(6) == 0
                                     ? static_cast<std::int64_t>(random_.Below(3'000))
                                     : 3'000 - round * 480 - static_cast<std::int64_t>(random_.Below(480));
    record.time_ns = kNow - minutes * kMinute;
    record.measures.emplace_back("x", static_cast<double>(random_.Below(100)));
    if (random_.Below(3) != 0) record.measures.emplace_back("y", std::int64_t{static_cast<int>(random_.Below(9))});
    if (random_.Below(4) == 0) record.measures.emplace_back("s", std::string("text ") + std::to_string(random_.Below(4)));
    if (random_.Below(20) == 0) record.measures[0].second = std::nan("");
    return record;
  }

  Random random_;
  SimEngine sim_;
};

// The newest or oldest row of each series among `rows`.
Rows EndsOf(const Rows& rows, bool newest, bool oldest) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> bounds;
  for (const auto& [key, values] : rows) {
    auto& [low, high] = bounds.try_emplace(key.first, key.second, key.second).first->second;
    low = std::min(low, key.second);
    high = std::max(high, key.second);
  }
  Rows ends;
  for (const auto& [key, values] : rows) {
    const auto& [low, high] = bounds.at(key.first);
    if ((newest && key.second == high) || (oldest && key.second == low)) ends.emplace(key, values);
  }
  return ends;
}

TEST(ScanPathsTest, EndsOfSeriesComeWhateverIsLeftOut) {
  std::size_t left_out = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    RandomTable table(seed);
    table.Fill();
    const auto snapshot = table.sim().engine().OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    for (int i = 0; i < 20; ++i) {
      const ScanRequest all{.times = table.RandomTimes(), .series = table.RandomSeries(*snapshot)};
      const Rows rows = ReadRows(*snapshot, all);
      for (const auto& [newest, oldest] : {std::pair{true, false}, std::pair{false, true}, std::pair{true, true}}) {
        ScanRequest request = all;
        request.newest_only = newest;
        request.oldest_only = oldest;
        const Rows few = ReadRows(*snapshot, request);
        for (const auto& [key, values] : EndsOf(rows, newest, oldest)) {
          const auto found = few.find(key);
          ASSERT_NE(found, few.end()) << "seed " << seed << ": " << key.first << " at " << key.second;
          EXPECT_EQ(found->second, values);
        }
        // What comes besides is real.
        for (const auto& [key, values] : few) {
          ASSERT_TRUE(rows.contains(key)) << "seed " << seed << ": " << key.first << " at " << key.second;
          EXPECT_EQ(rows.at(key), values);
        }
        left_out += rows.size() - few.size();
      }
    }
  }
  EXPECT_GT(left_out, 10'000U);
}

// Keeps rows whose x is at least `least` and whose host is not "b"; NULL and NaN do not pass.
class TestFilter final : public RowFilter {
 public:
  explicit TestFilter(double least) : least_(least) {}
  Status Select(const Batch& batch, std::vector<std::uint32_t>* passed) override {
    const Reader<double> x(batch.columns[0]);
    const Reader<StringRef> host(batch.columns[1]);
    for (std::uint32_t row = 0; row < batch.row_count; ++row) {
      if (x.IsNull(row) || !(x[row] >= least_) || host[row].view() == "b") continue;
      passed->push_back(row);
    }
    return OkStatus();
  }

 private:
  const double least_;
};

TEST(ScanPathsTest, FiltersLeaveExactlyWhatPasses) {
  for (std::uint64_t seed = 101; seed <= 112; ++seed) {
    RandomTable table(seed);
    table.Fill();
    const auto snapshot = table.sim().engine().OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    for (const double least : {0.0, 50.0, 97.0, 1000.0}) {
      ScanRequest request{.times = table.RandomTimes(), .series = table.RandomSeries(*snapshot)};
      Rows expected;
      for (const auto& [key, values] : ReadRows(*snapshot, request)) {
        const double x = std::stod(values.at("x"));
        if (x >= least && !key.first.starts_with("host=b")) expected.emplace(key, values);
      }
      request.filter_columns = {snapshot->schema().FindColumn("x")->id,
                                snapshot->schema().FindColumn("host")->id};
      TestFilter filter(least);
      EXPECT_EQ(ReadRows(*snapshot, request, &filter), expected) << "seed " << seed;
    }
  }
}

TEST(ScanPathsTest, WhatAFilterReadsIsCountedOnce) {
  SimEngine sim(6);
  ASSERT_TRUE(sim.Open().ok());
  ASSERT_TRUE(sim.Create({.retention = {.memory_hours = 24}}).ok());
  std::vector<TestRecord> records;
  for (int i = 0; i < 50; ++i) {
    records.push_back({.dimensions = {{"host", "a"}}, .measure_name = "m",
                       .measures = {{"x", 0.37 * i * i}}, .time_ns = kNow - i * kMinute});
  }
  ASSERT_TRUE(sim.Write(records).ok());
  ASSERT_TRUE(sim.engine().Checkpoint().ok());
  const auto snapshot = sim.engine().OpenSnapshot("db", "t");
  ASSERT_TRUE(snapshot.ok());
  const ColumnId x = snapshot->schema().FindColumn("x")->id;
  const ColumnId host = snapshot->schema().FindColumn("host")->id;
  std::vector<std::uint64_t> bytes;
  for (const std::vector<ColumnId>& columns : {std::vector<ColumnId>{host}, std::vector<ColumnId>{x}}) {
    const auto scan = snapshot->Scan({.columns = columns, .filter_columns = {x, host}});
    ASSERT_TRUE(scan.ok());
    TestFilter filter(100.0);
    std::size_t rows = 0;
    for (std::size_t i = 0; i < (*scan)->morsel_count(); ++i) {
      const auto morsel = (*scan)->OpenMorsel(i, {.filter = &filter});
      ASSERT_TRUE(morsel.ok());
      ScanBatch batch;
      while (*(*morsel)->Next(&batch)) rows += batch.row_count();
    }
    EXPECT_EQ(rows, 33U);  // 0.37 * 17 * 17 is the first above
    bytes.push_back((*scan)->statistics().bytes_scanned);
  }
  EXPECT_GT(bytes[0], 0U);
  EXPECT_EQ(bytes[0], bytes[1]);
}

constexpr std::int64_t kHour = 60 * kMinute;

// (dimensions and measure, step of time) to what aggregates find there of column y.
struct Found {
  std::uint64_t rows = 0;
  std::uint64_t count = 0;
  std::int64_t sum = 0;
  std::int64_t least = INT64_MAX;
  std::int64_t most = INT64_MIN;
  bool operator==(const Found&) const = default;
};
using FoundBySeries = std::map<std::pair<std::string, std::int64_t>, Found>;

FoundBySeries FindInRows(const Rows& rows, std::int64_t step_ns) {
  FoundBySeries found;
  for (const auto& [key, values] : rows) {
    Found& one = found[{key.first, key.second / step_ns}];
    ++one.rows;
    const auto at = values.find("y");
    if (at == values.end()) continue;
    const std::int64_t y = std::stoll(at->second);
    ++one.count;
    one.sum += y;
    one.least = std::min(one.least, y);
    one.most = std::max(one.most, y);
  }
  return found;
}

// The same from a scan that may deliver steps for times and, if `summarize`, runs for rows.
FoundBySeries FindInScan(const Snapshot& snapshot, ScanRequest request, std::int64_t step_ns, bool summarize,
                         std::size_t* summaries) {
  FoundBySeries found;
  const auto& schema = snapshot.schema();
  request.columns = {schema.FindColumn("host")->id, catalog::kMeasureNameColumn, catalog::kTimeColumn,
                     schema.FindColumn("y")->id};
  request.time_step_ns = step_ns;
  const auto scan = snapshot.Scan(request);
  EXPECT_TRUE(scan.ok()) << scan.status();
  const std::vector<std::size_t> positions = {3};
  for (std::size_t m = 0; m < (*scan)->morsel_count(); ++m) {
    const auto morsel = (*scan)->OpenMorsel(m, {.summarized = summarize ? &positions : nullptr});
    EXPECT_TRUE(morsel.ok()) << morsel.status();
    ScanBatch batch;
    while (*(*morsel)->Next(&batch)) {
      const BatchSummaries* whole = batch.batch.summaries;
      *summaries += whole != nullptr ? 1 : 0;
      const std::vector<Vector>& columns = batch.batch.columns;
      for (std::size_t row = 0; row < batch.row_count(); ++row) {
        const std::string key = "host=" + columns[0].GetValue(row).text() + ",|" + columns[1].GetValue(row).text();
        Found& one = found[{key, columns[2].GetValue(row).integer() / step_ns}];
        RunSummary summary;
        if (whole != nullptr) {
          one.rows += whole->row_counts[row];
          summary = whole->columns[3][row];
        } else {
          ++one.rows;
          const Value y = columns[3].GetValue(row);
          if (!y.is_null()) {
            const auto bits = static_cast<std::uint64_t>(y.integer());
            summary = {1, bits, bits, bits};
          }
        }
        if (summary.count == 0) continue;
        one.count += summary.count;
        one.sum += summary.SumAs<std::int64_t>();
        one.least = std::min(one.least, summary.LeastAs<std::int64_t>());
        one.most = std::max(one.most, summary.MostAs<std::int64_t>());
      }
    }
  }
  return found;
}

TEST(ScanPathsTest, StepsAndSummariesAddUpToTheRows) {
  std::size_t summaries = 0;
  for (std::uint64_t seed = 201; seed <= 212; ++seed) {
    RandomTable table(seed);
    table.Fill();
    const auto snapshot = table.sim().engine().OpenSnapshot("db", "t");
    ASSERT_TRUE(snapshot.ok());
    for (int i = 0; i < 20; ++i) {
      const ScanRequest request{.times = table.RandomTimes(), .series = table.RandomSeries(*snapshot)};
      const FoundBySeries expected = FindInRows(ReadRows(*snapshot, request), kHour);
      std::size_t none = 0;
      EXPECT_EQ(FindInScan(*snapshot, request, kHour, false, &none), expected) << "seed " << seed;
      EXPECT_EQ(none, 0U);
      EXPECT_EQ(FindInScan(*snapshot, request, kHour, true, &summaries), expected) << "seed " << seed;
    }
  }
}

// Dense series: two segments, each of a window of six hours.
class DenseTable {
 public:
  static constexpr std::int64_t kWindow = 6 * kHour;
  static constexpr int kMinutes = 12 * 60;
  DenseTable() : sim_(7) {}
  void Fill() {
    ASSERT_TRUE(sim_.Open().ok());
    ASSERT_TRUE(sim_.Create({.retention = {.memory_hours = 24 * 400}}).ok());
    for (int part = 0; part < 4; ++part) {
      std::vector<TestRecord> records;
      for (int minute = part * kMinutes / 4; minute < (part + 1) * kMinutes / 4; ++minute) {
        for (int host = 0; host < 40; ++host) records.push_back(Record(host, minute, 1, host + minute));
      }
      for (std::size_t first = 0; first < records.size(); first += 400) {
        ASSERT_TRUE(sim_.Write({records.begin() + static_cast<std::ptrdiff_t>(first),
                                records.begin() + static_cast<std::ptrdiff_t>(std::min(first + 400, records.size()))})
                        .ok());
      }
    }
    ASSERT_TRUE(sim_.engine().Checkpoint().ok());
  }
  static TestRecord Record(int host, int minute, std::int64_t version, std::int64_t y) {
    return {.dimensions = {{"host", "h" + std::to_string(host)}},
            .measure_name = host % 2 == 0 ? "even" : "odd",
            .measures = {{"y", y}},
            .time_ns = kNow - 24 * kHour + minute * kMinute,
            .version = version};
  }
  SimEngine& sim() { return sim_; }

 private:
  SimEngine sim_;
};

TEST(ScanPathsTest, WholeRunsAreSummarizedUntilOneOfTheirRowsIsReplaced) {
  DenseTable table;
  table.Fill();
  const auto agree = [&](const ScanRequest& request) {
    const auto snapshot = table.sim().engine().OpenSnapshot("db", "t");
    EXPECT_TRUE(snapshot.ok());
    std::size_t summaries = 0;
    const FoundBySeries expected = FindInRows(ReadRows(*snapshot, request), DenseTable::kWindow);
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(FindInScan(*snapshot, request, DenseTable::kWindow, true, &summaries), expected);
    return summaries;
  };
  const std::size_t whole = agree({});
  EXPECT_GT(whole, 0U);
  // What begins within the first segment reads it row by row.
  const std::size_t inner = agree({.times = {{kNow - 23 * kHour, kNow}}});
  EXPECT_GT(inner, 0U);
  EXPECT_LT(inner, whole);
  // A replaced row, also of a minute that is summarized already, and the newest rows after it.
  ASSERT_TRUE(table.sim().Write({DenseTable::Record(3, 30, 2, 1'000'000)}).ok());
  EXPECT_LT(agree({}), whole);
  ASSERT_TRUE(table.sim().Write({DenseTable::Record(4, DenseTable::kMinutes - 1, 2, -5)}).ok());
  for (int again = 0; again < 2; ++again) {
    const auto snapshot = table.sim().engine().OpenSnapshot("db", "t");
    const Rows newest = ReadRows(*snapshot, {.newest_only = true});
    for (const auto& [key, values] : EndsOf(ReadRows(*snapshot), true, false)) {
      ASSERT_TRUE(newest.contains(key)) << key.first;
      EXPECT_EQ(newest.at(key), values);
    }
  }
}

TEST(ScanPathsTest, EndsAndFilterDoNotGoTogether) {
  RandomTable table(1);
  table.Fill();
  const auto snapshot = table.sim().engine().OpenSnapshot("db", "t");
  ASSERT_TRUE(snapshot.ok());
  ScanRequest request{.columns = {catalog::kTimeColumn}, .newest_only = true,
                      .filter_columns = {catalog::kTimeColumn}};
  EXPECT_EQ(CodeOf(snapshot->Scan(request).status()), ErrorCode::kInvalidArgument);
}

// Of many segments only the newest is opened for the newest rows.
TEST(ScanPathsTest, OldSegmentsAreNotLookedAt) {
  SimEngine sim(5);
  ASSERT_TRUE(sim.Open().ok());
  ASSERT_TRUE(sim.Create({.retention = {.memory_hours = 24 * 400}}).ok());
  for (int day = 20; day >= 0; --day) {
    std::vector<TestRecord> records;
    for (int host = 0; host < 4; ++host) {
      for (int i = 0; i < 10; ++i) {
        records.push_back({.dimensions = {{"host", std::to_string(host)}},
                           .measure_name = "m",
                           .measures = {{"x", static_cast<double>(i)}},
                           .time_ns = kNow - (day * 1'440 + 10 - i) * kMinute});
      }
    }
    ASSERT_TRUE(sim.Write(records).ok());
    ASSERT_TRUE(sim.engine().Checkpoint().ok());
  }
  const auto snapshot = sim.engine().OpenSnapshot("db", "t");
  ASSERT_TRUE(snapshot.ok());
  const auto scan = snapshot->Scan({.columns = {catalog::kTimeColumn}, .newest_only = true});
  ASSERT_TRUE(scan.ok());
  const ScanStatistics statistics = (*scan)->statistics();
  EXPECT_GT(statistics.segment_count, 5U);
  EXPECT_EQ(statistics.segments_pruned, statistics.segment_count - 1);
}

}  // namespace
}  // namespace tideline::engine
