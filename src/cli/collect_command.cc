#include <csignal>

#include <CLI/CLI.hpp>

#include "cli/client_flags.h"
#include "cli/commands.h"
#include "server/collector.h"

namespace tideline::cli {
namespace {

// A collector's samples to a server over its API.
class RemoteSink final : public server::SampleSink {
 public:
  explicit RemoteSink(ApiClient client) : client_(std::move(client)) {}

  Status Prepare() override {
    std::string body;
    JsonWriter json(&body);
    json.BeginObject();
    json.Member("DatabaseName", server::kCollectorDatabase);
    json.EndObject();
    TL_TRY(IgnoreExisting(client_.Call("CreateDatabase", body).status()));
    body.pop_back();
    body += fmt::format(",\"TableName\":\"{}\"}}", server::kCollectorTable);
    return IgnoreExisting(client_.Call("CreateTable", body).status());
  }

  Status Write(TimestampNs time, std::span<const server::HostSample> samples) override {
    if (samples.empty()) return OkStatus();
    std::string body;
    JsonWriter json(&body);
    json.BeginObject();
    json.Member("DatabaseName", server::kCollectorDatabase);
    json.Member("TableName", server::kCollectorTable);
    json.Key("CommonAttributes");
    json.BeginObject();
    json.Member("Time", std::to_string(time.value));
    json.Member("TimeUnit", "NANOSECONDS");
    json.Member("MeasureValueType", "MULTI");
    json.EndObject();
    json.Key("Records");
    json.BeginArray();
    for (const server::HostSample& sample : samples) WriteSample(&json, sample);
    json.EndArray();
    json.EndObject();
    return client_.Call("WriteRecords", body).status();
  }

 private:
  static void WriteSample(JsonWriter* json, const server::HostSample& sample) {
    json->BeginObject();
    json->Member("MeasureName", sample.measure_name);
    json->Key("Dimensions");
    json->BeginArray();
    for (const auto& [name, value] : sample.dimensions) {
      json->BeginObject();
      json->Member("Name", name);
      json->Member("Value", value);
      json->EndObject();
    }
    json->EndArray();
    json->Key("MeasureValues");
    json->BeginArray();
    for (const auto& [name, value] : sample.values) {
      json->BeginObject();
      json->Member("Name", name);
      json->Member("Value", fmt::format("{}", value));
      json->Member("Type", "DOUBLE");
      json->EndObject();
    }
    json->EndArray();
    json->EndObject();
  }
  ApiClient client_;
};

struct CollectOptions {
  ClientOptions client;
  double interval_seconds = 1;
};

int Collect(const CollectOptions& options) {
  Result<ApiClient> client = ApiClient::Connect(options.client);
  if (!client.ok()) return Fail("", MessageOf(client.status()));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const server::Collector collector(std::make_unique<RemoteSink>(*std::move(client)),
                                    static_cast<std::int64_t>(options.interval_seconds * 1e9));
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace

void AddCollectCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand(
      "collect", "store this machine's metrics in table tideline.host of a server until interrupted");
  auto options = std::make_shared<CollectOptions>();
  AddClientFlags(*command, &options->client);
  command->add_option("--interval", options->interval_seconds, "seconds between samples")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  command->callback([run, options] { *run = [options] { return Collect(*options); }; });
}

}  // namespace tideline::cli
