// tideline load: writes a CSV file to a table.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/client_flags.h"
#include "cli/commands.h"
#include "cli/csv_loader.h"
#include "cli/output.h"

namespace tideline::cli {
namespace {

struct LoadOptions {
  ClientOptions client;
  CsvLoaderOptions loader;
  std::vector<std::string> types;  // COLUMN=TYPE
  bool skip_empty_rows = false;
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
  Result<ApiClient> client = ApiClient::Connect(given.client);
  if (!client.ok()) return Fail("", MessageOf(client.status()));
  CsvLoader loader(*std::move(client), options);
  const Status done = loader.Load(is_stdin ? std::cin : file);
  const LoadCounts& counts = loader.counts();
  PrintRowsWithoutValues(options.file, counts);
  if (!done.ok()) {
    Fail("", MessageOf(done));
    fmt::print(stderr, "{}.{}: {} rows are stored already, {} rejected\n", options.database, options.table,
               counts.written, counts.rejected);
    return 1;
  }
  Put(fmt::format("{}.{}: {} rows written, {} rejected, {} without values\n", options.database, options.table,
                  counts.written, counts.rejected, counts.without_values));
  return counts.rejected == 0 && (counts.without_values == 0 || given.skip_empty_rows) ? 0 : 1;
}

}  // namespace

void AddLoadCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand(
      "load", "write a CSV file to a table: one MULTI record a row, through the public API");
  command->footer(
      "The file is UTF-8, with a byte order mark or without, and its first line names the columns. The time and\n"
      "the dimensions are told by flags; every other column is a measure, and an empty field is no value. Header\n"
      "and first rows are read before anything is created or written; loading a file again changes nothing.\n"
      "The exit status is 0 when every row is stored, else 1: a row was rejected or has no measure value at all\n"
      "(both are counted and told by line, and the others are stored), or an error ended the work.");
  auto options = std::make_shared<LoadOptions>();
  CsvLoaderOptions& loader = options->loader;
  AddClientFlags(*command, &options->client);
  command->add_option("file", loader.file, "CSV with a header line; - for stdin")->required();
  command->add_option("--database", loader.database, "target database")->required();
  command->add_option("--table", loader.table, "target table")->required();
  command->add_option("--time-column", loader.columns.time_column, "column with the time")->capture_default_str();
  command->add_option("--time-unit", loader.columns.time_unit,
                      "unit of a whole number there; without it the column holds dates (2024-01-31 10:00:00)")
      ->check(CLI::IsMember({"SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"}));
  command->add_option("--dimensions", loader.columns.dimensions, "columns that become dimensions")->delimiter(',');
  command->add_option("--type", options->types,
                      fmt::format("COLUMN=double|bigint|boolean|varchar|timestamp; default: double when every value of "
                                  "the first {} rows is a number, else varchar",
                                  kRowsInferred));
  command->add_option("--measure-name", loader.measure_name, "default: the table's name");
  command->add_option("--separator", loader.separator, "field separator")->capture_default_str();
  command->add_flag("--skip-empty-rows", options->skip_empty_rows,
                    "rows without any measure value do not count as a failure");
  command->add_flag("--create", loader.create, "create database and table if they are missing");
  command->add_option("--memory-hours", loader.memory_hours, "with --create: memory store retention")
      ->capture_default_str();
  command->add_option("--magnetic-days", loader.magnetic_days, "with --create: magnetic store retention")
      ->capture_default_str();
  command->callback([run, options] { *run = [options] { return Load(*options); }; });
}

}  // namespace tideline::cli
