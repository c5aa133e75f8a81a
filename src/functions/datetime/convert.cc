// functions/datetime/convert.cc: numbers and ISO 8601 text to and from instants, and durations.
#include <cmath>

#include "columnar/text_format.h"
#include "functions/calendar.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;
using I32 = std::int32_t;

Result<I64> FromMilliseconds(I64 ms) { return CheckTimestamp(Int128{ms} * kNsPerMs); }
Result<I64> FromNanoseconds(I64 ns) { return CheckTimestamp(ns); }
Result<I64> FromUnixtime(double seconds) {
  const double ms = std::round(seconds * 1000);
  if (!(std::fabs(ms) < 1e16)) return ExecutionFailed("Timestamp out of range");
  return FromMilliseconds(static_cast<I64>(ms));
}
I64 TimestampToMs(I64 ns) { return FloorDiv(ns, kNsPerMs); }
I64 IntervalToMs(I64 ns) { return ns / kNsPerMs; }
I64 ToNanoseconds(I64 ns) { return ns; }
double ToUnixtime(I64 ns) { return static_cast<double>(ns) / 1e9; }

Result<I32> DateOfText(StringRef text) { return ParseDate(text.view()); }
I32 DateOfTimestamp(I64 ns) { return static_cast<I32>(DaysOf(ns)); }
I32 DateOfDate(I32 days) { return days; }
I32 LastDayOfDate(I32 days) {
  const CivilDate date = CivilFromDays(days);
  return days + DaysInMonth(date.year, date.month) - date.day;
}
I32 LastDayOfTimestamp(I64 ns) { return LastDayOfDate(DateOfTimestamp(ns)); }

// ---- ISO 8601
// -------------------------------------------------------------------------------------

class IsoReader {
 public:
  explicit IsoReader(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_[0]; }
  bool Take(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly `count` digits.
  bool Digits(std::size_t count, int* value) {
    if (text_.size() < count) return false;
    *value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return false;
      *value = *value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return true;
  }
  std::size_t DigitsAhead() const {
    std::size_t count = 0;
    while (count < text_.size() && text_[count] >= '0' && text_[count] <= '9') ++count;
    return count;
  }

  // YYYY[-MM[-DD]], YYYY-Www[-D] or YYYY-DDD.
  bool Date(I64* days) {
    int year = 0;
    int month = 1;
    int day = 1;
    if (!Digits(4, &year)) return false;
    if (Take('-')) {
      if (Take('W')) {
        int week = 0;
        if (!Digits(2, &week) || !DaysFromIsoWeek(year, week, days)) return false;
        if (Take('-')) {
          if (!Digits(1, &day) || day < 1 || day > 7) return false;
          *days += day - 1;
        }
        return true;
      }
      if (DigitsAhead() == 3) {
        const int in_year = DaysInMonth(year, 2) == 29 ? 366 : 365;
        if (!Digits(3, &day) || day < 1 || day > in_year) return false;
        *days = DaysFromCivil(year, 1, 1) + day - 1;
        return true;
      }
      if (!Digits(2, &month) || month < 1 || month > 12) return false;
      if (Take('-') && (!Digits(2, &day) || day < 1 || day > DaysInMonth(year, month)))
        return false;
    }
    *days = DaysFromCivil(year, month, day);
    return true;
  }

  // hh[:mm[:ss[.f]]]
  bool Clock(I64* ns) {
    int hour = 0;
    int minute = 0;
    int second = 0;
    *ns = 0;
    if (!Digits(2, &hour) || hour > 23) return false;
    if (Take(':')) {
      if (!Digits(2, &minute) || minute > 59) return false;
      if (Take(':')) {
        if (!Digits(2, &second) || second > 59) return false;
        if (Take('.') || Take(',')) {
          const std::size_t digits = DigitsAhead();
          int fraction = 0;
          if (digits < 1 || digits > 9 || !Digits(digits, &fraction)) return false;
          I64 scaled = fraction;
          for (std::size_t i = digits; i < 9; ++i) scaled *= 10;
          *ns = scaled;
        }
      }
    }
    *ns += hour * kNsPerHour + minute * kNsPerMinute + second * kNsPerSecond;
    return true;
  }

  // Z or ±hh[:mm] or ±hhmm
  bool Zone(I64* offset) {
    *offset = 0;
    if (at_end() || Take('Z')) return true;
    const bool negative = peek() == '-';
    if (!Take('+') && !Take('-')) return false;
    int hours = 0;
    int minutes = 0;
    if (!Digits(2, &hours) || hours > 18) return false;
    Take(':');
    if (!at_end() && (!Digits(2, &minutes) || minutes > 59)) return false;
    *offset = (hours * kNsPerHour + minutes * kNsPerMinute) * (negative ? -1 : 1);
    return true;
  }

 private:
  std::string_view text_;
};

Result<I64> FromIsoTimestamp(StringRef text) {
  IsoReader reader(text.view());
  I64 days = 0;
  I64 clock = 0;
  I64 offset = 0;
  const bool good = reader.Date(&days) &&
                    (!reader.Take('T') || reader.at_end() || reader.Clock(&clock)) &&
                    reader.Zone(&offset) && reader.at_end();
  if (!good) return ExecutionFailed("Invalid format: \"{}\"", text.view());
  return CheckTimestamp(Int128{days} * kNsPerDay + clock - offset);
}
Result<I32> FromIsoDate(StringRef text) {
  IsoReader reader(text.view());
  I64 days = 0;
  if (!reader.Date(&days) || !reader.at_end()) {
    return ExecutionFailed("Invalid format: \"{}\"", text.view());
  }
  return CheckDate(days);
}
void DateToIso(I32 days, std::string* out) { AppendDate(days, out); }
void TimestampToIso(I64 ns, std::string* out) {
  AppendTimestamp(ns, out);
  (*out)[out->find(' ')] = 'T';
}

// ---- durations
// ------------------------------------------------------------------------------------

Result<I64> ParseDuration(StringRef text) {
  static constexpr std::pair<std::string_view, I64> kUnits[] = {
      {"ns", 1},           {"nanosecond", 1},
      {"us", kNsPerUs},    {"microsecond", kNsPerUs},
      {"ms", kNsPerMs},    {"millisecond", kNsPerMs},
      {"s", kNsPerSecond}, {"second", kNsPerSecond},
      {"m", kNsPerMinute}, {"minute", kNsPerMinute},
      {"h", kNsPerHour},   {"hour", kNsPerHour},
      {"d", kNsPerDay},    {"day", kNsPerDay},
  };
  static constexpr Int128 kFractionMax = Int128{1'000'000'000} * 1'000'000'000;
  const auto malformed = [&] {
    return ExecutionFailed("duration is not a valid data duration string: {}", text.view());
  };
  std::string_view rest = text.view();
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  while (!rest.empty() && rest.back() == ' ') rest.remove_suffix(1);
  Int128 value = 0;
  Int128 divisor = 1;
  bool point = false;
  bool any = false;
  for (; !rest.empty() && (rest[0] == '.' || (rest[0] >= '0' && rest[0] <= '9'));
       rest.remove_prefix(1)) {
    if (rest[0] == '.') {
      if (point || !any) return malformed();
      point = true;
      continue;
    }
    any = true;
    if (value > kFractionMax || divisor >= kFractionMax) {
      if (!point) return malformed();
      continue;  // digits past the nanosecond of a day do not count
    }
    value = value * 10 + (rest[0] - '0');
    if (point) divisor *= 10;
  }
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (!any || rest.empty()) return malformed();
  for (const char c : rest) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return malformed();
  }
  for (const auto& [name, ns] : kUnits) {
    if (rest != name) continue;
    const Int128 scaled = value * ns;  // below 10^20 * 10^14
    const Int128 rounded = (scaled + divisor / 2) / divisor;
    if (rounded > std::numeric_limits<I64>::max()) return ExecutionFailed("Interval out of range");
    return static_cast<I64>(rounded);
  }
  return ExecutionFailed("Unknown time unit: {}", rest);
}

Status HumanReadableSeconds(double seconds, std::string* out) {
  static constexpr double kSecondsMax = 9e18;
  if (!(std::fabs(seconds) < kSecondsMax)) {
    return ExecutionFailed("human_readable_seconds: {} is not a finite number of seconds below {}",
                           seconds, kSecondsMax);
  }
  static constexpr std::pair<I64, std::string_view> kUnits[] = {
      {604'800, "week"}, {86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}};
  I64 rest = std::llround(std::fabs(seconds));
  for (const auto& [unit, name] : kUnits) {
    const I64 count = rest / unit;
    rest %= unit;
    if (count == 0) continue;
    if (!out->empty()) out->append(", ");
    fmt::format_to(std::back_inserter(*out), "{} {}{}", count, name, count == 1 ? "" : "s");
  }
  if (out->empty()) *out = "0 seconds";
  return OkStatus();
}

#define TL_CONVERT(object, text, order_policy, summary_text, example_text, result_text, ...)     \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                                  \
  constexpr ScalarFunction object{                                                               \
      .name = text,                                                                              \
      .overloads = object##Overloads,                                                            \
      .order = OrderPolicy::order_policy,                                                        \
      .doc = {"date and time", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)

TL_CONVERT(kFromMilliseconds, "from_milliseconds", kPreservesFirst,
           "The instant so many ms after 1970-01-01.", "1", "1970-01-01 00:00:00.001000000",
           {"(bigint) -> timestamp", Try1<I64, I64, FromMilliseconds>});
TL_CONVERT(kFromNanoseconds, "from_nanoseconds", kPreservesFirst,
           "The instant so many ns after 1970-01-01.", "300000001", "1970-01-01 00:00:00.300000001",
           {"(bigint) -> timestamp", Try1<I64, I64, FromNanoseconds>});
TL_CONVERT(kFromUnixtime, "from_unixtime", kPreservesFirst,
           "The instant so many seconds after 1970-01-01, to the ms.", "1",
           "1970-01-01 00:00:01.000000000",
           {"(double) -> timestamp", Try1<I64, double, FromUnixtime>});
TL_CONVERT(kToMilliseconds, "to_milliseconds", kPreservesFirst,
           "Milliseconds since 1970-01-01, or of an interval.",
           "INTERVAL '2' DAY + INTERVAL '3' HOUR", "183600000",
           {"(timestamp) -> bigint", Map1<I64, I64, TimestampToMs>},
           {"(interval day to second) -> bigint", Map1<I64, I64, IntervalToMs>});
TL_CONVERT(kToNanoseconds, "to_nanoseconds", kPreservesFirst,
           "Nanoseconds since 1970-01-01, or of an interval.", "INTERVAL '1' SECOND", "1000000000",
           {"(timestamp) -> bigint", Map1<I64, I64, ToNanoseconds>},
           {"(interval day to second) -> bigint", Map1<I64, I64, ToNanoseconds>});
TL_CONVERT(kToUnixtime, "to_unixtime", kPreservesFirst, "Seconds since 1970-01-01.",
           "'2022-06-17 17:44:43.771000000'", "1.6554878837710001E9",
           {"(timestamp) -> double", Map1<double, I64, ToUnixtime>});
TL_CONVERT(kDate, "date", kNone, "The day of a timestamp or of a text.",
           "TIMESTAMP '2022-07-07 17:44:43.771'", "2022-07-07",
           {"(varchar) -> date", Try1<I32, StringRef, DateOfText>},
           {"(timestamp) -> date", Map1<I32, I64, DateOfTimestamp>},
           {"(date) -> date", Map1<I32, I32, DateOfDate>});
TL_CONVERT(kLastDayOfMonth, "last_day_of_month", kPreservesFirst, "The last day of the month.",
           "DATE '2022-07-07'", "2022-07-31",
           {"(timestamp) -> date", Map1<I32, I64, LastDayOfTimestamp>},
           {"(date) -> date", Map1<I32, I32, LastDayOfDate>});
TL_CONVERT(kFromIsoTimestamp, "from_iso8601_timestamp", kNone,
           "The instant an ISO 8601 text names, in UTC.", "'2022-06-17T08:04:05.000000000+05:00'",
           "2022-06-17 03:04:05.000000000",
           {"(varchar) -> timestamp", Try1<I64, StringRef, FromIsoTimestamp>});
TL_CONVERT(kFromIsoDate, "from_iso8601_date", kNone, "The day an ISO 8601 text names.",
           "'2020-W10'", "2020-03-02", {"(varchar) -> date", Try1<I32, StringRef, FromIsoDate>});
TL_CONVERT(kToIso, "to_iso8601", kNone, "The ISO 8601 text of a date or timestamp.",
           "TIMESTAMP '2022-06-17 08:04:05'", "2022-06-17T08:04:05.000000000",
           {"(timestamp) -> varchar", Text1<I64, TimestampToIso>},
           {"(date) -> varchar", Text1<I32, DateToIso>});
TL_CONVERT(kParseDuration, "parse_duration", kNone,
           "The interval a text like 42.8ms or 1 day names.", "'42.8ms'", "0 00:00:00.042800000",
           {"(varchar) -> interval day to second", Try1<I64, StringRef, ParseDuration>});
TL_CONVERT(kHumanReadableSeconds, "human_readable_seconds", kNone, "Seconds in words.", "61",
           "1 minute, 1 second", {"(double) -> varchar", TryText1<double, HumanReadableSeconds>});
#undef TL_CONVERT

}  // namespace
}  // namespace tideline::functions
