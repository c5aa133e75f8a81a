// DELETE FROM table WHERE condition [DRY RUN], an extension: whole rows, by dimensions, measure_name and time.
#include <algorithm>

#include "sql/bind/query_binder.h"
#include "sql/plan/filter_node.h"

namespace tideline::sql {

Result<BoundStatement> QueryBinder::BindDelete(const ast::DeleteStatement& statement) {
  const catalog::TableSchemaPtr table = TL_TRY(context_.FindTable(statement.table, AccessAction::kDeleteRows));
  BoundRelation relation = ScanTable(table);
  Scope scope;
  scope.columns = relation.columns;
  ExpressionBinder binder(context_, scope, {.clause = "DELETE"});
  ExprPtr condition = TL_TRY(binder.Bind(*statement.where));
  if (condition->type.is(TypeId::kUnknown)) condition = binder.CoerceTo(condition, Type::Boolean());
  if (!condition->type.is(TypeId::kBoolean)) {
    return ErrorAt(statement.where->position, "WHERE clause must evaluate to a boolean: actual type {}",
                   condition->type.ToString());
  }
  std::vector<ColumnRef> read;
  CollectColumns(*condition, &read);
  for (const OutputColumn& output : relation.plan->outputs()) {
    if (std::find(read.begin(), read.end(), output.column) == read.end()) continue;
    const catalog::Column* column = table->FindColumn(output.name);
    const bool is_value = column != nullptr && (column->kind == catalog::ColumnKind::kMeasureValue ||
                                                column->kind == catalog::ColumnKind::kMultiAttribute);
    if (is_value) {
      return ErrorAt(statement.where->position,
                     "DELETE takes whole rows by dimensions, measure_name and time; '{}' is a measure", output.name);
    }
  }
  BoundStatement bound;
  bound.kind = BoundStatementKind::kDelete;
  bound.dry_run = statement.dry_run;
  bound.root = std::make_shared<FilterNode>(std::move(relation.plan), std::move(condition));
  const auto add = [&](std::string_view name, Type type) {
    bound.columns.push_back({.name = std::string(name), .type = std::move(type), .column = context_.NewColumn(),
                             .database = {}, .table = {}, .aliased = false});
  };
  add("rows", Type::Bigint());
  add("delete_id", Type::Varchar());
  add("undo_until", Type::Timestamp());
  return bound;
}

}  // namespace tideline::sql
