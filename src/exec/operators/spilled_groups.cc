#include "exec/operators/spilled_groups.h"

#include <algorithm>

namespace tideline::exec {
namespace {

// Frozen groups with the rows that are still to join them.
struct Level {
  std::shared_ptr<AggregateGroups> groups;
  std::vector<std::uint8_t> partitions;  // of each group
  std::vector<SpilledRows> parts;
  std::size_t level = 0;                 // of the hash bits that divide them
  std::size_t next = 0;                  // partition
};

class SpilledGroupsReader final : public SourceReader {
 public:
  SpilledGroupsReader(const AggregatePlan* plan, std::shared_ptr<AggregateGroups> groups,
                      std::vector<SpilledRows> parts, std::atomic<double>* progress)
      : plan_(plan), progress_(progress) {
    AddLevel(std::move(groups), std::move(parts), 0);
  }

  Result<bool> Next(Batch* batch) override {
    for (;;) {
      TL_TRY(plan_->own->eval.CheckStillWanted());
      if (ready_ != nullptr) {
        if (emitted_ < ready_->group_count()) {
          const std::size_t count = std::min(kBatchRowsMax, ready_->group_count() - emitted_);
          TL_TRY(ready_->Emit(emitted_, count, batch));
          emitted_ += count;
          return true;
        }
        ready_.reset();
      }
      if (levels_.empty()) return false;
      TL_TRY(NextPartition());
    }
  }

 private:
  void AddLevel(std::shared_ptr<AggregateGroups> groups, std::vector<SpilledRows> parts, std::size_t level) {
    Level added;
    added.partitions = groups->PartitionGroups(level);
    added.groups = std::move(groups);
    added.parts = std::move(parts);
    added.level = level;
    levels_.push_back(std::move(added));
  }

  // Builds the next partition of the innermost level: ready to be emitted, or a level of its own.
  Status NextPartition() {
    Level& level = levels_.back();
    if (level.next == kPartitions) {
      levels_.pop_back();
      return OkStatus();
    }
    const std::size_t part = level.next++;
    if (levels_.size() == 1) *progress_ = static_cast<double>(part) / kPartitions;
    GroupBuilder builder(plan_, level.level + 1);
    TL_TRY(builder.Prepare());
    TL_TRY(builder.groups().MergePartition(*level.groups, level.partitions, static_cast<std::uint8_t>(part)));
    const SpilledRows rows = std::move(level.parts[part]);
    if (rows.rows > 0) TL_TRY(builder.MakeRoom());
    SpilledRowsReader reader(&rows, &plan_->spilled_types);
    Batch batch;
    while (TL_TRY(reader.Next(&batch))) {
      TL_TRY(plan_->own->eval.CheckStillWanted());
      TL_TRY(builder.Push(batch, Selection::All(batch.row_count)));
    }
    std::unique_ptr<AggregateGroups> groups;
    std::vector<SpilledRows> parts;
    const std::size_t below = level.level + 1;
    TL_TRY(builder.Finish(&groups, &parts));
    if (!parts.empty()) {
      AddLevel(std::move(groups), std::move(parts), below);
      return OkStatus();
    }
    ready_ = std::move(groups);
    emitted_ = 0;
    return ready_->Complete();
  }

  const AggregatePlan* plan_;
  std::vector<Level> levels_;
  std::unique_ptr<AggregateGroups> ready_;
  std::size_t emitted_ = 0;
  std::atomic<double>* progress_;
};

}  // namespace

std::unique_ptr<SourceReader> NewSpilledGroupsReader(const AggregatePlan* plan,
                                                     std::shared_ptr<AggregateGroups> groups,
                                                     std::vector<SpilledRows> parts,
                                                     std::atomic<double>* progress) {
  return std::make_unique<SpilledGroupsReader>(plan, std::move(groups), std::move(parts), progress);
}

}  // namespace tideline::exec
