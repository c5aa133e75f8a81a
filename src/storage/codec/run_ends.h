// storage/codec/run_ends.h: where runs end, for the run-length codecs of every kind.
//
//   run_count (varint) | last position of each run (u16 each, ascending)
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/codec/block.h"

namespace tideline::codec {

static_assert(kBlockRowsMax <= 65'536, "positions are 16 bits");

void WriteRunEnds(std::span<const std::uint16_t> last_positions, Bytes* out);

/// Refers to bytes it does not own. Positions are not checked to ascend: a decoder notices when it
/// fails to advance.
class RunEndsView {
 public:
  /// kDataLoss unless there are 1 to value_count runs, the last of which ends at value_count.
  static Result<RunEndsView> Read(ByteReader* reader, std::size_t value_count);
  std::size_t count() const { return ends_.size() / sizeof(std::uint16_t); }
  /// One past the last position of run `index`.
  std::size_t end(std::size_t index) const;
  /// The first run that ends behind `position` (by bisection), or count().
  std::size_t FindRun(std::size_t position) const;

 private:
  BytesView ends_;
};

}  // namespace tideline::codec
