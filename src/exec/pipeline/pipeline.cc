#include "exec/pipeline/pipeline.h"

#include <map>

#include "exec/operators/aggregate.h"
#include "exec/operators/join.h"
#include "exec/operators/shared.h"
#include "exec/operators/sort.h"
#include "exec/operators/unnest.h"
#include "exec/operators/window.h"
#include "sql/plan/aggregate_node.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/limit_node.h"
#include "sql/plan/project_node.h"
#include "sql/plan/set_operation_node.h"
#include "sql/plan/shared_node.h"
#include "sql/plan/sort_node.h"
#include "sql/plan/topn_node.h"
#include "sql/plan/values_node.h"

namespace tideline::exec {
namespace {

using sql::PlanKind;
using sql::PlanNode;

ColumnPositions PositionsOf(const std::vector<sql::OutputColumn>& columns) {
  ColumnPositions positions;
  for (std::size_t i = 0; i < columns.size(); ++i) positions.Set(columns[i].column, i);
  return positions;
}

std::vector<Type> TypesOf(const std::vector<sql::OutputColumn>& columns) {
  std::vector<Type> types;
  for (const sql::OutputColumn& column : columns) types.push_back(column.type);
  return types;
}

// What waits for a node's rows: the stages above it up to the next breaker, nearest first.
struct Chain {
  std::vector<Stage> stages;
  std::shared_ptr<Sink> sink;
  OperatorStats* sink_stats = nullptr;
  std::vector<std::shared_ptr<LimitState>> limits;

  Chain Below(Stage stage) const {
    Chain chain = *this;
    chain.stages.insert(chain.stages.begin(), std::move(stage));
    return chain;
  }
};

class Planner {
 public:
  Planner(ScanProvider* scans, const EvalContext& context, PhysicalPlan* plan)
      : scans_(scans), context_(context), plan_(plan) {}

  Status Build(const PlanNode& node, const Chain& chain, std::size_t depth) {
    plan_->operators.emplace_back();
    OperatorStats* stats = &plan_->operators.back();
    stats->name = node.Describe();
    stats->depth = depth;
    switch (node.kind()) {
      case PlanKind::kScan:
        return BuildScan(sql::As<sql::ScanNode>(node), chain, stats);
      case PlanKind::kValues: {
        const auto& values = sql::As<sql::ValuesNode>(node);
        std::shared_ptr<Source> source =
            TL_TRY(NewValuesSource(values.rows(), TypesOf(node.outputs()), context_));
        AddPipeline(std::move(source), stats, chain);
        return OkStatus();
      }
      case PlanKind::kFilter:
        return Build(*node.child(), chain.Below(FilterStage(node, stats)), depth + 1);
      case PlanKind::kProject:
        return Build(*node.child(), chain.Below(ProjectStage(node, stats)), depth + 1);
      case PlanKind::kLimit:
        return BuildLimit(sql::As<sql::LimitNode>(node), chain, stats, depth);
      case PlanKind::kAggregate:
        return BuildAggregate(sql::As<sql::AggregateNode>(node), chain, stats, depth);
      case PlanKind::kSort: {
        const auto& sort = sql::As<sql::SortNode>(node);
        return BuildSort(node, sort.keys(), {}, chain, stats, depth);
      }
      case PlanKind::kTopN: {
        const auto& topn = sql::As<sql::TopNNode>(node);
        SortSpec spec;
        spec.count = topn.count();
        spec.offset = topn.offset();
        spec.with_ties = topn.with_ties();
        return BuildSort(node, topn.keys(), std::move(spec), chain, stats, depth);
      }
      case PlanKind::kSetOperation:
        return BuildUnion(sql::As<sql::SetOperationNode>(node), chain, stats, depth);
      case PlanKind::kJoin:
        return BuildJoin(sql::As<sql::JoinNode>(node), chain, stats, depth);
      case PlanKind::kUnnest:
        return BuildUnnest(sql::As<sql::UnnestNode>(node), chain, stats, depth);
      case PlanKind::kWindow:
        return BuildWindow(sql::As<sql::WindowNode>(node), chain, stats, depth);
      case PlanKind::kShared:
        return BuildShared(sql::As<sql::SharedNode>(node), chain, stats, depth);
    }
    return Unimplemented("the operator {} cannot be run yet", node.Describe());
  }

 private:
  void AddPipeline(std::shared_ptr<Source> source, OperatorStats* stats, const Chain& chain) {
    Pipeline pipeline;
    pipeline.source = std::move(source);
    pipeline.source_stats = stats;
    pipeline.stages = chain.stages;
    pipeline.sink = chain.sink;
    pipeline.sink_stats = chain.sink_stats;
    pipeline.limits = chain.limits;
    plan_->pipelines.push_back(std::move(pipeline));
  }

  Stage FilterStage(const PlanNode& node, OperatorStats* stats) {
    const sql::ExprPtr predicate = sql::As<sql::FilterNode>(node).predicate();
    return {[predicate, columns = PositionsOf(node.child()->outputs()),
             context = &context_](Consumer* next) {
              return NewFilter(*predicate, columns, *context, next);
            },
            stats};
  }

  Stage ProjectStage(const PlanNode& node, OperatorStats* stats) {
    std::vector<sql::ExprPtr> exprs;
    for (const auto& item : sql::As<sql::ProjectNode>(node).items()) exprs.push_back(item.expr);
    return {[exprs, columns = PositionsOf(node.child()->outputs()),
             context = &context_](Consumer* next) {
              return NewProject(exprs, columns, *context, next);
            },
            stats};
  }

  static Stage PickStage(std::vector<std::size_t> positions, std::vector<Type> types,
                         OperatorStats* stats) {
    return {[positions, types](Consumer* next) -> Result<std::unique_ptr<Consumer>> {
              return NewPick(positions, types, next);
            },
            stats};
  }

  Status BuildScan(const sql::ScanNode& scan, const Chain& chain, OperatorStats* stats) {
    if (scans_ == nullptr) return Internal("no source for the rows of table {}", scan.table().table);
    std::shared_ptr<ScanSource> source = TL_TRY(scans_->OpenScan(scan, context_));
    plan_->scans.push_back(source);
    plan_->scan_stats.emplace_back(source, stats);
    Chain below = chain;
    const sql::ScanNode::Spec& spec = scan.spec();
    if (!spec.residual_columns.empty()) {
      std::vector<std::size_t> positions;
      for (std::size_t i = 0; i < scan.outputs().size(); ++i) positions.push_back(i);
      below = below.Below(PickStage(std::move(positions), TypesOf(scan.outputs()), stats));
    }
    if (spec.residual != nullptr) {
      std::vector<sql::OutputColumn> columns = scan.outputs();
      columns.insert(columns.end(), spec.residual_columns.begin(), spec.residual_columns.end());
      below = below.Below({[residual = spec.residual, positions = PositionsOf(columns),
                            context = &context_](Consumer* next) {
                             return NewFilter(*residual, positions, *context, next);
                           },
                           stats});
    }
    AddPipeline(std::move(source), stats, below);
    return OkStatus();
  }

  Status BuildLimit(const sql::LimitNode& limit, const Chain& chain, OperatorStats* stats,
                    std::size_t depth) {
    auto state = std::make_shared<LimitState>(limit.offset(), limit.count().value_or(INT64_MAX));
    Chain below = chain.Below({[state](Consumer* next) -> Result<std::unique_ptr<Consumer>> {
                                 return NewLimit(state, next);
                               },
                               stats});
    below.limits.push_back(std::move(state));
    return Build(*limit.child(), below, depth + 1);
  }

  Status BuildAggregate(const sql::AggregateNode& node, const Chain& chain, OperatorStats* stats,
                        std::size_t depth) {
    std::shared_ptr<AggregateBreaker> breaker = TL_TRY(
        AggregateBreaker::Make(node, PositionsOf(node.child()->outputs()), context_, stats));
    Chain below;
    below.sink = breaker;
    below.sink_stats = stats;
    TL_TRY(Build(*node.child(), below, depth + 1));
    AddPipeline(breaker, stats, chain);
    return OkStatus();
  }

  Status BuildSort(const PlanNode& node, const std::vector<sql::SortKey>& keys, SortSpec spec,
                   const Chain& chain, OperatorStats* stats, std::size_t depth) {
    // A sort delivers the columns it takes, perhaps fewer or in another order.
    const PlanNode& child = *node.child();
    const ColumnPositions positions = PositionsOf(child.outputs());
    for (const sql::SortKey& key : keys) {
      const std::uint32_t position = positions.Find(key.column);
      if (position == ColumnPositions::kNone) return Internal("a sort key is not delivered");
      spec.keys.push_back({position, key.descending, key.nulls_first});
    }
    spec.types = TypesOf(child.outputs());
    std::vector<std::size_t> picked;
    bool same = node.outputs().size() == child.outputs().size();
    for (std::size_t i = 0; i < node.outputs().size(); ++i) {
      const std::uint32_t position = positions.Find(node.outputs()[i].column);
      if (position == ColumnPositions::kNone) return Internal("a sorted column is not delivered");
      picked.push_back(position);
      same = same && position == i;
    }
    std::shared_ptr<SortBreaker> breaker = SortBreaker::Make(std::move(spec), context_);
    Chain below;
    below.sink = breaker;
    below.sink_stats = stats;
    TL_TRY(Build(child, below, depth + 1));
    AddPipeline(breaker, stats,
                same ? chain : chain.Below(PickStage(std::move(picked), TypesOf(node.outputs()), stats)));
    return OkStatus();
  }

  Status BuildUnion(const sql::SetOperationNode& node, const Chain& chain, OperatorStats* stats,
                    std::size_t depth) {
    for (std::size_t i = 0; i < node.children().size(); ++i) {
      const ColumnPositions positions = PositionsOf(node.children()[i]->outputs());
      std::vector<std::size_t> picked;
      for (const sql::ColumnRef column : node.inputs()[i]) {
        const std::uint32_t position = positions.Find(column);
        if (position == ColumnPositions::kNone) return Internal("a column of UNION is not delivered");
        picked.push_back(position);
      }
      TL_TRY(Build(*node.children()[i],
                   chain.Below(PickStage(std::move(picked), TypesOf(node.outputs()), stats)),
                   depth + 1));
    }
    return OkStatus();
  }

  Status BuildJoin(const sql::JoinNode& node, const Chain& chain, OperatorStats* stats, std::size_t depth) {
    const bool build_left = JoinBreaker::ShouldBuildLeft(node);
    std::shared_ptr<JoinBreaker> breaker = TL_TRY(JoinBreaker::Make(node, build_left, context_, stats));
    Chain build;
    build.sink = breaker;
    build.sink_stats = stats;
    TL_TRY(Build(*node.children()[build_left ? 0 : 1], build, depth + 1));
    const Chain probe = chain.Below({[breaker](Consumer* next) { return breaker->NewProbe(next); }, stats});
    TL_TRY(Build(*node.children()[build_left ? 1 : 0], probe, depth + 1));
    std::shared_ptr<Source> unmatched = breaker->Unmatched();
    if (unmatched != nullptr) AddPipeline(std::move(unmatched), stats, chain);
    return OkStatus();
  }

  Status BuildUnnest(const sql::UnnestNode& node, const Chain& chain, OperatorStats* stats, std::size_t depth) {
    const Chain below = chain.Below({[&node, columns = PositionsOf(node.child()->outputs()),
                                      context = &context_](Consumer* next) {
                                       return NewUnnest(node, columns, *context, next);
                                     },
                                     stats});
    return Build(*node.child(), below, depth + 1);
  }

  Status BuildWindow(const sql::WindowNode& node, const Chain& chain, OperatorStats* stats, std::size_t depth) {
    // Everything that calls read becomes a column before rows are sorted.
    const std::vector<sql::OutputColumn>& outputs = node.child()->outputs();
    const ColumnPositions positions = PositionsOf(outputs);
    std::vector<sql::ExprPtr> exprs;
    for (const sql::OutputColumn& output : outputs) {
      exprs.push_back(sql::MakeColumn(output.column, output.type, output.name));
    }
    for (sql::ExprPtr& input : WindowInputs(node)) exprs.push_back(std::move(input));
    SortSpec spec;
    for (const sql::ExprPtr& expr : exprs) spec.types.push_back(expr->type);
    for (const sql::ColumnRef column : node.spec().partition) spec.keys.push_back({positions.Find(column), false, false});
    for (const sql::SortKey& key : node.spec().order) {
      spec.keys.push_back({positions.Find(key.column), key.descending, key.nulls_first});
    }
    for (const SortSpec::Key& key : spec.keys) {
      if (key.position == ColumnPositions::kNone) return Internal("a column of a window is not delivered");
    }
    std::shared_ptr<SortBreaker> breaker = SortBreaker::Make(std::move(spec), context_);
    Chain below;
    below.sink = breaker;
    below.sink_stats = stats;
    below = below.Below({[exprs, positions, context = &context_](Consumer* next) {
                           return NewProject(exprs, positions, *context, next);
                         },
                         stats});
    TL_TRY(Build(*node.child(), below, depth + 1));
    AddPipeline(NewWindowSource(node, breaker, context_), stats, chain);
    return OkStatus();
  }

  // The first place that reads a shared plan has it run before itself; all read what it kept.
  Status BuildShared(const sql::SharedNode& node, const Chain& chain, OperatorStats* stats, std::size_t depth) {
    std::shared_ptr<SharedBreaker> breaker = shared_[node.plan().id];
    const PlanNode& root = *node.plan().root;
    if (breaker == nullptr) {
      breaker = SharedBreaker::Make(context_, stats);
      Chain below;
      below.sink = breaker;
      below.sink_stats = stats;
      TL_TRY(Build(root, below, depth + 1));
      shared_[node.plan().id] = breaker;
    }
    const ColumnPositions positions = PositionsOf(root.outputs());
    std::vector<std::size_t> picked;
    for (const sql::ColumnRef column : node.inputs()) {
      const std::uint32_t position = positions.Find(column);
      if (position == ColumnPositions::kNone) return Internal("a shared column is not delivered");
      picked.push_back(position);
    }
    AddPipeline(breaker->NewSource(), stats,
                chain.Below(PickStage(std::move(picked), TypesOf(node.outputs()), stats)));
    return OkStatus();
  }

  ScanProvider* const scans_;
  const EvalContext& context_;
  PhysicalPlan* const plan_;
  std::map<std::uint32_t, std::shared_ptr<SharedBreaker>> shared_;
};

}  // namespace

Result<std::unique_ptr<PhysicalPlan>> PlanPipelines(const sql::PlanNodePtr& root,
                                                    ScanProvider* scans,
                                                    const EvalContext& context,
                                                    std::shared_ptr<Sink> result) {
  auto plan = std::make_unique<PhysicalPlan>();
  plan->root = root;
  Planner planner(scans, context, plan.get());
  Chain chain;
  chain.sink = std::move(result);
  TL_TRY(planner.Build(*root, chain, 0));
  std::map<Sink*, std::size_t> last;
  for (std::size_t i = 0; i < plan->pipelines.size(); ++i) last[plan->pipelines[i].sink.get()] = i;
  for (const auto& [sink, index] : last) plan->pipelines[index].finishes_sink = true;
  return plan;
}

}  // namespace tideline::exec
