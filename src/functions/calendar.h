// functions/calendar.h: instants, dates and months on the proleptic Gregorian calendar, UTC.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "columnar/text_format.h"

namespace tideline::functions {

/// 1677-09-21 00:12:44, the first instant the service has; the last is INT64_MAX.
inline constexpr std::int64_t kTimestampNsMin = -9'223'372'036'000'000'000;

inline std::int64_t FloorDiv(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && ((a < 0) != (b < 0)) ? 1 : 0);
}
/// Always in [0, b) for positive b.
inline std::int64_t FloorMod(std::int64_t a, std::int64_t b) {
  const std::int64_t remainder = a % b;
  return remainder < 0 ? remainder + b : remainder;
}
inline std::int64_t DaysOf(std::int64_t ns) { return FloorDiv(ns, kNsPerDay); }
inline std::int64_t NsOfDay(std::int64_t ns) { return FloorMod(ns, kNsPerDay); }

/// kExecutionFailed "Timestamp out of range" outside the supported range.
Result<std::int64_t> CheckTimestamp(Int128 ns);
Result<std::int32_t> CheckDate(std::int64_t days);

/// Month arithmetic; the day is clamped to the length of the month reached.
Result<std::int32_t> AddMonthsToDate(std::int32_t days, std::int64_t months);
Result<std::int64_t> AddMonthsToTimestamp(std::int64_t ns, std::int64_t months);

enum class DateUnit : std::uint8_t {
  kNanosecond,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
};
/// "second", "month", … in any case; nothing when unknown.
std::optional<DateUnit> ParseDateUnit(std::string_view name);
/// Nanoseconds of units up to week; 0 for months and longer.
std::int64_t UnitNs(DateUnit unit);
/// Months of month, quarter and year; 0 for shorter units.
int UnitMonths(DateUnit unit);

/// English names; an abbreviation is the first three letters.
inline constexpr std::array<std::string_view, 12> kMonthNames = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
/// Monday first.
inline constexpr std::array<std::string_view, 7> kDayNames = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

/// Monday 1 … Sunday 7.
int DayOfWeek(std::int64_t days);
int DayOfYear(std::int64_t days);
struct IsoWeek {
  int year;
  int week;  ///< 1..53
};
IsoWeek IsoWeekOf(std::int64_t days);
/// Day 1 (Monday) of the week; false when the year has no such week.
bool DaysFromIsoWeek(int year, int week, std::int64_t* days);

}  // namespace tideline::functions
