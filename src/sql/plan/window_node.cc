#include "sql/plan/window_node.h"

#include <fmt/format.h>

namespace tideline::sql {

namespace {

std::vector<OutputColumn> OutputsOfWindow(const PlanNode& child, const std::vector<WindowCall>& calls) {
  std::vector<OutputColumn> outputs = child.outputs();
  for (const WindowCall& call : calls) outputs.push_back(call.output);
  return outputs;
}

}  // namespace

WindowNode::WindowNode(PlanNodePtr child, Spec spec, std::vector<WindowCall> calls)
    : PlanNode(kKind, {child}, OutputsOfWindow(*child, calls)), spec_(std::move(spec)), calls_(std::move(calls)) {}

std::string WindowNode::Describe() const {
  std::string out = "Window";
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const WindowCall& call = calls_[i];
    out += fmt::format("{}{}(", i == 0 ? " " : ", ", call.window != nullptr ? call.window->name : call.aggregate->name);
    for (std::size_t k = 0; k < call.arguments.size(); ++k) {
      out += fmt::format("{}{}", k == 0 ? "" : ", ", PrintExpr(*call.arguments[k]));
    }
    for (const ExprPtr& lambda : call.lambdas) out += fmt::format(", {}", PrintExpr(*lambda));
    out += ')';
  }
  std::vector<OutputColumn> partition;
  for (const ColumnRef column : spec_.partition) {
    for (const OutputColumn& output : child()->outputs()) {
      if (output.column == column) partition.push_back(output);
    }
  }
  if (!partition.empty()) out += " partition by " + PrintColumns(partition);
  if (!spec_.order.empty()) out += " order by " + PrintSortKeys(spec_.order, child()->outputs());
  return out;
}

PlanNodePtr WindowNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<WindowNode>(std::move(children[0]), spec_, calls_);
}

PlanNodePtr WindowNode::WithExpressions(const ExprRewrite& rewrite) const {
  std::vector<WindowCall> calls = calls_;
  for (WindowCall& call : calls) {
    ForEachWindowExpr(call, [&](ExprPtr& expr) { expr = rewrite(expr); });
  }
  return std::make_shared<WindowNode>(child(), spec_, std::move(calls));
}

ColumnSet WindowNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const {
  ColumnSet required = wanted;
  for (const ColumnRef column : spec_.partition) required.Add(column);
  for (const SortKey& key : spec_.order) required.Add(key.column);
  for (const WindowCall& call : calls_) {
    if (!wanted.Has(call.output.column)) continue;
    ForEachWindowExpr(call, [&](const ExprPtr& expr) { required.AddColumnsOf(*expr); });
  }
  return required;
}

PlanNodePtr WindowNode::Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const {
  std::vector<WindowCall> calls;
  for (const WindowCall& call : calls_) {
    if (wanted.Has(call.output.column)) calls.push_back(call);
  }
  if (calls.empty()) return children[0];
  return std::make_shared<WindowNode>(std::move(children[0]), spec_, std::move(calls));
}

ExprPtr WindowNode::PassDown(const ExprPtr& predicate, std::size_t /*index*/) const {
  if (HasVolatileCall(*predicate)) return nullptr;
  ColumnSet partition;
  for (const ColumnRef column : spec_.partition) partition.Add(column);
  if (!partition.Covers(*predicate)) return nullptr;
  std::vector<ColumnRef> read;
  CollectColumns(*predicate, &read);
  if (read.empty()) return nullptr;
  // Equal is not identical: a predicate may tell -0.0 from 0.0, which are one partition.
  for (const OutputColumn& output : child()->outputs()) {
    const bool loose = output.type.is(TypeId::kDouble) || output.type.is_nested();
    if (loose && std::find(read.begin(), read.end(), output.column) != read.end()) return nullptr;
  }
  return predicate;
}

double WindowNode::EstimateRows() const { return child()->EstimatedRows(); }

void WindowNode::AddIdentity(NodeIdentity* identity) const {
  identity->Add(std::uint64_t{spec_.partition.size()});
  for (const ColumnRef column : spec_.partition) identity->Add(column);
  AddSortKeys(spec_.order, identity);
  for (const WindowCall& call : calls_) {
    identity->Add(call.window != nullptr ? call.window->name : call.aggregate->name);
    identity->Add(std::uint64_t{call.overload});
    identity->Add(std::uint64_t{call.ignore_nulls} + 2 * std::uint64_t{call.aggregate != nullptr});
    identity->Add(static_cast<std::uint64_t>(call.frame.unit));
    identity->Add(static_cast<std::uint64_t>(call.frame.start.kind));
    identity->Add(static_cast<std::uint64_t>(call.frame.end.kind));
    identity->Add(std::uint64_t{call.arguments.size()});
    for (const ExprPtr& argument : call.arguments) identity->Add(argument);
    identity->Add(std::uint64_t{call.lambdas.size()});
    for (const ExprPtr& lambda : call.lambdas) identity->Add(lambda);
    for (const ExprPtr& expr : {call.filter, call.frame.start.offset, call.frame.start.reach, call.frame.end.offset,
                                call.frame.end.reach}) {
      identity->Add(expr);
    }
  }
}

}  // namespace tideline::sql
