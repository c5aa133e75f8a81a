// SELECT: items, groups and the order of evaluation.
//
//   FROM -> WHERE -> GROUP BY -> HAVING -> items -> DISTINCT -> ORDER BY -> LIMIT
//
// Items, HAVING and ORDER BY are bound over the columns of FROM first, aggregates standing as columns
// of their own. If there are groups, whatever equals a grouping expression then becomes that group's
// column, and a column of FROM that is left over is not grouped.
#include <algorithm>

#include "sql/bind/query_binder.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

struct BoundItem {
  ExprPtr expr;
  ResultColumn column;
  bool has_own_name = false;  ///< a column's name or an alias, not _colN
};

}  // namespace

class SelectBinder {
 public:
  SelectBinder(QueryBinder& queries, const ast::SelectBody& select, const ast::Query* query, const WithScope* with,
               bool outermost)
      : context_(queries.context_), select_(select), query_(query), with_(with), outermost_(outermost) {
    scope_.outer = queries.outer_;
  }

  Result<BoundQuery> Bind(BoundRelation from);

 private:
  ExpressionPlace PlaceOverGroups(std::string_view clause);
  Status BindWhere();
  Status BindItems();
  Status BindItem(const ast::SelectItem& item);
  Status AddStar(const ast::SelectItem& item);
  Status BindGroups();
  Result<std::size_t> AddGroupKey(const ast::Expr& expr);
  void MoveBelowGroups(const Expr& expr);
  Status BindHaving();
  Status BindOrder();
  Status BindOrderItem(const ast::SortItem& item);
  Status GroupAll();
  Result<ExprPtr> OverGroups(const ExprPtr& expr);
  ExprPtr WithKeys(const ExprPtr& expr) const;
  Result<PlanNodePtr> PlanOverGroups(const PlanNodePtr& plan);
  Status NameOutputs();
  Result<BoundQuery> Finish();

  BindContext& context_;
  const ast::SelectBody& select_;
  const ast::Query* query_;  ///< whose ORDER BY and LIMIT these are; may be null
  const WithScope* with_;
  bool outermost_;

  PlanNodePtr plan_;
  Scope scope_;
  AggregateCollector aggregates_;
  SubqueryCollector below_groups_;  ///< sub-queries in aggregates and in GROUP BY
  SubqueryCollector over_groups_;   ///< those in items, HAVING and ORDER BY
  WindowCollector windows_;
  std::vector<GroupingCall> groupings_;
  std::vector<BoundItem> items_;
  std::vector<AggregateNode::Key> keys_;  ///< of all grouping sets
  std::vector<GroupingSet> sets_;
  ExprPtr having_;
  struct OrderItem {
    ExprPtr expr;
    std::optional<std::size_t> item;  ///< it is this select item
    const ast::SortItem* source;
  };
  std::vector<OrderItem> order_;
};

Result<BoundQuery> QueryBinder::BindSelect(const ast::SelectBody& select, const ast::Query* query,
                                           const WithScope* with, bool outermost) {
  if (!select.windows.empty() && !context_.extended()) {
    return ErrorAt(select.windows[0].name.position, "The WINDOW clause is not supported");
  }
  BoundRelation from = TL_TRY(BindFrom(select, with));
  return SelectBinder(*this, select, query, with, outermost).Bind(std::move(from));
}

Result<BoundQuery> SelectBinder::Bind(BoundRelation from) {
  plan_ = std::move(from.plan);
  scope_.columns = std::move(from.columns);
  TL_TRY(BindWhere());
  TL_TRY(BindItems());
  TL_TRY(BindGroups());
  TL_TRY(BindHaving());
  TL_TRY(BindOrder());
  const bool grouped = select_.group_by.has_value() || select_.having != nullptr || !aggregates_.calls().empty();
  plan_ = below_groups_.ApplyTo(std::move(plan_));
  if (grouped) {
    TL_TRY(GroupAll());
  } else {
    plan_ = over_groups_.ApplyTo(std::move(plan_));
  }
  plan_ = windows_.ApplyTo(std::move(plan_), &context_);
  TL_TRY(NameOutputs());
  return Finish();
}

ExpressionPlace SelectBinder::PlaceOverGroups(std::string_view clause) {
  return {.clause = clause,
          .aggregates = &aggregates_,
          .subqueries = &over_groups_,
          .inside_aggregates = &below_groups_,
          .with = with_,
          .groupings = &groupings_,
          .windows = &windows_,
          .named_windows = &select_.windows};
}

Status SelectBinder::BindWhere() {
  if (select_.where == nullptr) return OkStatus();
  SubqueryCollector subqueries;
  ExpressionBinder binder(context_, scope_, {.clause = "WHERE clause", .subqueries = &subqueries, .with = with_});
  ExprPtr condition = TL_TRY(binder.Bind(*select_.where));
  if (condition->type.is(TypeId::kUnknown)) condition = binder.CoerceTo(condition, Type::Boolean());
  if (!condition->type.is(TypeId::kBoolean)) {
    return ErrorAt(select_.where->position, "WHERE clause must evaluate to a boolean: actual type {}",
                   condition->type.ToString());
  }
  plan_ = std::make_shared<FilterNode>(subqueries.ApplyTo(std::move(plan_)), std::move(condition));
  return OkStatus();
}

Status SelectBinder::BindItems() {
  for (const ast::SelectItem& item : select_.items) {
    if (item.kind == ast::SelectItemKind::kExpr) {
      TL_TRY(BindItem(item));
    } else {
      TL_TRY(AddStar(item));
    }
  }
  return OkStatus();
}

Status SelectBinder::BindItem(const ast::SelectItem& item) {
  ExpressionBinder binder(context_, scope_, PlaceOverGroups("SELECT"));
  BoundItem bound;
  bound.expr = TL_TRY(binder.Bind(*item.expr));
  bound.column.type = bound.expr->type;
  if (item.alias.has_value()) {
    bound.column.name = item.alias->text;
    bound.column.aliased = true;
    bound.has_own_name = true;
  }
  if (item.expr->kind == ast::ExprKind::kColumnRef) {
    const auto& parts = As<ast::ColumnRef>(*item.expr).parts;
    const Scope::Match match = TL_TRY(scope_.Resolve(parts, item.expr->position, context_.extended()));
    bound.has_own_name = true;
    if (match.parts == parts.size()) {
      bound.column.database = match.column->database;
      bound.column.table = match.column->table;
    }
    if (!item.alias.has_value()) {
      bound.column.name = match.parts == parts.size() ? match.column->name : parts.back().text;
      bound.column.aliased = match.parts == parts.size() && match.column->aliased;
    }
  } else if (item.expr->kind == ast::ExprKind::kFieldAccess && !item.alias.has_value()) {
    bound.column.name = As<ast::FieldAccessExpr>(*item.expr).field.text;
    bound.has_own_name = true;
  }
  if (!bound.has_own_name) bound.column.name = fmt::format("_col{}", items_.size());
  items_.push_back(std::move(bound));
  return OkStatus();
}

Status SelectBinder::AddStar(const ast::SelectItem& item) {
  if (select_.from.empty()) {
    return ErrorAt(item.position, "SELECT * not allowed in queries without FROM clause");
  }
  std::vector<const ScopeColumn*> columns;
  if (item.kind == ast::SelectItemKind::kQualifiedStar) {
    columns = scope_.OfRelation(item.qualifier);
    if (columns.empty()) {
      return ErrorAt(item.position, "Table '{}' not found", item.qualifier.parts.back().text);
    }
  } else {
    for (const ScopeColumn& column : scope_.columns) {
      if (column.in_star) columns.push_back(&column);
    }
  }
  for (const ScopeColumn* column : columns) {
    auto expr = std::make_shared<Expr>(*column->expr);
    expr->position = PlaceOf(item.position);
    items_.push_back({std::move(expr),
                      {.name = column->name, .type = column->expr->type, .column = {}, .database = column->database,
                       .table = column->table, .aliased = column->aliased},
                      true});
  }
  return OkStatus();
}

Status SelectBinder::BindGroups() {
  if (!select_.group_by.has_value()) {
    if (groupings_.empty()) return OkStatus();
    return ErrorAt(groupings_[0].position, "A GROUPING() operation can only be used with a corresponding "
                                           "GROUPING SET/CUBE/ROLLUP/GROUP BY clause");
  }
  std::vector<std::vector<GroupingSet>> written;
  for (const ast::GroupingElement& element : select_.group_by->elements) {
    written.emplace_back();
    for (const std::vector<ast::ExprPtr>& set : element.sets) {
      written.back().emplace_back();
      for (const ast::ExprPtr& expr : set) {
        const std::size_t key = TL_TRY(AddGroupKey(*expr));
        // As the original; PostgreSQL and the extended profile take any expression.
        if (element.kind != ast::GroupingKind::kSimple && !context_.extended() &&
            keys_[key].expr->kind != ExprKind::kColumn) {
          return ErrorAt(expr->position, "GROUP BY expression must be a column reference: {}",
                         PrintExpr(*keys_[key].expr));
        }
        written.back().back().push_back(key);
      }
    }
  }
  sets_ = TL_TRY(CombineGroupingSets(*select_.group_by, written));
  return OkStatus();
}

/// Sub-queries that `expr`, an item that is grouped by, reads belong to the rows that are grouped.
void SelectBinder::MoveBelowGroups(const Expr& expr) {
  std::vector<SubqueryCollector::Item> stay;
  for (SubqueryCollector::Item& item : over_groups_.items) {
    SubqueryCollector one;
    one.items.push_back(item);
    (one.IsReadBy(expr) ? below_groups_.items : stay).push_back(std::move(item));
  }
  over_groups_.items = std::move(stay);
}

/// The place of `expr` among the keys.
Result<std::size_t> SelectBinder::AddGroupKey(const ast::Expr& expr) {
  ExprPtr bound;
  if (expr.kind == ast::ExprKind::kIntegerLiteral) {
    const std::int64_t ordinal = As<ast::IntegerLiteral>(expr).value;
    if (ordinal < 1 || ordinal > static_cast<std::int64_t>(items_.size())) {
      return ErrorAt(expr.position, "GROUP BY position {} is not in select list", ordinal);
    }
    bound = items_[static_cast<std::size_t>(ordinal - 1)].expr;
    if (windows_.IsReadBy(*bound)) {
      return ErrorAt(expr.position,
                     "GROUP BY clause cannot contain aggregations, window functions or grouping operations");
    }
    MoveBelowGroups(*bound);
    std::vector<ColumnRef> read;
    CollectColumns(*bound, &read);
    for (const GroupingCall& grouping : groupings_) {
      if (std::find(read.begin(), read.end(), grouping.output.column) == read.end()) continue;
      return ErrorAt(expr.position,
                     "GROUP BY clause cannot contain aggregations, window functions or grouping operations: grouping");
    }
    for (const AggregateCall& call : aggregates_.calls()) {
      if (std::find(read.begin(), read.end(), call.output.column) != read.end()) {
        return ErrorAt(expr.position,
                       "GROUP BY clause cannot contain aggregations, window functions or grouping operations: {}",
                       call.function->name);
      }
    }
  } else {
    ExpressionBinder binder(context_, scope_,
                            {.clause = "GROUP BY clause", .subqueries = &below_groups_, .with = with_});
    bound = TL_TRY(binder.Bind(expr));
  }
  if (!bound->type.is_comparable() && !bound->type.is(TypeId::kUnknown)) {
    return ErrorAt(expr.position, "{} is not comparable, and therefore cannot be used in GROUP BY",
                   bound->type.ToString());
  }
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (SameExpr(*keys_[i].expr, *bound)) return i;
  }
  OutputColumn output;
  if (bound->kind == ExprKind::kColumn && plan_->OutputSet().Has(bound->column)) {
    output = {bound->column, bound->name, bound->type};
  } else {
    output = {context_.NewColumn(), PrintExpr(*bound), bound->type};
  }
  keys_.push_back({std::move(output), std::move(bound)});
  return keys_.size() - 1;
}

Status SelectBinder::BindHaving() {
  if (select_.having == nullptr) return OkStatus();
  ExpressionPlace place = PlaceOverGroups("HAVING clause");
  place.windows = nullptr;
  ExpressionBinder binder(context_, scope_, place);
  having_ = TL_TRY(binder.Bind(*select_.having));
  if (having_->type.is(TypeId::kUnknown)) having_ = binder.CoerceTo(having_, Type::Boolean());
  if (!having_->type.is(TypeId::kBoolean)) {
    return ErrorAt(select_.having->position, "HAVING clause must evaluate to a boolean: actual type {}",
                   having_->type.ToString());
  }
  return OkStatus();
}

Status SelectBinder::BindOrder() {
  if (query_ == nullptr) return OkStatus();
  for (const ast::SortItem& item : query_->order_by) TL_TRY(BindOrderItem(item));
  return OkStatus();
}

Status SelectBinder::BindOrderItem(const ast::SortItem& item) {
  OrderItem order{nullptr, std::nullopt, &item};
  if (item.expr->kind == ast::ExprKind::kIntegerLiteral) {
    const std::int64_t ordinal = As<ast::IntegerLiteral>(*item.expr).value;
    if (ordinal < 1 || ordinal > static_cast<std::int64_t>(items_.size())) {
      return ErrorAt(item.expr->position, "ORDER BY position {} is not in select list", ordinal);
    }
    order.item = static_cast<std::size_t>(ordinal - 1);
    order.expr = items_[*order.item].expr;
  } else {
    std::vector<ExprAlias> aliases;
    for (const BoundItem& bound : items_) {
      // Only names that differ from what they name matter; of equals, any.
      if (bound.has_own_name) aliases.push_back({bound.column.name, bound.expr});
    }
    // A name that FROM alone knows, or a qualified one, is found behind the aliases.
    ExpressionPlace place = PlaceOverGroups("ORDER BY clause");
    place.aliases = &aliases;
    ExpressionBinder binder(context_, scope_, place);
    order.expr = TL_TRY(binder.Bind(*item.expr));
    for (std::size_t i = 0; i < items_.size() && !order.item.has_value(); ++i) {
      if (SameExpr(*items_[i].expr, *order.expr)) order.item = i;
    }
  }
  TL_TRY(CheckOrderable(*item.expr, order.expr->type));
  const bool mixes_volatile =
      !order.item.has_value() && HasVolatileCall(*order.expr) &&
      std::any_of(items_.begin(), items_.end(), [](const BoundItem& bound) { return HasVolatileCall(*bound.expr); });
  if (mixes_volatile) {
    // It may speak of the item's value, which cannot be computed a second time.
    return NotSupportedYet(item.expr->position, "ORDER BY an expression beside an item that differs at each call");
  }
  if (select_.distinct && !order.item.has_value()) {
    return ErrorAt(item.expr->position, "For SELECT DISTINCT, ORDER BY expressions must appear in select list");
  }
  order_.push_back(std::move(order));
  return OkStatus();
}

Result<ExprPtr> SelectBinder::OverGroups(const ExprPtr& expr) {
  ExprPtr over = WithKeys(expr);
  // What aggregates, sub-queries and windows make, and columns of queries around this one, are no columns of
  // the rows that were grouped.
  std::vector<ColumnRef> read;
  CollectColumns(*over, &read);  // without parameters of lambdas
  ColumnSet keys;
  for (const AggregateNode::Key& key : keys_) keys.Add(key.output.column);
  const ColumnSet grouped = plan_->OutputSet();
  Status error = OkStatus();
  RewriteExpr(over, [&](const ExprPtr& part) -> ExprPtr {
    if (part->kind == ExprKind::kColumn && grouped.Has(part->column) && !keys.Has(part->column) && error.ok() &&
        std::find(read.begin(), read.end(), part->column) != read.end()) {
      error = ErrorAt(part->position, "'{}' must be an aggregate expression or appear in GROUP BY clause", part->name);
    }
    return nullptr;
  });
  if (!error.ok()) return error;
  return over;
}

ExprPtr SelectBinder::WithKeys(const ExprPtr& expr) const {
  return RewriteExpr(expr, [this](const ExprPtr& part) -> ExprPtr {
    // A constant stays what it is: some arguments must be constants.
    if (part->kind == ExprKind::kConstant) return part;
    for (const AggregateNode::Key& key : keys_) {
      if (SameExpr(*key.expr, *part)) {
        return MakeColumn(key.output.column, key.output.type, key.output.name, part->position);
      }
    }
    return nullptr;
  });
}

/// A sub-query over groups, whose outer columns are those of groups.
Result<PlanNodePtr> SelectBinder::PlanOverGroups(const PlanNodePtr& plan) {
  std::vector<PlanNodePtr> children;
  for (const PlanNodePtr& child : plan->children()) {
    PlanNodePtr over = TL_TRY(PlanOverGroups(child));
    children.push_back(std::move(over));
  }
  const PlanNodePtr node = children.empty() ? plan : plan->WithChildren(std::move(children));
  Status error = OkStatus();
  PlanNodePtr over = node->WithExpressions([&](const ExprPtr& expr) {
    std::vector<ColumnRef> read;
    CollectColumns(*expr, &read);
    if (read.empty()) return expr;
    Result<ExprPtr> one = OverGroups(expr);
    if (one.ok()) return *std::move(one);
    if (error.ok()) error = one.status();
    return expr;
  });
  if (!error.ok()) return error;
  return over;
}

Status SelectBinder::GroupAll() {
  const bool several = sets_.size() > 1 || !groupings_.empty();
  if (several) {
    // A key is null where a set leaves it out: no longer the column it has been.
    for (AggregateNode::Key& key : keys_) key.output.column = context_.NewColumn();
  }
  for (BoundItem& item : items_) item.expr = TL_TRY(OverGroups(item.expr));
  for (OrderItem& order : order_) order.expr = TL_TRY(OverGroups(order.expr));
  if (having_ != nullptr) having_ = TL_TRY(OverGroups(having_));
  for (SubqueryCollector::Item& item : over_groups_.items) {
    if (item.join.test != nullptr) item.join.test = TL_TRY(OverGroups(item.join.test));
    if (item.join.dependent) item.plan = TL_TRY(PlanOverGroups(item.plan));
  }
  for (WindowCollector::Item& item : windows_.items) {
    Status status = OkStatus();
    const auto rewrite = [&](ExprPtr& expr) {
      Result<ExprPtr> over = OverGroups(expr);
      if (over.ok()) {
        expr = *std::move(over);
      } else if (status.ok()) {
        status = over.status();
      }
    };
    for (ExprPtr& expr : item.partition) rewrite(expr);
    for (WindowCollector::Order& order : item.order) rewrite(order.expr);
    ForEachWindowExpr(item.call, rewrite);
    TL_TRY(status);
  }
  if (several) {
    plan_ = TL_TRY(AggregateSets(plan_, keys_, aggregates_.calls(), sets_, groupings_, &context_));
  } else {
    plan_ = std::make_shared<AggregateNode>(std::move(plan_), std::move(keys_), aggregates_.calls());
  }
  plan_ = over_groups_.ApplyTo(std::move(plan_));
  if (having_ != nullptr) plan_ = std::make_shared<FilterNode>(std::move(plan_), std::move(having_));
  return OkStatus();
}

/// Gives each item its column: the one it is, if it is a plain column not yet delivered, or a new one.
Status SelectBinder::NameOutputs() {
  ColumnSet taken;
  // Not of a query around this one: those are not this plan's to name.
  const ColumnSet delivered = plan_->OutputSet();
  for (BoundItem& item : items_) {
    const bool keeps = item.expr->kind == ExprKind::kColumn && !taken.Has(item.expr->column) &&
                       delivered.Has(item.expr->column);
    item.column.column = keeps ? item.expr->column : context_.NewColumn();
    taken.Add(item.column.column);
    TL_TRY(context_.CountExpr());
    if (select_.distinct && !item.column.type.is_comparable() && !item.column.type.is(TypeId::kUnknown)) {
      return ErrorAt(select_.position, "DISTINCT can only be applied to comparable types (actual: {})",
                     item.column.type.ToString());
    }
  }
  return OkStatus();
}

Result<BoundQuery> SelectBinder::Finish() {
  std::vector<ProjectNode::Item> projected;
  BoundQuery bound;
  for (const BoundItem& item : items_) {
    projected.push_back({{item.column.column, item.column.name, item.column.type}, item.expr});
    bound.columns.push_back(item.column);
  }
  ColumnSet taken;
  for (const BoundItem& item : items_) taken.Add(item.column.column);
  const ColumnSet delivered = plan_->OutputSet();
  std::vector<SortKey> keys;
  for (const OrderItem& order : order_) {
    ColumnRef column;
    if (order.item.has_value()) {
      column = items_[*order.item].column.column;
    } else {
      const bool keeps = order.expr->kind == ExprKind::kColumn && !taken.Has(order.expr->column) &&
                         delivered.Has(order.expr->column);
      column = keeps ? order.expr->column : context_.NewColumn();
      taken.Add(column);
      projected.push_back({{column, PrintExpr(*order.expr), order.expr->type}, order.expr});
    }
    keys.push_back({column, order.source->descending, order.source->nulls_first.value_or(false)});
  }
  const std::size_t visible = items_.size();
  const bool hidden = projected.size() > visible;
  std::vector<ProjectNode::Item> shown;
  for (std::size_t i = 0; i < visible; ++i) {
    const OutputColumn& output = projected[i].output;
    shown.push_back({output, MakeColumn(output.column, output.type, output.name)});
  }
  bound.plan = std::make_shared<ProjectNode>(std::move(plan_), std::move(projected));
  if (select_.distinct) {
    std::vector<AggregateNode::Key> distinct;
    for (const ProjectNode::Item& item : shown) distinct.push_back({item.output, item.expr});
    bound.plan = std::make_shared<AggregateNode>(std::move(bound.plan), std::move(distinct), std::vector<AggregateCall>{});
  }
  if (query_ != nullptr) bound.plan = ApplyOrderAndLimit(*query_, std::move(bound.plan), std::move(keys), outermost_);
  if (hidden) bound.plan = std::make_shared<ProjectNode>(std::move(bound.plan), std::move(shown));
  return bound;
}

}  // namespace tideline::sql
