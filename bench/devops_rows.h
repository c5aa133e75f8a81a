// bench/devops_rows.h: the DevOps table of the comparison with other systems, streamed in time order.
//
// The shape of the Time Series Benchmark Suite's "cpu-only" case: a host has ten tags and reports ten
// measures at a steady clock, each a random walk with normal steps of deviation one, held within 0..100.
// The same options give the same rows, so that every system is loaded with the same data.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "bench/devops_data.h"

namespace tideline::bench {

/// What of the walk is reported.
enum class ValueKind : std::uint8_t {
  kWhole,     ///< rounded down to a whole number
  kDecimal2,  ///< rounded to two decimals
  kDouble,    ///< as it is: full doubles
};

struct DevopsOptions {
  std::size_t hosts = 100;
  std::size_t hours = 72;
  std::int64_t clock_ms = kTickMs;
  std::int64_t first_ms = 0;  ///< time of the first row of every host
  ValueKind kind = ValueKind::kWhole;

  std::size_t ticks() const { return hours * 3'600'000 / static_cast<std::size_t>(clock_ms); }
};

/// One host's measures, tick by tick.
class DevopsHost {
 public:
  DevopsHost(std::size_t host, ValueKind kind);
  using Values = std::array<double, kMeasureCount>;
  const HostTags& tags() const { return tags_; }
  const Values& Next();

 private:
  double Normal();
  const ValueKind kind_;
  const HostTags tags_;
  Random random_;
  Values walk_;
  Values reported_;
  double spare_ = 0;
  bool has_spare_ = false;
};

/// What a table must give that holds all rows of a file.
struct CsvTotals {
  std::size_t rows = 0;
  double sum = 0;  ///< of all measures of all rows; exact for whole numbers
};

/// "time,hostname,…,usage_user,…" and a row per host and tick, in time order; times as milliseconds.
/// kUnavailable when the file cannot be written.
Result<CsvTotals> WriteCsv(const DevopsOptions& options, const std::string& path);

}  // namespace tideline::bench
