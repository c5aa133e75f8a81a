#include "functions/calendar.h"

#include <algorithm>
#include <limits>
#include <string>

namespace tideline::functions {
namespace {

constexpr std::int64_t kMonthsMax = 12 * 200'000;  // no int32 date lies farther

// Moves a civil date by months, clamping the day.
Result<std::int64_t> MoveMonths(std::int64_t days, std::int64_t months) {
  if (months > 2 * kMonthsMax || months < -2 * kMonthsMax) {
    return ExecutionFailed("Timestamp out of range");
  }
  const CivilDate date = CivilFromDays(days);
  const std::int64_t month = std::int64_t{date.year} * 12 + date.month - 1 + months;
  const auto year = static_cast<int>(FloorDiv(month, 12));
  const auto month_of_year = static_cast<int>(FloorMod(month, 12)) + 1;
  return DaysFromCivil(year, month_of_year, std::min(date.day, DaysInMonth(year, month_of_year)));
}

}  // namespace

Result<std::int64_t> CheckTimestamp(Int128 ns) {
  if (ns < kTimestampNsMin || ns > std::numeric_limits<std::int64_t>::max()) {
    return ExecutionFailed("Timestamp out of range");
  }
  return static_cast<std::int64_t>(ns);
}

Result<std::int32_t> CheckDate(std::int64_t days) {
  if (days < std::numeric_limits<std::int32_t>::min() ||
      days > std::numeric_limits<std::int32_t>::max()) {
    return ExecutionFailed("Date out of range");
  }
  return static_cast<std::int32_t>(days);
}

Result<std::int32_t> AddMonthsToDate(std::int32_t days, std::int64_t months) {
  return CheckDate(TL_TRY(MoveMonths(days, months)));
}

Result<std::int64_t> AddMonthsToTimestamp(std::int64_t ns, std::int64_t months) {
  const std::int64_t days = TL_TRY(MoveMonths(DaysOf(ns), months));
  return CheckTimestamp(Int128{days} * kNsPerDay + NsOfDay(ns));
}

std::optional<DateUnit> ParseDateUnit(std::string_view name) {
  static constexpr std::pair<std::string_view, DateUnit> kUnits[] = {
      {"nanosecond", DateUnit::kNanosecond},
      {"microsecond", DateUnit::kMicrosecond},
      {"millisecond", DateUnit::kMillisecond},
      {"second", DateUnit::kSecond},
      {"minute", DateUnit::kMinute},
      {"hour", DateUnit::kHour},
      {"day", DateUnit::kDay},
      {"week", DateUnit::kWeek},
      {"month", DateUnit::kMonth},
      {"quarter", DateUnit::kQuarter},
      {"year", DateUnit::kYear},
  };
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  for (const auto& [unit_name, unit] : kUnits) {
    if (unit_name == lower) return unit;
  }
  return std::nullopt;
}

std::int64_t UnitNs(DateUnit unit) {
  switch (unit) {
    case DateUnit::kNanosecond:
      return 1;
    case DateUnit::kMicrosecond:
      return kNsPerUs;
    case DateUnit::kMillisecond:
      return kNsPerMs;
    case DateUnit::kSecond:
      return kNsPerSecond;
    case DateUnit::kMinute:
      return kNsPerMinute;
    case DateUnit::kHour:
      return kNsPerHour;
    case DateUnit::kDay:
      return kNsPerDay;
    case DateUnit::kWeek:
      return 7 * kNsPerDay;
    default:
      return 0;
  }
}

int UnitMonths(DateUnit unit) {
  switch (unit) {
    case DateUnit::kMonth:
      return 1;
    case DateUnit::kQuarter:
      return 3;
    case DateUnit::kYear:
      return 12;
    default:
      return 0;
  }
}

int DayOfWeek(std::int64_t days) {
  return static_cast<int>(FloorMod(days + 3, 7)) + 1;  // 1970-01-01 was a Thursday
}

int DayOfYear(std::int64_t days) {
  const CivilDate date = CivilFromDays(days);
  return static_cast<int>(days - DaysFromCivil(date.year, 1, 1)) + 1;
}

IsoWeek IsoWeekOf(std::int64_t days) {
  // A week belongs to the year that holds its Thursday.
  const std::int64_t thursday = days - DayOfWeek(days) + 4;
  return {CivilFromDays(thursday).year, (DayOfYear(thursday) - 1) / 7 + 1};
}

bool DaysFromIsoWeek(int year, int week, std::int64_t* days) {
  if (week < 1 || week > 53) return false;
  const std::int64_t fourth = DaysFromCivil(year, 1, 4);
  *days = fourth - DayOfWeek(fourth) + 1 + std::int64_t{week - 1} * 7;
  return IsoWeekOf(*days).year == year;
}

}  // namespace tideline::functions
