#include "sql/bind/decorrelate.h"

#include <algorithm>
#include <any>

#include "columnar/vector.h"
#include "sql/plan/aggregate_node.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/join_node.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

/// Columns that the expressions of `node` itself read.
void AddColumnsRead(const PlanNode& node, std::vector<ColumnRef>* out) {
  node.WithExpressions([&](const ExprPtr& expr) {
    CollectColumns(*expr, out);
    return expr;
  });
}

void AddReadAndMade(const PlanNode& node, std::vector<ColumnRef>* read, ColumnSet* made) {
  AddColumnsRead(node, read);
  for (const OutputColumn& output : node.outputs()) made->Add(output.column);
  for (const PlanNodePtr& child : node.children()) AddReadAndMade(*child, read, made);
}

class Puller {
 public:
  Puller(std::span<const ColumnRef> outer, const ast::SourcePosition& at, BindContext* context)
      : at_(at), context_(context) {
    for (const ColumnRef column : outer) outer_.Add(column);
  }

  Result<Decorrelated> Pull(const PlanNodePtr& node) {
    if (FreeColumns(*node).empty()) return Decorrelated{node, {}, {}};
    switch (node->kind()) {
      case PlanKind::kFilter:
        return PullFilter(As<FilterNode>(*node));
      case PlanKind::kProject:
        return PullProject(As<ProjectNode>(*node));
      case PlanKind::kJoin:
        return PullJoin(As<JoinNode>(*node));
      case PlanKind::kAggregate:
        return PullAggregate(As<AggregateNode>(*node));
      default:
        return Refuse();
    }
  }

 private:
  Status Refuse() const { return NotSupportedYet(at_, "this kind of correlated sub-query"); }

  bool ReadsOuter(const Expr& expr) const {
    std::vector<ColumnRef> read;
    CollectColumns(expr, &read);
    return std::any_of(read.begin(), read.end(), [&](ColumnRef column) { return outer_.Has(column); });
  }
  bool NodeReadsOuter(const PlanNode& node) const {
    std::vector<ColumnRef> read;
    AddColumnsRead(node, &read);
    return std::any_of(read.begin(), read.end(), [&](ColumnRef column) { return outer_.Has(column); });
  }

  /// Moves those of `conjuncts` that read outer columns to `pulled`; what stays, in order.
  Result<std::vector<ExprPtr>> Split(const ExprPtr& predicate, std::vector<ExprPtr>* pulled) const {
    std::vector<ExprPtr> conjuncts;
    AppendConjuncts(predicate, &conjuncts);
    std::vector<ExprPtr> kept;
    for (const ExprPtr& conjunct : conjuncts) {
      if (ReadsOuter(*conjunct)) {
        if (HasVolatileCall(*conjunct)) return Refuse();
        pulled->push_back(conjunct);
      } else {
        kept.push_back(conjunct);
      }
    }
    return kept;
  }

  Result<Decorrelated> PullFilter(const FilterNode& filter) {
    Decorrelated pulled = TL_TRY(Pull(filter.child()));
    // Above an aggregate without keys a condition decides about a row that the join may not find.
    if (!pulled.defaults.empty()) return Refuse();
    std::vector<ExprPtr> kept = TL_TRY(Split(filter.predicate(), &pulled.condition));
    if (!kept.empty()) pulled.plan = std::make_shared<FilterNode>(std::move(pulled.plan), MakeAnd(std::move(kept)));
    return pulled;
  }

  Result<Decorrelated> PullProject(const ProjectNode& project) {
    if (NodeReadsOuter(project)) return Refuse();
    Decorrelated pulled = TL_TRY(Pull(project.child()));
    std::vector<std::pair<ColumnRef, ExprPtr>> defaults;
    ColumnSet delivered;
    for (const ProjectNode::Item& item : project.items()) {
      delivered.Add(item.output.column);
      if (pulled.defaults.empty()) continue;
      defaults.emplace_back(item.output.column, RewriteExpr(item.expr, [&](const ExprPtr& part) -> ExprPtr {
        if (part->kind != ExprKind::kColumn) return nullptr;
        for (const auto& [column, value] : pulled.defaults) {
          if (column == part->column) return value;
        }
        return nullptr;
      }));
    }
    // What the conditions read must pass.
    std::vector<ProjectNode::Item> items = project.items();
    ColumnSet wanted;
    for (const ExprPtr& condition : pulled.condition) wanted.AddColumnsOf(*condition);
    for (const OutputColumn& output : pulled.plan->outputs()) {
      if (!wanted.Has(output.column) || delivered.Has(output.column)) continue;
      items.push_back({output, MakeColumn(output.column, output.type, output.name)});
    }
    pulled.plan = std::make_shared<ProjectNode>(std::move(pulled.plan), std::move(items));
    pulled.defaults = std::move(defaults);
    return pulled;
  }

  Result<Decorrelated> PullJoin(const JoinNode& join) {
    if (join.spec().kind != JoinKind::kInner) return Refuse();
    Decorrelated left = TL_TRY(Pull(join.children()[0]));
    Decorrelated right = TL_TRY(Pull(join.children()[1]));
    if (!left.defaults.empty() || !right.defaults.empty()) return Refuse();
    Decorrelated pulled;
    pulled.condition = std::move(left.condition);
    pulled.condition.insert(pulled.condition.end(), right.condition.begin(), right.condition.end());
    std::vector<ExprPtr> kept = TL_TRY(Split(join.spec().condition, &pulled.condition));
    JoinNode::Spec spec;
    spec.condition = MakeAnd(std::move(kept));
    pulled.plan = std::make_shared<JoinNode>(std::move(left.plan), std::move(right.plan), std::move(spec));
    return pulled;
  }

  Result<Decorrelated> PullAggregate(const AggregateNode& aggregate) {
    if (NodeReadsOuter(aggregate) || (aggregate.keys().empty() && aggregate.calls().empty())) return Refuse();
    Decorrelated below = TL_TRY(Pull(aggregate.child()));
    if (!below.defaults.empty()) return Refuse();
    std::vector<AggregateNode::Key> keys = aggregate.keys();
    Decorrelated pulled;
    for (const ExprPtr& condition : below.condition) {
      ExprPtr inner;
      ExprPtr over = TL_TRY(OverKey(condition, &inner, &keys));
      pulled.condition.push_back(std::move(over));
    }
    // The original's outputs, in their order, then the new keys: a join and a projection go by column.
    if (aggregate.keys().empty()) {
      for (const AggregateCall& call : aggregate.calls()) {
        ExprPtr value = TL_TRY(OfNoRows(call));
        pulled.defaults.emplace_back(call.output.column, std::move(value));
      }
    }
    std::vector<ProjectNode::Item> items;
    const auto add = [&](const OutputColumn& output) {
      items.push_back({output, MakeColumn(output.column, output.type, output.name)});
    };
    for (const OutputColumn& output : aggregate.outputs()) add(output);
    for (std::size_t i = aggregate.keys().size(); i < keys.size(); ++i) add(keys[i].output);
    pulled.plan = std::make_shared<ProjectNode>(
        std::make_shared<AggregateNode>(std::move(below.plan), std::move(keys), aggregate.calls()), std::move(items));
    return pulled;
  }

  /// `condition`, an equality of something inside and something outside, with a new group key in the
  /// place of the inner side.
  Result<ExprPtr> OverKey(const ExprPtr& condition, ExprPtr* inner, std::vector<AggregateNode::Key>* keys) {
    if (condition->kind != ExprKind::kCall || condition->scalar->name != "$equal") return Refuse();
    const bool first_outer = ReadsOuter(*condition->children[0]);
    if (first_outer == ReadsOuter(*condition->children[1])) return Refuse();
    const std::size_t place = first_outer ? 1 : 0;
    *inner = condition->children[place];
    std::vector<ColumnRef> outside;
    CollectColumns(*condition->children[1 - place], &outside);
    const bool mixed = std::any_of(outside.begin(), outside.end(), [&](ColumnRef c) { return !outer_.Has(c); });
    if (mixed || (*inner)->type.is_nested()) return Refuse();
    const OutputColumn output{context_->NewColumn(), PrintExpr(**inner), (*inner)->type};
    keys->push_back({output, *inner});
    auto over = std::make_shared<Expr>(*condition);
    over->children[place] = MakeColumn(output.column, output.type, output.name);
    return ExprPtr(std::move(over));
  }

  /// What `call` answers over no rows at all.
  Result<ExprPtr> OfNoRows(const AggregateCall& call) {
    const functions::AggregateOverload& overload = call.function->overloads[call.overload];
    std::any state_of_call;
    functions::KernelContext kernel;
    kernel.now = context_->options.now;
    kernel.compat_profile = !context_->extended();
    kernel.result_type = &call.output.type;
    kernel.state = &state_of_call;
    Buffer state(std::max<std::size_t>(overload.state_bytes, 1));
    overload.initialize(kernel, state.data());
    Vector result = Vector::Flat(call.output.type, 1);
    const Status status = overload.finalize(kernel, state.data(), 0, &result);
    if (overload.destroy != nullptr) overload.destroy(state.data());
    if (!status.ok()) return Refuse();
    Value value = result.GetValue(0);
    return MakeConstant(value.is_null() ? Value::Null(call.output.type) : std::move(value));
  }

  ColumnSet outer_;
  const ast::SourcePosition at_;
  BindContext* context_;
};

}  // namespace

std::vector<ColumnRef> FreeColumns(const PlanNode& plan) {
  std::vector<ColumnRef> read;
  ColumnSet made;
  AddReadAndMade(plan, &read, &made);
  std::sort(read.begin(), read.end());
  read.erase(std::unique(read.begin(), read.end()), read.end());
  std::erase_if(read, [&](ColumnRef column) { return made.Has(column); });
  return read;
}

Result<Decorrelated> Decorrelate(const PlanNodePtr& plan, const ast::SourcePosition& at, BindContext* context) {
  const std::vector<ColumnRef> outer = FreeColumns(*plan);
  if (outer.empty()) return Decorrelated{plan, {}, {}};
  return Puller(outer, at, context).Pull(plan);
}

}  // namespace tideline::sql
