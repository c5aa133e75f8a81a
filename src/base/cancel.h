// base/cancel.h: how a long piece of work learns that it should stop.
#pragma once

#include <atomic>
#include <memory>

#include "base/status.h"
#include "base/time.h"

namespace tideline {

/// A shared flag. Copies share it; Cancel from any thread. Checked per morsel and per wait.
class CancelToken {
 public:
  CancelToken() : cancelled_(std::make_shared<std::atomic<bool>>(false)) {}
  void Cancel() const { cancelled_->store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

/// A point on the steady clock.
struct Deadline {
  SteadyNs at{INT64_MAX};
  static Deadline Never() { return {}; }
  static Deadline After(const Clock& clock, std::int64_t ns) {
    return {{clock.SteadyNow().value + ns}};
  }
  bool Passed(const Clock& clock) const { return clock.SteadyNow() >= at; }
};

/// kCancelled, kDeadlineExceeded or OK.
inline Status CheckLive(const CancelToken& token, const Deadline& deadline, const Clock& clock) {
  if (token.cancelled()) return Cancelled("the query was cancelled");
  if (deadline.Passed(clock)) return DeadlineExceeded("the query exceeded its time limit");
  return OkStatus();
}

}  // namespace tideline
