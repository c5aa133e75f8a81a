#include "service/api/record_checker.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/time.h"
#include "service/api/choices.h"
#include "service/api/write_service.h"

namespace tideline::api {
namespace {

using catalog::MeasureType;

constexpr std::string_view kInvalidTimeText = "Invalid time for record.";

// Reads all of `text` as an integer; a leading '+' is fine.
bool ReadInteger(std::string_view text, std::int64_t* value) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Short decimals are most of what is written; everything else is left to from_chars. With at most fifteen digits both
// the digits as one integer and the power of ten below them are exact doubles, so that one division rounds correctly
// (Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990, the fast path).
bool ReadShortDecimal(std::string_view text, double* value) {
  constexpr std::size_t kDigitsMax = 15;
  constexpr double kPowers[kDigitsMax + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > kDigitsMax) return false;
  std::int64_t sum = 0;
  std::size_t point = text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      sum = sum * 10 + (c - '0');
    } else if (c == '.' && point == text.size() && i > 0 && i + 1 < text.size()) {
      point = i;
    } else {
      return false;
    }
  }
  auto whole = static_cast<double>(sum);
  if (point != text.size()) whole /= kPowers[text.size() - point - 1];
  *value = negative ? -whole : whole;
  return true;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
  }
  return true;
}

Status BadValue(std::string_view name, std::string_view text, std::string_view type) {
  return InvalidArgument("Invalid value for measure {}: '{}' is not a valid {}.", name,
                         text.substr(0, 64), type);
}

bool IsReservedName(std::string_view name) {
  return name == "time" || name == "measure_name" || name == "ts_non_existent_col" ||
         name.starts_with("ts_") || name.starts_with("measure_value") ||
         name.starts_with("measure_name");
}

}  // namespace

bool ReadDouble(std::string_view text, double* value) {
  if (ReadShortDecimal(text, value)) return true;
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  if (text.empty()) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error == std::errc::result_out_of_range && end == text.data() + text.size()) {
    // Too small to tell from zero reads as zero (or as the nearest there is); too large is refused.
    // from_chars says only "range"; the text is a number, and short.
    *value = std::strtod(std::string(text).c_str(), nullptr);
    return std::isfinite(*value);
  }
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(*value);
}

IngestionWindow WindowOf(const catalog::TableSchema& table, TimestampNs now) {
  const catalog::Retention& retention = table.properties.retention;
  IngestionWindow window;
  window.magnetic_writes = table.properties.magnetic_store_writes.enabled;
  const std::int64_t oldest = now.value - choices::kPastGraceNs;
  window.end_ns = now.value + choices::kFutureIngestionNs;
  window.memory_begin_ns = oldest - retention.memory_hours * kNsPerHour;
  window.begin_ns =
      window.magnetic_writes ? oldest - retention.total_ns() : window.memory_begin_ns;
  return window;
}

Status CheckWindow(std::int64_t time_ns, const IngestionWindow& window, engine::Store* store) {
  if (time_ns < window.begin_ns || time_ns >= window.end_ns) {
    return Rejected("The record timestamp is outside the time range [{}, {}) of the {}.",
                    FormatIso8601({window.begin_ns}, 3), FormatIso8601({window.end_ns}, 3),
                    window.magnetic_writes ? "data ingestion window" : "memory store");
  }
  if (time_ns < 0) return Rejected("{}", kInvalidTimeText);
  *store = time_ns >= window.memory_begin_ns ? engine::Store::kMemory : engine::Store::kMagnetic;
  return OkStatus();
}

std::int64_t NanosecondsPer(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return kNsPerSecond;
    case TimeUnit::kMilliseconds:
      return kNsPerMs;
    case TimeUnit::kMicroseconds:
      return kNsPerUs;
    case TimeUnit::kNanoseconds:
      return 1;
  }
  return 1;
}

Result<std::int64_t> ParseRecordTime(std::string_view text, TimeUnit unit) {
  std::int64_t value = 0;
  std::int64_t ns = 0;
  const bool reads = ReadInteger(text, &value);
  if (reads && value < 0) {
    if (!choices::kTimeBefore1970RejectsRecord) return InvalidArgument("{}", kInvalidTimeText);
    return __builtin_mul_overflow(value, NanosecondsPer(unit), &ns) ? INT64_MIN : ns;
  }
  if (!reads || __builtin_mul_overflow(value, NanosecondsPer(unit), &ns)) {
    return InvalidArgument("{}", kInvalidTimeText);
  }
  return ns;
}

Status CheckDimensionName(std::string_view name) {
  if (name.empty()) return InvalidArgument("The dimension name must not be empty.");
  if (name.size() > kDimensionNameBytesMax) {
    return Rejected("The length of dimension name {} exceeds the limit of {} bytes.", name,
                    kDimensionNameBytesMax);
  }
  if (IsReservedName(name)) {
    return Rejected("The dimension name {} is reserved and cannot be used.", name);
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool line_separator = c == 0xe2 && name.substr(i, 2) == "\xe2\x80" &&
                                i + 2 < name.size() && (name[i + 2] == '\xa8' || name[i + 2] == '\xa9');
    if (c < 0x20 || c == ':' || c == '"' || line_separator) {
      return Rejected("The dimension name {} contains a character that is not allowed.", name);
    }
  }
  return OkStatus();
}

Status CheckMeasureName(std::string_view name, std::string_view what) {
  if (name.empty()) return InvalidArgument("The {} must not be empty.", what);
  if (name.size() > kMeasureNameBytesMax) {
    return Rejected("The length of {} {} exceeds the limit of {} bytes.", what, name.substr(0, 64),
                    kMeasureNameBytesMax);
  }
  if (IsReservedName(name)) {
    return Rejected("The {} {} is reserved and cannot be used.", what, name);
  }
  if (name.find(':') != std::string_view::npos) {
    return Rejected("The {} {} contains a colon, which is not allowed.", what, name);
  }
  return OkStatus();
}

Result<engine::MeasureView> ParseMeasure(std::string_view name, std::string_view text,
                                         MeasureType type, TimeUnit unit) {
  if (text.size() > kMeasureValueBytesMax) {
    return InvalidArgument("The value of measure {} has {} bytes, which exceeds the limit of {}.",
                           name, text.size(), kMeasureValueBytesMax);
  }
  switch (type) {
    case MeasureType::kDouble: {
      double value = 0;
      if (!ReadDouble(text, &value)) {
        return InvalidArgument(
            "Invalid value for measure {}: '{}' is not a finite IEEE 754 double.", name,
            text.substr(0, 64));
      }
      return engine::MeasureView::Double(StoredDouble(value), name);
    }
    case MeasureType::kBigint: {
      std::int64_t value = 0;
      if (!ReadInteger(text, &value)) return BadValue(name, text, "bigint");
      return engine::MeasureView::Bigint(value, name);
    }
    case MeasureType::kVarchar:
      if (text.empty() && choices::kEmptyVarcharRefused) return BadValue(name, text, "varchar");
      return engine::MeasureView::Varchar(text, name);
    case MeasureType::kBoolean: {
      const bool is_true = choices::kBooleanAnyCase ? EqualsIgnoringCase(text, "true") : text == "true";
      const bool is_false =
          choices::kBooleanAnyCase ? EqualsIgnoringCase(text, "false") : text == "false";
      if (!is_true && !is_false) return BadValue(name, text, "boolean");
      return engine::MeasureView::Boolean(is_true, name);
    }
    case MeasureType::kTimestamp: {
      std::int64_t value = 0;
      std::int64_t ns = 0;
      if (!ReadInteger(text, &value) || value < 0 ||
          __builtin_mul_overflow(value, NanosecondsPer(unit), &ns)) {
        return BadValue(name, text, "timestamp");
      }
      return engine::MeasureView::Timestamp(ns, name);
    }
    case MeasureType::kMulti:
      break;
  }
  return InvalidArgument("MULTI is an invalid measure value type for the attribute {}.", name);
}

}  // namespace tideline::api
