#include "sql/bind/query_binder.h"

#include <algorithm>

#include "functions/cast.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/limit_node.h"
#include "sql/plan/project_node.h"
#include "sql/plan/set_operation_node.h"
#include "sql/plan/sort_node.h"
#include "sql/plan/topn_node.h"
#include "sql/plan/values_node.h"
#include "sql/plan/window_node.h"

namespace tideline::sql {

namespace {

/// A column list like `columns` with new ids, for a node that makes them anew.
std::vector<OutputColumn> FreshOutputs(const std::vector<ResultColumn>& columns, BindContext* context) {
  std::vector<OutputColumn> outputs;
  outputs.reserve(columns.size());
  for (const ResultColumn& column : columns) outputs.push_back({context->NewColumn(), column.name, column.type});
  return outputs;
}

std::vector<ColumnRef> RefsOf(const std::vector<ResultColumn>& columns) {
  std::vector<ColumnRef> refs;
  refs.reserve(columns.size());
  for (const ResultColumn& column : columns) refs.push_back(column.column);
  return refs;
}

/// Columns named as in `columns`, standing for `outputs`; no longer columns of a table.
std::vector<ResultColumn> ComputedColumns(const std::vector<ResultColumn>& columns,
                                          const std::vector<OutputColumn>& outputs) {
  std::vector<ResultColumn> out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out.push_back({.name = columns[i].name, .type = outputs[i].type, .column = outputs[i].column,
                   .database = {}, .table = {}, .aliased = columns[i].aliased});
  }
  return out;
}

/// SELECT DISTINCT over the first `count` outputs of `plan`.
PlanNodePtr DistinctOf(PlanNodePtr plan, std::size_t count) {
  std::vector<AggregateNode::Key> keys;
  for (std::size_t i = 0; i < count; ++i) {
    const OutputColumn& output = plan->outputs()[i];
    keys.push_back({output, MakeColumn(output.column, output.type, output.name)});
  }
  return std::make_shared<AggregateNode>(std::move(plan), std::move(keys), std::vector<AggregateCall>{});
}

std::string_view SetOperatorName(ast::SetOperator op) {
  switch (op) {
    case ast::SetOperator::kUnion:
      return "UNION";
    case ast::SetOperator::kIntersect:
      return "INTERSECT";
    case ast::SetOperator::kExcept:
      return "EXCEPT";
  }
  return {};
}

std::vector<ProjectNode::Item> ItemsOf(const std::vector<ResultColumn>& columns) {
  std::vector<ProjectNode::Item> items;
  for (const ResultColumn& column : columns) {
    items.push_back({{column.column, column.name, column.type}, MakeColumn(column.column, column.type, column.name)});
  }
  return items;
}

/// `query` with one more column, a number from 1 for each row among those that are equal.
Result<BoundQuery> NumberEquals(BoundQuery query, BindContext* context) {
  WindowCall call;
  call.window = context->registry.FindWindow("row_number");
  if (call.window == nullptr) return Internal("window function row_number is not registered");
  call.output = {context->NewColumn(), "number", Type::Bigint()};
  WindowNode::Spec spec;
  spec.partition = RefsOf(query.columns);
  query.columns.push_back({.name = call.output.name, .type = call.output.type, .column = call.output.column,
                           .database = {}, .table = {}, .aliased = false});
  query.plan = std::make_shared<WindowNode>(std::move(query.plan), std::move(spec), std::vector<WindowCall>{call});
  return query;
}

Result<AggregateCall> MarkerCall(std::string_view name, const OutputColumn& marker, BindContext* context) {
  const functions::AggregateFunction* function = context->registry.FindAggregate(name);
  if (function == nullptr) return Internal("aggregate {} is not registered", name);
  const Type types[] = {marker.type};
  const int arity[] = {0};
  const functions::ResolvedTypes resolved =
      TL_TRY(functions::ResolveOverload(name, context->registry.SignaturesOf(*function), types, arity));
  AggregateCall call;
  call.output = {context->NewColumn(), std::string(name), marker.type};
  call.function = function;
  call.overload = resolved.overload;
  call.arguments = {MakeColumn(marker.column, marker.type, marker.name)};
  return call;
}

}  // namespace

Status CheckOrderable(const ast::Expr& at, const Type& type) {
  if (type.is_orderable() || type.is(TypeId::kUnknown)) return OkStatus();
  return ErrorAt(at.position, "Type {} is not orderable, and therefore cannot be used in ORDER BY", type.ToString());
}

PlanNodePtr ApplyOrderAndLimit(const ast::Query& query, PlanNodePtr plan, std::vector<SortKey> keys,
                               bool outermost) {
  const bool limited =
      query.limit_kind == ast::LimitKind::kLimit || query.limit_kind == ast::LimitKind::kFetchFirst;
  const std::int64_t offset = query.offset.value_or(0);
  if (limited && query.with_ties && !keys.empty()) {
    return std::make_shared<TopNNode>(std::move(plan), std::move(keys), query.limit, offset, true);
  }
  // Below the outermost query an order says only which rows a limit takes.
  if (!keys.empty() && (outermost || limited || offset > 0)) {
    plan = std::make_shared<SortNode>(std::move(plan), std::move(keys));
  }
  if (!limited && offset == 0) return plan;
  return std::make_shared<LimitNode>(std::move(plan), limited ? std::optional(query.limit) : std::nullopt, offset);
}

BoundQuery CastColumns(BoundQuery query, const std::vector<Type>& types, BindContext* context) {
  bool same = true;
  for (std::size_t i = 0; i < types.size(); ++i) same = same && query.columns[i].type == types[i];
  if (same) return query;
  std::vector<ProjectNode::Item> items;
  std::vector<ResultColumn> columns;
  for (std::size_t i = 0; i < types.size(); ++i) {
    ResultColumn column = query.columns[i];
    ExprPtr expr = MakeColumn(column.column, column.type, column.name);
    if (!(column.type == types[i])) {
      expr = MakeCast(std::move(expr), types[i]);
      column.column = context->NewColumn();
      column.type = types[i];
      column.database.clear();
      column.table.clear();
    }
    items.push_back({{column.column, column.name, column.type}, std::move(expr)});
    columns.push_back(std::move(column));
  }
  return {std::make_shared<ProjectNode>(std::move(query.plan), std::move(items)), std::move(columns)};
}

BoundRelation RelationOfQuery(BoundQuery query) {
  BoundRelation relation;
  for (ResultColumn& column : query.columns) {
    relation.columns.push_back({.name = column.name,
                                .relation = {},
                                .expr = MakeColumn(column.column, column.type, column.name),
                                .in_star = true,
                                .database = std::move(column.database),
                                .table = std::move(column.table),
                                .aliased = column.aliased});
  }
  relation.plan = std::move(query.plan);
  return relation;
}

Result<BoundQuery> QueryBinder::BindQuery(const ast::Query& query, const WithScope* with, bool outermost) {
  // Each name is checked where it is made, used or not, and sees the names before it.
  std::vector<std::unique_ptr<WithScope>> scopes;
  for (const ast::CommonTableExpr& cte : query.with) {
    for (const auto& earlier : scopes) {
      if (EqualsIgnoreCase(earlier->cte->name.text, cte.name.text)) {
        return ErrorAt(cte.name.position, "WITH query name '{}' specified more than once", cte.name.text);
      }
    }
    BoundQuery bound = TL_TRY(BindQuery(*cte.query, with, false));
    if (!cte.column_aliases.empty() && cte.column_aliases.size() != bound.columns.size()) {
      return ErrorAt(cte.name.position, "Column alias list has {} entries but '{}' has {} columns available",
                     cte.column_aliases.size(), cte.name.text, bound.columns.size());
    }
    auto scope = std::make_unique<WithScope>();
    scope->outer = with;
    scope->cte = &cte;
    scope->first = std::move(bound);
    with = scope.get();
    scopes.push_back(std::move(scope));
  }
  BoundQuery bound = TL_TRY(BindBodyAndOrder(query, with, outermost));
  TL_TRY(CheckDepth(*bound.plan));
  return bound;
}

Status CheckDepth(const PlanNode& plan) {
  if (plan.depth() <= kPlanDepthMax) return OkStatus();
  return ResourceExhausted("The query is too complex: its plan is more than {} operations deep", kPlanDepthMax);
}

Result<BoundQuery> QueryBinder::BindBodyAndOrder(const ast::Query& query, const WithScope* with, bool outermost) {
  if (query.with_ties && query.order_by.empty()) {
    return ErrorAt(query.position, "FETCH FIRST WITH TIES clause requires ORDER BY");
  }
  if (query.body->kind == ast::QueryBodyKind::kSelect) {
    return BindSelect(As<ast::SelectBody>(*query.body), &query, with, outermost);
  }
  BoundQuery bound = TL_TRY(BindBody(*query.body, with));
  return OrderByOutputs(query, std::move(bound), outermost);
}

Result<BoundQuery> QueryBinder::OrderByOutputs(const ast::Query& query, BoundQuery bound, bool outermost) {
  Scope scope;
  scope.columns = RelationOfQuery(bound).columns;
  scope.outer = outer_;
  ExpressionBinder binder(context_, scope, {.clause = "ORDER BY clause"});
  std::vector<SortKey> keys;
  std::vector<ProjectNode::Item> items;
  for (const ResultColumn& column : bound.columns) {
    const OutputColumn output{column.column, column.name, column.type};
    items.push_back({output, MakeColumn(column.column, column.type, column.name)});
  }
  const std::size_t visible = items.size();
  for (const ast::SortItem& item : query.order_by) {
    ExprPtr expr;
    if (item.expr->kind == ast::ExprKind::kIntegerLiteral) {
      const std::int64_t ordinal = As<ast::IntegerLiteral>(*item.expr).value;
      if (ordinal < 1 || ordinal > static_cast<std::int64_t>(visible)) {
        return ErrorAt(item.expr->position, "ORDER BY position {} is not in select list", ordinal);
      }
      expr = items[static_cast<std::size_t>(ordinal - 1)].expr;
    } else {
      expr = TL_TRY(binder.Bind(*item.expr));
    }
    TL_TRY(CheckOrderable(*item.expr, expr->type));
    ColumnRef key = expr->column;
    if (expr->kind != ExprKind::kColumn || !bound.plan->OutputSet().Has(expr->column)) {
      key = context_.NewColumn();
      items.push_back({{key, PrintExpr(*expr), expr->type}, expr});
    }
    keys.push_back({key, item.descending, item.nulls_first.value_or(false)});
  }
  const bool hidden = items.size() > visible;
  if (hidden) bound.plan = std::make_shared<ProjectNode>(std::move(bound.plan), items);
  bound.plan = ApplyOrderAndLimit(query, std::move(bound.plan), std::move(keys), outermost);
  if (hidden) {
    items.resize(visible);
    bound.plan = std::make_shared<ProjectNode>(std::move(bound.plan), std::move(items));
  }
  return bound;
}

Result<BoundQuery> QueryBinder::BindBody(const ast::QueryBody& body, const WithScope* with) {
  switch (body.kind) {
    case ast::QueryBodyKind::kSelect:
      return BindSelect(As<ast::SelectBody>(body), nullptr, with, false);
    case ast::QueryBodyKind::kValues:
      return BindValues(As<ast::ValuesBody>(body), with);
    case ast::QueryBodyKind::kTable:
      return BindTableBody(As<ast::TableBody>(body), with);
    case ast::QueryBodyKind::kSetOperation:
      return BindSetOperation(As<ast::SetOperationBody>(body), with);
    case ast::QueryBodyKind::kSubquery:
      return BindQuery(*As<ast::SubqueryBody>(body).query, with, false);
  }
  return Internal("query body of unknown kind {}", static_cast<int>(body.kind));
}

Result<BoundQuery> QueryBinder::BindTableBody(const ast::TableBody& table, const WithScope* with) {
  ast::TableRelation relation(table.position);
  relation.name = table.name;
  BoundRelation bound = TL_TRY(BindTableRelation(relation, with));
  BoundQuery query;
  std::vector<ProjectNode::Item> items;
  for (const ScopeColumn& column : bound.columns) {
    if (!column.in_star) continue;
    const OutputColumn output{column.expr->column, column.name, column.expr->type};
    items.push_back({output, column.expr});
    query.columns.push_back({.name = column.name, .type = output.type, .column = output.column,
                             .database = column.database, .table = column.table, .aliased = false});
  }
  query.plan = std::make_shared<ProjectNode>(std::move(bound.plan), std::move(items));
  return query;
}

Result<BoundQuery> QueryBinder::BindValues(const ast::ValuesBody& values, const WithScope* with) {
  Scope no_columns;
  no_columns.outer = outer_;
  SubqueryCollector subqueries;
  ExpressionBinder binder(context_, no_columns, {.clause = "VALUES", .subqueries = &subqueries, .with = with});
  std::vector<std::vector<ExprPtr>> rows;
  std::vector<std::size_t> first_subquery;  // of each row
  for (const ast::ExprPtr& row : values.rows) {
    std::vector<ExprPtr> cells;
    first_subquery.push_back(subqueries.items.size());
    if (row->kind == ast::ExprKind::kRow) {
      for (const ast::ExprPtr& item : As<ast::RowExpr>(*row).items) {
        ExprPtr cell = TL_TRY(binder.Bind(*item));
        cells.push_back(std::move(cell));
      }
    } else {
      ExprPtr cell = TL_TRY(binder.Bind(*row));
      cells.push_back(std::move(cell));
    }
    if (!rows.empty() && cells.size() != rows.front().size()) {
      return ErrorAt(row->position, "Values rows have mismatched sizes: {} vs {}", rows.front().size(), cells.size());
    }
    rows.push_back(std::move(cells));
  }
  BoundQuery query;
  std::vector<OutputColumn> outputs;
  for (std::size_t k = 0; k < rows.front().size(); ++k) {
    std::vector<ExprPtr> column;
    for (const std::vector<ExprPtr>& row : rows) column.push_back(row[k]);
    const std::optional<Type> common = ExpressionBinder::CommonType(column, false);
    if (!common.has_value()) {
      return ErrorAt(values.position, "Values rows have mismatched types in column {}", k + 1);
    }
    for (std::vector<ExprPtr>& row : rows) row[k] = binder.CoerceTo(row[k], *common);
    const OutputColumn output{context_.NewColumn(), fmt::format("_col{}", k), *common};
    outputs.push_back(output);
    query.columns.push_back({.name = output.name, .type = output.type, .column = output.column,
                             .database = {}, .table = {}, .aliased = false});
  }
  if (subqueries.empty()) {
    query.plan = std::make_shared<ValuesNode>(std::move(outputs), std::move(rows));
    return query;
  }
  // Rows with sub-queries are queries without FROM.
  first_subquery.push_back(subqueries.items.size());
  std::vector<PlanNodePtr> branches;
  std::vector<std::vector<ColumnRef>> inputs;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    SubqueryCollector own;
    own.items.assign(subqueries.items.begin() + static_cast<std::ptrdiff_t>(first_subquery[r]),
                     subqueries.items.begin() + static_cast<std::ptrdiff_t>(first_subquery[r + 1]));
    std::vector<ProjectNode::Item> items;
    inputs.emplace_back();
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      items.push_back({{context_.NewColumn(), outputs[k].name, outputs[k].type}, rows[r][k]});
      inputs.back().push_back(items.back().output.column);
    }
    PlanNodePtr one = std::make_shared<ValuesNode>(std::vector<OutputColumn>{}, std::vector<std::vector<ExprPtr>>(1));
    branches.push_back(std::make_shared<ProjectNode>(own.ApplyTo(std::move(one)), std::move(items)));
  }
  query.plan = std::make_shared<SetOperationNode>(std::move(branches), std::move(outputs), std::move(inputs));
  return query;
}

Result<BoundQuery> QueryBinder::BindSetOperation(const ast::SetOperationBody& operation, const WithScope* with) {
  BoundQuery left = TL_TRY(BindBody(*operation.left, with));
  BoundQuery right = TL_TRY(BindBody(*operation.right, with));
  const std::string_view name = SetOperatorName(operation.op);
  if (left.columns.size() != right.columns.size()) {
    return ErrorAt(operation.position, "{} query has different number of fields: {}, {}", name,
                   left.columns.size(), right.columns.size());
  }
  std::vector<Type> types;
  for (std::size_t i = 0; i < left.columns.size(); ++i) {
    const std::optional<Type> common = functions::CommonSuperType(left.columns[i].type, right.columns[i].type);
    if (!common.has_value()) {
      return ErrorAt(operation.position, "column {} in {} query has incompatible types: {}, {}", i + 1, name,
                     left.columns[i].type.ToString(), right.columns[i].type.ToString());
    }
    const bool compares = !operation.all || operation.op != ast::SetOperator::kUnion;
    if (compares && !common->is_comparable() && !common->is(TypeId::kUnknown)) {
      return ErrorAt(operation.position, "column {} in {} query has type {}, which cannot be compared", i + 1, name,
                     common->ToString());
    }
    types.push_back(*common);
  }
  left = CastColumns(std::move(left), types, &context_);
  right = CastColumns(std::move(right), types, &context_);
  if (operation.op == ast::SetOperator::kUnion) return FinishUnion(operation, std::move(left), std::move(right));
  if (!operation.all) return FinishByCounting(operation, std::move(left), std::move(right));
  // With its number among its equals every row is one of its kind.
  left = TL_TRY(NumberEquals(std::move(left), &context_));
  right = TL_TRY(NumberEquals(std::move(right), &context_));
  BoundQuery bound = TL_TRY(FinishByCounting(operation, std::move(left), std::move(right)));
  bound.columns.pop_back();
  bound.plan = std::make_shared<ProjectNode>(std::move(bound.plan), ItemsOf(bound.columns));
  return bound;
}

Result<BoundQuery> QueryBinder::FinishUnion(const ast::SetOperationBody& operation, BoundQuery left,
                                            BoundQuery right) {
  // a UNION b UNION c is one node: the distinct rows of distinct rows are those of all.
  PlanNodePtr rows = left.plan;
  const bool distinct_below = rows->kind() == PlanKind::kAggregate && !operation.all &&
                              As<AggregateNode>(*rows).calls().empty() &&
                              rows->child()->kind() == PlanKind::kSetOperation;
  if (distinct_below) rows = rows->child();
  std::vector<OutputColumn> outputs = FreshOutputs(left.columns, &context_);
  BoundQuery bound;
  bound.columns = ComputedColumns(left.columns, outputs);
  std::vector<PlanNodePtr> children = {left.plan};
  std::vector<std::vector<ColumnRef>> inputs = {RefsOf(left.columns)};
  if (rows->kind() == PlanKind::kSetOperation && rows->outputs().size() == outputs.size()) {
    children = rows->children();
    inputs = As<SetOperationNode>(*rows).inputs();
  }
  children.push_back(right.plan);
  inputs.push_back(RefsOf(right.columns));
  bound.plan = std::make_shared<SetOperationNode>(std::move(children), std::move(outputs), std::move(inputs));
  TL_TRY(CheckDepth(*bound.plan));
  if (!operation.all) bound.plan = DistinctOf(std::move(bound.plan), bound.columns.size());
  return bound;
}

Result<BoundQuery> QueryBinder::FinishByCounting(const ast::SetOperationBody& operation, BoundQuery left,
                                                 BoundQuery right) {
  // Mark each row with the side it is from, put the sides together and look, per distinct row, at
  // the least and the greatest mark: 1 and 2 is on both sides, 1 and 1 on the left only.
  std::vector<PlanNodePtr> sides;
  std::vector<std::vector<ColumnRef>> inputs;
  for (const BoundQuery* side : {&left, &right}) {
    std::vector<ProjectNode::Item> items;
    for (const ResultColumn& column : side->columns) {
      items.push_back({{column.column, column.name, column.type}, MakeColumn(column.column, column.type, column.name)});
    }
    const OutputColumn marker{context_.NewColumn(), "side", Type::Integer()};
    items.push_back({marker, MakeConstant(Value::Integer(side == &left ? 1 : 2))});
    inputs.push_back(RefsOf(side->columns));
    inputs.back().push_back(marker.column);
    sides.push_back(std::make_shared<ProjectNode>(side->plan, std::move(items)));
  }
  std::vector<OutputColumn> outputs = FreshOutputs(left.columns, &context_);
  const OutputColumn marker{context_.NewColumn(), "side", Type::Integer()};
  BoundQuery bound;
  bound.columns = ComputedColumns(left.columns, outputs);
  std::vector<AggregateNode::Key> keys;
  for (const OutputColumn& output : outputs) {
    keys.push_back({output, MakeColumn(output.column, output.type, output.name)});
  }
  outputs.push_back(marker);
  PlanNodePtr both = std::make_shared<SetOperationNode>(std::move(sides), std::move(outputs), std::move(inputs));
  AggregateCall least = TL_TRY(MarkerCall("min", marker, &context_));
  AggregateCall greatest = TL_TRY(MarkerCall("max", marker, &context_));
  ExprPtr low = MakeColumn(least.output.column, marker.type, "min");
  ExprPtr high = MakeColumn(greatest.output.column, marker.type, "max");
  PlanNodePtr counted = std::make_shared<AggregateNode>(
      std::move(both), std::move(keys), std::vector<AggregateCall>{std::move(least), std::move(greatest)});
  const Scope no_columns;
  ExpressionBinder binder(context_, no_columns, {.clause = "set operation"});
  const Position at = PlaceOf(operation.position);
  ExprPtr test;
  if (operation.op == ast::SetOperator::kIntersect) {
    test = TL_TRY(binder.BindComparison("$less", "<", std::move(low), std::move(high), at));
  } else {
    test = TL_TRY(binder.BindComparison("$equal", "=", std::move(high), MakeConstant(Value::Integer(1)), at));
  }
  bound.plan = std::make_shared<FilterNode>(std::move(counted), std::move(test));
  std::vector<ProjectNode::Item> items;
  for (const ResultColumn& column : bound.columns) {
    items.push_back({{column.column, column.name, column.type}, MakeColumn(column.column, column.type, column.name)});
  }
  bound.plan = std::make_shared<ProjectNode>(std::move(bound.plan), std::move(items));
  return bound;
}

}  // namespace tideline::sql
