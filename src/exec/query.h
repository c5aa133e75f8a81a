// exec/query.h: runs a plan and hands out its rows batch by batch.
//
//   auto query = TL_TRY(Execute(plan, context));
//   Batch batch;
//   while (TL_TRY(query->Next(&batch))) { ... }
//
// A plan becomes pipelines that run one after the other. A pipeline with much to read is shared by
// several workers on the pool; each runs about a millisecond at a time and then queues again, so that
// queries take turns. The thread that calls Next lends a hand while it waits; with little to read it
// does all the work itself. When the reader is slow, workers pause once a few batches wait, and hold
// no thread meanwhile; told to run on (RunOn), they let rows wait on disk instead.
//
// The first error wins: every call of Next after it returns it. Cancelling takes effect within a
// slice; Next notices within kWaitNs even when all workers are busy. A reader that must answer by some
// time works itself for a second at most, and not at all where a batch may take long (patterns, lists),
// since a slice is one batch at least; the rest it leaves to the pool.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/memory_budget.h"
#include "base/thread_pool.h"
#include "exec/operators/operator_stats.h"
#include "exec/result_sink.h"
#include "exec/scan/scan_source.h"
#include "exec/spill/spill_space.h"
#include "sql/plan/statement.h"

namespace tideline::exec {

/// Most workers of one pipeline.
inline constexpr std::size_t kWorkersMax = 64;

/// What a query runs with. Everything pointed at outlives the QueryExecution.
struct ExecutionContext {
  TimestampNs now;                      ///< now() of the query, cut to milliseconds
  bool compat_profile = false;
  ScanProvider* scans = nullptr;        ///< null: a plan without tables
  std::shared_ptr<ScanProvider> scans_owner;  ///< let go when the query needs no table any more
  Executor* pool = nullptr;             ///< null: everything on the thread that calls Next
  std::size_t workers_max = 1;          ///< per pipeline, the pool's threads at most
  MemoryBudget* memory = nullptr;       ///< required; of this query
  SpillSpace* spill = nullptr;          ///< null: a query that needs more memory than it has fails
  bool spill_eagerly = false;           ///< for tests: everything that can go to disk does
  CancelToken cancel;
  Deadline deadline;
  const Clock* clock = &SystemClock();
  std::uint64_t random_seed = 0x7469646570;
  ResultSpoolLimit* result_spool = nullptr;  ///< of all queries; null: none
  std::uint64_t result_spool_bytes_max = std::uint64_t{5} << 30;  ///< of this query's waiting rows
  /// Pipelines that read at most this many rows stay on the calling thread.
  double inline_rows_max = 20'000;
  /// A query whose scans will read more rows than this fails with kResourceExhausted as soon as that is known:
  /// at once, or when what narrows a scan below a join is there.
  double rows_to_read_max = std::numeric_limits<double>::infinity();
  /// Whether OperatorReport::bytes_out is filled, which costs a look at every text that passes.
  bool measure_bytes = false;
  /// Tables of fewer rows are read whole where a window of time might do (top_window.h).
  double window_rows_min = 20'000;
};

struct QueryStatistics {
  std::uint64_t bytes_scanned = 0;
  std::uint64_t rows_scanned = 0;
  std::uint64_t rows_returned = 0;
  double progress_percentage = 0;  ///< 0 to 100, never falls
};

class QueryExecution {
 public:
  virtual ~QueryExecution() = default;
  /// The next rows of the answer, columns in the plan's output order and any encoding (nested ones flat); false at the end. Blocks. One
  /// thread at a time.
  Result<bool> Next(Batch* batch) { return NextUntil(batch, SteadyNs{INT64_MAX}); }
  /// The same, but true with an empty batch once no rows are ready and `until` has passed on the
  /// context's clock. Late by what is under way then: a slice, or the end of a sort.
  virtual Result<bool> NextUntil(Batch* batch, SteadyNs until) = 0;
  /// From now on the pool runs the query to its end, whether Next is called or not; rows that nobody
  /// has asked for wait on disk within the limits of the context, and scans are closed as soon as all
  /// rows are there. Without a pool nothing changes.
  virtual void RunOn() = 0;
  /// So far. Thread-safe.
  virtual QueryStatistics statistics() const = 0;
  /// What every operator did so far, in the shape of the plan. Thread-safe.
  virtual OperatorReport Report() const = 0;
};

/// Plans `root` and opens its scans; nothing is read before Next is called, unless the pool takes it
/// up. kUnimplemented, by name, for what cannot be run.
Result<std::unique_ptr<QueryExecution>> Execute(const sql::PlanNodePtr& root,
                                                const ExecutionContext& context);

/// The same for a statement. EXPLAIN ANALYZE runs what it explains and answers with the text;
/// kUnimplemented for UNLOAD.
Result<std::unique_ptr<QueryExecution>> ExecuteStatement(const sql::BoundStatement& statement,
                                                         const ExecutionContext& context);

}  // namespace tideline::exec
