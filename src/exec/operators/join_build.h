// exec/operators/join_build.h: what a join is, and the side of it that is kept; private to the join
// operator.
//
// Hybrid hash join with dynamic destaging (Graefe 1993, section 5.2; DeWitt et al., "Implementation
// Techniques for Main Memory Database Systems", SIGMOD 1984). Kept rows stay in memory while it lasts.
// When it is short, the lower half of the hash partitions goes to disk, then half of the rest, and so
// on; rows of the other side that fall into those partitions go to disk as well, all others are joined
// at once. Afterwards pairs of partitions are joined one after the other (spilled_join.h).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "exec/evaluator/evaluator.h"
#include "exec/operators/group_table.h"
#include "exec/spill/spilled_rows.h"
#include "sql/plan/join_node.h"

namespace tideline::exec {

/// The join as the executor sees it. Immutable after Make.
struct JoinPlan {
  /// One child, as rows of its outputs; on disk the keys' values follow them.
  struct Side {
    Side(const sql::PlanNode& child, bool left);
    std::vector<sql::OutputColumn> outputs;
    bool is_left;
    ColumnPositions positions;
    std::vector<sql::ExprPtr> keys;
    std::vector<Type> spilled_types;
  };
  /// Where an output lies in a pair's columns: the streaming side's, then the kept side's.
  static constexpr std::uint32_t kMarkPlace = UINT32_MAX - 1;

  static Result<std::shared_ptr<const JoinPlan>> Make(const sql::JoinNode& node, bool build_left,
                                                      OperatorContext* own);

  sql::JoinKind kind;
  Side build;
  Side probe;
  std::vector<sql::OutputColumn> outputs;
  sql::ExprPtr residual;
  sql::ExprPtr test;  ///< of a mark join, unless a key says it
  sql::OutputColumn mark;
  OperatorContext* own;
  ColumnPositions pair;
  std::vector<std::uint32_t> places;
  bool mark_by_key = false;
  bool any_pair_marks = false;  ///< EXISTS: one row is as good as many
  bool preserves_probe = false;
  bool preserves_build = false;
  bool at_most_one = false;  ///< the kept side may not have more rows

 private:
  JoinPlan(const sql::JoinNode& node, bool build_left, OperatorContext* operator_context);
};

/// Figures of the kept side as a whole, on disk or not.
struct JoinFacts {
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> null_key_rows{0};
};

/// Rows of `column` that stream by; a dictionary stays one.
Vector TakeRows(const Vector& column, const std::vector<std::uint32_t>& rows);
Selection SelectionOf(const std::vector<std::uint32_t>& rows, std::size_t row_count);
/// `marks[i]` gets bit 1 for a null, bit 2 for a NaN among the keys of row i of `rows`: what equals
/// nothing.
void MarkUnequal(std::span<const Vector> keys, const Selection& rows, std::vector<std::uint8_t>* marks);

/// Rows with their keys, then a table of them: columns lie as one flat vector each, and rows with equal
/// keys side by side in a list of row numbers. Keep from any thread, the rest from one, reading from
/// any after Finish.
class BuildSide {
 public:
  /// A batch as it came, flat or by dictionary, only the rows that matter.
  struct Kept {
    Batch rows;
    std::vector<Vector> keys;
    std::size_t charged_bytes = 0;  ///< since Keep
    std::size_t index_bytes = 0;    ///< of these, what is set aside for the index
  };

  explicit BuildSide(const JoinPlan* plan) : plan_(plan), memory_(&plan->own->memory) {}

  Status Keep(Kept kept);
  /// Begins a round in which every batch that is kept is looked at once, by whoever has the time: taken with TakeNext,
  /// cut down, given back with Return. It stays charged meanwhile, since it is still in memory.
  void BeginRound();
  /// Whether a batch of the round is waiting or in someone's hands.
  bool is_in_round() const;
  /// Nothing when no batch is waiting.
  std::optional<Kept> TakeNext();
  /// The rows that are left are kept on, and no more is charged for the batch than what they cost.
  Status Return(Kept kept);
  /// Instead of Return, when the query fails.
  void Abandon();
  /// Blocks until the batches of the round that are in others' hands are given back.
  void AwaitReturns();
  /// Lays out and indexes what is kept.
  Status Finish();

  std::size_t row_count() const { return row_count_; }
  /// What a row's columns cost on average.
  std::size_t row_bytes() const { return row_bytes_; }
  /// Rows whose keys are those of `group` of table(); without keys all.
  std::span<const std::uint32_t> RowsOfGroup(std::uint32_t group) const {
    return {order_.data() + offsets_[group], offsets_[group + 1] - offsets_[group]};
  }
  const std::vector<Vector>& columns() const { return columns_; }
  /// Null pointer without keys.
  const GroupTable* table() const { return table_.get(); }
  void MarkMatched(std::uint32_t row) const { matched_[row].store(1, std::memory_order_relaxed); }
  bool IsMatched(std::size_t row) const { return matched_[row].load(std::memory_order_relaxed) != 0; }
  /// The next rows without a partner from `*at` on, with nulls for the other side; false at the end.
  Result<bool> NextUnmatched(std::size_t* at, Batch* batch) const;

 private:
  Status Add(Kept kept, std::size_t charged_before) TL_REQUIRES(mutex_);
  Status Index();
  Status LayOut();

  const JoinPlan* const plan_;
  mutable Mutex mutex_;
  std::vector<Kept> kept_;
  std::vector<Kept> waiting_;   // of a round
  std::size_t in_hands_ = 0;    // batches between TakeNext and Return
  CondVar returned_;
  MemoryReservation memory_;
  std::size_t index_bytes_ = 0;  // of what memory_ holds, set aside for the index

  // After Finish.
  std::size_t row_count_ = 0;
  std::size_t row_bytes_ = 0;
  std::vector<Vector> columns_;
  std::unique_ptr<GroupTable> table_;
  std::vector<std::uint32_t> order_;    // rows, by group
  std::vector<std::size_t> offsets_;    // of each group in order_, and the end
  std::unique_ptr<std::atomic<std::uint8_t>[]> matched_;  // by row, if preserves_build
};

}  // namespace tideline::exec
