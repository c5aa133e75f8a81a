#include "exec/operators/frame_tree.h"

#include <algorithm>
#include <cstring>

namespace tideline::exec {
namespace {

constexpr std::uint32_t kBlockRows = 32;
constexpr std::size_t kFrameStateAlignment = 16;

std::size_t StrideOf(const functions::AggregateOverload& overload) {
  return (std::max<std::size_t>(overload.state_bytes, 1) + kFrameStateAlignment - 1) / kFrameStateAlignment * kFrameStateAlignment;
}

}  // namespace

bool FrameTree::Fits(const functions::AggregateFunction& function, std::size_t overload) {
  return !function.order_sensitive && function.overloads[overload].destroy == nullptr;
}

FrameTree::FrameTree(const functions::AggregateOverload& overload, const functions::KernelContext& context,
                     std::span<const Vector> arguments, std::span<const std::uint32_t> rows, MemoryBudget* memory)
    : overload_(overload),
      context_(context),
      arguments_(arguments),
      rows_(rows),
      blocks_((rows.size() + kBlockRows - 1) / kBlockRows),
      stride_(StrideOf(overload)),
      reserved_(memory) {}

Result<std::unique_ptr<FrameTree>> FrameTree::Build(const functions::AggregateOverload& overload,
                                                    const functions::KernelContext& context,
                                                    std::span<const Vector> arguments,
                                                    std::span<const std::uint32_t> rows, MemoryBudget* memory) {
  std::unique_ptr<FrameTree> tree(new FrameTree(overload, context, arguments, rows, memory));
  TL_TRY(tree->Fill());
  return tree;
}

Status FrameTree::Fill() {
  const std::size_t bytes = 2 * blocks_ * stride_;
  TL_TRY(reserved_.Resize(bytes));
  states_.resize(bytes);
  scratch_.resize(stride_);
  for (std::size_t node = 0; node < 2 * blocks_; ++node) overload_.initialize(context_, Node(node));
  for (std::size_t block = 0; block < blocks_; ++block) {
    const auto first = static_cast<std::uint32_t>(block * kBlockRows);
    const auto last = static_cast<std::uint32_t>(std::min(rows_.size(), (block + 1) * kBlockRows));
    TL_TRY(AddRows(first, last, Node(blocks_ + block)));
  }
  for (std::size_t node = blocks_; node-- > 1;) {
    TL_TRY(Combine(2 * node, Node(node)));
    TL_TRY(Combine(2 * node + 1, Node(node)));
  }
  return OkStatus();
}

Status FrameTree::Combine(std::size_t node, functions::AggregateState into) {
  // The state given away may not be looked at again, so it is a copy.
  std::memcpy(scratch_.data(), Node(node), stride_);
  return overload_.combine(context_, scratch_.data(), into);
}

Status FrameTree::AddRows(std::uint32_t first, std::uint32_t last, functions::AggregateState state) {
  if (first >= last) return OkStatus();
  return overload_.update_one(context_, arguments_, Selection::Of(rows_.subspan(first, last - first)), state);
}

Status FrameTree::AddTo(std::uint32_t first, std::uint32_t last, functions::AggregateState state) {
  const std::uint32_t first_block = (first + kBlockRows - 1) / kBlockRows;
  const std::uint32_t last_block = last / kBlockRows;
  if (first_block >= last_block) return AddRows(first, last, state);
  TL_TRY(AddRows(first, first_block * kBlockRows, state));
  for (std::size_t low = first_block + blocks_, high = last_block + blocks_; low < high; low /= 2, high /= 2) {
    if (low % 2 == 1) TL_TRY(Combine(low++, state));
    if (high % 2 == 1) TL_TRY(Combine(--high, state));
  }
  return AddRows(last_block * kBlockRows, last, state);
}

}  // namespace tideline::exec
