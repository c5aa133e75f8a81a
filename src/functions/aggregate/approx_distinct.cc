// functions/aggregate/approx_distinct.cc: approx_distinct, and its sketch as a value: approx_set,
// merge, cardinality, empty_approx_set. A sketch is a varbinary, so that it can be stored as text
// (to_base64) and merged with others later.
#include <memory>

#include "functions/aggregate/aggregate.h"
#include "functions/aggregate/distinct_sketch.h"
#include "functions/compare.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

constexpr double kErrorDefault = 0.023;
constexpr double kSetErrorDefault = 0.01625;

struct DistinctState {
  std::unique_ptr<DistinctSketch> sketch;
  StateMemory memory;
};

// What all four aggregates share: sketches that join.
struct DistinctMerge {
  using State = DistinctState;
  static Status Merge(const KernelContext& context, State& into, State& from) {
    if (from.sketch == nullptr) return OkStatus();
    if (into.sketch == nullptr) {
      into.sketch = std::move(from.sketch);
    } else {
      into.sketch->Merge(*from.sketch);
    }
    return into.memory.Hold(context, into.sketch->bytes());
  }
};

template <bool with_error, bool as_set>
struct ApproxDistinct : DistinctMerge {
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    if (state.sketch == nullptr) {
      double error = as_set ? kSetErrorDefault : kErrorDefault;
      if constexpr (with_error) error = Reader<double>(arguments[1])[row];
      TL_TRY(CheckDistinctError(error));
      state.sketch = std::make_unique<DistinctSketch>(error);
    }
    state.sketch->Add(HashRow(arguments[0], row));
    return state.memory.Hold(context, state.sketch->bytes());
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if constexpr (!as_set) {
      result->mutable_values<std::int64_t>()[row] =
          state.sketch == nullptr ? 0 : state.sketch->Estimate();
    } else if (state.sketch == nullptr) {
      result->SetNull(row);
    } else {
      std::string bytes;
      state.sketch->AppendTo(&bytes);
      result->SetString(row, bytes);
    }
    return OkStatus();
  }
};
constexpr AggregateOverload kApproxDistinctOverloads[] = {
    AggregateRows<ApproxDistinct<false, false>>::Overload("(T:comparable) -> bigint"),
    AggregateRows<ApproxDistinct<true, false>>::Overload("(T:comparable, double) -> bigint"),
};
constexpr AggregateFunction kApproxDistinct{
    .name = "approx_distinct",
    .overloads = kApproxDistinctOverloads,
    .doc = {"aggregate", "About how many different values there are (standard error 2.3 %).",
            "SELECT approx_distinct(x) FROM (VALUES 1, 2, 2, 3) AS t(x)", "3"}};
TL_REGISTER_AGGREGATE(kApproxDistinct);

constexpr AggregateOverload kApproxSetOverloads[] = {
    AggregateRows<ApproxDistinct<false, true>>::Overload("(T:comparable) -> varbinary"),
    AggregateRows<ApproxDistinct<true, true>>::Overload("(T:comparable, double) -> varbinary"),
};
constexpr AggregateFunction kApproxSet{
    .name = "approx_set",
    .overloads = kApproxSetOverloads,
    .doc = {"aggregate",
            "A sketch of the different values, for merge and cardinality (standard error 1.625 %).",
            "SELECT cardinality(approx_set(x)) FROM (VALUES 1, 2, 2, 3) AS t(x)", "3"}};
TL_REGISTER_AGGREGATE(kApproxSet);

struct MergeSketches : DistinctMerge {
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    DistinctSketch sketch = TL_TRY(DistinctSketch::Parse(Reader<StringRef>(arguments[0])[row].view()));
    if (state.sketch == nullptr) {
      state.sketch = std::make_unique<DistinctSketch>(std::move(sketch));
    } else {
      state.sketch->Merge(sketch);
    }
    return state.memory.Hold(context, state.sketch->bytes());
  }
  static Status Finish(const KernelContext& context, State& state, std::size_t row,
                       Vector* result) {
    return ApproxDistinct<false, true>::Finish(context, state, row, result);
  }
};
constexpr AggregateOverload kMergeOverloads[] = {
    AggregateRows<MergeSketches>::Overload("(varbinary) -> varbinary")};
constexpr AggregateFunction kMerge{
    .name = "merge",
    .overloads = kMergeOverloads,
    .doc = {"aggregate", "The union of sketches that approx_set made.",
            "SELECT cardinality(merge(s)) FROM (SELECT approx_set(x) FROM (VALUES 1, 2) AS t(x) "
            "UNION ALL SELECT approx_set(x) FROM (VALUES 2, 3) AS t(x)) AS u(s)",
            "3"}};
TL_REGISTER_AGGREGATE(kMerge);

Status EmptySetKernel(const KernelContext&, std::span<const Vector>, const Selection& rows,
                      Vector* result, RowErrors*) {
  std::string bytes;
  DistinctSketch(kSetErrorDefault).AppendTo(&bytes);
  rows.ForEach([&](std::uint32_t row) { result->SetString(row, bytes); });
  return OkStatus();
}
constexpr ScalarOverload kEmptySetOverloads[] = {{"() -> varbinary", EmptySetKernel}};
constexpr ScalarFunction kEmptySet{
    .name = "empty_approx_set",
    .overloads = kEmptySetOverloads,
    .doc = {"aggregate", "A sketch of no values.", "SELECT cardinality(empty_approx_set())", "0"}};
TL_REGISTER_SCALAR(kEmptySet);

}  // namespace
}  // namespace tideline::functions
