// sql/bind/query_binder.h: queries, their bodies and relations, to plans with named columns.
//
// query_binder.cc has WITH, ORDER BY, LIMIT, set operations, VALUES; select_binder.cc SELECT;
// relation_binder.cc FROM; join_binder.cc JOIN and UNNEST.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/bind/bind_context.h"
#include "sql/bind/expression_binder.h"
#include "sql/bind/scope.h"

namespace tideline::sql {

/// A query as bound: the plan's outputs are exactly `columns`, in order.
struct BoundQuery {
  PlanNodePtr plan;
  std::vector<ResultColumn> columns;
};

/// An item of FROM: the plan delivers at least what `columns` read.
struct BoundRelation {
  PlanNodePtr plan;
  std::vector<ScopeColumn> columns;
};

/// The names that WITH has made known so far, innermost last. Lives on the stack of BindQuery.
struct WithScope {
  const WithScope* outer = nullptr;
  const ast::CommonTableExpr* cte = nullptr;
  /// The first use takes the plan that was made to check the query; each further use binds anew, so
  /// that every column is unique in the plan.
  mutable std::optional<BoundQuery> first;
};

class QueryBinder {
 public:
  /// `outer`: the scope around a sub-query, or null pointer.
  explicit QueryBinder(BindContext& context, const Scope* outer = nullptr) : context_(context), outer_(outer) {}

  /// DELETE, whose plan is a filtered scan (delete_binder.cc).
  Result<BoundStatement> BindDelete(const ast::DeleteStatement& statement);

  /// `outermost`: ORDER BY matters without LIMIT too.
  Result<BoundQuery> BindQuery(const ast::Query& query, const WithScope* with, bool outermost);

 private:
  Result<BoundQuery> BindBodyAndOrder(const ast::Query& query, const WithScope* with, bool outermost);
  Result<BoundQuery> BindBody(const ast::QueryBody& body, const WithScope* with);
  Result<BoundQuery> BindValues(const ast::ValuesBody& values, const WithScope* with);
  Result<BoundQuery> BindTableBody(const ast::TableBody& table, const WithScope* with);
  Result<BoundQuery> BindSetOperation(const ast::SetOperationBody& operation, const WithScope* with);
  Result<BoundQuery> FinishUnion(const ast::SetOperationBody& operation, BoundQuery left, BoundQuery right);
  Result<BoundQuery> FinishByCounting(const ast::SetOperationBody& operation, BoundQuery left, BoundQuery right);
  Result<BoundQuery> OrderByOutputs(const ast::Query& query, BoundQuery bound, bool outermost);

  friend class SelectBinder;  // the one SELECT of select_binder.cc
  Result<BoundQuery> BindSelect(const ast::SelectBody& select, const ast::Query* query, const WithScope* with,
                                bool outermost);
  Result<BoundRelation> BindFrom(const ast::SelectBody& select, const WithScope* with);
  Result<BoundRelation> BindRelation(const ast::Relation& relation, const WithScope* with);
  Result<BoundRelation> BindTableRelation(const ast::TableRelation& relation, const WithScope* with);
  /// The table of this name that the server makes up, if there is one (system_tables.cc).
  std::optional<BoundRelation> BindSystemTable(const ast::QualifiedName& name);
  BoundRelation ScanTable(const catalog::TableSchemaPtr& table);
  Status ApplyAlias(const ast::Relation& relation, BoundRelation* bound);
  Status ApplySample(const ast::TableSample& sample, BoundRelation* bound);
  Result<BoundRelation> BindJoin(const ast::JoinRelation& join, const WithScope* with);
  Result<BoundRelation> JoinOn(const ast::JoinRelation& join, BoundRelation left, BoundRelation right, bool dependent,
                               const WithScope* with);
  Result<BoundRelation> JoinUsing(const ast::JoinRelation& join, BoundRelation left, BoundRelation right,
                                  bool dependent);
  Result<BoundRelation> CrossWith(BoundRelation left, const ast::Relation& right, const WithScope* with);
  Result<BoundRelation> BindUnnest(const ast::UnnestRelation& unnest, BoundRelation left, bool keeps_empty,
                                   const WithScope* with);
  /// The right side of a join. LATERAL and UNNEST may read columns of `left`; `*dependent` says whether they do.
  Result<BoundRelation> BindRightSide(const ast::Relation& relation, const BoundRelation& left,
                                      const WithScope* with, bool* dependent);

  BindContext& context_;
  const Scope* outer_;
};

/// The columns of a bound query as FROM sees them.
BoundRelation RelationOfQuery(BoundQuery query);

/// ORDER BY and LIMIT of `query` over `plan`, with the keys already bound to its columns.
PlanNodePtr ApplyOrderAndLimit(const ast::Query& query, PlanNodePtr plan, std::vector<SortKey> keys,
                               bool outermost);

/// `query` with each column cast to `types`.
BoundQuery CastColumns(BoundQuery query, const std::vector<Type>& types, BindContext* context);

/// kResourceExhausted past kPlanDepthMax.
Status CheckDepth(const PlanNode& plan);

/// Checks that ORDER BY `expr` can be; "Type T is not orderable …".
Status CheckOrderable(const ast::Expr& at, const Type& type);

}  // namespace tideline::sql
