// Calls with OVER: window functions and aggregates over frames.
#include <algorithm>

#include "functions/cast.h"
#include "sql/bind/expression_binder.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

bool TakesNullTreatment(std::string_view name) {
  static constexpr std::string_view kNames[] = {"lag", "lead", "first_value", "last_value", "nth_value"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

/// What these answer hangs on the order alone: a frame would say something that is not heard.
bool TakesNoFrame(std::string_view name) {
  static constexpr std::string_view kNames[] = {"rank", "dense_rank", "percent_rank", "cume_dist"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool SameItemWindow(const WindowCollector::Item& a, const WindowCollector::Item& b) {
  const auto same_expr = [](const ExprPtr& x, const ExprPtr& y) { return SameExpr(*x, *y); };
  const auto same_order = [](const WindowCollector::Order& x, const WindowCollector::Order& y) {
    return SameExpr(*x.expr, *y.expr) && x.descending == y.descending && x.nulls_first == y.nulls_first;
  };
  return std::equal(a.partition.begin(), a.partition.end(), b.partition.begin(), b.partition.end(), same_expr) &&
         std::equal(a.order.begin(), a.order.end(), b.order.begin(), b.order.end(), same_order);
}

/// The columns that a window's partition and order expressions are, made by a projection if need be.
class WindowColumns {
 public:
  WindowColumns(const PlanNode& child, BindContext* context) : delivered_(child.OutputSet()), context_(context) {
    for (const OutputColumn& output : child.outputs()) {
      items_.push_back({output, MakeColumn(output.column, output.type, output.name)});
    }
    child_columns_ = items_.size();
  }
  ColumnRef ColumnOf(const ExprPtr& expr) {
    if (expr->kind == ExprKind::kColumn && delivered_.Has(expr->column)) return expr->column;
    const ColumnRef column = context_->NewColumn();
    items_.push_back({{column, PrintExpr(*expr), expr->type}, expr});
    return column;
  }
  PlanNodePtr Over(PlanNodePtr child) && {
    if (items_.size() == child_columns_) return child;
    return std::make_shared<ProjectNode>(std::move(child), std::move(items_));
  }

 private:
  const ColumnSet delivered_;
  BindContext* context_;
  std::vector<ProjectNode::Item> items_;
  std::size_t child_columns_ = 0;
};

BoundKind KindOfBound(ast::FrameBoundKind kind) {
  switch (kind) {
    case ast::FrameBoundKind::kUnboundedPreceding:
      return BoundKind::kUnboundedPreceding;
    case ast::FrameBoundKind::kPreceding:
      return BoundKind::kPreceding;
    case ast::FrameBoundKind::kCurrentRow:
      return BoundKind::kCurrentRow;
    case ast::FrameBoundKind::kFollowing:
      return BoundKind::kFollowing;
    case ast::FrameBoundKind::kUnboundedFollowing:
      return BoundKind::kUnboundedFollowing;
  }
  return BoundKind::kCurrentRow;
}

Status CheckFrame(const ast::WindowFrame& frame) {
  using Kind = ast::FrameBoundKind;
  const Kind start = frame.start.kind;
  const Kind end = frame.end.kind;
  if (start == Kind::kUnboundedFollowing) {
    return ErrorAt(frame.position, "Window frame start cannot be UNBOUNDED FOLLOWING");
  }
  if (end == Kind::kUnboundedPreceding) {
    return ErrorAt(frame.position, "Window frame end cannot be UNBOUNDED PRECEDING");
  }
  if (start == Kind::kCurrentRow && end == Kind::kPreceding) {
    return ErrorAt(frame.position, "Window frame starting from CURRENT ROW cannot end with PRECEDING");
  }
  if (start == Kind::kFollowing && (end == Kind::kPreceding || end == Kind::kCurrentRow)) {
    return ErrorAt(frame.position, "Window frame starting from FOLLOWING cannot end with {}",
                   end == Kind::kPreceding ? "PRECEDING" : "CURRENT ROW");
  }
  return OkStatus();
}

FrameUnit UnitOf(ast::FrameUnit unit) {
  return unit == ast::FrameUnit::kRows ? FrameUnit::kRows
                                       : unit == ast::FrameUnit::kRange ? FrameUnit::kRange : FrameUnit::kGroups;
}

}  // namespace

PlanNodePtr WindowCollector::ApplyTo(PlanNodePtr plan, BindContext* context) const {
  std::vector<bool> done(items.size(), false);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (done[i]) continue;
    WindowColumns columns(*plan, context);
    WindowNode::Spec spec;
    for (const ExprPtr& expr : items[i].partition) spec.partition.push_back(columns.ColumnOf(expr));
    for (const Order& order : items[i].order) {
      spec.order.push_back({columns.ColumnOf(order.expr), order.descending, order.nulls_first});
    }
    std::vector<WindowCall> calls;
    for (std::size_t k = i; k < items.size(); ++k) {
      if (done[k] || !SameItemWindow(items[i], items[k])) continue;
      done[k] = true;
      calls.push_back(items[k].call);
    }
    plan = std::make_shared<WindowNode>(std::move(columns).Over(std::move(plan)), std::move(spec), std::move(calls));
  }
  return plan;
}

bool WindowCollector::IsReadBy(const Expr& expr) const {
  std::vector<ColumnRef> read;
  CollectColumns(expr, &read);
  return std::any_of(items.begin(), items.end(), [&](const Item& item) {
    return std::find(read.begin(), read.end(), item.call.output.column) != read.end();
  });
}

Result<ExprPtr> ExpressionBinder::BindWindowCall(const ast::FunctionCall& call) {
  const Position at = PlaceOf(call.position);
  if (place_.windows == nullptr) {
    if (!place_.aggregates_refused.empty()) return ErrorAt(at, "{}: {}", place_.aggregates_refused, call.name);
    return ErrorAt(at, "{} cannot contain aggregations, window functions or grouping operations: {}", place_.clause,
                   call.name);
  }
  ExpressionPlace place = place_;
  place.clause = "Window function";
  place.windows = nullptr;
  ExpressionBinder inner(context_, scope_, place);
  WindowCollector::Item item;
  TL_TRY(BindWindowFunction(call, &inner, &item.call));
  const ast::WindowSpec* spec = TL_TRY(FindWindowSpec(*call.over));
  TL_TRY(BindWindowSpec(*spec, &inner, &item));
  if (spec->frame.has_value() && item.call.window != nullptr && TakesNoFrame(call.name)) {
    return ErrorAt(spec->frame->position, "Cannot specify window frame for {} function", call.name);
  }
  const ExprPtr result = MakeColumn(item.call.output.column, item.call.output.type, item.call.output.name, at);
  place_.windows->items.push_back(std::move(item));
  return result;
}

Status ExpressionBinder::BindWindowFunction(const ast::FunctionCall& call, ExpressionBinder* inner,
                                            WindowCall* bound) {
  const Position at = PlaceOf(call.position);
  const functions::AggregateFunction* aggregate = context_.registry.FindAggregate(call.name);
  if (aggregate != nullptr && aggregate->profile == functions::Profile::kExtendedOnly && !context_.extended()) {
    aggregate = nullptr;
  }
  const functions::WindowFunction* window = aggregate == nullptr ? context_.registry.FindWindow(call.name) : nullptr;
  if (aggregate == nullptr && window == nullptr) {
    if (context_.registry.FindScalar(call.name) != nullptr) {
      return ErrorAt(at, "OVER is only valid for window and aggregation functions: {}", call.name);
    }
    return ErrorAt(at, "Function {} not registered", call.name);
  }
  if (call.star && call.name != "count") {
    return ErrorAt(at, "{}(*) is not a function: only count takes *", call.name);
  }
  if (call.distinct) return ErrorAt(at, "DISTINCT in window function parameters not yet supported: {}", call.name);
  if (!call.order_by.empty() || !call.within_group.empty()) {
    return ErrorAt(at, "Window function with ORDER BY is not supported");
  }
  if (call.filter != nullptr && window != nullptr) {
    return ErrorAt(at, "Filter is only valid for aggregation functions");
  }
  if (call.nulls != ast::NullTreatment::kUnstated && (window == nullptr || !TakesNullTreatment(call.name))) {
    return ErrorAt(at, "Cannot specify null treatment clause for {} function", call.name);
  }
  BoundArguments arguments = TL_TRY(inner->BindMixedArguments(
      call,
      aggregate != nullptr ? context_.registry.SignaturesOf(*aggregate) : context_.registry.SignaturesOf(*window)));
  bound->aggregate = aggregate;
  bound->window = window;
  bound->overload = arguments.resolved.overload;
  bound->arguments = std::move(arguments.arguments);
  TL_TRY(SplitAggregateLambdas(&bound->arguments, &bound->lambdas));
  if (call.filter != nullptr) bound->filter = TL_TRY(inner->BindCondition(*call.filter, "FILTER clause"));
  bound->ignore_nulls = call.nulls == ast::NullTreatment::kIgnore;
  bound->output = {context_.NewColumn(), call.name, arguments.resolved.result_type};
  return OkStatus();
}

Result<const ast::WindowSpec*> ExpressionBinder::FindWindowSpec(const ast::OverClause& over) const {
  if (!over.name.has_value()) return &over.spec;
  if (place_.named_windows != nullptr) {
    for (const ast::NamedWindow& window : *place_.named_windows) {
      if (EqualsIgnoreCase(window.name.text, over.name->text)) return &window.spec;
    }
  }
  return ErrorAt(over.name->position, "Cannot resolve WINDOW name {}", over.name->text);
}

Status ExpressionBinder::BindWindowSpec(const ast::WindowSpec& spec, ExpressionBinder* inner,
                                        WindowCollector::Item* item) {
  for (const ast::ExprPtr& expr : spec.partition_by) {
    ExprPtr key = TL_TRY(inner->Bind(*expr));
    if (!key->type.is_comparable() && !key->type.is(TypeId::kUnknown)) {
      return ErrorAt(expr->position,
                     "{} is not comparable, and therefore cannot be used in window function PARTITION BY",
                     key->type.ToString());
    }
    item->partition.push_back(std::move(key));
  }
  for (const ast::SortItem& sort : spec.order_by) {
    if (sort.expr->kind == ast::ExprKind::kIntegerLiteral) {
      return ErrorAt(sort.expr->position, "Ordinals are not allowed in window function ORDER BY");
    }
    ExprPtr key = TL_TRY(inner->Bind(*sort.expr));
    if (!key->type.is_orderable() && !key->type.is(TypeId::kUnknown)) {
      return ErrorAt(sort.expr->position,
                     "{} is not orderable, and therefore cannot be used in window function ORDER BY",
                     key->type.ToString());
    }
    item->order.push_back({std::move(key), sort.descending, sort.nulls_first.value_or(false)});
  }
  // By default up to the row's last peer, which without an order is the whole partition.
  if (!spec.frame.has_value()) return OkStatus();
  return BindFrame(*spec.frame, inner, item);
}

Status ExpressionBinder::BindFrame(const ast::WindowFrame& frame, ExpressionBinder* inner,
                                   WindowCollector::Item* item) {
  TL_TRY(CheckFrame(frame));
  if (frame.unit == ast::FrameUnit::kGroups && !context_.extended()) {
    return ErrorAt(frame.position, "Window frame of type GROUPS is not supported");
  }
  if (frame.unit == ast::FrameUnit::kGroups && item->order.empty()) {
    return ErrorAt(frame.position, "Window frame of type GROUPS requires ORDER BY");
  }
  item->call.frame.unit = UnitOf(frame.unit);
  TL_TRY(BindFrameBound(frame.start, frame.unit, true, inner, *item, &item->call.frame.start));
  return BindFrameBound(frame.end, frame.unit, false, inner, *item, &item->call.frame.end);
}

Status ExpressionBinder::BindFrameBound(const ast::FrameBound& bound, ast::FrameUnit unit, bool is_start,
                                        ExpressionBinder* inner, const WindowCollector::Item& item, FrameBound* out) {
  out->kind = KindOfBound(bound.kind);
  if (bound.offset == nullptr) return OkStatus();
  const ast::SourcePosition& at = bound.offset->position;
  ExprPtr offset = TL_TRY(inner->Bind(*bound.offset));
  if (unit != ast::FrameUnit::kRange) {
    if (!functions::CanCoerce(offset->type, Type::Bigint(), false)) {
      return ErrorAt(at, "Window frame {} {} value type must be BIGINT or compatible (actual {})",
                     unit == ast::FrameUnit::kRows ? "ROWS" : "GROUPS", is_start ? "start" : "end",
                     offset->type.ToString());
    }
    out->offset = CoerceTo(offset, Type::Bigint());
    return OkStatus();
  }
  if (item.order.size() != 1) {
    return ErrorAt(at, "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in ORDER BY "
                   "(actual: {})", item.order.size());
  }
  const WindowCollector::Order& order = item.order[0];
  const bool minus = (out->kind == BoundKind::kPreceding) != order.descending;
  Result<ExprPtr> reach = BindOperatorCall(minus ? "$subtract" : "$add", minus ? "-" : "+", {order.expr, offset},
                                           PlaceOf(at));
  const bool suits = reach.ok() && (*reach)->type == order.expr->type &&
                     (order.expr->type.is_numeric() || order.expr->type.is(TypeId::kTimestamp) ||
                      order.expr->type.is(TypeId::kDate) || order.expr->type.is(TypeId::kTime));
  if (!suits) {
    return ErrorAt(at, "Window frame RANGE value of type {} does not fit the sort item of type {}",
                   offset->type.ToString(), order.expr->type.ToString());
  }
  out->offset = std::move(offset);
  out->reach = *std::move(reach);
  return OkStatus();
}

}  // namespace tideline::sql
