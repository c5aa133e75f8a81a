// functions/datetime/format_datetime.cc: format_datetime and parse_datetime with Joda's letters.
//
// A run of one letter is a field, text between single quotes is itself, '' is a quote. Letters are
// Joda's (joda-time DateTimeFormat) and of java.time those that Joda lacks: u, L and n. A two-digit
// year reads 70..99 as 19xx and 00..69 as 20xx. Zone names are those Joda knows (UTC, GMT and the
// four of the United States, taken as fixed offsets) and, for ZZZ, regions of the tz database.
#include <algorithm>
#include <any>

#include "functions/calendar.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

struct PatternPart {
  char letter = 0;  // 0: literal text
  std::size_t count = 0;
  std::string literal;
};
using JodaPattern = std::vector<PatternPart>;

Result<JodaPattern> ReadJodaPattern(std::string_view text) {
  static constexpr std::string_view kLetters = "GCYyxwuEeDMLdaKhHkmsSnzZ";
  JodaPattern parts;
  const auto add_literal = [&](char c) {
    if (parts.empty() || parts.back().letter != 0) parts.emplace_back();
    parts.back().literal.push_back(c);
  };
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\'') {
      if (i + 1 < text.size() && text[i + 1] == '\'') {
        add_literal('\'');
        i += 2;
        continue;
      }
      for (++i;; ++i) {
        if (i >= text.size()) return ExecutionFailed("Unterminated quote in format: {}", text);
        if (text[i] != '\'') {
          add_literal(text[i]);
        } else if (i + 1 < text.size() && text[i + 1] == '\'') {
          add_literal(text[i++]);
        } else {
          break;
        }
      }
      ++i;
      continue;
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      if (kLetters.find(c) == kLetters.npos) {
        return ExecutionFailed("Illegal pattern component: {}", c);
      }
      const std::size_t end = std::min(text.find_first_not_of(c, i), text.size());
      parts.push_back({c, end - i, {}});
      i = end;
      continue;
    }
    add_literal(c);
    ++i;
  }
  return parts;
}

// Whether the field is read and written as digits.
bool IsNumeric(const PatternPart& part) {
  switch (part.letter) {
    case 0:
    case 'G':
    case 'E':
    case 'a':
    case 'z':
    case 'Z':
      return false;
    case 'M':
    case 'L':
      return part.count <= 2;
    default:
      return true;
  }
}

// ---- formatting -----------------------------------------------------------------------------

/// Digits that one number of a pattern may be padded to.
constexpr std::size_t kPatternDigitsMax = 64;

void AppendNumber(I64 value, std::size_t digits, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{:0{}}", value, std::min(digits, kPatternDigitsMax));
}
void AppendYear(int year, std::size_t count, std::string* out) {
  if (count == 2) {
    AppendNumber(FloorMod(year, 100), 2, out);
  } else {
    AppendNumber(year, count, out);
  }
}
void AppendFraction(I64 ns, std::size_t count, std::string* out) {
  const std::string digits = fmt::format("{:09}", ns);
  const std::size_t shown = std::min(count, digits.size());
  out->append(digits, 0, shown);
  out->append(std::min(count, kPatternDigitsMax) - shown, '0');
}

// The instant that a pattern shows: rounded, half up, to the digits that its S asks for, but at least to
// milliseconds, which is what Joda counts in. Without an S nothing is rounded.
I64 RoundedTo(const JodaPattern& pattern, I64 ns) {
  std::size_t digits = 0;
  for (const PatternPart& part : pattern) {
    if (part.letter == 'S') digits = std::max<std::size_t>({digits, part.count, 3});
  }
  if (digits == 0 || digits >= 9) return ns;
  I64 unit = 1;
  for (; digits < 9; ++digits) unit *= 10;
  const I64 floor = ns - FloorMod(ns, unit);
  if (2 * (ns - floor) < unit) return floor;
  return floor > INT64_MAX - unit ? floor : floor + unit;
}

void AppendField(const PatternPart& part, I64 ns, std::string* out) {
  const I64 days = DaysOf(ns);
  const I64 of_day = NsOfDay(ns);
  const CivilDate date = CivilFromDays(days);
  const I64 hour = of_day / kNsPerHour;
  const std::size_t count = part.count;
  switch (part.letter) {
    case 'G':
      out->append(date.year > 0 ? "AD" : "BC");
      return;
    case 'C':
      return AppendNumber(date.year / 100, count, out);
    case 'Y':
    case 'y':
    case 'u':
      return AppendYear(date.year, count, out);
    case 'x':
      return AppendYear(IsoWeekOf(days).year, count, out);
    case 'w':
      return AppendNumber(IsoWeekOf(days).week, count, out);
    case 'e':
      return AppendNumber(DayOfWeek(days), count, out);
    case 'E': {
      const std::string_view name = kDayNames[static_cast<std::size_t>(DayOfWeek(days) - 1)];
      out->append(count >= 4 ? name : name.substr(0, 3));
      return;
    }
    case 'D':
      return AppendNumber(DayOfYear(days), count, out);
    case 'M':
    case 'L': {
      if (count <= 2) return AppendNumber(date.month, count, out);
      const std::string_view name = kMonthNames[static_cast<std::size_t>(date.month - 1)];
      out->append(count >= 4 ? name : name.substr(0, 3));
      return;
    }
    case 'd':
      return AppendNumber(date.day, count, out);
    case 'a':
      out->append(hour < 12 ? "AM" : "PM");
      return;
    case 'K':
      return AppendNumber(hour % 12, count, out);
    case 'h':
      return AppendNumber(hour % 12 == 0 ? 12 : hour % 12, count, out);
    case 'H':
      return AppendNumber(hour, count, out);
    case 'k':
      return AppendNumber(hour == 0 ? 24 : hour, count, out);
    case 'm':
      return AppendNumber(of_day / kNsPerMinute % 60, count, out);
    case 's':
      return AppendNumber(of_day / kNsPerSecond % 60, count, out);
    case 'S':
      return AppendFraction(of_day % kNsPerSecond, count, out);
    case 'n':
      return AppendNumber(of_day % kNsPerSecond, count, out);
    case 'z':
      out->append(count >= 4 ? "Coordinated Universal Time" : "UTC");
      return;
    case 'Z':
      out->append(count == 1 ? "+0000" : (count == 2 ? "+00:00" : "UTC"));
      return;
    default:
      out->append(part.literal);
  }
}

// ---- parsing --------------------------------------------------------------------------------

bool SameAsciiText(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

struct NamedOffset {
  std::string_view name;
  int hours;
};
constexpr NamedOffset kNamedOffsets[] = {{"UTC", 0},  {"GMT", 0},  {"UT", 0},   {"EST", -5},
                                         {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7},
                                         {"MDT", -6}, {"PST", -8}, {"PDT", -7}};

class JodaParser {
 public:
  explicit JodaParser(std::string_view text) : text_(text) {}

  Result<I64> Parse(const JodaPattern& pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      const bool digits_follow = i + 1 < pattern.size() && IsNumeric(pattern[i + 1]);
      if (!Field(pattern[i], digits_follow)) return Malformed();
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
  std::string_view rest() const { return text_.substr(at_); }
  bool Take(std::string_view token) {
    if (!SameAsciiText(rest().substr(0, token.size()), token)) return false;
    at_ += token.size();
    return true;
  }
  // Digits, at most `digits_max`, between `min` and `max`; `*digits` gets how many there were.
  bool Number(std::size_t digits_max, I64 min, I64 max, I64* value, std::size_t* digits = nullptr) {
    I64 number = 0;
    std::size_t count = 0;
    while (count < digits_max && at_ + count < text_.size() && text_[at_ + count] >= '0' &&
           text_[at_ + count] <= '9') {
      number = number * 10 + (text_[at_ + count] - '0');
      ++count;
    }
    if (count == 0 || number < min || number > max) return false;
    at_ += count;
    *value = number;
    if (digits != nullptr) *digits = count;
    return true;
  }
  template <std::size_t size>
  bool Name(const std::array<std::string_view, size>& names, I64* index) {
    for (std::size_t i = 0; i < size; ++i) {
      if (Take(names[i]) || Take(names[i].substr(0, 3))) {
        *index = static_cast<I64>(i) + 1;
        return true;
      }
    }
    return false;
  }
  bool Year(const PatternPart& part, bool digits_follow, I64* year) {
    std::size_t digits = 0;
    const bool negative = Take("-");
    if (!Number(digits_follow ? part.count : 9, 0, 9999, year, &digits)) return false;
    if (part.count == 2 && digits == 2 && !negative) *year += *year >= 70 ? 1900 : 2000;
    if (negative) *year = -*year;
    return true;
  }
  bool Fraction(const PatternPart& part, bool digits_follow) {
    std::size_t digits = 0;
    const std::size_t digits_max = digits_follow ? std::min<std::size_t>(part.count, 9) : 9;
    if (!Number(digits_max, 0, INT64_MAX, &fraction_, &digits)) return false;
    for (; digits < 9; ++digits) fraction_ *= 10;
    return true;
  }
  bool Half() {
    if (Take("AM")) {
      half_ = 0;
    } else if (Take("PM")) {
      half_ = 1;
    } else {
      return false;
    }
    return true;
  }
  bool Offset() {
    if (Take("Z")) {
      offset_seconds_ = 0;
      return true;
    }
    const bool negative = Take("-");
    if (!negative && !Take("+")) return false;
    I64 hours = 0;
    I64 minutes = 0;
    if (!Number(2, 0, 23, &hours)) return false;
    if (Take(":") ? !Number(2, 0, 59, &minutes)
                  : !rest().empty() && rest()[0] >= '0' && rest()[0] <= '9' &&
                        !Number(2, 0, 59, &minutes)) {
      return false;
    }
    offset_seconds_ = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    return true;
  }
  bool ZoneName(bool regions) {
    const std::size_t end =
        std::find_if_not(rest().begin(), rest().end(),
                         [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                                  c == '/' || c == '-' || c == '+' || (c >= '0' && c <= '9');
                         }) -
        rest().begin();
    const std::string_view name = rest().substr(0, end);
    for (const NamedOffset& zone : kNamedOffsets) {
      if (!SameAsciiText(name, zone.name)) continue;
      offset_seconds_ = zone.hours * 3600;
      at_ += end;
      return true;
    }
    if (!regions || name.empty()) return false;
    region_ = name;
    at_ += end;
    return true;
  }

  bool Field(const PatternPart& part, bool digits_follow) {
    const std::size_t two = digits_follow ? part.count : 2;
    switch (part.letter) {
      case 'G':
        if (Take("BC")) return before_christ_ = true;
        return Take("AD");
      case 'C':
        return Number(two, 0, 99, &century_);
      case 'Y':
      case 'y':
      case 'u':
        return Year(part, digits_follow, &year_);
      case 'x':
        return week_fields_ = Year(part, digits_follow, &week_year_);
      case 'w':
        return week_fields_ = Number(two, 1, 53, &week_);
      case 'e':
        return week_fields_ = Number(1, 1, 7, &week_day_);
      case 'E':
        return Name(kDayNames, &ignored_);
      case 'D':
        return Number(digits_follow ? part.count : 3, 1, 366, &year_day_);
      case 'M':
      case 'L':
        return part.count <= 2 ? Number(two, 1, 12, &month_) : Name(kMonthNames, &month_);
      case 'd':
        return Number(two, 1, 31, &day_);
      case 'a':
        return Half();
      case 'K':
        twelve_ = true;
        return Number(two, 0, 11, &hour_);
      case 'h':
        twelve_ = true;
        return Number(two, 1, 12, &hour_);
      case 'H':
        return Number(two, 0, 23, &hour_);
      case 'k':
        return Number(two, 1, 24, &hour_);
      case 'm':
        return Number(two, 0, 59, &minute_);
      case 's':
        return Number(two, 0, 59, &second_);
      case 'S':
        return Fraction(part, digits_follow);
      case 'n':
        return Number(9, 0, 999'999'999, &fraction_);
      case 'z':
        return ZoneName(true);
      case 'Z':
        return part.count <= 2 ? Offset() : ZoneName(true);
      default:
        return Take(part.literal);
    }
  }

  // The day the date fields name: a day of a week or of a year where those were given.
  Result<I64> Day() const {
    const I64 signed_year = before_christ_ ? 1 - year_ : year_;
    const I64 full_year = century_ >= 0 ? century_ * 100 + FloorMod(year_, 100) : signed_year;
    const int year = static_cast<int>(full_year);
    if (week_fields_) {
      I64 days = 0;
      if (!DaysFromIsoWeek(static_cast<int>(week_year_), static_cast<int>(week_), &days)) {
        return ExecutionFailed("Invalid format: \"{}\": the year has no week {}", text_, week_);
      }
      return days + week_day_ - 1;
    }
    if (year_day_ > 0) {
      const I64 first = DaysFromCivil(year, 1, 1);
      if (first + year_day_ > DaysFromCivil(year + 1, 1, 1)) {
        return ExecutionFailed("Invalid format: \"{}\": the year has no day {}", text_, year_day_);
      }
      return first + year_day_ - 1;
    }
    if (day_ > DaysInMonth(year, static_cast<int>(month_))) {
      return ExecutionFailed("Invalid format: \"{}\": the month has no day {}", text_, day_);
    }
    return DaysFromCivil(year, static_cast<int>(month_), static_cast<int>(day_));
  }

  Result<I64> Instant() const {
    const I64 days = TL_TRY(Day());
    I64 hour = twelve_ ? hour_ % 12 : hour_ % 24;
    if (twelve_ && half_ == 1) hour += 12;
    const Int128 local = Int128{days} * kNsPerDay + hour * kNsPerHour + minute_ * kNsPerMinute +
                         second_ * kNsPerSecond + fraction_;
    if (region_.empty()) return CheckTimestamp(local - Int128{offset_seconds_} * kNsPerSecond);
    const I64 wall = TL_TRY(CheckTimestamp(local));
    std::string stamp;
    AppendTimestamp(wall, &stamp);
    stamp.push_back(' ');
    stamp.append(region_);
    const Result<I64> instant = ParseTimestamp(stamp);
    if (!instant.ok()) {
      return ExecutionFailed("Invalid format: \"{}\" is malformed at \"{}\"", text_, region_);
    }
    return CheckTimestamp(*instant);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  I64 year_ = 1970;
  I64 century_ = -1;
  I64 month_ = 1;
  I64 day_ = 1;
  I64 year_day_ = 0;
  I64 week_year_ = 1970;
  I64 week_ = 1;
  I64 week_day_ = 1;
  I64 hour_ = 0;
  I64 minute_ = 0;
  I64 second_ = 0;
  I64 fraction_ = 0;
  I64 ignored_ = 0;
  I64 offset_seconds_ = 0;
  int half_ = 0;
  bool twelve_ = false;
  bool week_fields_ = false;
  bool before_christ_ = false;
  std::string_view region_;
};

// ---- kernels --------------------------------------------------------------------------------

// The pattern of the call site; read anew only when its text changes.
struct JodaState {
  std::string text;
  std::optional<JodaPattern> pattern;
};

// Runs f(pattern, row) for each row; its Status is the row's.
template <typename F>
void ForJodaPatterns(const KernelContext& context, const Vector& patterns, const Selection& rows,
                     RowErrors* errors, F&& f) {
  JodaState local;
  JodaState* state = &local;
  if (context.state != nullptr) {
    if (!context.state->has_value()) *context.state = JodaState{};
    state = std::any_cast<JodaState>(context.state);
  }
  const Reader<StringRef> texts(patterns);
  rows.ForEach([&](std::uint32_t row) {
    const std::string_view text = texts[row].view();
    if (!state->pattern || state->text != text) {
      Result<JodaPattern> pattern = ReadJodaPattern(text);
      if (!pattern.ok()) {
        errors->Add(row, pattern.status());
        return;
      }
      state->pattern = *std::move(pattern);
      state->text = text;
    }
    Status status = f(*state->pattern, row);
    if (!status.ok()) errors->Add(row, std::move(status));
  });
}

Status FormatDatetimeKernel(const KernelContext& context, std::span<const Vector> arguments,
                            const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<I64> times(arguments[0]);
  std::string out;
  ForJodaPatterns(context, arguments[1], rows, errors,
                  [&](const JodaPattern& pattern, std::uint32_t row) {
                    out.clear();
                    const I64 shown = RoundedTo(pattern, times[row]);
                    for (const PatternPart& part : pattern) AppendField(part, shown, &out);
                    result->SetString(row, out);
                    return OkStatus();
                  });
  return OkStatus();
}

Status ParseDatetimeKernel(const KernelContext& context, std::span<const Vector> arguments,
                           const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  I64* out = result->mutable_values<I64>();
  ForJodaPatterns(context, arguments[1], rows, errors,
                  [&](const JodaPattern& pattern, std::uint32_t row) -> Status {
                    out[row] = TL_TRY(JodaParser(texts[row].view()).Parse(pattern));
                    return OkStatus();
                  });
  return OkStatus();
}

constexpr ScalarOverload kFormatDatetimeOverloads[] = {
    {"(timestamp, varchar) -> varchar", FormatDatetimeKernel}};
constexpr ScalarFunction kFormatDatetime{
    .name = "format_datetime",
    .overloads = kFormatDatetimeOverloads,
    .doc = {"date and time", "The timestamp as text by Joda's pattern letters.",
            "SELECT format_datetime(TIMESTAMP '2019-10-20 10:20:20', 'yyyy-MM-dd''T''HH:mm')",
            "2019-10-20T10:20"}};
TL_REGISTER_SCALAR(kFormatDatetime);
constexpr ScalarOverload kParseDatetimeOverloads[] = {
    {"(varchar, varchar) -> timestamp", ParseDatetimeKernel}};
constexpr ScalarFunction kParseDatetime{
    .name = "parse_datetime",
    .overloads = kParseDatetimeOverloads,
    .doc = {"date and time", "The instant a text names, read by Joda's pattern letters.",
            "SELECT parse_datetime('2019-12-29 10:10 PST', 'uuuu-LL-dd HH:mm z')",
            "2019-12-29 18:10:00.000000000"}};
TL_REGISTER_SCALAR(kParseDatetime);

}  // namespace
}  // namespace tideline::functions
