// functions/datetime/format.cc: date_format and date_parse with MySQL's codes.
#include <array>

#include "functions/calendar.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

struct Clock {
  int hour;
  int minute;
  int second;
  int ns;
};
Clock ClockOf(I64 ns) {
  const I64 of_day = NsOfDay(ns);
  return {static_cast<int>(of_day / kNsPerHour), static_cast<int>(of_day / kNsPerMinute % 60),
          static_cast<int>(of_day / kNsPerSecond % 60), static_cast<int>(of_day % kNsPerSecond)};
}

// Appends what `code` stands for; false when the code is not supported.
bool AppendCode(char code, I64 ns, std::string* out) {
  const I64 days = DaysOf(ns);
  const CivilDate date = CivilFromDays(days);
  const Clock clock = ClockOf(ns);
  const int hour12 = clock.hour % 12 == 0 ? 12 : clock.hour % 12;
  const auto write = [&]<typename... Args>(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(*out), text, std::forward<Args>(args)...);
    return true;
  };
  const std::string_view month = kMonthNames[static_cast<std::size_t>(date.month - 1)];
  const std::string_view day = kDayNames[static_cast<std::size_t>(DayOfWeek(days) - 1)];
  const std::string_view half = clock.hour < 12 ? "AM" : "PM";
  switch (code) {
    case 'a':
      return write("{}", day.substr(0, 3));
    case 'b':
      return write("{}", month.substr(0, 3));
    case 'c':
      return write("{}", date.month);
    case 'd':
      return write("{:02}", date.day);
    case 'e':
      return write("{}", date.day);
    case 'f':
      return write("{:06}", clock.ns / 1000);
    case 'H':
      return write("{:02}", clock.hour);
    case 'h':
    case 'I':
      return write("{:02}", hour12);
    case 'i':
      return write("{:02}", clock.minute);
    case 'j':
      return write("{:03}", DayOfYear(days));
    case 'k':
      return write("{}", clock.hour);
    case 'l':
      return write("{}", hour12);
    case 'M':
      return write("{}", month);
    case 'm':
      return write("{:02}", date.month);
    case 'p':
      return write("{}", half);
    case 'r':
      return write("{:02}:{:02}:{:02} {}", hour12, clock.minute, clock.second, half);
    case 'S':
    case 's':
      return write("{:02}", clock.second);
    case 'T':
      return write("{:02}:{:02}:{:02}", clock.hour, clock.minute, clock.second);
    case 'v':
      return write("{:02}", IsoWeekOf(days).week);
    case 'W':
      return write("{}", day);
    case 'x':
      return write("{:04}", IsoWeekOf(days).year);
    case 'Y':
      return write("{:04}", date.year);
    case 'y':
      return write("{:02}", FloorMod(date.year, 100));
    case 'D':
    case 'U':
    case 'u':
    case 'V':
    case 'w':
    case 'X':
      return false;
    default:
      out->push_back(code);
      return true;
  }
}

Status Unsupported(char code) {
  return ExecutionFailed("%{} not supported in date format string", code);
}

Status FormatTimestamp(I64 ns, const StringRef& format, std::string* out) {
  const std::string_view text = format.view();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      out->push_back(text[i]);
    } else if (!AppendCode(text[++i], ns, out)) {
      return Unsupported(text[i]);
    }
  }
  return OkStatus();
}

// ---- parsing
// ----------------------------------------------------------------------------------------

class DateParser {
 public:
  DateParser(std::string_view text, std::string_view format) : text_(text), format_(format) {}

  Result<I64> Parse() {
    for (std::size_t i = 0; i < format_.size(); ++i) {
      const bool is_code = format_[i] == '%' && i + 1 < format_.size();
      if (!is_code) {
        if (!Literal(format_[i])) return Malformed();
        continue;
      }
      const char code = format_[++i];
      static constexpr std::string_view kUnsupported = "DUuVwX";
      if (kUnsupported.find(code) != kUnsupported.npos) return Unsupported(code);
      if (!Code(code)) return Malformed();
    }
    if (at_ != text_.size()) return Malformed();
    return Instant();
  }

 private:
  Status Malformed() const {
    if (at_ >= text_.size()) return ExecutionFailed("Invalid format: \"{}\" is too short", text_);
    return ExecutionFailed("Invalid format: \"{}\" is malformed at \"{}\"", text_,
                           text_.substr(at_));
  }
  bool Literal(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool Number(std::size_t digits_max, int min, int max, int* value) {
    std::size_t count = 0;
    int number = 0;
    while (count < digits_max && at_ + count < text_.size() && text_[at_ + count] >= '0' &&
           text_[at_ + count] <= '9') {
      number = number * 10 + (text_[at_ + count] - '0');
      ++count;
    }
    if (count == 0 || number < min || number > max) return false;
    at_ += count;
    *value = number;
    return true;
  }
  // The longest name of `names`, whole or its first three letters, in any case.
  template <std::size_t count>
  bool Name(const std::array<std::string_view, count>& names, int* index) {
    for (std::size_t i = 0; i < count; ++i) {
      for (const std::string_view name : {names[i], names[i].substr(0, 3)}) {
        if (!Same(text_.substr(at_, name.size()), name)) continue;
        at_ += name.size();
        *index = static_cast<int>(i) + 1;
        return true;
      }
    }
    return false;
  }
  static bool Same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
    }
    return true;
  }
  bool Half() {
    const std::string_view half = text_.substr(at_, 2);
    if (Same(half, "am")) {
      afternoon_ = 0;
    } else if (Same(half, "pm")) {
      afternoon_ = 1;
    } else {
      return false;
    }
    at_ += 2;
    return true;
  }
  bool Fraction() {
    I64 value = 0;
    int count = 0;
    while (count < 9 && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + (text_[at_++] - '0');
      ++count;
    }
    if (count == 0) return false;
    for (; count < 9; ++count) value *= 10;
    fraction_ = value;
    return true;
  }

  bool Code(char code) {
    switch (code) {
      case 'a':
      case 'W':
        return Name(kDayNames, &weekday_);
      case 'b':
      case 'M':
        return Name(kMonthNames, &month_);
      case 'c':
      case 'm':
        return Number(2, 1, 12, &month_);
      case 'd':
      case 'e':
        return Number(2, 1, 31, &day_);
      case 'f':
        return Fraction();
      case 'H':
      case 'k':
        return Number(2, 0, 23, &hour_);
      case 'h':
      case 'I':
      case 'l':
        twelve_ = true;
        return Number(2, 1, 12, &hour_);
      case 'i':
        return Number(2, 0, 59, &minute_);
      case 'j':
        return Number(3, 1, 366, &year_day_);
      case 'p':
        return Half();
      case 'r':
        return Code('h') && Literal(':') && Code('i') && Literal(':') && Code('s') &&
               Literal(' ') && Half();
      case 'S':
      case 's':
        return Number(2, 0, 59, &second_);
      case 'T':
        return Code('H') && Literal(':') && Code('i') && Literal(':') && Code('s');
      case 'v':
        return Number(2, 1, 53, &iso_week_);
      case 'x':
        return Number(4, 0, 9999, &iso_year_);
      case 'Y':
        return Number(4, 0, 9999, &year_);
      case 'y':
        if (!Number(2, 0, 99, &year_)) return false;
        year_ += year_ >= 70 ? 1900 : 2000;
        return true;
      default:
        return Literal(code);
    }
  }

  Result<I64> Instant() const {
    if (day_ > DaysInMonth(year_, month_)) {
      return ExecutionFailed("Invalid format: \"{}\": the month has no day {}", text_, day_);
    }
    I64 days = DaysFromCivil(year_, month_, day_);
    if (year_day_ > 0) days = DaysFromCivil(year_, 1, 1) + year_day_ - 1;
    if (iso_year_ >= 0 || iso_week_ > 0) days = IsoDay();
    int hour = twelve_ ? hour_ % 12 : hour_;
    if (afternoon_ == 1 && hour < 12) hour += 12;
    return CheckTimestamp(Int128{days} * kNsPerDay + hour * kNsPerHour + minute_ * kNsPerMinute +
                          second_ * kNsPerSecond + fraction_);
  }

  // The named day, or the Monday, of an ISO week; week 1 is the one that holds January 4.
  I64 IsoDay() const {
    const I64 january_4 = DaysFromCivil(iso_year_ >= 0 ? iso_year_ : year_, 1, 4);
    const I64 monday = january_4 - FloorMod(january_4 + 3, I64{7});  // day 0 was a Thursday
    return monday + I64{7} * (std::max(iso_week_, 1) - 1) + (weekday_ > 0 ? weekday_ - 1 : 0);
  }

  std::string_view text_;
  std::string_view format_;
  std::size_t at_ = 0;
  int iso_year_ = -1;
  int iso_week_ = 0;
  int weekday_ = 0;
  int year_ = 1970;
  int month_ = 1;
  int day_ = 1;
  int year_day_ = 0;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int afternoon_ = -1;
  bool twelve_ = false;
  I64 fraction_ = 0;
};

Result<I64> ParseByFormat(const StringRef& text, const StringRef& format) {
  return DateParser(text.view(), format.view()).Parse();
}

constexpr ScalarOverload kDateFormatOverloads[] = {
    {"(timestamp, varchar) -> varchar", TryText2<I64, StringRef, FormatTimestamp>}};
constexpr ScalarFunction kDateFormat{
    .name = "date_format",
    .overloads = kDateFormatOverloads,
    .doc = {"date and time", "The timestamp as text by MySQL's codes.",
            "SELECT date_format(TIMESTAMP '2019-10-20 10:20:20', '%Y-%m-%d %H:%i:%s')",
            "2019-10-20 10:20:20"}};
TL_REGISTER_SCALAR(kDateFormat);
constexpr ScalarOverload kDateParseOverloads[] = {
    {"(varchar, varchar) -> timestamp", Try2<I64, StringRef, StringRef, ParseByFormat>}};
constexpr ScalarFunction kDateParse{
    .name = "date_parse",
    .overloads = kDateParseOverloads,
    .doc = {"date and time", "The instant a text names, read by MySQL's codes.",
            "SELECT date_parse('2019-10-20 10:20', '%Y-%m-%d %H:%i')",
            "2019-10-20 10:20:00.000000000"}};
TL_REGISTER_SCALAR(kDateParse);

}  // namespace
}  // namespace tideline::functions
