#include "sql/plan/aggregate_node.h"

#include <fmt/format.h>

#include <cmath>

namespace tideline::sql {

namespace {

std::vector<OutputColumn> OutputsOfGroups(const std::vector<AggregateNode::Key>& keys,
                                          const std::vector<AggregateCall>& calls) {
  std::vector<OutputColumn> outputs;
  outputs.reserve(keys.size() + calls.size());
  for (const AggregateNode::Key& key : keys) outputs.push_back(key.output);
  for (const AggregateCall& call : calls) outputs.push_back(call.output);
  return outputs;
}

std::string PrintAggregateCall(const AggregateCall& call) {
  std::string out = fmt::format("{}(", call.function->name);
  if (call.distinct) out += "DISTINCT ";
  if (call.arguments.empty()) out += '*';
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (i > 0) out += ", ";
    out += PrintExpr(*call.arguments[i]);
  }
  for (const ExprPtr& lambda : call.lambdas) out += fmt::format(", {}", PrintExpr(*lambda));
  for (std::size_t i = 0; i < call.order_by.size(); ++i) {
    out += i == 0 ? " ORDER BY " : ", ";
    out += PrintExpr(*call.order_by[i].expr);
    if (call.order_by[i].descending) out += " DESC";
    if (call.order_by[i].nulls_first) out += " NULLS FIRST";
  }
  out += ')';
  if (call.filter != nullptr) out += fmt::format(" FILTER (WHERE {})", PrintExpr(*call.filter));
  return out;
}

void AddColumnsOfCall(const AggregateCall& call, ColumnSet* set) {
  for (const ExprPtr& argument : call.arguments) set->AddColumnsOf(*argument);
  for (const AggregateOrder& order : call.order_by) set->AddColumnsOf(*order.expr);
  if (call.filter != nullptr) set->AddColumnsOf(*call.filter);
}

}  // namespace

AggregateNode::AggregateNode(PlanNodePtr child, std::vector<Key> keys, std::vector<AggregateCall> calls)
    : PlanNode(kKind, {std::move(child)}, OutputsOfGroups(keys, calls)),
      keys_(std::move(keys)),
      calls_(std::move(calls)) {}

std::string AggregateNode::Describe() const {
  std::string out = calls_.empty() ? "Distinct [" : "Aggregate [";
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (i > 0) out += ", ";
    out += PrintExpr(*keys_[i].expr);
  }
  out += ']';
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    out += i == 0 ? " " : ", ";
    out += PrintAggregateCall(calls_[i]);
  }
  return out;
}

PlanNodePtr AggregateNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::make_shared<AggregateNode>(std::move(children[0]), keys_, calls_);
}

PlanNodePtr AggregateNode::WithExpressions(const ExprRewrite& rewrite) const {
  std::vector<Key> keys = keys_;
  for (Key& key : keys) key.expr = rewrite(key.expr);
  std::vector<AggregateCall> calls = calls_;
  for (AggregateCall& call : calls) {
    for (ExprPtr& argument : call.arguments) argument = rewrite(argument);
    for (AggregateOrder& order : call.order_by) order.expr = rewrite(order.expr);
    if (call.filter != nullptr) call.filter = rewrite(call.filter);
  }
  return std::make_shared<AggregateNode>(child(), std::move(keys), std::move(calls));
}

ColumnSet AggregateNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const {
  ColumnSet required;
  for (const Key& key : keys_) required.AddColumnsOf(*key.expr);
  for (const AggregateCall& call : calls_) {
    if (wanted.Has(call.output.column)) AddColumnsOfCall(call, &required);
  }
  return required;
}

PlanNodePtr AggregateNode::Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const {
  std::vector<AggregateCall> calls;
  for (const AggregateCall& call : calls_) {
    if (wanted.Has(call.output.column)) calls.push_back(call);
  }
  return std::make_shared<AggregateNode>(std::move(children[0]), keys_, std::move(calls));
}

ExprPtr AggregateNode::PassDown(const ExprPtr& predicate, std::size_t /*index*/) const {
  if (keys_.empty()) return nullptr;  // the one group stays even when no row does
  ColumnSet key_columns;
  for (const Key& key : keys_) key_columns.Add(key.output.column);
  if (!key_columns.Covers(*predicate) || HasVolatileCall(*predicate)) return nullptr;
  // One group holds rows whose keys are equal, not identical: -0.0 and 0.0 are one group, and a
  // predicate may tell them apart. Such keys keep their predicates above.
  ColumnSet read;
  read.AddColumnsOf(*predicate);
  for (const Key& key : keys_) {
    const bool loose = key.output.type.is(TypeId::kDouble) || key.output.type.is_nested() ||
                       HasVolatileCall(*key.expr);
    if (loose && read.Has(key.output.column)) return nullptr;
  }
  ExprPtr inlined = RewriteExpr(predicate, [this](const ExprPtr& part) -> ExprPtr {
    if (part->kind != ExprKind::kColumn) return nullptr;
    for (const Key& key : keys_) {
      if (key.output.column == part->column) return key.expr;
    }
    return nullptr;
  });
  return CountNodes(*inlined, kExprNodesMax) > kExprNodesMax ? nullptr : inlined;
}

double AggregateNode::EstimateRows() const {
  if (keys_.empty()) return 1;
  const double rows = child()->EstimatedRows();
  double groups = 1;
  bool known = true;
  for (const Key& key : keys_) {
    const std::optional<double> distinct =
        key.expr->kind == ExprKind::kColumn ? child()->EstimatedDistinct(key.expr->column) : std::nullopt;
    known = known && distinct.has_value();
    groups *= distinct.value_or(1);
  }
  if (known) return std::max(1.0, std::min(groups, rows));
  return std::max(std::min(groups, rows), std::max(1.0, std::pow(rows, 0.75)));
}

std::optional<double> AggregateNode::EstimatedDistinct(ColumnRef column) const {
  for (const Key& key : keys_) {
    if (key.output.column != column) continue;
    if (keys_.size() == 1) return EstimatedRows();
    if (key.expr->kind == ExprKind::kColumn) return child()->EstimatedDistinct(key.expr->column);
  }
  return std::nullopt;
}

void AggregateNode::AddIdentity(NodeIdentity* identity) const {
  identity->Add(std::uint64_t{keys_.size()});
  for (const Key& key : keys_) identity->Add(key.expr);
  for (const AggregateCall& call : calls_) {
    identity->Add(call.function->name);
    identity->Add(std::uint64_t{call.overload});
    identity->Add(std::uint64_t{call.distinct});
    identity->Add(std::uint64_t{call.arguments.size()});
    for (const ExprPtr& argument : call.arguments) identity->Add(argument);
    identity->Add(std::uint64_t{call.lambdas.size()});
    for (const ExprPtr& lambda : call.lambdas) identity->Add(lambda);
    identity->Add(call.filter);
    identity->Add(std::uint64_t{call.order_by.size()});
    for (const AggregateOrder& order : call.order_by) {
      identity->Add(order.expr);
      identity->Add(std::uint64_t{order.descending} + 2 * std::uint64_t{order.nulls_first});
    }
  }
}

}  // namespace tideline::sql
