// FROM: tables, names from WITH, sub-queries.
#include "sql/bind/query_binder.h"
#include "sql/optimize/constant_evaluator.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/scan_node.h"
#include "sql/plan/values_node.h"

namespace tideline::sql {

namespace {

/// measure_value::T of a table that never had one: all null in profile kExtended, because
/// dashboards are built before data arrives.
struct MeasureValueName {
  std::string_view name;
  TypeId type;
};
constexpr MeasureValueName kMeasureValueNames[] = {
    {"measure_value::double", TypeId::kDouble},       {"measure_value::bigint", TypeId::kBigint},
    {"measure_value::varchar", TypeId::kVarchar},     {"measure_value::boolean", TypeId::kBoolean},
    {"measure_value::timestamp", TypeId::kTimestamp},
};

const WithScope* FindWith(const WithScope* with, std::string_view name) {
  for (; with != nullptr; with = with->outer) {
    if (EqualsIgnoreCase(with->cte->name.text, name)) return with;
  }
  return nullptr;
}

}  // namespace

Result<BoundRelation> QueryBinder::BindFrom(const ast::SelectBody& select, const WithScope* with) {
  if (select.from.empty()) {
    // One row of no columns.
    return BoundRelation{std::make_shared<ValuesNode>(std::vector<OutputColumn>{},
                                                      std::vector<std::vector<ExprPtr>>(1)),
                         {}};
  }
  BoundRelation bound = TL_TRY(BindRelation(*select.from[0], with));
  for (std::size_t i = 1; i < select.from.size(); ++i) {
    bound = TL_TRY(CrossWith(std::move(bound), *select.from[i], with));
  }
  return bound;
}

Result<BoundRelation> QueryBinder::BindRelation(const ast::Relation& relation, const WithScope* with) {
  TL_TRY(context_.CountExpr());
  BoundRelation bound;
  switch (relation.kind) {
    case ast::RelationKind::kTable:
      bound = TL_TRY(BindTableRelation(As<ast::TableRelation>(relation), with));
      break;
    case ast::RelationKind::kSubquery: {
      const auto& subquery = As<ast::SubqueryRelation>(relation);
      BoundQuery query = TL_TRY(BindQuery(*subquery.query, with, false));
      bound = RelationOfQuery(std::move(query));
      break;
    }
    case ast::RelationKind::kUnnest: {
      // One row of no columns to unfold.
      BoundRelation nothing{std::make_shared<ValuesNode>(std::vector<OutputColumn>{},
                                                         std::vector<std::vector<ExprPtr>>(1)),
                            {}};
      bound = TL_TRY(BindUnnest(As<ast::UnnestRelation>(relation), std::move(nothing), false, with));
      // Its names have their alias already.
      if (relation.sample.has_value()) TL_TRY(ApplySample(*relation.sample, &bound));
      return bound;
    }
    case ast::RelationKind::kJoin:
      bound = TL_TRY(BindJoin(As<ast::JoinRelation>(relation), with));
      break;
    case ast::RelationKind::kParenthesized:
      bound = TL_TRY(BindRelation(*As<ast::ParenthesizedRelation>(relation).inner, with));
      break;
  }
  TL_TRY(ApplyAlias(relation, &bound));
  if (relation.sample.has_value()) TL_TRY(ApplySample(*relation.sample, &bound));
  return bound;
}

/// BERNOULLI and SYSTEM alike: each row by itself stays with the probability asked for.
Status QueryBinder::ApplySample(const ast::TableSample& sample, BoundRelation* bound) {
  const Scope no_columns;
  ExpressionBinder binder(context_, no_columns, {.clause = "TABLESAMPLE"});
  ExprPtr percentage = TL_TRY(binder.Bind(*sample.percentage));
  const Position at = PlaceOf(sample.percentage->position);
  if (!percentage->type.is_numeric() || !IsConstantExpr(*percentage)) {
    return ErrorAt(at, "Sample percentage should be a numeric expression without columns");
  }
  const Value value = TL_TRY(EvaluateConstant(*binder.CoerceTo(percentage, Type::Double()),
                                              {context_.options.now, !context_.extended()}));
  if (value.is_null() || !(value.floating() >= 0 && value.floating() <= 100)) {
    return ErrorAt(at, "Sample percentage must be between 0 and 100, inclusive");
  }
  ExprPtr random = TL_TRY(binder.BindScalarCall("random", {}, at));
  ExprPtr stays = TL_TRY(binder.BindComparison("$less", "<", std::move(random),
                                               MakeConstant(Value::Double(value.floating() / 100), at), at));
  bound->plan = std::make_shared<FilterNode>(std::move(bound->plan), std::move(stays));
  return OkStatus();
}

Status QueryBinder::ApplyAlias(const ast::Relation& relation, BoundRelation* bound) {
  if (!relation.alias.has_value()) return OkStatus();
  for (ScopeColumn& column : bound->columns) {
    column.relation = relation.alias->text;
    // database.table.column no longer means it, but it still is that table's column.
  }
  if (relation.column_aliases.empty()) return OkStatus();
  // What SELECT * leaves out cannot be renamed and is gone.
  std::erase_if(bound->columns, [](const ScopeColumn& column) { return !column.in_star; });
  if (relation.column_aliases.size() != bound->columns.size()) {
    return ErrorAt(relation.position, "Column alias list has {} entries but '{}' has {} columns available",
                   relation.column_aliases.size(), relation.alias->text, bound->columns.size());
  }
  for (std::size_t i = 0; i < bound->columns.size(); ++i) {
    bound->columns[i].name = relation.column_aliases[i].text;
    bound->columns[i].aliased = true;
  }
  return OkStatus();
}

Result<BoundRelation> QueryBinder::BindTableRelation(const ast::TableRelation& relation, const WithScope* with) {
  if (relation.name.parts.size() == 1) {
    const std::string& name = relation.name.parts[0].text;
    const WithScope* scope = FindWith(with, name);
    if (scope != nullptr) {
      BoundQuery query;
      if (scope->first.has_value()) {
        query = *std::move(scope->first);
        scope->first.reset();
      } else {
        if (++context_.with_uses > kWithUsesMax) {
          return ResourceExhausted("The query is too complex: names from WITH are used more than {} times in all",
                                   kWithUsesMax);
        }
        query = TL_TRY(BindQuery(*scope->cte->query, scope->outer, false));
      }
      BoundRelation bound = RelationOfQuery(std::move(query));
      for (std::size_t i = 0; i < bound.columns.size(); ++i) {
        bound.columns[i].relation = scope->cte->name.text;
        if (scope->cte->column_aliases.empty()) continue;
        bound.columns[i].name = scope->cte->column_aliases[i].text;
        bound.columns[i].aliased = true;
      }
      return bound;
    }
  }
  if (context_.extended()) {
    if (auto system = BindSystemTable(relation.name)) {
      TL_TRY(context_.CheckAccess(AccessAction::kSelect, relation.name.parts[0].text, relation.name.parts[1].text));
      return *std::move(system);
    }
  }
  const catalog::TableSchemaPtr table = TL_TRY(context_.FindTable(relation.name, AccessAction::kSelect));
  return ScanTable(table);
}

BoundRelation QueryBinder::ScanTable(const catalog::TableSchemaPtr& table) {
  BoundRelation bound;
  std::vector<OutputColumn> outputs;
  ScanNode::Spec spec;
  spec.table = table;
  if (const std::optional<double> rows = context_.catalog.RowCount(*table)) spec.table_rows = *rows;
  const auto add = [&](std::string_view name, ExprPtr expr, bool in_star) {
    bound.columns.push_back({.name = std::string(name), .relation = table->table, .expr = std::move(expr),
                             .in_star = in_star, .database = table->database, .table = table->table, .aliased = false});
  };
  for (const catalog::Column& column : table->Columns()) {
    const ColumnRef ref = context_.NewColumn();
    outputs.push_back({ref, column.name, column.type});
    spec.storage_columns.push_back(column.id);
    add(column.name, MakeColumn(ref, column.type, column.name), true);
  }
  if (context_.extended()) {
    for (const MeasureValueName& never : kMeasureValueNames) {
      if (table->FindColumn(never.name) != nullptr) continue;
      add(never.name, MakeConstant(Value::Null(Type(never.type))), false);
    }
  }
  bound.plan = std::make_shared<ScanNode>(std::move(outputs), std::move(spec));
  return bound;
}

}  // namespace tideline::sql
