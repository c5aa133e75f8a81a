// functions/aggregate/sums.cc: count, count_if, sum, avg, geometric_mean.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/kernel_targets.h"
#include "base/wide_vector.h"
#include "functions/aggregate/aggregate.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

// ---- count ------------------------------------------------------------------------------------

Status CountUpdate(const KernelContext&, std::span<const Vector>, const Selection& rows,
                   const AggregateState* states) {
  for (std::size_t i = 0; i < rows.size(); ++i) ++StateOf<std::int64_t>(states[i]);
  return OkStatus();
}
Status CountUpdateOne(const KernelContext&, std::span<const Vector>, const Selection& rows,
                      AggregateState state) {
  StateOf<std::int64_t>(state) += static_cast<std::int64_t>(rows.size());
  return OkStatus();
}
Status CountCombine(const KernelContext&, AggregateState from, AggregateState into) {
  StateOf<std::int64_t>(into) += StateOf<std::int64_t>(from);
  return OkStatus();
}
Status CountFinalize(const KernelContext&, AggregateState state, std::size_t row, Vector* result) {
  result->mutable_values<std::int64_t>()[row] = StateOf<std::int64_t>(state);
  return OkStatus();
}
Status CountUpdateSummary(const KernelContext&, const RunSummary& summary, AggregateState state) {
  StateOf<std::int64_t>(state) += static_cast<std::int64_t>(summary.count);
  return OkStatus();
}
constexpr AggregateOverload CountOverload(std::string_view signature) {
  return {signature,
          sizeof(std::int64_t),
          InitializeState<std::int64_t>,
          CountUpdate,
          CountUpdateOne,
          CountCombine,
          CountFinalize,
          nullptr,
          CountUpdateSummary};
}
constexpr AggregateOverload kCountOverloads[] = {CountOverload("() -> bigint"),
                                                 CountOverload("(T) -> bigint")};
constexpr AggregateFunction kCount{
    .name = "count",
    .overloads = kCountOverloads,
    .doc = {"aggregate", "How many rows there are, or how many values are not NULL.",
            "SELECT count(x) FROM (VALUES 1, NULL, 3) AS t(x)", "2"}};
TL_REGISTER_AGGREGATE(kCount);

struct CountIf {
  using State = std::int64_t;
  using Argument = std::uint8_t;
  static void Add(State& state, std::uint8_t value) { state += value; }
  static void AddAll(State& state, std::span<const std::uint8_t> values) {
    for (const std::uint8_t value : values) state += value;
  }
  static void Merge(State& into, const State& from) { into += from; }
  static Status Finish(const State& state, std::size_t row, Vector* result) {
    result->mutable_values<std::int64_t>()[row] = state;
    return OkStatus();
  }
};
constexpr AggregateOverload kCountIfOverloads[] = {
    Aggregate1<CountIf>::Overload("(boolean) -> bigint")};
constexpr AggregateFunction kCountIf{
    .name = "count_if",
    .overloads = kCountIfOverloads,
    .doc = {"aggregate", "How many values are true.",
            "SELECT count_if(x > 1) FROM (VALUES 1, 2, 3) AS t(x)", "2"}};
TL_REGISTER_AGGREGATE(kCountIf);

// ---- sum and avg --------------------------------------------------------------------------------

// Sums of doubles run in 32 lanes: enough registers of any width that no addition waits for the one
// before it. The answer is that of one fixed order of additions for a given cut into batches, whatever
// the machine.
constexpr std::size_t kSumLanes = 32;

template <std::size_t register_bytes>
TL_ALWAYS_INLINE void SumLanesBody(const double* values, std::size_t rounds, double* lanes) {
  using Doubles = typename WideVector<register_bytes>::Doubles;
  constexpr std::size_t kRegisters = kSumLanes * sizeof(double) / register_bytes;
  constexpr std::size_t kPerRegister = register_bytes / sizeof(double);
  Doubles sums[kRegisters] = {};
  for (std::size_t round = 0; round < rounds; ++round, values += kSumLanes) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRegisters; ++i) {
      Doubles at;
      std::memcpy(&at, values + i * kPerRegister, register_bytes);
      sums[i] += at;
    }
  }
  std::memcpy(lanes, sums, sizeof(sums));
}
TL_WIDE_KERNEL(SumLanes, SumLanesBody, (const double* values, std::size_t rounds, double* lanes),
               (values, rounds, lanes))

double SumDoubles(std::span<const double> values) {
  const std::size_t rounds = values.size() / kSumLanes;
  double sum = 0;
  if (rounds > 0) {
    double lanes[kSumLanes];
    SumLanes(values.data(), rounds, lanes);
    for (std::size_t half = kSumLanes / 2; half > 0; half /= 2) {
      for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
    }
    sum = lanes[0];
  }
  for (std::size_t i = rounds * kSumLanes; i < values.size(); ++i) sum += values[i];
  return sum;
}

// Exact: the halves of 64-bit values are summed apart, so that nothing overflows on the way.
template <typename T>
Int128 SumExact(std::span<const T> values) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (const T value : values) {
    low += static_cast<std::int64_t>(static_cast<std::uint32_t>(value));
    high += static_cast<std::int64_t>(value) >> 32;
  }
  return (Int128{high} << 32) + low;
}

struct IntegerSum {
  Int128 sum = 0;
  std::int64_t count = 0;
};
struct DoubleSum {
  double sum = 0;
  std::int64_t count = 0;
};

template <typename T>
struct SumBase {
  using Argument = T;
  using State = std::conditional_t<std::is_same_v<T, double>, DoubleSum, IntegerSum>;
  static void Add(State& state, T value) {
    state.sum += value;
    ++state.count;
  }
  static void AddAll(State& state, std::span<const T> values) {
    if constexpr (std::is_same_v<T, double>) {
      state.sum += SumDoubles(values);
    } else {
      state.sum += SumExact(values);
    }
    state.count += static_cast<std::int64_t>(values.size());
  }
  static void AddSummary(State& state, const RunSummary& summary)
    requires(sizeof(T) == sizeof(std::uint64_t))
  {
    state.sum += summary.SumAs<T>();
    state.count += static_cast<std::int64_t>(summary.count);
  }
  static void Merge(State& into, const State& from) {
    into.sum += from.sum;
    into.count += from.count;
  }
};

template <typename T, typename R>
struct Sum : SumBase<T> {
  static Status Finish(const typename SumBase<T>::State& state, std::size_t row, Vector* result) {
    if (state.count == 0) {
      result->SetNull(row);
      return OkStatus();
    }
    if constexpr (!std::is_same_v<T, double>) {
      if (state.sum < std::numeric_limits<R>::min() || state.sum > std::numeric_limits<R>::max()) {
        return ExecutionFailed("bigint addition overflow in sum");
      }
    }
    result->mutable_values<R>()[row] = static_cast<R>(state.sum);
    return OkStatus();
  }
};

template <typename T, typename R>
struct Average : SumBase<T> {
  static Status Finish(const typename SumBase<T>::State& state, std::size_t row, Vector* result) {
    if (state.count == 0) {
      result->SetNull(row);
    } else if constexpr (std::is_same_v<R, double>) {
      result->mutable_values<R>()[row] =
          static_cast<double>(state.sum) / static_cast<double>(state.count);
    } else {
      result->mutable_values<R>()[row] = static_cast<R>(state.sum / state.count);
    }
    return OkStatus();
  }
};

using I32 = std::int32_t;
using I64 = std::int64_t;

constexpr AggregateOverload kSumOverloads[] = {
    Aggregate1<Sum<double, double>>::Overload("(double) -> double"),
    Aggregate1<Sum<I64, I64>>::Overload("(bigint) -> bigint"),
    Aggregate1<Sum<I32, I64>>::Overload("(integer) -> bigint"),
    Aggregate1<Sum<I64, I64>>::Overload("(interval day to second) -> interval day to second"),
    Aggregate1<Sum<I32, I32>>::Overload("(interval year to month) -> interval year to month"),
};
constexpr AggregateFunction kSum{.name = "sum",
                                 .overloads = kSumOverloads,
                                 .doc = {"aggregate", "The sum of the values.",
                                         "SELECT sum(x) FROM (VALUES 1, 2, 3) AS t(x)", "6"}};
TL_REGISTER_AGGREGATE(kSum);

constexpr AggregateOverload kAvgOverloads[] = {
    Aggregate1<Average<double, double>>::Overload("(double) -> double"),
    Aggregate1<Average<I64, double>>::Overload("(bigint) -> double"),
    Aggregate1<Average<I32, double>>::Overload("(integer) -> double"),
    Aggregate1<Average<I64, I64>>::Overload("(interval day to second) -> interval day to second"),
    Aggregate1<Average<I32, I32>>::Overload("(interval year to month) -> interval year to month"),
};
constexpr AggregateFunction kAvg{.name = "avg",
                                 .overloads = kAvgOverloads,
                                 .doc = {"aggregate", "The arithmetic mean of the values.",
                                         "SELECT avg(x) FROM (VALUES 1, 2, 3, 4) AS t(x)", "2.5"}};
TL_REGISTER_AGGREGATE(kAvg);

struct GeometricMean {
  using State = DoubleSum;
  using Argument = double;
  static void Add(State& state, double value) {
    state.sum += std::log(value);
    ++state.count;
  }
  static void AddAll(State& state, std::span<const double> values) {
    for (const double value : values) Add(state, value);
  }
  static void Merge(State& into, const State& from) {
    into.sum += from.sum;
    into.count += from.count;
  }
  static Status Finish(const State& state, std::size_t row, Vector* result) {
    if (state.count == 0) {
      result->SetNull(row);
    } else {
      result->mutable_values<double>()[row] =
          std::exp(state.sum / static_cast<double>(state.count));
    }
    return OkStatus();
  }
};
constexpr AggregateOverload kGeometricMeanOverloads[] = {
    Aggregate1<GeometricMean>::Overload("(double) -> double")};
constexpr AggregateFunction kGeometricMean{
    .name = "geometric_mean",
    .overloads = kGeometricMeanOverloads,
    .doc = {"aggregate", "The geometric mean of the values.",
            "SELECT geometric_mean(x) FROM (VALUES 2, 8) AS t(x)", "4.0"}};
TL_REGISTER_AGGREGATE(kGeometricMean);

// ---- truth and bits -----------------------------------------------------------------------------

struct OneValue {
  std::int64_t value = 0;
  bool any = false;
};

template <typename T, auto F>
struct Fold {
  using State = OneValue;
  using Argument = T;
  static void Add(State& state, T value) {
    state.value = state.any ? F(state.value, value) : value;
    state.any = true;
  }
  static void AddAll(State& state, std::span<const T> values) {
    for (const T value : values) Add(state, value);
  }
  static void Merge(State& into, const State& from) {
    if (from.any) Add(into, static_cast<T>(from.value));
  }
  static Status Finish(const State& state, std::size_t row, Vector* result) {
    if (!state.any) {
      result->SetNull(row);
    } else {
      result->mutable_values<T>()[row] = static_cast<T>(state.value);
    }
    return OkStatus();
  }
};
std::int64_t AndOf(std::int64_t a, std::int64_t b) { return a & b; }
std::int64_t OrOf(std::int64_t a, std::int64_t b) { return a | b; }
std::int64_t XorOf(std::int64_t a, std::int64_t b) { return a ^ b; }

constexpr AggregateOverload kBoolAndOverloads[] = {
    Aggregate1<Fold<std::uint8_t, AndOf>>::Overload("(boolean) -> boolean")};
constexpr AggregateOverload kBoolOrOverloads[] = {
    Aggregate1<Fold<std::uint8_t, OrOf>>::Overload("(boolean) -> boolean")};
constexpr AggregateOverload kBitAndOverloads[] = {
    Aggregate1<Fold<I64, AndOf>>::Overload("(bigint) -> bigint")};
constexpr AggregateOverload kBitOrOverloads[] = {
    Aggregate1<Fold<I64, OrOf>>::Overload("(bigint) -> bigint")};
constexpr AggregateOverload kBitXorOverloads[] = {
    Aggregate1<Fold<I64, XorOf>>::Overload("(bigint) -> bigint")};

constexpr AggregateFunction kBoolAnd{
    .name = "bool_and",
    .overloads = kBoolAndOverloads,
    .doc = {"aggregate", "Whether every value is true.",
            "SELECT bool_and(x) FROM (VALUES true, false) AS t(x)", "false"}};
TL_REGISTER_AGGREGATE(kBoolAnd);
constexpr AggregateFunction kEvery{
    .name = "every",
    .overloads = kBoolAndOverloads,
    .doc = {"aggregate", "Whether every value is true.",
            "SELECT every(x) FROM (VALUES true, false) AS t(x)", "false"}};
TL_REGISTER_AGGREGATE(kEvery);
constexpr AggregateFunction kBoolOr{
    .name = "bool_or",
    .overloads = kBoolOrOverloads,
    .doc = {"aggregate", "Whether any value is true.",
            "SELECT bool_or(x) FROM (VALUES true, false) AS t(x)", "true"}};
TL_REGISTER_AGGREGATE(kBoolOr);
constexpr AggregateFunction kBitwiseAndAgg{
    .name = "bitwise_and_agg",
    .overloads = kBitAndOverloads,
    .doc = {"aggregate", "The bits that all values have.",
            "SELECT bitwise_and_agg(x) FROM (VALUES 1, -3) AS t(x)", "1"}};
TL_REGISTER_AGGREGATE(kBitwiseAndAgg);
constexpr AggregateFunction kBitwiseOrAgg{
    .name = "bitwise_or_agg",
    .overloads = kBitOrOverloads,
    .doc = {"aggregate", "The bits that any value has.",
            "SELECT bitwise_or_agg(x) FROM (VALUES 1, -3) AS t(x)", "-3"}};
TL_REGISTER_AGGREGATE(kBitwiseOrAgg);
constexpr AggregateFunction kBitwiseXorAgg{
    .name = "bitwise_xor_agg",
    .overloads = kBitXorOverloads,
    .doc = {"aggregate", "The bits that an odd number of values have.",
            "SELECT bitwise_xor_agg(x) FROM (VALUES 5, 3) AS t(x)", "6"}};
TL_REGISTER_AGGREGATE(kBitwiseXorAgg);

}  // namespace
}  // namespace tideline::functions
