#include "sql/optimize/pull_correlation.h"

#include <algorithm>
#include <any>

#include "columnar/vector.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/free_columns.h"
#include "sql/plan/join_node.h"
#include "sql/plan/project_node.h"

namespace tideline::sql {

namespace {

using MaybePulled = std::optional<PulledPlan>;

class Puller {
 public:
  Puller(const std::vector<ColumnRef>& outer, const DecorrelateOptions& options, std::uint32_t* column_count)
      : options_(options), column_count_(column_count) {
    for (const ColumnRef column : outer) outer_.Add(column);
  }

  MaybePulled Pull(const PlanNodePtr& node) {
    if (free_.Of(node).empty()) return PulledPlan{node, {}, {}};
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
        return std::nullopt;
    }
  }

 private:
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

  /// Moves those of `predicate`'s parts that read outer columns to `pulled`; what stays, in order.
  std::optional<std::vector<ExprPtr>> Split(const ExprPtr& predicate, std::vector<ExprPtr>* pulled) const {
    std::vector<ExprPtr> conjuncts;
    AppendConjuncts(predicate, &conjuncts);
    std::vector<ExprPtr> kept;
    for (const ExprPtr& conjunct : conjuncts) {
      if (ReadsOuter(*conjunct)) {
        if (HasVolatileCall(*conjunct)) return std::nullopt;
        pulled->push_back(conjunct);
      } else {
        kept.push_back(conjunct);
      }
    }
    return kept;
  }

  MaybePulled PullFilter(const FilterNode& filter) {
    MaybePulled pulled = Pull(filter.child());
    // Above an aggregate without keys a condition decides about a row that the join may not find.
    if (!pulled.has_value() || !pulled->defaults.empty()) return std::nullopt;
    std::optional<std::vector<ExprPtr>> kept = Split(filter.predicate(), &pulled->condition);
    if (!kept.has_value()) return std::nullopt;
    if (!kept->empty()) pulled->plan = std::make_shared<FilterNode>(std::move(pulled->plan), MakeAnd(*std::move(kept)));
    return pulled;
  }

  MaybePulled PullProject(const ProjectNode& project) {
    if (NodeReadsOuter(project)) return std::nullopt;
    MaybePulled pulled = Pull(project.child());
    if (!pulled.has_value()) return std::nullopt;
    std::vector<std::pair<ColumnRef, ExprPtr>> defaults;
    ColumnSet delivered;
    for (const ProjectNode::Item& item : project.items()) {
      delivered.Add(item.output.column);
      if (pulled->defaults.empty()) continue;
      defaults.emplace_back(item.output.column, RewriteExpr(item.expr, [&](const ExprPtr& part) -> ExprPtr {
        if (part->kind != ExprKind::kColumn) return nullptr;
        for (const auto& [column, value] : pulled->defaults) {
          if (column == part->column) return value;
        }
        return nullptr;
      }));
    }
    // What the conditions read must pass.
    std::vector<ProjectNode::Item> items = project.items();
    ColumnSet wanted;
    for (const ExprPtr& condition : pulled->condition) wanted.AddColumnsOf(*condition);
    for (const OutputColumn& output : pulled->plan->outputs()) {
      if (!wanted.Has(output.column) || delivered.Has(output.column)) continue;
      items.push_back({output, MakeColumn(output.column, output.type, output.name)});
    }
    pulled->plan = std::make_shared<ProjectNode>(std::move(pulled->plan), std::move(items));
    pulled->defaults = std::move(defaults);
    return pulled;
  }

  MaybePulled PullJoin(const JoinNode& join) {
    if (join.spec().dependent) return std::nullopt;
    if (join.spec().kind == JoinKind::kInner) return PullInnerJoin(join);
    // What drops a left row drops what the join makes of it.
    const bool from_left = join.preserves_left() && join.spec().kind != JoinKind::kFull &&
                           free_.Of(join.children()[1]).empty() && !NodeReadsOuter(join);
    if (!from_left) return std::nullopt;
    MaybePulled pulled = Pull(join.children()[0]);
    if (!pulled.has_value() || !pulled->defaults.empty()) return std::nullopt;
    pulled->plan = std::make_shared<JoinNode>(std::move(pulled->plan), join.children()[1], join.spec());
    return pulled;
  }

  MaybePulled PullInnerJoin(const JoinNode& join) {
    MaybePulled left = Pull(join.children()[0]);
    MaybePulled right = Pull(join.children()[1]);
    if (!left.has_value() || !right.has_value() || !left->defaults.empty() || !right->defaults.empty()) {
      return std::nullopt;
    }
    PulledPlan pulled;
    pulled.condition = std::move(left->condition);
    pulled.condition.insert(pulled.condition.end(), right->condition.begin(), right->condition.end());
    std::optional<std::vector<ExprPtr>> kept = Split(join.spec().condition, &pulled.condition);
    if (!kept.has_value()) return std::nullopt;
    JoinNode::Spec spec;
    spec.condition = MakeAnd(*std::move(kept));
    pulled.plan = std::make_shared<JoinNode>(std::move(left->plan), std::move(right->plan), std::move(spec));
    return pulled;
  }

  MaybePulled PullAggregate(const AggregateNode& aggregate) {
    if (NodeReadsOuter(aggregate) || (aggregate.keys().empty() && aggregate.calls().empty())) return std::nullopt;
    MaybePulled below = Pull(aggregate.child());
    if (!below.has_value() || !below->defaults.empty()) return std::nullopt;
    std::vector<AggregateNode::Key> keys = aggregate.keys();
    PulledPlan pulled;
    for (const ExprPtr& condition : below->condition) {
      ExprPtr over = OverKey(condition, &keys);
      if (over == nullptr) return std::nullopt;
      pulled.condition.push_back(std::move(over));
    }
    // The original's outputs, in their order, then the new keys: a join and a projection go by column.
    if (aggregate.keys().empty()) {
      for (const AggregateCall& call : aggregate.calls()) {
        std::optional<ExprPtr> value = ValueOfNoRows(call, options_);
        if (!value.has_value()) return std::nullopt;
        pulled.defaults.emplace_back(call.output.column, *std::move(value));
      }
    }
    std::vector<ProjectNode::Item> items;
    const auto add = [&](const OutputColumn& output) {
      items.push_back({output, MakeColumn(output.column, output.type, output.name)});
    };
    for (const OutputColumn& output : aggregate.outputs()) add(output);
    for (std::size_t i = aggregate.keys().size(); i < keys.size(); ++i) add(keys[i].output);
    pulled.plan = std::make_shared<ProjectNode>(
        std::make_shared<AggregateNode>(std::move(below->plan), std::move(keys), aggregate.calls()), std::move(items));
    return pulled;
  }

  /// `condition`, an equality of something inside and something outside, with a new group key in the
  /// place of the inner side; null pointer if it is none.
  ExprPtr OverKey(const ExprPtr& condition, std::vector<AggregateNode::Key>* keys) {
    if (condition->kind != ExprKind::kCall || condition->scalar->name != "$equal") return nullptr;
    const bool first_outer = ReadsOuter(*condition->children[0]);
    if (first_outer == ReadsOuter(*condition->children[1])) return nullptr;
    const std::size_t place = first_outer ? 1 : 0;
    const ExprPtr& inner = condition->children[place];
    std::vector<ColumnRef> outside;
    CollectColumns(*condition->children[1 - place], &outside);
    const bool mixed = std::any_of(outside.begin(), outside.end(), [&](ColumnRef c) { return !outer_.Has(c); });
    if (mixed || inner->type.is_nested()) return nullptr;
    const OutputColumn output{{(*column_count_)++}, PrintExpr(*inner), inner->type};
    keys->push_back({output, inner});
    auto over = std::make_shared<Expr>(*condition);
    over->children[place] = MakeColumn(output.column, output.type, output.name);
    return over;
  }

  ColumnSet outer_;
  FreeColumns free_;
  const DecorrelateOptions& options_;
  std::uint32_t* column_count_;
};

}  // namespace

std::optional<PulledPlan> PullCorrelation(const PlanNodePtr& plan, const std::vector<ColumnRef>& outer,
                                          const DecorrelateOptions& options, std::uint32_t* column_count) {
  return Puller(outer, options, column_count).Pull(plan);
}

std::optional<ExprPtr> ValueOfNoRows(const AggregateCall& call, const DecorrelateOptions& options) {
  const functions::AggregateOverload& overload = call.function->overloads[call.overload];
  std::any state_of_call;
  functions::KernelContext kernel;
  kernel.now = options.now;
  kernel.compat_profile = options.compat_profile;
  kernel.result_type = &call.output.type;
  kernel.state = &state_of_call;
  Buffer state(std::max<std::size_t>(overload.state_bytes, 1));
  overload.initialize(kernel, state.data());
  Vector result = Vector::Flat(call.output.type, 1);
  const Status status = overload.finalize(kernel, state.data(), 0, &result);
  if (overload.destroy != nullptr) overload.destroy(state.data());
  if (!status.ok()) return std::nullopt;
  Value value = result.GetValue(0);
  return MakeConstant(value.is_null() ? Value::Null(call.output.type) : std::move(value));
}

}  // namespace tideline::sql
