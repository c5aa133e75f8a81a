// tideline_sim: runs seeds of the simulation.
//
//   tideline_sim --seed 7            one run; --verbose prints its steps
//   tideline_sim --seed 1 --seeds 200
//   tideline_sim --seconds 60        as many seeds as fit
//
// Every tenth seed is run twice and must leave the same trace. Ends with 1 and the seed's command line
// at the first broken law.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/log.h"
#include "base/time.h"
#include "tests/sim/simulation.h"

namespace {

std::uint64_t NumberAfter(int argc, char** argv, const char* flag, std::uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], flag) == 0) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return otherwise;
}

bool Has(int argc, char** argv, const char* flag) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], flag) == 0) return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tideline;
  const std::uint64_t first = NumberAfter(argc, argv, "--seed", 1);
  const std::uint64_t seconds = NumberAfter(argc, argv, "--seconds", 0);
  const std::uint64_t count = NumberAfter(argc, argv, "--seeds", seconds == 0 ? 1 : UINT64_MAX);
  const std::uint64_t steps = NumberAfter(argc, argv, "--steps", 150);
  const bool verbose = Has(argc, argv, "--verbose");
  if (!verbose) SetLogLevel(LogLevel::kOff);
  const std::int64_t begin = SystemClock().SteadyNow().value;
  std::uint64_t restarts = 0;
  std::uint64_t records = 0;
  std::uint64_t done = 0;
  for (; done < count; ++done) {
    const std::int64_t elapsed = SystemClock().SteadyNow().value - begin;
    if (seconds != 0 && elapsed > static_cast<std::int64_t>(seconds) * kNsPerSecond) break;
    const sim::RunOptions options{.seed = first + done, .steps = steps, .verbose = verbose};
    sim::RunResult result = sim::RunSimulation(options);
    if (result.failure.empty() && options.seed % 10 == 0) {
      const sim::RunResult again = sim::RunSimulation(options);
      if (again.trace_hash != result.trace_hash) result.failure = "two runs of one seed differ";
    }
    if (!result.failure.empty()) {
      std::fprintf(stderr, "%s\nagain: tideline_sim --seed %llu --steps %llu --verbose\n",
                   result.failure.c_str(), static_cast<unsigned long long>(options.seed),
                   static_cast<unsigned long long>(steps));
      return 1;
    }
    if (count == 1) std::printf("trace %016llx\n", static_cast<unsigned long long>(result.trace_hash));
    restarts += result.restarts;
    records += result.acknowledged;
  }
  std::printf("%llu seeds from %llu: no law broken; %llu restarts, %llu records acknowledged\n",
              static_cast<unsigned long long>(done), static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(restarts), static_cast<unsigned long long>(records));
  return 0;
}
