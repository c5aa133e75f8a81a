// Sub-queries in expressions. Each becomes a join of the rows that the expression is over with the
// sub-query's rows (plan/join_node.h), and stands in the expression as the column that the join adds.
#include <algorithm>

#include "sql/bind/query_binder.h"
#include "sql/plan/free_columns.h"
#include "sql/plan/limit_node.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

ExprPtr ColumnOf(const OutputColumn& output, Position at) {
  return MakeColumn(output.column, output.type, output.name, at);
}

}  // namespace

PlanNodePtr SubqueryCollector::ApplyTo(PlanNodePtr plan) const {
  for (const Item& item : items) plan = std::make_shared<JoinNode>(std::move(plan), item.plan, item.join);
  return plan;
}

bool SubqueryCollector::IsReadBy(const Expr& expr) const {
  ColumnSet added;
  for (const Item& item : items) {
    if (item.join.kind == JoinKind::kMark) added.Add(item.join.mark.column);
    for (const OutputColumn& output : item.plan->outputs()) added.Add(output.column);
  }
  std::vector<ColumnRef> read;
  CollectColumns(expr, &read);
  return std::any_of(read.begin(), read.end(), [&](ColumnRef column) { return added.Has(column); });
}

Result<ExpressionBinder::Subquery> ExpressionBinder::BindSubquery(const ast::Query& query, Position at) {
  if (place_.in_lambda) return ErrorAt(at, "Lambda expression cannot contain subqueries");
  if (place_.subqueries == nullptr) {
    return ErrorAt(at, "{} cannot contain subqueries", place_.clause);
  }
  BoundQuery bound = TL_TRY(QueryBinder(context_, &scope_).BindQuery(query, place_.with, false));
  Subquery subquery;
  subquery.column_count = bound.columns.size();
  subquery.correlated = !FreeColumns().Of(bound.plan).empty();
  subquery.plan = std::move(bound.plan);
  return subquery;
}

ExprPtr ExpressionBinder::MakeMark(Subquery query, ExprPtr test, Position at) {
  JoinNode::Spec join;
  join.kind = JoinKind::kMark;
  join.dependent = query.correlated;
  join.test = std::move(test);
  join.mark = {context_.NewColumn(), "(sub-query)", Type::Boolean()};
  ExprPtr mark = ColumnOf(join.mark, at);
  place_.subqueries->items.push_back({std::move(query.plan), std::move(join)});
  return mark;
}

Result<ExprPtr> ExpressionBinder::BindScalarSubquery(const ast::ScalarSubquery& subquery) {
  const Position at = PlaceOf(subquery.position);
  Subquery query = TL_TRY(BindSubquery(*subquery.query, at));
  if (query.column_count != 1) {
    return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}", query.column_count);
  }
  // Under a name of its own: the plan may hand on a column that is known outside as well.
  const OutputColumn inner = query.plan->outputs()[0];
  const OutputColumn output{context_.NewColumn(), inner.name, inner.type};
  query.plan = std::make_shared<ProjectNode>(std::move(query.plan),
                                             std::vector<ProjectNode::Item>{{output, ColumnOf(inner, at)}});
  JoinNode::Spec join;
  join.kind = JoinKind::kSingle;
  join.dependent = query.correlated;
  join.at_most_one = !query.correlated;
  place_.subqueries->items.push_back({std::move(query.plan), std::move(join)});
  return ColumnOf(output, at);
}

Result<ExprPtr> ExpressionBinder::BindExists(const ast::ExistsExpr& exists) {
  const Position at = PlaceOf(exists.position);
  Subquery query = TL_TRY(BindSubquery(*exists.query, at));
  if (!query.correlated) query.plan = std::make_shared<LimitNode>(std::move(query.plan), 1, 0);
  return MakeMark(std::move(query), MakeConstant(Value::Boolean(true), at), at);
}

Result<ExprPtr> ExpressionBinder::BindInSubquery(const ast::InSubqueryExpr& in) {
  const Position at = PlaceOf(in.position);
  std::vector<ExprPtr> values;
  if (in.value->kind == ast::ExprKind::kRow) {
    for (const ast::ExprPtr& item : As<ast::RowExpr>(*in.value).items) {
      ExprPtr value = TL_TRY(Bind(*item));
      values.push_back(std::move(value));
    }
  } else {
    ExprPtr value = TL_TRY(Bind(*in.value));
    values.push_back(std::move(value));
  }
  Subquery query = TL_TRY(BindSubquery(*in.query, at));
  if (query.column_count != values.size()) {
    if (values.size() == 1) {
      return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}", query.column_count);
    }
    return ErrorAt(at, "Subquery of IN returns {} columns for {} values", query.column_count, values.size());
  }
  std::vector<ExprPtr> tests;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const OutputColumn& output = query.plan->outputs()[i];
    Result<ExprPtr> test = BindComparison("$equal", "=", values[i], ColumnOf(output, at), at);
    if (!test.ok() && CodeOf(test.status()) == ErrorCode::kInvalidArgument) {
      return ErrorAt(at, "value and result of subquery must be of the same type for IN expression: {} vs {}",
                     values[i]->type.ToString(), output.type.ToString());
    }
    if (!test.ok()) return test.status();
    tests.push_back(*std::move(test));
  }
  ExprPtr mark = MakeMark(std::move(query), MakeAnd(std::move(tests)), at);
  return in.negated ? MakeNot(std::move(mark), at, context_) : Result<ExprPtr>(std::move(mark));
}

}  // namespace tideline::sql
