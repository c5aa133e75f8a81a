#include "base/time.h"

#include <ctime>

#include <fmt/format.h>

#include "base/check.h"

namespace tideline {
namespace {

std::int64_t Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

class MachineClock final : public Clock {
 public:
  TimestampNs WallNow() const override { return {Read(CLOCK_REALTIME)}; }
  SteadyNs SteadyNow() const override { return {Read(CLOCK_MONOTONIC)}; }
};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

void ManualClock::Advance(std::int64_t ns) {
  TL_CHECK(ns >= 0);
  wall_.fetch_add(ns);
  steady_.fetch_add(ns);
}

std::string FormatIso8601(TimestampNs time, int fraction_digits) {
  std::int64_t seconds = time.value / kNsPerSecond;
  std::int64_t fraction = time.value % kNsPerSecond;
  if (fraction < 0) {
    fraction += kNsPerSecond;
    --seconds;
  }
  const auto clock_seconds = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&clock_seconds, &parts);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (fraction_digits > 0) {
    text += '.';
    text += fmt::format("{:09}", fraction).substr(0, static_cast<std::size_t>(fraction_digits));
  }
  text += 'Z';
  return text;
}

}  // namespace tideline
