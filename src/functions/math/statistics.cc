// functions/math/statistics.cc: quantiles of the normal distribution, confidence intervals,
// similarity, and distance on the sphere.
#include <cmath>
#include <numbers>

#include "functions/compare.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

// ---- normal distribution --------------------------------------------------------------------

double Horner(std::span<const double> coefficients, double x) {
  double sum = 0;
  for (const double c : coefficients) sum = sum * x + c;
  return sum;
}

// Source: Acklam, "An algorithm for computing the inverse normal cumulative distribution
// function", 2003 (relative error 1.2e-9), then two of Halley's steps to full precision.
double StandardQuantile(double p) {
  static constexpr double kA[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                                  -2.759285104469687e+02, 1.383577518672690e+02,
                                  -3.066479806614716e+01, 2.506628277459239e+00};
  static constexpr double kB[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                                  -1.556989798598866e+02, 6.680131188771972e+01,
                                  -1.328068155288572e+01, 1};
  static constexpr double kC[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                                  -2.400758277161838e+00, -2.549732539343734e+00,
                                  4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr double kD[] = {7.784695709041462e-03, 3.224671290700398e-01,
                                  2.445134137142996e+00, 3.754408661907416e+00, 1};
  static constexpr double kTail = 0.02425;
  if (p > 0.5) return -StandardQuantile(1 - p);
  double x = 0;
  if (p < kTail) {
    const double q = std::sqrt(-2 * std::log(p));
    x = Horner(kC, q) / Horner(kD, q);
  } else {
    const double q = p - 0.5;
    x = q * Horner(kA, q * q) / Horner(kB, q * q);
  }
  for (int step = 0; step < 2; ++step) {
    const double error = 0.5 * std::erfc(-x / std::numbers::sqrt2) - p;
    const double u = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
    if (!std::isfinite(u)) break;
    x -= u / (1 + x * u / 2);
  }
  return x;
}

Result<double> InverseNormalCdf(double mean, double deviation, double p) {
  if (!(p > 0 && p < 1)) return ExecutionFailed("p must be 0 > p > 1");
  if (!(deviation > 0)) return ExecutionFailed("sd must be > 0");
  return mean + deviation * StandardQuantile(p);
}

// ---- Wilson's score interval ----------------------------------------------------------------

// Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
template <int side>
Result<double> WilsonBound(I64 successes, I64 trials, double z) {
  if (successes < 0) return ExecutionFailed("number of successes must not be negative");
  if (trials <= 0) return ExecutionFailed("number of trials must be positive");
  if (successes > trials) {
    return ExecutionFailed("number of successes must not be larger than number of trials");
  }
  if (!(z >= 0)) return ExecutionFailed("z-score must not be negative");
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return (p + z * z / (2 * n) + side * spread) / (1 + z * z / n);
}

// ---- cosine similarity ----------------------------------------------------------------------

Status CosineSimilarity(const KernelContext&, std::span<const Vector> arguments,
                        const Selection& rows, Vector* result, RowErrors*) {
  const Reader<ListEntry> lefts(arguments[0]);
  const Reader<ListEntry> rights(arguments[1]);
  const Vector& left_keys = arguments[0].child(0);
  const Vector& right_keys = arguments[1].child(0);
  const Reader<double> left_values(arguments[0].child(1));
  const Reader<double> right_values(arguments[1].child(1));
  double* out = result->mutable_values<double>();
  // The squared length of a map's values; negative when one of them is null.
  const auto norm = [](ListEntry entry, const Reader<double>& values) {
    double sum = 0;
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (values.IsNull(i)) return -1.0;
      sum += values[i] * values[i];
    }
    return sum;
  };
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry a = lefts[row];
    const ListEntry b = rights[row];
    const double norm_a = norm(a, left_values);
    const double norm_b = norm(b, right_values);
    if (norm_a < 0 || norm_b < 0) {
      result->SetNull(row);
      return;
    }
    double dot = 0;
    for (std::uint32_t i = a.offset; i < a.offset + a.length; ++i) {
      for (std::uint32_t j = b.offset; j < b.offset + b.length; ++j) {
        if (SameRows(left_keys, i, right_keys, j)) dot += left_values[i] * right_values[j];
      }
    }
    out[row] = dot / (std::sqrt(norm_a) * std::sqrt(norm_b));
  });
  return OkStatus();
}

// ---- great circles --------------------------------------------------------------------------

constexpr double kEarthRadiusKm = 6371.01;

// Vincenty's formula for the sphere: exact to rounding at all distances.
Status GreatCircleDistance(const KernelContext&, std::span<const Vector> arguments,
                           const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<double> latitudes1(arguments[0]);
  const Reader<double> longitudes1(arguments[1]);
  const Reader<double> latitudes2(arguments[2]);
  const Reader<double> longitudes2(arguments[3]);
  double* out = result->mutable_values<double>();
  const auto radians = [](double degrees) { return degrees / 180 * std::numbers::pi; };
  rows.ForEach([&](std::uint32_t row) {
    if (!(std::abs(latitudes1[row]) <= 90) || !(std::abs(latitudes2[row]) <= 90)) {
      errors->Add(row, ExecutionFailed("Latitude must be between -90 and 90"));
      return;
    }
    if (!(std::abs(longitudes1[row]) <= 180) || !(std::abs(longitudes2[row]) <= 180)) {
      errors->Add(row, ExecutionFailed("Longitude must be between -180 and 180"));
      return;
    }
    const double sin1 = std::sin(radians(latitudes1[row]));
    const double cos1 = std::cos(radians(latitudes1[row]));
    const double sin2 = std::sin(radians(latitudes2[row]));
    const double cos2 = std::cos(radians(latitudes2[row]));
    const double delta = radians(longitudes1[row]) - radians(longitudes2[row]);
    const double cos_delta = std::cos(delta);
    const double east = cos2 * std::sin(delta);
    const double north = cos1 * sin2 - sin1 * cos2 * cos_delta;
    const double up = sin1 * sin2 + cos1 * cos2 * cos_delta;
    out[row] = std::atan2(std::sqrt(east * east + north * north), up) * kEarthRadiusKm;
  });
  return OkStatus();
}

#define TL_STATISTIC(object, text, family_text, summary_text, example_text, result_text, ...) \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                               \
  constexpr ScalarFunction object{                                                            \
      .name = text,                                                                           \
      .overloads = object##Overloads,                                                         \
      .doc = {family_text, summary_text, "SELECT round(" text "(" example_text "), 6)",       \
              result_text}};                                                                  \
  TL_REGISTER_SCALAR(object)

TL_STATISTIC(kInverseNormalCdf, "inverse_normal_cdf", "math",
             "The value that a normal variable of this mean and deviation is below with "
             "probability p.",
             "0, 1, 0.975", "1.959964",
             {"(double, double, double) -> double",
              Try3<double, double, double, double, InverseNormalCdf>});
TL_STATISTIC(kWilsonLower, "wilson_interval_lower", "math",
             "The lower bound of Wilson's score interval of a success rate.", "1250, 1310, 1.96",
             "0.941488",
             {"(bigint, bigint, double) -> double",
              Try3<double, I64, I64, double, WilsonBound<-1>>});
TL_STATISTIC(kWilsonUpper, "wilson_interval_upper", "math",
             "The upper bound of Wilson's score interval of a success rate.", "1250, 1310, 1.96",
             "0.964252",
             {"(bigint, bigint, double) -> double",
              Try3<double, I64, I64, double, WilsonBound<1>>});
TL_STATISTIC(kCosineSimilarity, "cosine_similarity", "math",
             "The cosine of the angle between two sparse vectors.",
             "map(ARRAY['a'], ARRAY[1.0]), map(ARRAY['a', 'b'], ARRAY[2.0, 3.0])", "0.5547",
             {"(map(varchar, double), map(varchar, double)) -> double", CosineSimilarity});
#undef TL_STATISTIC

constexpr ScalarOverload kGreatCircleDistanceOverloads[] = {
    {"(double, double, double, double) -> double", GreatCircleDistance}};
constexpr ScalarFunction kGreatCircleDistance{
    .name = "great_circle_distance",
    .overloads = kGreatCircleDistanceOverloads,
    .profile = Profile::kExtendedOnly,
    .doc = {"geospatial",
            "Kilometres between two points on the sphere: latitude and longitude of each.",
            "SELECT round(great_circle_distance(36.12, -86.67, 33.94, -118.40), 6)",
            "2886.448973"}};
TL_REGISTER_SCALAR(kGreatCircleDistance);

}  // namespace
}  // namespace tideline::functions
