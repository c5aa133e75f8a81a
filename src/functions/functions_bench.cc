// Kernels that every dashboard query runs, over one batch.
#include <benchmark/benchmark.h>

#include "columnar/value.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

constexpr std::size_t kRows = kBatchRowsMax;

Vector Doubles() {
  Vector vector = Vector::Flat(Type::Double(), kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    vector.mutable_values<double>()[i] = static_cast<double>(i * 7919 % kRows);
  }
  return vector;
}
Vector Times() {
  Vector vector = Vector::Flat(Type::Timestamp(), kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    vector.mutable_values<std::int64_t>()[i] =
        1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * 10'000'000'000;
  }
  return vector;
}

void RunScalar(benchmark::State& state, std::string_view name, std::size_t overload,
               const std::vector<Vector>& arguments, const Type& type) {
  const ScalarKernel kernel = FunctionRegistry::Get().FindScalar(name)->overloads[overload].kernel;
  Vector result = Vector::Flat(type, kRows);
  RowErrors errors;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        kernel(KernelContext{}, arguments, Selection::All(kRows), &result, &errors).ok());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}

void BM_Bin(benchmark::State& state) {
  RunScalar(state, "bin", 0,
            {Times(), Vector::Constant(Type::IntervalDayToSecond(),
                                       Value::DayToSecond(60'000'000'000), kRows)},
            Type::Timestamp());
}
BENCHMARK(BM_Bin);

void BM_CompareDoubles(benchmark::State& state) {
  RunScalar(state, "$greater", 0,
            {Doubles(), Vector::Constant(Type::Double(), Value::Double(1000), kRows)},
            Type::Boolean());
}
BENCHMARK(BM_CompareDoubles);

void BM_AverageUpdate(benchmark::State& state) {
  const AggregateOverload& avg = FunctionRegistry::Get().FindAggregate("avg")->overloads[0];
  alignas(16) std::byte memory[64];
  avg.initialize(KernelContext{}, memory);
  const std::vector<Vector> arguments = {Doubles()};
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        avg.update_one(KernelContext{}, arguments, Selection::All(kRows), memory).ok());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}
BENCHMARK(BM_AverageUpdate);

}  // namespace
}  // namespace tideline::functions
