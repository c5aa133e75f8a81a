// functions/aggregate/extremes.cc: min, max, min_by, max_by, with and without n, and arbitrary.
//
// NaN loses against every number on both sides and is answered only when there is nothing else.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "functions/aggregate/aggregate.h"
#include "functions/aggregate/cell.h"
#include "functions/compare.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

enum class Side { kMin, kMax };

template <Side side, typename T>
bool Beats(const T& a, const T& b) {
  return side == Side::kMin ? a < b : b < a;
}

// ---- one fixed-width value
// ------------------------------------------------------------------------

template <typename T>
struct Extreme {
  T value;
  bool any = false;
};

template <Side side, typename T>
struct FixedExtreme {
  using State = Extreme<T>;
  using Argument = T;
  static void Add(State& state, T value) {
    bool better = !state.any || Beats<side>(value, state.value);
    if constexpr (std::is_same_v<T, double>) better |= std::isnan(state.value);
    if (better) state.value = value;
    state.any = true;
  }
  static void AddAll(State& state, std::span<const T> values) {
    if (values.empty()) return;
    T best = values[0];
    if constexpr (std::is_same_v<T, double>) {
      // Comparisons with NaN are false, so only a NaN at the start could stick.
      const double worst = side == Side::kMin ? std::numeric_limits<double>::infinity()
                                              : -std::numeric_limits<double>::infinity();
      best = worst;
      for (const double value : values) best = Beats<side>(value, best) ? value : best;
      if (best == worst &&
          std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) {
        best = values[0];
      }
    } else {
      for (const T value : values) best = Beats<side>(value, best) ? value : best;
    }
    Add(state, best);
  }
  static void AddSummary(State& state, const RunSummary& summary)
    requires(sizeof(T) == sizeof(std::uint64_t))
  {
    Add(state, side == Side::kMin ? summary.LeastAs<T>() : summary.MostAs<T>());
  }
  static void Merge(State& into, const State& from) {
    if (from.any) Add(into, from.value);
  }
  static Status Finish(const State& state, std::size_t row, Vector* result) {
    if (state.any) {
      result->mutable_values<T>()[row] = state.value;
    } else {
      result->SetNull(row);
    }
    return OkStatus();
  }
};

// ---- one value of any type
// ------------------------------------------------------------------------

bool IsNanRow(const Vector& vector, std::size_t row) {
  return vector.type().is(TypeId::kDouble) &&
         std::isnan(vector.base().values<double>()[vector.Index(row)]);
}

// Whether row `row` takes the place of `best`.
template <Side side>
bool RowWins(const Cell& best, const Vector& vector, std::size_t row) {
  if (!best.is_set()) return true;
  if (IsNanRow(vector, row)) return false;
  if (best.IsNan(vector.type())) return true;
  const int order = best.Order(vector, row);
  return side == Side::kMin ? order > 0 : order < 0;
}
template <Side side>
bool CellWins(const Cell& best, const Cell& other, const Type& type) {
  if (!best.is_set()) return true;
  if (other.IsNan(type)) return false;
  if (best.IsNan(type)) return true;
  const int order = best.Order(other, type);
  return side == Side::kMin ? order > 0 : order < 0;
}

template <Side side>
struct AnyExtreme {
  using State = Cell;
  static Status Add(const KernelContext&, Cell& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    if (RowWins<side>(state, arguments[0], row)) state.Store(arguments[0], row);
    return OkStatus();
  }
  static Status Merge(const KernelContext& context, Cell& into, Cell& from) {
    if (from.is_set() && CellWins<side>(into, from, *context.result_type)) into = std::move(from);
    return OkStatus();
  }
  static Status Finish(const KernelContext&, Cell& state, std::size_t row, Vector* result) {
    state.Load(row, result);
    return OkStatus();
  }
};

// ---- the value at an extreme
// ----------------------------------------------------------------------

struct ByState {
  Cell value;
  Cell key;
  Type key_type;
};

// The best row of the selection by a fixed-width key.
template <Side side, typename T>
std::uint32_t BestRow(const Vector& keys, const std::vector<std::uint32_t>& rows) {
  const Reader<T> reader(keys);
  std::uint32_t best = rows[0];
  for (const std::uint32_t row : rows) {
    bool better = Beats<side>(reader[row], reader[best]);
    if constexpr (std::is_same_v<T, double>) {
      better |= std::isnan(reader[best]) && !std::isnan(reader[row]);
    }
    if (better) best = row;
  }
  return best;
}

// Rows with a null key are passed over; a null value is an answer like any other.
template <Side side>
struct By {
  using State = ByState;
  static Status Add(const KernelContext&, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    if (arguments[1].IsNull(row) || !RowWins<side>(state.key, arguments[1], row)) return OkStatus();
    if (!state.key.is_set()) state.key_type = arguments[1].type();
    state.key.Store(arguments[1], row);
    state.value.Store(arguments[0], row);
    return OkStatus();
  }
  static Status AddAll(const KernelContext& context, State& state,
                       std::span<const Vector> arguments, const Selection& rows) {
    const Vector& keys = arguments[1];
    std::vector<std::uint32_t> present;
    present.reserve(rows.size());
    rows.ForEach([&](std::uint32_t row) {
      if (!keys.IsNull(row)) present.push_back(row);
    });
    if (present.empty()) return OkStatus();
    switch (keys.type().physical()) {
      case PhysicalType::kInt32:
        return Add(context, state, arguments, BestRow<side, std::int32_t>(keys, present));
      case PhysicalType::kInt64:
        return Add(context, state, arguments, BestRow<side, std::int64_t>(keys, present));
      case PhysicalType::kDouble:
        return Add(context, state, arguments, BestRow<side, double>(keys, present));
      case PhysicalType::kString:
        return Add(context, state, arguments, BestRow<side, StringRef>(keys, present));
      default:
        for (const std::uint32_t row : present) TL_TRY(Add(context, state, arguments, row));
        return OkStatus();
    }
  }
  static Status Merge(const KernelContext&, State& into, State& from) {
    if (from.key.is_set() && CellWins<side>(into.key, from.key, from.key_type)) {
      into = std::move(from);
    }
    return OkStatus();
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    state.value.Load(row, result);
    return OkStatus();
  }
};

// ---- the n most extreme
// -----------------------------------------------------------------------------

constexpr std::int64_t kExtremesMax = 10'000;

// Keeps at least the best n rows; sorted out whenever twice as many have gathered.
struct TopState {
  std::size_t n = 0;
  Vector values;
  Vector keys;
  StateMemory memory;
};

template <Side side, bool by>
struct Top {
  using State = TopState;

  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    return AddAll(context, state, arguments, Selection::Of(std::span(&row, 1)));
  }

  static Status AddAll(const KernelContext& context, State& state,
                       std::span<const Vector> arguments, const Selection& rows) {
    const Vector& keys = arguments[by ? 1 : 0];
    const Vector& counts = arguments[by ? 2 : 1];
    std::vector<std::uint32_t> present;
    rows.ForEach([&](std::uint32_t row) {
      if (!keys.IsNull(row) && !counts.IsNull(row)) present.push_back(row);
    });
    if (present.empty()) return OkStatus();
    if (state.n == 0) {
      const std::int64_t n = Reader<std::int64_t>(counts)[present[0]];
      if (n < 1 || n > kExtremesMax) {
        return ExecutionFailed(
            "third argument of max_by/min_by and second of max/min must be between 1 and {}; got "
            "{}",
            kExtremesMax, n);
      }
      state.n = static_cast<std::size_t>(n);
      state.keys = Vector::Flat(keys.type(), 0);
      if (by) state.values = Vector::Flat(arguments[0].type(), 0);
    }
    state.keys.Append(keys, Selection::Of(present));
    if (by) state.values.Append(arguments[0], Selection::Of(present));
    return Prune(context, state, false);
  }

  static Status Merge(const KernelContext& context, State& into, State& from) {
    if (from.n == 0) return OkStatus();
    if (into.n == 0) {
      into.n = from.n;
      into.keys = Vector::Flat(from.keys.type(), 0);
      if (by) into.values = Vector::Flat(from.values.type(), 0);
    }
    into.keys.Append(from.keys, Selection::All(from.keys.size()));
    if (by) into.values.Append(from.values, Selection::All(from.values.size()));
    return Prune(context, into, false);
  }

  static Status Finish(const KernelContext& context, State& state, std::size_t row,
                       Vector* result) {
    if (state.n == 0) {
      result->SetNull(row);
      return OkStatus();
    }
    TL_TRY(Prune(context, state, true));
    Vector& child = result->mutable_child(0);
    result->mutable_values<ListEntry>()[row] = {static_cast<std::uint32_t>(child.size()),
                                                static_cast<std::uint32_t>(state.keys.size())};
    child.Append(by ? state.values : state.keys, Selection::All(state.keys.size()));
    return OkStatus();
  }

 private:
  static Status Prune(const KernelContext& context, State& state, bool now) {
    static constexpr std::size_t kSlackRows = 256;
    const std::size_t size = state.keys.size();
    if (!now && size < 2 * state.n + kSlackRows) {
      return state.memory.Hold(context, state.keys.memory_bytes() + state.values.memory_bytes());
    }
    std::vector<std::uint32_t> order(size);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      const bool nan_a = IsNanRow(state.keys, a);
      const bool nan_b = IsNanRow(state.keys, b);
      if (nan_a || nan_b) return !nan_a && nan_b;
      const int compared = OrderRows(state.keys, a, state.keys, b);
      return side == Side::kMin ? compared < 0 : compared > 0;
    });
    order.resize(std::min(size, state.n));
    // Copies, so that the text of rows that lost is let go.
    Vector keys = Vector::Flat(state.keys.type(), 0);
    keys.Append(state.keys, Selection::Of(order));
    state.keys = std::move(keys);
    if (by) {
      Vector values = Vector::Flat(state.values.type(), 0);
      values.Append(state.values, Selection::Of(order));
      state.values = std::move(values);
    }
    return OkStatus();
  }
};

template <Side side>
constexpr auto kExtremeOverloads = std::to_array<AggregateOverload>({
    Aggregate1<FixedExtreme<side, double>>::Overload("(double) -> double"),
    Aggregate1<FixedExtreme<side, std::int64_t>>::Overload("(bigint) -> bigint"),
    Aggregate1<FixedExtreme<side, std::int32_t>>::Overload("(integer) -> integer"),
    Aggregate1<FixedExtreme<side, std::int64_t>>::Overload("(timestamp) -> timestamp"),
    Aggregate1<FixedExtreme<side, std::int32_t>>::Overload("(date) -> date"),
    Aggregate1<FixedExtreme<side, std::int64_t>>::Overload("(time) -> time"),
    Aggregate1<FixedExtreme<side, std::int64_t>>::Overload(
        "(interval day to second) -> interval day to second"),
    Aggregate1<FixedExtreme<side, std::int32_t>>::Overload(
        "(interval year to month) -> interval year to month"),
    Aggregate1<FixedExtreme<side, std::uint8_t>>::Overload("(boolean) -> boolean"),
    AggregateRows<AnyExtreme<side>>::Overload("(T:orderable) -> T"),
    AggregateRows<Top<side, false>>::Overload("(T:orderable, bigint) -> array(T)"),
});
constexpr AggregateFunction kMin{
    .name = "min",
    .overloads = kExtremeOverloads<Side::kMin>,
    .doc = {"aggregate", "The smallest value, or an array of the n smallest.",
            "SELECT min(x, 2) FROM (VALUES 3, 1, 2) AS t(x)", "[1,2]"}};
TL_REGISTER_AGGREGATE(kMin);
constexpr AggregateFunction kMax{
    .name = "max",
    .overloads = kExtremeOverloads<Side::kMax>,
    .doc = {"aggregate", "The largest value, or an array of the n largest.",
            "SELECT max(x) FROM (VALUES 3, 1, 2) AS t(x)", "3"}};
TL_REGISTER_AGGREGATE(kMax);

template <Side side>
constexpr auto kByOverloads = std::to_array<AggregateOverload>({
    AggregateRows<By<side>>::Overload("(V, K:orderable) -> V"),
    AggregateRows<Top<side, true>>::Overload("(V, K:orderable, bigint) -> array(V)"),
});
constexpr AggregateFunction kMinBy{
    .name = "min_by",
    .overloads = kByOverloads<Side::kMin>,
    .skips_nulls = false,
    .doc = {"aggregate", "The first argument where the second is smallest, or the n first ones.",
            "SELECT min_by(x, y) FROM (VALUES ('a', 2), ('b', 1)) AS t(x, y)", "b"}};
TL_REGISTER_AGGREGATE(kMinBy);
constexpr AggregateFunction kMaxBy{
    .name = "max_by",
    .overloads = kByOverloads<Side::kMax>,
    .skips_nulls = false,
    .doc = {"aggregate", "The first argument where the second is largest, or the n first ones.",
            "SELECT max_by(x, y, 2) FROM (VALUES ('a', 2), ('b', 1), ('c', 3)) AS t(x, y)",
            "[c,a]"}};
TL_REGISTER_AGGREGATE(kMaxBy);

// ---- arbitrary
// --------------------------------------------------------------------------------------

struct Arbitrary {
  using State = Cell;
  static Status Add(const KernelContext&, Cell& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    if (!state.is_set()) state.Store(arguments[0], row);
    return OkStatus();
  }
  static Status AddAll(const KernelContext& context, Cell& state, std::span<const Vector> arguments,
                       const Selection& rows) {
    return rows.empty() ? OkStatus() : Add(context, state, arguments, rows[0]);
  }
  static Status Merge(const KernelContext&, Cell& into, Cell& from) {
    if (!into.is_set()) into = std::move(from);
    return OkStatus();
  }
  static Status Finish(const KernelContext&, Cell& state, std::size_t row, Vector* result) {
    state.Load(row, result);
    return OkStatus();
  }
};
constexpr AggregateOverload kArbitraryOverloads[] = {
    AggregateRows<Arbitrary>::Overload("(T) -> T")};
constexpr AggregateFunction kArbitrary{
    .name = "arbitrary",
    .overloads = kArbitraryOverloads,
    .order_sensitive = true,
    .doc = {"aggregate", "Some value that is not NULL.",
            "SELECT arbitrary(x) FROM (VALUES 7, 7) AS t(x)", "7"}};
TL_REGISTER_AGGREGATE(kArbitrary);
constexpr AggregateFunction kAnyValue{
    .name = "any_value",
    .overloads = kArbitraryOverloads,
    .order_sensitive = true,
    .doc = {"aggregate", "Some value that is not NULL.",
            "SELECT any_value(x) FROM (VALUES 7, 7) AS t(x)", "7"}};
TL_REGISTER_AGGREGATE(kAnyValue);

}  // namespace
}  // namespace tideline::functions
