#include "exec/operators/shared.h"

#include "base/mutex.h"
#include "exec/spill/batch_codec.h"
#include "exec/spill/spilled_rows.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

class KeptRows final : public SharedBreaker, public std::enable_shared_from_this<KeptRows> {
 public:
  KeptRows(std::vector<Type> types, OperatorContext* own)
      : types_(std::move(types)),
        own_(*own),
        on_disk_(own->spill_eagerly && own->spill != nullptr),
        memory_(&own->memory) {}

  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  std::shared_ptr<Source> NewSource() override;

  Status Finish() override {
    own_.stats.SetNote(fmt::format("kept {} rows for all readers", row_count()));
    return OkStatus();
  }

  /// Whether rows go to disk from now on; it stays so.
  bool on_disk() const { return on_disk_.load(); }

  Status Keep(Batch batch, std::size_t bytes) {
    const MutexLock lock(mutex_);
    TL_TRY(memory_.Grow(bytes));
    kept_rows_ += batch.row_count;
    batches_.push_back(std::move(batch));
    return OkStatus();
  }
  bool MemoryIsShort() const {
    // A quarter stays free for the frames at hand.
    return own_.MemoryIsShort(own_.memory.used_bytes(), own_.share_bytes / 4 * 3);
  }
  /// What is kept, for the caller to write, who then says how much memory is free again; empty for all
  /// callers but the first.
  std::vector<Batch> TakeAll(std::size_t* bytes) {
    std::vector<Batch> taken;
    const MutexLock lock(mutex_);
    if (on_disk_.exchange(true)) return taken;
    own_.stats.Adapt("keeps shared rows on disk",
                     fmt::format("{} rows in {} bytes, its share of the memory is {}", kept_rows_, memory_.bytes(),
                                 own_.share_bytes));
    taken.swap(batches_);
    kept_rows_ = 0;
    *bytes = memory_.bytes();
    return taken;
  }
  void Release(std::size_t bytes) {
    const MutexLock lock(mutex_);
    // Less than what is held is always granted.
    static_cast<void>(memory_.Resize(memory_.bytes() - bytes));
  }
  void AddSpilled(SpilledRows rows) {
    const MutexLock lock(mutex_);
    spilled_.Adopt(std::move(rows));
  }

  const std::vector<Type>& types() const { return types_; }
  OperatorContext* own() const { return &own_; }

  // After Finish, read only.
  const SpilledRows& spilled() const TL_NO_THREAD_SAFETY_ANALYSIS { return spilled_; }
  const std::vector<Batch>& batches() const TL_NO_THREAD_SAFETY_ANALYSIS { return batches_; }
  std::size_t piece_count() const { return spilled().frames.size() + batches().size(); }
  std::uint64_t row_count() const TL_NO_THREAD_SAFETY_ANALYSIS { return kept_rows_ + spilled_.rows; }

 private:
  const std::vector<Type> types_;
  OperatorContext& own_;
  std::atomic<bool> on_disk_;
  Mutex mutex_;
  std::vector<Batch> batches_ TL_GUARDED_BY(mutex_);
  std::uint64_t kept_rows_ TL_GUARDED_BY(mutex_) = 0;  // of batches_
  SpilledRows spilled_ TL_GUARDED_BY(mutex_);          // before batches_
  MemoryReservation memory_ TL_GUARDED_BY(mutex_);
};

class KeepConsumer final : public Consumer {
 public:
  explicit KeepConsumer(KeptRows* kept)
      : kept_(kept),
        writer_(kept->types(), kept->own()),
        buffer_(&kept->types(), kept->own()->SpillFrameBytes()),
        buffer_memory_(&kept->own()->memory) {}

  Status Push(const Batch& batch, const Selection& rows) override {
    std::vector<std::uint32_t> list;
    list.reserve(rows.size());
    rows.ForEach([&](std::uint32_t row) { list.push_back(row); });
    if (kept_->on_disk()) return Write(batch, list);
    Batch out;
    out.row_count = rows.size();
    std::size_t bytes = 0;
    for (const Vector& column : batch.columns) {
      out.columns.push_back(KeepRows(column, list));
      bytes += KeptBytes(out.columns.back());
    }
    const Status kept = kept_->Keep(std::move(out), bytes);
    if (kept.ok() && !kept_->MemoryIsShort()) return OkStatus();
    if (!kept.ok() && kept_->own()->spill == nullptr) return kept;
    TL_TRY(MoveOut());
    return kept.ok() ? OkStatus() : Write(batch, list);
  }

  Status Finish() override {
    TL_TRY(Flush());
    if (spilled_.rows > 0) kept_->AddSpilled(std::move(spilled_));
    return OkStatus();
  }

 private:
  // Whatever all workers have kept, unless another is at it.
  Status MoveOut() {
    std::size_t bytes = 0;
    std::vector<Batch> batches = kept_->TakeAll(&bytes);
    for (Batch& batch : batches) {
      TL_TRY(kept_->own()->eval.CheckStillWanted());
      TL_TRY(Write(batch, Iota().first(batch.row_count)));
      batch = Batch();
    }
    batches.clear();
    kept_->Release(bytes);
    return OkStatus();
  }

  Status Write(const Batch& batch, std::span<const std::uint32_t> rows) {
    while (!rows.empty()) {
      rows = rows.subspan(buffer_.Append(batch, rows));
      if (buffer_.full()) TL_TRY(Flush());
    }
    if (!buffer_memory_.Resize(buffer_.bytes()).ok()) TL_TRY(Flush());
    return OkStatus();
  }

  Status Flush() {
    if (buffer_.row_count() > 0) TL_TRY(writer_.Write(buffer_.batch(), &spilled_));
    buffer_.Clear();
    buffer_memory_.Clear();
    return OkStatus();
  }

  KeptRows* const kept_;
  RowWriter writer_;
  RowBuffer buffer_;
  SpilledRows spilled_;
  MemoryReservation buffer_memory_;
};

Result<std::unique_ptr<Consumer>> KeptRows::NewConsumer() {
  return std::unique_ptr<Consumer>(std::make_unique<KeepConsumer>(this));
}

class KeptSource final : public Source {
 public:
  explicit KeptSource(std::shared_ptr<const KeptRows> kept) : kept_(std::move(kept)) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  std::size_t workers_max() const override { return std::max<std::size_t>(kept_->piece_count(), 1); }
  double EstimatedRows() const override { return static_cast<double>(kept_->row_count()); }
  double progress() const override {
    const std::size_t count = kept_->piece_count();
    return count == 0 ? 1 : std::min(1.0, static_cast<double>(next_.load()) / static_cast<double>(count));
  }

  const std::shared_ptr<const KeptRows> kept_;
  std::atomic<std::size_t> next_{0};
};

class KeptReader final : public SourceReader {
 public:
  explicit KeptReader(KeptSource* source) : source_(source) {}
  Result<bool> Next(Batch* batch) override {
    const KeptRows& kept = *source_->kept_;
    const std::size_t index = source_->next_.fetch_add(1);
    if (index >= kept.piece_count()) return false;
    const std::vector<SpilledRows::Frame>& frames = kept.spilled().frames;
    if (index >= frames.size()) {
      *batch = kept.batches()[index - frames.size()];
      return true;
    }
    std::shared_ptr<const Bytes> bytes = TL_TRY(frames[index].file->Read(frames[index].index));
    *batch = TL_TRY(DecodeBatch(std::move(bytes), kept.types()));
    return true;
  }

 private:
  KeptSource* const source_;
};

Result<std::unique_ptr<SourceReader>> KeptSource::NewReader() {
  return std::unique_ptr<SourceReader>(std::make_unique<KeptReader>(this));
}

std::shared_ptr<Source> KeptRows::NewSource() { return std::make_shared<KeptSource>(shared_from_this()); }

}  // namespace

std::shared_ptr<SharedBreaker> SharedBreaker::Make(std::vector<Type> types, OperatorContext* own) {
  return std::make_shared<KeptRows>(std::move(types), own);
}

}  // namespace tideline::exec
