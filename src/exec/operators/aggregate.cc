#include "exec/operators/aggregate.h"

#include <algorithm>

#include "base/mutex.h"
#include "exec/operators/spilled_groups.h"

namespace tideline::exec {
namespace {

class GroupBreaker final : public AggregateBreaker {
 public:
  explicit GroupBreaker(AggregatePlan plan) : plan_(std::move(plan)) {}

  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  Status Finish() override;
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  std::size_t workers_max() const override {
    // Kernels keep state per call site; without calls groups are plain rows.
    if (!parts_.empty() || !plan_.calls.empty()) return 1;
    return 1 + merged_->group_count() / (8 * kBatchRowsMax);
  }
  double EstimatedRows() const override {
    double rows = static_cast<double>(merged_->group_count());
    for (const SpilledRows& part : parts_) rows += static_cast<double>(part.rows);
    return rows;
  }
  double progress() const override {
    if (on_disk_.load()) return partition_progress_.load();
    const auto count = static_cast<double>(std::max<std::size_t>(merged_->group_count(), 1));
    return std::min(1.0, static_cast<double>(next_group_.load()) / count);
  }

  std::shared_ptr<const SummaryOffer> Offer() const override { return plan_.offer; }

  Status Merge(GroupBuilder* builder);

  const AggregatePlan plan_;
  std::atomic<std::size_t> next_group_{0};

 private:
  std::atomic<std::uint64_t> rows_in_{0};
  std::atomic<std::uint64_t> runs_in_{0};
  std::atomic<double> partition_progress_{0};
  std::atomic<bool> on_disk_{false};
  Mutex mutex_;
  // Guarded by mutex_ until Finish, then read only.
  std::shared_ptr<AggregateGroups> merged_;
  std::vector<SpilledRows> parts_;  // empty: all in memory
};

class AggregateConsumer final : public Consumer {
 public:
  explicit AggregateConsumer(GroupBreaker* breaker) : breaker_(breaker), builder_(&breaker->plan_, 0) {}
  Status Prepare() { return builder_.Prepare(); }
  Status Push(const Batch& batch, const Selection& rows) override { return builder_.Push(batch, rows); }
  Status Finish() override { return breaker_->Merge(&builder_); }

 private:
  GroupBreaker* const breaker_;
  GroupBuilder builder_;
};

class GroupReader final : public SourceReader {
 public:
  GroupReader(GroupBreaker* breaker, const AggregateGroups* groups) : breaker_(breaker), groups_(groups) {}
  Result<bool> Next(Batch* batch) override {
    const std::size_t first = breaker_->next_group_.fetch_add(kBatchRowsMax);
    if (first >= groups_->group_count()) return false;
    TL_TRY(groups_->Emit(first, std::min(kBatchRowsMax, groups_->group_count() - first), batch));
    return true;
  }

 private:
  GroupBreaker* const breaker_;
  const AggregateGroups* const groups_;
};

Result<std::unique_ptr<Consumer>> GroupBreaker::NewConsumer() {
  auto consumer = std::make_unique<AggregateConsumer>(this);
  TL_TRY(consumer->Prepare());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

Status GroupBreaker::Merge(GroupBuilder* builder) {
  rows_in_ += builder->rows();
  runs_in_ += builder->runs();
  std::unique_ptr<AggregateGroups> own;
  std::vector<SpilledRows> parts;
  TL_TRY(builder->Finish(&own, &parts));
  std::shared_ptr<AggregateGroups> groups = std::move(own);
  const MutexLock lock(mutex_);
  if (!parts.empty()) parts_.resize(kPartitions);
  for (std::size_t p = 0; p < parts.size(); ++p) parts_[p].Adopt(std::move(parts[p]));
  if (merged_ == nullptr) {
    merged_ = std::move(groups);
    return OkStatus();
  }
  // The smaller one moves.
  if (merged_->group_count() < groups->group_count()) merged_.swap(groups);
  return merged_->Merge(*groups);
}

Status GroupBreaker::Finish() {
  if (merged_ == nullptr) {
    merged_ = plan_.NewGroups();
    TL_TRY(merged_->Prepare());
  }
  if (!plan_.keys.empty()) {
    plan_.own->stats.SetNote(fmt::format("{} rows in {} runs", rows_in_.load(), runs_in_.load()));
  }
  on_disk_ = !parts_.empty();
  // With rows on disk groups are completed partition by partition.
  return parts_.empty() ? merged_->Complete() : OkStatus();
}

Result<std::unique_ptr<SourceReader>> GroupBreaker::NewReader() {
  if (!parts_.empty()) {
    return NewSpilledGroupsReader(&plan_, std::move(merged_), std::move(parts_), &partition_progress_);
  }
  return std::unique_ptr<SourceReader>(std::make_unique<GroupReader>(this, merged_.get()));
}

}  // namespace

Result<std::shared_ptr<AggregateBreaker>> AggregateBreaker::Make(const sql::AggregateNode& node,
                                                                 ColumnPositions columns,
                                                                 OperatorContext* own) {
  AggregatePlan plan = TL_TRY(AggregatePlan::Make(node, std::move(columns), own));
  return std::shared_ptr<AggregateBreaker>(std::make_shared<GroupBreaker>(std::move(plan)));
}

}  // namespace tideline::exec
