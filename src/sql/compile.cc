#include "sql/compile.h"

#include <algorithm>

#include "sql/plan/print_json.h"
#include "sql/plan/scan_node.h"
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

/// Storage must be able to tell the rows of a DELETE by series and time alone.
Status CheckDelete(const PlanNode& root) {
  if (root.kind() == PlanKind::kValues) return OkStatus();  // the condition is never true
  const auto* scan = root.kind() == PlanKind::kScan ? static_cast<const ScanNode*>(&root) : nullptr;
  const bool exact = scan != nullptr && scan->spec().residual == nullptr && !scan->spec().limit_hint.has_value() &&
                     std::all_of(scan->spec().series_predicates.begin(), scan->spec().series_predicates.end(),
                                 [](const SeriesPredicate& predicate) { return predicate.exact; });
  if (exact) return OkStatus();
  return InvalidArgument(
      "DELETE takes conditions on one dimension, measure_name or time each, joined by AND, that cannot fail; split "
      "what mixes them into several statements");
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
  if (bound.kind == BoundStatementKind::kDelete) {
    // The rules are what tells series and times apart, so they always run.
    const OptimizeOptions always{true, optimize.now, optimize.compat_profile, nullptr};
    bound.root = TL_TRY(Optimize(std::move(bound.root), always, &bound.column_count));
    TL_TRY(CheckDelete(*bound.root));
    return bound;
  }
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
