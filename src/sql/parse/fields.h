// sql/parse/fields.h: one visit of every node right below a node, through Fields().
//
// Private to sql/parse; others use walk.h.
#pragma once

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "sql/parse/ast.h"

namespace tideline::sql::ast::internal {

template <typename T>
inline constexpr bool kIsNode = std::is_same_v<T, Expr> || std::is_same_v<T, Relation> ||
                                std::is_same_v<T, QueryBody> || std::is_same_v<T, Query> ||
                                std::is_same_v<T, Statement>;

template <typename T>
concept HasFields = requires(const T& value) { value.Fields(); };

template <typename T, typename Visit>
void VisitNodes(const T&, Visit&&) {}

template <typename T, typename Visit>
void VisitNodes(const std::unique_ptr<T>& field, Visit&& visit) {
  if constexpr (kIsNode<T>) {
    if (field != nullptr) visit(*field);
  }
}

template <HasFields T, typename Visit>
void VisitNodes(const T& field, Visit&& visit);

template <typename T, typename Visit>
void VisitNodes(const std::optional<T>& field, Visit&& visit) {
  if (field.has_value()) VisitNodes(*field, visit);
}

template <typename T, typename Visit>
void VisitNodes(const std::vector<T>& field, Visit&& visit) {
  for (const auto& item : field) VisitNodes(item, visit);
}

/// Calls `visit` with each Expr, Relation, QueryBody, Query or Statement directly below `field`, in
/// the order of Fields(). `field` is a node's struct or any part of one.
template <HasFields T, typename Visit>
void VisitNodes(const T& field, Visit&& visit) {
  std::apply([&](const auto&... parts) { (VisitNodes(parts, visit), ...); }, field.Fields());
  if constexpr (std::is_base_of_v<Relation, T>) {
    std::apply([&](const auto&... parts) { (VisitNodes(parts, visit), ...); }, field.BaseFields());
  }
}

/// Calls `use` with `expr` as the struct of its kind.
template <typename Use>
auto WithKind(const Expr& expr, Use&& use) {
  switch (expr.kind) {
    case ExprKind::kNullLiteral: return use(As<NullLiteral>(expr));
    case ExprKind::kBooleanLiteral: return use(As<BooleanLiteral>(expr));
    case ExprKind::kIntegerLiteral: return use(As<IntegerLiteral>(expr));
    case ExprKind::kDoubleLiteral: return use(As<DoubleLiteral>(expr));
    case ExprKind::kStringLiteral: return use(As<StringLiteral>(expr));
    case ExprKind::kBinaryLiteral: return use(As<BinaryLiteral>(expr));
    case ExprKind::kIntervalLiteral: return use(As<IntervalLiteral>(expr));
    case ExprKind::kTypedLiteral: return use(As<TypedLiteral>(expr));
    case ExprKind::kColumnRef: return use(As<ColumnRef>(expr));
    case ExprKind::kParameter: return use(As<Parameter>(expr));
    case ExprKind::kCurrentTime: return use(As<CurrentTimeExpr>(expr));
    case ExprKind::kUnary: return use(As<UnaryExpr>(expr));
    case ExprKind::kBinary: return use(As<BinaryExpr>(expr));
    case ExprKind::kComparison: return use(As<ComparisonExpr>(expr));
    case ExprKind::kLogical: return use(As<LogicalExpr>(expr));
    case ExprKind::kNot: return use(As<NotExpr>(expr));
    case ExprKind::kBetween: return use(As<BetweenExpr>(expr));
    case ExprKind::kInList: return use(As<InListExpr>(expr));
    case ExprKind::kInSubquery: return use(As<InSubqueryExpr>(expr));
    case ExprKind::kLike: return use(As<LikeExpr>(expr));
    case ExprKind::kIsNull: return use(As<IsNullExpr>(expr));
    case ExprKind::kIsDistinctFrom: return use(As<IsDistinctFromExpr>(expr));
    case ExprKind::kQuantified: return use(As<QuantifiedExpr>(expr));
    case ExprKind::kAtTimeZone: return use(As<AtTimeZoneExpr>(expr));
    case ExprKind::kSubscript: return use(As<SubscriptExpr>(expr));
    case ExprKind::kFieldAccess: return use(As<FieldAccessExpr>(expr));
    case ExprKind::kRow: return use(As<RowExpr>(expr));
    case ExprKind::kArray: return use(As<ArrayExpr>(expr));
    case ExprKind::kCase: return use(As<CaseExpr>(expr));
    case ExprKind::kCast: return use(As<CastExpr>(expr));
    case ExprKind::kExtract: return use(As<ExtractExpr>(expr));
    case ExprKind::kFunctionCall: return use(As<FunctionCall>(expr));
    case ExprKind::kLambda: return use(As<LambdaExpr>(expr));
    case ExprKind::kGrouping: return use(As<GroupingExpr>(expr));
    case ExprKind::kScalarSubquery: return use(As<ScalarSubquery>(expr));
    case ExprKind::kExists: return use(As<ExistsExpr>(expr));
  }
  TL_CHECK(false);
}

/// The same for relations, query bodies and statements.
template <typename Use>
auto WithKind(const Relation& relation, Use&& use) {
  switch (relation.kind) {
    case RelationKind::kTable: return use(As<TableRelation>(relation));
    case RelationKind::kSubquery: return use(As<SubqueryRelation>(relation));
    case RelationKind::kUnnest: return use(As<UnnestRelation>(relation));
    case RelationKind::kJoin: return use(As<JoinRelation>(relation));
    case RelationKind::kParenthesized: return use(As<ParenthesizedRelation>(relation));
  }
  TL_CHECK(false);
}

template <typename Use>
auto WithKind(const QueryBody& body, Use&& use) {
  switch (body.kind) {
    case QueryBodyKind::kSelect: return use(As<SelectBody>(body));
    case QueryBodyKind::kValues: return use(As<ValuesBody>(body));
    case QueryBodyKind::kTable: return use(As<TableBody>(body));
    case QueryBodyKind::kSetOperation: return use(As<SetOperationBody>(body));
    case QueryBodyKind::kSubquery: return use(As<SubqueryBody>(body));
  }
  TL_CHECK(false);
}

template <typename Use>
auto WithKind(const Statement& statement, Use&& use) {
  switch (statement.kind) {
    case StatementKind::kQuery: return use(As<QueryStatement>(statement));
    case StatementKind::kShow: return use(As<ShowStatement>(statement));
    case StatementKind::kDescribe: return use(As<DescribeStatement>(statement));
    case StatementKind::kUnload: return use(As<UnloadStatement>(statement));
    case StatementKind::kExplain: return use(As<ExplainStatement>(statement));
    case StatementKind::kDelete: return use(As<DeleteStatement>(statement));
  }
  TL_CHECK(false);
}

}  // namespace tideline::sql::ast::internal
