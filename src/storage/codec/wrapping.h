// storage/codec/wrapping.h: two's complement arithmetic that wraps, spelled so that it is defined.
#pragma once

#include <cstdint>
#include <span>

namespace tideline::codec {

constexpr std::uint64_t Unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }
constexpr std::int64_t Signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }
constexpr std::int64_t WrappingDifference(std::int64_t a, std::int64_t b) {
  return Signed(Unsigned(a) - Unsigned(b));
}
/// The same numbers as unsigned ones; signed and unsigned forms of a type may alias.
inline std::span<const std::uint64_t> AsUnsigned(std::span<const std::int64_t> values) {
  return {reinterpret_cast<const std::uint64_t*>(values.data()), values.size()};
}
/// Small magnitudes of either sign become small numbers: 0, -1, 1, -2 are 0, 1, 2, 3.
constexpr std::uint64_t ZigZag(std::uint64_t value) {
  return (value << 1) ^ (std::uint64_t{0} - (value >> 63));
}
constexpr std::uint64_t UnZigZag(std::uint64_t value) {
  return (value >> 1) ^ (std::uint64_t{0} - (value & 1));
}

}  // namespace tideline::codec
