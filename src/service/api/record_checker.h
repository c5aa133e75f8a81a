// service/api/record_checker.h: the rules one record has to keep (names, values, times, sizes).
//
// A rule answers with a Status: kInvalidArgument refuses the whole request, as a framework or
// request-wide check of the service does; kAborted rejects this record alone, with the message as
// its reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "service/api/choices.h"
#include "service/api/write_request.h"
#include "storage/engine/write_batch.h"

namespace tideline::api {

/// Rejects one record with `reason`.
template <typename... Args>
Status Rejected(fmt::format_string<Args...> reason, Args&&... args) {
  return Aborted(reason, std::forward<Args>(args)...);
}

/// The one that counts of a member that a record and CommonAttributes may both give.
template <typename T>
const T& PickMember(const T& own, const T& common, bool record_wins = choices::kRecordWinsOverCommon) {
  const T& first = record_wins ? own : common;
  const T& second = record_wins ? common : own;
  return first.has_value() ? first : second;
}

/// The measure values of CommonAttributes that count for a record with `own` ones.
template <typename T>
T CommonValuesThatCount(const T& own, const T& common, bool merged = choices::kMeasureValuesMerged) {
  return merged || own.empty() ? common : T();
}

/// What is stored for `value`.
constexpr double StoredDouble(double value, bool negative_zero_stored = choices::kNegativeZeroStored) {
  return value == 0 && !negative_zero_stored ? 0.0 : value;
}

/// The ingestion window of one table at one moment; half open.
struct IngestionWindow {
  std::int64_t memory_begin_ns = 0;
  std::int64_t begin_ns = 0;  ///< of all that is accepted
  std::int64_t end_ns = 0;
  bool magnetic_writes = false;
};
IngestionWindow WindowOf(const catalog::TableSchema& table, TimestampNs now);

/// Rejects a time outside `window` or before 1970, in the service's words; sets the store it goes to.
Status CheckWindow(std::int64_t time_ns, const IngestionWindow& window, engine::Store* store);

/// `text` in `unit` as nanoseconds, negative before 1970 (INT64_MIN when too far); refuses with "Invalid time for
/// record.".
Result<std::int64_t> ParseRecordTime(std::string_view text, TimeUnit unit);

/// Reserved names, forbidden characters and lengths.
Status CheckDimensionName(std::string_view name);
Status CheckMeasureName(std::string_view name, std::string_view what);

/// Reads all of `text` as a finite double; too small a number reads as the nearest there is.
bool ReadDouble(std::string_view text, double* value);
/// Reads a measure's text by its type. `unit` applies to TIMESTAMP.
Result<engine::MeasureView> ParseMeasure(std::string_view name, std::string_view text,
                                         catalog::MeasureType type, TimeUnit unit);

}  // namespace tideline::api
