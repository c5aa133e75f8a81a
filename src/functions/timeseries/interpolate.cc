// functions/timeseries/interpolate.cc: the value of a series at given instants: linear, natural
// cubic spline, last observation carried forward, or a constant where there is no point.
//
// Outside the first and last point linear and spline yield NULL: nothing is extrapolated.
#include <algorithm>
#include <numeric>

#include "functions/kernel.h"
#include "functions/nested.h"
#include "functions/registry.h"
#include "functions/timeseries/series.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;
constexpr std::uint32_t kNothing = UINT32_MAX;

double Between(double va, double vb, I64 ta, I64 tb, I64 t) {
  return va + (vb - va) * (static_cast<double>(t - ta) / static_cast<double>(tb - ta));
}

// Where `t` lies: exact point, or the first point after it.
struct Place {
  std::size_t index;
  bool exact;
};
Place Locate(std::span<const I64> times, I64 t) {
  const auto at = std::lower_bound(times.begin(), times.end(), t);
  return {static_cast<std::size_t>(at - times.begin()), at != times.end() && *at == t};
}

class Linear {
 public:
  explicit Linear(const Series& series) : series_(series) {}
  bool At(I64 t, double* value) const {
    const auto [i, exact] = Locate(series_.times, t);
    if (exact) {
      *value = series_.values[i];
      return true;
    }
    if (i == 0 || i == series_.size()) return false;
    *value = Between(series_.values[i - 1], series_.values[i], series_.times[i - 1],
                     series_.times[i], t);
    return true;
  }

 private:
  Series series_;
};

// Second derivatives by the tridiagonal (Thomas) algorithm with zero at both ends. Source: Burden
// and Faires, "Numerical Analysis", algorithm 3.4 (natural cubic spline).
class Spline {
 public:
  explicit Spline(const Series& series) : series_(series), second_(series.size(), 0.0) {
    const std::size_t n = series.size();
    if (n < 3) return;
    std::vector<double> upper(n, 0.0);
    for (std::size_t i = 1; i + 1 < n; ++i) {
      const double before = Step(i);
      const double after = Step(i + 1);
      const double right = 6 * ((series.values[i + 1] - series.values[i]) / after -
                                (series.values[i] - series.values[i - 1]) / before);
      const double pivot = 2 * (before + after) - before * upper[i - 1];
      upper[i] = after / pivot;
      second_[i] = (right - before * second_[i - 1]) / pivot;
    }
    for (std::size_t i = n - 2; i > 0; --i) second_[i] -= upper[i] * second_[i + 1];
  }
  bool At(I64 t, double* value) const {
    const auto [i, exact] = Locate(series_.times, t);
    if (exact) {
      *value = series_.values[i];
      return true;
    }
    if (i == 0 || i == series_.size()) return false;
    const double h = Step(i);
    const double a = static_cast<double>(series_.times[i] - t) / 1e9;
    const double b = static_cast<double>(t - series_.times[i - 1]) / 1e9;
    *value = (second_[i - 1] * a * a * a + second_[i] * b * b * b) / (6 * h) +
             (series_.values[i - 1] / h - second_[i - 1] * h / 6) * a +
             (series_.values[i] / h - second_[i] * h / 6) * b;
    return true;
  }

 private:
  // Seconds from point i - 1 to point i.
  double Step(std::size_t i) const {
    return static_cast<double>(series_.times[i] - series_.times[i - 1]) / 1e9;
  }
  Series series_;
  std::vector<double> second_;
};

// The instants asked for by one row, ascending; a null among them is an error.
Result<std::vector<I64>> Instants(const Vector& vector, std::uint32_t row) {
  const ListEntry entry = vector.base().values<ListEntry>()[vector.Index(row)];
  const Vector& list = vector.child(0);
  const Reader<I64> reader(list);
  std::vector<I64> instants(entry.length);
  for (std::uint32_t i = 0; i < entry.length; ++i) {
    if (list.IsNull(entry.offset + i)) {
      return ExecutionFailed("interpolation timestamps cannot be null");
    }
    instants[i] = reader[entry.offset + i];
  }
  if (!std::is_sorted(instants.begin(), instants.end())) {
    std::sort(instants.begin(), instants.end());
  }
  return instants;
}

template <typename Method>
Status InterpolateMany(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, Vector* result, RowErrors* errors) {
  SeriesReader reader(arguments[0]);
  std::vector<I64> times;
  std::vector<double> values;
  std::vector<std::uint32_t> nulls;
  ListEntry* out = result->mutable_values<ListEntry>();
  rows.ForEach([&](std::uint32_t row) {
    const Series series = reader.Row(row);
    const Result<std::vector<I64>> instants = Instants(arguments[1], row);
    const Status status = instants.ok() ? CheckIncreasing(series.times) : instants.status();
    if (!status.ok()) {
      errors->Add(row, status);
      return;
    }
    const Method method(series);
    out[row] = {static_cast<std::uint32_t>(times.size()),
                static_cast<std::uint32_t>(instants->size())};
    for (const I64 t : *instants) {
      double value = 0;
      if (!method.At(t, &value)) nulls.push_back(static_cast<std::uint32_t>(times.size()));
      times.push_back(t);
      values.push_back(value);
    }
  });
  Vector time_child = Vector::Flat(Type::Timestamp(), times.size());
  Vector value_child = Vector::Flat(Type::Double(), times.size());
  std::copy(times.begin(), times.end(), time_child.mutable_values<I64>());
  std::copy(values.begin(), values.end(), value_child.mutable_values<double>());
  for (const std::uint32_t i : nulls) value_child.SetNull(i);
  result->SetChild(0, std::move(time_child));
  result->SetChild(1, std::move(value_child));
  return OkStatus();
}

template <typename Method>
Status InterpolateOne(const KernelContext&, std::span<const Vector> arguments,
                      const Selection& rows, Vector* result, RowErrors* errors) {
  SeriesReader reader(arguments[0]);
  const Reader<I64> instants(arguments[1]);
  double* out = result->mutable_values<double>();
  rows.ForEach([&](std::uint32_t row) {
    const Series series = reader.Row(row);
    const Status status = CheckIncreasing(series.times);
    if (!status.ok()) {
      errors->Add(row, status);
    } else if (!Method(series).At(instants[row], &out[row])) {
      result->SetNull(row);
    }
  });
  return OkStatus();
}

// ---- locf and fill: a point is picked, its value keeps its type
// ------------------------------------------

enum class Pick { kLast, kExact };

// The element that answers for `t`, or kNothing.
template <Pick pick>
std::uint32_t PickPoint(std::span<const I64> times, ListEntry entry, I64 t) {
  const auto own = times.subspan(entry.offset, entry.length);
  const auto after = std::upper_bound(own.begin(), own.end(), t);
  if (after == own.begin()) return kNothing;
  const auto index = static_cast<std::size_t>(after - own.begin()) - 1;
  if (pick == Pick::kExact && own[index] != t) return kNothing;
  return entry.offset + static_cast<std::uint32_t>(index);
}

// What stands for instants without a point: for locf one null, for fill the constant of each row.
template <Pick pick>
Vector PickSource(std::span<const Vector> arguments) {
  const Vector& values = arguments[0].child(1);
  const Vector fallback =
      pick == Pick::kExact ? arguments[2].Flatten() : Vector::ConstantNull(values.type(), 1);
  const Vector* const parts[] = {&values, &fallback};
  return Concatenate(values.type(), parts);
}

template <Pick pick>
Status PickMany(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors* errors) {
  const Vector time_child = arguments[0].child(0).Flatten();
  const std::span<const I64> times(time_child.values<I64>(), time_child.size());
  const auto fallback = static_cast<std::uint32_t>(arguments[0].child(1).size());
  std::vector<std::uint32_t> picked;
  std::vector<I64> out_times;
  ListEntry* out = result->mutable_values<ListEntry>();
  const Reader<ListEntry> lists(arguments[0]);
  rows.ForEach([&](std::uint32_t row) {
    const Result<std::vector<I64>> instants = Instants(arguments[1], row);
    if (!instants.ok()) {
      errors->Add(row, instants.status());
      return;
    }
    out[row] = {static_cast<std::uint32_t>(picked.size()),
                static_cast<std::uint32_t>(instants->size())};
    for (const I64 t : *instants) {
      const std::uint32_t point = PickPoint<pick>(times, lists[row], t);
      picked.push_back(point != kNothing ? point : fallback + (pick == Pick::kExact ? row : 0));
      out_times.push_back(t);
    }
  });
  Vector new_times = Vector::Flat(Type::Timestamp(), out_times.size());
  std::copy(out_times.begin(), out_times.end(), new_times.mutable_values<I64>());
  result->SetChild(0, std::move(new_times));
  if (picked.empty()) return OkStatus();
  result->SetChild(1, Gather(PickSource<pick>(arguments), picked));
  return OkStatus();
}

template <Pick pick>
Status PickOne(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
               Vector* result, RowErrors*) {
  const Vector time_child = arguments[0].child(0).Flatten();
  const std::span<const I64> times(time_child.values<I64>(), time_child.size());
  const auto fallback = static_cast<std::uint32_t>(arguments[0].child(1).size());
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<I64> instants(arguments[1]);
  std::vector<std::uint32_t> picked(result->size(), fallback);
  rows.ForEach([&](std::uint32_t row) {
    const std::uint32_t point = PickPoint<pick>(times, lists[row], instants[row]);
    picked[row] = point != kNothing ? point : fallback + (pick == Pick::kExact ? row : 0);
  });
  if (!rows.empty()) CopyRows(PickSource<pick>(arguments).Slice(picked), rows, result);
  return OkStatus();
}

constexpr ScalarOverload kLinearOverloads[] = {
    {"(timeseries(double), array(timestamp)) -> timeseries(double)", InterpolateMany<Linear>},
    {"(timeseries(double), timestamp) -> double", InterpolateOne<Linear>},
};
constexpr ScalarOverload kSplineOverloads[] = {
    {"(timeseries(double), array(timestamp)) -> timeseries(double)", InterpolateMany<Spline>},
    {"(timeseries(double), timestamp) -> double", InterpolateOne<Spline>},
};
constexpr ScalarOverload kLocfOverloads[] = {
    {"(timeseries(T), array(timestamp)) -> timeseries(T)", PickMany<Pick::kLast>},
    {"(timeseries(T), timestamp) -> T", PickOne<Pick::kLast>},
};
constexpr ScalarOverload kFillOverloads[] = {
    {"(timeseries(double), array(timestamp), double) -> timeseries(double)",
     PickMany<Pick::kExact>},
    {"(timeseries(double), timestamp, double) -> double", PickOne<Pick::kExact>},
    {"(timeseries(varchar), array(timestamp), varchar) -> timeseries(varchar)",
     PickMany<Pick::kExact>},
    {"(timeseries(varchar), timestamp, varchar) -> varchar", PickOne<Pick::kExact>},
    {"(timeseries(boolean), array(timestamp), boolean) -> timeseries(boolean)",
     PickMany<Pick::kExact>},
    {"(timeseries(boolean), timestamp, boolean) -> boolean", PickOne<Pick::kExact>},
};

#define TL_INTERPOLATE(object, text, overload_list, summary_text, more, result_text)             \
  constexpr ScalarFunction object{                                                               \
      .name = text,                                                                              \
      .overloads = overload_list,                                                                \
      .doc = {"time series", summary_text,                                                       \
              "SELECT " text "(create_time_series(t, v), TIMESTAMP '2024-01-01 00:00:01'" more   \
              ") FROM (VALUES (TIMESTAMP '2024-01-01', 1.0), (TIMESTAMP '2024-01-01 00:00:02', " \
              "3.0)) AS x(t, v)",                                                                \
              result_text}};                                                                     \
  TL_REGISTER_SCALAR(object)
TL_INTERPOLATE(kInterpolateLinear, "interpolate_linear", kLinearOverloads,
               "The values at instants on straight lines between points.", "", "2.0");
TL_INTERPOLATE(kInterpolateSpline, "interpolate_spline_cubic", kSplineOverloads,
               "The values at instants on a natural cubic spline through the points.", "", "2.0");
TL_INTERPOLATE(kInterpolateLocf, "interpolate_locf", kLocfOverloads,
               "The last value at or before instants.", "", "1.0");
TL_INTERPOLATE(kInterpolateFill, "interpolate_fill", kFillOverloads,
               "The values of points at instants, elsewhere a constant.", ", 0", "0.0");
#undef TL_INTERPOLATE

}  // namespace
}  // namespace tideline::functions
