// bench/devops_data.h: the data that benchmarks write: machines that report CPU use.
//
// The shape of the Time Series Benchmark Suite's "DevOps, cpu-only" case: a host has ten tags and
// reports ten measures every ten seconds, each a random walk in whole steps of one within 0..100.
// Everything follows from the host's number, so that a checker can compute what must come out.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace tideline::bench {

inline constexpr std::size_t kTagCount = 10;
inline constexpr std::size_t kMeasureCount = 10;
inline constexpr std::int64_t kTickMs = 10'000;
inline constexpr std::size_t kRecordsPerRequest = 100;
inline constexpr int kValueMax = 100;

extern const std::array<std::string_view, kTagCount> kTagNames;
extern const std::array<std::string_view, kMeasureCount> kMeasureNames;

using HostTags = std::array<std::string, kTagCount>;
/// Tag 0 is "host_<number>".
HostTags TagsOf(std::size_t host);

/// The ten measures of one host, tick by tick.
class HostWalk {
 public:
  explicit HostWalk(std::size_t host);
  using Values = std::array<std::uint8_t, kMeasureCount>;
  /// The next tick's values.
  const Values& Next();

 private:
  Random random_;
  Values values_;
};

/// How a request of kRecordsPerRequest records is written.
enum class BodyShape {
  kOwnDimensions,     ///< as many hosts at one time; every record carries its ten dimensions
  kCommonAttributes,  ///< as many times of one host; what they share is in CommonAttributes
};

/// A WriteRecords body built once and sent often: the digits of its times are overwritten in place,
/// so that each sending stores rows that never were before.
class RequestBody {
 public:
  void Begin(std::string_view database, std::string_view table);
  /// For kCommonAttributes; before any record.
  void CommonHost(const HostTags& tags);
  /// `tick` counts from the time given to SetTimes. `tags` null: the common host's.
  void AddRecord(const HostTags* tags, std::int64_t tick, const HostWalk::Values& values);
  void End();

  /// Gives each record the time `first_ms + tick * kTickMs`. 13 digits, so from 2001 to 2286.
  void SetTimes(std::int64_t first_ms);
  std::string_view text() const { return text_; }
  std::size_t record_count() const { return times_.size(); }

 private:
  struct TimePlace {
    std::size_t offset;
    std::int64_t tick;
  };
  std::string text_;
  std::vector<TimePlace> times_;
};

}  // namespace tideline::bench
