#include "sql/bind/bind.h"

#include "functions/cast.h"
#include "sql/bind/bind_context.h"
#include "sql/bind/catalog_statements.h"
#include "sql/bind/query_binder.h"
#include "sql/bind/unload.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

/// Types that the wire has no form for.
bool IsInternalType(const Type& type) {
  switch (type.id()) {
    case TypeId::kDecimal:
    case TypeId::kVarbinary:
    case TypeId::kJson:
    case TypeId::kMap:
      return true;
    default:
      break;
  }
  if (!type.is_nested()) return false;
  for (std::size_t i = 0; i < type.child_count(); ++i) {
    if (IsInternalType(type.child(i))) return true;
  }
  return false;
}

/// Turns what the answer cannot carry into what it can, or refuses it.
Result<BoundQuery> FitForAnswer(BoundQuery query, BindContext* context) {
  std::vector<Type> types;
  for (const ResultColumn& column : query.columns) {
    Type type = column.type;
    if (IsInternalType(type) && !context->extended()) {
      return InvalidArgument("Column '{}' has type {}, which a query cannot return", column.name, type.ToString());
    }
    if (type.is(TypeId::kDecimal)) type = Type::Double();
    types.push_back(std::move(type));
  }
  return CastColumns(std::move(query), types, context);
}

Result<BoundStatement> FinishQuery(const ast::Query& query, BindContext* context) {
  BoundQuery bound = TL_TRY(QueryBinder(*context).BindQuery(query, nullptr, true));
  bound = TL_TRY(FitForAnswer(std::move(bound), context));
  if (context->tables.empty()) TL_TRY(context->CheckAccess(AccessAction::kSelectValues, "", ""));
  BoundStatement statement;
  statement.root = std::move(bound.plan);
  statement.columns = std::move(bound.columns);
  return statement;
}

Result<BoundStatement> BindUnload(const ast::UnloadStatement& unload, BindContext* context) {
  TL_TRY(context->CheckAccess(AccessAction::kUnload, "", ""));
  BoundStatement statement = TL_TRY(FinishQuery(*unload.query, context));
  statement.kind = BoundStatementKind::kUnload;
  statement.unload = TL_TRY(BindUnloadOptions(unload, statement.columns, context->extended()));
  statement.unload.position = PlaceOf(unload.position);
  return statement;
}

Result<BoundStatement> BindAny(const ast::Statement& statement, BindContext* context);

Result<BoundStatement> BindExplain(const ast::ExplainStatement& explain, BindContext* context) {
  BoundStatement inner = TL_TRY(BindAny(*explain.statement, context));
  if (inner.kind != BoundStatementKind::kQuery && inner.kind != BoundStatementKind::kUnload) {
    return ErrorAt(explain.position, "EXPLAIN takes a query");
  }
  BoundStatement statement;
  statement.kind = BoundStatementKind::kExplain;
  statement.analyze = explain.analyze;
  statement.json = explain.format == ast::ExplainFormat::kJson;
  statement.columns.push_back({.name = "Query Plan", .type = Type::Varchar(), .column = context->NewColumn(),
                               .database = {}, .table = {}, .aliased = false});
  statement.explained = std::make_shared<BoundStatement>(std::move(inner));
  return statement;
}

Result<BoundStatement> BindAny(const ast::Statement& statement, BindContext* context) {
  switch (statement.kind) {
    case ast::StatementKind::kQuery:
      return FinishQuery(*As<ast::QueryStatement>(statement).query, context);
    case ast::StatementKind::kShow:
      return BindShow(As<ast::ShowStatement>(statement), context);
    case ast::StatementKind::kDescribe:
      return BindDescribe(As<ast::DescribeStatement>(statement), context);
    case ast::StatementKind::kUnload:
      return BindUnload(As<ast::UnloadStatement>(statement), context);
    case ast::StatementKind::kExplain:
      return BindExplain(As<ast::ExplainStatement>(statement), context);
    case ast::StatementKind::kDelete:
      return QueryBinder(*context).BindDelete(As<ast::DeleteStatement>(statement));
  }
  return Internal("statement of unknown kind {}", static_cast<int>(statement.kind));
}

}  // namespace

std::string_view AccessActionName(AccessAction action) {
  switch (action) {
    case AccessAction::kSelect:
      return "timestream:Select";
    case AccessAction::kSelectValues:
      return "timestream:SelectValues";
    case AccessAction::kListDatabases:
      return "timestream:ListDatabases";
    case AccessAction::kListTables:
      return "timestream:ListTables";
    case AccessAction::kListMeasures:
      return "timestream:ListMeasures";
    case AccessAction::kDescribeTable:
      return "timestream:DescribeTable";
    case AccessAction::kUnload:
      return "timestream:Unload";
    case AccessAction::kDeleteRows:
      return "timestream:DeleteRows";
  }
  return {};
}

Result<BoundStatement> BindStatement(const ast::Statement& statement, const CatalogView& catalog,
                                     const BindOptions& options) {
  BindContext context(catalog, options);
  BoundStatement bound = TL_TRY(BindAny(statement, &context));
  bound.tables = std::move(context.tables);
  bound.parameters = std::move(context.parameters);
  bound.access = std::move(context.access);
  bound.reusable = context.reusable;
  bound.node_count = context.expr_count + context.column_count;
  bound.column_count = context.column_count;
  return bound;
}

}  // namespace tideline::sql
