// functions/aggregate/collect.cc: array_agg and create_time_series: states that keep every row.
#include <algorithm>
#include <numeric>

#include "functions/aggregate/aggregate.h"
#include "functions/aggregate/row_lists.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

struct ListState {
  RowLists::List rows;
};

ListEntry EntryFor(const ListState& state, const Vector& result) {
  return {static_cast<std::uint32_t>(result.child(0).size()), static_cast<std::uint32_t>(state.rows.size())};
}

// What both have in common: the state keeps all arguments of each row.
struct Collect {
  using State = ListState;
  static Status AddAll(const KernelContext& context, State& state, std::span<const Vector> arguments,
                       const Selection& rows) {
    return RowLists::Add(context, arguments, rows, &state.rows);
  }
  static Status AddEach(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
                        const AggregateState* states) {
    return RowLists::AddEach(context, arguments, rows,
                             [states](std::size_t i) { return &StateOf<State>(states[i]).rows; });
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    return RowLists::Merge(context, &from.rows, &into.rows);
  }
};

struct ArrayAgg : Collect {
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.rows.size() == 0) {
      result->SetNull(row);
      return OkStatus();
    }
    result->mutable_values<ListEntry>()[row] = EntryFor(state, *result);
    RowLists::Append(state.rows, 0, &result->mutable_child(0));
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

struct CreateTimeSeries : Collect {
  static Status AddAll(const KernelContext& context, State& state, std::span<const Vector> arguments,
                       const Selection& rows) {
    TL_TRY(RefuseNulls(arguments, rows));
    return Collect::AddAll(context, state, arguments, rows);
  }
  static Status AddEach(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
                        const AggregateState* states) {
    TL_TRY(RefuseNulls(arguments, rows));
    return Collect::AddEach(context, arguments, rows, states);
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.rows.size() == 0) {
      result->SetNull(row);
      return OkStatus();
    }
    const ListEntry entry = EntryFor(state, *result);
    result->mutable_values<ListEntry>()[row] = entry;
    RowLists::Append(state.rows, 0, &result->mutable_child(0));
    auto* const times = result->mutable_child(0).mutable_values<std::int64_t>() + entry.offset;
    if (std::is_sorted(times, times + entry.length)) {
      RowLists::Append(state.rows, 1, &result->mutable_child(1));
      return OkStatus();
    }
    std::vector<std::uint32_t> order(entry.length);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return times[a] < times[b]; });
    std::sort(times, times + entry.length);
    std::vector<std::uint32_t> numbers = RowLists::Numbers(state.rows);
    for (std::uint32_t& place : order) place = numbers[place];
    RowLists::AppendRows(state.rows, order, 1, &result->mutable_child(1));
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
