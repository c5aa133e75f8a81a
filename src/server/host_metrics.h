// server/host_metrics.h: this machine's own metrics, read from /proc.
//
// One multi-measure sample per thing watched: the host's memory, load and pressure, each CPU core,
// each disk, each network interface. Counters are turned into rates between two readings, so the
// first reading has no sample of cores, disks and interfaces.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tideline::server {

/// One record to be: a measure name, dimensions and double-valued measures.
struct HostSample {
  std::string measure_name;  ///< "memory", "load", "pressure", "cpu", "disk", "network"
  std::vector<std::pair<std::string, std::string>> dimensions;  ///< "host" first
  std::vector<std::pair<std::string, double>> values;
};

/// Not thread-safe.
class HostMetrics {
 public:
  /// `proc` is where the proc file system is mounted; a test hands in its own.
  explicit HostMetrics(std::string proc = "/proc");

  /// Reads everything once. What the kernel does not offer is left out.
  std::vector<HostSample> Read(SteadyNs now);
  const std::string& host() const { return host_; }

 private:
  using Counters = std::map<std::string, std::vector<double>>;
  void ReadMemory(std::vector<HostSample>* out) const;
  void ReadLoad(std::vector<HostSample>* out) const;
  void ReadPressure(std::vector<HostSample>* out) const;
  void ReadCpu(std::vector<HostSample>* out);
  void ReadDisks(double seconds, std::vector<HostSample>* out);
  void ReadNetwork(double seconds, std::vector<HostSample>* out);
  HostSample Sample(std::string measure_name, std::string dimension = {}, std::string value = {}) const;

  const std::string proc_;
  std::string host_;
  SteadyNs last_read_{0};
  bool has_last_ = false;
  Counters cpu_, disks_, network_;
};

}  // namespace tideline::server
