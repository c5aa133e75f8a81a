#include "exec/operators/operator_context.h"

namespace tideline::exec {
namespace {

// An operator with less than this does not help others by spilling.
constexpr std::size_t kWorthSpillingBytes = std::size_t{1} << 20;

}  // namespace

bool OperatorContext::MemoryIsShort(std::size_t bytes, std::size_t bytes_max) const {
  if (spill == nullptr) return false;
  if (bytes > bytes_max || spill_eagerly) return true;
  if (bytes < kWorthSpillingBytes) return false;
  for (const MemoryBudget* budget = memory.parent(); budget != nullptr; budget = budget->parent()) {
    if (budget->used_bytes() > budget->bytes_max() - budget->bytes_max() / 8) return true;
  }
  return false;
}

}  // namespace tideline::exec
