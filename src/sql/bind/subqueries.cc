// Sub-queries in expressions. Each becomes a join of the rows that the expression is over with the
// sub-query's rows (plan/join_node.h), and stands in the expression as the column that the join adds.
#include <algorithm>

#include "sql/bind/query_binder.h"
#include "sql/plan/limit_node.h"

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

Result<PlanNodePtr> ExpressionBinder::BindSubquery(const ast::Query& query, Position at) {
  if (place_.in_lambda) return ErrorAt(at, "Lambda expression cannot contain subqueries");
  if (place_.subqueries == nullptr) {
    return NotSupportedYet({at.line, at.column, 0}, fmt::format("a sub-query in the {}", place_.clause));
  }
  BoundQuery bound = TL_TRY(QueryBinder(context_, &scope_).BindQuery(query, place_.with, false));
  return bound.plan;
}

Result<ExprPtr> ExpressionBinder::MakeMark(PlanNodePtr plan, ExprPtr test, Position at) {
  JoinNode::Spec join;
  join.kind = JoinKind::kMark;
  join.test = std::move(test);
  join.mark = {context_.NewColumn(), "(sub-query)", Type::Boolean()};
  const ExprPtr mark = ColumnOf(join.mark, at);
  place_.subqueries->items.push_back({std::move(plan), std::move(join)});
  return mark;
}

Result<ExprPtr> ExpressionBinder::BindScalarSubquery(const ast::ScalarSubquery& subquery) {
  const Position at = PlaceOf(subquery.position);
  PlanNodePtr plan = TL_TRY(BindSubquery(*subquery.query, at));
  if (plan->outputs().size() != 1) {
    return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}",
                   plan->outputs().size());
  }
  const ExprPtr value = ColumnOf(plan->outputs()[0], at);
  JoinNode::Spec join;
  join.kind = JoinKind::kSingle;
  place_.subqueries->items.push_back({std::move(plan), std::move(join)});
  return value;
}

Result<ExprPtr> ExpressionBinder::BindExists(const ast::ExistsExpr& exists) {
  const Position at = PlaceOf(exists.position);
  PlanNodePtr plan = TL_TRY(BindSubquery(*exists.query, at));
  plan = std::make_shared<LimitNode>(std::move(plan), 1, 0);
  return MakeMark(std::move(plan), MakeConstant(Value::Boolean(true), at), at);
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
  PlanNodePtr plan = TL_TRY(BindSubquery(*in.query, at));
  if (plan->outputs().size() != values.size()) {
    if (values.size() == 1) {
      return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}",
                     plan->outputs().size());
    }
    return ErrorAt(at, "Subquery of IN returns {} columns for {} values", plan->outputs().size(), values.size());
  }
  std::vector<ExprPtr> tests;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const OutputColumn& output = plan->outputs()[i];
    Result<ExprPtr> test = BindComparison("$equal", "=", values[i], ColumnOf(output, at), at);
    if (!test.ok() && CodeOf(test.status()) == ErrorCode::kInvalidArgument) {
      return ErrorAt(at, "value and result of subquery must be of the same type for IN expression: {} vs {}",
                     values[i]->type.ToString(), output.type.ToString());
    }
    if (!test.ok()) return test.status();
    tests.push_back(*std::move(test));
  }
  ExprPtr mark = TL_TRY(MakeMark(std::move(plan), MakeAnd(std::move(tests)), at));
  return in.negated ? MakeNot(std::move(mark), at, context_) : Result<ExprPtr>(std::move(mark));
}

Result<ExprPtr> ExpressionBinder::BindQuantified(const ast::QuantifiedExpr& quantified) {
  const Position at = PlaceOf(quantified.position);
  ExprPtr value = TL_TRY(Bind(*quantified.value));
  PlanNodePtr plan = TL_TRY(BindSubquery(*quantified.query, at));
  if (plan->outputs().size() != 1) {
    return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}",
                   plan->outputs().size());
  }
  ExprPtr test = TL_TRY(BindComparison(ComparisonFunction(quantified.op), ast::ComparisonOperatorText(quantified.op),
                                       std::move(value), ColumnOf(plan->outputs()[0], at), at));
  const bool all = quantified.quantifier == ast::Quantifier::kAll;
  // True of all is: false, or null, of none.
  if (all) test = TL_TRY(MakeNot(std::move(test), at, context_));
  ExprPtr mark = TL_TRY(MakeMark(std::move(plan), std::move(test), at));
  return all ? MakeNot(std::move(mark), at, context_) : Result<ExprPtr>(std::move(mark));
}

}  // namespace tideline::sql
