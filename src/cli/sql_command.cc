#include <unistd.h>

#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include <CLI/CLI.hpp>

#include "base/random.h"
#include "base/time.h"
#include "cli/client_flags.h"
#include "cli/commands.h"
#include "cli/line_editor.h"
#include "cli/result_printer.h"

namespace tideline::cli {
namespace {

struct SqlOptions {
  ClientOptions client;
  std::string format;  // empty: table on a terminal, else csv
  std::vector<std::string> statements;
  bool progress = true;
};

// Where "line L:C" of an error message points, for the caret.
bool FindPosition(std::string_view message, std::size_t* line, std::size_t* column) {
  const std::size_t at = message.find("line ");
  if (at == std::string_view::npos) return false;
  return std::sscanf(std::string(message.substr(at)).c_str(), "line %zu:%zu", line, column) == 2;
}

void PrintError(std::string_view message, std::string_view statement) {
  fmt::print(stderr, "error: {}\n", message);
  std::size_t line = 0;
  std::size_t column = 0;
  if (!FindPosition(message, &line, &column) || line == 0 || column == 0) return;
  for (std::size_t i = 1; i < line; ++i) {
    const std::size_t end = statement.find('\n');
    if (end == std::string_view::npos) return;
    statement.remove_prefix(end + 1);
  }
  fmt::print(stderr, "  {}\n  {}^\n", statement.substr(0, statement.find('\n')),
             std::string(column - 1, ' '));
}

class SqlRunner {
 public:
  SqlRunner(ApiClient client, OutputFormat format, bool progress)
      : client_(std::move(client)), format_(format), progress_(progress) {}

  // Runs one statement to its last page; false when it failed (the error is printed).
  bool Run(std::string_view statement) {
    const SteadyNs started = SystemClock().SteadyNow();
    const std::unique_ptr<ResultPrinter> printer = MakePrinter(format_);
    std::string token;
    do {
      const Result<JsonValue> page = client_.Call("Query", RequestBody(statement, token));
      ClearProgress();
      if (!page.ok()) {
        PrintError(MessageOf(page.status()), statement);
        return false;
      }
      printer->Page(*page);
      token = page->FindText("NextToken");
      if (!token.empty()) ShowProgress(*page, started);
    } while (!token.empty());
    ClearProgress();
    printer->End();
    std::fflush(stdout);
    return true;
  }

  void set_format(OutputFormat format) { format_ = format; }

 private:
  static std::string RequestBody(std::string_view statement, const std::string& token) {
    static Random random = Random::FromSystem();
    std::string body;
    JsonWriter json(&body);
    json.BeginObject();
    json.Member("QueryString", statement);
    json.Member("ClientToken", random.Uuid());
    if (!token.empty()) json.Member("NextToken", token);
    json.EndObject();
    return body;
  }
  void ShowProgress(const JsonValue& page, SteadyNs started) {
    if (!progress_) return;
    const JsonValue* status = page.Find("QueryStatus");
    const JsonValue* percent = status == nullptr ? nullptr : status->Find("ProgressPercentage");
    const JsonValue* bytes = status == nullptr ? nullptr : status->Find("CumulativeBytesScanned");
    if (percent == nullptr || bytes == nullptr) return;
    fmt::print(stderr, "\r\033[K{:.0f} % done, {:.1f} MB scanned, {:.1f} s", percent->number(),
               bytes->number() / 1e6,
               static_cast<double>(SystemClock().SteadyNow().value - started.value) / 1e9);
    shown_ = true;
  }
  void ClearProgress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
    shown_ = false;
  }

  ApiClient client_;
  OutputFormat format_;
  const bool progress_;
  bool shown_ = false;
};

// Position just behind the first ';' that ends a statement (outside quotes and comments), or npos.
std::size_t StatementEnd(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\'' || c == '"') {
      const std::size_t close = text.find(c, i + 1);
      if (close == std::string_view::npos) return close;
      i = close;
    } else if (text.substr(i, 2) == "--") {
      const std::size_t end = text.find('\n', i);
      if (end == std::string_view::npos) return end;
      i = end;
    } else if (text.substr(i, 2) == "/*") {
      const std::size_t end = text.find("*/", i + 2);
      if (end == std::string_view::npos) return end;
      i = end + 1;
    } else if (c == ';') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

// Runs every statement of `text`; what follows the last ';' counts too. Stops at the first failure.
int RunScript(SqlRunner& runner, std::string_view text) {
  while (!IsBlank(text)) {
    const std::size_t end = StatementEnd(text);
    std::string_view statement = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
    while (!statement.empty() && (statement.back() == ';' || std::isspace(statement.back()) != 0)) {
      statement.remove_suffix(1);
    }
    if (!IsBlank(statement) && !runner.Run(statement)) return 1;
  }
  return 0;
}

constexpr std::string_view kShellHelp =
    "Statements end with ';' and may span lines. Also:\n"
    "  \\q             leave\n"
    "  \\d             list databases\n"
    "  \\d DATABASE    list its tables\n"
    "  \\d DB.TABLE    describe a table\n"
    "  \\f FORMAT      table, csv or json\n"
    "  \\?             this text\n";

// Runs a line that begins with a backslash; false to leave.
bool RunShellCommand(SqlRunner& runner, std::string_view line) {
  const std::string_view command = line.substr(0, line.find(' '));
  std::string_view argument = line.substr(std::min(line.size(), command.size() + 1));
  if (command == "\\q") return false;
  if (command == "\\d" && argument.empty()) {
    runner.Run("SHOW DATABASES");
  } else if (command == "\\d" && argument.find('.') == std::string_view::npos) {
    runner.Run(fmt::format("SHOW TABLES FROM \"{}\"", argument));
  } else if (command == "\\d") {
    runner.Run(fmt::format("DESCRIBE {}", argument));
  } else if (command == "\\f") {
    const Result<OutputFormat> format = ParseOutputFormat(argument);
    if (format.ok()) {
      runner.set_format(*format);
    } else {
      fmt::print(stderr, "error: {}\n", MessageOf(format.status()));
    }
  } else {
    fmt::print("{}", kShellHelp);
  }
  return true;
}

int RunShell(SqlRunner& runner, const std::string& endpoint) {
  fmt::print("Connected to {}. \\? for help, \\q to leave.\n", endpoint);
  LineEditor editor;
  std::string pending;
  while (const std::optional<std::string> line =
             editor.ReadLine(pending.empty() ? "tideline> " : "      ... ")) {
    if (pending.empty() && line->starts_with('\\')) {
      editor.AddHistory(*line);
      if (!RunShellCommand(runner, *line)) return 0;
      continue;
    }
    pending += *line;
    pending += '\n';
    while (StatementEnd(pending) != std::string::npos) {
      const std::size_t end = StatementEnd(pending);
      const std::string statement = pending.substr(0, end);
      pending.erase(0, end);
      editor.AddHistory(statement);
      RunScript(runner, statement);
    }
    if (IsBlank(pending)) pending.clear();
  }
  return 0;
}

int RunSql(const SqlOptions& options) {
  const bool interactive = options.statements.empty() && isatty(STDIN_FILENO) != 0;
  const std::string format =
      !options.format.empty() ? options.format : isatty(STDOUT_FILENO) != 0 ? "table" : "csv";
  const Result<OutputFormat> parsed = ParseOutputFormat(format);
  if (!parsed.ok()) return Fail("", MessageOf(parsed.status()));
  Result<ApiClient> client = ApiClient::Connect(options.client);
  if (!client.ok()) return Fail("", MessageOf(client.status()));
  SqlRunner runner(*std::move(client), *parsed, options.progress && isatty(STDERR_FILENO) != 0);
  if (interactive) return RunShell(runner, options.client.endpoint);
  for (const std::string& statement : options.statements) {
    if (const int failed = RunScript(runner, statement); failed != 0) return failed;
  }
  if (!options.statements.empty()) return 0;
  const std::string script((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  return RunScript(runner, script);
}

}  // namespace

void AddSqlCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand("sql", "run SQL: a shell, a statement, or a script on stdin");
  auto options = std::make_shared<SqlOptions>();
  AddClientFlags(*command, &options->client);
  command->add_option("--format", options->format, "table, csv or json; default: table on a terminal, else csv");
  command->add_option("-c,--command", options->statements, "run this and leave; may repeat");
  command->add_flag("!--no-progress", options->progress, "no progress line for long queries");
  command->callback([run, options] { *run = [options] { return RunSql(*options); }; });
}

}  // namespace tideline::cli
