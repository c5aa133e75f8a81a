// storage/codec/prefix_sum.h: differences back into values, in place.
//
// Within a register, sums over 1, 2, 4 lanes are shifted and added; from one register to the next only
// the total of a register is carried: one addition of latency where a plain loop has one per value.
#pragma once

#include <cstdint>
#include <span>

#include "storage/codec/bit_packing.h"

namespace tideline::codec {

/// values[i] becomes `start` + values[0] + ... + values[i], wrapping. Returns the last sum, or `start`.
std::uint64_t PrefixSum(std::uint64_t start, std::span<std::int64_t> values);

/// out[i] becomes the decimal of `start` + deltas[0] + ... + deltas[i]: what PrefixSum and then scaling
/// would give, in one pass (bit_packing.h). `out` has deltas.size() values.
void PrefixSumDecimals(std::uint64_t start, std::span<const std::int64_t> deltas, const DecimalScale& scale,
                       double* out);

/// `start` + values[0] + ... + the last, wrapping.
std::uint64_t Sum(std::uint64_t start, std::span<const std::int64_t> values);

}  // namespace tideline::codec
