// exec/operators/operator_stats.h: what one operator of a running query did.
//
// Workers add to OperatorStats as they go; a QueryExecution hands out an OperatorReport, plain values
// in the shape of the plan, at any time. EXPLAIN ANALYZE is printed from the report (print_report.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace tideline::sql {
class PlanNode;
}

namespace tideline::exec {

/// A decision that was made at run time on what was seen.
struct Adaptation {
  std::string what;  ///< "spilled to disk", "kept the left side"
  std::string why;   ///< the figures that led to it
  bool operator==(const Adaptation&) const = default;
};

/// Counters of one operator, added up over its workers. Thread-safe but for the first four members,
/// which are set while the query is planned.
class OperatorStats {
 public:
  std::string name;                         ///< the plan node's line
  const sql::PlanNode* node = nullptr;      ///< lives as long as the query
  OperatorStats* parent = nullptr;          ///< null for the root
  std::size_t child_index = 0;              ///< which child of the parent this is

  std::atomic<std::uint64_t> rows_in{0};
  std::atomic<std::uint64_t> rows_out{0};
  std::atomic<std::uint64_t> batches_in{0};
  std::atomic<std::uint64_t> batches_out{0};
  std::atomic<std::uint64_t> bytes_out{0};  ///< only when the query measures bytes
  std::atomic<std::int64_t> time_ns{0};     ///< of threads in this operator alone
  std::atomic<std::uint64_t> spilled_bytes{0};
  std::atomic<std::uint64_t> spilled_rows{0};

  /// Notes a decision; one with the same `what` is noted once, with its first reason.
  void Adapt(std::string what, std::string why);
  /// Replaces the one line of figures that only this kind of operator has.
  void SetNote(std::string note);
  std::string note() const;
  std::vector<Adaptation> adaptations() const;

 private:
  mutable Mutex mutex_;
  std::string note_ TL_GUARDED_BY(mutex_);
  std::vector<Adaptation> adaptations_ TL_GUARDED_BY(mutex_);
};

/// The figures of one operator and of those below it, in the plan's order of children.
struct OperatorReport {
  std::string name;
  const sql::PlanNode* node = nullptr;  ///< as long as the plan that was executed
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t batches_in = 0;
  std::uint64_t batches_out = 0;
  std::uint64_t bytes_out = 0;          ///< 0 unless ExecutionContext::measure_bytes
  std::int64_t time_ns = 0;             ///< thread time in this operator, without those below
  std::uint64_t memory_bytes_peak = 0;  ///< most that was charged at one time
  std::uint64_t spilled_bytes = 0;
  std::uint64_t spilled_rows = 0;
  std::string note;
  std::vector<Adaptation> adaptations;
  std::vector<OperatorReport> children;
};

}  // namespace tideline::exec
