#include "sql/bind/bind_context.h"

namespace tideline::sql {

namespace {

std::string JoinName(const ast::QualifiedName& name) {
  std::string out;
  for (const ast::Identifier& part : name.parts) {
    if (!out.empty()) out += '.';
    out += part.text;
  }
  return out;
}

}  // namespace

Status BindContext::CountExpr() {
  if (++expr_count > kBoundExpressionsMax) {
    return ResourceExhausted("The query is too complex: more than {} expressions after WITH is expanded",
                             kBoundExpressionsMax);
  }
  if (column_count > kBoundColumnsMax) {
    return ResourceExhausted("The query is too complex: more than {} columns after WITH is expanded",
                             kBoundColumnsMax);
  }
  return OkStatus();
}

Status BindContext::CheckAccess(AccessAction action, std::string_view database, std::string_view table) {
  access.push_back({action, std::string(database), std::string(table)});
  return options.access == nullptr ? OkStatus() : options.access->Check(action, database, table);
}

void BindContext::NoteFunction(const functions::ScalarFunction& function) {
  if (function.volatility == functions::Volatility::kStable) reusable = false;
}

Result<catalog::TableSchemaPtr> BindContext::FindTable(const ast::QualifiedName& name, AccessAction action) {
  const ast::SourcePosition& at = name.position();
  if (name.parts.size() == 1) {
    return ErrorAt(at, "Table '{}' must be written as database.table", name.parts[0].text);
  }
  if (name.parts.size() > 2) {
    return ErrorAt(at, "Too many parts in table name '{}': write database.table", JoinName(name));
  }
  const std::string& database = name.parts[0].text;
  const std::string& table = name.parts[1].text;
  TL_TRY(CheckAccess(action, database, table));
  catalog::TableSchemaPtr schema = catalog.FindTable(database, table);
  if (schema == nullptr) {
    const bool known_database = catalog.HasDatabase(database);
    std::string hint;
    if (extended()) {
      hint = known_database ? NameHint(table, catalog.Tables(database))
                            : NameHint(database, catalog.Databases());
    }
    return InvalidArgument("Requested {} '{}' not found for identifier '{}' at line {}:{}{}",
                           known_database ? "table" : "database", known_database ? table : database,
                           JoinName(name), at.line, at.column, hint);
  }
  if (action != AccessAction::kSelect) return schema;
  for (const catalog::TableSchemaPtr& read : tables) {
    if (read->id == schema->id) return read;  // one state of a table for the whole statement
  }
  tables.push_back(schema);
  return schema;
}

void BindContext::NoteParameter(std::string_view name, const Type& type) {
  for (StatementParameter& parameter : parameters) {
    if (parameter.name != name) continue;
    if (parameter.type.is(TypeId::kUnknown)) parameter.type = type;
    return;
  }
  parameters.push_back({std::string(name), type});
}

}  // namespace tideline::sql
