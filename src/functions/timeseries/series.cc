#include "functions/timeseries/series.h"

#include "columnar/text_format.h"

namespace tideline::functions {

SeriesReader::SeriesReader(const Vector& vector)
    : vector_(vector), times_(vector.child(0).Flatten()), values_(vector.child(1).Flatten()) {}

Series SeriesReader::Row(std::size_t row) {
  const ListEntry entry = vector_.base().values<ListEntry>()[vector_.Index(row)];
  const std::int64_t* times = times_.values<std::int64_t>() + entry.offset;
  const double* values = values_.values<double>() + entry.offset;
  if (entry.length == 0) return {};
  bool any_null = false;
  if (values_.may_have_nulls()) {
    for (std::uint32_t i = 0; i < entry.length; ++i) any_null |= values_.IsNull(entry.offset + i);
  }
  if (!any_null) return {{times, entry.length}, {values, entry.length}};
  kept_times_.clear();
  kept_values_.clear();
  for (std::uint32_t i = 0; i < entry.length; ++i) {
    if (values_.IsNull(entry.offset + i)) continue;
    kept_times_.push_back(times[i]);
    kept_values_.push_back(values[i]);
  }
  return {kept_times_, kept_values_};
}

Status CheckIncreasing(std::span<const std::int64_t> times) {
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i] > times[i - 1]) continue;
    std::string text;
    AppendTimestamp(times[i], &text);
    return ExecutionFailed("Duplicate timestamp in time series: {}", text);
  }
  return OkStatus();
}

}  // namespace tideline::functions
