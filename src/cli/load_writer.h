// cli/load_writer.h: hands batches of rows to a sink on a thread of its own, while the next ones are read.
//
// There is a fixed number of batches. Whoever reads the file takes an empty one, fills it and puts it back; with all
// of them under way, taking one waits. So reader and sink work side by side and neither runs away.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "cli/load_batch.h"
#include "cli/load_sink.h"

namespace tideline::cli {

/// One thread calls it.
class LoadWriter {
 public:
  /// `file` is what errors call it. `sink` has been prepared and outlives the writer, which alone uses it until Finish.
  LoadWriter(LoadSink& sink, std::string file);
  ~LoadWriter();

  /// An empty batch; waits for one. An error when writing has failed: then nothing is written any more, and Finish says
  /// why.
  Result<std::unique_ptr<LoadBatch>> Take();
  /// Writes the rows of `batch` after all that were put before.
  void Put(std::unique_ptr<LoadBatch> batch);
  /// Waits until all rows put are written. The error is that of the earliest row that could not be, with the line where
  /// it is known; rows before it are stored. All answers have been taken. Idempotent.
  Status Finish();

  /// After Finish.
  std::size_t written() const { return written_; }
  std::size_t rejected() const { return rejected_; }

 private:
  /// Rows of a batch that were sent and not answered yet.
  struct Sent {
    std::shared_ptr<LoadBatch> batch;
    std::size_t first, count;
  };
  void Run();
  Status Write(std::unique_ptr<LoadBatch> batch);
  /// Sends `records`, which begin with row `first` of `batch`. Of records that are refused as a whole for one of them,
  /// those before it are sent.
  Status Send(const std::shared_ptr<LoadBatch>& batch, std::span<const api::RecordInput> records, std::size_t first);
  /// Takes the answer that is due first; an error is kept in answered_.
  void ReceiveOne();

  LoadSink& sink_;
  const std::string file_;

  Mutex mutex_;
  CondVar changed_;
  std::vector<std::unique_ptr<LoadBatch>> empty_ TL_GUARDED_BY(mutex_);
  std::deque<std::unique_ptr<LoadBatch>> full_ TL_GUARDED_BY(mutex_);
  bool finishing_ TL_GUARDED_BY(mutex_) = false;
  Status status_ TL_GUARDED_BY(mutex_);

  // Of the writing thread.
  std::deque<Sent> sent_;
  Status answered_;  // the first error of an answer
  std::size_t written_ = 0;
  std::size_t rejected_ = 0;

  std::unique_ptr<ThreadPool> thread_;
};

}  // namespace tideline::cli
