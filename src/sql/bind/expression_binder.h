// sql/bind/expression_binder.h: one expression of syntax to one bound expression.
//
// A sub-query may read columns of the queries around it; what becomes of that is the business of
// optimize/decorrelate.h. expression_binder.cc has literals, names, forms; operators.cc what the operators mean for which
// types; calls.cc functions and aggregates; lambdas.cc calls that take lambdas; subqueries.cc
// sub-queries as values and conditions; windows.cc calls with OVER.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/bind/bind_context.h"
#include "sql/bind/grouping_sets.h"
#include "sql/bind/scope.h"
#include "sql/plan/aggregate_node.h"
#include "sql/plan/join_node.h"
#include "sql/plan/window_node.h"

namespace tideline::sql {

/// Aggregate calls met so far in one SELECT; equal calls are one.
class AggregateCollector {
 public:
  /// The column that `call` (without its output) delivers.
  ExprPtr Add(AggregateCall call, Type type, std::string name, Position at, BindContext* context);
  const std::vector<AggregateCall>& calls() const { return calls_; }

 private:
  std::vector<AggregateCall> calls_;
};

struct WithScope;

/// Sub-queries met so far in the expressions of one place. Each becomes a join with the rows that the
/// expressions are over and stands in them as the column that the join adds.
class SubqueryCollector {
 public:
  struct Item {
    PlanNodePtr plan;     ///< may read columns of the rows that it is joined with, then join.dependent
    JoinNode::Spec join;  ///< kSingle or kMark
  };
  std::vector<Item> items;
  bool empty() const { return items.empty(); }
  /// `plan` joined with every item, in order.
  PlanNodePtr ApplyTo(PlanNodePtr plan) const;
  /// Whether `expr` reads a column of one of them.
  bool IsReadBy(const Expr& expr) const;
};

/// Calls with OVER met so far in one SELECT.
class WindowCollector {
 public:
  struct Order {
    ExprPtr expr;
    bool descending = false;
    bool nulls_first = false;
  };
  struct Item {
    WindowCall call;
    std::vector<ExprPtr> partition;
    std::vector<Order> order;
  };
  std::vector<Item> items;
  /// `plan` with every call computed, one node for all calls that share partitions and order.
  PlanNodePtr ApplyTo(PlanNodePtr plan, BindContext* context) const;
  bool IsReadBy(const Expr& expr) const;
};

/// A name that means an expression bound before: an output column, for ORDER BY.
struct ExprAlias {
  std::string name;
  ExprPtr expr;
};

struct ExpressionPlace {
  std::string_view clause;                       ///< "WHERE clause", for messages
  AggregateCollector* aggregates = nullptr;      ///< null: aggregates are not allowed here
  std::string_view aggregates_refused = {};      ///< the text when they are not; default by clause
  const std::vector<ExprAlias>* aliases = nullptr;  ///< looked up before the scope
  SubqueryCollector* subqueries = nullptr;           ///< null: sub-queries are not supported here
  SubqueryCollector* inside_aggregates = nullptr;    ///< the same for arguments of aggregates
  const WithScope* with = nullptr;                   ///< for sub-queries
  std::vector<GroupingCall>* groupings = nullptr;    ///< null: grouping() is not allowed here
  WindowCollector* windows = nullptr;                ///< null: OVER is not allowed here
  const std::vector<ast::NamedWindow>* named_windows = nullptr;  ///< of the WINDOW clause
  bool in_lambda = false;
};

class ExpressionBinder {
 public:
  ExpressionBinder(BindContext& context, const Scope& scope, ExpressionPlace place)
      : context_(context), scope_(scope), place_(place) {}

  Result<ExprPtr> Bind(const ast::Expr& expr);
  /// Binds and requires boolean (null counts); `who` begins the message of kInvalidArgument.
  Result<ExprPtr> BindCondition(const ast::Expr& expr, std::string_view who);

  /// `expr` as `type`, by a cast unless it has it. Parameters take the type on.
  ExprPtr CoerceTo(const ExprPtr& expr, const Type& type);
  /// left op right with `op` a comparison: "$equal" …; `symbol` for messages.
  Result<ExprPtr> BindComparison(std::string_view function, std::string_view symbol, ExprPtr left,
                                 ExprPtr right, Position at);
  /// The call of scalar `name` over bound arguments; messages as the service words them.
  Result<ExprPtr> BindScalarCall(std::string_view name, std::vector<ExprPtr> arguments, Position at);
  /// The type that all of `parts` coerce to, text to time among them if `in_time_context`; nothing
  /// when there is none.
  static std::optional<Type> CommonType(std::span<const ExprPtr> parts, bool in_time_context);

 private:
  Result<ExprPtr> BindNode(const ast::Expr& expr);
  Result<ExprPtr> BindTypedLiteral(const ast::TypedLiteral& literal);
  Result<ExprPtr> BindColumn(const ast::ColumnRef& column);
  Result<ExprPtr> BindField(ExprPtr base, const ast::Identifier& field);
  Result<ExprPtr> BindParameter(const ast::Parameter& parameter);
  Result<ExprPtr> BindUnary(const ast::UnaryExpr& unary);
  Result<ExprPtr> BindBinary(const ast::BinaryExpr& binary);
  Result<ExprPtr> BindLogical(const ast::LogicalExpr& logical);
  Result<ExprPtr> BindBetween(const ast::BetweenExpr& between);
  Result<ExprPtr> BindInList(const ast::InListExpr& in);
  Result<ExprPtr> BindLike(const ast::LikeExpr& like);
  Result<ExprPtr> BindGrouping(const ast::GroupingExpr& grouping);
  Result<ExprPtr> BindSubscript(const ast::SubscriptExpr& subscript);
  Result<ExprPtr> BindArray(const ast::ArrayExpr& array);
  Result<ExprPtr> BindCase(const ast::CaseExpr& expr);
  Result<ExprPtr> BindCast(const ast::CastExpr& cast);
  Result<ExprPtr> BindExtract(const ast::ExtractExpr& extract);
  Result<ExprPtr> BindCall(const ast::FunctionCall& call);
  Result<std::vector<ExprPtr>> BindArguments(const ast::FunctionCall& call);
  Result<ExprPtr> BindLambdaCall(const ast::FunctionCall& call);
  Result<ExprPtr> BindLambda(const ast::LambdaExpr& lambda, const std::vector<Type>& types);
  struct BoundArguments {
    functions::ResolvedTypes resolved;
    std::vector<ExprPtr> arguments;  ///< as written, of the overload's types; lambdas among them
  };
  Result<BoundArguments> BindMixedArguments(const ast::FunctionCall& call,
                                            std::span<const functions::Signature> signatures);
  /// Moves the lambdas of an aggregate away from `arguments`; they may not read columns.
  static Status SplitAggregateLambdas(std::vector<ExprPtr>* arguments, std::vector<ExprPtr>* lambdas);
  Result<ExprPtr> BindWindowCall(const ast::FunctionCall& call);
  Status BindWindowFunction(const ast::FunctionCall& call, ExpressionBinder* inner, WindowCall* bound);
  Result<const ast::WindowSpec*> FindWindowSpec(const ast::OverClause& over) const;
  Status BindWindowSpec(const ast::WindowSpec& spec, ExpressionBinder* inner, WindowCollector::Item* item);
  Status BindFrame(const ast::WindowFrame& frame, ExpressionBinder* inner, WindowCollector::Item* item);
  Status BindFrameBound(const ast::FrameBound& bound, ast::FrameUnit unit, bool is_start, ExpressionBinder* inner,
                        const WindowCollector::Item& item, FrameBound* out);
  Result<ExprPtr> BindForm(const ast::FunctionCall& call);
  struct Subquery {
    PlanNodePtr plan;
    std::size_t column_count = 0;
    bool correlated = false;  ///< it reads columns of a query around it
  };
  Result<Subquery> BindSubquery(const ast::Query& query, Position at);
  Result<ExprPtr> BindScalarSubquery(const ast::ScalarSubquery& subquery);
  Result<ExprPtr> BindExists(const ast::ExistsExpr& exists);
  Result<ExprPtr> BindInSubquery(const ast::InSubqueryExpr& in);
  Result<ExprPtr> BindQuantified(const ast::QuantifiedExpr& quantified);
  Result<ExprPtr> CompareToExtremes(const ast::QuantifiedExpr& quantified, Subquery query, const Expr& test);
  ExprPtr MakeMark(Subquery query, ExprPtr test, Position at);
  Result<ExprPtr> BindAggregate(const functions::AggregateFunction& function, const ast::FunctionCall& call);
  Status CheckReadsNoOutput(const AggregateCall& call, Position at) const;
  Result<ExprPtr> BindOperatorCall(std::string_view function, std::string_view symbol,
                                   std::vector<ExprPtr> arguments, Position at);
  Result<ExprPtr> FinishCase(std::vector<ExprPtr> parts, Position at, std::string_view what);
  Result<std::vector<ExprPtr>> CoerceArguments(const functions::ResolvedTypes& resolved,
                                               std::vector<ExprPtr> arguments);

  BindContext& context_;
  const Scope& scope_;
  ExpressionPlace place_;
  /// Parameters of the lambdas around what is being bound, innermost last.
  std::vector<ExprAlias> lambda_parameters_;
};

/// NOT expr.
Result<ExprPtr> MakeNot(ExprPtr expr, Position at, BindContext& context);

}  // namespace tideline::sql
