#include "sql/compile.h"

#include "sql/plan/print_json.h"
#include "sql/plan/values_node.h"

namespace tideline::sql {

namespace {

/// The plan's text as rows of one column.
PlanNodePtr ExplainRows(const BoundStatement& explained, const ResultColumn& column, bool json) {
  std::vector<std::vector<ExprPtr>> rows;
  if (json) {
    rows.push_back({MakeConstant(Value::Varchar(PrintPlanJson(*explained.root)))});
    return std::make_shared<ValuesNode>(std::vector<OutputColumn>{{column.column, column.name, column.type}},
                                        std::move(rows));
  }
  const std::string text = PrintPlan(*explained.root, true);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    rows.push_back({MakeConstant(Value::Varchar(text.substr(start, end - start)))});
    start = end + 1;
  }
  return std::make_shared<ValuesNode>(std::vector<OutputColumn>{{column.column, column.name, column.type}},
                                      std::move(rows));
}

}  // namespace

Result<BoundStatement> CompileStatement(std::string_view text, const CatalogView& catalog,
                                        const CompileOptions& options) {
  ParseOptions parse;
  parse.profile = options.bind.profile;
  parse.allow_parameters = options.bind.allow_unbound_parameters || !options.bind.parameters.empty();
  const ast::StatementPtr statement = TL_TRY(ParseStatement(text, parse));
  return CompileStatement(*statement, catalog, options);
}

Result<BoundStatement> CompileStatement(const ast::Statement& statement, const CatalogView& catalog,
                                        const CompileOptions& options) {
  BoundStatement bound = TL_TRY(BindStatement(statement, catalog, options.bind));
  const OptimizeOptions optimize{options.optimizer_enabled, options.bind.now,
                                 options.bind.profile == Profile::kCompat, catalog.statistics()};
  if (bound.root != nullptr) bound.root = TL_TRY(Optimize(std::move(bound.root), optimize, &bound.column_count));
  if (bound.explained == nullptr) return bound;
  auto explained = std::make_shared<BoundStatement>(*bound.explained);
  explained->root = TL_TRY(Optimize(explained->root, optimize, &bound.column_count));
  explained->column_count = bound.column_count;
  explained->tables = bound.tables;
  if (!bound.analyze) bound.root = ExplainRows(*explained, bound.columns.front(), bound.json);
  bound.explained = std::move(explained);
  return bound;
}

}  // namespace tideline::sql
