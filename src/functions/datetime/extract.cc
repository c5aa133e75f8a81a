// functions/datetime/extract.cc: year() … nanosecond(), the parts of instants and intervals.
#include "functions/calendar.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;
using I32 = std::int32_t;

I64 YearOf(I64 days) { return CivilFromDays(days).year; }
I64 QuarterOf(I64 days) { return (CivilFromDays(days).month - 1) / 3 + 1; }
I64 MonthOf(I64 days) { return CivilFromDays(days).month; }
I64 WeekOf(I64 days) { return IsoWeekOf(days).week; }
I64 WeekYearOf(I64 days) { return IsoWeekOf(days).year; }
I64 DayOf(I64 days) { return CivilFromDays(days).day; }
I64 WeekdayOf(I64 days) { return DayOfWeek(days); }
I64 YeardayOf(I64 days) { return DayOfYear(days); }
I64 YearsOf(I32 months) { return months / 12; }
I64 MonthsOf(I32 months) { return months % 12; }
I64 WholeDaysOf(I64 interval) { return interval / kNsPerDay; }

template <auto F>
I64 OfTimestamp(I64 ns) {
  return F(DaysOf(ns));
}
template <auto F>
I64 OfDate(I32 days) {
  return F(days);
}

// Parts of the day: of a timestamp or time counted from midnight, of an interval with its sign.
template <I64 unit, I64 modulus>
I64 PartOfInstant(I64 ns) {
  return NsOfDay(ns) / unit % modulus;
}
template <I64 unit, I64 modulus>
I64 PartOfInterval(I64 ns) {
  return ns / unit % modulus;
}

constexpr ScalarOverload kYearOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, OfTimestamp<YearOf>>},
    {"(date) -> bigint", Map1<I64, I32, OfDate<YearOf>>},
    {"(interval year to month) -> bigint", Map1<I64, I32, YearsOf>},
};
constexpr ScalarOverload kQuarterOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, OfTimestamp<QuarterOf>>},
    {"(date) -> bigint", Map1<I64, I32, OfDate<QuarterOf>>},
};
constexpr ScalarOverload kMonthOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, OfTimestamp<MonthOf>>},
    {"(date) -> bigint", Map1<I64, I32, OfDate<MonthOf>>},
    {"(interval year to month) -> bigint", Map1<I64, I32, MonthsOf>},
};
constexpr ScalarOverload kWeekOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, OfTimestamp<WeekOf>>},
    {"(date) -> bigint", Map1<I64, I32, OfDate<WeekOf>>},
};
constexpr ScalarOverload kWeekYearOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, OfTimestamp<WeekYearOf>>},
    {"(date) -> bigint", Map1<I64, I32, OfDate<WeekYearOf>>},
};
constexpr ScalarOverload kDayOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, OfTimestamp<DayOf>>},
    {"(date) -> bigint", Map1<I64, I32, OfDate<DayOf>>},
    {"(interval day to second) -> bigint", Map1<I64, I64, WholeDaysOf>},
};
constexpr ScalarOverload kWeekdayOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, OfTimestamp<WeekdayOf>>},
    {"(date) -> bigint", Map1<I64, I32, OfDate<WeekdayOf>>},
};
constexpr ScalarOverload kYeardayOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, OfTimestamp<YeardayOf>>},
    {"(date) -> bigint", Map1<I64, I32, OfDate<YeardayOf>>},
};
constexpr ScalarOverload kHourOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, PartOfInstant<kNsPerHour, 24>>},
    {"(time) -> bigint", Map1<I64, I64, PartOfInstant<kNsPerHour, 24>>},
    {"(interval day to second) -> bigint", Map1<I64, I64, PartOfInterval<kNsPerHour, 24>>},
};
constexpr ScalarOverload kMinuteOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, PartOfInstant<kNsPerMinute, 60>>},
    {"(time) -> bigint", Map1<I64, I64, PartOfInstant<kNsPerMinute, 60>>},
    {"(interval day to second) -> bigint", Map1<I64, I64, PartOfInterval<kNsPerMinute, 60>>},
};
constexpr ScalarOverload kSecondOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, PartOfInstant<kNsPerSecond, 60>>},
    {"(time) -> bigint", Map1<I64, I64, PartOfInstant<kNsPerSecond, 60>>},
    {"(interval day to second) -> bigint", Map1<I64, I64, PartOfInterval<kNsPerSecond, 60>>},
};
constexpr ScalarOverload kMillisecondOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, PartOfInstant<kNsPerMs, 1000>>},
    {"(time) -> bigint", Map1<I64, I64, PartOfInstant<kNsPerMs, 1000>>},
    {"(interval day to second) -> bigint", Map1<I64, I64, PartOfInterval<kNsPerMs, 1000>>},
};
constexpr ScalarOverload kNanosecondOverloads[] = {
    {"(timestamp) -> bigint", Map1<I64, I64, PartOfInstant<1, kNsPerSecond>>},
    {"(time) -> bigint", Map1<I64, I64, PartOfInstant<1, kNsPerSecond>>},
    {"(interval day to second) -> bigint", Map1<I64, I64, PartOfInterval<1, kNsPerSecond>>},
};

#define TL_PART(object, text, overload_list, summary_text, result_text)              \
  constexpr ScalarFunction object{                                                   \
      .name = text,                                                                  \
      .overloads = overload_list,                                                    \
      .doc = {"date and time", summary_text,                                         \
              "SELECT " text "(TIMESTAMP '2019-10-12 23:10:34.162')", result_text}}; \
  TL_REGISTER_SCALAR(object)
TL_PART(kYear, "year", kYearOverloads, "The year.", "2019");
TL_PART(kQuarter, "quarter", kQuarterOverloads, "The quarter, 1 to 4.", "4");
TL_PART(kMonth, "month", kMonthOverloads, "The month, 1 to 12.", "10");
TL_PART(kWeek, "week", kWeekOverloads, "The ISO week, 1 to 53.", "41");
TL_PART(kWeekOfYear, "week_of_year", kWeekOverloads, "The ISO week, 1 to 53.", "41");
TL_PART(kYearOfWeek, "year_of_week", kWeekYearOverloads, "The year of the ISO week.", "2019");
TL_PART(kYow, "yow", kWeekYearOverloads, "The year of the ISO week.", "2019");
TL_PART(kDay, "day", kDayOverloads, "The day of the month, or the whole days of an interval.",
        "12");
TL_PART(kDayOfMonth, "day_of_month", kDayOverloads,
        "The day of the month, or the whole days of an interval.", "12");
TL_PART(kDayOfWeek, "day_of_week", kWeekdayOverloads, "The day of the week, Monday 1 to Sunday 7.",
        "6");
TL_PART(kDow, "dow", kWeekdayOverloads, "The day of the week, Monday 1 to Sunday 7.", "6");
TL_PART(kDayOfYear, "day_of_year", kYeardayOverloads, "The day of the year, 1 to 366.", "285");
TL_PART(kDoy, "doy", kYeardayOverloads, "The day of the year, 1 to 366.", "285");
TL_PART(kHour, "hour", kHourOverloads, "The hour, 0 to 23.", "23");
TL_PART(kMinute, "minute", kMinuteOverloads, "The minute, 0 to 59.", "10");
TL_PART(kSecond, "second", kSecondOverloads, "The second, 0 to 59.", "34");
TL_PART(kMillisecond, "millisecond", kMillisecondOverloads, "The milliseconds within the second.",
        "162");
TL_PART(kNanosecond, "nanosecond", kNanosecondOverloads, "The nanoseconds within the second.",
        "162000000");
#undef TL_PART

}  // namespace
}  // namespace tideline::functions
