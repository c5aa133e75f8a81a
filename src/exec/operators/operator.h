// exec/operators/operator.h: the parts that a pipeline is made of.
//
//   Source ── reader per worker ──► Consumer ─► Consumer ─► … ─► consumer of a Sink
//
// Batches are pushed. An operator that makes many rows of one (a join, UNNEST) hands on one batch at
// most for each that it takes and keeps the rest `pending`; the worker asks it to continue before it
// reads on. That keeps memory bounded and lets a worker pause or stop amid a large product. A worker
// owns one chain of consumers and one reader; what workers share (the source, the sink, a limit's
// counter) is thread-safe. A filter does not copy: it hands on the same
// batch with fewer rows selected.
//
// A breaker (aggregate, sort) is the sink of one pipeline and the source of the next.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "columnar/vector.h"
#include "exec/evaluator/evaluator.h"
#include "exec/operators/operator_stats.h"

namespace tideline::exec {

/// Takes batches on one thread.
class Consumer {
 public:
  virtual ~Consumer() = default;
  /// Takes `rows` of `batch`; both are the caller's again afterwards. At least one row.
  virtual Status Push(const Batch& batch, const Selection& rows) = 0;
  /// Whether rows of the last Push wait to be handed on. No Push comes while they do.
  virtual bool pending() const { return false; }
  /// Hands on at most one batch of what is pending; perhaps none, if looking for it took long.
  virtual Status Continue() { return OkStatus(); }
  /// Whether it lets no further row through: then nothing before it is handed on and nothing read.
  virtual bool has_enough() const { return false; }
  /// Called once after the worker's last Push, unless the query failed.
  virtual Status Finish() = 0;
};

/// The end of a pipeline, shared by its workers.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<std::unique_ptr<Consumer>> NewConsumer() = 0;
  /// After the consumers of all workers of all pipelines that end here have finished.
  virtual Status Finish() { return OkStatus(); }
  /// True while the sink wants no more for now; workers pause.
  virtual bool Full() const { return false; }
};

/// Reads batches on one thread.
class SourceReader {
 public:
  virtual ~SourceReader() = default;
  /// False at the end. A batch may have no rows.
  virtual Result<bool> Next(Batch* batch) = 0;
};

/// The beginning of a pipeline, shared by its workers; readers divide the batches among them.
class Source {
 public:
  virtual ~Source() = default;
  /// Called once, by one thread, when every pipeline that runs before its own has ended, and before
  /// anything else but progress() is asked.
  virtual Status Prepare() { return OkStatus(); }
  virtual Result<std::unique_ptr<SourceReader>> NewReader() = 0;
  /// How many workers can be of use; 1 when batches come in an order that must be kept.
  virtual std::size_t workers_max() const { return 1; }
  /// Rows still to be read when the pipeline starts, as far as known.
  virtual double EstimatedRows() const { return 0; }
  /// True when it is known, before anything is read, that nothing will come.
  virtual bool empty() const { return false; }
  /// Share read so far, 0 to 1.
  virtual double progress() const { return 1; }
};

}  // namespace tideline::exec
