// exec/result_sink.h: where the last pipeline of a query ends: rows that wait for their reader.
//
// At first a few batches wait in memory and workers pause beyond that, so that a result of one page is
// never written anywhere. Once the query is told to run on by itself (Spool), a few megabytes wait in
// memory and the rest on disk, up to a limit of the query and one of the process; at either limit
// workers pause until the reader has come by.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/memory_budget.h"
#include "base/mutex.h"
#include "exec/operators/operator.h"
#include "exec/spill/spill_space.h"

namespace tideline::exec {

/// Bytes of all results that wait on disk, against a limit. Thread-safe; outlives the queries.
struct ResultSpoolLimit {
  std::uint64_t bytes_max = std::uint64_t{16} << 30;
  std::atomic<std::uint64_t> used{0};
};

struct ResultSinkOptions {
  std::vector<Type> types;               ///< of the rows
  MemoryBudget* memory = nullptr;        ///< required
  SpillQuota* spill = nullptr;           ///< null: nothing goes to disk
  ResultSpoolLimit* all = nullptr;       ///< null: no limit of the process
  std::uint64_t spool_bytes_max = 0;     ///< of this query
};

/// Thread-safe. Everything in the options outlives the sink.
class ResultSink final : public Sink {
 public:
  /// Batches in memory at which workers pause, before Spool.
  static constexpr std::size_t kBatchesMax = 16;
  /// Bytes in memory after Spool, and part of the query's memory that waiting rows may take at most,
  /// before it as well.
  static constexpr std::size_t kSpoolMemoryBytes = std::size_t{2} << 20;
  static constexpr std::size_t kMemoryPart = 8;

  explicit ResultSink(ResultSinkOptions options);
  ~ResultSink() override;

  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  bool Full() const override;
  /// The next rows, in the order in which they were added; false when none wait.
  Result<bool> Take(Batch* batch);
  /// Rows may go to disk from now on.
  void Spool() { spooling_ = options_.spill != nullptr; }
  std::uint64_t rows() const { return rows_.load(std::memory_order_relaxed); }
  std::uint64_t spooled_bytes() const { return spooled_bytes_.load(std::memory_order_relaxed); }

 private:
  friend class ResultConsumer;
  struct Item {
    Batch batch;                      // unless on disk
    std::size_t memory_bytes = 0;
    std::shared_ptr<SpillFile> file;  // of the worker that wrote it
    std::uint32_t frame = 0;
    std::uint64_t frame_bytes = 0;
  };
  void Add(Item item, std::size_t row_count);
  void Release(const Item& item);

  const ResultSinkOptions options_;
  const std::size_t memory_bytes_max_;
  std::atomic<bool> spooling_{false};
  std::atomic<bool> disk_refused_{false};  // until the reader has made room
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::size_t> memory_bytes_{0};
  std::atomic<std::uint64_t> disk_bytes_{0};
  std::atomic<std::uint64_t> spooled_bytes_{0};  // ever
  std::atomic<std::uint64_t> rows_{0};
  mutable Mutex mutex_;
  std::deque<Item> items_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::exec
