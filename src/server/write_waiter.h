// server/write_waiter.h: waits for one asynchronous write of this process.
#pragma once

#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"
#include "service/api/write_request.h"

namespace tideline::server {

/// Thread-safe. Lives until it is done.
class WriteWaiter {
 public:
  void Done(Result<api::WriteRecordsAnswer> answer) {
    const MutexLock lock(mutex_);
    answer_ = std::move(answer);
    changed_.NotifyAll();
  }
  /// Why the write failed, as far as that is known by now.
  Status failure() {
    const MutexLock lock(mutex_);
    return answer_.has_value() ? answer_->status() : OkStatus();
  }
  Result<api::WriteRecordsAnswer> Wait() {
    const MutexLock lock(mutex_);
    while (!answer_.has_value()) changed_.Wait(mutex_);
    return *std::move(answer_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::optional<Result<api::WriteRecordsAnswer>> answer_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::server
