#include "base/memory_budget.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace tideline {

MemoryBudget::~MemoryBudget() {
  if (parent_ != nullptr) parent_->Release(used_.load());
}

Status MemoryBudget::Reserve(std::size_t bytes) {
  // The chain is short: every budget up to the root takes the bytes, or those that did give back.
  for (MemoryBudget* budget = this; budget != nullptr; budget = budget->parent_) {
    if (budget->Take(bytes)) continue;
    for (MemoryBudget* taken = this; taken != budget; taken = taken->parent_) taken->used_.fetch_sub(bytes);
    const std::string asker = budget == this ? "" : fmt::format(" by '{}'", name_);
    return ResourceExhausted("memory budget '{}' is spent: limit {} bytes, in use {}, wanted {}{}",
                             budget->name_, budget->bytes_max_, budget->used_bytes(), bytes, asker);
  }
  return OkStatus();
}

bool MemoryBudget::Take(std::size_t bytes) {
  std::size_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > bytes_max_ || used > bytes_max_ - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  used += bytes;
  std::size_t peak = peak_.load(std::memory_order_relaxed);
  while (peak < used && !peak_.compare_exchange_weak(peak, used)) {
  }
  return true;
}

void MemoryBudget::Release(std::size_t bytes) {
  used_.fetch_sub(bytes);
  if (parent_ != nullptr) parent_->Release(bytes);
}

Status MemoryReservation::Resize(std::size_t bytes) {
  if (bytes > bytes_) {
    TL_TRY(budget_->Reserve(bytes - bytes_));
  } else {
    budget_->Release(bytes_ - bytes);
  }
  bytes_ = bytes;
  return OkStatus();
}

void MemoryReservation::Clear() {
  if (bytes_ != 0) budget_->Release(bytes_);
  bytes_ = 0;
}

std::size_t DetectMemoryBytes() {
  const auto pages = static_cast<std::size_t>(std::max(0L, sysconf(_SC_PHYS_PAGES)));
  std::size_t granted = pages * static_cast<std::size_t>(std::max(1L, sysconf(_SC_PAGESIZE)));
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(path);
    std::size_t limit = 0;
    if (in >> limit && limit != 0) granted = std::min(granted, limit);
  }
  return std::max<std::size_t>(granted / 10 * 7, std::size_t{256} << 20);
}

}  // namespace tideline
