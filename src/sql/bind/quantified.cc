// x op ANY (query) and x op ALL (query).
//
// x = ANY (query) is IN and x <> ALL (query) is NOT IN: one equality, which a join looks up. The others need no pair
// of x and a row either: what the query's values say about x, its least and its greatest say, or a NULL among them.
//
//   x <  ANY   x < max(y)                  or null if any y is
//   x <> ANY   x <> min(y) or x <> max(y)  or null if any y is
//   x <  ALL   x < min(y)                  and null if any y is
//   x =  ALL   x = min(y) and x = max(y)   and null if any y is
//
// ANY is false and ALL true when there is no row. A NaN, which min and max pass over while there is a number, is
// looked at by itself where it matters: nothing compares with it but by <>.
#include <limits>

#include "functions/registry.h"
#include "sql/bind/query_binder.h"
#include "sql/plan/aggregate_node.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

using Comparison = ast::ComparisonOperator;

std::string_view ComparisonFunction(Comparison op) {
  constexpr std::string_view kFunctions[] = {"$equal", "$not_equal", "$less",
                                             "$less_equal", "$greater", "$greater_equal"};
  return kFunctions[static_cast<std::size_t>(op)];
}

/// Whether `test`, a comparison with a value of the sub-query, can be one with the least and greatest of them.
bool HasExtremes(const Expr& test) {
  if (test.kind != ExprKind::kCall || test.children.size() != 2) return false;
  const Type& type = test.children[1]->type;
  // The left side may come twice, and nested values with nulls in them have no order.
  return type.is_orderable() && !type.is_nested() && !HasVolatileCall(*test.children[0]);
}

/// Aggregates over all rows of a plan, and the columns that they are.
class Summary {
 public:
  Summary(BindContext* context, Position at) : context_(context), at_(at) {}

  Result<ExprPtr> Add(std::string_view name, std::vector<ExprPtr> arguments) {
    const functions::AggregateFunction* function = context_->registry.FindAggregate(name);
    if (function == nullptr) return Internal("aggregate {} is not registered", name);
    std::vector<Type> types;
    for (const ExprPtr& argument : arguments) types.push_back(argument->type);
    const std::vector<int> arity(types.size(), 0);
    const functions::ResolvedTypes resolved =
        TL_TRY(functions::ResolveOverload(name, context_->registry.SignaturesOf(*function), types, arity));
    AggregateCall call;
    call.function = function;
    call.overload = resolved.overload;
    call.output = {context_->NewColumn(), std::string(name), resolved.result_type};
    call.arguments = std::move(arguments);
    const ExprPtr column = MakeColumn(call.output.column, call.output.type, call.output.name, at_);
    calls_.push_back(std::move(call));
    return column;
  }
  PlanNodePtr Over(PlanNodePtr plan) && {
    return std::make_shared<AggregateNode>(std::move(plan), std::vector<AggregateNode::Key>(), std::move(calls_));
  }

 private:
  BindContext* context_;
  Position at_;
  std::vector<AggregateCall> calls_;
};

ExprPtr Choose(ExprPtr condition, ExprPtr yes, ExprPtr no, Position at) {
  return MakeExpr(ExprKind::kCase, Type::Boolean(), {std::move(condition), std::move(yes), std::move(no)}, at);
}

}  // namespace

Result<ExprPtr> ExpressionBinder::BindQuantified(const ast::QuantifiedExpr& quantified) {
  const Position at = PlaceOf(quantified.position);
  ExprPtr value = TL_TRY(Bind(*quantified.value));
  Subquery query = TL_TRY(BindSubquery(*quantified.query, at));
  if (query.column_count != 1) {
    return ErrorAt(at, "Multiple columns returned by subquery are not yet supported. Found {}", query.column_count);
  }
  const bool all = quantified.quantifier == ast::Quantifier::kAll;
  const bool is_in = quantified.op == (all ? Comparison::kNotEqual : Comparison::kEqual);
  const OutputColumn& output = query.plan->outputs()[0];
  ExprPtr test = TL_TRY(BindComparison(ComparisonFunction(is_in ? Comparison::kEqual : quantified.op),
                                       ast::ComparisonOperatorText(quantified.op), std::move(value),
                                       MakeColumn(output.column, output.type, output.name, at), at));
  // A correlated one has its own few rows for each row outside, found by the condition that correlates.
  if (!is_in && !query.correlated && HasExtremes(*test)) {
    return CompareToExtremes(quantified, std::move(query), *test);
  }
  // True of all is: false, or null, of none.
  if (all && !is_in) test = TL_TRY(MakeNot(std::move(test), at, context_));
  ExprPtr mark = MakeMark(std::move(query), std::move(test), at);
  return all ? MakeNot(std::move(mark), at, context_) : Result<ExprPtr>(std::move(mark));
}

Result<ExprPtr> ExpressionBinder::CompareToExtremes(const ast::QuantifiedExpr& quantified, Subquery query,
                                                    const Expr& test) {
  const Position at = PlaceOf(quantified.position);
  const bool all = quantified.quantifier == ast::Quantifier::kAll;
  const Comparison op = quantified.op;
  const ExprPtr& left = test.children[0];
  // Once per row, in the type in which it is compared.
  const OutputColumn output{context_.NewColumn(), "value", test.children[1]->type};
  query.plan = std::make_shared<ProjectNode>(std::move(query.plan),
                                             std::vector<ProjectNode::Item>{{output, test.children[1]}});
  const ExprPtr value = MakeColumn(output.column, output.type, output.name, at);
  const auto compare = [&](Comparison with, ExprPtr a, ExprPtr b) {
    return BindComparison(ComparisonFunction(with), ast::ComparisonOperatorText(with), std::move(a), std::move(b), at);
  };
  const auto boolean = [&](bool is_true) { return MakeConstant(Value::Boolean(is_true), at); };

  Summary summary(&context_, at);
  const ExprPtr rows = TL_TRY(summary.Add("count", {}));
  const ExprPtr values = TL_TRY(summary.Add("count", {value}));
  std::vector<ExprPtr> parts;
  const bool both_ends = op == Comparison::kEqual || op == Comparison::kNotEqual;
  const bool below = op == Comparison::kLess || op == Comparison::kLessOrEqual;
  for (const bool greatest : {false, true}) {
    if (!both_ends && greatest != (below != all)) continue;
    ExprPtr extreme = TL_TRY(summary.Add(greatest ? "max" : "min", {value}));
    ExprPtr part = TL_TRY(compare(op, left, std::move(extreme)));
    parts.push_back(std::move(part));
  }
  if (output.type.is(TypeId::kDouble) && (all || op == Comparison::kNotEqual)) {
    ExprPtr is_nan = TL_TRY(BindScalarCall("is_nan", {value}, at));
    ExprPtr any_nan = TL_TRY(summary.Add("bool_or", {std::move(is_nan)}));
    ExprPtr with_nan =
        TL_TRY(compare(op, left, MakeConstant(Value::Double(std::numeric_limits<double>::quiet_NaN()), at)));
    parts.push_back(Choose(std::move(any_nan), std::move(with_nan), boolean(all), at));
  }
  ExprPtr some_null = TL_TRY(compare(Comparison::kLess, values, rows));
  parts.push_back(Choose(std::move(some_null), MakeConstant(Value::Null(Type::Boolean()), at), boolean(all), at));
  ExprPtr said = MakeExpr(all ? ExprKind::kAnd : ExprKind::kOr, Type::Boolean(), std::move(parts), at);
  ExprPtr any_row = TL_TRY(compare(all ? Comparison::kEqual : Comparison::kGreater, rows,
                                   MakeConstant(Value::Bigint(0), at)));

  JoinNode::Spec join;
  join.kind = JoinKind::kSingle;
  place_.subqueries->items.push_back({std::move(summary).Over(std::move(query.plan)), std::move(join)});
  return MakeExpr(all ? ExprKind::kOr : ExprKind::kAnd, Type::Boolean(), {std::move(any_row), std::move(said)}, at);
}

}  // namespace tideline::sql
