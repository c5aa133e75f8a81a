// sql/bind/bind_context.h: what is shared while one statement is bound.
#pragma once

#include <string_view>
#include <vector>

#include "functions/registry.h"
#include "sql/bind/bind.h"
#include "sql/bind/messages.h"

namespace tideline::sql {

class BindContext {
 public:
  BindContext(const CatalogView& view, const BindOptions& bind_options)
      : catalog(view), options(bind_options), registry(functions::FunctionRegistry::Get()) {}

  ColumnRef NewColumn() { return {column_count++}; }
  /// Counts one more expression; kResourceExhausted past the limits of bind.h.
  Status CountExpr();
  bool extended() const { return options.profile == Profile::kExtended; }
  Status CheckAccess(AccessAction action, std::string_view database, std::string_view table);
  /// The named table, with access checked for `action`, noted as read when that is kSelect. `name`
  /// must have two parts.
  Result<catalog::TableSchemaPtr> FindTable(const ast::QualifiedName& name, AccessAction action);
  /// Notes that the statement calls `function`.
  void NoteFunction(const functions::ScalarFunction& function);
  /// Notes that @name is used with `type` (unknown: no idea yet).
  void NoteParameter(std::string_view name, const Type& type);

  const CatalogView& catalog;
  const BindOptions& options;
  const functions::FunctionRegistry& registry;
  std::uint32_t column_count = 0;
  std::uint32_t expr_count = 0;
  std::uint32_t with_uses = 0;
  std::vector<catalog::TableSchemaPtr> tables;
  std::vector<StatementParameter> parameters;
  std::vector<AccessNeed> access;
  bool reusable = true;  ///< as in BoundStatement
};

}  // namespace tideline::sql
