// What rows take at rest once the engine itself has flushed, merged and moved them, and how often it wrote and reads them.
//
//   tideline_stored [--hosts 100] [--hours 72] [--kind int|bigint|dec2|double] [--shape multi|single]
//                   [--memory-hours 6] [--directory DIR]
//
// The data is that of tideline_sizes (bench/devops_rows.h), written in time order in batches of one tick. After each hour of
// data the clock moves on and upkeep, merges and moves run until nothing is left to do, as they would in the background;
// at the end all rows are older than the memory retention and move. Everything in the data directory but the log counts.
//
// Read amplification: rows of the stripes that a query decodes over rows that it wants, for one host over one hour and for
// all hosts over one hour, through the engine's own scan. Every row is counted by a scan at the end.
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "bench/devops_rows.h"
#include "storage/engine/engine.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::bench {
namespace {

using namespace tideline::engine;  // NOLINT: a program, not a header

constexpr std::int64_t kFirstNs = 1'767'225'600'000'000'000;  // 2026-01-01
constexpr std::int64_t kTickNs = kTickMs * kNsPerMs;

struct Options {
  std::size_t hosts = 100;
  std::size_t hours = 72;
  std::size_t memory_hours = 6;
  std::string kind = "int";
  bool single = false;
  std::string directory{};
};

[[noreturn]] void Fail(const Status& status) {
  fmt::print(stderr, "tideline_stored: {}\n", MessageOf(status));
  std::exit(1);
}
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) Fail(result.status());
  return *std::move(result);
}
void Must(const Status& status) {
  if (!status.ok()) Fail(status);
}

ValueKind KindOf(const std::string& name) {
  if (name == "dec2") return ValueKind::kDecimal2;
  return name == "double" ? ValueKind::kDouble : ValueKind::kWhole;
}

// The rows of one tick as one batch.
class TickBatch {
 public:
  explicit TickBatch(const Options& options) : options_(options) {
    hosts_.reserve(options.hosts);  // the views below point into them
    for (std::size_t host = 0; host < options.hosts; ++host) {
      hosts_.emplace_back(host, KindOf(options.kind));
      auto& dimensions = dimensions_.emplace_back();
      for (std::size_t i = 0; i < kTagCount; ++i) dimensions.push_back({kTagNames[i], hosts_[host].tags()[i]});
    }
    measures_.resize(options.hosts);
  }

  std::span<const RecordView> Next(std::int64_t time_ns) {
    records_.clear();
    for (std::size_t host = 0; host < hosts_.size(); ++host) {
      const DevopsHost::Values& values = hosts_[host].Next();
      auto& measures = measures_[host];
      measures.clear();
      for (std::size_t m = 0; m < kMeasureCount; ++m) {
        measures.push_back(options_.kind == "bigint"
                               ? MeasureView::Bigint(static_cast<std::int64_t>(values[m]), kMeasureNames[m])
                               : MeasureView::Double(values[m], kMeasureNames[m]));
      }
      RecordView record{.dimensions = dimensions_[host], .time = {time_ns}};
      if (!options_.single) {
        record.measure_name = "cpu";
        record.multi = true;
        record.measures = measures;
        records_.push_back(record);
        continue;
      }
      for (std::size_t m = 0; m < kMeasureCount; ++m) {
        record.measure_name = kMeasureNames[m];
        record.measures = std::span(measures).subspan(m, 1);
        records_.push_back(record);
      }
    }
    return records_;
  }

 private:
  const Options& options_;
  std::vector<DevopsHost> hosts_;
  std::vector<std::vector<DimensionView>> dimensions_;
  std::vector<std::vector<MeasureView>> measures_;
  std::vector<RecordView> records_;
};

// Answers of writes come when the engine is driven; all must be new.
class AllNew final : public WriteCompletion {
 public:
  void OnWritten(const Status& status, std::span<const RecordResult> results) override {
    Must(status);
    for (const RecordResult& result : results) {
      if (result.verdict != Verdict::kNew) Fail(Internal("a record was not new"));
    }
  }
};

std::uint64_t CountRows(TableScan& scan) {
  std::uint64_t rows = 0;
  for (std::size_t m = 0; m < scan.morsel_count(); ++m) {
    const auto morsel = Must(scan.OpenMorsel(m));
    ScanBatch batch;
    for (;;) {
      const bool more = Must(morsel->Next(&batch));
      if (!more) break;
      rows += batch.row_count();
    }
  }
  return rows;
}

// Bytes that a request decodes over those that its rows take on average, in the middle of the data.
void PrintReadAmplification(Engine& engine, const Options& options, double bytes_per_row) {
  const Snapshot snapshot = Must(engine.OpenSnapshot("db", "t"));
  for (const bool one_host : {true, false}) {
    ScanRequest request;
    for (const auto& column : snapshot.schema().Columns()) request.columns.push_back(column.id);
    const std::int64_t first = kFirstNs + static_cast<std::int64_t>(options.hours / 2) * kNsPerHour;
    request.times = {{first, first + kNsPerHour - 1}};
    if (one_host) {
      const HostTags tags = TagsOf(options.hosts / 2);
      request.series.push_back({.column = snapshot.schema().FindColumn(kTagNames[0])->id, .values = {tags[0]}});
    }
    const auto scan = Must(snapshot.Scan(request));
    const std::uint64_t rows = CountRows(*scan);
    const ScanStatistics figures = scan->statistics();
    fmt::print("  one hour of {:<9}: {:>7} rows in {} of {} segments, {} of {} stripes, {} encoded bytes read: {:.1f} times those of "
               "its rows\n",
               one_host ? "one host" : "all hosts", rows, figures.segment_count - figures.segments_pruned,
               figures.segment_count, figures.stripe_count - figures.stripes_pruned, figures.stripe_count,
               figures.bytes_scanned, static_cast<double>(figures.bytes_scanned) / (bytes_per_row * static_cast<double>(rows)));
  }
}

std::uint64_t BytesBelow(const std::filesystem::path& directory) {
  std::uint64_t bytes = 0;
  if (!std::filesystem::exists(directory)) return bytes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

void PrintSizes(const Engine& engine, const Options& options) {
  const EngineStats stats = engine.stats();
  const auto values = static_cast<double>(options.hosts * options.hours * (3'600'000 / kTickMs) * kMeasureCount);
  const std::filesystem::path root = options.directory;
  const std::uint64_t all = BytesBelow(root) - BytesBelow(root / "wal");
  fmt::print("  at rest: {:.4f} bytes a value, everything but the log counted; {} segments, all in the magnetic store: {}, "
             "their files {:.4f} bytes a value\n",
             static_cast<double>(all) / values, stats.segment_count, stats.segment_count == stats.magnetic_segment_count,
             static_cast<double>(stats.magnetic_bytes) / values);
  fmt::print("  each row was written {:.2f} times on average into segment files, at most {} times until it rested; "
             "rows: {} by checkpoints, {} merged, {} moved, {} consolidated\n",
             stats.WriteAmplification(), stats.writes_at_rest_max, stats.checkpoint_rows, stats.merged_rows,
             stats.moved_rows, stats.consolidated_rows);
  fmt::print("  bytes: checkpoints wrote {}, merges and moves read {} and wrote {}\n", stats.checkpoint_bytes,
             stats.merge_read_bytes, stats.merge_written_bytes);
}

void Load(Engine& engine, ManualClock& clock, const Options& options) {
  TickBatch batch(options);
  AllNew answers;
  const std::int64_t ticks_per_hour = kNsPerHour / kTickNs;
  for (std::size_t hour = 0; hour < options.hours; ++hour) {
    for (std::int64_t tick = 0; tick < ticks_per_hour; ++tick) {
      const std::int64_t time_ns = kFirstNs + (static_cast<std::int64_t>(hour) * ticks_per_hour + tick) * kTickNs;
      const auto records = batch.Next(time_ns);
      for (;;) {
        const Status status = engine.Write({.database = "db", .table = "t", .records = records}, &answers);
        while (engine.Drive()) {
        }
        if (status.ok()) break;
        if (CodeOf(status) != ErrorCode::kResourceExhausted) Fail(status);
        Must(engine.RunMaintenance());
      }
    }
    clock.Advance(kNsPerHour);
    Must(engine.Settle());
  }
  clock.Advance(static_cast<std::int64_t>(options.memory_hours + 1) * kNsPerHour);
  Must(engine.Checkpoint());
  Must(engine.Settle());
  // What was replaced goes with the next manifests, and these come with changes.
  for (const char* round : {"1", "2"}) {
    Must(engine.Tag("db", "t", {{"round", round}}));
    Must(engine.Checkpoint());
    Must(engine.Settle());
  }
}

int Run(Options options) {
  char made[] = "/tmp/tideline_stored_XXXXXX";
  const bool own_directory = options.directory.empty();
  if (own_directory) options.directory = mkdtemp(made);
  SetLogLevel(LogLevel::kError);
  ManualClock clock{TimestampNs{kFirstNs}};
  EngineOptions engine_options;
  engine_options.data_dir = options.directory;
  engine_options.file_system = &fs::PosixFileSystem();
  engine_options.clock = &clock;
  engine_options.own_threads = false;
  engine_options.undelete_ns = 0;
  engine_options.sync_interval_ns = kNsPerSecond;
  auto engine = Must(Engine::Open(engine_options));
  Must(engine->CreateDatabase({.name = "db"}));
  Must(engine->CreateTable("db", "t", {.retention = {.memory_hours = static_cast<std::int64_t>(options.memory_hours),
                                                     .magnetic_days = 73'000}}));
  fmt::print("{} hosts, {} hours, {} as {}\n", options.hosts, options.hours, options.kind,
             options.single ? "ten single-measure records a row" : "one MULTI record a row");
  Load(*engine, clock, options);
  PrintSizes(*engine, options);
  const std::uint64_t wanted =
      options.hosts * options.hours * (3'600'000 / kTickMs) * (options.single ? kMeasureCount : 1);
  PrintReadAmplification(*engine, options,
                         static_cast<double>(engine->stats().magnetic_bytes) / static_cast<double>(wanted));
  const Snapshot snapshot = Must(engine->OpenSnapshot("db", "t"));
  ScanRequest request;
  request.columns = {snapshot.schema().FindColumn("time")->id};
  const auto scan = Must(snapshot.Scan(request));
  const std::uint64_t rows = CountRows(*scan);
  if (rows != wanted) Fail(Internal("{} rows are there, {} were written", rows, wanted));
  Must(engine->Stop());
  if (own_directory) std::filesystem::remove_all(options.directory);
  return 0;
}

}  // namespace
}  // namespace tideline::bench

int main(int argc, char** argv) {
  tideline::bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    std::size_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    if (name == "--kind") options.kind = value;
    if (name == "--shape") options.single = value == "single";
    if (name == "--directory") options.directory = value;
    if (name == "--hosts") options.hosts = std::clamp<std::size_t>(number, 1, 1'000);
    if (name == "--hours") options.hours = std::clamp<std::size_t>(number, 1, 10'000);
    if (name == "--memory-hours") options.memory_hours = std::clamp<std::size_t>(number, 1, 8'766);
  }
  return tideline::bench::Run(std::move(options));
}
