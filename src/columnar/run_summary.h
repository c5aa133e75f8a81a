// columnar/run_summary.h: what aggregates need of many values at once.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace tideline {

/// Of consecutive values of one column. Sum, least and most are the bits of doubles or of integers, as the
/// column is; of no value they mean nothing. No double among them is NaN, infinite or -0.0, and no sum of
/// integers has overflowed. Times have no sum.
struct RunSummary {
  std::uint64_t count = 0;  ///< values that are not NULL
  std::uint64_t sum = 0;
  std::uint64_t least = 0;
  std::uint64_t most = 0;

  template <typename T>
  T SumAs() const {
    return std::bit_cast<T>(sum);
  }
  template <typename T>
  T LeastAs() const {
    return std::bit_cast<T>(least);
  }
  template <typename T>
  T MostAs() const {
    return std::bit_cast<T>(most);
  }
};

/// Of a batch each row of which stands for rows of a table that are alike in all columns but those summarized.
struct BatchSummaries {
  std::vector<std::uint64_t> row_counts;         ///< by row of the batch
  std::vector<std::vector<RunSummary>> columns;  ///< by column, by row; empty for columns not summarized
};

}  // namespace tideline
