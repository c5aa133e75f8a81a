#include "base/kernel_targets.h"

#include <algorithm>
#include <atomic>

namespace tideline {
namespace {

KernelTarget Detect() {
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                        __builtin_cpu_supports("bmi2");
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (has_avx2) return has_avx512 ? KernelTarget::kAvx512 : KernelTarget::kAvx2;
#endif
  return KernelTarget::kBase;
}

std::atomic<KernelTarget>& Current() {
  static std::atomic<KernelTarget> current{BestKernelTarget()};
  return current;
}

}  // namespace

KernelTarget BestKernelTarget() {
  static const KernelTarget best = Detect();
  return best;
}

KernelTarget CurrentKernelTarget() { return Current().load(std::memory_order_relaxed); }

void LimitKernelTarget(KernelTarget target) {
  Current().store(std::min(target, BestKernelTarget()), std::memory_order_relaxed);
}

const char* KernelTargetName(KernelTarget target) {
  switch (target) {
    case KernelTarget::kBase:
      return "base";
    case KernelTarget::kAvx2:
      return "avx2";
    case KernelTarget::kAvx512:
      return "avx512";
  }
  return "";
}

}  // namespace tideline
