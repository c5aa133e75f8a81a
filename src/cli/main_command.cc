#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/version.h"

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

int Main(int argc, char** argv) {
  CLI::App app("Tideline: a time-series database compatible with the Amazon Timestream for "
               "LiveAnalytics API",
               "tideline");
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
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return run ? run() : 0;
}

}  // namespace tideline::cli
