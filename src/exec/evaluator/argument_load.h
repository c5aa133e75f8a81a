// exec/evaluator/argument_load.h: what the arguments of a call bring row by row.
//
// A long list or text may stand behind every row of a batch without taking room more than once. What a
// function makes of it does take room, and time, for each row; so the evaluator weighs rows before it
// computes them.
#pragma once

#include <span>
#include <vector>

#include "columnar/vector.h"

namespace tideline::exec {

struct Load {
  std::uint64_t elements = 0;    ///< of lists
  std::uint64_t text_bytes = 0;

  Load& operator+=(Load other) {
    elements += other.elements;
    text_bytes += other.text_bytes;
    return *this;
  }
  /// About the bytes that going over it once touches.
  std::uint64_t weight() const { return 8 * elements + text_bytes; }
};

/// The lists and texts among `arguments`, which outlive this.
class ArgumentLoad {
 public:
  explicit ArgumentLoad(std::span<const Vector> arguments);
  /// Neither lists nor texts: every row weighs nothing.
  bool none() const { return lists_.empty() && texts_.empty(); }
  Load Of(std::uint32_t row) const;
  Load Of(const Selection& rows) const;

 private:
  std::vector<const Vector*> lists_;
  std::vector<const Vector*> texts_;
};

}  // namespace tideline::exec
