// bench/query_runner.cc: `tideline_queries`, how long dashboards wait.
//
// Loads a hundred hosts' CPU figures through WriteRecords, then asks what dashboards ask, one query
// after the other over one signed connection, and prints each query's median. The expected answers
// are computed from the same generator: a wrong row fails the run.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "base/time.h"
#include "bench/devops_data.h"
#include "bench/ingest_client.h"
#include "bench/service_calls.h"
#include "cli/api_client.h"
#include "cli/client_flags.h"

namespace tideline::bench {
namespace {

constexpr std::size_t kHosts = 100;
constexpr std::size_t kTicksPerMinute = 6;
constexpr std::size_t kTicksPerHour = 360;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kMemoryHours = 8'766;
constexpr std::string_view kTable = "cpu_queries";

struct QueryOptions {
  cli::ClientOptions client{};
  std::string database = "bench";
  std::size_t hours = 72;
  std::size_t runs = 21;
  std::string once{};
  std::string report{};
};

// All values, and the time of the first.
class DataSet {
 public:
  DataSet(std::size_t hours, std::int64_t first_ms)
      : hours_(hours), first_ms_(first_ms), values_(kHosts * ticks()) {
    for (std::size_t host = 0; host < kHosts; ++host) {
      HostWalk walk(host);
      for (std::size_t tick = 0; tick < ticks(); ++tick) values_[host * ticks() + tick] = walk.Next();
    }
  }
  std::size_t hours() const { return hours_; }
  std::size_t ticks() const { return hours_ * kTicksPerHour; }
  std::size_t rows() const { return values_.size(); }
  std::int64_t first_ms() const { return first_ms_; }
  const HostWalk::Values& At(std::size_t host, std::size_t tick) const {
    return values_[host * ticks() + tick];
  }
  // A timestamp literal, `hour` hours after the first tick.
  std::string HourText(std::size_t hour) const {
    const std::int64_t ms = first_ms_ + static_cast<std::int64_t>(hour) * kHourMs;
    std::string text = FormatIso8601({ms * kNsPerMs}, 0);
    text[10] = ' ';
    text.pop_back();
    return fmt::format("timestamp '{}'", text);
  }

 private:
  const std::size_t hours_;
  const std::int64_t first_ms_;
  std::vector<HostWalk::Values> values_;
};

// Numbers expected, row by row; the leading `key_columns` of the result are not compared.
using Expected = std::vector<std::vector<double>>;
struct Query {
  std::string name;
  std::string sql;
  std::size_t key_columns = 0;
  Expected expected;
};

Status Compare(const Query& query, const Rows& rows) {
  if (rows.size() != query.expected.size()) {
    return DataLoss("{}: {} rows, expected {}", query.name, rows.size(), query.expected.size());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::vector<double>& wanted = query.expected[i];
    if (rows[i].size() != query.key_columns + wanted.size()) {
      return DataLoss("{}: row {} has {} columns", query.name, i, rows[i].size());
    }
    for (std::size_t j = 0; j < wanted.size(); ++j) {
      const std::string& text = rows[i][query.key_columns + j];
      double value = 0;
      const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
      if (read.ec != std::errc() || std::abs(value - wanted[j]) > 1e-9 * std::max(1.0, wanted[j])) {
        return DataLoss("{}: row {} column {} is '{}', expected {}", query.name, i,
                        query.key_columns + j, text, wanted[j]);
      }
    }
  }
  return OkStatus();
}

// Folds one host's ticks [begin, end) of the first `measures` measures.
enum class Fold { kMax, kAverage };
std::vector<double> FoldTicks(const DataSet& data, std::size_t host, std::size_t begin,
                              std::size_t end, std::size_t measures, Fold fold) {
  std::vector<double> result(measures, 0);
  for (std::size_t tick = begin; tick < end; ++tick) {
    for (std::size_t m = 0; m < measures; ++m) {
      const double value = data.At(host, tick)[m];
      result[m] = fold == Fold::kMax ? std::max(result[m], value) : result[m] + value;
    }
  }
  if (fold == Fold::kAverage) {
    for (double& value : result) value /= static_cast<double>(end - begin);
  }
  return result;
}

// "avg(usage_user), avg(usage_system), …" of the first `measures` measures.
std::string Aggregates(std::string_view function, std::size_t measures) {
  std::string text;
  for (std::size_t m = 0; m < measures; ++m) {
    fmt::format_to(std::back_inserter(text), "{}{}({})", m == 0 ? "" : ", ", function, kMeasureNames[m]);
  }
  return text;
}

Query SingleGroupBy(const DataSet& data, const std::string& table, std::size_t measures,
                    std::size_t hours) {
  constexpr std::size_t kHost = 42;
  Query query;
  query.name = fmt::format("single-groupby-{}-1-{}", measures, hours);
  query.sql = fmt::format(
      "SELECT bin(time, 1m), {} FROM {} WHERE hostname = 'host_{}' AND time >= {} AND time < {} "
      "GROUP BY bin(time, 1m) ORDER BY bin(time, 1m)",
      Aggregates("max", measures), table, kHost, data.HourText(1), data.HourText(1 + hours));
  query.key_columns = 1;
  for (std::size_t minute = 60; minute < 60 * (1 + hours); ++minute) {
    query.expected.push_back(FoldTicks(data, kHost, minute * kTicksPerMinute,
                                       (minute + 1) * kTicksPerMinute, measures, Fold::kMax));
  }
  return query;
}

Query DoubleGroupBy(const DataSet& data, const std::string& table, std::size_t measures) {
  constexpr std::size_t kHours = 12;
  Query query;
  query.name = fmt::format("double-groupby-{}", measures);
  query.sql = fmt::format(
      "SELECT hostname, bin(time, 1h), {} FROM {} WHERE time >= {} AND time < {} "
      "GROUP BY hostname, bin(time, 1h) ORDER BY hostname, bin(time, 1h)",
      Aggregates("avg", measures), table, data.HourText(0), data.HourText(kHours));
  query.key_columns = 2;
  std::vector<std::pair<std::string, std::size_t>> hosts;  // in the order of their text
  for (std::size_t host = 0; host < kHosts; ++host) hosts.emplace_back(TagsOf(host)[0], host);
  std::sort(hosts.begin(), hosts.end());
  for (const auto& [name, host] : hosts) {
    for (std::size_t hour = 0; hour < kHours; ++hour) {
      query.expected.push_back(FoldTicks(data, host, hour * kTicksPerHour,
                                         (hour + 1) * kTicksPerHour, measures, Fold::kAverage));
    }
  }
  return query;
}

Query LastPoint(const DataSet& data, const std::string& table) {
  Query query;
  query.name = "lastpoint";
  std::string columns;
  for (const std::string_view name : kMeasureNames) {
    fmt::format_to(std::back_inserter(columns), ", max_by({}, time)", name);
  }
  query.sql = fmt::format(
      "SELECT hostname, max(time){} FROM {} GROUP BY hostname ORDER BY hostname", columns, table);
  query.key_columns = 2;
  std::vector<std::pair<std::string, std::size_t>> hosts;
  for (std::size_t host = 0; host < kHosts; ++host) hosts.emplace_back(TagsOf(host)[0], host);
  std::sort(hosts.begin(), hosts.end());
  for (const auto& [name, host] : hosts) {
    const HostWalk::Values& last = data.At(host, data.ticks() - 1);
    query.expected.emplace_back(last.begin(), last.end());
  }
  return query;
}

Query FullScan(const DataSet& data, const std::string& table) {
  Query query;
  query.name = "avg of ten columns, all rows";
  query.sql = fmt::format("SELECT {} FROM {}", Aggregates("avg", kMeasureCount), table);
  std::vector<double> sums(kMeasureCount, 0);
  for (std::size_t host = 0; host < kHosts; ++host) {
    const std::vector<double> part =
        FoldTicks(data, host, 0, data.ticks(), kMeasureCount, Fold::kAverage);
    for (std::size_t m = 0; m < kMeasureCount; ++m) sums[m] += part[m] / static_cast<double>(kHosts);
  }
  query.expected = {sums};
  return query;
}

Query HighCpu(const DataSet& data, const std::string& table) {
  Query query;
  query.name = "count and sum of rows above a value";
  query.sql = fmt::format(
      "SELECT count(*), sum(usage_system) FROM {} WHERE usage_user > 90", table);
  std::vector<double> result(2, 0);
  for (std::size_t host = 0; host < kHosts; ++host) {
    for (std::size_t tick = 0; tick < data.ticks(); ++tick) {
      const HostWalk::Values& values = data.At(host, tick);
      if (values[0] <= 90) continue;
      result[0] += 1;
      result[1] += values[1];
    }
  }
  query.expected = {result};
  return query;
}

std::vector<Query> MakeQueries(const DataSet& data, const std::string& table) {
  std::vector<Query> queries;
  queries.push_back({.name = "SELECT 1", .sql = "SELECT 1", .expected = {{1}}});
  queries.push_back(SingleGroupBy(data, table, 1, 1));
  queries.push_back(SingleGroupBy(data, table, 1, 12));
  queries.push_back(SingleGroupBy(data, table, 5, 1));
  queries.push_back(DoubleGroupBy(data, table, 1));
  queries.push_back(DoubleGroupBy(data, table, 5));
  queries.push_back(DoubleGroupBy(data, table, kMeasureCount));
  queries.push_back(LastPoint(data, table));
  queries.push_back(FullScan(data, table));
  queries.push_back(HighCpu(data, table));
  return queries;
}

// Writes the whole data set. Each connection has hosts of its own and writes them in time order.
Status Load(const QueryOptions& options, cli::ApiClient& client, const DataSet& data) {
  const IngestOptions ingest{.url = TL_TRY(net::ParseUrl(options.client.endpoint)),
                             .signer = client.signer_options()};
  struct Writer {
    std::size_t host = 0;
    std::size_t tick = 0;
    RequestBody body;
  };
  std::vector<Writer> writers(ingest.connection_count);
  for (std::size_t i = 0; i < writers.size(); ++i) writers[i].host = i;
  const auto next = [&](std::size_t connection) -> std::string_view {
    Writer& writer = writers[connection];
    if (writer.tick >= data.ticks()) {
      writer.tick = 0;
      writer.host += writers.size();
    }
    if (writer.host >= kHosts) return {};
    writer.body.Begin(options.database, kTable);
    writer.body.CommonHost(TagsOf(writer.host));
    const std::size_t end = std::min(data.ticks(), writer.tick + kRecordsPerRequest);
    for (; writer.tick < end; ++writer.tick) {
      writer.body.AddRecord(nullptr, static_cast<std::int64_t>(writer.tick),
                            data.At(writer.host, writer.tick));
    }
    writer.body.End();
    writer.body.SetTimes(data.first_ms());
    return writer.body.text();
  };
  const std::unique_ptr<IngestClient> sender = TL_TRY(IngestClient::Connect(ingest));
  return sender->Run(next, kNsPerHour).status();
}

// Answers and prints every query; stops at the first wrong answer.
Status Measure(const QueryOptions& options) {
  cli::ApiClient client = TL_TRY(cli::ApiClient::Connect(options.client));
  if (!options.once.empty()) {
    const Rows rows = TL_TRY(RunQuery(client, options.once));
    for (const std::vector<std::string>& row : rows) {
      fmt::print("{}\n", fmt::join(row, ","));
    }
    return OkStatus();
  }
  TL_TRY(EnsureTable(client, options.database, kTable, kMemoryHours));
  if (TL_TRY(CountRows(client, options.database, kTable)) != 0) {
    return AlreadyExists("{}.{} has rows already; use a fresh server", options.database, kTable);
  }
  const std::int64_t now_ms = SystemClock().WallNow().value / kNsPerMs;
  const DataSet data(options.hours,
                     (now_ms / kHourMs - static_cast<std::int64_t>(options.hours)) * kHourMs);
  TL_TRY(Load(options, client, data));
  const std::int64_t count = TL_TRY(CountRows(client, options.database, kTable));
  if (count != static_cast<std::int64_t>(data.rows())) {
    return DataLoss("{} rows written, count(*) finds {}", data.rows(), count);
  }
  fmt::print("queries: {} hosts, {} hours, {} rows; median of {} runs, every answer checked\n", kHosts,
             data.hours(), data.rows(), options.runs);
  std::string text;
  JsonWriter report(&text);
  report.BeginObject();
  const std::string table = fmt::format("\"{}\".\"{}\"", options.database, kTable);
  for (const Query& query : MakeQueries(data, table)) {
    std::vector<double> times;
    for (std::size_t run = 0; run < options.runs; ++run) {
      std::int64_t ns = 0;
      const Rows rows = TL_TRY(RunQuery(client, query.sql, &ns));
      TL_TRY(Compare(query, rows));
      times.push_back(static_cast<double>(ns) / 1e6);
    }
    const double best = *std::min_element(times.begin(), times.end());
    const double median = MedianOf(std::move(times));
    fmt::print("  {:<36} {:>9.3f} ms  (best {:.3f})\n", query.name, median, best);
    std::fflush(stdout);
    report.MemberDouble(query.name, median);
  }
  report.EndObject();
  if (!options.report.empty()) std::ofstream(options.report) << text << '\n';
  return OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("Measures query times on a known data set and checks every answer.");
  QueryOptions options;
  cli::AddClientFlags(app, &options.client);
  app.add_option("--database", options.database)->capture_default_str();
  app.add_option("--hours", options.hours, "length of the data set")
      ->check(CLI::Range(24, 24 * 365))
      ->capture_default_str();
  app.add_option("--runs", options.runs)->check(CLI::Range(1, 10'000))->capture_default_str();
  app.add_option("--once", options.once, "answer this query once, print its rows, and end");
  app.add_option("--report", options.report, "write the medians to this file, as JSON");
  CLI11_PARSE(app, argc, argv);
  if (const Status status = Measure(options); !status.ok()) {
    fmt::print(stderr, "tideline_queries: {}\n", MessageOf(status));
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace tideline::bench

int main(int argc, char** argv) { return tideline::bench::Main(argc, argv); }
