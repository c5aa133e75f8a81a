#include "exec/operators/shared.h"

#include "base/mutex.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

class KeptRows final : public SharedBreaker, public std::enable_shared_from_this<KeptRows> {
 public:
  explicit KeptRows(OperatorContext* own) : own_(own), memory_(&own->memory) {}

  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  std::shared_ptr<Source> NewSource() override;

  Status Finish() override {
    own_->stats.SetNote(fmt::format("kept {} rows for all readers", row_count_));
    return OkStatus();
  }

  Status Keep(Batch batch, std::size_t bytes) {
    const MutexLock lock(mutex_);
    TL_TRY(memory_.Grow(bytes));
    row_count_ += batch.row_count;
    batches_.push_back(std::move(batch));
    return OkStatus();
  }

  // After Finish, read only.
  const std::vector<Batch>& batches() const { return batches_; }
  std::size_t row_count() const { return row_count_; }

 private:
  OperatorContext* const own_;
  Mutex mutex_;
  std::vector<Batch> batches_;
  std::size_t row_count_ = 0;
  MemoryReservation memory_;
};

class KeepConsumer final : public Consumer {
 public:
  explicit KeepConsumer(KeptRows* kept) : kept_(kept) {}
  Status Push(const Batch& batch, const Selection& rows) override {
    Batch out;
    out.row_count = rows.size();
    std::vector<std::uint32_t> list;
    list.reserve(rows.size());
    rows.ForEach([&](std::uint32_t row) { list.push_back(row); });
    std::size_t bytes = 0;
    for (const Vector& column : batch.columns) {
      // A dictionary stays one.
      out.columns.push_back(column.kind() == VectorKind::kFlat ? GatherRows(column, list) : column.Slice(list));
      bytes += KeptBytes(out.columns.back());
    }
    return kept_->Keep(std::move(out), bytes);
  }
  Status Finish() override { return OkStatus(); }

 private:
  KeptRows* const kept_;
};

Result<std::unique_ptr<Consumer>> KeptRows::NewConsumer() {
  return std::unique_ptr<Consumer>(std::make_unique<KeepConsumer>(this));
}

class KeptSource final : public Source {
 public:
  explicit KeptSource(std::shared_ptr<const KeptRows> kept) : kept_(std::move(kept)) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  std::size_t workers_max() const override { return std::max<std::size_t>(kept_->batches().size(), 1); }
  double EstimatedRows() const override { return static_cast<double>(kept_->row_count()); }
  double progress() const override {
    const std::size_t count = kept_->batches().size();
    return count == 0 ? 1 : std::min(1.0, static_cast<double>(next_.load()) / static_cast<double>(count));
  }

  const std::shared_ptr<const KeptRows> kept_;
  std::atomic<std::size_t> next_{0};
};

class KeptReader final : public SourceReader {
 public:
  explicit KeptReader(KeptSource* source) : source_(source) {}
  Result<bool> Next(Batch* batch) override {
    const std::size_t index = source_->next_.fetch_add(1);
    if (index >= source_->kept_->batches().size()) return false;
    *batch = source_->kept_->batches()[index];
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

std::shared_ptr<SharedBreaker> SharedBreaker::Make(OperatorContext* own) {
  return std::make_shared<KeptRows>(own);
}

}  // namespace tideline::exec
