#include "server/host_metrics.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace tideline::server {
namespace {

constexpr double kSectorBytes = 512;
constexpr double kBytesPerKib = 1024;

std::vector<std::string> ReadLines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Names of /proc/stat's columns; guest time is part of user time already.
constexpr const char* kCpuStates[] = {"user",    "nice",    "system", "idle",
                                      "iowait",  "irq",     "softirq", "steal"};

}  // namespace

HostMetrics::HostMetrics(std::string proc) : proc_(std::move(proc)) {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) == 0) host_ = name;
  if (host_.empty()) host_ = "localhost";
}

HostSample HostMetrics::Sample(std::string measure_name, std::string dimension,
                               std::string value) const {
  HostSample sample;
  sample.measure_name = std::move(measure_name);
  sample.dimensions.emplace_back("host", host_);
  if (!dimension.empty()) sample.dimensions.emplace_back(std::move(dimension), std::move(value));
  return sample;
}

std::vector<HostSample> HostMetrics::Read(SteadyNs now) {
  std::vector<HostSample> samples;
  const double seconds = has_last_ ? static_cast<double>(now.value - last_read_.value) / 1e9 : 0;
  ReadMemory(&samples);
  ReadLoad(&samples);
  ReadPressure(&samples);
  ReadCpu(&samples);
  ReadDisks(seconds, &samples);
  ReadNetwork(seconds, &samples);
  last_read_ = now;
  has_last_ = true;
  return samples;
}

void HostMetrics::ReadMemory(std::vector<HostSample>* out) const {
  HostSample sample = Sample("memory");
  for (const std::string& line : ReadLines(proc_ + "/meminfo")) {
    std::istringstream in(line);
    std::string key;
    double kib = 0;
    if (!(in >> key >> kib)) continue;
    for (const auto& [name, measure] :
         {std::pair{"MemTotal:", "total_bytes"}, {"MemFree:", "free_bytes"},
          {"MemAvailable:", "available_bytes"}, {"Cached:", "cached_bytes"},
          {"SwapFree:", "swap_free_bytes"}}) {
      if (key == name) sample.values.emplace_back(measure, kib * kBytesPerKib);
    }
  }
  if (!sample.values.empty()) out->push_back(std::move(sample));
}

void HostMetrics::ReadLoad(std::vector<HostSample>* out) const {
  std::ifstream in(proc_ + "/loadavg");
  double one = 0;
  double five = 0;
  double fifteen = 0;
  if (!(in >> one >> five >> fifteen)) return;
  HostSample sample = Sample("load");
  sample.values = {{"load_1m", one}, {"load_5m", five}, {"load_15m", fifteen}};
  out->push_back(std::move(sample));
}

void HostMetrics::ReadPressure(std::vector<HostSample>* out) const {
  HostSample sample = Sample("pressure");
  for (const char* resource : {"cpu", "memory", "io"}) {
    for (const std::string& line : ReadLines(fmt::format("{}/pressure/{}", proc_, resource))) {
      const std::size_t at = line.find("avg10=");
      if (at == std::string::npos) continue;
      const std::string kind = line.substr(0, line.find(' '));
      sample.values.emplace_back(fmt::format("{}_{}_10s", resource, kind),
                                 std::strtod(line.c_str() + at + 6, nullptr));
    }
  }
  if (!sample.values.empty()) out->push_back(std::move(sample));
}

void HostMetrics::ReadCpu(std::vector<HostSample>* out) {
  for (const std::string& line : ReadLines(proc_ + "/stat")) {
    if (!line.starts_with("cpu") || line.size() < 4 || line[3] == ' ') continue;
    std::istringstream in(line);
    std::string name;
    in >> name;
    std::vector<double> ticks(std::size(kCpuStates));
    for (double& tick : ticks) in >> tick;
    if (!in) continue;
    std::vector<double>& before = cpu_[name];
    if (before.size() == ticks.size()) {
      double total = 0;
      for (std::size_t i = 0; i < ticks.size(); ++i) total += ticks[i] - before[i];
      if (total > 0) {
        HostSample sample = Sample("cpu", "core", name.substr(3));
        for (std::size_t i = 0; i < ticks.size(); ++i) {
          sample.values.emplace_back(fmt::format("{}_percent", kCpuStates[i]),
                                     100 * (ticks[i] - before[i]) / total);
        }
        out->push_back(std::move(sample));
      }
    }
    before = std::move(ticks);
  }
}

void HostMetrics::ReadDisks(double seconds, std::vector<HostSample>* out) {
  for (const std::string& line : ReadLines(proc_ + "/diskstats")) {
    std::istringstream in(line);
    double major = 0;
    double minor = 0;
    std::string name;
    in >> major >> minor >> name;
    std::vector<double> fields(10);
    for (double& field : fields) in >> field;
    if (!in || name.starts_with("loop") || name.starts_with("ram")) continue;
    // reads, sectors read, writes, sectors written, milliseconds busy
    std::vector<double> counters = {fields[0], fields[2], fields[4], fields[6], fields[9]};
    std::vector<double>& before = disks_[name];
    if (before.size() == counters.size() && seconds > 0) {
      HostSample sample = Sample("disk", "device", name);
      const auto rate = [&](std::size_t i) { return (counters[i] - before[i]) / seconds; };
      sample.values = {{"reads_per_second", rate(0)},
                       {"read_bytes_per_second", rate(1) * kSectorBytes},
                       {"writes_per_second", rate(2)},
                       {"write_bytes_per_second", rate(3) * kSectorBytes},
                       {"busy_percent", rate(4) / 10}};
      out->push_back(std::move(sample));
    }
    before = std::move(counters);
  }
}

void HostMetrics::ReadNetwork(double seconds, std::vector<HostSample>* out) {
  for (const std::string& line : ReadLines(proc_ + "/net/dev")) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t first = line.find_first_not_of(' ');
    const std::string name = line.substr(first, colon - first);
    std::istringstream in(line.substr(colon + 1));
    std::vector<double> fields(16);
    for (double& field : fields) in >> field;
    if (!in) continue;
    std::vector<double> counters = {fields[0], fields[1], fields[2], fields[8], fields[9], fields[10]};
    std::vector<double>& before = network_[name];
    if (before.size() == counters.size() && seconds > 0) {
      HostSample sample = Sample("network", "interface", name);
      const auto rate = [&](std::size_t i) { return (counters[i] - before[i]) / seconds; };
      sample.values = {{"receive_bytes_per_second", rate(0)}, {"receive_packets_per_second", rate(1)},
                       {"receive_errors_per_second", rate(2)}, {"send_bytes_per_second", rate(3)},
                       {"send_packets_per_second", rate(4)}, {"send_errors_per_second", rate(5)}};
      out->push_back(std::move(sample));
    }
    before = std::move(counters);
  }
}

}  // namespace tideline::server
