#include "storage/engine/lane.h"

#include "base/check.h"
#include "base/log.h"

namespace tideline::engine {

void Lane::Start(std::unique_ptr<wal::WalWriter> writer, SequenceNumber published) {
  writer_ = std::move(writer);
  published_.store(published.value, std::memory_order_release);
}

SequenceNumber Lane::LastNumber() {
  MutexLock lock(mutex_);
  return writer_->last_number();
}

void Lane::Publish(SequenceNumber through) {
  std::uint64_t now = published_.load(std::memory_order_relaxed);
  while (now < through.value &&
         !published_.compare_exchange_weak(now, through.value, std::memory_order_release)) {
  }
}

void Lane::AppendNumbered(wal::WalReservation& reservation, OutcomeType type, BytesView payload,
                          wal::WalCompletion* completion, SequenceNumber expected) {
  const SequenceNumber number =
      writer_->Append(reservation, static_cast<std::uint16_t>(type), payload, completion);
  TL_CHECK(number == expected);
}

void Lane::OnWalFailed(const Status& status) {
  TL_LOG_ERROR("the log has failed, nothing more can be acknowledged: {}", MessageOf(status));
  if (on_fatal_) on_fatal_(status);
}

}  // namespace tideline::engine
