#include "columnar/text_format.h"

#include <absl/strings/ascii.h>
#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/time.h"

namespace tideline {
namespace {

void AppendPadded(std::uint64_t value, int width, std::string* out) {
  std::array<char, 20> digits;
  int at = static_cast<int>(digits.size());
  do {
    digits[static_cast<std::size_t>(--at)] = static_cast<char>('0' + value % 10);
    value /= 10;
    --width;
  } while (value != 0);
  while (width-- > 0) digits[static_cast<std::size_t>(--at)] = '0';
  out->append(digits.data() + at, digits.size() - static_cast<std::size_t>(at));
}

std::int64_t FloorDiv(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return quotient - (a % b < 0 ? 1 : 0);
}

// The magnitude of any int64, INT64_MIN included.
std::uint64_t Magnitude(std::int64_t value) {
  return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

// ---- a cursor over text that is being read ------------------------------------------------------

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {
    while (!text_.empty() && IsBlank(text_.front())) text_.remove_prefix(1);
    while (!text_.empty() && IsBlank(text_.back())) text_.remove_suffix(1);
  }
  static bool IsBlank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
  }
  bool at_end() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  std::string_view rest() const { return text_; }
  bool Take(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void SkipBlanks() {
    while (!text_.empty() && IsBlank(text_.front())) text_.remove_prefix(1);
  }
  // Between `min` and `max` digits; -1 otherwise.
  int Digits(int min, int max) {
    int value = 0;
    int count = 0;
    while (count < max && peek() >= '0' && peek() <= '9') {
      value = value * 10 + (peek() - '0');
      text_.remove_prefix(1);
      ++count;
    }
    return count < min ? -1 : value;
  }
  // One to nine digits after the point, as nanoseconds; -1 otherwise.
  std::int64_t Fraction() {
    std::int64_t value = 0;
    int count = 0;
    while (peek() >= '0' && peek() <= '9') {
      if (++count > 9) return -1;
      value = value * 10 + (peek() - '0');
      text_.remove_prefix(1);
    }
    if (count == 0) return -1;
    for (; count < 9; ++count) value *= 10;
    return value;
  }

 private:
  std::string_view text_;
};

bool ReadDate(Cursor* cursor, std::int64_t* days) {
  static constexpr int kYearDigitsMax = 6;
  const bool negative = cursor->Take('-');
  if (!negative) cursor->Take('+');
  int year = cursor->Digits(1, kYearDigitsMax);
  if (year < 0 || !cursor->Take('-')) return false;
  if (negative) year = -year;
  const int month = cursor->Digits(1, 2);
  if (month < 1 || month > 12 || !cursor->Take('-')) return false;
  const int day = cursor->Digits(1, 2);
  if (day < 1 || day > DaysInMonth(year, month)) return false;
  *days = DaysFromCivil(year, month, day);
  return true;
}

bool ReadClock(Cursor* cursor, std::int64_t* ns) {
  const int hour = cursor->Digits(1, 2);
  if (hour < 0 || hour > 23 || !cursor->Take(':')) return false;
  const int minute = cursor->Digits(1, 2);
  if (minute < 0 || minute > 59) return false;
  *ns = hour * kNsPerHour + minute * kNsPerMinute;
  if (!cursor->Take(':')) return true;
  const int second = cursor->Digits(1, 2);
  if (second < 0 || second > 59) return false;
  *ns += second * kNsPerSecond;
  if (!cursor->Take('.')) return true;
  const std::int64_t fraction = cursor->Fraction();
  if (fraction < 0) return false;
  *ns += fraction;
  return true;
}

// A zone at the end of a timestamp: what to subtract from the wall clock `local_ns` to get UTC.
bool ReadZone(Cursor* cursor, Int128 local_ns, std::int64_t* offset_ns) {
  cursor->SkipBlanks();
  const std::string_view name = cursor->rest();
  *offset_ns = 0;
  if (name.empty() || name == "Z" || name == "z" || name == "UTC" || name == "GMT") return true;
  if (name[0] == '+' || name[0] == '-') {
    const bool negative = name[0] == '-';
    cursor->Take(name[0]);
    const int hours = cursor->Digits(1, 2);
    int minutes = 0;
    if (cursor->Take(':') || !cursor->at_end()) minutes = cursor->Digits(2, 2);
    if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59 || !cursor->at_end()) return false;
    *offset_ns = (hours * 60 + minutes) * kNsPerMinute * (negative ? -1 : 1);
    return true;
  }
  static constexpr std::size_t kZoneNameBytesMax = 64;
  // Names of the database alone: a path, or "file:" before one, would open any file.
  const auto in_name = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' || c == '+';
  };
  if (name.size() > kZoneNameBytesMax || name[0] == '/' || !std::all_of(name.begin(), name.end(), in_name)) {
    return false;
  }
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(absl::string_view(name.data(), name.size()), &zone)) return false;
  const auto seconds = static_cast<std::int64_t>(local_ns / kNsPerSecond);
  const absl::CivilSecond civil = absl::CivilSecond(1970, 1, 1, 0, 0, 0) + seconds;
  const absl::TimeZone::TimeInfo info = zone.At(civil);
  *offset_ns = (seconds - absl::ToUnixSeconds(info.pre)) * kNsPerSecond;
  return true;
}

Status NotA(std::string_view type, std::string_view text) {
  return ExecutionFailed("Value cannot be cast to {}: {}", type, text);
}

void AppendQuoted(const Vector& vector, std::size_t row, std::string* out) {
  if (vector.IsNull(row)) {
    out->append("null");
  } else {
    AppendText(vector, row, out);
  }
}

void AppendList(const Vector& vector, std::size_t row, std::string* out) {
  const Vector& base = vector.base();
  const ListEntry entry = base.values<ListEntry>()[vector.Index(row)];
  const bool is_map = vector.type().is(TypeId::kMap);
  const bool is_series = vector.type().is(TypeId::kTimeseries);
  out->push_back(is_map ? '{' : '[');
  for (std::size_t i = entry.offset; i < std::size_t{entry.offset} + entry.length; ++i) {
    if (i > entry.offset) out->append(is_series || is_map ? ", " : ",");
    if (is_series) out->append("{time: ");
    AppendQuoted(base.child(0), i, out);
    if (is_series) out->append(", value: ");
    if (is_map) out->push_back('=');
    if (is_series || is_map) AppendQuoted(base.child(1), i, out);
    if (is_series) out->push_back('}');
  }
  out->push_back(is_map ? '}' : ']');
}

}  // namespace

namespace {

// Most doubles people store are decimals of few digits. A decimal of at most 15 digits that reads as
// `value` is the only one so short (distinct ones read as distinct doubles), hence the shortest; up
// to four places and below kPlainMax it has eleven. The quotient below is rounded as reading rounds.
// False, with nothing written, when `value`, at least kPlainMin, is no such decimal.
constexpr double kPlainMin = 1e-3;
constexpr double kPlainMax = 1e7;
bool AppendShortDecimal(double value, std::string* out) {
  constexpr std::int64_t kScale = 10'000;
  if (!(value < kPlainMax)) return false;
  const auto scaled = static_cast<std::int64_t>(value * static_cast<double>(kScale) + 0.5);
  if (static_cast<double>(scaled) / static_cast<double>(kScale) != value) return false;
  std::array<char, 16> buffer;
  char* const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), scaled / kScale).ptr;
  auto fraction = static_cast<unsigned>(scaled % kScale);
  char* at = end;
  *at++ = '.';
  for (unsigned place = 1'000; place != 0; place /= 10) {
    *at++ = static_cast<char>('0' + fraction / place);
    fraction %= place;
    if (fraction == 0) break;
  }
  out->append(buffer.data(), static_cast<std::size_t>(at - buffer.data()));
  return true;
}

}  // namespace

void AppendDouble(double value, std::string* out) {
  if (std::isnan(value)) {
    out->append("NaN");
    return;
  }
  if (std::signbit(value)) out->push_back('-');
  value = std::fabs(value);
  if (value >= kPlainMin && AppendShortDecimal(value, out)) return;
  if (std::isinf(value)) {
    out->append("Infinity");
    return;
  }
  if (value == 0) {
    out->append("0.0");
    return;
  }
  // "d.ddde[+-]xx", the fewest digits that read back equal.
  std::array<char, 32> buffer;
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  if (buffer[1] == 'e') {
    // Of two digits, where one would do, Java shows the nearest: 4.9E-324.
    std::array<char, 32> two;
    const auto two_end =
        std::to_chars(two.data(), two.data() + two.size(), value, std::chars_format::scientific, 1).ptr;
    double read = 0;
    if (std::from_chars(two.data(), two_end, read).ptr == two_end && read == value && two[2] != '0') {
      buffer = two;
      end = buffer.data() + (two_end - two.data());
    }
  }
  std::array<char, 24> digits;
  std::size_t count = 0;
  const char* at = buffer.data();
  for (; *at != 'e'; ++at) {
    if (*at != '.') digits[count++] = *at;
  }
  ++at;
  if (*at == '+') ++at;
  int exponent = 0;
  std::from_chars(at, end, exponent);
  if (value < kPlainMin || value >= kPlainMax) {
    out->push_back(digits[0]);
    out->push_back('.');
    if (count == 1) {
      out->push_back('0');
    } else {
      out->append(digits.data() + 1, count - 1);
    }
    out->push_back('E');
    AppendInteger(exponent, out);
    return;
  }
  if (exponent < 0) {
    out->append("0.");
    out->append(static_cast<std::size_t>(-exponent - 1), '0');
    out->append(digits.data(), count);
    return;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (count <= whole) {
    out->append(digits.data(), count);
    out->append(whole - count, '0');
    out->append(".0");
  } else {
    out->append(digits.data(), whole);
    out->push_back('.');
    out->append(digits.data() + whole, count - whole);
  }
}

void AppendInteger(std::int64_t value, std::string* out) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out->append(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
}

void AppendDate(std::int32_t days, std::string* out) {
  const CivilDate date = CivilFromDays(days);
  if (date.year < 0) out->push_back('-');
  AppendPadded(Magnitude(date.year), 4, out);
  out->push_back('-');
  AppendPadded(static_cast<std::uint64_t>(date.month), 2, out);
  out->push_back('-');
  AppendPadded(static_cast<std::uint64_t>(date.day), 2, out);
}

void AppendTime(std::int64_t ns_of_day, std::string* out) {
  const auto ns = static_cast<std::uint64_t>(ns_of_day);
  std::array<char, 18> text;
  const auto two = [](std::uint64_t value, char* at) {
    at[0] = static_cast<char>('0' + value / 10);
    at[1] = static_cast<char>('0' + value % 10);
  };
  two(ns / kNsPerHour, &text[0]);
  text[2] = ':';
  two(ns / kNsPerMinute % 60, &text[3]);
  text[5] = ':';
  two(ns / kNsPerSecond % 60, &text[6]);
  text[8] = '.';
  auto fraction = static_cast<std::uint32_t>(ns % kNsPerSecond);
  for (std::size_t place = 17; place > 8; --place) {
    text[place] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  out->append(text.data(), text.size());
}

void AppendTimestamp(std::int64_t ns, std::string* out) {
  const std::int64_t days = FloorDiv(ns, kNsPerDay);
  // Times that are printed together mostly are of one day.
  static thread_local std::string day_text;
  static thread_local std::int64_t day = INT64_MIN;
  if (day != days) {
    day_text.clear();
    AppendDate(static_cast<std::int32_t>(days), &day_text);
    day_text.push_back(' ');
    day = days;
  }
  out->append(day_text);
  // Not ns - days * kNsPerDay: that product underflows for the first instants there are.
  const std::int64_t remainder = ns % kNsPerDay;
  AppendTime(remainder < 0 ? remainder + kNsPerDay : remainder, out);
}

void AppendDayToSecond(std::int64_t ns, std::string* out) {
  if (ns < 0) out->push_back('-');
  const std::uint64_t magnitude = Magnitude(ns);
  AppendPadded(magnitude / kNsPerDay, 1, out);
  out->push_back(' ');
  AppendTime(static_cast<std::int64_t>(magnitude % kNsPerDay), out);
}

void AppendYearToMonth(std::int32_t months, std::string* out) {
  if (months < 0) out->push_back('-');
  const std::uint64_t magnitude = Magnitude(months);
  AppendPadded(magnitude / 12, 1, out);
  out->push_back('-');
  AppendPadded(magnitude % 12, 1, out);
}

void AppendDecimal(Int128 unscaled, int scale, std::string* out) {
  __extension__ using Uint128 = unsigned __int128;
  if (unscaled < 0) out->push_back('-');
  Uint128 magnitude =
      unscaled < 0 ? Uint128{0} - static_cast<Uint128>(unscaled) : static_cast<Uint128>(unscaled);
  std::array<char, 48> digits;
  std::size_t at = digits.size();
  int written = 0;
  while (magnitude != 0 || written <= scale) {
    if (written == scale && scale > 0) digits[--at] = '.';
    digits[--at] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
    ++written;
  }
  out->append(digits.data() + at, digits.size() - at);
}

void AppendText(const Vector& vector, std::size_t row, std::string* out) {
  const Vector& base = vector.base();
  const std::size_t index = vector.Index(row);
  switch (vector.type().id()) {
    case TypeId::kUnknown:
      out->append("null");
      return;
    case TypeId::kBoolean:
      out->append(base.values<std::uint8_t>()[index] != 0 ? "true" : "false");
      return;
    case TypeId::kInteger:
      return AppendInteger(base.values<std::int32_t>()[index], out);
    case TypeId::kBigint:
      return AppendInteger(base.values<std::int64_t>()[index], out);
    case TypeId::kDouble:
      return AppendDouble(base.values<double>()[index], out);
    case TypeId::kDecimal:
      return AppendDecimal(base.values<Int128>()[index], vector.type().scale(), out);
    case TypeId::kVarchar:
    case TypeId::kJson:
      out->append(base.values<StringRef>()[index].view());
      return;
    case TypeId::kVarbinary: {
      static constexpr std::string_view kHex = "0123456789abcdef";
      for (const char c : base.values<StringRef>()[index].view()) {
        out->push_back(kHex[static_cast<unsigned char>(c) >> 4]);
        out->push_back(kHex[static_cast<unsigned char>(c) & 15]);
      }
      return;
    }
    case TypeId::kDate:
      return AppendDate(base.values<std::int32_t>()[index], out);
    case TypeId::kTime:
      return AppendTime(base.values<std::int64_t>()[index], out);
    case TypeId::kTimestamp:
      return AppendTimestamp(base.values<std::int64_t>()[index], out);
    case TypeId::kIntervalDayToSecond:
      return AppendDayToSecond(base.values<std::int64_t>()[index], out);
    case TypeId::kIntervalYearToMonth:
      return AppendYearToMonth(base.values<std::int32_t>()[index], out);
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kTimeseries:
      return AppendList(vector, row, out);
    case TypeId::kRow:
      out->push_back('(');
      for (std::size_t i = 0; i < vector.child_count(); ++i) {
        if (i > 0) out->push_back(',');
        AppendQuoted(base.child(i), index, out);
      }
      out->push_back(')');
      return;
  }
}

Result<std::int64_t> ParseTimestamp(std::string_view text) {
  Cursor cursor(text);
  std::int64_t days = 0;
  std::int64_t clock = 0;
  if (!ReadDate(&cursor, &days)) return NotA("timestamp", text);
  // A blank may stand before the clock or before a zone without a clock.
  if (cursor.Take('T') || cursor.Take('t')) {
    if (!ReadClock(&cursor, &clock)) return NotA("timestamp", text);
  } else if (Cursor::IsBlank(cursor.peek())) {
    cursor.SkipBlanks();
    if (cursor.peek() >= '0' && cursor.peek() <= '9' && !ReadClock(&cursor, &clock)) {
      return NotA("timestamp", text);
    }
  }
  const Int128 local = Int128{days} * kNsPerDay + clock;
  std::int64_t offset = 0;
  if (!ReadZone(&cursor, local, &offset)) return NotA("timestamp", text);
  const Int128 ns = local - offset;
  if (ns < std::numeric_limits<std::int64_t>::min() ||
      ns > std::numeric_limits<std::int64_t>::max()) {
    return ExecutionFailed("Timestamp out of range: {}", text);
  }
  return static_cast<std::int64_t>(ns);
}

Result<std::int32_t> ParseDate(std::string_view text) {
  Cursor cursor(text);
  std::int64_t days = 0;
  if (!ReadDate(&cursor, &days) || !cursor.at_end()) return NotA("date", text);
  return static_cast<std::int32_t>(days);
}

Result<std::int64_t> ParseTime(std::string_view text) {
  Cursor cursor(text);
  std::int64_t ns = 0;
  if (!ReadClock(&cursor, &ns) || !cursor.at_end()) return NotA("time", text);
  return ns;
}

Result<double> ParseDouble(std::string_view text) {
  const Cursor cursor(text);
  std::string_view digits = cursor.rest();
  bool negative = false;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) {
    negative = digits[0] == '-';
    digits.remove_prefix(1);
  }
  double value = 0;
  if (digits == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (digits == "Infinity") {
    value = std::numeric_limits<double>::infinity();
  } else {
    // from_chars would take "inf", "nan" and a second sign too.
    const bool starts =
        !digits.empty() && ((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.');
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (!starts || error == std::errc::invalid_argument || end != digits.data() + digits.size()) {
      return ExecutionFailed("Cannot cast '{}' to DOUBLE", text);
    }
    if (error == std::errc::result_out_of_range) {
      // Too large reads as infinity and too small as zero; the sign of the exponent tells.
      const std::size_t e = digits.find_first_of("eE");
      const bool tiny = e != digits.npos && digits.substr(e + 1).starts_with('-');
      const bool zero_lead = e == digits.npos && digits[0] == '0';
      value = tiny || zero_lead ? 0 : std::numeric_limits<double>::infinity();
    }
  }
  return negative ? -value : value;
}

Result<std::int64_t> ParseBigint(std::string_view text) {
  std::string_view digits = text;
  if (!digits.empty() && digits[0] == '+') {
    digits.remove_prefix(1);
    if (!digits.empty() && digits[0] == '-') digits = {};
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return ExecutionFailed("Cannot cast '{}' to BIGINT", text);
  }
  return value;
}

CivilDate CivilFromDays(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = FloorDiv(days, 146'097);
  const auto day_of_era = static_cast<std::uint32_t>(days - era * 146'097);
  const std::uint32_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint32_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t shifted_month = (5 * day_of_year + 2) / 153;
  CivilDate date;
  date.day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  date.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  date.year = static_cast<int>(era * 400 + year_of_era) + (date.month <= 2 ? 1 : 0);
  return date;
}

std::int64_t DaysFromCivil(int year, int month, int day) {
  const std::int64_t y = std::int64_t{year} - (month <= 2 ? 1 : 0);
  const std::int64_t era = FloorDiv(y, 400);
  const auto year_of_era = static_cast<std::uint32_t>(y - era * 400);
  const auto shifted_month = static_cast<std::uint32_t>(month > 2 ? month - 3 : month + 9);
  const std::uint32_t day_of_year =
      (153 * shifted_month + 2) / 5 + static_cast<std::uint32_t>(day) - 1;
  const std::uint32_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

int DaysInMonth(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month != 2) return kDays[month - 1];
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
}

}  // namespace tideline
