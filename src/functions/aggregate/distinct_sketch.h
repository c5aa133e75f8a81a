// functions/aggregate/distinct_sketch.h: how many different values, exact while there are few.
//
// Source: Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation
// algorithm", AOFA 2007; the estimator is Ertl's, "New cardinality estimation algorithms for
// HyperLogLog sketches", 2017, algorithm 6, which needs no bias tables. Up to kExactMax hashes are
// kept as they are, so that small counts are exact (but for collisions of 64-bit hashes).
//
// Sketches merge without loss; of two sizes the larger is folded to the smaller. As bytes (what approx_set
// answers):
//
//   byte 0   kDistinctSketchVersion
//   byte 1   bits b, 4..16: there are 2^b registers
//   byte 2   0: hashes follow, eight bytes each, highest first, ascending; 1: 2^b registers follow
#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tideline::functions {

inline constexpr std::uint8_t kDistinctSketchVersion = 1;
/// Standard errors a sketch can be asked for: from 2^16 registers to 2^4.
inline constexpr double kDistinctErrorMin = 0.0040625;
inline constexpr double kDistinctErrorMax = 0.26;

class DistinctSketch {
 public:
  /// `error` within the bounds above.
  explicit DistinctSketch(double error);
  void Add(std::uint64_t hash);
  void Merge(const DistinctSketch& other);
  std::int64_t Estimate() const;
  std::size_t bytes() const { return registers_.size() + exact_.size() * 16; }

  void AppendTo(std::string* out) const;
  /// kExecutionFailed when `bytes` is no sketch.
  static Result<DistinctSketch> Parse(std::string_view bytes);

 private:
  DistinctSketch() = default;
  void Spread();
  /// Halves the registers until there are 2^bits.
  void FoldTo(int bits);

  int bits_ = 0;
  absl::flat_hash_set<std::uint64_t> exact_;
  std::vector<std::uint8_t> registers_;  // empty while exact
};

/// kExecutionFailed unless `error` lies within the bounds.
Status CheckDistinctError(double error);

}  // namespace tideline::functions
