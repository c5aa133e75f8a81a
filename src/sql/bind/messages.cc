#include "sql/bind/messages.h"

#include <algorithm>
#include <optional>

#include "sql/parse/did_you_mean.h"

namespace tideline::sql {

namespace {

char LowerChar(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Status NotSupportedYet(const ast::SourcePosition& at, std::string_view construct) {
  return Unimplemented("line {}:{}: {} is not supported yet", at.line, at.column, construct);
}

std::string NameHint(std::string_view name, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  const std::optional<std::string_view> near = ast::DidYouMean(name, views);
  return near.has_value() ? fmt::format("; did you mean '{}'?", *near) : std::string();
}

std::string FoldCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), LowerChar);
  return out;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return LowerChar(x) == LowerChar(y); });
}

std::int32_t CodePointCount(std::string_view text) {
  return static_cast<std::int32_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace tideline::sql
