#include "storage/codec/prefix_sum.h"

#include <cstring>

#include "storage/codec/kernel_targets.h"
#include "storage/codec/wide_vector.h"

namespace tideline::codec {
namespace {

template <std::size_t register_bytes>
TL_ALWAYS_INLINE void PrefixSumBody(std::uint64_t* sum, std::int64_t* values, std::size_t count) {
  constexpr std::size_t kLanes = register_bytes / sizeof(std::uint64_t);
  std::uint64_t last = *sum;
  std::size_t i = 0;
  // With two lanes there is nothing to win over the plain loop.
  if constexpr (kLanes > 2) {
    using Wide = typename WideVector<register_bytes>::Type;
    const Wide zero = {};
    Wide carried = zero + last;
    for (; i + kLanes <= count; i += kLanes) {
      Wide sums;
      Wide total;
      std::memcpy(&sums, values + i, sizeof(sums));
      if constexpr (kLanes == 8) {
        sums += __builtin_shufflevector(sums, zero, 8, 0, 1, 2, 3, 4, 5, 6);
        sums += __builtin_shufflevector(sums, zero, 8, 8, 0, 1, 2, 3, 4, 5);
        sums += __builtin_shufflevector(sums, zero, 8, 8, 8, 8, 0, 1, 2, 3);
        total = __builtin_shufflevector(sums, sums, 7, 7, 7, 7, 7, 7, 7, 7);
      } else {
        sums += __builtin_shufflevector(sums, zero, 4, 0, 1, 2);
        sums += __builtin_shufflevector(sums, zero, 4, 4, 0, 1);
        total = __builtin_shufflevector(sums, sums, 3, 3, 3, 3);
      }
      sums += carried;
      carried += total;
      std::memcpy(values + i, &sums, sizeof(sums));
    }
    last = carried[0];
  }
  for (; i < count; ++i) {
    last += static_cast<std::uint64_t>(values[i]);
    values[i] = static_cast<std::int64_t>(last);
  }
  *sum = last;
}
TL_WIDE_KERNEL(PrefixSumKernel, PrefixSumBody,
               (std::uint64_t* sum, std::int64_t* values, std::size_t count), (sum, values, count))

template <std::size_t register_bytes>
TL_ALWAYS_INLINE void SumBody(std::uint64_t* sum, const std::int64_t* values, std::size_t count) {
  using Wide = typename WideVector<register_bytes>::Type;
  constexpr std::size_t kLanes = register_bytes / sizeof(std::uint64_t);
  Wide sums = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    Wide at;
    std::memcpy(&at, values + i, register_bytes);
    sums += at;
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) *sum += sums[lane];
  for (; i < count; ++i) *sum += static_cast<std::uint64_t>(values[i]);
}
TL_WIDE_KERNEL(SumKernel, SumBody,
               (std::uint64_t* sum, const std::int64_t* values, std::size_t count),
               (sum, values, count))

}  // namespace

std::uint64_t PrefixSum(std::uint64_t start, std::span<std::int64_t> values) {
  PrefixSumKernel(&start, values.data(), values.size());
  return start;
}

std::uint64_t Sum(std::uint64_t start, std::span<const std::int64_t> values) {
  SumKernel(&start, values.data(), values.size());
  return start;
}

}  // namespace tideline::codec
