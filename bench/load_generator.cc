// bench/load_generator.cc: `tideline_load`, how many records a second a server makes durable.
//
// Sends WriteRecords requests of 100 multi-measure records over many connections, each signed with
// SigV4, each with rows that never were before, and counts those acknowledged with 200. Afterwards it
// asks the server how many rows there are: a fast server that lost one fails.
//
//   tideline serve --data-dir /tmp/d --http 127.0.0.1:8433 &
//   tideline_load --endpoint http://127.0.0.1:8433 --data-dir /tmp/d --sync-dir /tmp/d
//   tideline_load --endpoint http://127.0.0.1:8433 --data-dir /tmp/d --mode own --series 1000000
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <limits>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "bench/devops_data.h"
#include "bench/ingest_client.h"
#include "bench/service_calls.h"
#include "cli/api_client.h"
#include "cli/client_flags.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::bench {
namespace {

constexpr std::int64_t kMemoryHours = 400;
constexpr std::int64_t kFirstAgeNs = 15 * kNsPerDay;  // of the first rows; inside kMemoryHours
constexpr std::size_t kSyncBytes = 4096;
constexpr std::size_t kSyncFileBytes = 256 * kSyncBytes;
constexpr std::size_t kSyncCount = 300;

struct LoadOptions {
  cli::ClientOptions client{};
  std::string mode = "both";
  std::string database = "bench";
  std::string sync_dir{};  // empty: the disk is not measured
  std::string report{};
  int server_pid = 0;
  std::size_t connections = 16;
  std::size_t bodies = 8;
  std::size_t runs = 5;
  double seconds = 30;
  std::uint64_t rows = 0;  // not 0: one run of so many rows
  std::size_t series = 0;  // not 0: so many at least, each written once before the runs

  // Requests of one connection that bring each of its series once.
  std::size_t RequestsPerTick() const {
    const std::size_t per_round = connections * kRecordsPerRequest;
    return std::max<std::size_t>(1, (series + per_round - 1) / per_round);
  }
};

// The bodies of one connection, built beforehand. Connections have hosts of their own, so that each
// writes its series in the order of time.
class ConnectionBodies {
 public:
  ConnectionBodies(std::size_t connection, std::size_t count, BodyShape shape,
                   std::string_view database, std::string_view table, std::int64_t first_ms)
      : shape_(shape), first_ms_(first_ms), bodies_(count) {
    const std::size_t first_host = connection * kRecordsPerRequest;
    std::vector<HostWalk> walks;
    std::vector<HostTags> tags;
    for (std::size_t i = 0; i < kRecordsPerRequest; ++i) {
      walks.emplace_back(first_host + i);
      tags.push_back(TagsOf(first_host + i));
    }
    if (shape == BodyShape::kCommonAttributes) bodies_.resize(kRecordsPerRequest);
    for (std::size_t b = 0; b < bodies_.size(); ++b) {
      RequestBody& body = bodies_[b];
      body.Begin(database, table);
      if (shape == BodyShape::kCommonAttributes) body.CommonHost(tags[b]);
      for (std::size_t i = 0; i < kRecordsPerRequest; ++i) {
        if (shape == BodyShape::kCommonAttributes) {
          body.AddRecord(nullptr, static_cast<std::int64_t>(i), walks[b].Next());
        } else {
          body.AddRecord(&tags[i], 0, walks[i].Next());
        }
      }
      body.End();
    }
  }

  std::string_view Next() {
    RequestBody& body = bodies_[sent_ % bodies_.size()];
    // Own dimensions: each request is the next tick of all hosts. Common attributes: a hundred
    // ticks of one host, then of the next; all hosts done, the next hundred ticks.
    const std::size_t tick = shape_ == BodyShape::kOwnDimensions
                                 ? sent_
                                 : sent_ / bodies_.size() * kRecordsPerRequest;
    ++sent_;
    body.SetTimes(first_ms_ + static_cast<std::int64_t>(tick) * kTickMs);
    return body.text();
  }

 private:
  const BodyShape shape_;
  const std::int64_t first_ms_;
  std::vector<RequestBody> bodies_;
  std::size_t sent_ = 0;
};

// The bodies of one connection for very many hosts: each request is the next tick of the next hundred of them.
class ManySeriesBodies {
 public:
  ManySeriesBodies(std::size_t connection, std::size_t count, std::string_view database, std::string_view table,
                   std::int64_t first_ms)
      : first_ms_(first_ms), bodies_(count) {
    std::size_t host = connection * count * kRecordsPerRequest;
    for (RequestBody& body : bodies_) {
      body.Begin(database, table);
      for (std::size_t i = 0; i < kRecordsPerRequest; ++i, ++host) {
        const HostTags tags = TagsOf(host);
        HostWalk walk(host);
        body.AddRecord(&tags, 0, walk.Next());
      }
      body.End();
    }
  }

  std::string_view Next() {
    RequestBody& body = bodies_[sent_ % bodies_.size()];
    body.SetTimes(first_ms_ + static_cast<std::int64_t>(sent_ / bodies_.size()) * kTickMs);
    ++sent_;
    return body.text();
  }

 private:
  const std::int64_t first_ms_;
  std::vector<RequestBody> bodies_;
  std::size_t sent_ = 0;
};

// CPU seconds used by this process, or by another one.
double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
double CpuSecondsOf(int pid) {
  if (pid == 0) return 0;
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(in, text);
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Median of overwriting 4 KiB of a preallocated, written file and syncing it, in ms.
Result<double> DiskSyncMs(const std::string& directory) {
  fs::FileSystem& disk = fs::PosixFileSystem();
  const std::string path = fs::JoinPath(directory, fmt::format("sync-probe-{}.tmp", getpid()));
  const std::unique_ptr<fs::File> file = TL_TRY(disk.Open(path, fs::OpenMode::kCreateNew));
  TL_TRY(fs::WriteZeros(*file, kSyncFileBytes));
  const Bytes block(kSyncBytes, std::byte{0x5a});
  std::vector<double> times;
  for (std::size_t i = 0; i < kSyncCount; ++i) {
    const SteadyNs begin = SystemClock().SteadyNow();
    TL_TRY(file->WriteAt(i * kSyncBytes % kSyncFileBytes, block));
    TL_TRY(file->SyncData());
    times.push_back(static_cast<double>(SystemClock().SteadyNow().value - begin.value) / 1e6);
  }
  TL_TRY(disk.Remove(path));
  return MedianOf(std::move(times));
}

struct RunFigures {
  double records_per_second, p50_ms, p99_ms, client_cores, server_cores;
  std::uint64_t throttled;
};

RunFigures FiguresOf(IngestOutcome* outcome, double client_cpu, double server_cpu, double wall) {
  std::vector<std::int64_t>& times = outcome->latencies_ns;
  std::sort(times.begin(), times.end());
  const auto percentile = [&](double p) {
    if (times.empty()) return 0.0;
    const double place = p * static_cast<double>(times.size() - 1);
    return static_cast<double>(times[static_cast<std::size_t>(place)]) / 1e6;
  };
  return {.records_per_second = static_cast<double>(outcome->in_time * kRecordsPerRequest) * 1e9 /
                                static_cast<double>(std::max<std::int64_t>(1, outcome->elapsed_ns)),
          .p50_ms = percentile(0.50),
          .p99_ms = percentile(0.99),
          .client_cores = client_cpu / wall,
          .server_cores = server_cpu / wall,
          .throttled = outcome->throttled};
}

// A table being filled over one set of connections.
class Filling {
 public:
  static Result<std::unique_ptr<Filling>> Begin(const LoadOptions& options, cli::ApiClient* client, std::string name,
                                                BodyShape shape) {
    auto filling = std::unique_ptr<Filling>(new Filling(options, client, std::move(name)));
    TL_TRY(filling->Prepare(shape));
    return filling;
  }

  /// Sends each series once, unmeasured.
  Status WriteEachSeriesOnce() {
    std::vector<std::size_t> left(options_.connections, options_.RequestsPerTick());
    const auto next = [&](std::size_t connection) {
      return left[connection] == 0 ? std::string_view() : (--left[connection], next_[connection]());
    };
    const IngestOutcome outcome = TL_TRY(sender_->Run(next, 1'000'000 * kNsPerSecond));
    acknowledged_ += outcome.answered * kRecordsPerRequest;
    fmt::print("  each series once: {:.0f} records/s\n",
               static_cast<double>(acknowledged_) * 1e9 / static_cast<double>(outcome.elapsed_ns));
    return OkStatus();
  }

  /// One run of `seconds`, or until as many rows as the options say are sent.
  Status Run(double seconds) {
    const auto next = [&](std::size_t connection) {
      return requests_left_-- != 0 ? next_[connection]() : (++requests_left_, std::string_view());
    };
    const SteadyNs start = SystemClock().SteadyNow();
    const double client_cpu = OwnCpuSeconds();
    const double server_cpu = CpuSecondsOf(options_.server_pid);
    IngestOutcome outcome = TL_TRY(sender_->Run(next, static_cast<std::int64_t>(seconds * 1e9)));
    const double wall = static_cast<double>(SystemClock().SteadyNow().value - start.value) / 1e9;
    acknowledged_ += outcome.answered * kRecordsPerRequest;
    requests_ += outcome.answered + outcome.throttled;
    bytes_sent_ += outcome.bytes_sent;
    const RunFigures& made =
        figures_.emplace_back(FiguresOf(&outcome, OwnCpuSeconds() - client_cpu,
                                        CpuSecondsOf(options_.server_pid) - server_cpu, wall));
    fmt::print("  run {}: {:.0f} records/s, p50 {:.2f} ms, p99 {:.2f} ms, client {:.2f} cores, "
               "server {:.2f} cores, {} throttled\n",
               figures_.size(), made.records_per_second, made.p50_ms, made.p99_ms, made.client_cores,
               made.server_cores, made.throttled);
    std::fflush(stdout);
    return OkStatus();
  }

  /// The medians, once count(*) finds what was acknowledged.
  Status Finish(JsonWriter* report) {
    const double rate = MedianOf(&RunFigures::records_per_second);
    fmt::print("  median of {}: {:.0f} records/s, {:.0f} values/s, {} bytes a request with its head\n", figures_.size(), rate,
               rate * kMeasureCount, bytes_sent_ / std::max<std::uint64_t>(1, requests_));
    const std::int64_t stored = TL_TRY(CountRows(*client_, options_.database, table_)) - rows_before_;
    if (stored != static_cast<std::int64_t>(acknowledged_)) {
      return DataLoss("{} rows were acknowledged, count(*) finds {}", acknowledged_, stored);
    }
    fmt::print("  check: count(*) finds all {} acknowledged rows, and no other\n", acknowledged_);
    report->Key(name_);
    report->BeginObject();
    report->MemberDouble("records_per_second", rate);
    report->MemberDouble("p50_ms", MedianOf(&RunFigures::p50_ms));
    report->MemberDouble("p99_ms", MedianOf(&RunFigures::p99_ms));
    report->MemberDouble("client_cores", MedianOf(&RunFigures::client_cores));
    report->MemberDouble("server_cores", MedianOf(&RunFigures::server_cores));
    report->Member("rows", static_cast<std::int64_t>(acknowledged_));
    report->Member("series", static_cast<std::int64_t>(series_));
    report->EndObject();
    return OkStatus();
  }

 private:
  Filling(const LoadOptions& options, cli::ApiClient* client, std::string name)
      : options_(options), client_(client), name_(std::move(name)), table_(fmt::format("cpu_{}", name_)) {
    if (options.rows != 0) requests_left_ = options.rows / kRecordsPerRequest;
  }

  Status Prepare(BodyShape shape) {
    TL_TRY(EnsureTable(*client_, options_.database, table_, kMemoryHours));
    rows_before_ = TL_TRY(CountRows(*client_, options_.database, table_));
    const std::int64_t first_ms = (SystemClock().WallNow().value - kFirstAgeNs) / kNsPerMs;
    const std::size_t per_tick = options_.RequestsPerTick();
    for (std::size_t i = 0; i < options_.connections; ++i) {
      if (options_.series != 0) {
        const auto bodies = std::make_shared<ManySeriesBodies>(i, per_tick, options_.database, table_, first_ms);
        next_.emplace_back([bodies] { return bodies->Next(); });
      } else {
        const auto bodies =
            std::make_shared<ConnectionBodies>(i, options_.bodies, shape, options_.database, table_, first_ms);
        next_.emplace_back([bodies] { return bodies->Next(); });
      }
    }
    const IngestOptions ingest{.url = TL_TRY(net::ParseUrl(options_.client.endpoint)),
                               .signer = client_->signer_options(),
                               .connection_count = options_.connections};
    sender_ = TL_TRY(IngestClient::Connect(ingest));
    series_ = options_.connections * kRecordsPerRequest * per_tick;
    fmt::print("{}: {} connections, {} series, {} records a request\n", name_, options_.connections, series_,
               kRecordsPerRequest);
    return OkStatus();
  }

  double MedianOf(double RunFigures::*member) const {
    std::vector<double> values;
    for (const RunFigures& made : figures_) values.push_back(made.*member);
    return bench::MedianOf(std::move(values));
  }

  const LoadOptions& options_;
  cli::ApiClient* const client_;
  const std::string name_;
  const std::string table_;
  std::vector<std::function<std::string_view()>> next_;  // body, by connection
  std::unique_ptr<IngestClient> sender_;
  std::int64_t rows_before_ = 0;
  std::uint64_t requests_left_ = std::numeric_limits<std::uint64_t>::max();
  std::size_t series_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::vector<RunFigures> figures_;
};

// One mode's runs, the median, and the check of what was stored.
Status MeasureMode(const LoadOptions& options, cli::ApiClient* client, BodyShape shape, JsonWriter* report) {
  const char* const name = shape == BodyShape::kOwnDimensions ? "own" : "common";
  const std::unique_ptr<Filling> filling = TL_TRY(Filling::Begin(options, client, name, shape));
  if (options.series != 0) TL_TRY(filling->WriteEachSeriesOnce());
  const std::size_t runs = options.rows != 0 ? 1 : options.runs;
  for (std::size_t run = 0; run < runs; ++run) TL_TRY(filling->Run(options.rows != 0 ? 1e6 : options.seconds));
  return filling->Finish(report);
}

Status Measure(const LoadOptions& options) {
  cli::ApiClient client = TL_TRY(cli::ApiClient::Connect(options.client));
  std::string text;
  JsonWriter report(&text);
  report.BeginObject();
  if (!options.sync_dir.empty()) {
    const double sync_ms = TL_TRY(DiskSyncMs(options.sync_dir));
    fmt::print("disk: overwrite of 4 KiB in a preallocated file + fdatasync, p50 {:.3f} ms\n",
               sync_ms);
    report.MemberDouble("disk_sync_p50_ms", sync_ms);
  }
  report.Member("cores", static_cast<std::int64_t>(CoreCount()));
  if (options.series != 0 && options.mode != "own") {
    return InvalidArgument("--series is for --mode own");
  }
  if (options.mode != "common") {
    TL_TRY(MeasureMode(options, &client, BodyShape::kOwnDimensions, &report));
  }
  if (options.mode != "own") {
    TL_TRY(MeasureMode(options, &client, BodyShape::kCommonAttributes, &report));
  }
  report.EndObject();
  if (!options.report.empty()) std::ofstream(options.report) << text << '\n';
  return OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("Measures durable WriteRecords throughput and checks what was stored.");
  LoadOptions options;
  cli::AddClientFlags(app, &options.client);
  app.add_option("--mode", options.mode, "own: dimensions in each record; common: CommonAttributes")
      ->check(CLI::IsMember({"own", "common", "both"}))
      ->capture_default_str();
  app.add_option("--database", options.database)->capture_default_str();
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--bodies", options.bodies, "bodies built beforehand for each connection")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--runs", options.runs)->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--seconds", options.seconds, "length of a run")->capture_default_str();
  app.add_option("--rows", options.rows, "stop after so many rows, instead of runs of seconds");
  app.add_option("--series", options.series, "write so many series in turn, with --mode own; each once before the runs")
      ->check(CLI::Range(0, 10'000'000));
  app.add_option("--sync-dir", options.sync_dir, "measure this directory's disk first");
  app.add_option("--server-pid", options.server_pid, "count this process's CPU time too");
  app.add_option("--report", options.report, "write the figures to this file, as JSON");
  CLI11_PARSE(app, argc, argv);
  if (const Status status = Measure(options); !status.ok()) {
    fmt::print(stderr, "tideline_load: {}\n", MessageOf(status));
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace tideline::bench

int main(int argc, char** argv) { return tideline::bench::Main(argc, argv); }
