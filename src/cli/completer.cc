#include "cli/completer.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "functions/registry.h"

namespace tideline::cli {
namespace {

constexpr std::string_view kKeywords[] = {
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "DISTINCT", "BETWEEN", "AND",
    "OR", "NOT", "NULL", "IS", "IN", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "END", "CAST", "WITH", "JOIN",
    "LEFT JOIN", "CROSS JOIN", "ON", "OVER", "PARTITION BY", "UNNEST", "VALUES", "EXISTS", "ROWS", "RANGE",
    "UNION", "ALL", "AS", "ASC", "DESC", "SHOW DATABASES", "SHOW TABLES", "SHOW MEASURES", "DESCRIBE",
    "EXPLAIN", "measure_name", "time", "measure_value::double", "measure_value::bigint"};

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) { return Lower(a) == Lower(b); });
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && StartsWithIgnoringCase(a, b);
}

bool IsWordStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0; }
bool IsWordPart(char c) { return IsWordStart(c) || std::isdigit(static_cast<unsigned char>(c)) != 0; }

struct Token {
  enum class Kind { kWord, kName, kDot, kOther } kind;  // kName: in double quotes
  std::string text;                                     // without quotes
  std::size_t begin, end;
  bool IsIdentifier() const { return kind == Kind::kWord || kind == Kind::kName; }
  bool Is(std::string_view keyword) const { return kind == Kind::kWord && EqualIgnoringCase(text, keyword); }
};

// Nothing when `text` ends within a text or comment. A quoted name may stay open.
std::optional<std::vector<Token>> Tokenize(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const char c = text[i];
    if (c == '\'' || text.substr(i, 2) == "--" || text.substr(i, 2) == "/*") {
      const std::string_view closing = c == '\'' ? "'" : c == '-' ? "\n" : "*/";
      const std::size_t end = text.find(closing, i + (c == '\'' ? 1 : 2));
      if (end == std::string_view::npos) return std::nullopt;
      i = end + closing.size();
      if (c == '\'') tokens.push_back({Token::Kind::kOther, "'", begin, i});
    } else if (c == '"') {
      std::string name;
      for (++i; i < text.size() && (text[i] != '"' || text.substr(i, 2) == "\"\""); ++i) {
        name += text[i];
        if (text[i] == '"') ++i;
      }
      i = std::min(i + 1, text.size());
      tokens.push_back({Token::Kind::kName, std::move(name), begin, i});
    } else if (IsWordStart(c)) {
      while (i < text.size() && IsWordPart(text[i])) ++i;
      tokens.push_back({Token::Kind::kWord, std::string(text.substr(begin, i - begin)), begin, i});
    } else {
      ++i;
      if (std::isspace(static_cast<unsigned char>(c)) == 0) {
        tokens.push_back({c == '.' ? Token::Kind::kDot : Token::Kind::kOther, std::string(1, c), begin, i});
      }
    }
  }
  return tokens;
}

bool IsKeyword(std::string_view word) {
  return std::any_of(std::begin(kKeywords), std::end(kKeywords), [&](std::string_view keyword) {
    return std::isupper(static_cast<unsigned char>(keyword.front())) != 0 &&
           EqualIgnoringCase(keyword.substr(0, keyword.find(' ')), word);
  });
}

std::string QuotedWhereNeeded(const std::string& name, bool quoted) {
  const bool plain = !name.empty() && IsWordStart(name.front()) &&
                     std::all_of(name.begin(), name.end(), [](char c) { return IsWordPart(c) && (c & 0x80) == 0; });
  if (plain && !quoted && !IsKeyword(name)) return name;
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + "\"";
}

struct TableReference {
  std::string database, table, alias;
};

// What follows FROM, JOIN or a comma as database.table [AS] alias. A comma may stand before an expression as
// well; the name source knows no such table then.
std::vector<TableReference> TablesOf(const std::vector<Token>& tokens) {
  std::vector<TableReference> tables;
  for (std::size_t i = 0; i + 3 < tokens.size(); ++i) {
    if (!tokens[i].Is("FROM") && !tokens[i].Is("JOIN") && tokens[i].text != ",") continue;
    if (!tokens[i + 1].IsIdentifier() || tokens[i + 2].kind != Token::Kind::kDot || !tokens[i + 3].IsIdentifier()) {
      continue;
    }
    TableReference table{tokens[i + 1].text, tokens[i + 3].text, {}};
    std::size_t next = i + 4;
    if (next < tokens.size() && tokens[next].Is("AS")) ++next;
    if (next < tokens.size() && tokens[next].IsIdentifier() && !IsKeyword(tokens[next].text)) {
      table.alias = tokens[next].text;
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

const std::vector<std::string>& FunctionNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    const auto& registry = functions::FunctionRegistry::Get();
    const auto add = [&](std::string_view name) {
      if (!name.starts_with('$')) all.push_back(std::string(name) + "(");
    };
    for (const auto* function : registry.scalars()) add(function->name);
    for (const auto* function : registry.aggregates()) add(function->name);
    for (const auto* function : registry.windows()) add(function->name);
    return all;
  }();
  return names;
}

// The spelling of `name` among `names`, or `name` itself.
std::string KnownSpelling(const std::vector<std::string>& names, const std::string& name) {
  const auto same = [&](const std::string& known) { return EqualIgnoringCase(known, name); };
  const auto found = std::find_if(names.begin(), names.end(), same);
  return found == names.end() ? name : *found;
}

class Collector {
 public:
  Collector(std::string_view prefix, bool quoted) : prefix_(prefix), quoted_(quoted) {}
  void AddNames(const std::vector<std::string>& names, std::string_view behind = {}) {
    for (const std::string& name : names) {
      if (!StartsWithIgnoringCase(name, prefix_)) continue;
      found_.push_back(QuotedWhereNeeded(name, quoted_) + std::string(behind));
    }
  }
  void AddWord(std::string_view word) {
    if (!quoted_ && StartsWithIgnoringCase(word, prefix_)) found_.emplace_back(word);
  }
  std::vector<std::string> Take() {
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  const std::string_view prefix_;
  const bool quoted_;
  std::vector<std::string> found_;
};

std::vector<std::string> ColumnsOf(NameSource& names, const std::string& database, const std::string& table) {
  const std::string known = KnownSpelling(names.Databases(), database);
  return names.Columns(known, KnownSpelling(names.Tables(known), table));
}

void AddUnqualified(const std::vector<Token>& before, const std::vector<TableReference>& tables,
                    std::string_view prefix, NameSource& names, Collector* found) {
  const Token* last = before.empty() ? nullptr : &before.back();
  if (last != nullptr && (last->Is("FROM") || last->Is("JOIN") || last->Is("DESCRIBE") ||
                          (last->Is("DESC") && before.size() == 1))) {
    // SHOW TABLES FROM names a database alone.
    found->AddNames(names.Databases(), before.front().Is("SHOW") ? "" : ".");
    return;
  }
  for (const TableReference& table : tables) found->AddNames(ColumnsOf(names, table.database, table.table));
  if (prefix.empty() && !tables.empty()) return;
  for (const std::string_view keyword : kKeywords) found->AddWord(keyword);
  if (prefix.empty()) return;
  for (const std::string& function : FunctionNames()) found->AddWord(function);
  found->AddNames(names.Databases());
}

}  // namespace

Completion Complete(std::string_view before, std::string_view after, NameSource& names) {
  std::optional<std::vector<Token>> tokens = Tokenize(before);
  if (!tokens.has_value()) return {};
  Completion completion;
  std::string prefix;
  bool quoted = false;
  if (!tokens->empty() && tokens->back().IsIdentifier() && tokens->back().end == before.size()) {
    prefix = tokens->back().text;
    quoted = tokens->back().kind == Token::Kind::kName;
    completion.replaced_bytes = before.size() - tokens->back().begin;
    tokens->pop_back();
  }
  // The names before it, joined by dots.
  std::vector<std::string> chain;
  while (tokens->size() >= 2 && tokens->back().kind == Token::Kind::kDot &&
         (*tokens)[tokens->size() - 2].IsIdentifier()) {
    tokens->pop_back();
    chain.insert(chain.begin(), tokens->back().text);
    tokens->pop_back();
  }
  std::vector<TableReference> tables = TablesOf(*tokens);
  if (const auto rest = Tokenize(after)) {
    for (TableReference& table : TablesOf(*rest)) tables.push_back(std::move(table));
  }
  Collector found(prefix, quoted);
  if (chain.empty()) {
    AddUnqualified(*tokens, tables, prefix, names, &found);
  } else if (chain.size() == 1) {
    const std::string database = KnownSpelling(names.Databases(), chain[0]);
    found.AddNames(names.Tables(database));
    for (const TableReference& table : tables) {
      const std::string& called = table.alias.empty() ? table.table : table.alias;
      if (EqualIgnoringCase(called, chain[0])) found.AddNames(ColumnsOf(names, table.database, table.table));
    }
  } else if (chain.size() == 2) {
    found.AddNames(ColumnsOf(names, chain[0], chain[1]));
  }
  completion.candidates = found.Take();
  return completion;
}

}  // namespace tideline::cli
