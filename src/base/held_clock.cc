#include "base/held_clock.h"

#include <charconv>
#include <ctime>

#include "base/check.h"

namespace tideline {

TimestampNs HeldClock::WallLocked() const {
  return {held_ ? wall_ns_ : machine_.WallNow().value + wall_offset_ns_};
}

TimestampNs HeldClock::WallNow() const {
  MutexLock lock(mutex_);
  return WallLocked();
}

SteadyNs HeldClock::SteadyNow() const {
  MutexLock lock(mutex_);
  return {machine_.SteadyNow().value + steady_offset_ns_};
}

bool HeldClock::held() const {
  MutexLock lock(mutex_);
  return held_;
}

void HeldClock::Set(TimestampNs now) {
  MutexLock lock(mutex_);
  held_ = true;
  wall_ns_ = now.value;
}

bool HeldClock::Advance(std::int64_t ns) {
  TL_CHECK(ns >= 0);
  MutexLock lock(mutex_);
  std::int64_t wall = 0;
  std::int64_t steady = 0;
  if (__builtin_add_overflow(WallLocked().value, ns, &wall)) return false;
  if (__builtin_add_overflow(steady_offset_ns_, ns, &steady)) return false;
  // Room for the machine's own side of the sum.
  if (steady > INT64_MAX / 2) return false;
  held_ = true;
  wall_ns_ = wall;
  steady_offset_ns_ = steady;
  return true;
}

void HeldClock::Run() {
  MutexLock lock(mutex_);
  wall_offset_ns_ = WallLocked().value - machine_.WallNow().value;
  held_ = false;
}

Result<TimestampNs> ParseIso8601(std::string_view text) {
  const auto refuse = [text] {
    return InvalidArgument("'{}' is no time like 2024-01-01T10:07:00.5Z", text);
  };
  // The fixed part: digits where the pattern has 0, else the pattern's own character.
  constexpr std::string_view kPattern = "0000-00-00T00:00:00";
  if (text.size() <= kPattern.size() || text.back() != 'Z') return refuse();
  for (std::size_t i = 0; i < kPattern.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kPattern[i] == '0' ? !digit : text[i] != kPattern[i]) return refuse();
  }
  const auto number = [&](std::size_t at, std::size_t count) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + count, value);
    return value;
  };
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900;
  parts.tm_mon = number(5, 2) - 1;
  parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2);
  parts.tm_min = number(14, 2);
  parts.tm_sec = number(17, 2);
  const std::tm given = parts;
  const std::int64_t seconds = timegm(&parts);
  // timegm turns the 31st of June into the 1st of July.
  if (parts.tm_mon != given.tm_mon || parts.tm_mday != given.tm_mday ||
      parts.tm_hour != given.tm_hour || parts.tm_min != given.tm_min) {
    return refuse();
  }
  std::int64_t fraction = 0;
  std::string_view rest = text.substr(kPattern.size());
  rest.remove_suffix(1);
  if (!rest.empty()) {
    if (rest.front() != '.' || rest.size() < 2 || rest.size() > 10) return refuse();
    std::int64_t unit = kNsPerSecond / 10;
    for (const char digit : rest.substr(1)) {
      if (digit < '0' || digit > '9') return refuse();
      fraction += (digit - '0') * unit;
      unit /= 10;
    }
  }
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(seconds, kNsPerSecond, &ns) ||
      __builtin_add_overflow(ns, fraction, &ns)) {
    return refuse();
  }
  return TimestampNs{ns};
}

Result<std::int64_t> ParseDuration(std::string_view text) {
  std::int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(parsed.ptr, static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
  std::int64_t unit_ns = 0;
  if (unit == "ms") unit_ns = kNsPerMs;
  if (unit == "s") unit_ns = kNsPerSecond;
  if (unit == "m") unit_ns = kNsPerMinute;
  if (unit == "h") unit_ns = kNsPerHour;
  if (unit == "d") unit_ns = kNsPerDay;
  std::int64_t ns = 0;
  if (parsed.ec != std::errc() || count < 0 || unit_ns == 0 ||
      __builtin_mul_overflow(count, unit_ns, &ns)) {
    return InvalidArgument("'{}' is no duration: a whole number and ms, s, m, h or d", text);
  }
  return ns;
}

}  // namespace tideline
