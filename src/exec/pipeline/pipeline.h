// exec/pipeline/pipeline.h: a plan as pipelines, ready to be run one after the other.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "exec/operators/operator.h"
#include "exec/operators/operator_context.h"
#include "exec/operators/streaming.h"
#include "exec/scan/scan_source.h"
#include "exec/spill/spill_space.h"
#include "sql/plan/plan_node.h"

namespace tideline::exec {

/// One streaming operator of a pipeline; each worker makes its own consumer.
struct Stage {
  std::function<Result<std::unique_ptr<Consumer>>(Consumer* next)> make;
  OperatorStats* stats = nullptr;
};

struct Pipeline {
  std::shared_ptr<Source> source;
  OperatorStats* source_stats = nullptr;
  std::vector<Stage> stages;           ///< in the order in which batches pass them
  std::shared_ptr<Sink> sink;
  OperatorStats* sink_stats = nullptr;  ///< null: the result
  bool finishes_sink = false;          ///< the last of those that end in `sink`
};

struct PhysicalPlan {
  sql::PlanNodePtr root;                  ///< owns what stages refer to
  std::deque<OperatorContext> operators;  ///< parents first; every pipeline goes before them
  std::vector<Pipeline> pipelines;        ///< in running order; the last one ends in the result
  std::vector<std::shared_ptr<ScanSource>> scans;
  std::vector<std::pair<std::shared_ptr<ScanSource>, OperatorStats*>> scan_stats;

  /// What every operator did so far.
  OperatorReport Report() const;
};

/// What a plan's operators share. Everything outlives the plan.
struct PlanResources {
  ScanProvider* scans = nullptr;          ///< null: a plan without tables
  const EvalContext* context = nullptr;   ///< required; its budget is the parent of every operator's
  SpillQuota* spill = nullptr;            ///< null: never spill
  bool spill_eagerly = false;
};

/// Pipelines of `root` that end in `result`. Scans are opened, sources of VALUES computed.
/// kUnimplemented, by name, for a node that cannot be run.
Result<std::unique_ptr<PhysicalPlan>> PlanPipelines(const sql::PlanNodePtr& root,
                                                    const PlanResources& resources,
                                                    std::shared_ptr<Sink> result);

}  // namespace tideline::exec
