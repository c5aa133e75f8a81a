// exec/operators/operator_context.h: what one operator of a running query works with: the context of
// the query's expressions, a memory budget of its own, room on disk, its counters.
//
// An operator that keeps rows asks MemoryIsShort after each batch and spills when it says yes, long
// before a reservation would fail: its share of the query's budget is what the query may use, divided
// by the operators that keep rows. A reservation that fails after all fails the query.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/memory_budget.h"
#include "exec/evaluator/evaluator.h"
#include "exec/operators/operator_stats.h"

namespace tideline::exec {

class SpillQuota;

/// Made by the planner, one per plan node; outlives the operator. Its budget is named after the kind
/// of operator and has no limit of its own, so that an error names the query's and who asked.
struct OperatorContext {
  /// `query` is the context that all operators share; its budget is the parent of this one.
  OperatorContext(std::string name, const EvalContext& query)
      : memory(std::move(name), SIZE_MAX, query.memory),
        eval(query),
        share_bytes(query.memory->bytes_max() / 2) {
    eval.memory = &memory;
  }
  OperatorContext(const OperatorContext&) = delete;
  OperatorContext& operator=(const OperatorContext&) = delete;

  /// Whether it is time to spill: `bytes` are over `bytes_max`, or the query or the process is almost
  /// out of memory and this operator holds a good part. Never when there is nowhere to spill to.
  bool MemoryIsShort(std::size_t bytes, std::size_t bytes_max) const;
  /// Size of the frames that this operator writes: small when its memory is, since a merge of many
  /// runs or partitions has one of each in memory.
  std::size_t SpillFrameBytes() const {
    return std::clamp<std::size_t>(share_bytes / 256, 4 << 10, 64 << 10);
  }

  /// Most bytes of the batches that an operator makes by pairing or copying rows: whoever keeps one, or waits to
  /// hand it on, holds it whole.
  std::size_t BatchBytesMax() const { return std::clamp<std::size_t>(share_bytes / 16, 16 << 10, 16 << 20); }

  MemoryBudget memory;
  EvalContext eval;
  OperatorStats stats;
  std::size_t share_bytes;        ///< of the query's budget, for this operator
  SpillQuota* spill = nullptr;    ///< null: never spill
  bool spill_eagerly = false;     ///< for tests: spill whatever can be
};

}  // namespace tideline::exec
