// exec/operators/group_builder.h: turns rows into groups within a share of memory; private to the
// aggregate operator.
//
// Hybrid hash aggregation (Graefe 1993, section 4.2), departing from it in what goes to disk. While
// memory lasts, rows go into a table of groups. When it is short, the table is frozen: the groups in it
// stay, and rows of other groups are written to 16 partitions by the hash of their keys. Aggregates
// whose state has a fixed size keep taking rows of groups in the frozen table; where states grow
// (array_agg, DISTINCT, sketches) all rows go to disk. So no state ever needs a form on disk.
//
// Afterwards one partition at a time is read back (spilled_groups.h): the frozen groups of that
// partition are combined into a new table, the rows follow, and if memory is short again the same
// happens one level down, with four further bits of the hash and half the share.
//
// What is written of a row: the columns that calls read, and the values of the keys, which must not be
// computed twice (they may be random).
#pragma once

#include <memory>
#include <vector>

#include "exec/operators/aggregate_state.h"
#include "exec/scan/scan_source.h"
#include "sql/plan/aggregate_node.h"

namespace tideline::exec {

/// What is the same for all tables of one aggregate operator.
struct AggregatePlan {
  std::vector<sql::AggregateNode::Key> keys;
  std::vector<sql::AggregateCall> calls;
  ColumnPositions columns;               ///< of the operator's input
  AggregateLayout layout;
  OperatorContext* own = nullptr;
  std::vector<std::size_t> kept;         ///< input columns that calls read
  std::vector<Type> spilled_types;       ///< of `kept`, then of the keys
  ColumnPositions spilled_columns;       ///< of a batch that was read back
  bool fixed_states = false;             ///< no state grows with the rows it takes
  std::shared_ptr<SummaryOffer> offer{};  ///< null: every row must be seen

  /// `columns` are those of the child's outputs. kInvalidArgument: ORDER BY with DISTINCT over what
  /// is no argument.
  static Result<AggregatePlan> Make(const sql::AggregateNode& node, ColumnPositions columns,
                                    OperatorContext* own);
  std::unique_ptr<AggregateGroups> NewGroups() const;
};

class GroupBuilder {
 public:
  /// Level 0 takes input batches; level n takes what level n - 1 wrote. `plan` outlives this.
  GroupBuilder(const AggregatePlan* plan, std::size_t level);
  Status Prepare();
  Status Push(const Batch& batch, const Selection& rows);
  /// Ends the builder. `parts` stays empty if nothing was written.
  Status Finish(std::unique_ptr<AggregateGroups>* groups, std::vector<SpilledRows>* parts);
  AggregateGroups& groups() { return *groups_; }
  /// To be called after groups were added from elsewhere; Push does it itself.
  Status MakeRoom();

  std::uint64_t rows() const { return rows_in_; }
  std::uint64_t runs() const { return runs_in_; }

 private:
  struct CallInputs {
    std::vector<Evaluator> arguments;
    std::vector<Evaluator> order_keys;
    std::vector<Evaluator> filter;  // none or one
    // A batch whose constant column `guard_position` is another text than this has nothing for the call.
    std::uint32_t guard_position = ColumnPositions::kNone;
    std::string guard_text{};
    std::uint32_t summary_position = ColumnPositions::kNone;  // with an offer: what the call reads; none: count(*)
  };
  Status PushCalls(const Batch& batch, const Selection& rows);
  Status PushCall(std::size_t index, const Batch& batch, const Selection& rows);
  /// Rows of `batch` that each stand for many.
  Status PushSummaries(const Batch& batch, const Selection& rows);
  Status PushFrozen(const Batch& batch, const Selection& rows);
  Status Write(const Batch& batch, const Selection& rows);
  std::size_t BytesMax() const;
  bool MemoryIsShort() const;
  void Freeze();

  const AggregatePlan* plan_;
  const std::size_t level_;
  std::unique_ptr<AggregateGroups> groups_;
  std::unique_ptr<PartitionWriter> writer_;  // set: frozen
  std::vector<Evaluator> keys_;
  std::vector<CallInputs> calls_;
  RunsOfBatch runs_;
  std::vector<Vector> key_values_;
  std::vector<Vector> arguments_;
  std::vector<Vector> order_keys_;
  std::vector<std::uint32_t> passed_;
  std::vector<std::uint32_t> known_;    // rows of groups in the frozen table
  std::vector<std::uint32_t> unknown_;
  std::vector<std::uint32_t> found_;
  std::vector<std::uint64_t> hashes_;
  std::vector<RunSummary> counts_;
  std::uint64_t rows_in_ = 0;
  std::uint64_t runs_in_ = 0;
};

}  // namespace tideline::exec
