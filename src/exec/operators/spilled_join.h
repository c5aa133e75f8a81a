// exec/operators/spilled_join.h: joins what both sides of a join put on disk; private to the join
// operator.
//
// Partitions come in pairs: rows of the one can only meet rows of the other with the same number. A pair
// whose kept side fits into memory is joined as if it were a join of its own; one that does not is
// divided by further bits of the hash. Where that does not help (one key with very many rows, or no
// keys at all), the kept side is taken block by block, and the other side read once per block. In an
// inner join the smaller side of a pair is the one that is kept, whatever was planned.
#pragma once

#include <memory>

#include "exec/operators/join_probe.h"

namespace tideline::exec {

/// Rows of the kept side and of the streaming side that may meet.
struct SpilledPair {
  SpilledRows build;
  SpilledRows probe;
};

/// What the spilled part of a join needs. The plans outlive the reader.
struct SpilledJoin {
  const JoinPlan* plan = nullptr;
  const JoinPlan* swapped = nullptr;  ///< with the sides in the other roles; null: never swap
  const JoinFacts* facts = nullptr;
  std::vector<SpilledPair> pairs;     ///< by partition at level 0
};

/// The join's rows of all pairs. `progress` (0 to 1) outlives the reader.
std::unique_ptr<SourceReader> NewSpilledJoinReader(SpilledJoin join, std::atomic<double>* progress);

}  // namespace tideline::exec
