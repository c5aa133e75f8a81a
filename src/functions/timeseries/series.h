// functions/timeseries/series.h: one time series value as contiguous memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "columnar/vector.h"

namespace tideline::functions {

/// Points in ascending order of time, without those whose value is null.
struct Series {
  std::span<const std::int64_t> times;
  std::span<const double> values;
  std::size_t size() const { return times.size(); }
};

/// Reads the series of a timeseries(double) vector row by row. The spans of a row stay good until
/// the next call of Row, and as long as the reader.
class SeriesReader {
 public:
  explicit SeriesReader(const Vector& vector);
  Series Row(std::size_t row);

 private:
  const Vector& vector_;
  Vector times_;
  Vector values_;
  std::vector<std::int64_t> kept_times_;
  std::vector<double> kept_values_;
};

/// kExecutionFailed "Duplicate timestamp in time series: ..." unless times strictly increase.
Status CheckIncreasing(std::span<const std::int64_t> times);

}  // namespace tideline::functions
