// base/time.h: the one clock and the types of time.
//
// `Clock` has a wall side (records, retention, now()) and a steady side (deadlines, delays); a test
// owns both through ManualClock. Nothing else in src/ reads the time.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <string>

namespace tideline {

inline constexpr std::int64_t kNsPerUs = 1'000;
inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNsPerMinute = 60 * kNsPerSecond;
inline constexpr std::int64_t kNsPerHour = 60 * kNsPerMinute;
inline constexpr std::int64_t kNsPerDay = 24 * kNsPerHour;

/// Nanoseconds since 1970-01-01 00:00:00 UTC; any int64 value.
struct TimestampNs {
  std::int64_t value = 0;
  auto operator<=>(const TimestampNs&) const = default;
};

/// Nanoseconds on a clock that never steps back and has no meaning outside this process.
struct SteadyNs {
  std::int64_t value = 0;
  auto operator<=>(const SteadyNs&) const = default;
};

/// Thread-safe. Outlives everything that is given a reference to it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimestampNs WallNow() const = 0;
  virtual SteadyNs SteadyNow() const = 0;
};

/// The machine's clocks (CLOCK_REALTIME, CLOCK_MONOTONIC). Lives as long as the process.
const Clock& SystemClock();

/// Stands still until moved. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimestampNs start) : wall_(start.value), steady_(0) {}
  TimestampNs WallNow() const override { return {wall_.load()}; }
  SteadyNs SteadyNow() const override { return {steady_.load()}; }
  /// Moves both sides; `ns` may not be negative (checked).
  void Advance(std::int64_t ns);
  /// Moves the wall side alone, as an operator or NTP step would.
  void SetWall(TimestampNs now) { wall_.store(now.value); }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> steady_;
};

/// "2024-01-01T10:07:00.123Z": ISO 8601, UTC, `fraction_digits` of 0, 3, 6 or 9 (truncated).
std::string FormatIso8601(TimestampNs time, int fraction_digits);

}  // namespace tideline
