// storage/codec/prefix_sum.h: differences back into values, in place.
//
// Within a register, sums over 1, 2, 4 lanes are shifted and added; from one register to the next only
// the total of a register is carried: one addition of latency where a plain loop has one per value.
#pragma once

#include <cstdint>
#include <span>

namespace tideline::codec {

/// values[i] becomes `start` + values[0] + ... + values[i], wrapping. Returns the last sum, or `start`.
std::uint64_t PrefixSum(std::uint64_t start, std::span<std::int64_t> values);

/// `start` + values[0] + ... + the last, wrapping.
std::uint64_t Sum(std::uint64_t start, std::span<const std::int64_t> values);

}  // namespace tideline::codec
