// base/metrics.h: counters, gauges and latency histograms, printed as Prometheus text.
//
// A metric is made once and lives as long as the process; updating it is one relaxed atomic.
//   static Counter& writes = Metrics().MakeCounter("tideline_write_records_total", "Records stored");
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace tideline {

class Counter {
 public:
  void Add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Counts durations in buckets that double from 16 us to about 67 s.
class LatencyHistogram {
 public:
  static constexpr std::size_t kBucketCount = 23;
  void Record(std::int64_t ns);
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  std::uint64_t bucket(std::size_t index) const {
    return buckets_[index].load(std::memory_order_relaxed);
  }
  std::int64_t sum_ns() const { return sum_ns_.load(std::memory_order_relaxed); }
  /// Upper bound of a bucket in nanoseconds.
  static std::int64_t BucketBoundNs(std::size_t index) { return std::int64_t{16'000} << index; }

 private:
  std::array<std::atomic<std::uint64_t>, kBucketCount + 1> buckets_{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::int64_t> sum_ns_{0};
};

/// Thread-safe. `labels` is Prometheus label text without braces, such as `operation="Query"`, or
/// empty. Asking again for the same name and labels gives the same object.
class MetricsRegistry {
 public:
  Counter& MakeCounter(std::string_view name, std::string_view help, std::string_view labels = {});
  LatencyHistogram& MakeHistogram(std::string_view name, std::string_view help,
                                  std::string_view labels = {});
  /// A gauge is read when printed. `read` must stay callable until RemoveGauges(owner).
  void AddGauge(const void* owner, std::string_view name, std::string_view help,
                std::string_view labels, std::function<double()> read);
  void RemoveGauges(const void* owner);
  /// The Prometheus text exposition format, version 0.0.4.
  std::string Print() const;

 private:
  struct Entry {
    std::string name, help, labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<LatencyHistogram> histogram;
    std::function<double()> gauge;
    const void* owner = nullptr;
  };
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_ TL_GUARDED_BY(mutex_);
};

/// The process's registry.
MetricsRegistry& Metrics();

}  // namespace tideline
