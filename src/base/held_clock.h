// base/held_clock.h: the machine's clock until someone takes hold of it (`--test-clock`).
//
// For whole servers under test: retention, tiering, the window of ingestion and now() follow the wall side, so
// that years pass in milliseconds. The steady side never stands still, because deadlines and delays of a live
// process hang on it; advancing moves it along.
#pragma once

#include <cstdint>

#include <string_view>

#include "base/mutex.h"
#include "base/status.h"
#include "base/time.h"

namespace tideline {

/// Thread-safe.
class HeldClock final : public Clock {
 public:
  explicit HeldClock(const Clock& machine = SystemClock()) : machine_(machine) {}
  TimestampNs WallNow() const override;
  SteadyNs SteadyNow() const override;
  bool held() const;

  /// Stops the wall side at `now`. The steady side does not move: this is what a step by an operator or by NTP
  /// looks like.
  void Set(TimestampNs now);
  /// Moves both sides by `ns` >= 0 (checked); a wall side that ran stops where it then stands. False, and nothing moves,
  /// when the time would leave the range of TimestampNs.
  bool Advance(std::int64_t ns);
  /// Lets the wall side go on from where it stands.
  void Run();

 private:
  TimestampNs WallLocked() const TL_REQUIRES(mutex_);

  const Clock& machine_;
  mutable Mutex mutex_;
  bool held_ TL_GUARDED_BY(mutex_) = false;
  std::int64_t wall_ns_ TL_GUARDED_BY(mutex_) = 0;         ///< while held
  std::int64_t wall_offset_ns_ TL_GUARDED_BY(mutex_) = 0;  ///< while it runs
  std::int64_t steady_offset_ns_ TL_GUARDED_BY(mutex_) = 0;
};

/// "2024-01-01T10:07:00.5Z" (fraction of up to nine digits, optional; only UTC). kInvalidArgument.
Result<TimestampNs> ParseIso8601(std::string_view text);
/// "90s", "36h", "10d", "250ms": a whole number and ms, s, m, h or d. kInvalidArgument, also when too large.
Result<std::int64_t> ParseDuration(std::string_view text);

}  // namespace tideline
