// exec/operators/aggregate_state.h: the groups of one worker and the states of their aggregates;
// private to the aggregate operator.
#pragma once

#include <any>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "exec/evaluator/evaluator.h"
#include "exec/operators/group_table.h"
#include "exec/spill/spilled_rows.h"
#include "functions/function.h"
#include "sql/plan/aggregate_node.h"

namespace tideline::exec {

/// A batch's rows cut into runs that belong to one group each. Runs hold ascending row numbers.
struct RunsOfBatch {
  std::vector<std::uint32_t> first_row;  ///< of each run, ascending
  std::vector<std::uint32_t> group;      ///< of each run
  /// Set when runs are too short to be worth a call each: the group of each row of the batch.
  bool scattered = false;
  std::vector<std::uint32_t> group_of_row;
};

/// What is the same for all workers: offsets of states, overloads.
struct AggregateLayout {
  struct Call {
    const functions::AggregateOverload* overload;
    bool skips_nulls;
    bool distinct;
    std::vector<sql::AggregateOrder> order_by;
    std::vector<std::size_t> order_arguments;  ///< distinct with ORDER BY: which argument each key is
    std::vector<Type> argument_types;
    std::vector<sql::ExprPtr> lambdas;
    Type result_type;
    std::size_t state_offset;
    bool deferred() const { return distinct || !order_by.empty(); }
  };
  std::vector<Call> calls;
  std::size_t group_bytes = 0;  ///< states of one group
};

/// The states of all groups; addresses never change.
class StateStore {
 public:
  StateStore(const AggregateLayout* layout, MemoryBudget* budget);
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;
  /// Makes states for groups up to `count`, initialised.
  Status Grow(std::size_t count, std::span<const functions::KernelContext> contexts);
  std::byte* At(std::size_t group) const {
    return blocks_[group / kBlockGroups]->data() + (group % kBlockGroups) * layout_->group_bytes;
  }
  std::size_t size() const { return count_; }

 private:
  static constexpr std::size_t kBlockGroups = 256;
  const AggregateLayout* layout_;
  std::vector<std::unique_ptr<Buffer>> blocks_;
  std::size_t count_ = 0;
  MemoryReservation memory_;
};

/// Rows of one call that wait for the end: with DISTINCT the distinct ones, else all of them. Distinct
/// rows may wait on disk, divided by a hash of the arguments; what is there may still have doubles.
class DeferredRows {
 public:
  /// The number of a group that is left out by Adopt.
  static constexpr std::uint32_t kNoGroup = UINT32_MAX;

  DeferredRows(const AggregateLayout::Call* call, OperatorContext* own, MemoryBudget* budget);
  /// Row `rows[i]` belongs to group `groups[i]`. `order_keys` are empty under DISTINCT.
  Status Add(std::span<const Vector> arguments, std::span<const Vector> order_keys,
             const Selection& rows, std::span<const std::uint32_t> groups);
  /// Takes `other`'s rows; its group g is `groups[g]` here, kNoGroup to leave its rows out. `last`: it
  /// will not be asked again, and what it holds is no longer charged.
  Status Adopt(DeferredRows& other, std::span<const std::uint32_t> groups, bool last);
  /// Feeds every row to its group's state. Ends with the rows gone.
  Status Apply(const functions::KernelContext& context, const StateStore& states);

  /// Whether Spill would free memory worth the while.
  bool spillable() const { return distinct_.has_value() && distinct_->group_count() > 0; }
  /// Bytes of what Spill can free.
  std::size_t distinct_bytes() const { return distinct_.has_value() ? distinct_->memory_bytes() : 0; }
  Status Spill();
  /// Ends what Spill began, so that Adopt may take it.
  Status FinishSpill();

 private:
  struct Kept {
    std::vector<Vector> columns;  // arguments, then order keys
    std::vector<std::uint32_t> groups;
  };
  // Distinct rows on disk, by partition; group g of theirs is groups[g] here, all as they are if empty.
  struct OnDisk {
    std::vector<SpilledRows> parts;
    std::vector<std::uint32_t> groups;
  };
  Status ApplyDistinct(const functions::KernelContext& context, const StateStore& states);
  Status ApplyPart(const functions::KernelContext& context, const StateStore& states,
                   const std::vector<OnDisk>& from, std::size_t part, std::size_t level);
  Status FeedDistinct(const functions::KernelContext& context, const StateStore& states,
                      const GroupTable& table);
  Status ApplyOrdered(const functions::KernelContext& context, const StateStore& states);
  Status Feed(const functions::KernelContext& context, const StateStore& states,
              std::span<const Vector> arguments, std::span<const std::uint32_t> groups);

  const AggregateLayout::Call* call_;
  OperatorContext* own_;
  const std::vector<Type> distinct_types_;  // the group's number, then the arguments
  std::optional<GroupTable> distinct_;      // keys: distinct_types_
  std::unique_ptr<PartitionWriter> writer_;
  std::vector<OnDisk> on_disk_;
  std::vector<Kept> kept_;
  MemoryBudget* budget_;
  MemoryReservation memory_;
};

/// Groups, states and waiting rows of one worker.
class AggregateGroups {
 public:
  AggregateGroups(const AggregateLayout* layout, std::vector<Type> key_types, OperatorContext* own);
  /// Compiles the lambdas of the calls. Once, before anything else.
  Status Prepare();

  /// Finds the group of each of `rows` by `keys` and makes states for new ones.
  Status FindGroups(std::span<const Vector> keys, std::size_t row_count, const Selection& rows,
                    RunsOfBatch* runs);
  /// Adds `rows` of a call's arguments; rows were given to FindGroups before.
  Status Update(std::size_t call, std::span<const Vector> arguments,
                std::span<const Vector> order_keys, const Selection& rows, const RunsOfBatch& runs);
  /// Adds what is known of the rows that each of `rows` stands for: `summaries[row]`, of a call's argument.
  Status UpdateSummaries(std::size_t call, std::span<const RunSummary> summaries, const Selection& rows,
                         const RunsOfBatch& runs);
  /// Which of `rows` belong to groups that are there: `groups[i]`, or GroupLookup::kNone.
  void LookUp(std::span<const Vector> keys, const Selection& rows, std::vector<std::uint32_t>* groups);
  Status Merge(AggregateGroups& other);
  /// Takes over the groups g of `other` for which `partitions[g]` is `partition`; each once.
  Status MergePartition(AggregateGroups& other, std::span<const std::uint8_t> partitions,
                        std::uint8_t partition);
  /// The partition of each group by the hash of its keys (spill/spilled_rows.h).
  std::vector<std::uint8_t> PartitionGroups(std::size_t level) const;
  /// Moves distinct rows that wait to disk, when they are a good part of the memory held; whether it did.
  Result<bool> SpillDistinct();
  /// After the last Merge: feeds waiting rows; makes the one group of an aggregate without keys.
  Status Complete();
  /// Groups [first, first + count): keys, then results. Once per group.
  Status Emit(std::size_t first, std::size_t count, Batch* batch) const;
  std::size_t group_count() const;
  std::size_t memory_bytes() const { return budget_.used_bytes(); }

 private:
  // The rows at which some key differs from the row before, rows[0] among them; marked in changes_.
  void FindChanges(std::span<const Vector> keys, const Selection& rows, std::vector<std::uint32_t>* first_rows);
  Status UpdateRuns(const AggregateLayout::Call& call, const functions::KernelContext& context,
                    std::span<const Vector> arguments, const Selection& rows,
                    const RunsOfBatch& runs);
  Status UpdateScattered(const AggregateLayout::Call& call, const functions::KernelContext& context,
                         std::span<const Vector> arguments, const Selection& rows,
                         const RunsOfBatch& runs);

  Status AdoptStates(AggregateGroups& other, std::span<const std::uint32_t> groups, bool last);

  const AggregateLayout* layout_;
  const std::size_t key_count_;
  OperatorContext* own_;
  MemoryBudget budget_;
  std::vector<std::any> call_states_;
  std::vector<LambdaSet> lambdas_;  // by call
  std::vector<functions::KernelContext> contexts_;
  GroupTable table_;
  StateStore states_;
  std::vector<std::unique_ptr<DeferredRows>> deferred_;  // by call; null for those not deferred
  std::unique_ptr<GroupLookup> lookup_;
  std::vector<std::uint8_t> changes_;
  std::vector<functions::AggregateState> scattered_states_;
};

}  // namespace tideline::exec
