// base/kernel_targets.h: one loop, built for several instruction sets, chosen at run time.
//
// A kernel is an always-inline function of plain C++ that a compiler can vectorize. TL_KERNEL builds
// it for the floor the whole program has, for AVX2 with BMI2 and for AVX-512, and defines a function
// that calls the best one this machine has. There are no intrinsics; other processors have the floor
// alone, which for ARM includes NEON.
//
//   TL_ALWAYS_INLINE void AddBody(const int* a, int* out, std::size_t n) { ... }
//   TL_KERNEL(Add, AddBody, (const int* a, int* out, std::size_t n), (a, out, n))
//
// Fused multiply-add is never enabled by name, and no kernel holds a product that is added to: the
// result of a kernel must not depend on the machine that wrote or reads the file.
#pragma once

#include <cstdint>

#define TL_ALWAYS_INLINE __attribute__((always_inline)) inline

#if defined(__x86_64__) && !defined(__AVX512F__)
#define TL_TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#if defined(__clang__)
#define TL_TARGET_AVX512 \
  __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define TL_TARGET_AVX512                                                             \
  __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl," \
                        "prefer-vector-width=512")))
#endif
#define TL_KERNEL_BY_TARGET(name, base, avx2, avx512, parameters, arguments) \
  void name##Base parameters { base arguments; }                   \
  TL_TARGET_AVX2 void name##Avx2 parameters { avx2 arguments; }    \
  TL_TARGET_AVX512 void name##Avx512 parameters { avx512 arguments; } \
  void name parameters {                                           \
    switch (::tideline::CurrentKernelTarget()) {            \
      case ::tideline::KernelTarget::kAvx512:               \
        return name##Avx512 arguments;                             \
      case ::tideline::KernelTarget::kAvx2:                 \
        return name##Avx2 arguments;                               \
      case ::tideline::KernelTarget::kBase:                 \
        return name##Base arguments;                               \
    }                                                              \
  }
#else
#define TL_KERNEL_BY_TARGET(name, base, avx2, avx512, parameters, arguments) \
  void name parameters { base arguments; }
#endif
/// `body` is one function for all targets.
#define TL_KERNEL(name, body, parameters, arguments) \
  TL_KERNEL_BY_TARGET(name, body, body, body, parameters, arguments)
/// `body` is a template over the bytes of a register, for kernels on WideVector.
#define TL_WIDE_KERNEL(name, body, parameters, arguments) \
  TL_KERNEL_BY_TARGET(name, body<16>, body<32>, body<64>, parameters, arguments)

namespace tideline {

/// Instruction sets a kernel is built for, least first.
enum class KernelTarget : std::uint8_t { kBase, kAvx2, kAvx512 };

/// The best that this machine has.
KernelTarget BestKernelTarget();
/// What kernels run as: the best, unless a test or benchmark asked for less.
KernelTarget CurrentKernelTarget();
/// For tests and benchmarks: kernels of all threads use `target`, or the best if that is less.
void LimitKernelTarget(KernelTarget target);
/// "base", "avx2", "avx512". Static storage.
const char* KernelTargetName(KernelTarget target);

}  // namespace tideline
