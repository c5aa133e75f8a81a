// columnar/text_format.h: values as text and text as values, exactly as the service prints them.
//
// One place for the digits: CAST to varchar, query results, CSV and the shell all come here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "columnar/vector.h"

namespace tideline {

/// Java's Double.toString shape over the shortest digits that round-trip: `1.0`, `1.0E10`, `NaN`.
void AppendDouble(double value, std::string* out);
void AppendInteger(std::int64_t value, std::string* out);
/// `YYYY-MM-DD hh:mm:ss.nnnnnnnnn`
void AppendTimestamp(std::int64_t ns, std::string* out);
/// `YYYY-MM-DD`
void AppendDate(std::int32_t days, std::string* out);
/// `hh:mm:ss.nnnnnnnnn`
void AppendTime(std::int64_t ns_of_day, std::string* out);
/// `[-]D hh:mm:ss.nnnnnnnnn`
void AppendDayToSecond(std::int64_t ns, std::string* out);
/// `[-]Y-M`
void AppendYearToMonth(std::int32_t months, std::string* out);
/// Unscaled decimal with its point: 12345, scale 2 -> `123.45`.
void AppendDecimal(Int128 unscaled, int scale, std::string* out);

/// The varchar form of row `row`: scalars as above, array `[a,b]`, row `(a,b)`, map `{k=v, …}`,
/// timeseries `[{time: …, value: …}]`; null inside nested values is `null`. The row itself must not be null.
void AppendText(const Vector& vector, std::size_t row, std::string* out);

/// Text to instant, as CAST(varchar AS timestamp) reads it: `Y-M-D[ H:M[:S[.f]]]` with an optional
/// trailing zone (`Z`, `UTC`, `+hh:mm`, `+hhmm`, a region name) converted to UTC; surrounding blanks
/// ignored; `T` as separator accepted. kExecutionFailed "Value cannot be cast to timestamp: …".
Result<std::int64_t> ParseTimestamp(std::string_view text);
Result<std::int32_t> ParseDate(std::string_view text);
Result<std::int64_t> ParseTime(std::string_view text);
/// Decimal or scientific, NaN, [+-]Infinity, blanks around allowed; nothing else (no hex).
Result<double> ParseDouble(std::string_view text);
/// Optional sign and digits only.
Result<std::int64_t> ParseBigint(std::string_view text);

/// Civil calendar (proleptic Gregorian), days since 1970-01-01. Source: Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", 2021.
struct CivilDate {
  int year;
  int month;  ///< 1..12
  int day;    ///< 1..31
};
CivilDate CivilFromDays(std::int64_t days);
std::int64_t DaysFromCivil(int year, int month, int day);
int DaysInMonth(int year, int month);

}  // namespace tideline
