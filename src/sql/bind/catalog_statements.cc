#include "sql/bind/catalog_statements.h"

#include <algorithm>

#include "sql/plan/values_node.h"

namespace tideline::sql {

namespace {

struct NamedType {
  std::string_view name;
  Type type;
};

/// A statement that answers `rows`.
BoundStatement Answer(BoundStatementKind kind, std::vector<NamedType> columns,
                      const std::vector<std::vector<Value>>& rows, BindContext* context) {
  BoundStatement statement;
  statement.kind = kind;
  std::vector<OutputColumn> outputs;
  for (const NamedType& column : columns) {
    outputs.push_back({context->NewColumn(), std::string(column.name), column.type});
    statement.columns.push_back({.name = std::string(column.name), .type = column.type,
                                 .column = outputs.back().column, .database = {}, .table = {}, .aliased = false});
  }
  std::vector<std::vector<ExprPtr>> cells;
  for (const std::vector<Value>& row : rows) {
    std::vector<ExprPtr>& out = cells.emplace_back();
    for (const Value& value : row) out.push_back(MakeConstant(value));
  }
  statement.root = std::make_shared<ValuesNode>(std::move(outputs), std::move(cells));
  return statement;
}

std::size_t CodePointBytes(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end - at;
}

/// A pattern cut into code points, each plain or a wildcard.
struct LikeToken {
  std::string_view text;
  char wildcard = 0;  ///< '%', '_' or 0
};

Result<std::vector<LikeToken>> CutPattern(std::string_view pattern, std::string_view escape) {
  std::vector<LikeToken> tokens;
  for (std::size_t i = 0; i < pattern.size();) {
    std::size_t bytes = CodePointBytes(pattern, i);
    std::string_view point = pattern.substr(i, bytes);
    i += bytes;
    if (!escape.empty() && point == escape) {
      bytes = i < pattern.size() ? CodePointBytes(pattern, i) : 0;
      point = pattern.substr(i, bytes);
      if (point != "%" && point != "_" && point != escape) {
        return InvalidArgument("Escape character must be followed by '%', '_' or the escape character itself");
      }
      i += bytes;
      tokens.push_back({point, 0});
    } else {
      tokens.push_back({point, point == "%" || point == "_" ? point[0] : '\0'});
    }
  }
  return tokens;
}

/// What a SHOW statement's LIKE lets through; everything without one.
class LikeFilter {
 public:
  static Result<LikeFilter> Make(const std::optional<ast::LikeClause>& like) {
    LikeFilter filter;
    if (!like.has_value()) return filter;
    filter.present_ = true;
    filter.pattern_ = like->pattern;
    filter.escape_ = like->escape.value_or("");
    if (like->escape.has_value() && CodePointCount(filter.escape_) != 1) {
      return ErrorAt(like->position, "Escape string must be a single character");
    }
    const Result<bool> tried = MatchesLike("", filter.pattern_, filter.escape_);
    if (!tried.ok()) return ErrorAt(like->position, "{}", MessageOf(tried.status()));
    return filter;
  }
  bool Passes(std::string_view name) const {
    if (!present_) return true;
    const Result<bool> matches = MatchesLike(name, pattern_, escape_);
    return matches.ok() && *matches;
  }

 private:
  bool present_ = false;
  std::string pattern_;
  std::string escape_;
};

Result<BoundStatement> ShowDatabases(const LikeFilter& filter, BindContext* context) {
  TL_TRY(context->CheckAccess(AccessAction::kListDatabases, "", ""));
  std::vector<std::vector<Value>> rows;
  for (const std::string& name : context->catalog.Databases()) {
    if (filter.Passes(name)) rows.push_back({Value::Varchar(name)});
  }
  return Answer(BoundStatementKind::kShow, {{"Database", Type::Varchar()}}, rows, context);
}

Result<BoundStatement> ShowTables(const ast::ShowStatement& show, const LikeFilter& filter, BindContext* context) {
  std::vector<std::string> databases;
  if (show.from.has_value()) {
    if (show.from->parts.size() != 1) {
      return ErrorAt(show.from->position(), "SHOW TABLES FROM takes the name of a database");
    }
    const std::string& database = show.from->parts[0].text;
    TL_TRY(context->CheckAccess(AccessAction::kListTables, database, ""));
    if (!context->catalog.HasDatabase(database)) {
      const std::string hint = context->extended() ? NameHint(database, context->catalog.Databases()) : "";
      return InvalidArgument("Requested database '{}' not found for identifier '{}' at line {}:{}{}", database,
                             database, show.from->position().line, show.from->position().column, hint);
    }
    databases.push_back(database);
  } else {
    TL_TRY(context->CheckAccess(AccessAction::kListTables, "", ""));
    databases = context->catalog.Databases();
  }
  std::vector<std::vector<Value>> rows;
  for (const std::string& database : databases) {
    for (const std::string& table : context->catalog.Tables(database)) {
      if (filter.Passes(table)) rows.push_back({Value::Varchar(table)});
    }
  }
  return Answer(BoundStatementKind::kShow, {{"Table", Type::Varchar()}}, rows, context);
}

Result<BoundStatement> ShowMeasures(const ast::ShowStatement& show, const LikeFilter& filter, BindContext* context) {
  if (!show.from.has_value()) return ErrorAt(show.position, "SHOW MEASURES needs FROM database.table");
  const catalog::TableSchemaPtr table = TL_TRY(context->FindTable(*show.from, AccessAction::kListMeasures));
  const Type dimension = Type::Row({{"dimension_name", Type::Varchar()}, {"data_type", Type::Varchar()}});
  const Type dimensions = Type::Array(dimension);
  std::vector<std::vector<Value>> rows;
  for (const auto& measure : table->MeasuresByName()) {
    if (!filter.Passes(measure->name)) continue;
    std::vector<Value> items;
    for (const catalog::ColumnId id : measure->dimensions) {
      const catalog::Column* column = table->FindColumn(id);
      if (column == nullptr) return Internal("measure {} names an unknown dimension {}", measure->name, id.value);
      items.push_back(Value::Nested(dimension, {Value::Varchar(column->name), Value::Varchar("varchar")}));
    }
    rows.push_back({Value::Varchar(measure->name), Value::Varchar(std::string(catalog::MeasureTypeName(measure->type))),
                    Value::Nested(dimensions, std::move(items))});
  }
  return Answer(BoundStatementKind::kShow,
                {{"measure_name", Type::Varchar()}, {"data_type", Type::Varchar()}, {"dimensions", dimensions}}, rows,
                context);
}

Result<BoundStatement> ShowFunctions(const LikeFilter& filter, BindContext* context) {
  std::vector<std::vector<Value>> rows;
  const auto add = [&](std::string_view name, std::string_view kind, std::span<const functions::Signature> signatures,
                       const functions::FunctionDoc& doc, functions::Profile profile) {
    if (name.starts_with('$') || !filter.Passes(name)) return;
    if (profile == functions::Profile::kExtendedOnly && !context->extended()) return;
    for (const functions::Signature& signature : signatures) {
      rows.push_back({Value::Varchar(std::string(name)), Value::Varchar(std::string(signature.text)),
                      Value::Varchar(std::string(kind)), Value::Varchar(std::string(doc.summary))});
    }
  };
  const functions::FunctionRegistry& registry = context->registry;
  for (const auto* f : registry.scalars()) add(f->name, "scalar", registry.SignaturesOf(*f), f->doc, f->profile);
  for (const auto* f : registry.aggregates()) add(f->name, "aggregate", registry.SignaturesOf(*f), f->doc, f->profile);
  for (const auto* f : registry.windows()) {
    add(f->name, "window", registry.SignaturesOf(*f), f->doc, functions::Profile::kBoth);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a[0].text() < b[0].text(); });
  return Answer(BoundStatementKind::kShow,
                {{"Function", Type::Varchar()},
                 {"Signature", Type::Varchar()},
                 {"Function Type", Type::Varchar()},
                 {"Description", Type::Varchar()}},
                rows, context);
}

}  // namespace

Result<bool> MatchesLike(std::string_view text, std::string_view pattern, std::string_view escape) {
  const std::vector<LikeToken> tokens = TL_TRY(CutPattern(pattern, escape));
  // Greedy with one point to go back to: the last % seen.
  std::size_t at = 0;
  std::size_t token = 0;
  std::size_t star = tokens.size();
  std::size_t star_at = 0;
  while (at < text.size()) {
    const std::size_t bytes = CodePointBytes(text, at);
    if (token < tokens.size() && tokens[token].wildcard == '%') {
      star = token++;
      star_at = at;
    } else if (token < tokens.size() &&
               (tokens[token].wildcard == '_' || tokens[token].text == text.substr(at, bytes))) {
      ++token;
      at += bytes;
    } else if (star < tokens.size()) {
      star_at += CodePointBytes(text, star_at);
      at = star_at;
      token = star + 1;
    } else {
      return false;
    }
  }
  while (token < tokens.size() && tokens[token].wildcard == '%') ++token;
  return token == tokens.size();
}

Result<BoundStatement> BindShow(const ast::ShowStatement& show, BindContext* context) {
  const LikeFilter filter = TL_TRY(LikeFilter::Make(show.like));
  switch (show.subject) {
    case ast::ShowSubject::kDatabases:
      return ShowDatabases(filter, context);
    case ast::ShowSubject::kTables:
      return ShowTables(show, filter, context);
    case ast::ShowSubject::kMeasures:
      return ShowMeasures(show, filter, context);
    case ast::ShowSubject::kFunctions:
      return ShowFunctions(filter, context);
  }
  return Internal("SHOW of unknown subject {}", static_cast<int>(show.subject));
}

Result<BoundStatement> BindDescribe(const ast::DescribeStatement& describe, BindContext* context) {
  const catalog::TableSchemaPtr table = TL_TRY(context->FindTable(describe.table, AccessAction::kDescribeTable));
  std::vector<std::vector<Value>> rows;
  for (const catalog::Column& column : table->Columns()) {
    rows.push_back({Value::Varchar(column.name), Value::Varchar(column.type.ToString()),
                    Value::Varchar(std::string(catalog::ColumnKindName(column.kind)))});
  }
  return Answer(BoundStatementKind::kDescribe,
                {{"Column", Type::Varchar()}, {"Type", Type::Varchar()}, {"Timestream attribute type", Type::Varchar()}},
                rows, context);
}

}  // namespace tideline::sql
