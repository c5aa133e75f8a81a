#include "bench/devops_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <memory>
#include <numbers>

namespace tideline::bench {

DevopsHost::DevopsHost(std::size_t host, ValueKind kind)
    : kind_(kind), tags_(TagsOf(host)), random_(host * 0x9e37'79b9 + 0xde70) {
  for (double& value : walk_) value = random_.NextDouble() * kValueMax;
}

// Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958: two at a time.
double DevopsHost::Normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2 * std::log(1 - random_.NextDouble()));
  const double angle = 2 * std::numbers::pi * random_.NextDouble();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

const DevopsHost::Values& DevopsHost::Next() {
  for (std::size_t i = 0; i < walk_.size(); ++i) {
    walk_[i] = std::clamp(walk_[i] + Normal(), 0.0, static_cast<double>(kValueMax));
    switch (kind_) {
      case ValueKind::kWhole: reported_[i] = std::floor(walk_[i]); break;
      case ValueKind::kDecimal2: reported_[i] = std::round(walk_[i] * 100) / 100; break;
      case ValueKind::kDouble: reported_[i] = walk_[i]; break;
    }
  }
  return reported_;
}

Result<CsvTotals> WriteCsv(const DevopsOptions& options, const std::string& path) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "wb"), close);
  if (file == nullptr) return Unavailable("cannot write {}", path);
  std::vector<DevopsHost> hosts;
  std::vector<std::string> prefixes;
  for (std::size_t host = 0; host < options.hosts; ++host) {
    hosts.emplace_back(host, options.kind);
    prefixes.push_back(fmt::format("{}", fmt::join(hosts.back().tags(), ",")));
  }
  std::string text = fmt::format("time,{},{}\n", fmt::join(kTagNames, ","), fmt::join(kMeasureNames, ","));
  CsvTotals totals;
  for (std::size_t tick = 0; tick < options.ticks(); ++tick) {
    const std::int64_t ms = options.first_ms + static_cast<std::int64_t>(tick) * options.clock_ms;
    for (std::size_t host = 0; host < hosts.size(); ++host) {
      fmt::format_to(std::back_inserter(text), "{},{}", ms, prefixes[host]);
      for (const double value : hosts[host].Next()) {
        fmt::format_to(std::back_inserter(text), ",{}", value);
        totals.sum += value;
      }
      text.push_back('\n');
    }
    totals.rows += hosts.size();
    if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) {
      return Unavailable("cannot write {}", path);
    }
    text.clear();
  }
  return totals;
}

}  // namespace tideline::bench
