// JOIN, the comma of FROM, and UNNEST with the relation to its left.
#include <algorithm>

#include "functions/cast.h"
#include "sql/bind/query_binder.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/free_columns.h"
#include "sql/plan/project_node.h"
#include "sql/plan/unnest_node.h"

namespace tideline::sql {

namespace {

JoinKind KindOf(ast::JoinType type) {
  switch (type) {
    case ast::JoinType::kCross:
    case ast::JoinType::kInner:
      return JoinKind::kInner;
    case ast::JoinType::kLeft:
      return JoinKind::kLeft;
    case ast::JoinType::kRight:
      return JoinKind::kRight;
    case ast::JoinType::kFull:
      return JoinKind::kFull;
  }
  return JoinKind::kInner;
}

bool IsTrueLiteral(const ast::Expr* expr) {
  return expr != nullptr && expr->kind == ast::ExprKind::kBooleanLiteral && As<ast::BooleanLiteral>(*expr).value;
}

/// `dependent`: right reads columns of left.
BoundRelation JoinRelations(BoundRelation left, BoundRelation right, JoinKind kind, ExprPtr condition,
                            bool dependent = false) {
  BoundRelation joined;
  JoinNode::Spec spec;
  spec.kind = kind;
  spec.condition = std::move(condition);
  spec.dependent = dependent;
  joined.plan = std::make_shared<JoinNode>(std::move(left.plan), std::move(right.plan), std::move(spec));
  joined.columns = std::move(left.columns);
  for (ScopeColumn& column : right.columns) joined.columns.push_back(std::move(column));
  return joined;
}

/// The one column of `relation` that USING (name) means.
Result<const ScopeColumn*> UsingColumn(const BoundRelation& relation, const ast::Identifier& name,
                                       std::string_view side) {
  for (const bool fold : {false, true}) {
    const ScopeColumn* found = nullptr;
    for (const ScopeColumn& column : relation.columns) {
      if (!column.in_star) continue;
      if (fold ? !EqualsIgnoreCase(column.name, name.text) : column.name != name.text) continue;
      if (found != nullptr) return ErrorAt(name.position, "Column '{}' is ambiguous", name.text);
      found = &column;
    }
    if (found != nullptr) return found;
  }
  return ErrorAt(name.position, "Column '{}' is missing from {} side of join", name.text, side);
}

/// The columns that one element of a value of `type` becomes.
Result<std::vector<OutputColumn>> ElementColumns(const Type& type, std::size_t first, Position at,
                                                 BindContext* context) {
  std::vector<OutputColumn> outputs;
  const auto add = [&](std::string name, const Type& element) {
    if (name.empty()) name = fmt::format("_col{}", first + outputs.size());
    outputs.push_back({context->NewColumn(), std::move(name), element});
  };
  switch (type.id()) {
    case TypeId::kTimeseries:
      add("time", Type::Timestamp());
      add("value", type.child(1));
      return outputs;
    case TypeId::kMap:
      add("", type.child(0));
      add("", type.child(1));
      return outputs;
    case TypeId::kArray:
      if (!type.child(0).is(TypeId::kRow)) {
        add("", type.child(0));
        return outputs;
      }
      for (const Type::Field& field : type.child(0).fields()) add(field.name, field.type);
      return outputs;
    default:
      return ErrorAt(at, "Cannot unnest type: {}", type.ToString());
  }
}

}  // namespace

Result<BoundRelation> QueryBinder::BindRightSide(const ast::Relation& relation, const BoundRelation& left,
                                                 const WithScope* with, bool* dependent) {
  const bool lateral = relation.kind == ast::RelationKind::kSubquery && As<ast::SubqueryRelation>(relation).lateral;
  if (!lateral && relation.kind != ast::RelationKind::kUnnest) return BindRelation(relation, with);
  Scope scope;
  scope.columns = left.columns;
  scope.outer = outer_;
  BoundRelation bound = TL_TRY(QueryBinder(context_, &scope).BindRelation(relation, with));
  const ColumnSet delivered = left.plan->OutputSet();
  FreeColumns free;
  const std::vector<ColumnRef>& read = free.Of(bound.plan);
  *dependent = std::any_of(read.begin(), read.end(), [&](ColumnRef column) { return delivered.Has(column); });
  return bound;
}

Result<BoundRelation> QueryBinder::CrossWith(BoundRelation left, const ast::Relation& right, const WithScope* with) {
  if (right.kind == ast::RelationKind::kUnnest && !right.sample.has_value()) {
    return BindUnnest(As<ast::UnnestRelation>(right), std::move(left), false, with);
  }
  bool dependent = false;
  BoundRelation other = TL_TRY(BindRightSide(right, left, with, &dependent));
  return JoinRelations(std::move(left), std::move(other), JoinKind::kInner, nullptr, dependent);
}

Result<BoundRelation> QueryBinder::BindJoin(const ast::JoinRelation& join, const WithScope* with) {
  BoundRelation left = TL_TRY(BindRelation(*join.left, with));
  if (join.type == ast::JoinType::kCross) return CrossWith(std::move(left), *join.right, with);
  const bool plain = join.type == ast::JoinType::kInner || join.type == ast::JoinType::kLeft;
  if (join.right->kind == ast::RelationKind::kUnnest && plain && IsTrueLiteral(join.on.get()) &&
      !join.right->sample.has_value()) {
    return BindUnnest(As<ast::UnnestRelation>(*join.right), std::move(left), join.type == ast::JoinType::kLeft, with);
  }
  bool dependent = false;
  BoundRelation right = TL_TRY(BindRightSide(*join.right, left, with, &dependent));
  if (dependent && !plain) {
    return ErrorAt(join.position, "{} JOIN cannot have a right side that reads columns of its left side",
                   join.type == ast::JoinType::kRight ? "RIGHT" : "FULL");
  }
  if (!join.using_columns.empty()) return JoinUsing(join, std::move(left), std::move(right), dependent);
  return JoinOn(join, std::move(left), std::move(right), dependent, with);
}

Result<BoundRelation> QueryBinder::JoinOn(const ast::JoinRelation& join, BoundRelation left, BoundRelation right,
                                          bool dependent, const WithScope* with) {
  Scope scope;
  scope.columns = left.columns;
  scope.columns.insert(scope.columns.end(), right.columns.begin(), right.columns.end());
  scope.outer = outer_;
  SubqueryCollector subqueries;
  ExpressionBinder binder(context_, scope, {.clause = "JOIN clause", .subqueries = &subqueries, .with = with});
  ExprPtr condition = TL_TRY(binder.Bind(*join.on));
  if (condition->type.is(TypeId::kUnknown)) condition = binder.CoerceTo(condition, Type::Boolean());
  if (!condition->type.is(TypeId::kBoolean)) {
    return ErrorAt(join.on->position, "JOIN ON clause must evaluate to a boolean: actual type {}",
                   condition->type.ToString());
  }
  const JoinKind kind = KindOf(join.type);
  if (subqueries.empty()) {
    return JoinRelations(std::move(left), std::move(right), kind, std::move(condition), dependent);
  }
  // The condition asks a sub-query: a filter that is tried on each pair. In an outer join the pairs of a
  // preserved row are rows of their own, which read that row as a LATERAL relation would.
  switch (kind) {
    case JoinKind::kInner: {
      BoundRelation joined = JoinRelations(std::move(left), std::move(right), kind, nullptr, dependent);
      joined.plan = std::make_shared<FilterNode>(subqueries.ApplyTo(std::move(joined.plan)), std::move(condition));
      return joined;
    }
    case JoinKind::kLeft:
      right.plan = std::make_shared<FilterNode>(subqueries.ApplyTo(std::move(right.plan)), std::move(condition));
      return JoinRelations(std::move(left), std::move(right), kind, nullptr, true);
    case JoinKind::kRight: {
      left.plan = std::make_shared<FilterNode>(subqueries.ApplyTo(std::move(left.plan)), std::move(condition));
      std::vector<ScopeColumn> columns = std::move(scope.columns);
      BoundRelation joined = JoinRelations(std::move(right), std::move(left), JoinKind::kLeft, nullptr, true);
      joined.columns = std::move(columns);
      return joined;
    }
    case JoinKind::kFull:
    case JoinKind::kSingle:
    case JoinKind::kMark:
      break;
  }
  return ErrorAt(join.on->position, "FULL JOIN cannot have a sub-query in its condition");
}

Result<BoundRelation> QueryBinder::JoinUsing(const ast::JoinRelation& join, BoundRelation left,
                                             BoundRelation right, bool dependent) {
  const Scope no_columns;
  ExpressionBinder binder(context_, no_columns, {.clause = "JOIN clause"});
  const JoinKind kind = KindOf(join.type);
  std::vector<ExprPtr> equalities;
  std::vector<ScopeColumn> merged;
  std::vector<ProjectNode::Item> items;
  ColumnSet used;
  for (const ast::Identifier& name : join.using_columns) {
    const Position at = PlaceOf(name.position);
    const ScopeColumn* a = TL_TRY(UsingColumn(left, name, "left"));
    const ScopeColumn* b = TL_TRY(UsingColumn(right, name, "right"));
    if (used.Has(a->expr->column)) {
      return ErrorAt(at, "Column '{}' appears multiple times in USING clause", name.text);
    }
    used.Add(a->expr->column);
    used.Add(b->expr->column);
    const std::optional<Type> common = functions::CommonSuperType(a->expr->type, b->expr->type);
    Result<ExprPtr> equal = binder.BindComparison("$equal", "=", a->expr, b->expr, at);
    if (!common.has_value() || !equal.ok()) {
      return ErrorAt(at, "Column types of '{}' in USING cannot be compared: {}, {}", name.text,
                     a->expr->type.ToString(), b->expr->type.ToString());
    }
    equalities.push_back(*std::move(equal));
    // One of the two is null in an outer join's lonely rows.
    const ExprPtr sides[] = {binder.CoerceTo(a->expr, *common), binder.CoerceTo(b->expr, *common)};
    ExprPtr value = kind == JoinKind::kRight ? sides[1] : sides[0];
    if (kind == JoinKind::kFull) value = MakeExpr(ExprKind::kCoalesce, *common, {sides[0], sides[1]}, at);
    const OutputColumn output{context_.NewColumn(), a->name, *common};
    items.push_back({output, std::move(value)});
    merged.push_back({.name = a->name, .relation = {}, .expr = MakeColumn(output.column, output.type, output.name),
                      .in_star = true, .database = {}, .table = {}, .aliased = false});
  }
  BoundRelation joined = JoinRelations(std::move(left), std::move(right), kind, MakeAnd(std::move(equalities)), dependent);
  for (ScopeColumn& column : joined.columns) {
    if (column.expr->kind == ExprKind::kColumn && used.Has(column.expr->column)) continue;
    if (column.expr->kind == ExprKind::kColumn) {
      items.push_back({{column.expr->column, column.name, column.expr->type}, column.expr});
    }
    merged.push_back(std::move(column));
  }
  joined.columns = std::move(merged);
  joined.plan = std::make_shared<ProjectNode>(std::move(joined.plan), std::move(items));
  return joined;
}

Result<BoundRelation> QueryBinder::BindUnnest(const ast::UnnestRelation& unnest, BoundRelation left,
                                              bool keeps_empty, const WithScope* with) {
  Scope scope;
  scope.columns = left.columns;
  scope.outer = outer_;
  SubqueryCollector subqueries;
  ExpressionBinder binder(context_, scope, {.clause = "UNNEST", .subqueries = &subqueries, .with = with});
  BoundRelation made;
  std::vector<UnnestNode::Item> items;
  const auto add = [&](const OutputColumn& output) {
    made.columns.push_back({.name = output.name, .relation = {},
                            .expr = MakeColumn(output.column, output.type, output.name), .in_star = true,
                            .database = {}, .table = {}, .aliased = false});
  };
  for (const ast::ExprPtr& item : unnest.items) {
    ExprPtr value = TL_TRY(binder.Bind(*item));
    std::vector<OutputColumn> outputs =
        TL_TRY(ElementColumns(value->type, made.columns.size(), PlaceOf(item->position), &context_));
    for (const OutputColumn& output : outputs) add(output);
    items.push_back({std::move(value), std::move(outputs)});
  }
  std::optional<OutputColumn> ordinality;
  if (unnest.with_ordinality) {
    ordinality = OutputColumn{context_.NewColumn(), "ordinality", Type::Bigint()};
    add(*ordinality);
  }
  TL_TRY(ApplyAlias(unnest, &made));
  BoundRelation bound;
  left.plan = subqueries.ApplyTo(std::move(left.plan));
  bound.plan = std::make_shared<UnnestNode>(std::move(left.plan), std::move(items), std::move(ordinality), keeps_empty);
  bound.columns = std::move(left.columns);
  for (ScopeColumn& column : made.columns) bound.columns.push_back(std::move(column));
  return bound;
}

}  // namespace tideline::sql
