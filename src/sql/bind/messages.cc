#include "sql/bind/messages.h"

#include <algorithm>

namespace tideline::sql {

namespace {

/// Names further apart than this share of their length are no misspelling of each other.
constexpr std::size_t kHintDistanceShare = 3;
constexpr std::size_t kHintsMax = 3;
/// Longer names are not compared: the table below is quadratic.
constexpr std::size_t kHintNameBytesMax = 128;

char LowerChar(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1,
                         diagonal + (LowerChar(a[i - 1]) == LowerChar(b[j - 1]) ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

Status NotSupportedYet(const ast::SourcePosition& at, std::string_view construct) {
  return Unimplemented("line {}:{}: {} is not supported yet", at.line, at.column, construct);
}

std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > kHintNameBytesMax) return {};
  std::vector<std::pair<std::size_t, std::string_view>> near;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kHintNameBytesMax) continue;
    const std::size_t distance = EditDistance(name, candidate);
    if (distance <= std::max(name.size(), candidate.size()) / kHintDistanceShare) {
      near.emplace_back(distance, candidate);
    }
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  if (near.empty()) return {};
  std::string out = "; did you mean ";
  for (std::size_t i = 0; i < near.size() && i < kHintsMax; ++i) {
    if (i > 0) out += " or ";
    out += fmt::format("'{}'", near[i].second);
  }
  return out + "?";
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
