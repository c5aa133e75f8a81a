// storage/engine/lane.h: the log as the tables see it: numbers in order, and what is published.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "base/sequence_number.h"
#include "storage/engine/outcome.h"
#include "storage/wal/wal_writer.h"

namespace tideline::engine {

/// One lane: a log and the number through which its outcomes are visible. Thread-safe.
class Lane final : public wal::WalListener {
 public:
  explicit Lane(std::function<void(const Status&)> on_fatal) : on_fatal_(std::move(on_fatal)) {}

  /// Called once, before anything else.
  void Start(std::unique_ptr<wal::WalWriter> writer, SequenceNumber published);
  bool started() const { return writer_ != nullptr; }
  wal::WalWriter& wal() const { return *writer_; }

  /// Appends one record. `place(number)` runs before the record is in the log, under the lane's lock, so that what
  /// it stages carries its number before the commit thread can publish it. It must be short.
  template <typename Place>
  SequenceNumber Append(wal::WalReservation& reservation, OutcomeType type, BytesView payload,
                        wal::WalCompletion* completion, Place&& place) TL_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const SequenceNumber number{writer_->last_number().value + 1};
    place(number);
    AppendNumbered(reservation, type, payload, completion, number);
    return number;
  }
  /// The last number given out; everything below it is staged.
  SequenceNumber LastNumber() TL_EXCLUDES(mutex_);

  /// Snapshots see outcomes through this number.
  std::uint64_t published() const { return published_.load(std::memory_order_acquire); }
  /// Runs before completions of records through `through`.
  void Publish(SequenceNumber through);

  void OnGroupDurable(SequenceNumber through) override { Publish(through); }
  void OnWalFailed(const Status& status) override;

 private:
  void AppendNumbered(wal::WalReservation& reservation, OutcomeType type, BytesView payload,
                      wal::WalCompletion* completion, SequenceNumber expected);

  const std::function<void(const Status&)> on_fatal_;
  Mutex mutex_;
  std::unique_ptr<wal::WalWriter> writer_;
  std::atomic<std::uint64_t> published_{0};
};

}  // namespace tideline::engine
