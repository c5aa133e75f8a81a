#include "exec/pipeline/pipeline.h"

#include <algorithm>
#include <map>
#include <set>

#include "exec/operators/aggregate.h"
#include "exec/operators/join.h"
#include "exec/operators/shared.h"
#include "exec/operators/sort.h"
#include "exec/operators/unnest.h"
#include "exec/operators/window.h"
#include "exec/scan/deferred_scan.h"
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

std::string BudgetName(PlanKind kind) {
  switch (kind) {
    case PlanKind::kScan:
      return "scan";
    case PlanKind::kValues:
      return "values";
    case PlanKind::kFilter:
      return "filter";
    case PlanKind::kProject:
      return "project";
    case PlanKind::kLimit:
      return "limit";
    case PlanKind::kAggregate:
      return "aggregate";
    case PlanKind::kSort:
      return "sort";
    case PlanKind::kTopN:
      return "top-n";
    case PlanKind::kSetOperation:
      return "set operation";
    case PlanKind::kJoin:
      return "join";
    case PlanKind::kUnnest:
      return "unnest";
    case PlanKind::kWindow:
      return "window";
    case PlanKind::kShared:
      return "shared rows";
  }
  return "operator";
}

// Operators that keep rows; those of a shared plan once, however often it is read.
std::size_t KeepersIn(const PlanNode& node, std::set<std::uint32_t>* shared) {
  std::size_t count = 0;
  switch (node.kind()) {
    case PlanKind::kAggregate:
    case PlanKind::kSort:
    case PlanKind::kTopN:
    case PlanKind::kJoin:
      count = 1;
      break;
    case PlanKind::kWindow:  // the rows it sorts, and the partition at hand
      count = 2;
      break;
    case PlanKind::kShared: {  // what its plan delivers, and what the plan keeps
      const sql::SharedPlan& plan = sql::As<sql::SharedNode>(node).plan();
      if (shared->insert(plan.id).second) count = 1 + KeepersIn(*plan.root, shared);
      break;
    }
    default:
      break;
  }
  for (const sql::PlanNodePtr& child : node.children()) count += KeepersIn(*child, shared);
  return count;
}

// What waits for a node's rows: the stages above it up to the next breaker, nearest first.
struct Chain {
  std::vector<Stage> stages;
  std::shared_ptr<Sink> sink;
  OperatorStats* sink_stats = nullptr;

  Chain Below(Stage stage) const {
    Chain chain = *this;
    chain.stages.insert(chain.stages.begin(), std::move(stage));
    return chain;
  }
};

class Planner {
 public:
  Planner(const PlanResources& resources, std::size_t share_bytes, PhysicalPlan* plan)
      : resources_(resources), scans_(resources.scans), share_bytes_(share_bytes), plan_(plan) {}

  // `parent` is the operator whose child number `child_index` this node is; null for the root.
  Status Build(const PlanNode& node, const Chain& chain, OperatorContext* parent,
               std::size_t child_index = 0) {
    OperatorContext* const own = &plan_->operators.emplace_back(BudgetName(node.kind()), *resources_.context);
    own->share_bytes = share_bytes_;
    own->spill = resources_.spill;
    own->spill_eagerly = resources_.spill_eagerly;
    OperatorStats* const stats = &own->stats;
    stats->name = node.Describe();
    stats->node = &node;
    stats->parent = parent == nullptr ? nullptr : &parent->stats;
    stats->child_index = child_index;
    switch (node.kind()) {
      case PlanKind::kScan:
        return BuildScan(sql::As<sql::ScanNode>(node), chain, own);
      case PlanKind::kValues: {
        const auto& values = sql::As<sql::ValuesNode>(node);
        std::shared_ptr<Source> source =
            TL_TRY(NewValuesSource(values.rows(), TypesOf(node.outputs()), own->eval));
        AddPipeline(std::move(source), stats, chain);
        return OkStatus();
      }
      case PlanKind::kFilter:
        return Build(*node.child(), chain.Below(FilterStage(node, own)), own);
      case PlanKind::kProject:
        return Build(*node.child(), chain.Below(ProjectStage(node, own)), own);
      case PlanKind::kLimit:
        return BuildLimit(sql::As<sql::LimitNode>(node), chain, own);
      case PlanKind::kAggregate:
        return BuildAggregate(sql::As<sql::AggregateNode>(node), chain, own);
      case PlanKind::kSort: {
        const auto& sort = sql::As<sql::SortNode>(node);
        return BuildSort(node, sort.keys(), {}, chain, own);
      }
      case PlanKind::kTopN: {
        const auto& topn = sql::As<sql::TopNNode>(node);
        SortSpec spec;
        spec.count = topn.count();
        spec.offset = topn.offset();
        spec.with_ties = topn.with_ties();
        return BuildSort(node, topn.keys(), std::move(spec), chain, own);
      }
      case PlanKind::kSetOperation:
        return BuildUnion(sql::As<sql::SetOperationNode>(node), chain, own);
      case PlanKind::kJoin:
        return BuildJoin(sql::As<sql::JoinNode>(node), chain, own);
      case PlanKind::kUnnest:
        return BuildUnnest(sql::As<sql::UnnestNode>(node), chain, own);
      case PlanKind::kWindow:
        return BuildWindow(sql::As<sql::WindowNode>(node), chain, own);
      case PlanKind::kShared:
        return BuildShared(sql::As<sql::SharedNode>(node), chain, own);
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
    plan_->pipelines.push_back(std::move(pipeline));
  }

  Stage FilterStage(const PlanNode& node, OperatorContext* own) {
    const sql::ExprPtr predicate = sql::As<sql::FilterNode>(node).predicate();
    return {[predicate, columns = PositionsOf(node.child()->outputs()),
             context = &own->eval](Consumer* next) {
              return NewFilter(*predicate, columns, *context, next);
            },
            &own->stats};
  }

  Stage ProjectStage(const PlanNode& node, OperatorContext* own) {
    std::vector<sql::ExprPtr> exprs;
    for (const auto& item : sql::As<sql::ProjectNode>(node).items()) exprs.push_back(item.expr);
    return {[exprs, columns = PositionsOf(node.child()->outputs()),
             context = &own->eval](Consumer* next) {
              return NewProject(exprs, columns, *context, next);
            },
            &own->stats};
  }

  static Stage PickStage(std::vector<std::size_t> positions, std::vector<Type> types,
                         OperatorStats* stats) {
    return {[positions, types](Consumer* next) -> Result<std::unique_ptr<Consumer>> {
              return NewPick(positions, types, next);
            },
            stats};
  }

  Status BuildScan(const sql::ScanNode& scan, const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
    if (scans_ == nullptr) return Internal("no source for the rows of table {}", scan.table().table);
    std::shared_ptr<ScanSource> source;
    const auto narrowed = filters_.find(&scan);
    if (narrowed != filters_.end()) {
      // The view is that of now, however late the scan is opened.
      TL_TRY(scans_->BoundsOf(scan));
      source = NewDeferredScan(scans_, scan, own->eval, std::move(narrowed->second));
    } else {
      source = TL_TRY(scans_->OpenScan(scan, own->eval));
    }
    const auto offered = offers_.find(&scan);
    if (offered != offers_.end()) source->Offer(std::move(offered->second));
    plan_->scans.push_back(source);
    plan_->scan_stats.emplace_back(source, stats);
    Chain below = chain;
    const sql::ScanNode::Spec& spec = scan.spec();
    if (scans_->applies_residuals()) {
      AddPipeline(std::move(source), stats, below);
      return OkStatus();
    }
    if (!spec.residual_columns.empty()) {
      std::vector<std::size_t> positions;
      for (std::size_t i = 0; i < scan.outputs().size(); ++i) positions.push_back(i);
      below = below.Below(PickStage(std::move(positions), TypesOf(scan.outputs()), stats));
    }
    if (spec.residual != nullptr) {
      std::vector<sql::OutputColumn> columns = scan.outputs();
      columns.insert(columns.end(), spec.residual_columns.begin(), spec.residual_columns.end());
      below = below.Below({[residual = spec.residual, positions = PositionsOf(columns),
                            context = &own->eval](Consumer* next) {
                             return NewFilter(*residual, positions, *context, next);
                           },
                           stats});
    }
    AddPipeline(std::move(source), stats, below);
    return OkStatus();
  }

  Status BuildLimit(const sql::LimitNode& limit, const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
    auto state = std::make_shared<LimitState>(limit.offset(), limit.count().value_or(INT64_MAX));
    const Chain below = chain.Below({[state](Consumer* next) -> Result<std::unique_ptr<Consumer>> {
                                       return NewLimit(state, next);
                                     },
                                     stats});
    return Build(*limit.child(), below, own);
  }

  Status BuildAggregate(const sql::AggregateNode& node, const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
    std::shared_ptr<AggregateBreaker> breaker = TL_TRY(
        AggregateBreaker::Make(node, PositionsOf(node.child()->outputs()), own));
    Chain below;
    below.sink = breaker;
    below.sink_stats = stats;
    if (node.child()->kind() == PlanKind::kScan) {
      std::shared_ptr<const SummaryOffer> offer = breaker->Offer();
      if (offer != nullptr) offers_[node.child().get()] = std::move(offer);
    }
    TL_TRY(Build(*node.child(), below, own));
    AddPipeline(breaker, stats, chain);
    return OkStatus();
  }

  Status BuildSort(const PlanNode& node, const std::vector<sql::SortKey>& keys, SortSpec spec,
                   const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
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
    std::shared_ptr<SortBreaker> breaker = SortBreaker::Make(std::move(spec), own);
    Chain below;
    below.sink = breaker;
    below.sink_stats = stats;
    TL_TRY(Build(child, below, own));
    AddPipeline(breaker, stats,
                same ? chain : chain.Below(PickStage(std::move(picked), TypesOf(node.outputs()), stats)));
    return OkStatus();
  }

  Status BuildUnion(const sql::SetOperationNode& node, const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
    for (std::size_t i = 0; i < node.children().size(); ++i) {
      const ColumnPositions positions = PositionsOf(node.children()[i]->outputs());
      std::vector<std::size_t> picked;
      for (const sql::ColumnRef column : node.inputs()[i]) {
        const std::uint32_t position = positions.Find(column);
        if (position == ColumnPositions::kNone) return Internal("a column of UNION is not delivered");
        picked.push_back(position);
      }
      TL_TRY(Build(*node.children()[i],
                   chain.Below(PickStage(std::move(picked), TypesOf(node.outputs()), stats)), own,
                   i));
    }
    return OkStatus();
  }

  Status BuildJoin(const sql::JoinNode& node, const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
    const bool build_left = JoinBreaker::ShouldBuildLeft(node, node.children()[0]->EstimatedRows(),
                                                             node.children()[1]->EstimatedRows());
    std::shared_ptr<JoinBreaker> breaker = TL_TRY(JoinBreaker::Make(node, build_left, own));
    Chain build;
    build.sink = breaker;
    build.sink_stats = stats;
    TL_TRY(Build(*node.children()[build_left ? 0 : 1], build, own, build_left ? 0 : 1));
    AddFilters(node, build_left, breaker.get());
    const Chain probe = chain.Below({[breaker](Consumer* next) { return breaker->NewProbe(next); }, stats});
    TL_TRY(Build(*node.children()[build_left ? 1 : 0], probe, own, build_left ? 1 : 0));
    std::shared_ptr<Source> unmatched = breaker->Unmatched();
    if (unmatched != nullptr) AddPipeline(std::move(unmatched), stats, chain);
    std::shared_ptr<Source> spilled = breaker->Spilled();
    if (spilled != nullptr) AddPipeline(std::move(spilled), stats, chain);
    return OkStatus();
  }

  // The side that streams by is scanned when the keys of the other are known, if rows of it without a
  // partner are dropped.
  void AddFilters(const sql::JoinNode& node, bool build_left, JoinBreaker* breaker) {
    if (node.spec().kind == sql::JoinKind::kSingle || node.spec().kind == sql::JoinKind::kMark) return;
    if (build_left ? node.preserves_right() : node.preserves_left()) return;
    const PlanNode& probe = *node.children()[build_left ? 1 : 0];
    for (std::size_t i = 0; i < node.keys().size(); ++i) {
      const sql::Expr& key = *(build_left ? node.keys()[i].right : node.keys()[i].left);
      if (key.kind != sql::ExprKind::kColumn) continue;
      const std::optional<ScanColumn> found = TraceToScan(probe, key.column);
      if (!found.has_value()) continue;
      auto filter = std::make_shared<RuntimeFilter>(found->column, i);
      breaker->AddFilter(filter);
      filters_[found->scan].push_back(std::move(filter));
    }
  }

  Status BuildUnnest(const sql::UnnestNode& node, const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
    const Chain below = chain.Below({[&node, columns = PositionsOf(node.child()->outputs()),
                                      context = &own->eval](Consumer* next) {
                                       return NewUnnest(node, columns, *context, next);
                                     },
                                     stats});
    return Build(*node.child(), below, own);
  }

  Status BuildWindow(const sql::WindowNode& node, const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
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
    std::shared_ptr<SortBreaker> breaker = SortBreaker::Make(std::move(spec), own);
    Chain below;
    below.sink = breaker;
    below.sink_stats = stats;
    below = below.Below({[exprs, positions, context = &own->eval](Consumer* next) {
                           return NewProject(exprs, positions, *context, next);
                         },
                         stats});
    TL_TRY(Build(*node.child(), below, own));
    AddPipeline(NewWindowSource(node, breaker, own->eval), stats, chain);
    return OkStatus();
  }

  // The first place that reads a shared plan has it run before itself; all read what it kept.
  Status BuildShared(const sql::SharedNode& node, const Chain& chain, OperatorContext* own) {
    OperatorStats* const stats = &own->stats;
    std::shared_ptr<SharedBreaker> breaker = shared_[node.plan().id];
    const PlanNode& root = *node.plan().root;
    if (breaker == nullptr) {
      breaker = SharedBreaker::Make(TypesOf(root.outputs()), own);
      Chain below;
      below.sink = breaker;
      below.sink_stats = stats;
      TL_TRY(Build(root, below, own));
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

  const PlanResources& resources_;
  ScanProvider* const scans_;
  const std::size_t share_bytes_;
  PhysicalPlan* const plan_;
  std::map<std::uint32_t, std::shared_ptr<SharedBreaker>> shared_;
  std::map<const PlanNode*, std::vector<std::shared_ptr<RuntimeFilter>>> filters_;
  std::map<const PlanNode*, std::shared_ptr<const SummaryOffer>> offers_;
};

OperatorReport ReportOf(const PhysicalPlan& plan, const OperatorContext& of) {
  const OperatorStats& stats = of.stats;
  OperatorReport report;
  report.name = stats.name;
  report.node = stats.node;
  report.rows_in = stats.rows_in.load();
  report.rows_out = stats.rows_out.load();
  report.batches_in = stats.batches_in.load();
  report.batches_out = stats.batches_out.load();
  report.bytes_out = stats.bytes_out.load();
  report.time_ns = stats.time_ns.load();
  report.memory_bytes_peak = of.memory.peak_bytes();
  report.spilled_bytes = stats.spilled_bytes.load();
  report.spilled_rows = stats.spilled_rows.load();
  report.note = stats.note();
  report.adaptations = stats.adaptations();
  for (const auto& [scan, of_scan] : plan.scan_stats) {
    if (of_scan == &stats) report.note = scan->figures().note;
  }
  std::vector<const OperatorContext*> children;
  for (const OperatorContext& other : plan.operators) {
    if (other.stats.parent == &stats) children.push_back(&other);
  }
  std::sort(children.begin(), children.end(), [](const OperatorContext* a, const OperatorContext* b) {
    return a->stats.child_index < b->stats.child_index;
  });
  for (const OperatorContext* child : children) report.children.push_back(ReportOf(plan, *child));
  return report;
}

}  // namespace

OperatorReport PhysicalPlan::Report() const { return ReportOf(*this, operators.front()); }

Result<std::unique_ptr<PhysicalPlan>> PlanPipelines(const sql::PlanNodePtr& root,
                                                    const PlanResources& resources,
                                                    std::shared_ptr<Sink> result) {
  auto plan = std::make_unique<PhysicalPlan>();
  plan->root = root;
  std::set<std::uint32_t> shared;
  // One share stays free for what passes: batches, results, tables of functions.
  const std::size_t share_bytes = resources.context->memory->bytes_max() / (KeepersIn(*root, &shared) + 1);
  Planner planner(resources, share_bytes, plan.get());
  Chain chain;
  chain.sink = std::move(result);
  TL_TRY(planner.Build(*root, chain, nullptr));
  std::map<Sink*, std::size_t> last;
  for (std::size_t i = 0; i < plan->pipelines.size(); ++i) last[plan->pipelines[i].sink.get()] = i;
  for (const auto& [sink, index] : last) plan->pipelines[index].finishes_sink = true;
  return plan;
}

}  // namespace tideline::exec
