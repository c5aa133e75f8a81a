// Many series in one table: memory each takes, ingest as their number grows, restart, and finding some of them.
//
//   tideline_series [series, default 1000000] [directory, default a new one under /tmp]
//
// Series have ten dimensions, one of them unique. The engine is driven directly (no wire), its log syncs every 100 ms,
// so that the figures are of the index and not of the disk. Every answer is checked.
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "storage/engine/engine.h"
#include "storage/fs/posix_file_system.h"

namespace {

using tideline::Result;
using tideline::Status;
using tideline::SystemClock;
using namespace tideline::engine;  // NOLINT: a program, not a header

constexpr std::size_t kDimensions = 10;
constexpr std::size_t kBatch = 1'000;
constexpr std::size_t kRowsAgain = 200'000;
/// Distinct values of the dimensions that are not unique.
constexpr std::size_t kValues[kDimensions] = {0, 10'000, 1'000, 500, 200, 100, 50, 20, 10, 4};

double Seconds() { return static_cast<double>(SystemClock().SteadyNow().value) / 1e9; }

// Of this thread or the whole process: on a machine that others use it says more than the clock.
double CpuSeconds(clockid_t whose) {
  timespec time{};
  clock_gettime(whose, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::size_t ResidentBytes() {
  malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  std::size_t resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

[[noreturn]] void Die(const Status& status) {
  fmt::print(stderr, "error: {}\n", tideline::MessageOf(status));
  std::exit(1);
}

// Waits for its batch; one at a time is enough, for the log does not wait.
class Gate final : public WriteCompletion {
 public:
  void OnWritten(const Status& status, std::span<const RecordResult> results) override {
    if (!status.ok()) Die(status);
    for (const RecordResult& result : results) {
      if (!IsAccepted(result.verdict)) Die(tideline::Internal("a record was refused"));
    }
  }
};

class Writer {
 public:
  Writer(Engine& engine, std::int64_t base_ns) : engine_(engine), base_ns_(base_ns) {
    for (std::size_t d = 0; d < kDimensions; ++d) names_[d] = "dimension_" + std::to_string(d);
  }

  // One row for each of series [first, last), later than all before.
  void Write(std::size_t first, std::size_t last) {
    const int round = round_++;
    for (std::size_t at = first; at < last; at += kBatch) {
      const std::size_t count = std::min(kBatch, last - at);
      values_.assign(count * kDimensions, {});
      dimensions_.assign(count * kDimensions, {});
      measures_.assign(count, MeasureView::Double(round));
      records_.clear();
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t series = at + i;
        for (std::size_t d = 0; d < kDimensions; ++d) {
          std::string& value = values_[i * kDimensions + d];
          value = d == 0 ? fmt::format("device-{:08}", series)
                         : fmt::format("value-{}-{}", d, series * 2'654'435'761U % kValues[d]);
          dimensions_[i * kDimensions + d] = {names_[d], value};
        }
        records_.push_back({.dimensions = {dimensions_.data() + i * kDimensions, kDimensions},
                            .measure_name = "m",
                            .measures = {measures_.data() + i, 1},
                            .time = {base_ns_ + round * tideline::kNsPerSecond}});
      }
      for (;;) {
        const Status status = engine_.Write({.database = "db", .table = "t", .records = records_}, &gate_);
        if (status.ok()) break;
        if (tideline::CodeOf(status) != tideline::ErrorCode::kResourceExhausted) Die(status);
        usleep(1'000);
      }
    }
  }

 private:
  Engine& engine_;
  const std::int64_t base_ns_;
  int round_ = 0;
  Gate gate_;
  std::string names_[kDimensions];
  std::vector<std::string> values_;
  std::vector<DimensionView> dimensions_;
  std::vector<MeasureView> measures_;
  std::vector<RecordView> records_;
};

void Resolve(Engine& engine, std::size_t series) {
  const Snapshot snapshot = *engine.OpenSnapshot("db", "t");
  const auto& dimensions = snapshot.schema().dimensions;
  const auto time = [&](std::size_t dimension, std::string value) {
    SeriesPredicate predicate;
    predicate.column = dimensions[dimension].id;
    predicate.values = {std::move(value)};
    std::vector<double> runs;
    std::uint64_t count = 0;
    for (int i = 0; i < 5; ++i) {
      const double begin = Seconds();
      const Result<std::uint64_t> found = snapshot.CountSeries({&predicate, 1});
      if (!found.ok()) Die(found.status());
      runs.push_back(Seconds() - begin);
      count = *found;
    }
    std::sort(runs.begin(), runs.end());
    fmt::print("  one value of {:>6}: {:>9} series in {:.3f} ms\n",
               dimension == 0 ? series : kValues[dimension], count, runs[2] * 1e3);
    return count;
  };
  if (time(0, fmt::format("device-{:08}", series / 2)) != 1) Die(tideline::Internal("a series is not found"));
  for (const std::size_t dimension : {1U, 5U, 9U}) time(dimension, fmt::format("value-{}-1", dimension));
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t series = 1'000'000;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::string_view(argv[1]).size(), series);
  std::string directory = argc > 2 ? argv[2] : "";
  char path[] = "/tmp/tideline_series_XXXXXX";
  if (directory.empty()) directory = mkdtemp(path);
  tideline::SetLogLevel(tideline::LogLevel::kError);
  EngineOptions options;
  options.data_dir = directory;
  options.file_system = &tideline::fs::PosixFileSystem();
  options.sync_interval_ns = 100 * tideline::kNsPerMs;
  options.series_bytes_max = std::size_t{64} << 30;
  options.cache_bytes_max = 1 << 20;
  auto opened = Engine::Open(options);
  if (!opened.ok()) Die(opened.status());
  std::unique_ptr<Engine> engine = *std::move(opened);
  if (const auto made = engine->CreateDatabase({.name = "db"}); !made.ok()) Die(made.status());
  if (const auto made = engine->CreateTable("db", "t", {}); !made.ok()) Die(made.status());
  const std::size_t empty_bytes = ResidentBytes();
  const std::int64_t base_ns = SystemClock().WallNow().value - 10 * tideline::kNsPerMinute;

  fmt::print("{} series of ten dimensions, one of them unique\n", series);
  Writer writer(*engine, base_ns);
  std::size_t done = 0;
  for (std::size_t goal = 10'000; done < series; goal *= 10) {
    const std::size_t until = std::min(goal, series);
    double begin = Seconds();
    double cpu_begin = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
    writer.Write(done, until);
    fmt::print("  first seen {:>9} to {:>9}: {:>9.0f} rows/s, {:.2f} us of CPU a row", done, until,
               static_cast<double>(until - done) / (Seconds() - begin),
               (CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - cpu_begin) * 1e6 / static_cast<double>(until - done));
    // About the same number of rows at each size, of series that were seen.
    const std::size_t again = std::min(until, kRowsAgain);
    std::vector<double> rates;
    std::vector<double> costs;
    for (int run = 0; run < 5; ++run) {
      begin = Seconds();
      cpu_begin = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
      std::size_t rows = 0;
      for (; rows < kRowsAgain; rows += again) writer.Write(until - again, until);
      rates.push_back(static_cast<double>(rows) / (Seconds() - begin));
      costs.push_back((CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - cpu_begin) * 1e6 / static_cast<double>(rows));
    }
    std::sort(rates.begin(), rates.end());
    std::sort(costs.begin(), costs.end());
    fmt::print("; seen before: {:>9.0f} rows/s, {:.2f} us of CPU (medians of 5)\n", rates[2], costs[2]);
    std::fflush(stdout);
    done = until;
  }
  if (const Status stopped = engine->Stop(); !stopped.ok()) Die(stopped);
  engine = nullptr;
  const double begin = Seconds();
  const double cpu_begin = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
  opened = Engine::Open(options);
  if (!opened.ok()) Die(opened.status());
  engine = *std::move(opened);
  fmt::print("  restart: {:.2f} s, {:.2f} s of CPU\n", Seconds() - begin,
             CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin);
  if (const Status upkeep = engine->RunMaintenance(); !upkeep.ok()) Die(upkeep);
  const EngineStats stats = engine->stats();
  if (stats.series_count != series) Die(tideline::Internal("{} series after the restart", stats.series_count));
  const std::size_t resident = ResidentBytes();
  fmt::print("  idle: {:.1f} bytes a series resident, {:.1f} in the index\n",
             static_cast<double>(resident - std::min(resident, empty_bytes)) / static_cast<double>(series),
             static_cast<double>(stats.series_bytes) / static_cast<double>(series));
  Resolve(*engine, series);
  if (const Status stopped = engine->Stop(); !stopped.ok()) Die(stopped);
  engine = nullptr;
  if (argc <= 2) std::filesystem::remove_all(directory);
  return 0;
}
