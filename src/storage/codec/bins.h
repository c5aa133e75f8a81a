// storage/codec/bins.h: dividing numbers into bins that cost least (binned_sequence.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tideline::codec {

struct Bin {
  std::uint64_t lower = 0;
  std::uint32_t count = 0;
  unsigned offset_bits = 0;  ///< values are lower .. lower + 2^offset_bits - 1
};

struct BinPlan {
  std::vector<Bin> bins;  ///< ascending; bin i holds the values up to the lower of bin i + 1
  double bits = 0;        ///< what the values cost, the bins' own description left out
};

/// Sorts `values` in place and divides them. 1 <= bins_max; `values` is not empty (checked).
BinPlan PlanBins(std::vector<std::uint64_t>* values, std::size_t bins_max);

}  // namespace tideline::codec
