// base/random.h: the one source of randomness, so that a test can own it.
//
// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS
// 2021), seeded through splitmix64. Not for keys: crypto draws those from the system.
#pragma once

#include <cstdint>
#include <string>

namespace tideline {

/// Not thread-safe; give each thread its own.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  /// Seeded from the system's entropy.
  static Random FromSystem();
  std::uint64_t Next();
  /// Uniform in [0, bound); `bound` > 0.
  std::uint64_t Below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double NextDouble();
  /// `count` characters from `alphabet`.
  std::string Text(std::size_t count, std::string_view alphabet);
  /// Random RFC 4122 version 4 UUID in lower case.
  std::string Uuid();

 private:
  std::uint64_t state_[4];
};

}  // namespace tideline
