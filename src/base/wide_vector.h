// base/wide_vector.h: 64-bit numbers that a kernel computes with at once.
//
// The compilers' own vector types (gcc and clang alike) at the register width of the kernel's target
// (kernel_targets.h): 64 bytes with AVX-512, 32 with AVX2, else 16, as SSE2 and NEON have. They stay in
// local variables and are never passed by value, since their calling convention depends on the target.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tideline {

template <std::size_t bytes>
struct WideVector;
template <>
struct WideVector<16> {
  using Type __attribute__((vector_size(16))) = std::uint64_t;
  using Signed __attribute__((vector_size(16))) = std::int64_t;
  using Doubles __attribute__((vector_size(16))) = double;
};
template <>
struct WideVector<32> {
  using Type __attribute__((vector_size(32))) = std::uint64_t;
  using Signed __attribute__((vector_size(32))) = std::int64_t;
  using Doubles __attribute__((vector_size(32))) = double;
};
template <>
struct WideVector<64> {
  using Type __attribute__((vector_size(64))) = std::uint64_t;
  using Signed __attribute__((vector_size(64))) = std::int64_t;
  using Doubles __attribute__((vector_size(64))) = double;
};

}  // namespace tideline
