// base/memory_budget.h: named limits for large allocations, in a tree: process, query, operator.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "base/status.h"

namespace tideline {

/// Counts bytes against a limit and against every parent's. Thread-safe. A child must not outlive
/// its parent.
class MemoryBudget {
 public:
  MemoryBudget(std::string name, std::size_t bytes_max, MemoryBudget* parent = nullptr)
      : name_(std::move(name)), bytes_max_(bytes_max), parent_(parent) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;
  /// Gives back to the parent what was never released.
  ~MemoryBudget();

  /// kResourceExhausted, naming the budget that is spent with its limit, and who asked for how much,
  /// when it or a parent is spent; nothing is then reserved.
  Status Reserve(std::size_t bytes);
  void Release(std::size_t bytes);
  std::size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }
  /// The most that was in use at one time.
  std::size_t peak_bytes() const { return peak_.load(std::memory_order_relaxed); }
  std::size_t bytes_max() const { return bytes_max_; }
  const std::string& name() const { return name_; }
  const MemoryBudget* parent() const { return parent_; }

 private:
  bool Take(std::size_t bytes);

  const std::string name_;
  const std::size_t bytes_max_;
  MemoryBudget* const parent_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> peak_{0};
};

/// One reservation that grows and is released when it dies.
class MemoryReservation {
 public:
  explicit MemoryReservation(MemoryBudget* budget) : budget_(budget) {}
  MemoryReservation(const MemoryReservation&) = delete;
  MemoryReservation& operator=(const MemoryReservation&) = delete;
  ~MemoryReservation() { Clear(); }
  /// Makes the reservation exactly `bytes`; on error it stays as it was.
  Status Resize(std::size_t bytes);
  Status Grow(std::size_t bytes) { return Resize(bytes_ + bytes); }
  void Clear();
  std::size_t bytes() const { return bytes_; }

 private:
  MemoryBudget* budget_;
  std::size_t bytes_ = 0;
};

/// 70 % of what the cgroup or the machine grants this process; at least 256 MiB.
std::size_t DetectMemoryBytes();

}  // namespace tideline
