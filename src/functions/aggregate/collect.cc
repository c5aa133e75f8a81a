// functions/aggregate/collect.cc: array_agg and create_time_series: states that keep every row.
#include <algorithm>
#include <memory>
#include <numeric>

#include "functions/aggregate/aggregate.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

void PutList(std::span<const Vector* const> children, std::span<const std::uint32_t> order,
             std::size_t row, Vector* result) {
  const std::size_t count = children[0]->size();
  result->mutable_values<ListEntry>()[row] = {static_cast<std::uint32_t>(result->child(0).size()),
                                              static_cast<std::uint32_t>(count)};
  for (std::size_t i = 0; i < children.size(); ++i) {
    result->mutable_child(i).Append(*children[i],
                                    order.empty() ? Selection::All(count) : Selection::Of(order));
  }
}

struct ListState {
  std::unique_ptr<Vector> values;
  StateMemory memory;
};

struct ArrayAgg {
  using State = ListState;
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    return AddAll(context, state, arguments, Selection::Of(std::span(&row, 1)));
  }
  static Status AddAll(const KernelContext& context, State& state,
                       std::span<const Vector> arguments, const Selection& rows) {
    if (rows.empty()) return OkStatus();
    if (state.values == nullptr) {
      state.values = std::make_unique<Vector>(Vector::Flat(arguments[0].type(), 0));
    }
    state.values->Append(arguments[0], rows);
    return state.memory.Hold(context, state.values->memory_bytes());
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    if (from.values == nullptr) return OkStatus();
    if (into.values == nullptr) {
      into.values = std::move(from.values);
    } else {
      into.values->Append(*from.values, Selection::All(from.values->size()));
    }
    return into.memory.Hold(context, into.values->memory_bytes());
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.values == nullptr) {
      result->SetNull(row);
    } else {
      const Vector* const children[] = {state.values.get()};
      PutList(children, {}, row, result);
    }
    return OkStatus();
  }
};
constexpr AggregateOverload kArrayAggOverloads[] = {
    AggregateRows<ArrayAgg>::Overload("(T) -> array(T)")};
constexpr AggregateFunction kArrayAgg{
    .name = "array_agg",
    .overloads = kArrayAggOverloads,
    .skips_nulls = false,
    .order_sensitive = true,
    .doc = {"aggregate", "All values, NULLs too, as an array.",
            "SELECT array_agg(x) FROM (VALUES 1, 2) AS t(x)", "[1,2]"}};
TL_REGISTER_AGGREGATE(kArrayAgg);

struct SeriesState {
  std::unique_ptr<Vector> times;
  std::unique_ptr<Vector> values;
  StateMemory memory;
};

struct CreateTimeSeries {
  using State = SeriesState;
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    return AddAll(context, state, arguments, Selection::Of(std::span(&row, 1)));
  }
  static Status AddAll(const KernelContext& context, State& state,
                       std::span<const Vector> arguments, const Selection& rows) {
    if (rows.empty()) return OkStatus();
    TL_TRY(RefuseNulls(arguments, rows));
    if (state.times == nullptr) {
      state.times = std::make_unique<Vector>(Vector::Flat(Type::Timestamp(), 0));
      state.values = std::make_unique<Vector>(Vector::Flat(arguments[1].type(), 0));
    }
    state.times->Append(arguments[0], rows);
    state.values->Append(arguments[1], rows);
    return state.memory.Hold(context, state.times->memory_bytes() + state.values->memory_bytes());
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    if (from.times == nullptr) return OkStatus();
    if (into.times == nullptr) {
      into.times = std::move(from.times);
      into.values = std::move(from.values);
    } else {
      into.times->Append(*from.times, Selection::All(from.times->size()));
      into.values->Append(*from.values, Selection::All(from.values->size()));
    }
    return into.memory.Hold(context, into.times->memory_bytes() + into.values->memory_bytes());
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.times == nullptr) {
      result->SetNull(row);
      return OkStatus();
    }
    const std::span<const std::int64_t> times(state.times->values<std::int64_t>(),
                                              state.times->size());
    std::vector<std::uint32_t> order;
    if (!std::is_sorted(times.begin(), times.end())) {
      order.resize(times.size());
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return times[a] < times[b]; });
    }
    const Vector* const children[] = {state.times.get(), state.values.get()};
    PutList(children, order, row, result);
    return OkStatus();
  }

 private:
  static Status RefuseNulls(std::span<const Vector> arguments, const Selection& rows) {
    static constexpr std::string_view kPlaces[] = {"first", "second"};
    for (std::size_t i = 0; i < 2; ++i) {
      if (!arguments[i].may_have_nulls()) continue;
      for (std::size_t k = 0; k < rows.size(); ++k) {
        if (arguments[i].IsNull(rows[k])) {
          return ExecutionFailed("create_time_series: the {} parameter cannot be null", kPlaces[i]);
        }
      }
    }
    return OkStatus();
  }
};
constexpr AggregateOverload kCreateTimeSeriesOverloads[] = {
    AggregateRows<CreateTimeSeries>::Overload("(timestamp, double) -> timeseries(double)"),
    AggregateRows<CreateTimeSeries>::Overload("(timestamp, bigint) -> timeseries(bigint)"),
    AggregateRows<CreateTimeSeries>::Overload("(timestamp, integer) -> timeseries(integer)"),
    AggregateRows<CreateTimeSeries>::Overload("(timestamp, boolean) -> timeseries(boolean)"),
    AggregateRows<CreateTimeSeries>::Overload("(timestamp, varchar) -> timeseries(varchar)"),
};
constexpr AggregateFunction kCreateTimeSeries{
    .name = "create_time_series",
    .overloads = kCreateTimeSeriesOverloads,
    .skips_nulls = false,
    .doc = {"time series", "The points (time, value), sorted by time.",
            "SELECT create_time_series(t, v) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:02', 3.0), "
            "(TIMESTAMP '2024-01-01', 1.0)) AS x(t, v)",
            "[{time: 2024-01-01 00:00:00.000000000, value: 1.0}, {time: 2024-01-01 "
            "00:00:02.000000000, value: 3.0}]"}};
TL_REGISTER_AGGREGATE(kCreateTimeSeries);

}  // namespace
}  // namespace tideline::functions
