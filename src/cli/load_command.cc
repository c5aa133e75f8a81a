// tideline load: writes a CSV file to a table.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "cli/api_load_sink.h"
#include "cli/client_flags.h"
#include "cli/commands.h"
#include "cli/csv_loader.h"
#include "cli/offline_load_sink.h"
#include "cli/output.h"

namespace tideline::cli {
namespace {

struct LoadOptions {
  ClientOptions client;
  CsvLoaderOptions loader;
  LoadTarget target;
  std::vector<std::string> types;  // COLUMN=TYPE
  bool skip_empty_rows = false;
  bool offline = false;
  std::map<std::string, std::string> settings;  // of an offline load: what flags say
  std::string config;
};

Status OpenFile(const std::string& path, std::ifstream* file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return InvalidArgument("{} is a directory", path);
  file->open(path);
  if (!*file) return NotFound("{} cannot be read: {}", path, std::strerror(errno));
  return OkStatus();
}

void PrintRowsWithoutValues(const std::string& file, const LoadCounts& counts) {
  if (counts.without_values == 0) return;
  fmt::print(stderr, "{}: {} row{} without any measure value {} not stored: line{} {}{}\n", file, counts.without_values,
             counts.without_values == 1 ? "" : "s", counts.without_values == 1 ? "is" : "are",
             counts.without_values == 1 ? "" : "s", fmt::join(counts.lines_without_values, ", "),
             counts.without_values > counts.lines_without_values.size() ? ", ..." : "");
}

Result<std::unique_ptr<LoadSink>> MakeSink(const LoadOptions& given, LoadTarget target) {
  if (given.offline) {
    server::Settings settings =
        TL_TRY(server::LoadSettings(given.settings, server::ProcessEnvironment(), given.config));
    SetLogLevel(LogLevel::kWarning);
    return std::make_unique<OfflineLoadSink>(std::move(settings), std::move(target));
  }
  ApiClient client = TL_TRY(ApiClient::Connect(given.client));
  return std::make_unique<ApiLoadSink>(std::move(client), std::move(target));
}

int Load(const LoadOptions& given) {
  CsvLoaderOptions options = given.loader;
  Result<std::map<std::string, std::string>> types = ParseTypeFlags(given.types);
  if (!types.ok()) return Fail("", MessageOf(types.status()));
  options.columns.types = *std::move(types);
  const bool is_stdin = options.file == "-";
  std::ifstream file;
  if (is_stdin) {
    options.file = "stdin";
  } else if (const Status opened = OpenFile(options.file, &file); !opened.ok()) {
    return Fail("", MessageOf(opened));
  }
  LoadTarget target = given.target;
  if (target.measure_name.empty()) target.measure_name = target.table;
  if (!options.columns.time_unit.empty()) target.time_unit = options.columns.time_unit;
  Result<std::unique_ptr<LoadSink>> sink = MakeSink(given, target);
  if (!sink.ok()) return Fail("", MessageOf(sink.status()));
  CsvLoader loader(**sink, options);
  const Status done = loader.Load(is_stdin ? std::cin : file);
  const LoadCounts& counts = loader.counts();
  PrintRowsWithoutValues(options.file, counts);
  if (!done.ok()) {
    Fail("", MessageOf(done));
    fmt::print(stderr, "{}.{}: {} rows are stored already, {} rejected\n", target.database, target.table,
               counts.written, counts.rejected);
    return 1;
  }
  Put(fmt::format("{}.{}: {} rows written, {} rejected, {} without values\n", target.database, target.table,
                  counts.written, counts.rejected, counts.without_values));
  // The sink has finished and the process ends: freeing what a million series hold would take half a second.
  [[maybe_unused]] static const LoadSink* const left_to_the_system = sink->release();
  return counts.rejected == 0 && (counts.without_values == 0 || given.skip_empty_rows) ? 0 : 1;
}

void AddOfflineFlags(CLI::App& command, LoadOptions* options) {
  CLI::Option* offline = command.add_flag(
      "--offline", options->offline, "write straight into the data directory of --data-dir, on which no server may run");
  for (const char* online : {"--endpoint", "--access-key-id", "--secret-access-key", "--region", "--profile", "--ca-file",
                             "--insecure"}) {
    offline->excludes(command.get_option(online));
  }
  command.get_option("--data-dir")
      ->description("where a server on this machine keeps its root key; with --offline: what is written to");
  command
      .add_option_function<std::string>(
          "--key-file", [options](const std::string& path) { options->settings["key-file"] = path; },
          "with --offline: file with the master keys [DATA-DIR/master-key]")
      ->needs(offline);
  command.add_option("--config", options->config, "with --offline: settings file; default: tideline.toml if it is there")
      ->needs(offline);
}

}  // namespace

void AddLoadCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand(
      "load", "write a CSV file to a table: one MULTI record a row, through a server or with none");
  command->footer(
      "The file is UTF-8, with a byte order mark or without, and its first line names the columns. The time and\n"
      "the dimensions are told by flags; every other column is a measure, and an empty field is no value. Header\n"
      "and first rows are read before anything is created or written; loading a file again changes nothing.\n"
      "The exit status is 0 when every row is stored, else 1: a row was rejected or has no measure value at all\n"
      "(both are counted and told by line, and the others are stored), or an error ended the work.\n"
      "With --offline the rows go straight into a data directory that no server runs on, many times as fast. The same\n"
      "rules hold; settings are those that serve would find in tideline.toml and TIDELINE_ variables.");
  auto options = std::make_shared<LoadOptions>();
  CsvLoaderOptions& loader = options->loader;
  LoadTarget& target = options->target;
  AddClientFlags(*command, &options->client);
  AddOfflineFlags(*command, options.get());
  command->add_option("file", loader.file, "CSV with a header line; - for stdin")->required();
  command->add_option("--database", target.database, "target database")->required();
  command->add_option("--table", target.table, "target table")->required();
  command->add_option("--time-column", loader.columns.time_column, "column with the time")->capture_default_str();
  command->add_option("--time-unit", loader.columns.time_unit,
                      "unit of a whole number there; without it the column holds dates (2024-01-31 10:00:00)")
      ->check(CLI::IsMember({"SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"}));
  command->add_option("--dimensions", loader.columns.dimensions, "columns that become dimensions")->delimiter(',');
  command->add_option("--type", options->types,
                      fmt::format("COLUMN=double|bigint|boolean|varchar|timestamp; default: double when every value of "
                                  "the first {} rows is a number, else varchar",
                                  kRowsInferred));
  command->add_option("--measure-name", target.measure_name, "default: the table's name");
  command->add_option("--separator", loader.separator, "field separator")->capture_default_str();
  command->add_flag("--skip-empty-rows", options->skip_empty_rows,
                    "rows without any measure value do not count as a failure");
  command->add_flag("--create", target.create, "create database and table if they are missing");
  command->add_option("--memory-hours", target.memory_hours, "with --create: memory store retention")
      ->check(CLI::Range(1, 8'766))
      ->capture_default_str();
  command->add_option("--magnetic-days", target.magnetic_days, "with --create: magnetic store retention")
      ->check(CLI::Range(1, 73'000))
      ->capture_default_str();
  command->callback([run, options, command] {
    if (command->count("--data-dir") > 0) options->settings["data-dir"] = options->client.data_dir;
    *run = [options] { return Load(*options); };
  });
}

}  // namespace tideline::cli
