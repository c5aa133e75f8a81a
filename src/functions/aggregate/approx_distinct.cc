// functions/aggregate/approx_distinct.cc: how many different values, exact while there are few.
//
// Source: Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation
// algorithm", AOFA 2007; the estimator is Ertl's, "New cardinality estimation algorithms for
// HyperLogLog sketches", 2017, algorithm 6, which needs no bias tables. Up to kExactMax hashes are
// kept as they are, so that small counts are exact (but for collisions of 64-bit hashes).
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include "functions/aggregate/aggregate.h"
#include "functions/compare.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

constexpr std::size_t kExactMax = 512;
constexpr double kErrorDefault = 0.023;
constexpr double kErrorMin = 0.0040625;
constexpr double kErrorMax = 0.26;

class DistinctSketch {
 public:
  explicit DistinctSketch(double error) {
    const double registers = 1.04 / error * (1.04 / error);
    bits_ = std::clamp(static_cast<int>(std::ceil(std::log2(registers) - 0.01)), 4, 16);
  }
  void Add(std::uint64_t hash) {
    if (registers_.empty()) {
      exact_.insert(hash);
      if (exact_.size() > kExactMax) Spread();
      return;
    }
    const std::size_t index = hash >> (64 - bits_);
    const int rank = std::min(std::countl_zero(hash << bits_), 64 - bits_) + 1;
    registers_[index] = std::max(registers_[index], static_cast<std::uint8_t>(rank));
  }
  // `other` was made with the same error: it is the same call.
  void Merge(const DistinctSketch& other) {
    if (other.registers_.empty()) {
      for (const std::uint64_t hash : other.exact_) Add(hash);
      return;
    }
    if (registers_.empty()) Spread();
    for (std::size_t i = 0; i < registers_.size(); ++i) {
      registers_[i] = std::max(registers_[i], other.registers_[i]);
    }
  }
  std::int64_t Estimate() const {
    if (registers_.empty()) return static_cast<std::int64_t>(exact_.size());
    const int q = 64 - bits_;
    std::array<double, 66> counts{};
    for (const std::uint8_t rank : registers_) ++counts[rank];
    const auto m = static_cast<double>(registers_.size());
    double z = m * Tau(1 - counts[static_cast<std::size_t>(q + 1)] / m);
    for (int k = q; k >= 1; --k) z = 0.5 * (z + counts[static_cast<std::size_t>(k)]);
    z += m * Sigma(counts[0] / m);
    static constexpr double kAlpha = 0.7213475204444817;  // 1 / (2 ln 2)
    return std::llround(kAlpha * m * m / z);
  }
  std::size_t bytes() const { return registers_.size() + exact_.size() * 16; }

 private:
  void Spread() {
    registers_.resize(std::size_t{1} << bits_);
    const auto hashes = std::move(exact_);
    exact_.clear();
    for (const std::uint64_t hash : hashes) Add(hash);
  }
  static double Sigma(double x) {
    if (x == 1) return std::numeric_limits<double>::infinity();
    double y = 1;
    double z = x;
    double before;
    do {
      x *= x;
      before = z;
      z += x * y;
      y += y;
    } while (z != before);
    return z;
  }
  static double Tau(double x) {
    if (x == 0 || x == 1) return 0;
    double y = 1;
    double z = 1 - x;
    double before;
    do {
      x = std::sqrt(x);
      before = z;
      y *= 0.5;
      z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
  }

  int bits_;
  absl::flat_hash_set<std::uint64_t> exact_;
  std::vector<std::uint8_t> registers_;
};

struct DistinctState {
  std::unique_ptr<DistinctSketch> sketch;
  StateMemory memory;
};

template <bool with_error>
struct ApproxDistinct {
  using State = DistinctState;
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    if (state.sketch == nullptr) {
      double error = kErrorDefault;
      if constexpr (with_error) error = Reader<double>(arguments[1])[row];
      if (!(error >= kErrorMin && error <= kErrorMax)) {
        return ExecutionFailed("Standard error must be between {} and {}: {}", kErrorMin, kErrorMax,
                               error);
      }
      state.sketch = std::make_unique<DistinctSketch>(error);
    }
    state.sketch->Add(HashRow(arguments[0], row));
    return state.memory.Hold(context, state.sketch->bytes());
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    if (from.sketch == nullptr) return OkStatus();
    if (into.sketch == nullptr) {
      into.sketch = std::move(from.sketch);
    } else {
      into.sketch->Merge(*from.sketch);
    }
    return into.memory.Hold(context, into.sketch->bytes());
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    result->mutable_values<std::int64_t>()[row] =
        state.sketch == nullptr ? 0 : state.sketch->Estimate();
    return OkStatus();
  }
};
constexpr AggregateOverload kApproxDistinctOverloads[] = {
    AggregateRows<ApproxDistinct<false>>::Overload("(T:comparable) -> bigint"),
    AggregateRows<ApproxDistinct<true>>::Overload("(T:comparable, double) -> bigint"),
};
constexpr AggregateFunction kApproxDistinct{
    .name = "approx_distinct",
    .overloads = kApproxDistinctOverloads,
    .doc = {"aggregate", "About how many different values there are (standard error 2.3 %).",
            "SELECT approx_distinct(x) FROM (VALUES 1, 2, 2, 3) AS t(x)", "3"}};
TL_REGISTER_AGGREGATE(kApproxDistinct);

}  // namespace
}  // namespace tideline::functions
