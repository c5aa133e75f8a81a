#include "sql/optimize/push_domain.h"

#include <algorithm>

#include "functions/registry.h"
#include "sql/optimize/pull_correlation.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/join_node.h"
#include "sql/plan/limit_node.h"
#include "sql/plan/make_call.h"
#include "sql/plan/project_node.h"
#include "sql/plan/set_operation_node.h"
#include "sql/plan/sort_node.h"
#include "sql/plan/topn_node.h"
#include "sql/plan/unnest_node.h"
#include "sql/plan/values_node.h"
#include "sql/plan/window_node.h"

namespace tideline::sql {

namespace {

/// Some value of a type that a domain may have; which one does not matter.
ExprPtr AnyValue(const Type& type) {
  if (type.physical() == PhysicalType::kString) return MakeConstant(Value::Text(type, ""));
  return MakeConstant(Value::OfInteger(type, 0));
}

std::vector<ProjectNode::Item> PassAll(const std::vector<OutputColumn>& outputs) {
  std::vector<ProjectNode::Item> items;
  for (const OutputColumn& output : outputs) items.push_back({output, ReadColumn(output)});
  return items;
}

Result<WindowCall> NumberingCall(std::string_view name, ColumnRef column) {
  WindowCall call;
  call.window = functions::FunctionRegistry::Get().FindWindow(name);
  if (call.window == nullptr) return Internal("window function {} is not registered", name);
  call.output = {column, std::string(name), Type::Bigint()};
  return call;
}

}  // namespace

DomainPusher::DomainPusher(const Domain& domain, const DecorrelateOptions& options, std::uint32_t* column_count,
                           std::function<Result<PlanNodePtr>(const PlanNodePtr&)> run)
    : domain_(domain), options_(options), column_count_(column_count), run_(std::move(run)) {
  for (const ColumnRef column : domain.outer) outer_.Add(column);
}

PushedPlan DomainPusher::Use() {
  PushedPlan use;
  std::vector<ColumnRef> inputs;
  for (const OutputColumn& column : domain_.columns) {
    use.refs.push_back({NewColumn(), column.name, column.type});
    inputs.push_back(column.column);
  }
  use.plan = std::make_shared<SharedNode>(domain_.plan, use.refs, std::move(inputs));
  return use;
}

bool DomainPusher::ReadsOuter(const PlanNodePtr& node) {
  const std::vector<ColumnRef>& free = free_.Of(node);
  return std::any_of(free.begin(), free.end(), [&](ColumnRef column) { return outer_.Has(column); });
}

ExprPtr DomainPusher::Over(const ExprPtr& expr, const std::vector<OutputColumn>& refs) const {
  if (expr == nullptr) return expr;
  return RewriteExpr(expr, [&](const ExprPtr& part) -> ExprPtr {
    if (part->kind != ExprKind::kColumn || !outer_.Has(part->column)) return nullptr;
    for (std::size_t i = 0; i < domain_.outer.size(); ++i) {
      if (domain_.outer[i] == part->column) return MakeColumn(refs[i].column, part->type, part->name, part->position);
    }
    return nullptr;
  });
}

PlanNodePtr DomainPusher::PlanOver(const PlanNodePtr& plan, const std::vector<OutputColumn>& refs) {
  if (!ReadsOuter(plan)) return plan;
  std::vector<PlanNodePtr> children;
  for (const PlanNodePtr& child : plan->children()) children.push_back(PlanOver(child, refs));
  const PlanNodePtr node = plan->children().empty() ? plan : plan->WithChildren(std::move(children));
  return node->WithExpressions([&](const ExprPtr& expr) { return Over(expr, refs); });
}

std::vector<OutputColumn> DomainPusher::KeysOf(const std::vector<OutputColumn>& refs) const {
  return domain_.numbered ? std::vector<OutputColumn>{refs.front()} : refs;
}

Result<std::vector<ExprPtr>> DomainPusher::SameRow(const std::vector<OutputColumn>& a,
                                                   const std::vector<OutputColumn>& b) const {
  std::vector<ExprPtr> parts;
  const auto equal = [&](ExprPtr left, ExprPtr right) -> Status {
    ExprPtr part = TL_TRY(MakeScalarCall("$equal", {std::move(left), std::move(right)}));
    parts.push_back(std::move(part));
    return OkStatus();
  };
  if (domain_.numbered) {
    TL_TRY(equal(ReadColumn(a.front()), ReadColumn(b.front())));
    return parts;
  }
  // Keys of a join: null equals null if it is said in two keys.
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto known = [&](const OutputColumn& side) {
      return MakeExpr(ExprKind::kCoalesce, side.type, {ReadColumn(side), AnyValue(side.type)});
    };
    const auto missing = [](const OutputColumn& side) {
      return MakeExpr(ExprKind::kIsNull, Type::Boolean(), {ReadColumn(side)});
    };
    TL_TRY(equal(known(a[i]), known(b[i])));
    TL_TRY(equal(missing(a[i]), missing(b[i])));
  }
  return parts;
}

Result<PushedPlan> DomainPusher::Cross(const PlanNodePtr& node) {
  PlanNodePtr rows = TL_TRY(run_(node));
  PushedPlan use = Use();
  use.plan = std::make_shared<JoinNode>(std::move(use.plan), std::move(rows), JoinNode::Spec{});
  return use;
}

Result<PushedPlan> DomainPusher::Push(const PlanNodePtr& node) {
  if (!ReadsOuter(node)) return Cross(node);
  switch (node->kind()) {
    case PlanKind::kFilter: {
      PushedPlan pushed = TL_TRY(Push(node->child()));
      pushed.plan = std::make_shared<FilterNode>(std::move(pushed.plan),
                                                 Over(As<FilterNode>(*node).predicate(), pushed.refs));
      return pushed;
    }
    case PlanKind::kProject: {
      PushedPlan pushed = TL_TRY(Push(node->child()));
      std::vector<ProjectNode::Item> items = PassAll(pushed.refs);
      for (const ProjectNode::Item& item : As<ProjectNode>(*node).items()) {
        items.push_back({item.output, Over(item.expr, pushed.refs)});
      }
      pushed.plan = std::make_shared<ProjectNode>(std::move(pushed.plan), std::move(items));
      return pushed;
    }
    case PlanKind::kUnnest: {
      PushedPlan pushed = TL_TRY(Push(node->child()));
      const UnnestNode& unnest = As<UnnestNode>(*node);
      std::vector<UnnestNode::Item> items = unnest.items();
      for (UnnestNode::Item& item : items) item.expr = Over(item.expr, pushed.refs);
      pushed.plan = std::make_shared<UnnestNode>(std::move(pushed.plan), std::move(items), unnest.ordinality(),
                                                 unnest.keeps_empty());
      return pushed;
    }
    case PlanKind::kSort:
      return Push(node->child());  // an order matters below a limit only, which looks for it itself
    case PlanKind::kLimit:
    case PlanKind::kTopN:
      return PushLimit(node);
    case PlanKind::kAggregate:
      return PushAggregate(As<AggregateNode>(*node));
    case PlanKind::kWindow:
      return PushWindow(As<WindowNode>(*node));
    case PlanKind::kJoin:
      return PushJoin(As<JoinNode>(*node));
    case PlanKind::kSetOperation:
      return PushUnion(As<SetOperationNode>(*node));
    case PlanKind::kValues:
      return PushValues(As<ValuesNode>(*node));
    case PlanKind::kScan:
    case PlanKind::kShared:
      break;
  }
  return Internal("{} reads columns of an outer query", node->Describe());
}

Result<PushedPlan> DomainPusher::PushAggregate(const AggregateNode& node) {
  if (node.keys().empty()) return PushGlobalAggregate(node);
  PushedPlan pushed = TL_TRY(Push(node.child()));
  std::vector<AggregateNode::Key> keys = node.keys();
  for (AggregateNode::Key& key : keys) key.expr = Over(key.expr, pushed.refs);
  const std::vector<OutputColumn> numbers = KeysOf(pushed.refs);
  for (const OutputColumn& column : numbers) keys.push_back({column, ReadColumn(column)});
  std::vector<AggregateCall> calls = node.calls();
  for (AggregateCall& call : calls) {
    for (ExprPtr& argument : call.arguments) argument = Over(argument, pushed.refs);
    for (AggregateOrder& order : call.order_by) order.expr = Over(order.expr, pushed.refs);
    call.filter = Over(call.filter, pushed.refs);
  }
  pushed.plan = std::make_shared<AggregateNode>(std::move(pushed.plan), std::move(keys), std::move(calls));
  if (!domain_.numbered) return pushed;
  // The number has come through; what it is the number of is looked up.
  PushedPlan use = Use();
  JoinNode::Spec spec;
  std::vector<ExprPtr> same = TL_TRY(SameRow(use.refs, numbers));
  spec.condition = MakeAnd(std::move(same));
  use.plan = std::make_shared<JoinNode>(std::move(use.plan), std::move(pushed.plan), std::move(spec));
  return use;
}

Result<PushedPlan> DomainPusher::PushGlobalAggregate(const AggregateNode& node) {
  PushedPlan use = Use();
  if (node.calls().empty()) return use;  // one row without columns, for each
  PushedPlan pushed = TL_TRY(Push(node.child()));
  std::vector<AggregateNode::Key> keys;
  for (const OutputColumn& column : KeysOf(pushed.refs)) keys.push_back({column, ReadColumn(column)});
  std::vector<AggregateCall> calls = node.calls();
  const OutputColumn present{NewColumn(), "present", Type::Boolean()};
  const ExprPtr absent = MakeExpr(ExprKind::kIsNull, Type::Boolean(), {ReadColumn(present)});
  std::vector<ProjectNode::Item> above = PassAll(use.refs);
  for (AggregateCall& call : calls) {
    std::optional<ExprPtr> otherwise = ValueOfNoRows(call, options_);
    if (!otherwise.has_value()) return ExecutionFailed("{} of no rows has no value", call.function->name);
    const OutputColumn output = call.output;
    call.output.column = NewColumn();
    for (ExprPtr& argument : call.arguments) argument = Over(argument, pushed.refs);
    for (AggregateOrder& order : call.order_by) order.expr = Over(order.expr, pushed.refs);
    call.filter = Over(call.filter, pushed.refs);
    const bool null_anyway = (*otherwise)->kind == ExprKind::kConstant && (*otherwise)->constant.is_null();
    above.push_back({output, null_anyway ? ReadColumn(call.output)
                                         : MakeExpr(ExprKind::kCase, output.type,
                                                    {absent, *std::move(otherwise), ReadColumn(call.output)})});
  }
  PlanNodePtr groups = std::make_shared<AggregateNode>(std::move(pushed.plan), std::move(keys), std::move(calls));
  std::vector<ProjectNode::Item> marked = PassAll(groups->outputs());
  marked.push_back({present, MakeConstant(Value::Boolean(true))});
  groups = std::make_shared<ProjectNode>(std::move(groups), std::move(marked));
  JoinNode::Spec spec;
  spec.kind = JoinKind::kLeft;
  std::vector<ExprPtr> same = TL_TRY(SameRow(use.refs, pushed.refs));
  spec.condition = MakeAnd(std::move(same));
  use.plan = std::make_shared<ProjectNode>(
      std::make_shared<JoinNode>(std::move(use.plan), std::move(groups), std::move(spec)), std::move(above));
  return use;
}

/// LIMIT and ORDER BY with LIMIT: rows are numbered within their row of the domain.
Result<PushedPlan> DomainPusher::PushLimit(const PlanNodePtr& node) {
  PlanNodePtr below = node->child();
  std::optional<std::int64_t> count;
  std::int64_t offset = 0;
  bool with_ties = false;
  WindowNode::Spec spec;
  if (node->kind() == PlanKind::kTopN) {
    const TopNNode& topn = As<TopNNode>(*node);
    count = topn.count();
    offset = topn.offset();
    with_ties = topn.with_ties();
    spec.order = topn.keys();
  } else {
    const LimitNode& limit = As<LimitNode>(*node);
    count = limit.count();
    offset = limit.offset();
    if (below->kind() == PlanKind::kSort) {
      spec.order = As<SortNode>(*below).keys();
      below = below->child();
    }
  }
  PushedPlan pushed = TL_TRY(Push(below));
  for (const OutputColumn& column : KeysOf(pushed.refs)) spec.partition.push_back(column.column);
  std::vector<WindowCall> calls;
  WindowCall number = TL_TRY(NumberingCall("row_number", NewColumn()));
  const ExprPtr position = ReadColumn(number.output);
  ExprPtr last = position;
  calls.push_back(std::move(number));
  if (with_ties) {
    WindowCall rank = TL_TRY(NumberingCall("rank", NewColumn()));
    last = ReadColumn(rank.output);
    calls.push_back(std::move(rank));
  }
  pushed.plan = std::make_shared<WindowNode>(std::move(pushed.plan), std::move(spec), std::move(calls));
  std::vector<ExprPtr> parts;
  if (offset > 0) {
    ExprPtr part = TL_TRY(MakeScalarCall("$greater", {position, MakeConstant(Value::Bigint(offset))}));
    parts.push_back(std::move(part));
  }
  if (count.has_value() && *count <= std::numeric_limits<std::int64_t>::max() - offset) {
    ExprPtr part = TL_TRY(MakeScalarCall("$less_equal", {last, MakeConstant(Value::Bigint(offset + *count))}));
    parts.push_back(std::move(part));
  }
  if (!parts.empty()) pushed.plan = std::make_shared<FilterNode>(std::move(pushed.plan), MakeAnd(std::move(parts)));
  return pushed;
}

Result<PushedPlan> DomainPusher::PushWindow(const WindowNode& node) {
  PushedPlan pushed = TL_TRY(Push(node.child()));
  WindowNode::Spec spec = node.spec();
  for (const OutputColumn& column : KeysOf(pushed.refs)) spec.partition.push_back(column.column);
  std::vector<WindowCall> calls = node.calls();
  for (WindowCall& call : calls) {
    ForEachWindowExpr(call, [&](ExprPtr& expr) { expr = Over(expr, pushed.refs); });
  }
  pushed.plan = std::make_shared<WindowNode>(std::move(pushed.plan), std::move(spec), std::move(calls));
  return pushed;
}

Result<PushedPlan> DomainPusher::PushJoin(const JoinNode& node) {
  if (node.spec().dependent) return PushDependentJoin(node);
  const bool left = ReadsOuter(node.children()[0]);
  const bool right = ReadsOuter(node.children()[1]);
  switch (node.spec().kind) {
    case JoinKind::kInner:
    case JoinKind::kLeft:
    case JoinKind::kSingle:
    case JoinKind::kMark:
      break;
    case JoinKind::kRight: {
      // The same join with its sides exchanged.
      JoinNode::Spec spec = node.spec();
      spec.kind = JoinKind::kLeft;
      const JoinNode mirrored(node.children()[1], node.children()[0], std::move(spec));
      return PushBothSides(mirrored, left);
    }
    case JoinKind::kFull:
      return PushFullJoin(node);
  }
  if (node.spec().kind != JoinKind::kInner || left || !right) return PushBothSides(node, right);
  PushedPlan pushed = TL_TRY(Push(node.children()[1]));
  PlanNodePtr other = TL_TRY(run_(node.children()[0]));
  JoinNode::Spec spec = node.spec();
  spec.condition = Over(spec.condition, pushed.refs);
  pushed.plan = std::make_shared<JoinNode>(std::move(other), std::move(pushed.plan), std::move(spec));
  return pushed;
}

/// Into the left child, and into the right one if `push_right`.
Result<PushedPlan> DomainPusher::PushBothSides(const JoinNode& node, bool push_right) {
  PushedPlan pushed = TL_TRY(Push(node.children()[0]));
  JoinNode::Spec spec = node.spec();
  spec.condition = Over(spec.condition, pushed.refs);
  spec.test = Over(spec.test, pushed.refs);
  PlanNodePtr right;
  if (push_right) {
    PushedPlan other = TL_TRY(Push(node.children()[1]));
    std::vector<ExprPtr> parts = TL_TRY(SameRow(pushed.refs, other.refs));
    AppendConjuncts(spec.condition, &parts);
    spec.condition = MakeAnd(std::move(parts));
    right = std::move(other.plan);
  } else {
    right = TL_TRY(run_(node.children()[1]));
  }
  pushed.plan = std::make_shared<JoinNode>(std::move(pushed.plan), std::move(right), std::move(spec));
  return pushed;
}

Result<PushedPlan> DomainPusher::PushFullJoin(const JoinNode& node) {
  PushedPlan left = TL_TRY(Push(node.children()[0]));
  PushedPlan right = TL_TRY(Push(node.children()[1]));
  JoinNode::Spec spec = node.spec();
  std::vector<ExprPtr> parts = TL_TRY(SameRow(left.refs, right.refs));
  AppendConjuncts(Over(spec.condition, left.refs), &parts);
  spec.condition = MakeAnd(std::move(parts));
  PushedPlan pushed;
  std::vector<ProjectNode::Item> items = PassAll(node.outputs());
  for (std::size_t i = 0; i < left.refs.size(); ++i) {
    const OutputColumn& side = left.refs[i];
    pushed.refs.push_back({NewColumn(), side.name, side.type});
    items.push_back({pushed.refs.back(), MakeExpr(ExprKind::kCoalesce, side.type,
                                                  {ReadColumn(side), ReadColumn(right.refs[i])})});
  }
  pushed.plan = std::make_shared<ProjectNode>(
      std::make_shared<JoinNode>(std::move(left.plan), std::move(right.plan), std::move(spec)), std::move(items));
  return pushed;
}

Result<PushedPlan> DomainPusher::PushDependentJoin(const JoinNode& node) {
  PushedPlan pushed = TL_TRY(Push(node.children()[0]));
  JoinNode::Spec spec = node.spec();
  spec.condition = Over(spec.condition, pushed.refs);
  spec.test = Over(spec.test, pushed.refs);
  PlanNodePtr right = PlanOver(node.children()[1], pushed.refs);
  pushed.plan =
      TL_TRY(run_(std::make_shared<JoinNode>(std::move(pushed.plan), std::move(right), std::move(spec))));
  return pushed;
}

Result<PushedPlan> DomainPusher::PushUnion(const SetOperationNode& node) {
  std::vector<PlanNodePtr> children;
  std::vector<std::vector<ColumnRef>> inputs = node.inputs();
  for (std::size_t i = 0; i < node.children().size(); ++i) {
    PushedPlan pushed = TL_TRY(Push(node.children()[i]));
    for (const OutputColumn& column : pushed.refs) inputs[i].push_back(column.column);
    children.push_back(std::move(pushed.plan));
  }
  PushedPlan all;
  std::vector<OutputColumn> outputs = node.outputs();
  for (const OutputColumn& column : domain_.columns) {
    all.refs.push_back({NewColumn(), column.name, column.type});
    outputs.push_back(all.refs.back());
  }
  all.plan = std::make_shared<SetOperationNode>(std::move(children), std::move(outputs), std::move(inputs));
  return all;
}

/// Each written row once for each row of the domain.
Result<PushedPlan> DomainPusher::PushValues(const ValuesNode& node) {
  std::vector<PlanNodePtr> children;
  std::vector<std::vector<ColumnRef>> inputs;
  for (const std::vector<ExprPtr>& row : node.rows()) {
    PushedPlan use = Use();
    std::vector<ProjectNode::Item> items;
    std::vector<ColumnRef> columns;
    for (std::size_t k = 0; k < row.size(); ++k) {
      const OutputColumn output{NewColumn(), node.outputs()[k].name, node.outputs()[k].type};
      items.push_back({output, Over(row[k], use.refs)});
      columns.push_back(output.column);
    }
    for (const OutputColumn& column : use.refs) {
      items.push_back({column, ReadColumn(column)});
      columns.push_back(column.column);
    }
    children.push_back(std::make_shared<ProjectNode>(std::move(use.plan), std::move(items)));
    inputs.push_back(std::move(columns));
  }
  PushedPlan all;
  std::vector<OutputColumn> outputs = node.outputs();
  for (const OutputColumn& column : domain_.columns) {
    all.refs.push_back({NewColumn(), column.name, column.type});
    outputs.push_back(all.refs.back());
  }
  all.plan = std::make_shared<SetOperationNode>(std::move(children), std::move(outputs), std::move(inputs));
  return all;
}

}  // namespace tideline::sql
