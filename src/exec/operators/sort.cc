#include "exec/operators/sort.h"

#include <algorithm>

#include "base/mutex.h"
#include "exec/operators/run_merger.h"

namespace tideline::exec {
namespace {

// Runs that one merge takes at most, and at least; between them as many as the memory for one frame of
// each allows.
constexpr std::size_t kMergeRunsMax = 256;
constexpr std::size_t kMergeRunsMin = 4;
// A frame in memory, its keys beside it, against its size on disk.
constexpr std::size_t kFrameExpansion = 4;

class RowBreaker final : public SortBreaker {
 public:
  RowBreaker(SortSpec spec, OperatorContext* own) : spec_(std::move(spec)), own_(own), all_(&spec_, own) {}

  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  Status Finish() override;
  double EstimatedRows() const override { return static_cast<double>(row_count()); }
  double progress() const override {
    return static_cast<double>(next_) / static_cast<double>(std::max<std::size_t>(row_count(), 1));
  }

  Status Merge(SortedRows& rows) {
    const MutexLock lock(mutex_);
    return all_.Merge(rows);
  }
  void AddRun(SpilledRows run) {
    const MutexLock lock(mutex_);
    spilled_rows_ += run.rows;
    runs_.push_back(std::move(run));
  }

  const SortSpec spec_;
  OperatorContext* const own_;
  SortedRows all_;                // merged into under mutex_, read after
  std::vector<SpilledRows> runs_;  // the same
  std::atomic<std::size_t> next_{0};

 private:
  std::size_t row_count() const { return all_.size() + spilled_rows_.load(); }
  Status MergeRound(std::size_t runs_max);
  Result<SpilledRows> MergeRuns(std::span<const SpilledRows> runs);

  Mutex mutex_;
  std::atomic<std::size_t> spilled_rows_{0};
};

class SortConsumer final : public Consumer {
 public:
  explicit SortConsumer(RowBreaker* breaker)
      : breaker_(breaker),
        rows_(&breaker->spec_, breaker->own_),
        writer_(breaker->spec_.types, breaker->own_) {}
  Status Push(const Batch& batch, const Selection& rows) override {
    TL_TRY(rows_.Add(batch, rows));
    OperatorContext& own = *breaker_->own_;
    if (!own.MemoryIsShort(own.memory.used_bytes(), own.share_bytes) || rows_.size() == 0) return OkStatus();
    own.stats.Adapt("sorts on disk", fmt::format("{} bytes of rows, its share of the memory is {}",
                                                 own.memory.used_bytes(), own.share_bytes));
    SpilledRows run;
    TL_TRY(rows_.Spill(&writer_, &run));
    if (run.rows > 0) breaker_->AddRun(std::move(run));
    return OkStatus();
  }
  Status Finish() override {
    TL_TRY(rows_.Sort());
    return breaker_->Merge(rows_);
  }

 private:
  RowBreaker* const breaker_;
  SortedRows rows_;
  RowWriter writer_;
};

RunMerger::Load FromDisk(const SpilledRows* run, const std::vector<Type>* types) {
  return [reader = std::make_shared<SpilledRowsReader>(run, types)](Batch* batch) {
    return reader->Next(batch);
  };
}

RunMerger::Load FromMemory(const SortedRows* rows) {
  return [rows, next = std::size_t{0}](Batch* batch) mutable -> Result<bool> {
    if (next == rows->size()) return false;
    const std::size_t count = std::min(kBatchRowsMax, rows->size() - next);
    rows->Emit(next, count, batch);
    next += count;
    return true;
  };
}

// Runs become fewer until the memory for one frame of each is there. Neighbours are merged, and the
// result takes their place, so that equal keys stay in the order in which they came.
Status RowBreaker::Finish() {
  const std::size_t frame = kFrameExpansion * own_->SpillFrameBytes();
  const std::size_t runs_max = std::clamp(own_->share_bytes / 4 / frame, kMergeRunsMin, kMergeRunsMax);
  while (runs_.size() > runs_max) TL_TRY(MergeRound(runs_max));
  if (!runs_.empty()) own_->stats.SetNote(fmt::format("merged {} runs from disk", runs_.size()));
  return OkStatus();
}

// One round, in which a row is written once more at most: a run that has grown is not taken up again before all
// others have. The last round merges no more than is needed.
Status RowBreaker::MergeRound(std::size_t runs_max) {
  std::size_t too_many = runs_.size() - runs_max;
  std::vector<SpilledRows> merged;
  for (std::size_t first = 0; first < runs_.size();) {
    const std::size_t count = std::min({runs_max, runs_.size() - first, too_many + 1});
    const std::span<SpilledRows> neighbours = std::span(runs_).subspan(first, count);
    if (count == 1) {
      merged.push_back(std::move(neighbours[0]));
    } else {
      SpilledRows one = TL_TRY(MergeRuns(neighbours));
      merged.push_back(std::move(one));
      for (SpilledRows& run : neighbours) run = SpilledRows();  // their room on the disk
    }
    too_many -= count - 1;
    first += count;
  }
  runs_ = std::move(merged);
  return OkStatus();
}

Result<SpilledRows> RowBreaker::MergeRuns(std::span<const SpilledRows> runs) {
  SortSpec whole = spec_;  // the limit is applied at the end, to all
  whole.count.reset();
  whole.offset = 0;
  RunMerger merger(&whole, &own_->eval);
  for (const SpilledRows& run : runs) merger.AddRun(FromDisk(&run, &spec_.types));
  const std::uint64_t rows = std::max<std::uint64_t>(1, runs[0].rows);
  const std::size_t step = std::clamp<std::size_t>(rows / std::max<std::size_t>(1, runs[0].frames.size()), 1,
                                                   kBatchRowsMax);
  RowWriter writer(spec_.types, own_);
  SpilledRows merged;
  Batch batch;
  while (TL_TRY(merger.Next(step, &batch))) TL_TRY(writer.Write(batch, &merged));
  return merged;
}

// Rows that never left memory.
class SortReader final : public SourceReader {
 public:
  explicit SortReader(RowBreaker* breaker) : breaker_(breaker) {}
  Result<bool> Next(Batch* batch) override {
    const std::size_t offset = static_cast<std::size_t>(
        std::min<std::int64_t>(breaker_->spec_.offset, static_cast<std::int64_t>(breaker_->all_.size())));
    const std::size_t first = std::max(offset, breaker_->next_.load());
    const std::size_t end = End(offset);
    if (first >= end) return false;
    const std::size_t count = std::min(kBatchRowsMax, end - first);
    breaker_->all_.Emit(first, count, batch);
    breaker_->next_ = first + count;
    return true;
  }

 private:
  // A limit too large for pruning is applied here.
  std::size_t End(std::size_t offset) const {
    const std::size_t size = breaker_->all_.size();
    const SortSpec& spec = breaker_->spec_;
    if (!spec.count.has_value() || spec.with_ties) return size;
    return *spec.count >= static_cast<std::int64_t>(size - offset)
               ? size
               : offset + static_cast<std::size_t>(*spec.count);
  }

  RowBreaker* const breaker_;
};

class MergeReader final : public SourceReader {
 public:
  explicit MergeReader(RowBreaker* breaker)
      : breaker_(breaker), merger_(&breaker->spec_, &breaker->own_->eval), memory_(&breaker->own_->memory) {
    for (const SpilledRows& run : breaker->runs_) merger_.AddRun(FromDisk(&run, &breaker->spec_.types));
    if (breaker->all_.size() > 0) merger_.AddRun(FromMemory(&breaker->all_));
  }
  Status Charge() {
    return memory_.Resize(kFrameExpansion * breaker_->own_->SpillFrameBytes() * breaker_->runs_.size());
  }
  Result<bool> Next(Batch* batch) override {
    const bool more = TL_TRY(merger_.Next(kBatchRowsMax, batch));
    if (more) breaker_->next_ += batch->row_count;
    return more;
  }

 private:
  RowBreaker* const breaker_;
  RunMerger merger_;
  MemoryReservation memory_;
};

Result<std::unique_ptr<Consumer>> RowBreaker::NewConsumer() {
  return std::unique_ptr<Consumer>(std::make_unique<SortConsumer>(this));
}

Result<std::unique_ptr<SourceReader>> RowBreaker::NewReader() {
  if (runs_.empty()) return std::unique_ptr<SourceReader>(std::make_unique<SortReader>(this));
  auto reader = std::make_unique<MergeReader>(this);
  TL_TRY(reader->Charge());
  return std::unique_ptr<SourceReader>(std::move(reader));
}

}  // namespace

std::shared_ptr<SortBreaker> SortBreaker::Make(SortSpec spec, OperatorContext* own) {
  return std::make_shared<RowBreaker>(std::move(spec), own);
}

}  // namespace tideline::exec
