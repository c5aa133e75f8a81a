// storage/engine/engine_test_support.h: records and rows as plain values, for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/engine/engine.h"
#include "tests/support/sim_file_system.h"

namespace tideline::engine::testing {

using TestValue = std::variant<std::int64_t, double, bool, std::string, TimestampNs>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// A record that owns its text. One measure named "" makes a single-measure record.
struct TestRecord {
  Pairs dimensions{};
  std::string measure_name{};
  std::vector<std::pair<std::string, TestValue>> measures{};
  std::int64_t time_ns = 0;
  std::int64_t version = 1;
};

/// Views over records, valid as long as they are.
class TestBatch {
 public:
  explicit TestBatch(const std::vector<TestRecord>& records);
  WriteBatch View(std::string_view database = "db", std::string_view table = "t") const {
    return {.database = database, .table = table, .records = views_};
  }

 private:
  std::vector<std::vector<DimensionView>> dimensions_;
  std::vector<std::vector<MeasureView>> measures_;
  std::vector<RecordView> views_;
};

/// (sorted dimensions and measure name, time) and (column name, text of value) of each visible row.
using RowKey = std::pair<std::string, std::int64_t>;
using RowValues = std::map<std::string, std::string>;
using Rows = std::map<RowKey, RowValues>;

RowKey KeyOf(const TestRecord& record);
RowValues ValuesOf(const TestRecord& record);
/// Every row of the snapshot; fails the test when one comes twice or runs are wrong.
Rows ReadRows(const Snapshot& snapshot, ScanRequest request = {}, RowFilter* filter = nullptr);

/// An engine on a simulated disk, without threads, at 2024-01-01.
class SimEngine {
 public:
  static constexpr std::int64_t kNow = 1'704'067'200'000'000'000;
  explicit SimEngine(std::uint64_t seed);
  ~SimEngine();
  Status Open();
  /// Ends the engine without a clean stop: what is not durable is lost as `keep` says.
  void Crash(tideline::testing::Keep keep);
  Engine& engine() { return *engine_; }
  bool is_open() const { return engine_ != nullptr; }
  /// Creates database "db" and table "t".
  Status Create(const catalog::TableProperties& properties = {});
  Result<std::vector<RecordResult>> Write(const std::vector<TestRecord>& records);
  Verdict WriteOne(const TestRecord& record);
  Rows Read(ScanRequest request = {});
  void Close() { engine_ = nullptr; }

  tideline::testing::SimFileSystem disk;
  ManualClock clock{TimestampNs{kNow}};
  EngineOptions options;

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace tideline::engine::testing
