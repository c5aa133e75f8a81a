// functions/datetime/bin.cc: bin(timestamp, interval), the start of the interval holding timestamp,
// and date_trunc(unit, x), the same for calendar units.
#include <algorithm>

#include "functions/calendar.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;
using I32 = std::int32_t;

Result<I64> BinOne(I64 ns, I64 interval) {
  if (interval <= 0) return ExecutionFailed("bin: the interval must be positive");
  return CheckTimestamp(Int128{ns} - FloorMod(ns, interval));
}

Status Bin(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
           Vector* result, RowErrors* errors) {
  if (!arguments[1].is_constant() || rows.empty()) {
    return Try2<I64, I64, I64, BinOne>(context, arguments, rows, result, errors);
  }
  const Reader<I64> times(arguments[0]);
  const I64 interval = Reader<I64>(arguments[1])[rows[0]];
  I64* out = result->mutable_values<I64>();
  // Time runs in order mostly: a row that falls into the bin of the row before needs no division, and
  // a stretch of rows that all do needs no look at each.
  I64 low = 0;
  std::uint64_t width = 0;
  const auto one = [&](std::uint32_t row) {
    const I64 ns = times[row];
    if (static_cast<std::uint64_t>(ns) - static_cast<std::uint64_t>(low) < width) {
      out[row] = low;
      return;
    }
    const Result<I64> start = BinOne(ns, interval);
    if (!start.ok()) {
      errors->Add(row, start.status());
      return;
    }
    low = *start;
    width = static_cast<std::uint64_t>(interval);
    out[row] = low;
  };
  if (!rows.is_all() || arguments[0].kind() != VectorKind::kFlat) {
    rows.ForEach(one);
    return OkStatus();
  }
  const I64* ns = arguments[0].values<I64>();
  constexpr std::size_t kStretch = 64;
  std::size_t elsewhere = 0;  // rows outside the first bin, or stretches
  for (std::size_t first = 0; first < rows.size(); first += kStretch) {
    const std::size_t end = std::min(first + kStretch, rows.size());
    one(static_cast<std::uint32_t>(first));
    std::size_t outside = 0;
    for (std::size_t row = first; row < end; ++row) {
      outside += static_cast<std::uint64_t>(ns[row]) - static_cast<std::uint64_t>(low) < width ? 0U : 1U;
    }
    elsewhere += outside + (low != out[0] ? 1U : 0U);
    if (outside == 0) {
      std::fill(out + first, out + end, low);
    } else {
      for (std::size_t row = first + 1; row < end; ++row) one(static_cast<std::uint32_t>(row));
    }
  }
  // One bin for all is said once, for what groups by it.
  if (elsewhere == 0 && errors->empty()) *result = Vector::ConstantOf(*result, 0, rows.size());
  return OkStatus();
}

constexpr ScalarOverload kBinOverloads[] = {
    {"(timestamp, interval day to second) -> timestamp", Bin}};
constexpr ScalarFunction kBin{
    .name = "bin",
    .overloads = kBinOverloads,
    .order = OrderPolicy::kPreservesFirst,
    .doc = {"date and time",
            "Rounds a timestamp down to a multiple of an interval, counted from 1970-01-01.",
            "SELECT bin(timestamp '2024-01-01 10:07:00', 5m)", "2024-01-01 10:05:00.000000000"}};
TL_REGISTER_SCALAR(kBin);

// ---- date_trunc
// -----------------------------------------------------------------------------------

I64 TruncateDays(DateUnit unit, I64 days) {
  const CivilDate date = CivilFromDays(days);
  switch (unit) {
    case DateUnit::kWeek:
      return days - DayOfWeek(days) + 1;
    case DateUnit::kMonth:
      return DaysFromCivil(date.year, date.month, 1);
    case DateUnit::kQuarter:
      return DaysFromCivil(date.year, (date.month - 1) / 3 * 3 + 1, 1);
    case DateUnit::kYear:
      return DaysFromCivil(date.year, 1, 1);
    default:
      return days;
  }
}

Status NotAField(std::string_view unit, std::string_view type) {
  return ExecutionFailed("'{}' is not a valid {} field", unit, type);
}

Result<I64> TruncateTimestamp(const StringRef& name, I64 ns) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit) return NotAField(name.view(), "Timestamp");
  if (*unit <= DateUnit::kHour) return CheckTimestamp(Int128{ns} - FloorMod(ns, UnitNs(*unit)));
  return CheckTimestamp(Int128{TruncateDays(*unit, DaysOf(ns))} * kNsPerDay);
}
Result<I32> TruncateDate(const StringRef& name, I32 days) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit || *unit < DateUnit::kDay) return NotAField(name.view(), "DATE");
  return CheckDate(TruncateDays(*unit, days));
}
Result<I64> TruncateTime(const StringRef& name, I64 ns) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit || *unit > DateUnit::kHour) return NotAField(name.view(), "Time");
  return ns - ns % UnitNs(*unit);
}

constexpr ScalarOverload kDateTruncOverloads[] = {
    {"(varchar, timestamp) -> timestamp", Try2<I64, StringRef, I64, TruncateTimestamp>},
    {"(varchar, date) -> date", Try2<I32, StringRef, I32, TruncateDate>},
    {"(varchar, time) -> time", Try2<I64, StringRef, I64, TruncateTime>},
};
constexpr ScalarFunction kDateTrunc{
    .name = "date_trunc",
    .overloads = kDateTruncOverloads,
    .order = OrderPolicy::kPreservesLast,
    .doc = {"date and time", "Rounds down to the start of a calendar unit; weeks start on Monday.",
            "SELECT date_trunc('minute', TIMESTAMP '2022-06-17 17:44:43.771')",
            "2022-06-17 17:44:00.000000000"}};
TL_REGISTER_SCALAR(kDateTrunc);

// ---- date_add, date_diff
// --------------------------------------------------------------------------

Result<I64> AddToTimestamp(const StringRef& name, I64 count, I64 ns) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit) return NotAField(name.view(), "Timestamp");
  if (UnitNs(*unit) != 0) return CheckTimestamp(Int128{count} * UnitNs(*unit) + ns);
  return AddMonthsToTimestamp(ns,
                              std::clamp<I64>(count, -10'000'000, 10'000'000) * UnitMonths(*unit));
}
Result<I32> AddToDate(const StringRef& name, I64 count, I32 days) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit || *unit < DateUnit::kDay) return NotAField(name.view(), "DATE");
  count = std::clamp<I64>(count, -10'000'000'000, 10'000'000'000);
  if (*unit == DateUnit::kDay) return CheckDate(days + count);
  if (*unit == DateUnit::kWeek) return CheckDate(days + 7 * count);
  return AddMonthsToDate(days, count * UnitMonths(*unit));
}
Result<I64> AddToTime(const StringRef& name, I64 count, I64 ns) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit || *unit > DateUnit::kHour) return NotAField(name.view(), "Time");
  const I64 step = UnitNs(*unit);
  return FloorMod(ns + count % (kNsPerDay / step) * step, kNsPerDay);
}

constexpr ScalarOverload kDateAddOverloads[] = {
    {"(varchar, bigint, timestamp) -> timestamp", Try3<I64, StringRef, I64, I64, AddToTimestamp>},
    {"(varchar, bigint, date) -> date", Try3<I32, StringRef, I64, I32, AddToDate>},
    {"(varchar, bigint, time) -> time", Try3<I64, StringRef, I64, I64, AddToTime>},
};
constexpr ScalarFunction kDateAdd{
    .name = "date_add",
    .overloads = kDateAddOverloads,
    .doc = {"date and time", "Moves a date, time or timestamp by so many units.",
            "SELECT date_add('hour', 9, TIMESTAMP '2022-06-17 00:00:00')",
            "2022-06-17 09:00:00.000000000"}};
TL_REGISTER_SCALAR(kDateAdd);

// Complete months from `a` to `b`; the day of `a` is clamped to the month it reaches.
I64 MonthsBetween(I64 days_a, I64 ns_a, I64 days_b, I64 ns_b) {
  const CivilDate a = CivilFromDays(days_a);
  const CivilDate b = CivilFromDays(days_b);
  const I64 months = I64{b.year - a.year} * 12 + b.month - a.month;
  const int day = std::min(a.day, DaysInMonth(b.year, b.month));
  const auto reached = std::pair(day, ns_a);
  const auto wanted = std::pair(b.day, ns_b);
  if (months > 0 && reached > wanted) return months - 1;
  if (months < 0 && reached < wanted) return months + 1;
  return months;
}

Result<I64> DiffTimestamps(const StringRef& name, I64 a, I64 b) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit) return NotAField(name.view(), "Timestamp");
  if (UnitNs(*unit) != 0) return static_cast<I64>((Int128{b} - a) / UnitNs(*unit));
  return MonthsBetween(DaysOf(a), NsOfDay(a), DaysOf(b), NsOfDay(b)) / UnitMonths(*unit);
}
Result<I64> DiffDates(const StringRef& name, I32 a, I32 b) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit || *unit < DateUnit::kDay) return NotAField(name.view(), "DATE");
  if (UnitNs(*unit) != 0) return (I64{b} - a) / (UnitNs(*unit) / kNsPerDay);
  return MonthsBetween(a, 0, b, 0) / UnitMonths(*unit);
}
Result<I64> DiffTimes(const StringRef& name, I64 a, I64 b) {
  const std::optional<DateUnit> unit = ParseDateUnit(name.view());
  if (!unit || *unit > DateUnit::kHour) return NotAField(name.view(), "Time");
  return (b - a) / UnitNs(*unit);
}

constexpr ScalarOverload kDateDiffOverloads[] = {
    {"(varchar, timestamp, timestamp) -> bigint", Try3<I64, StringRef, I64, I64, DiffTimestamps>},
    {"(varchar, date, date) -> bigint", Try3<I64, StringRef, I32, I32, DiffDates>},
    {"(varchar, time, time) -> bigint", Try3<I64, StringRef, I64, I64, DiffTimes>},
};
constexpr ScalarFunction kDateDiff{
    .name = "date_diff",
    .overloads = kDateDiffOverloads,
    .doc = {"date and time", "How many complete units lie between two instants.",
            "SELECT date_diff('day', DATE '2020-03-01', DATE '2020-03-02')", "1"}};
TL_REGISTER_SCALAR(kDateDiff);

}  // namespace
}  // namespace tideline::functions
