#include "exec/result_sink.h"

#include <algorithm>

#include "exec/spill/batch_codec.h"
#include "exec/values/gather.h"

namespace tideline::exec {

// Takes the rows of one worker.
class ResultConsumer final : public Consumer {
 public:
  explicit ResultConsumer(ResultSink* sink) : sink_(sink) {}

  Status Push(const Batch& batch, const Selection& rows) override {
    ResultSink::Item item;
    item.batch.row_count = rows.size();
    std::vector<std::uint32_t> list;
    if (!rows.is_all()) rows.ForEach([&](std::uint32_t row) { list.push_back(row); });
    // Dictionaries stay: whoever prints rows prints an entry once.
    for (const Vector& column : batch.columns) {
      const PhysicalType physical = column.type().physical();
      const bool nested = physical == PhysicalType::kList || physical == PhysicalType::kRow;
      if (rows.is_all()) {
        item.batch.columns.push_back(nested ? column.Flatten() : column);
      } else {
        const bool to_flatten = nested && column.kind() != VectorKind::kFlat;
        item.batch.columns.push_back(to_flatten ? GatherRows(column, list) : KeepRows(column, list));
      }
      item.memory_bytes += KeptBytes(item.batch.columns.back());
    }
    const std::size_t row_count = rows.size();
    const bool to_disk = sink_->spooling_ &&
                         sink_->memory_bytes_ + item.memory_bytes >
                             std::min(ResultSink::kSpoolMemoryBytes, sink_->memory_bytes_max_);
    if (to_disk && Write(&item).ok()) {
      sink_->Add(std::move(item), row_count);
      return OkStatus();
    }
    if (const Status status = sink_->options_.memory->Reserve(item.memory_bytes); !status.ok()) {
      // Short of memory because of what others keep: the disk is there before it is needed.
      if (sink_->options_.spill == nullptr || to_disk || !Write(&item).ok()) return status;
    }
    sink_->Add(std::move(item), row_count);
    return OkStatus();
  }
  Status Finish() override { return OkStatus(); }

 private:
  // A disk that is full does not fail the query: its rows stay in memory, and workers pause.
  Status Write(ResultSink::Item* item) {
    const Status status = TryWrite(item);
    if (!status.ok()) sink_->disk_refused_ = true;
    return status;
  }
  Status TryWrite(ResultSink::Item* item) {
    TL_TRY(CheckFrame(item->batch));
    if (file_ == nullptr) file_ = TL_TRY(sink_->options_.spill->NewFile());
    scratch_.clear();
    EncodeBatch(item->batch, sink_->options_.types, &scratch_);
    item->frame = TL_TRY(file_->Append(scratch_));
    item->frame_bytes = scratch_.size();
    item->file = file_;
    item->batch = Batch();
    item->memory_bytes = 0;
    // A file's room comes back when all its frames are read, so files do not grow without end.
    written_ += scratch_.size();
    if (written_ >= kFileBytesMax) {
      file_.reset();
      written_ = 0;
    }
    return OkStatus();
  }

  static constexpr std::uint64_t kFileBytesMax = std::uint64_t{16} << 20;
  ResultSink* const sink_;
  std::shared_ptr<SpillFile> file_;
  std::uint64_t written_ = 0;
  Bytes scratch_;
};

ResultSink::ResultSink(ResultSinkOptions options)
    : options_(std::move(options)), memory_bytes_max_(options_.memory->bytes_max() / kMemoryPart) {}

Result<std::unique_ptr<Consumer>> ResultSink::NewConsumer() {
  return std::unique_ptr<Consumer>(std::make_unique<ResultConsumer>(this));
}

ResultSink::~ResultSink() {
  const MutexLock lock(mutex_);
  for (const Item& item : items_) Release(item);
}

bool ResultSink::Full() const {
  const std::size_t memory = memory_bytes_.load(std::memory_order_relaxed);
  if (!spooling_) {
    return waiting_.load(std::memory_order_relaxed) >= kBatchesMax || memory >= memory_bytes_max_;
  }
  // One batch that could not be written is in memory; what comes next would be, too.
  if (disk_refused_.load()) return waiting_.load() > 0;
  if (disk_bytes_.load() >= options_.spool_bytes_max) return true;
  return options_.all != nullptr && options_.all->used.load() >= options_.all->bytes_max &&
         waiting_.load() > 0;
}

void ResultSink::Add(Item item, std::size_t row_count) {
  rows_ += row_count;
  memory_bytes_ += item.memory_bytes;
  disk_bytes_ += item.frame_bytes;
  spooled_bytes_ += item.frame_bytes;
  if (options_.all != nullptr) options_.all->used += item.frame_bytes;
  const MutexLock lock(mutex_);
  items_.push_back(std::move(item));
  waiting_ = items_.size();
}

void ResultSink::Release(const Item& item) {
  options_.memory->Release(item.memory_bytes);
  memory_bytes_ -= item.memory_bytes;
  disk_bytes_ -= item.frame_bytes;
  if (options_.all != nullptr) options_.all->used -= item.frame_bytes;
}

Result<bool> ResultSink::Take(Batch* batch) {
  Item item;
  {
    const MutexLock lock(mutex_);
    if (items_.empty()) return false;
    item = std::move(items_.front());
    items_.pop_front();
    waiting_ = items_.size();
  }
  Release(item);
  disk_refused_ = false;
  if (item.file == nullptr) {
    *batch = std::move(item.batch);
    return true;
  }
  std::shared_ptr<const Bytes> bytes = TL_TRY(item.file->Read(item.frame));
  *batch = TL_TRY(DecodeBatch(std::move(bytes), options_.types));
  return true;
}

}  // namespace tideline::exec
