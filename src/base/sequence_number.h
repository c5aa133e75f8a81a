// base/sequence_number.h: the place of one outcome in a lane's log, the database's only order.
#pragma once

#include <compare>
#include <cstdint>

namespace tideline {

/// Counts records of one lane's log from 1, without gaps; 0 stands before all. What a snapshot, a
/// checkpoint and a delete mean by "before" and "through" is this number, never a clock.
struct SequenceNumber {
  std::uint64_t value = 0;
  auto operator<=>(const SequenceNumber&) const = default;
};

}  // namespace tideline
