// Sub-queries in expressions. Each becomes a join of the rows that the expression is over with the
// sub-query's rows (plan/join_node.h), and stands in the expression as the column that the join adds.
#include <algorithm>

#include "sql/bind/query_binder.h"
#include "sql/plan/limit_node.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

std::string_view ComparisonFunction(ast::ComparisonOperator op) {
  constexpr std::string_view kFunctions[] = {"$equal", "$not_equal", "$less",
                                             "$less_equal", "$greater", "$greater_equal"};
  return kFunctions[static_cast<std::size_t>(op)];
}

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

Result<Decorrelated> ExpressionBinder::BindSubquery(const ast::Query& query, Position at,
                                                    std::size_t* column_count) {
  if (place_.in_lambda) return ErrorAt(at, "Lambda expression cannot contain subqueries");
  if (place_.subqueries == nullptr) {
    return NotSupportedYet({at.line, at.column, 0}, fmt::format("a sub-query in the {}", place_.clause));
  }
  BoundQuery bound = TL_TRY(QueryBinder(context_, &scope_).BindQuery(query, place_.with, false));
  *column_count = bound.columns.size();
  return Decorrelate(bound.plan, {at.line, at.column, 0}, &context_);
}

Result<ExprPtr> ExpressionBinder::MakeMark(Decorrelated query, ExprPtr test, Position at) {
  if (!query.defaults.empty()) {
    return NotSupportedYet({at.line, at.column, 0}, "a condition over a correlated aggregate");
  }
  JoinNode::Spec join;
  join.kind = JoinKind::kMark;
  join.condition = MakeAnd(std::move(query.condition));
  join.test = std::move(test);
  join.mark = {context_.NewColumn(), "(sub-query)", Type::Boolean()};
  const ExprPtr mark = ColumnOf(join.mark, at);
  place_.subqueries->items.push_back({std::move(query.plan), std::move(join)});
  return mark;
}

Result<ExprPtr> ExpressionBinder::BindScalarSubquery(const ast::ScalarSubquery& subquery) {
  const Position at = PlaceOf(subquery.position);
  std::size_t columns = 0;
  Decorrelated query = TL_TRY(BindSubquery(*subquery.query, at, &columns));
  if (columns != 1) {
    return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}", columns);
  }
  const OutputColumn output = query.plan->outputs()[0];
  ExprPtr value = ColumnOf(output, at);
  for (const auto& [column, otherwise] : query.defaults) {
    if (column != output.column) continue;
    // An aggregate over no rows is a row all the same; the join has none and says so by a null here.
    const OutputColumn present{context_.NewColumn(), "present", Type::Boolean()};
    std::vector<ProjectNode::Item> items;
    for (const OutputColumn& passed : query.plan->outputs()) items.push_back({passed, ColumnOf(passed, at)});
    items.push_back({present, MakeConstant(Value::Boolean(true), at)});
    query.plan = std::make_shared<ProjectNode>(std::move(query.plan), std::move(items));
    ExprPtr absent = MakeExpr(ExprKind::kIsNull, Type::Boolean(), {ColumnOf(present, at)}, at);
    value = MakeExpr(ExprKind::kCase, output.type, {std::move(absent), otherwise, value}, at);
    break;
  }
  JoinNode::Spec join;
  join.kind = JoinKind::kSingle;
  join.condition = MakeAnd(std::move(query.condition));
  place_.subqueries->items.push_back({std::move(query.plan), std::move(join)});
  return value;
}

Result<ExprPtr> ExpressionBinder::BindExists(const ast::ExistsExpr& exists) {
  const Position at = PlaceOf(exists.position);
  std::size_t columns = 0;
  Decorrelated query = TL_TRY(BindSubquery(*exists.query, at, &columns));
  if (query.condition.empty()) query.plan = std::make_shared<LimitNode>(std::move(query.plan), 1, 0);
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
  std::size_t columns = 0;
  Decorrelated query = TL_TRY(BindSubquery(*in.query, at, &columns));
  if (columns != values.size()) {
    if (values.size() == 1) {
      return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}", columns);
    }
    return ErrorAt(at, "Subquery of IN returns {} columns for {} values", columns, values.size());
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
  ExprPtr mark = TL_TRY(MakeMark(std::move(query), MakeAnd(std::move(tests)), at));
  return in.negated ? MakeNot(std::move(mark), at, context_) : Result<ExprPtr>(std::move(mark));
}

Result<ExprPtr> ExpressionBinder::BindQuantified(const ast::QuantifiedExpr& quantified) {
  const Position at = PlaceOf(quantified.position);
  ExprPtr value = TL_TRY(Bind(*quantified.value));
  std::size_t columns = 0;
  Decorrelated query = TL_TRY(BindSubquery(*quantified.query, at, &columns));
  if (columns != 1) {
    return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}", columns);
  }
  ExprPtr test = TL_TRY(BindComparison(ComparisonFunction(quantified.op), ast::ComparisonOperatorText(quantified.op),
                                       std::move(value), ColumnOf(query.plan->outputs()[0], at), at));
  const bool all = quantified.quantifier == ast::Quantifier::kAll;
  // True of all is: false, or null, of none.
  if (all) test = TL_TRY(MakeNot(std::move(test), at, context_));
  ExprPtr mark = TL_TRY(MakeMark(std::move(query), std::move(test), at));
  return all ? MakeNot(std::move(mark), at, context_) : Result<ExprPtr>(std::move(mark));
}

}  // namespace tideline::sql
