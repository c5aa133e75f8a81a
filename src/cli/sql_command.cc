// tideline sql: a shell, statements of the command line, or a script.
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <iterator>

#include <CLI/CLI.hpp>

#include "cli/client_flags.h"
#include "cli/commands.h"
#include "cli/shell.h"
#include "cli/sql_runner.h"

namespace tideline::cli {
namespace {

/// What a shell says of a process that SIGINT ended.
constexpr int kInterruptedExit = 130;

struct SqlOptions {
  ClientOptions client;
  std::string format;  // empty: table on a terminal, else csv
  std::vector<std::string> statements;
  bool progress = true;
};

int ExitStatusOf(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kDone:
      return 0;
    case RunOutcome::kFailed:
      return 1;
    case RunOutcome::kCancelled:
      return kInterruptedExit;
  }
  return 1;
}

int RunSql(const SqlOptions& options) {
  const bool interactive = options.statements.empty() && isatty(STDIN_FILENO) != 0;
  const std::string format =
      !options.format.empty() ? options.format : isatty(STDOUT_FILENO) != 0 ? "table" : "csv";
  SqlRunnerOptions running;
  running.client = options.client;
  const Result<OutputFormat> parsed = ParseOutputFormat(format);
  if (!parsed.ok()) return Fail("", MessageOf(parsed.status()));
  running.format = *parsed;
  running.progress = options.progress && isatty(STDERR_FILENO) != 0;
  const Result<std::unique_ptr<SqlRunner>> runner = SqlRunner::Make(running);
  if (!runner.ok()) return Fail("", MessageOf(runner.status()));
  // A pipe whose reader has gone is noticed when it is written to, and what still runs is cancelled first.
  std::signal(SIGPIPE, SIG_IGN);
  if (interactive) return RunShell(**runner, options.client);
  for (const std::string& statement : options.statements) {
    const RunOutcome outcome = (*runner)->RunScript(statement);
    if (outcome != RunOutcome::kDone) return ExitStatusOf(outcome);
  }
  if (!options.statements.empty()) return 0;
  const std::string script((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  return ExitStatusOf((*runner)->RunScript(script));
}

}  // namespace

void AddSqlCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand("sql", "run SQL: a shell, a statement, or a script on stdin");
  command->footer(
      "^C cancels the query on the server: the shell goes on, anything else ends with status 130. A failed\n"
      "statement ends a script with status 1. json prints an object a row: numbers and booleans as such, but NaN\n"
      "and Infinity and all other types as text, arrays and rows as arrays, a time series as an array of\n"
      "{time, value}; of columns with one name the second is called NAME_2, and so on. The shell keeps its\n"
      "history in ~/.tideline_history.");
  auto options = std::make_shared<SqlOptions>();
  AddClientFlags(*command, &options->client);
  command->add_option("--format", options->format, "table, csv or json; default: table on a terminal, else csv");
  command->add_option("-c,--command", options->statements, "run this and leave; may repeat");
  command->add_flag_callback("--no-progress", [options] { options->progress = false; },
                             "no progress line for long queries");
  command->callback([run, options] { *run = [options] { return RunSql(*options); }; });
}

}  // namespace tideline::cli
