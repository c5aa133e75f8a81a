#include "cli/error_excerpt.h"

#include <algorithm>
#include <cstdio>

#include "functions/utf8.h"

namespace tideline::cli {
namespace {

bool FindPosition(std::string_view message, std::size_t* line, std::size_t* column) {
  const std::size_t at = message.find("line ");
  if (at == std::string_view::npos) return false;
  const std::string place(message.substr(at, 64));
  return std::sscanf(place.c_str(), "line %zu:%zu", line, column) == 2 && *line != 0 && *column != 0;
}

}  // namespace

std::string ErrorExcerpt(std::string_view message, std::string_view statement) {
  std::size_t line = 0;
  std::size_t column = 0;
  if (!FindPosition(message, &line, &column)) return {};
  for (std::size_t i = 1; i < line; ++i) {
    const std::size_t end = statement.find('\n');
    if (end == std::string_view::npos) return {};
    statement.remove_prefix(end + 1);
  }
  std::string_view text = statement.substr(0, statement.find('\n'));
  const std::size_t count = functions::Utf8Count(text);
  if (column > count + 1) return {};
  std::size_t start = 0;
  std::size_t end = count;
  if (count > kExcerptCharactersMax) {
    start = column - 1 - std::min(column - 1, kExcerptCharactersMax / 2);
    start = std::min(start, count - kExcerptCharactersMax);
    end = start + kExcerptCharactersMax;
  }
  text.remove_prefix(functions::Utf8Prefix(text, start));
  std::string shown(text.substr(0, functions::Utf8Prefix(text, end - start)));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  if (start > 0) shown.insert(0, "…");
  if (end < count) shown += "…";
  return "  " + shown + "\n  " + std::string(column - 1 - start + (start > 0 ? 1 : 0), ' ') + "^\n";
}

}  // namespace tideline::cli
