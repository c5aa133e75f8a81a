#include "storage/codec/prefix_sum.h"

#include <bit>
#include <cstring>

#include "base/kernel_targets.h"
#include "base/wide_vector.h"

namespace tideline::codec {
namespace {

// What becomes of a sum: it is kept, or is the integer of a decimal.
struct KeepSums {
  std::int64_t* out;
  template <std::size_t register_bytes, typename Wide>
  TL_ALWAYS_INLINE void Store(std::size_t i, const Wide& sums) const {
    std::memcpy(out + i, &sums, register_bytes);
  }
  void StoreOne(std::size_t i, std::uint64_t sum) const { out[i] = static_cast<std::int64_t>(sum); }
};
struct ScaleSums {
  const DecimalScale& scale;
  double* out;
  template <std::size_t register_bytes, typename Wide>
  TL_ALWAYS_INLINE void Store(std::size_t i, const Wide& sums) const {
    using Doubles = typename WideVector<register_bytes>::Doubles;
    const Wide moved = sums + std::bit_cast<std::uint64_t>(scale.magic);
    Doubles number;
    std::memcpy(&number, &moved, register_bytes);
    const Doubles scaled = (number - scale.magic) * scale.power * scale.inverse;
    std::memcpy(out + i, &scaled, register_bytes);
  }
  void StoreOne(std::size_t i, std::uint64_t sum) const {
    out[i] = (std::bit_cast<double>(sum + std::bit_cast<std::uint64_t>(scale.magic)) - scale.magic) *
             scale.power * scale.inverse;
  }
};

template <std::size_t register_bytes, typename Finish>
TL_ALWAYS_INLINE std::uint64_t SumUp(std::uint64_t last, const std::int64_t* values, std::size_t count,
                                     const Finish& finish) {
  constexpr std::size_t kLanes = register_bytes / sizeof(std::uint64_t);
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
      finish.template Store<register_bytes>(i, sums);
    }
    last = carried[0];
  }
  for (; i < count; ++i) {
    last += static_cast<std::uint64_t>(values[i]);
    finish.StoreOne(i, last);
  }
  return last;
}

template <std::size_t register_bytes>
TL_ALWAYS_INLINE void PrefixSumBody(std::uint64_t* sum, std::int64_t* values, std::size_t count) {
  *sum = SumUp<register_bytes>(*sum, values, count, KeepSums{values});
}
TL_WIDE_KERNEL(PrefixSumKernel, PrefixSumBody,
               (std::uint64_t* sum, std::int64_t* values, std::size_t count), (sum, values, count))

template <std::size_t register_bytes>
TL_ALWAYS_INLINE void PrefixSumDecimalsBody(std::uint64_t start, const std::int64_t* deltas, std::size_t count,
                                            const DecimalScale& scale, double* out) {
  SumUp<register_bytes>(start, deltas, count, ScaleSums{scale, out});
}
TL_WIDE_KERNEL(PrefixSumDecimalsKernel, PrefixSumDecimalsBody,
               (std::uint64_t start, const std::int64_t* deltas, std::size_t count, const DecimalScale& scale,
                double* out),
               (start, deltas, count, scale, out))

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

void PrefixSumDecimals(std::uint64_t start, std::span<const std::int64_t> deltas, const DecimalScale& scale,
                       double* out) {
  PrefixSumDecimalsKernel(start, deltas.data(), deltas.size(), scale, out);
}

std::uint64_t Sum(std::uint64_t start, std::span<const std::int64_t> values) {
  SumKernel(&start, values.data(), values.size());
  return start;
}

}  // namespace tideline::codec
