#include "cli/line_editor.h"

#include <editline/readline.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "functions/registry.h"

namespace tideline::cli {
namespace {

constexpr int kHistoryEntriesMax = 1'000;

constexpr const char* kKeywords[] = {
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "DISTINCT", "BETWEEN", "AND",
    "OR", "NOT", "NULL", "IS", "IN", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "END", "CAST", "WITH",
    "UNION", "ALL", "AS", "ASC", "DESC", "SHOW DATABASES", "SHOW TABLES", "SHOW MEASURES", "DESCRIBE",
    "EXPLAIN", "measure_name", "time", "measure_value::double", "measure_value::bigint"};

std::string HistoryPath() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? std::string() : std::string(home) + "/.tideline_history";
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(text[i])) !=
        std::tolower(static_cast<unsigned char>(prefix[i]))) {
      return false;
    }
  }
  return true;
}

const std::vector<std::string>& Words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> all(std::begin(kKeywords), std::end(kKeywords));
    const auto& registry = functions::FunctionRegistry::Get();
    const auto add = [&](std::string_view name) {
      if (!name.starts_with('$')) all.push_back(std::string(name) + "(");
    };
    for (const auto* function : registry.scalars()) add(function->name);
    for (const auto* function : registry.aggregates()) add(function->name);
    for (const auto* function : registry.windows()) add(function->name);
    return all;
  }();
  return words;
}

// libedit asks again and again with a growing state until the answer is null; it frees the text.
char* NextCompletion(const char* prefix, int state) {
  static std::size_t next = 0;
  if (state == 0) next = 0;
  while (next < Words().size()) {
    const std::string& word = Words()[next++];
    if (StartsWithIgnoringCase(word, prefix)) return strdup(word.c_str());
  }
  return nullptr;
}

char** Complete(const char* text, int, int) {
  rl_attempted_completion_over = 1;
  return rl_completion_matches(text, NextCompletion);
}

}  // namespace

LineEditor::LineEditor() {
  using_history();
  stifle_history(kHistoryEntriesMax);
  rl_attempted_completion_function = Complete;
  if (const std::string path = HistoryPath(); !path.empty()) read_history(path.c_str());
}

LineEditor::~LineEditor() {
  if (const std::string path = HistoryPath(); !path.empty()) write_history(path.c_str());
}

std::optional<std::string> LineEditor::ReadLine(const char* prompt) {
  char* line = readline(prompt);
  if (line == nullptr) return std::nullopt;
  std::string text(line);
  std::free(line);
  return text;
}

void LineEditor::AddHistory(std::string_view entry) {
  std::string line(entry);
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (!line.empty()) add_history(line.c_str());
}

}  // namespace tideline::cli
