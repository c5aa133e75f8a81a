// exec/pipeline/pipeline.h: a plan as pipelines, ready to be run one after the other.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "exec/operators/operator.h"
#include "exec/operators/streaming.h"
#include "exec/scan/scan_source.h"
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
  std::vector<std::shared_ptr<LimitState>> limits;  ///< any that has enough ends the reading
};

struct PhysicalPlan {
  sql::PlanNodePtr root;                ///< owns what stages refer to
  std::vector<Pipeline> pipelines;      ///< in running order; the last one ends in the result
  std::deque<OperatorStats> operators;  ///< in the plan's order, parents first
  std::vector<std::shared_ptr<ScanSource>> scans;
  std::vector<std::pair<std::shared_ptr<ScanSource>, OperatorStats*>> scan_stats;
};

/// Pipelines of `root` that end in `result`. Scans are opened, sources of VALUES computed.
/// kUnimplemented, by name, for a node that cannot be run. `context` outlives the plan.
Result<std::unique_ptr<PhysicalPlan>> PlanPipelines(const sql::PlanNodePtr& root,
                                                    ScanProvider* scans,
                                                    const EvalContext& context,
                                                    std::shared_ptr<Sink> result);

}  // namespace tideline::exec
