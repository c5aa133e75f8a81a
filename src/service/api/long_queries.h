// service/api/long_queries.h: which queries need not be tried on the thread of an event loop again.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace tideline::api {

/// A text that took too long is not tried again for so long; and how many such texts are remembered.
inline constexpr std::int64_t kLongQueryNs = kNsPerSecond;
inline constexpr std::size_t kLongQueriesMax = 1'024;

/// Texts that were tried in vain a short while ago, each in the one place that its hash has. Thread-safe.
class LongQueries {
 public:
  void Add(std::uint64_t hash, SteadyNs now) {
    PlaceOf(hash).store(Mark(hash, now.value / kLongQueryNs), std::memory_order_relaxed);
  }
  /// For kLongQueryNs at least and twice that at most.
  bool Has(std::uint64_t hash, SteadyNs now) const {
    const std::uint64_t mark = PlaceOf(hash).load(std::memory_order_relaxed);
    const std::int64_t period = now.value / kLongQueryNs;
    return mark == Mark(hash, period) || mark == Mark(hash, period - 1);
  }

 private:
  /// The period of time in the low bits, as far as they go.
  static std::uint64_t Mark(std::uint64_t hash, std::int64_t period) {
    return (hash & ~std::uint64_t{0xffff}) | ((static_cast<std::uint64_t>(period) & 0x7fff) << 1) | 1;
  }
  std::atomic<std::uint64_t>& PlaceOf(std::uint64_t hash) { return places_[hash % kLongQueriesMax]; }
  const std::atomic<std::uint64_t>& PlaceOf(std::uint64_t hash) const { return places_[hash % kLongQueriesMax]; }
  std::array<std::atomic<std::uint64_t>, kLongQueriesMax> places_{};
};

}  // namespace tideline::api
