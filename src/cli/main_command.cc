#include <cstdio>
#include <iostream>
#include <sstream>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/version.h"
#include "sql/parse/did_you_mean.h"

namespace tideline::cli {

int Fail(const char* what, std::string_view message) {
  fmt::print(stderr, "error: {}{}{}\n", what, *what == '\0' ? "" : ": ", message);
  return 1;
}

void AddVersionCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand("version", "print the version");
  command->callback([run] {
    *run = [] {
      fmt::print("tideline {}\n", kVersion);
      return 0;
    };
  });
}

namespace {

// CLI11 says of a wrong subcommand only that one is required.
bool IsUnknownCommand(const CLI::App& app, std::string_view word) {
  if (word.empty() || word.starts_with('-')) return false;
  std::vector<std::string_view> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return false;
    names.push_back(command->get_name());
  }
  const auto near = sql::ast::DidYouMean(word, names);
  Fail("", fmt::format("there is no subcommand '{}'{}", word.substr(0, 100),
                       near.has_value() ? fmt::format("; did you mean '{}'?", *near) : std::string()));
  fmt::print(stderr, "tideline --help lists them\n");
  return true;
}

// Output that got lost is a failure, whatever the command says.
int Finish(int status) {
  const Status written = FlushOutput();
  if (written.ok()) return status;
  Fail("", MessageOf(written));
  return status == 0 ? 1 : status;
}

// fmt::print throws when it cannot write.
int RunGuarded(const Run& run) {
  try {
    return run();
  } catch (const std::system_error& error) {
    return Fail("", error.what());
  }
}

}  // namespace

int Main(int argc, char** argv) {
  CLI::App app("Tideline: a time-series database compatible with the Amazon Timestream for "
               "LiveAnalytics API",
               "tideline");
  app.set_version_flag("--version", fmt::format("tideline {}", kVersion), "print the version");
  app.require_subcommand(1);
  Run run;
  AddServeCommand(app, &run);
  AddSqlCommand(app, &run);
  AddLoadCommand(app, &run);
  AddCollectCommand(app, &run);
  AddInspectCommand(app, &run);
  AddClockCommand(app, &run);
  AddMaintainCommand(app, &run);
  AddUndeleteCommand(app, &run);
  AddVerifyCommand(app, &run);
  AddKeysCommand(app, &run);
  AddDocsCommand(app, &run);
  AddVersionCommand(app, &run);
  if (argc > 1 && IsUnknownCommand(app, argv[1])) return 1;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    const int status = app.exit(error, out, std::cerr);
    Put(out.str());
    return Finish(status);
  }
  return Finish(run ? RunGuarded(run) : 0);
}

}  // namespace tideline::cli
