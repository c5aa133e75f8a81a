// server/collector.h: stores this machine's metrics at a steady pace, for as long as it lives.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/mutex.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "server/host_metrics.h"

namespace tideline::server {

inline constexpr std::string_view kCollectorDatabase = "tideline";
inline constexpr std::string_view kCollectorTable = "host";

/// Where samples go: the server's own services, or a server elsewhere.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  /// Makes the database and table if they are missing.
  virtual Status Prepare() = 0;
  /// Stores samples taken at one time.
  virtual Status Write(TimestampNs time, std::span<const HostSample> samples) = 0;
};

/// Collects on a thread of its own until destroyed. A failed write is logged and skipped.
class Collector {
 public:
  Collector(std::unique_ptr<SampleSink> sink, std::int64_t interval_ns);
  ~Collector();

 private:
  void Run();
  const std::unique_ptr<SampleSink> sink_;
  const std::int64_t interval_ns_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ TL_GUARDED_BY(mutex_) = false;
  ThreadPool thread_;
};

}  // namespace tideline::server
