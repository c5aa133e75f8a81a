#include "sql/parse/interval_text.h"

#include "base/time.h"

namespace tideline::sql::ast {
namespace {

__extension__ using WideInt = __int128;

struct UnitEntry {
  std::string_view text;
  IntervalFamily family;
  std::int64_t worth;  // nanoseconds or months
  char separator;      // after this unit's number, before the next finer unit's
};
constexpr UnitEntry kUnits[] = {
    {"YEAR", IntervalFamily::kYearToMonth, 12, '-'},
    {"MONTH", IntervalFamily::kYearToMonth, 1, '\0'},
    {"WEEK", IntervalFamily::kDayToSecond, 7 * kNsPerDay, '\0'},
    {"DAY", IntervalFamily::kDayToSecond, kNsPerDay, ' '},
    {"HOUR", IntervalFamily::kDayToSecond, kNsPerHour, ':'},
    {"MINUTE", IntervalFamily::kDayToSecond, kNsPerMinute, ':'},
    {"SECOND", IntervalFamily::kDayToSecond, kNsPerSecond, '\0'},
};
constexpr std::size_t kSecondFractionDigitsMax = 9;

const UnitEntry& EntryOf(IntervalUnit unit) { return kUnits[static_cast<std::size_t>(unit)]; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes a whole number off the front of `*text`; nullopt if there is none or it is past int64.
std::optional<std::int64_t> TakeNumber(std::string_view* text) {
  WideInt number = 0;
  std::size_t length = 0;
  for (; length < text->size() && IsDigit((*text)[length]); ++length) {
    number = number * 10 + ((*text)[length] - '0');
    if (number > INT64_MAX) return std::nullopt;
  }
  if (length == 0) return std::nullopt;
  text->remove_prefix(length);
  return static_cast<std::int64_t>(number);
}

// Takes ".123456789" off the front of `*text`, in nanoseconds; 0 without a point.
std::optional<std::int64_t> TakeSecondFraction(std::string_view* text) {
  if (text->empty() || text->front() != '.') return 0;
  text->remove_prefix(1);
  std::int64_t nanoseconds = 0;
  std::size_t length = 0;
  while (length < text->size() && IsDigit((*text)[length])) {
    if (length == kSecondFractionDigitsMax) return std::nullopt;
    nanoseconds = nanoseconds * 10 + ((*text)[length] - '0');
    ++length;
  }
  if (length == 0) return std::nullopt;
  text->remove_prefix(length);
  for (; length < kSecondFractionDigitsMax; ++length) nanoseconds *= 10;
  return nanoseconds;
}

// The magnitude of all of `text`, or nullopt.
std::optional<std::int64_t> ParseMagnitude(std::string_view text, IntervalUnit start,
                                           IntervalUnit end) {
  const std::int64_t magnitude_max =
      EntryOf(start).family == IntervalFamily::kYearToMonth ? INT32_MAX : INT64_MAX;
  WideInt magnitude = 0;
  for (auto unit = static_cast<std::size_t>(start);; ++unit) {
    const std::optional<std::int64_t> number = TakeNumber(&text);
    if (!number.has_value()) return std::nullopt;
    magnitude += WideInt{*number} * kUnits[unit].worth;
    if (unit == static_cast<std::size_t>(end)) break;
    if (text.empty()) break;  // '12 10' DAY TO SECOND: the finer fields are 0
    if (text.empty() || text.front() != kUnits[unit].separator) return std::nullopt;
    text.remove_prefix(1);
  }
  if (end == IntervalUnit::kSecond && !text.empty()) {
    const std::optional<std::int64_t> fraction = TakeSecondFraction(&text);
    if (!fraction.has_value()) return std::nullopt;
    magnitude += *fraction;
  }
  if (!text.empty() || magnitude > magnitude_max) return std::nullopt;
  return static_cast<std::int64_t>(magnitude);
}

}  // namespace

std::string_view IntervalUnitText(IntervalUnit unit) { return EntryOf(unit).text; }

Result<IntervalValue> ParseIntervalText(std::string_view text, bool negative, IntervalUnit start,
                                        std::optional<IntervalUnit> end) {
  const UnitEntry& first = EntryOf(start);
  if (end.has_value() &&
      (first.family != EntryOf(*end).family || *end <= start || start == IntervalUnit::kWeek)) {
    return InvalidArgument("Invalid INTERVAL qualifier: {} TO {}", first.text, EntryOf(*end).text);
  }
  std::string_view rest = text;
  if (rest.starts_with('-') || rest.starts_with('+')) {
    negative = negative != rest.starts_with('-');
    rest.remove_prefix(1);
  }
  const std::optional<std::int64_t> magnitude = ParseMagnitude(rest, start, end.value_or(start));
  if (!magnitude.has_value()) {
    if (end.has_value()) {
      return InvalidArgument("Invalid INTERVAL {} TO {} value: {}", first.text, EntryOf(*end).text,
                             text);
    }
    return InvalidArgument("Invalid INTERVAL {} value: {}", first.text, text);
  }
  return IntervalValue{first.family, negative ? -*magnitude : *magnitude};
}

}  // namespace tideline::sql::ast
