// exec/operators/frame_tree.h: aggregates over many overlapping frames of one partition.
//
// The rows that reach the aggregate are cut into blocks, each with a state of its own; above the blocks stands a
// binary tree whose nodes hold the states of their two children combined:
//
//            [0..4)                 A frame is the rows up to the first border of a block, at most two nodes
//        [0..2)   [2..4)            of each level, and the rows behind the last border: a few dozen steps
//      b0  b1    b2  b3             for a frame of any length.
//
// Source: Leis, Kundhikanjana, Kemper, Neumann, "Efficient Processing of Window Functions in Analytical SQL
// Queries", PVLDB 8(10), 2015, section 4.5. Departure: leaves are blocks, so that the tree stays small.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/memory_budget.h"
#include "columnar/vector.h"
#include "functions/function.h"

namespace tideline::exec {

/// Frames below this many rows are quicker added up anew.
inline constexpr std::uint32_t kFrameTreeRowsMin = 128;

class FrameTree {
 public:
  /// Whether the states of `function` may be combined again and again, in any order: they are plain bytes.
  static bool Fits(const functions::AggregateFunction& function, std::size_t overload);

  /// Over `rows`, rows of `arguments`. All references must outlive the tree. kResourceExhausted past the budget.
  static Result<std::unique_ptr<FrameTree>> Build(const functions::AggregateOverload& overload,
                                                  const functions::KernelContext& context,
                                                  std::span<const Vector> arguments,
                                                  std::span<const std::uint32_t> rows, MemoryBudget* memory);

  /// Adds rows[first] up to, not including, rows[last] to `state`.
  Status AddTo(std::uint32_t first, std::uint32_t last, functions::AggregateState state);

 private:
  FrameTree(const functions::AggregateOverload& overload, const functions::KernelContext& context,
            std::span<const Vector> arguments, std::span<const std::uint32_t> rows, MemoryBudget* memory);
  Status Fill();
  Status Combine(std::size_t node, functions::AggregateState into);
  Status AddRows(std::uint32_t first, std::uint32_t last, functions::AggregateState state);
  functions::AggregateState Node(std::size_t node) { return states_.data() + node * stride_; }

  const functions::AggregateOverload& overload_;
  const functions::KernelContext& context_;
  const std::span<const Vector> arguments_;
  const std::span<const std::uint32_t> rows_;
  const std::size_t blocks_;  // node i has the children 2i and 2i + 1; block b is node blocks_ + b
  const std::size_t stride_;
  MemoryReservation reserved_;
  std::vector<std::byte> states_;  // aligned as operator new aligns
  std::vector<std::byte> scratch_;
};

}  // namespace tideline::exec
