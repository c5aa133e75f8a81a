#include "base/metrics.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace tideline {

void LatencyHistogram::Record(std::int64_t ns) {
  std::size_t index = 0;
  while (index < kBucketCount && ns > BucketBoundNs(index)) ++index;
  buckets_[index].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(ns, std::memory_order_relaxed);
}

Counter& MetricsRegistry::MakeCounter(std::string_view name, std::string_view help,
                                      std::string_view labels) {
  const MutexLock lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry->counter != nullptr && entry->name == name && entry->labels == labels) {
      return *entry->counter;
    }
  }
  auto entry = std::make_unique<Entry>();
  entry->name = name;
  entry->help = help;
  entry->labels = labels;
  entry->counter = std::make_unique<Counter>();
  entries_.push_back(std::move(entry));
  return *entries_.back()->counter;
}

LatencyHistogram& MetricsRegistry::MakeHistogram(std::string_view name, std::string_view help,
                                                 std::string_view labels) {
  const MutexLock lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry->histogram != nullptr && entry->name == name && entry->labels == labels) {
      return *entry->histogram;
    }
  }
  auto entry = std::make_unique<Entry>();
  entry->name = name;
  entry->help = help;
  entry->labels = labels;
  entry->histogram = std::make_unique<LatencyHistogram>();
  entries_.push_back(std::move(entry));
  return *entries_.back()->histogram;
}

void MetricsRegistry::AddGauge(const void* owner, std::string_view name, std::string_view help,
                               std::string_view labels, std::function<double()> read) {
  const MutexLock lock(mutex_);
  auto entry = std::make_unique<Entry>();
  entry->name = name;
  entry->help = help;
  entry->labels = labels;
  entry->gauge = std::move(read);
  entry->owner = owner;
  entries_.push_back(std::move(entry));
}

void MetricsRegistry::RemoveGauges(const void* owner) {
  const MutexLock lock(mutex_);
  std::erase_if(entries_, [owner](const auto& entry) {
    return entry->gauge != nullptr && entry->owner == owner;
  });
}

std::string MetricsRegistry::Print() const {
  const MutexLock lock(mutex_);
  std::vector<const Entry*> sorted;
  for (const auto& entry : entries_) sorted.push_back(entry.get());
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) {
    return std::tie(a->name, a->labels) < std::tie(b->name, b->labels);
  });
  std::string out;
  std::string_view last_name;
  for (const Entry* entry : sorted) {
    if (entry->name != last_name) {
      const char* kind = entry->counter != nullptr     ? "counter"
                         : entry->histogram != nullptr ? "histogram"
                                                       : "gauge";
      out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", entry->name, entry->help, entry->name, kind);
      last_name = entry->name;
    }
    const std::string braces = entry->labels.empty() ? "" : fmt::format("{{{}}}", entry->labels);
    if (entry->counter != nullptr) {
      out += fmt::format("{}{} {}\n", entry->name, braces, entry->counter->value());
    } else if (entry->histogram != nullptr) {
      const LatencyHistogram& histogram = *entry->histogram;
      const std::string comma = entry->labels.empty() ? "" : entry->labels + ",";
      std::uint64_t below = 0;
      for (std::size_t i = 0; i < LatencyHistogram::kBucketCount; ++i) {
        below += histogram.bucket(i);
        out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", entry->name, comma,
                           static_cast<double>(LatencyHistogram::BucketBoundNs(i)) / 1e9, below);
      }
      out += fmt::format("{}_bucket{{{}le=\"+Inf\"}} {}\n", entry->name, comma, histogram.count());
      out += fmt::format("{}_sum{} {}\n", entry->name, braces,
                         static_cast<double>(histogram.sum_ns()) / 1e9);
      out += fmt::format("{}_count{} {}\n", entry->name, braces, histogram.count());
    } else {
      out += fmt::format("{}{} {}\n", entry->name, braces, entry->gauge());
    }
  }
  return out;
}

MetricsRegistry& Metrics() {
  static MetricsRegistry registry;
  return registry;
}

}  // namespace tideline
