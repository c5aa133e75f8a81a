#include "cli/statement_text.h"

namespace tideline::cli {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// The end of a quoted text or comment that begins at `at`; `at` itself when none does, npos when it is open.
std::size_t SkipQuoted(std::string_view text, std::size_t at, OpenText* kind) {
  const char c = text[at];
  if (c == '\'' || c == '"') {
    *kind = c == '\'' ? OpenText::kText : OpenText::kName;
    const std::size_t close = text.find(c, at + 1);
    return close == std::string_view::npos ? close : close + 1;
  }
  if (text.substr(at, 2) == "--") {
    *kind = OpenText::kNothing;  // a line that ends with the text does no harm
    const std::size_t end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end + 1;
  }
  if (text.substr(at, 2) == "/*") {
    *kind = OpenText::kComment;
    const std::size_t end = text.find("*/", at + 2);
    return end == std::string_view::npos ? end : end + 2;
  }
  return at;
}

bool IsComment(std::string_view text, std::size_t at) {
  return text.substr(at, 2) == "--" || text.substr(at, 2) == "/*";
}

}  // namespace

StatementScan ScanStatement(std::string_view text) {
  StatementScan scan;
  for (std::size_t i = 0; i < text.size();) {
    OpenText kind = OpenText::kNothing;
    const bool comment = IsComment(text, i);
    const std::size_t next = SkipQuoted(text, i, &kind);
    if (next == std::string_view::npos) return {next, kind};
    if (next != i) {
      if (!comment) scan.open = OpenText::kStatement;
      i = next;
    } else if (text[i] == ';') {
      return {i + 1, OpenText::kNothing};
    } else {
      if (kBlanks.find(text[i]) == std::string_view::npos) scan.open = OpenText::kStatement;
      ++i;
    }
  }
  return scan;
}

bool IsBlankStatement(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    OpenText kind = OpenText::kNothing;
    if (IsComment(text, i)) {
      i = SkipQuoted(text, i, &kind);
      if (i == std::string_view::npos) return false;
    } else if (text[i] == ';' || kBlanks.find(text[i]) != std::string_view::npos) {
      ++i;
    } else {
      return false;
    }
  }
  return true;
}

std::string_view TakeStatement(std::string_view* text) {
  const std::size_t end = ScanStatement(*text).end;
  std::string_view statement = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end);
  if (end != std::string_view::npos) statement.remove_suffix(1);
  while (!statement.empty() && kBlanks.find(statement.back()) != std::string_view::npos) statement.remove_suffix(1);
  return statement;
}

}  // namespace tideline::cli
