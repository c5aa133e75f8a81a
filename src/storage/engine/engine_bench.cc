// Write and scan rates of the engine, without the API above it. Times include the log's compression; with
// a sync interval nobody waits for the disk.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "storage/engine/engine.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::engine {
namespace {

constexpr int kHosts = 1000;
constexpr int kMeasures = 10;
constexpr int kDimensions = 10;

class Database {
 public:
  explicit Database(std::int64_t sync_interval_ns) {
    SetLogLevel(LogLevel::kError);
    char path[] = "/tmp/tideline_engine_bench_XXXXXX";
    directory_ = mkdtemp(path);
    options_.data_dir = directory_;
    options_.file_system = &fs::PosixFileSystem();
    options_.sync_interval_ns = sync_interval_ns;
    options_.memory_bytes_max = std::size_t{8} << 30;
    Open();
    (void)engine_->CreateDatabase({.name = "db"});
    (void)engine_->CreateTable("db", "t", {});
    now_ = SystemClock().WallNow().value - kNsPerHour;
    for (int i = 0; i < kMeasures; ++i) names_.push_back("usage_" + std::to_string(i));
    for (int h = 0; h < kHosts; ++h) {
      for (int d = 0; d < kDimensions; ++d) {
        values_.push_back(d == 0 ? "host_" + std::to_string(h) : "value" + std::to_string(h % (d + 3)));
      }
    }
    for (int d = 0; d < kDimensions; ++d) dimension_names_.push_back("dimension" + std::to_string(d));
  }
  ~Database() {
    engine_ = nullptr;
    std::filesystem::remove_all(directory_);
  }
  void Open() { engine_ = *Engine::Open(options_); }
  void Close() { engine_ = nullptr; }
  Engine& engine() { return *engine_; }

  /// One batch of 100 records of ten doubles; hosts in turn, time one second a round.
  Status WriteBatchOf100(WriteCompletion* completion) {
    records_.clear();
    for (int i = 0; i < 100; ++i) {
      const int host = static_cast<int>(next_ % kHosts);
      RecordView& record = records_.emplace_back();
      auto& dimensions = dimensions_[i];
      auto& measures = measures_[i];
      dimensions.clear();
      measures.clear();
      for (int d = 0; d < kDimensions; ++d) {
        dimensions.push_back({dimension_names_[static_cast<std::size_t>(d)],
                              values_[static_cast<std::size_t>(host * kDimensions + d)]});
      }
      for (int m = 0; m < kMeasures; ++m) {
        measures.push_back(MeasureView::Double(static_cast<double>((next_ * 7 + static_cast<std::uint64_t>(m)) % 101),
                                               names_[static_cast<std::size_t>(m)]));
      }
      record.dimensions = dimensions;
      record.measure_name = "cpu";
      record.multi = true;
      record.measures = measures;
      record.time = TimestampNs{now_ + static_cast<std::int64_t>(next_ / kHosts) * kNsPerSecond};
      ++next_;
    }
    return engine_->Write({.database = "db", .table = "t", .records = records_}, completion);
  }

 private:
  std::string directory_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  std::int64_t now_ = 0;
  std::uint64_t next_ = 0;
  std::vector<std::string> names_;
  std::vector<std::string> values_;
  std::vector<std::string> dimension_names_;
  std::vector<RecordView> records_;
  std::vector<DimensionView> dimensions_[100];
  std::vector<MeasureView> measures_[100];
};

struct Count final : WriteCompletion {
  void OnWritten(const Status& status, std::span<const RecordResult> results) override {
    if (!status.ok()) failed.fetch_add(1);
    done.fetch_add(results.size());
  }
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> failed{0};
};

void BM_Write(benchmark::State& state) {
  Database database(state.range(0) == 0 ? 0 : kNsPerSecond);
  Count count;
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;
  for (auto _ : state) {
    for (;;) {
      const Status status = database.WriteBatchOf100(&count);
      if (status.ok()) break;
      if (CodeOf(status) != ErrorCode::kResourceExhausted) {
        state.SkipWithError(std::string(MessageOf(status)).c_str());
        return;
      }
      ++refused;
    }
    sent += 100;
  }
  (void)database.engine().Checkpoint();
  state.SetItemsProcessed(static_cast<std::int64_t>(sent));
  state.counters["refused"] = static_cast<double>(refused);
  state.counters["failed"] = static_cast<double>(count.failed.load());
}
BENCHMARK(BM_Write)->Arg(1)->Arg(0)->Unit(benchmark::kMicrosecond)->MinTime(3)->UseRealTime();

// Average of ten columns over all rows, from buffers (0) or files (1).
void BM_Scan(benchmark::State& state) {
  Database database(kNsPerSecond);
  Count count;
  const std::uint64_t rows = state.range(0) == 0 ? 60'000 : 1'000'000;
  for (std::uint64_t i = 0; i < rows; i += 100) {
    while (!database.WriteBatchOf100(&count).ok()) {
    }
  }
  if (state.range(0) != 0) (void)database.engine().Checkpoint();
  std::uint64_t scanned = 0;
  for (auto _ : state) {
    const Snapshot snapshot = *database.engine().OpenSnapshot("db", "t");
    ScanRequest request;
    for (const auto& column : snapshot.schema().values) request.columns.push_back(column.id);
    auto scan = *snapshot.Scan(request);
    double sum = 0;
    for (std::size_t i = 0; i < scan->morsel_count(); ++i) {
      auto morsel = *scan->OpenMorsel(i);
      ScanBatch batch;
      while (*morsel->Next(&batch)) {
        for (const Vector& vector : batch.batch.columns) {
          if (vector.is_constant()) continue;
          const double* values = vector.values<double>();
          for (std::size_t row = 0; row < vector.size(); ++row) sum += values[row];
        }
        scanned += batch.row_count();
      }
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(scanned));
}
BENCHMARK(BM_Scan)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

// Opening a directory of so many million stored rows, and the first query (all rows of one host).
void BM_OpenAndFirstQuery(benchmark::State& state) {
  Database database(kNsPerSecond);
  Count count;
  const std::uint64_t rows = static_cast<std::uint64_t>(state.range(0)) * 1'000'000;
  for (std::uint64_t i = 0; i < rows; i += 100) {
    while (!database.WriteBatchOf100(&count).ok()) {
    }
  }
  for (auto _ : state) {
    state.PauseTiming();
    database.Close();
    state.ResumeTiming();
    database.Open();
    const Snapshot snapshot = *database.engine().OpenSnapshot("db", "t");
    const ColumnId host = snapshot.schema().dimensions[0].id;
    auto scan = *snapshot.Scan({.columns = {snapshot.schema().values[0].id},
                                .series = {{.column = host, .values = {"host_7"}}}});
    for (std::size_t i = 0; i < scan->morsel_count(); ++i) {
      auto morsel = *scan->OpenMorsel(i);
      ScanBatch batch;
      while (*morsel->Next(&batch)) {
      }
    }
    state.counters["rows"] = static_cast<double>(scan->statistics().rows);
    state.counters["stored"] = static_cast<double>(snapshot.Totals().rows);
    state.counters["bytes_a_row"] = static_cast<double>(database.engine().stats().segment_bytes) /
                                    static_cast<double>(rows);
  }
}
BENCHMARK(BM_OpenAndFirstQuery)->Arg(1)->Arg(10)->Unit(benchmark::kMillisecond)->Iterations(3)->UseRealTime();

}  // namespace
}  // namespace tideline::engine
