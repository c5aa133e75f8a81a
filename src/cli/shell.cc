#include "cli/shell.h"

#include <algorithm>

#include "cli/completer.h"
#include "cli/line_editor.h"
#include "cli/output.h"
#include "cli/server_names.h"
#include "cli/statement_text.h"

namespace tideline::cli {
namespace {

constexpr std::string_view kShellHelp =
    "Statements end with ';' and may span lines. ^C drops what is typed, or cancels what runs. TAB completes\n"
    "keywords, functions and names. Also, each on a line of its own:\n"
    "  \\q             leave; so do exit and quit where a statement would begin, and ^D\n"
    "  \\d             list databases\n"
    "  \\d DATABASE    list its tables\n"
    "  \\d DB.TABLE    describe a table\n"
    "  \\f FORMAT      table, csv or json\n"
    "  \\?, \\h         this text; so does help where a statement would begin\n";

constexpr std::string_view kOpenHint = "A statement is open: end it with ';', drop it with ^C, or leave with \\q.\n";

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// A word of the shell's own, in any case, with or without ';'.
std::string WordOf(std::string_view line) {
  std::string word(Trimmed(line));
  while (!word.empty() && word.back() == ';') word.pop_back();
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return word;
}

const char* PromptFor(OpenText open) {
  switch (open) {
    case OpenText::kText:
      return "       '> ";
    case OpenText::kName:
      return "       \"> ";
    case OpenText::kComment:
      return "      /*> ";
    case OpenText::kNothing:
    case OpenText::kStatement:
      break;
  }
  return "      ... ";
}

class Shell {
 public:
  Shell(SqlRunner& runner, const ClientOptions& client)
      : runner_(runner),
        names_(client),
        editor_([this](std::string_view before, std::string_view after) {
          return Complete(pending_ + std::string(before), after, names_);
        }) {}

  void Run() {
    std::string line;
    while (true) {
      const char* prompt = pending_.empty() ? "tideline> " : PromptFor(ScanStatement(pending_).open);
      const LineEditor::Input input = editor_.ReadLine(prompt, &line);
      if (input == LineEditor::Input::kInterrupted) {
        pending_.clear();
      } else if (input == LineEditor::Input::kEnd) {
        Put("\n");
        return;
      } else if (!TakeLine(line)) {
        return;
      }
    }
  }

 private:
  // False to leave.
  bool TakeLine(const std::string& line) {
    const std::string word = WordOf(line);
    if (word == "\\q") return false;
    if (word == "\\?" || word == "\\h") {
      Put(kShellHelp);
      return true;
    }
    const bool is_word = word == "help" || word == "exit" || word == "quit";
    if (pending_.empty() && is_word) {
      if (word != "help") return false;
      Put(kShellHelp);
      return true;
    }
    if (pending_.empty() && line.starts_with('\\')) {
      editor_.AddHistory(line);
      RunCommand(Trimmed(line));
      return true;
    }
    if (is_word) Put(kOpenHint);  // may be a name in the statement all the same
    pending_ += line;
    pending_ += '\n';
    RunPending();
    return true;
  }

  void RunPending() {
    std::size_t end = 0;
    while ((end = ScanStatement(pending_).end) != std::string::npos) {
      const std::string statement = pending_.substr(0, end);
      pending_.erase(0, end);
      editor_.AddHistory(statement);
      if (RunStatement(statement) == RunOutcome::kCancelled) pending_.clear();
    }
    if (IsBlankStatement(pending_)) pending_.clear();
  }

  RunOutcome RunStatement(std::string_view statement) {
    const RunOutcome outcome = runner_.RunScript(statement);
    // It may have failed for a name that is new, or gone.
    if (outcome == RunOutcome::kFailed) names_.Forget();
    return outcome;
  }

  void RunCommand(std::string_view line) {
    const std::string_view command = line.substr(0, line.find(' '));
    const std::string_view argument = Trimmed(line.substr(command.size()));
    if (command == "\\d" && argument.empty()) {
      RunStatement("SHOW DATABASES");
    } else if (command == "\\d" && argument.find('.') == std::string_view::npos) {
      const bool quoted = argument.starts_with('"');
      RunStatement(fmt::format("SHOW TABLES FROM {}{}{}", quoted ? "" : "\"", argument, quoted ? "" : "\""));
    } else if (command == "\\d") {
      RunStatement(fmt::format("DESCRIBE {}", argument));
    } else if (command == "\\f") {
      const Result<OutputFormat> format = ParseOutputFormat(argument);
      if (format.ok()) {
        runner_.set_format(*format);
      } else {
        fmt::print(stderr, "error: {}\n", MessageOf(format.status()));
      }
    } else {
      fmt::print(stderr, "error: there is no command {}\n", command);
      Put(kShellHelp);
    }
  }

  SqlRunner& runner_;
  ServerNames names_;
  std::string pending_;  // the lines of a statement that has not ended
  LineEditor editor_;
};

}  // namespace

int RunShell(SqlRunner& runner, const ClientOptions& client) {
  Put(fmt::format("Connected to {}. \\? for help, \\q to leave.\n", client.endpoint));
  Shell(runner, client).Run();
  return 0;
}

}  // namespace tideline::cli
