// tests/sim/simulation.h: the whole engine on one thread, with clock, disk and keys driven by a seed.
//
// A run draws its own mix of faults and sizes (swarm testing: Groce et al., ISSTA 2012), then takes
// steps: writes, reads, checkpoints, merges, catalog changes, time that passes or jumps, power cuts at
// any call of any step (recovery's too), failing writes and syncs, a full disk, unreadable files.
// After each restart the laws of model.h are checked, and that a second recovery changes nothing. When
// the faults end the engine must be healthy: liveness is a law too. At last a bit of some file is
// inverted: the right answer or an error, nothing else.
//
// One seed gives one run: the trace hash of two runs is equal.
#pragma once

#include <cstdint>
#include <string>

namespace tideline::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint64_t steps = 150;
  bool verbose = false;  ///< prints each step on stderr
};

struct RunResult {
  std::string failure{};  ///< empty: no law was broken
  std::uint64_t trace_hash = 0;
  std::uint64_t restarts = 0;
  std::uint64_t acknowledged = 0;  ///< records
  std::uint64_t faults = 0;
};

RunResult RunSimulation(const RunOptions& options);

}  // namespace tideline::sim
