// functions/timeseries/calculus.cc: derivatives, integrals and correlations of series.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/time.h"
#include "functions/kernel.h"
#include "functions/registry.h"
#include "functions/timeseries/series.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

template <bool non_negative>
Status Derivative(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                  Vector* result, RowErrors* errors) {
  SeriesReader reader(arguments[0]);
  const Reader<I64> intervals(arguments[1]);
  std::vector<I64> times;
  std::vector<double> values;
  ListEntry* out = result->mutable_values<ListEntry>();
  rows.ForEach([&](std::uint32_t row) {
    const Series series = reader.Row(row);
    Status status = CheckIncreasing(series.times);
    if (intervals[row] <= 0)
      status = ExecutionFailed("the interval of a derivative must be positive");
    if (!status.ok()) {
      errors->Add(row, status);
      return;
    }
    const std::size_t first = times.size();
    for (std::size_t i = 1; i < series.size(); ++i) {
      const auto elapsed = static_cast<double>(series.times[i] - series.times[i - 1]);
      // The division comes last: it is then the only step that rounds when values are short.
      const double value =
          (series.values[i] - series.values[i - 1]) * static_cast<double>(intervals[row]) / elapsed;
      if (non_negative && value < 0) continue;
      times.push_back(series.times[i]);
      values.push_back(value);
    }
    out[row] = {static_cast<std::uint32_t>(first),
                static_cast<std::uint32_t>(times.size() - first)};
  });
  Vector time_child = Vector::Flat(Type::Timestamp(), times.size());
  Vector value_child = Vector::Flat(Type::Double(), values.size());
  std::copy(times.begin(), times.end(), time_child.mutable_values<I64>());
  std::copy(values.begin(), values.end(), value_child.mutable_values<double>());
  result->SetChild(0, std::move(time_child));
  result->SetChild(1, std::move(value_child));
  return OkStatus();
}

Status Integral(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors* errors) {
  SeriesReader reader(arguments[0]);
  double* out = result->mutable_values<double>();
  rows.ForEach([&](std::uint32_t row) {
    const Series series = reader.Row(row);
    const I64 unit = arguments.size() > 1 ? Reader<I64>(arguments[1])[row] : kNsPerSecond;
    if (unit <= 0) {
      errors->Add(row, ExecutionFailed("the interval of an integral must be positive"));
      return;
    }
    if (series.size() == 0) {
      result->SetNull(row);
      return;
    }
    double sum = 0;
    for (std::size_t i = 1; i < series.size(); ++i) {
      const double elapsed =
          static_cast<double>(series.times[i] - series.times[i - 1]) / static_cast<double>(unit);
      sum += (series.values[i - 1] + series.values[i]) / 2 * elapsed;
    }
    out[row] = sum;
  });
  return OkStatus();
}

// False when there is none: fewer than two points or no variance.
bool Pearson(std::span<const double> a, std::span<const double> b, double* out) {
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double aa = 0;
  double bb = 0;
  double ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i] - mean_a;
    const double y = b[i] - mean_b;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  *out = ab / std::sqrt(aa * bb);
  return a.size() > 1 && aa != 0 && bb != 0;
}

// Average ranks, from 1.
std::vector<double> Ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    // NaN last, for an order that is one.
    return std::isnan(values[a]) ? false : std::isnan(values[b]) || values[a] < values[b];
  });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    const double rank = static_cast<double>(i + end + 1) / 2;
    for (; i < end; ++i) ranks[order[i]] = rank;
  }
  return ranks;
}

template <bool by_rank>
Status Correlate(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                 Vector* result, RowErrors* errors) {
  SeriesReader left(arguments[0]);
  SeriesReader right(arguments[1]);
  double* out = result->mutable_values<double>();
  rows.ForEach([&](std::uint32_t row) {
    const Series a = left.Row(row);
    const Series b = right.Row(row);
    if (!std::equal(a.times.begin(), a.times.end(), b.times.begin(), b.times.end())) {
      errors->Add(row, ExecutionFailed("Time series must have the same timestamps"));
      return;
    }
    const bool found = by_rank ? Pearson(Ranks(a.values), Ranks(b.values), &out[row])
                               : Pearson(a.values, b.values, &out[row]);
    if (!found) result->SetNull(row);
  });
  return OkStatus();
}

constexpr ScalarOverload kDerivativeOverloads[] = {
    {"(timeseries(double), interval day to second) -> timeseries(double)", Derivative<false>}};
constexpr ScalarOverload kNonNegativeOverloads[] = {
    {"(timeseries(double), interval day to second) -> timeseries(double)", Derivative<true>}};
constexpr ScalarOverload kIntegralOverloads[] = {
    {"(timeseries(double)) -> double", Integral},
    {"(timeseries(double), interval day to second) -> double", Integral},
};
constexpr ScalarOverload kPearsonOverloads[] = {
    {"(timeseries(double), timeseries(double)) -> double", Correlate<false>}};
constexpr ScalarOverload kSpearmanOverloads[] = {
    {"(timeseries(double), timeseries(double)) -> double", Correlate<true>}};

#define TL_CALCULUS(object, text, overload_list, summary_text, call, result_text)         \
  constexpr ScalarFunction object{                                                        \
      .name = text,                                                                       \
      .overloads = overload_list,                                                         \
      .doc = {"time series", summary_text,                                                \
              "SELECT " call " FROM (SELECT create_time_series(t, v) AS s FROM (VALUES "  \
              "(TIMESTAMP '2024-01-01', 10.0), (TIMESTAMP '2024-01-01 00:00:10', 20.0), " \
              "(TIMESTAMP '2024-01-01 00:00:20', 10.0)) AS x(t, v))",                     \
              result_text}};                                                              \
  TL_REGISTER_SCALAR(object)
TL_CALCULUS(kDerivativeLinear, "derivative_linear", kDerivativeOverloads,
            "The change per interval from each point to the next.",
            "cardinality(derivative_linear(s, 5s))", "2");
TL_CALCULUS(kNonNegativeDerivative, "non_negative_derivative_linear", kNonNegativeOverloads,
            "The change per interval from each point to the next, where it is not negative.",
            "cardinality(non_negative_derivative_linear(s, 5s))", "1");
TL_CALCULUS(kIntegralTrapezoidal, "integral_trapezoidal", kIntegralOverloads,
            "The area under the series by the trapezoidal rule, in seconds or an interval.",
            "integral_trapezoidal(s)", "300.0");
TL_CALCULUS(kCorrelatePearson, "correlate_pearson", kPearsonOverloads,
            "Pearson's correlation of two series with the same timestamps.",
            "correlate_pearson(s, s)", "1.0");
TL_CALCULUS(kCorrelateSpearman, "correlate_spearman", kSpearmanOverloads,
            "Spearman's rank correlation of two series with the same timestamps.",
            "correlate_spearman(s, s)", "1.0");
#undef TL_CALCULUS

}  // namespace
}  // namespace tideline::functions
