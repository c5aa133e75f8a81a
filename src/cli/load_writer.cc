#include "cli/load_writer.h"

#include <algorithm>

#include "base/check.h"

namespace tideline::cli {
namespace {

/// Batches besides those that were sent: one being filled, some that wait.
constexpr std::size_t kBatchesBesides = 3;

}  // namespace

LoadWriter::LoadWriter(LoadSink& sink, std::string file) : sink_(sink), file_(std::move(file)) {
  for (std::size_t i = 0; i < sink_.sent_max() + kBatchesBesides; ++i) {
    empty_.push_back(std::make_unique<LoadBatch>(sink_.records_max()));
  }
  thread_ = std::make_unique<ThreadPool>(ThreadPoolOptions{.name = "load-writer", .thread_count = 1});
  const Status started = thread_->Submit([this] { Run(); });
  TL_CHECK(started.ok());
}

LoadWriter::~LoadWriter() { Finish().IgnoreError(); }

Result<std::unique_ptr<LoadBatch>> LoadWriter::Take() {
  const MutexLock lock(mutex_);
  while (empty_.empty() && status_.ok()) changed_.Wait(mutex_);
  TL_TRY(status_);
  std::unique_ptr<LoadBatch> batch = std::move(empty_.back());
  empty_.pop_back();
  return batch;
}

void LoadWriter::Put(std::unique_ptr<LoadBatch> batch) {
  const MutexLock lock(mutex_);
  full_.push_back(std::move(batch));
  changed_.NotifyAll();
}

Status LoadWriter::Finish() {
  {
    const MutexLock lock(mutex_);
    finishing_ = true;
    changed_.NotifyAll();
  }
  thread_->Stop();
  const MutexLock lock(mutex_);
  return status_;
}

void LoadWriter::Run() {
  Status sent = OkStatus();
  while (sent.ok()) {
    std::unique_ptr<LoadBatch> batch;
    {
      const MutexLock lock(mutex_);
      while (full_.empty() && !finishing_) changed_.Wait(mutex_);
      if (full_.empty()) break;
      batch = std::move(full_.front());
      full_.pop_front();
    }
    sent = Write(std::move(batch));
  }
  // What was sent before an error is stored all the same, and counts.
  while (!sent_.empty()) ReceiveOne();
  const MutexLock lock(mutex_);
  // Of rows that are answered those come first that were sent first, and all before those that were not sent.
  status_ = answered_.ok() ? sent : answered_;
  changed_.NotifyAll();
}

Status LoadWriter::Write(std::unique_ptr<LoadBatch> batch) {
  // The batch comes back when the last of its rows is answered.
  const std::shared_ptr<LoadBatch> shared(batch.release(), [this](LoadBatch* answered) {
    answered->Clear();
    const MutexLock lock(mutex_);
    empty_.emplace_back(answered);
    changed_.NotifyAll();
  });
  return Send(shared, shared->Records(), 0);
}

Status LoadWriter::Send(const std::shared_ptr<LoadBatch>& batch, std::span<const api::RecordInput> records,
                        std::size_t first) {
  if (records.empty()) return OkStatus();
  while (sent_.size() >= sink_.sent_max()) ReceiveOne();
  TL_TRY(answered_);
  const Status status = sink_.Send(records);
  if (status.ok()) {
    sent_.push_back({batch, first, records.size()});
    return OkStatus();
  }
  if (CodeOf(status) != ErrorCode::kInvalidArgument) return Annotate(status, file_);
  if (records.size() == 1) return Annotate(status, fmt::format("{}:{}", file_, batch->line(first)));
  // One of them is wrong, and the answer does not say which.
  const std::size_t middle = records.size() / 2;
  TL_TRY(Send(batch, records.first(middle), first));
  return Send(batch, records.subspan(middle), first + middle);
}

void LoadWriter::ReceiveOne() {
  const Sent sent = std::move(sent_.front());
  sent_.pop_front();
  Result<api::WriteRecordsAnswer> answer = sink_.Receive();
  if (!answer.ok()) {
    if (answered_.ok()) answered_ = Annotate(answer.status(), file_);
    return;
  }
  for (const api::RejectedRecord& record : answer->rejected) {
    const std::size_t at = std::min<std::size_t>(record.record_index, sent.count - 1);
    fmt::print(stderr, "{}:{}: rejected: {}\n", file_, sent.batch->line(sent.first + at), record.reason);
  }
  const std::size_t count = std::min(answer->rejected.size(), sent.count);
  rejected_ += count;
  written_ += sent.count - count;
}

}  // namespace tideline::cli
