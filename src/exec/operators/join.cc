#include "exec/operators/join.h"

#include <algorithm>

#include "base/mutex.h"
#include "exec/operators/spilled_join.h"
#include "exec/values/gather.h"
#include "exec/values/hash_rows.h"

namespace tideline::exec {
namespace {

using sql::JoinKind;

// An outer join reads its preserved side first only if that is so many times smaller.
constexpr double kPreservedBuildFactor = 4;

class HashJoin final : public JoinBreaker {
 public:
  HashJoin(std::shared_ptr<const JoinPlan> plan, std::shared_ptr<const JoinPlan> swapped)
      : plan_(std::move(plan)),
        swapped_(std::move(swapped)),
        own_(*plan_->own),
        build_(std::make_unique<BuildSide>(plan_.get())),
        build_parts_(kPartitions),
        probe_parts_(kPartitions) {
    if (own_.spill_eagerly && own_.spill != nullptr) resident_from_ = kPartitions;
  }

  void AddFilter(std::shared_ptr<RuntimeFilter> filter) override { filters_.push_back(std::move(filter)); }
  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  Result<std::unique_ptr<Consumer>> NewProbe(Consumer* next) override;
  std::shared_ptr<Source> Unmatched() override;
  std::shared_ptr<Source> Spilled() override;
  Status Finish() override;

  bool keyed() const { return !plan_->build.keys.empty(); }
  /// Moves partitions to `writer` until there is room, beside other workers that do the same: while memory is short
  /// nobody goes on to fill it.
  Status MakeRoom(PartitionWriter* writer);
  void AddParts(std::vector<SpilledRows>* to, std::vector<SpilledRows> parts) {
    const MutexLock lock(mutex_);
    for (std::size_t p = 0; p < parts.size(); ++p) (*to)[p].Adopt(std::move(parts[p]));
  }
  bool anything_spilled() const {
    return std::any_of(build_parts_.begin(), build_parts_.end(), [](const auto& part) { return part.rows > 0; }) ||
           std::any_of(probe_parts_.begin(), probe_parts_.end(), [](const auto& part) { return part.rows > 0; });
  }
  Result<std::unique_ptr<SourceReader>> ReadSpilled(std::atomic<double>* progress);

  const std::shared_ptr<const JoinPlan> plan_;
  const std::shared_ptr<const JoinPlan> swapped_;  // null: sides cannot change roles
  OperatorContext& own_;
  JoinFacts facts_;
  std::unique_ptr<BuildSide> build_;
  std::vector<std::shared_ptr<RuntimeFilter>> filters_;
  /// Partitions below this are on disk; it only grows, and stands when the kept side is read.
  std::atomic<std::size_t> resident_from_{0};
  std::vector<SpilledRows> build_parts_;
  std::vector<SpilledRows> probe_parts_;

 private:
  bool BeginEviction();
  Status Evict(PartitionWriter* writer);

  Mutex mutex_;
};

// ---- the kept side --------------------------------------------------------------------------------

// Rows of `kept` as they are written: columns, then keys.
Batch WholeRows(const BuildSide::Kept& kept) {
  Batch batch = kept.rows;
  batch.columns.insert(batch.columns.end(), kept.keys.begin(), kept.keys.end());
  return batch;
}

// Writes the rows of `kept` whose partition is below `resident_from` and leaves the others.
Status WritePartitions(std::size_t resident_from, BuildSide::Kept* kept, PartitionWriter* writer) {
  std::vector<std::uint64_t> hashes;
  const std::size_t count = kept->rows.row_count;
  // Without keys all rows are of one partition.
  HashRows(kept->keys, Selection::All(count), &hashes);
  std::vector<std::uint32_t> written;
  std::vector<std::uint64_t> written_hashes;
  std::vector<std::uint32_t> left;
  for (std::uint32_t row = 0; row < count; ++row) {
    if (PartitionOf(hashes[row], 0) < resident_from) {
      written.push_back(row);
      written_hashes.push_back(hashes[row]);
    } else {
      left.push_back(row);
    }
  }
  if (written.empty()) return OkStatus();
  TL_TRY(writer->Add(WholeRows(*kept), Selection::Of(written), written_hashes));
  kept->rows.row_count = left.size();
  for (auto* const columns : {&kept->rows.columns, &kept->keys}) {
    for (Vector& column : *columns) {
      column = TakeRows(column, left);
      // Batches are cut again and again: the text of what went must not stay.
      OwnText(&column);
    }
  }
  return OkStatus();
}

class BuildConsumer final : public Consumer {
 public:
  explicit BuildConsumer(HashJoin* join) : join_(join), writer_(join->plan_->build.spilled_types, &join->own_, 0) {}
  Status Prepare() {
    for (const sql::ExprPtr& key : join_->plan_->build.keys) {
      Evaluator evaluator = TL_TRY(Evaluator::Make(*key, join_->plan_->build.positions, join_->own_.eval));
      keys_.push_back(std::move(evaluator));
    }
    return OkStatus();
  }
  Status Push(const Batch& batch, const Selection& rows) override {
    std::vector<std::uint32_t> list;
    list.reserve(rows.size());
    rows.ForEach([&](std::uint32_t row) { list.push_back(row); });
    BuildSide::Kept kept;
    kept.rows.row_count = list.size();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      Vector value;
      TL_TRY(keys_[i].Evaluate(batch, rows, &value));
      for (const auto& filter : join_->filters_) {
        if (filter->key() == i) filter->Add(value, rows);
      }
      kept.keys.push_back(KeepRows(value, list));
    }
    for (const Vector& column : batch.columns) kept.rows.columns.push_back(KeepRows(column, list));
    MarkUnequal(kept.keys, Selection::All(list.size()), &marks_);
    join_->facts_.rows += list.size();
    join_->facts_.null_key_rows += static_cast<std::uint64_t>(
        std::count_if(marks_.begin(), marks_.end(), [](std::uint8_t mark) { return (mark & 1) != 0; }));
    const std::size_t resident_from = join_->resident_from_.load();
    if (resident_from > 0) TL_TRY(WritePartitions(resident_from, &kept, &writer_));
    if (kept.rows.row_count == 0) return OkStatus();
    TL_TRY(join_->build_->Keep(std::move(kept)));
    return join_->MakeRoom(&writer_);
  }
  Status Finish() override {
    if (writer_.row_count() == 0) return OkStatus();
    std::vector<SpilledRows> parts = TL_TRY(writer_.Finish());
    join_->AddParts(&join_->build_parts_, std::move(parts));
    return OkStatus();
  }

 private:
  HashJoin* const join_;
  PartitionWriter writer_;
  std::vector<Evaluator> keys_;
  std::vector<std::uint8_t> marks_;
};

Result<std::unique_ptr<Consumer>> HashJoin::NewConsumer() {
  auto consumer = std::make_unique<BuildConsumer>(this);
  TL_TRY(consumer->Prepare());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

Status HashJoin::MakeRoom(PartitionWriter* writer) {
  // A quarter stays free for the buffers of partitions.
  while (own_.MemoryIsShort(own_.memory.used_bytes(), own_.share_bytes / 4 * 3)) {
    if (!BeginEviction()) return OkStatus();
    TL_TRY(Evict(writer));
  }
  return OkStatus();
}

// Sends further partitions to disk, unless a round is on: then that is to be finished first. False when all are there.
bool HashJoin::BeginEviction() {
  const MutexLock lock(mutex_);
  if (build_->is_in_round()) return true;
  const std::size_t from = resident_from_.load();
  if (from == kPartitions) return false;
  own_.stats.Adapt("joins on disk", fmt::format("{} rows to keep in {} bytes, its share of the memory is {}",
                                                facts_.rows.load(), own_.memory.used_bytes(), own_.share_bytes));
  resident_from_ = keyed() ? from + (kPartitions - from + 1) / 2 : kPartitions;
  build_->BeginRound();
  return true;
}

// Takes part in a round until it is over.
Status HashJoin::Evict(PartitionWriter* writer) {
  while (std::optional<BuildSide::Kept> rows = build_->TakeNext()) {
    Status status = own_.eval.CheckStillWanted();
    if (status.ok()) status = WritePartitions(resident_from_.load(), &*rows, writer);
    if (!status.ok()) {
      build_->Abandon();
      return status;
    }
    TL_TRY(build_->Return(*std::move(rows)));
  }
  build_->AwaitReturns();
  return OkStatus();
}

Status HashJoin::Finish() {
  if (plan_->at_most_one && facts_.rows > 1) {
    return ExecutionFailed("Scalar sub-query has returned multiple rows");
  }
  if (resident_from_ > 0) {
    // A worker may have kept rows of a partition that another was just moving out.
    PartitionWriter writer(plan_->build.spilled_types, &own_, 0);
    build_->BeginRound();
    TL_TRY(Evict(&writer));
    std::vector<SpilledRows> parts = TL_TRY(writer.Finish());
    AddParts(&build_parts_, std::move(parts));
  }
  TL_TRY(build_->Finish());
  own_.stats.SetNote(fmt::format("kept {} side, {} rows", plan_->build.is_left ? "left" : "right", facts_.rows.load()));
  return OkStatus();
}

// ---- the other side -------------------------------------------------------------------------------

// A probe that hands over, at its end, what it wrote.
class ProbeConsumer final : public Consumer {
 public:
  ProbeConsumer(HashJoin* join, Consumer* next)
      : join_(join),
        probe_(join->plan_.get(), join->build_.get(), &join->facts_,
               ProbeOptions{.resident_from = join->resident_from_.load()}, next) {}
  Status Prepare() { return probe_.Prepare(); }
  Status Push(const Batch& batch, const Selection& rows) override { return probe_.Push(batch, rows); }
  bool pending() const override { return probe_.pending(); }
  Status Continue() override { return probe_.Continue(); }
  Status Finish() override {
    std::vector<SpilledRows> parts = TL_TRY(probe_.TakeSpilled());
    join_->AddParts(&join_->probe_parts_, std::move(parts));
    return probe_.Finish();
  }

 private:
  HashJoin* const join_;
  JoinProbe probe_;
};

Result<std::unique_ptr<Consumer>> HashJoin::NewProbe(Consumer* next) {
  auto consumer = std::make_unique<ProbeConsumer>(this, next);
  TL_TRY(consumer->Prepare());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

// ---- kept rows without a partner ------------------------------------------------------------------

class UnmatchedReader final : public SourceReader {
 public:
  explicit UnmatchedReader(const BuildSide* build) : build_(build) {}
  Result<bool> Next(Batch* batch) override { return build_->NextUnmatched(&at_, batch); }

 private:
  const BuildSide* const build_;
  std::size_t at_ = 0;
};

class UnmatchedSource final : public Source {
 public:
  /// The planner's pipelines own `join` as a sink for as long.
  explicit UnmatchedSource(const HashJoin* join) : join_(join) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override {
    return std::unique_ptr<SourceReader>(std::make_unique<UnmatchedReader>(join_->build_.get()));
  }
  double EstimatedRows() const override { return static_cast<double>(join_->build_->row_count()); }

 private:
  const HashJoin* const join_;
};

std::shared_ptr<Source> HashJoin::Unmatched() {
  if (!plan_->preserves_build) return nullptr;
  return std::make_shared<UnmatchedSource>(this);
}

// ---- what is on disk ------------------------------------------------------------------------------

class SpilledSource final : public Source {
 public:
  /// The planner's pipelines own `join` as a sink for as long.
  explicit SpilledSource(HashJoin* join) : join_(join) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override { return join_->ReadSpilled(&progress_); }
  double EstimatedRows() const override { return static_cast<double>(join_->facts_.rows.load()); }
  bool empty() const override { return !join_->anything_spilled(); }
  double progress() const override { return progress_.load(); }

 private:
  HashJoin* const join_;
  std::atomic<double> progress_{0};
};

std::shared_ptr<Source> HashJoin::Spilled() {
  if (own_.spill == nullptr) return nullptr;
  return std::make_shared<SpilledSource>(this);
}

Result<std::unique_ptr<SourceReader>> HashJoin::ReadSpilled(std::atomic<double>* progress) {
  // What stayed in memory has met every row by now.
  build_ = std::make_unique<BuildSide>(plan_.get());
  SpilledJoin join;
  join.plan = plan_.get();
  join.swapped = swapped_.get();
  join.facts = &facts_;
  for (std::size_t p = 0; p < kPartitions; ++p) {
    join.pairs.push_back({std::move(build_parts_[p]), std::move(probe_parts_[p])});
  }
  return NewSpilledJoinReader(std::move(join), progress);
}

}  // namespace

bool JoinBreaker::ShouldBuildLeft(const sql::JoinNode& node, double left, double right) {
  switch (node.spec().kind) {
    case JoinKind::kInner:
    case JoinKind::kFull:
      return left < right;
    case JoinKind::kLeft:
      return left * kPreservedBuildFactor < right;
    case JoinKind::kRight:
      return left < right * kPreservedBuildFactor;
    case JoinKind::kSingle:
    case JoinKind::kMark:
      return false;
  }
  return false;
}

Result<std::shared_ptr<JoinBreaker>> JoinBreaker::Make(const sql::JoinNode& node, bool build_left,
                                                       OperatorContext* own) {
  std::shared_ptr<const JoinPlan> plan = TL_TRY(JoinPlan::Make(node, build_left, own));
  std::shared_ptr<const JoinPlan> swapped;
  if (own->spill != nullptr && node.spec().kind == JoinKind::kInner) {
    swapped = TL_TRY(JoinPlan::Make(node, !build_left, own));
  }
  return std::shared_ptr<JoinBreaker>(std::make_shared<HashJoin>(std::move(plan), std::move(swapped)));
}

}  // namespace tideline::exec
