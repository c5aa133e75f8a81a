// bench/devops_tool.cc: `tideline_devops`, the parts of bench/compare that have to be quick.
//
//   tideline_devops csv --out rows.csv            the table as CSV, for other systems and bench/run; prints
//                                                 {"rows": …, "sum": …}, the sum of all values
//   tideline_devops load --shape multi|single     the same rows through WriteRecords
//   tideline_devops rest                          makes the rows due for the magnetic store
//   tideline_devops ask                           answers and times queries that come on standard input
//
// `ask` reads a JSON object per line: {"sql": [...], "runs": n} asks the queries in turn, n times in
// all, and prints {"ms": [...]}, the times from sending a query to the last byte of its last page;
// {"sql": [...], "rows": true} prints {"rows": [[[cell, …], …], …]} instead, and
// {"sql": [...], "clients": n, "seconds": s} prints {"qps": …} of n clients in closed loops.
#include <atomic>
#include <cstdio>
#include <iostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "bench/devops_rows.h"
#include "bench/ingest_client.h"
#include "bench/service_calls.h"
#include "cli/api_client.h"
#include "cli/client_flags.h"

namespace tideline::bench {
namespace {

constexpr std::int64_t kMemoryHours = 8'766;

struct ToolOptions {
  cli::ClientOptions client{};
  DevopsOptions data{};
  std::string database = "bench";
  std::string table = "cpu";
  std::string shape = "multi";
  std::string kind = "int";
  std::string out{};
};

// WriteRecords bodies of one connection: in turn some ticks of each of its hosts, so that the
// connections together write roughly in the order of time.
class Writer {
 public:
  Writer(const ToolOptions& options, std::size_t connection, std::size_t connections)
      : options_(options), multi_(options.shape == "multi"),
        ticks_per_request_(multi_ ? kRecordsPerRequest : kRecordsPerRequest / kMeasureCount) {
    for (std::size_t host = connection; host < options.data.hosts; host += connections) {
      hosts_.emplace_back(host, options.data.kind);
      heads_.push_back(HeadOf(hosts_.back().tags()));
    }
  }

  std::string_view Next() {
    if (hosts_.empty() || tick_ >= options_.data.ticks()) return {};
    body_ = heads_[at_];
    const std::size_t end = std::min(options_.data.ticks(), tick_ + ticks_per_request_);
    bool first = true;
    for (std::size_t tick = tick_; tick < end; ++tick) {
      const std::int64_t ms =
          options_.data.first_ms + static_cast<std::int64_t>(tick) * options_.data.clock_ms;
      AddTick(hosts_[at_].Next(), ms, &first);
    }
    body_ += "]}";
    if (++at_ == hosts_.size()) {
      at_ = 0;
      tick_ = end;
    }
    return body_;
  }

 private:
  std::string HeadOf(const HostTags& tags) const {
    std::string text = fmt::format(
        R"({{"DatabaseName": "{}", "TableName": "{}", "CommonAttributes": {{"Dimensions": [)",
        options_.database, options_.table);
    for (std::size_t i = 0; i < kTagCount; ++i) {
      fmt::format_to(std::back_inserter(text), R"({}{{"Name": "{}", "Value": "{}"}})",
                     i == 0 ? "" : ", ", kTagNames[i], tags[i]);
    }
    text += multi_ ? R"(], "MeasureName": "cpu", "MeasureValueType": "MULTI")"
                   : R"(], "MeasureValueType": "DOUBLE")";
    return text + R"(, "TimeUnit": "MILLISECONDS"}, "Records": [)";
  }

  void AddTick(const DevopsHost::Values& values, std::int64_t ms, bool* first) {
    const auto out = std::back_inserter(body_);
    if (multi_) fmt::format_to(out, R"({}{{"MeasureValues": [)", *first ? "" : ", ");
    for (std::size_t m = 0; m < kMeasureCount; ++m) {
      if (multi_) {
        fmt::format_to(out, R"({}{{"Name": "{}", "Value": "{}", "Type": "DOUBLE"}})",
                       m == 0 ? "" : ", ", kMeasureNames[m], values[m]);
      } else {
        fmt::format_to(out, R"({}{{"MeasureName": "{}", "MeasureValue": "{}", "Time": "{}"}})",
                       *first && m == 0 ? "" : ", ", kMeasureNames[m], values[m], ms);
      }
    }
    if (multi_) fmt::format_to(out, R"(], "Time": "{}"}})", ms);
    *first = false;
  }

  const ToolOptions& options_;
  const bool multi_;
  const std::size_t ticks_per_request_;
  std::vector<DevopsHost> hosts_;
  std::vector<std::string> heads_;
  std::size_t at_ = 0;
  std::size_t tick_ = 0;
  std::string body_;
};

Status Load(const ToolOptions& options) {
  cli::ApiClient client = TL_TRY(cli::ApiClient::Connect(options.client));
  TL_TRY(EnsureTable(client, options.database, options.table, kMemoryHours));
  const std::int64_t before = TL_TRY(CountRows(client, options.database, options.table));
  const IngestOptions ingest{.url = TL_TRY(net::ParseUrl(options.client.endpoint)),
                             .signer = client.signer_options()};
  std::vector<Writer> writers;
  for (std::size_t i = 0; i < ingest.connection_count; ++i) {
    writers.emplace_back(options, i, ingest.connection_count);
  }
  const std::unique_ptr<IngestClient> sender = TL_TRY(IngestClient::Connect(ingest));
  const IngestOutcome outcome = TL_TRY(sender->Run(
      [&](std::size_t connection) { return writers[connection].Next(); }, 24 * kNsPerHour));
  const std::int64_t count = TL_TRY(CountRows(client, options.database, options.table)) - before;
  const auto wanted = static_cast<std::int64_t>(options.data.hosts * options.data.ticks() *
                                                (options.shape == "multi" ? 1 : kMeasureCount));
  if (count != wanted) return DataLoss("{} rows written, count(*) finds {}", wanted, count);
  fmt::print("{{\"rows\": {}, \"seconds\": {:.3f}}}\n", count,
             static_cast<double>(outcome.elapsed_ns) / 1e9);
  return OkStatus();
}

Status PrintCsv(const ToolOptions& options) {
  const CsvTotals totals = TL_TRY(WriteCsv(options.data, options.out));
  fmt::print("{{\"rows\": {}, \"sum\": {:.0f}}}\n", totals.rows, totals.sum);
  return OkStatus();
}

// Makes what is older than an hour due for the magnetic store.
Status Rest(const ToolOptions& options) {
  cli::ApiClient client = TL_TRY(cli::ApiClient::Connect(options.client));
  TL_TRY(client.CallRaw(
      "UpdateTable", fmt::format(R"({{"DatabaseName":"{}","TableName":"{}","RetentionProperties":)"
                                 R"({{"MemoryStoreRetentionPeriodInHours":1,)"
                                 R"("MagneticStoreRetentionPeriodInDays":73000}}}})",
                                 options.database, options.table)));
  return OkStatus();
}

// One query, all pages, without reading more of an answer than the next page's token.
Result<std::int64_t> Drain(cli::ApiClient& client, std::string_view sql) {
  constexpr std::string_view kToken = "\"NextToken\":\"";
  std::string token;
  std::int64_t ns = 0;
  do {
    const std::string body = cli::QueryBody(sql, token);
    const SteadyNs begin = SystemClock().SteadyNow();
    const std::string answer = TL_TRY(client.CallRaw("Query", body));
    ns += SystemClock().SteadyNow().value - begin.value;
    const std::size_t at = answer.find(kToken);
    token.clear();
    if (at != std::string::npos) {
      const std::size_t first = at + kToken.size();
      token = answer.substr(first, answer.find('"', first) - first);
    }
  } while (!token.empty());
  return ns;
}

Result<double> QueriesPerSecond(const ToolOptions& options, const std::vector<std::string>& queries,
                                std::size_t clients, double seconds) {
  std::atomic<std::uint64_t> answered{0};
  std::atomic<bool> failed{false};
  const std::int64_t end =
      SystemClock().SteadyNow().value + static_cast<std::int64_t>(seconds * 1e9);
  {
    ThreadPool pool({.name = "client", .thread_count = clients});
    for (std::size_t i = 0; i < clients; ++i) {
      TL_TRY(pool.Submit([&, i] {
        Result<cli::ApiClient> client = cli::ApiClient::Connect(options.client);
        for (std::size_t n = i; client.ok() && SystemClock().SteadyNow().value < end; ++n) {
          if (!Drain(*client, queries[n % queries.size()]).ok()) break;
          answered.fetch_add(1);
        }
        if (SystemClock().SteadyNow().value < end) failed = true;
      }));
    }
  }
  if (failed) return Unavailable("a client failed");
  return static_cast<double>(answered.load()) / seconds;
}

Result<std::string> Reply(const ToolOptions& options, cli::ApiClient& client, const std::string& line) {
  const JsonValue request = TL_TRY(JsonValue::Parse(line));
  std::vector<std::string> queries;
  if (const JsonValue* list = request.Find("sql"); list != nullptr) {
    for (const JsonValue& query : list->items()) queries.push_back(query.text());
  }
  if (queries.empty()) return InvalidArgument("no sql");
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  if (const JsonValue* clients = request.Find("clients"); clients != nullptr) {
    const JsonValue* seconds = request.Find("seconds");
    const double rate = TL_TRY(QueriesPerSecond(options, queries,
                                                static_cast<std::size_t>(clients->integer()),
                                                seconds == nullptr ? 1 : seconds->number()));
    json.MemberDouble("qps", rate);
  } else if (request.Find("rows") != nullptr) {
    json.Key("rows");
    json.BeginArray();
    for (const std::string& query : queries) {
      json.BeginArray();
      const Rows rows = TL_TRY(RunQuery(client, query));
      for (const std::vector<std::string>& row : rows) {
        json.BeginArray();
        for (const std::string& cell : row) json.String(cell);
        json.EndArray();
      }
      json.EndArray();
    }
    json.EndArray();
  } else {
    const JsonValue* runs = request.Find("runs");
    json.Key("ms");
    json.BeginArray();
    for (std::int64_t i = 0; i < (runs == nullptr ? 1 : runs->integer()); ++i) {
      const std::string& query = queries[static_cast<std::size_t>(i) % queries.size()];
      const std::int64_t ns = TL_TRY(Drain(client, query));
      json.Double(static_cast<double>(ns) / 1e6);
    }
    json.EndArray();
  }
  json.EndObject();
  return text;
}

Status Ask(const ToolOptions& options) {
  cli::ApiClient client = TL_TRY(cli::ApiClient::Connect(options.client));
  for (std::string line; std::getline(std::cin, line);) {
    const std::string reply = TL_TRY(Reply(options, client, line));
    fmt::print("{}\n", reply);
    std::fflush(stdout);
  }
  return OkStatus();
}

void AddDataFlags(CLI::App& app, ToolOptions* options) {
  app.add_option("--hosts", options->data.hosts)->check(CLI::Range(1, 10'000'000))->capture_default_str();
  app.add_option("--hours", options->data.hours)->check(CLI::Range(1, 24 * 3650))->capture_default_str();
  app.add_option("--clock-ms", options->data.clock_ms)->check(CLI::Range(1, 3'600'000))->capture_default_str();
  app.add_option("--first-ms", options->data.first_ms, "time of the first rows")->required();
  app.add_option("--values", options->kind)->check(CLI::IsMember({"int", "dec2", "double"}))->capture_default_str();
}

int Main(int argc, char** argv) {
  CLI::App app("Makes, loads and asks the DevOps table of bench/compare.");
  app.require_subcommand(1);
  ToolOptions options;
  CLI::App* csv = app.add_subcommand("csv", "write the rows as CSV");
  AddDataFlags(*csv, &options);
  csv->add_option("--out", options.out)->required();
  CLI::App* load = app.add_subcommand("load", "write the rows through WriteRecords");
  AddDataFlags(*load, &options);
  cli::AddClientFlags(*load, &options.client);
  load->add_option("--database", options.database)->capture_default_str();
  load->add_option("--table", options.table)->capture_default_str();
  load->add_option("--shape", options.shape)->check(CLI::IsMember({"multi", "single"}))->capture_default_str();
  CLI::App* rest = app.add_subcommand("rest", "let rows older than an hour move into the magnetic store");
  cli::AddClientFlags(*rest, &options.client);
  rest->add_option("--database", options.database)->capture_default_str();
  rest->add_option("--table", options.table)->capture_default_str();
  CLI::App* ask = app.add_subcommand("ask", "answer queries from standard input");
  cli::AddClientFlags(*ask, &options.client);
  CLI11_PARSE(app, argc, argv);
  options.data.kind = options.kind == "int"    ? ValueKind::kWhole
                      : options.kind == "dec2" ? ValueKind::kDecimal2
                                               : ValueKind::kDouble;
  const Status status = csv->parsed()    ? PrintCsv(options)
                        : load->parsed() ? Load(options)
                        : rest->parsed() ? Rest(options)
                                         : Ask(options);
  if (!status.ok()) {
    fmt::print(stderr, "tideline_devops: {}\n", MessageOf(status));
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace tideline::bench

int main(int argc, char** argv) { return tideline::bench::Main(argc, argv); }
