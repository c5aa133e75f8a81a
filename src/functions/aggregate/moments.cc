// functions/aggregate/moments.cc: variance, standard deviation, skewness, kurtosis, covariance,
// correlation and linear regression.
//
// One pass, mergeable: Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for
// Computing Sample Variances", 1979; higher moments after Pébay, "Formulas for Robust, One-Pass
// Parallel Computation of Covariances and Arbitrary-Order Statistical Moments", SAND2008-6212.
#include <cmath>

#include "functions/aggregate/aggregate.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

// m_k is the sum of (x - mean)^k.
struct Moments {
  double n = 0;
  double mean = 0;
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;
};

void MergeMoments(Moments& into, const Moments& from) {
  if (from.n == 0) return;
  if (into.n == 0) {
    into = from;
    return;
  }
  const double n = into.n + from.n;
  const double delta = from.mean - into.mean;
  const double d_n = delta / n;
  const double product = into.n * from.n;
  const double m4 =
      into.m4 + from.m4 +
      delta * d_n * d_n * d_n * product * (into.n * into.n - product + from.n * from.n) +
      6 * d_n * d_n * (into.n * into.n * from.m2 + from.n * from.n * into.m2) +
      4 * d_n * (into.n * from.m3 - from.n * into.m3);
  const double m3 = into.m3 + from.m3 + delta * d_n * d_n * product * (into.n - from.n) +
                    3 * d_n * (into.n * from.m2 - from.n * into.m2);
  into.m2 += from.m2 + delta * d_n * product;
  into.m3 = m3;
  into.m4 = m4;
  into.mean += d_n * from.n;
  into.n = n;
}

template <auto Answer>
struct MomentsOp {
  using State = Moments;
  using Argument = double;
  static void Add(State& state, double value) { MergeMoments(state, {1, value, 0, 0, 0}); }
  // A batch's moments come from two plain loops around its own mean, then merge.
  static void AddAll(State& state, std::span<const double> values) {
    if (values.empty()) return;
    Moments batch;
    batch.n = static_cast<double>(values.size());
    for (const double value : values) batch.mean += value;
    batch.mean /= batch.n;
    for (const double value : values) {
      const double d = value - batch.mean;
      const double d2 = d * d;
      batch.m2 += d2;
      batch.m3 += d2 * d;
      batch.m4 += d2 * d2;
    }
    MergeMoments(state, batch);
  }
  static void Merge(State& into, const State& from) { MergeMoments(into, from); }
  static Status Finish(const State& state, std::size_t row, Vector* result) {
    double answer = 0;
    if (Answer(state, &answer)) {
      result->mutable_values<double>()[row] = answer;
    } else {
      result->SetNull(row);
    }
    return OkStatus();
  }
};

// Each yields false for NULL.
bool VarianceSample(const Moments& m, double* out) {
  *out = m.m2 / (m.n - 1);
  return m.n > 1;
}
bool VariancePopulation(const Moments& m, double* out) {
  *out = m.m2 / m.n;
  return m.n > 0;
}
bool DeviationSample(const Moments& m, double* out) {
  *out = std::sqrt(m.m2 / (m.n - 1));
  return m.n > 1;
}
bool DeviationPopulation(const Moments& m, double* out) {
  *out = std::sqrt(m.m2 / m.n);
  return m.n > 0;
}
bool Skewness(const Moments& m, double* out) {
  *out = std::sqrt(m.n) * m.m3 / std::pow(m.m2, 1.5);
  return m.n > 2;
}
bool Kurtosis(const Moments& m, double* out) {
  const double n = m.n;
  *out = n * (n + 1) * (n - 1) * m.m4 / ((n - 2) * (n - 3) * m.m2 * m.m2) -
         3 * (n - 1) * (n - 1) / ((n - 2) * (n - 3));
  return n > 3;
}

constexpr AggregateOverload kVarSampOverloads[] = {
    Aggregate1<MomentsOp<VarianceSample>>::Overload("(double) -> double")};
constexpr AggregateOverload kVarPopOverloads[] = {
    Aggregate1<MomentsOp<VariancePopulation>>::Overload("(double) -> double")};
constexpr AggregateOverload kStddevSampOverloads[] = {
    Aggregate1<MomentsOp<DeviationSample>>::Overload("(double) -> double")};
constexpr AggregateOverload kStddevPopOverloads[] = {
    Aggregate1<MomentsOp<DeviationPopulation>>::Overload("(double) -> double")};
constexpr AggregateOverload kSkewnessOverloads[] = {
    Aggregate1<MomentsOp<Skewness>>::Overload("(double) -> double")};
constexpr AggregateOverload kKurtosisOverloads[] = {
    Aggregate1<MomentsOp<Kurtosis>>::Overload("(double) -> double")};

#define TL_MOMENT(object, text, overload_list, summary_text, result_text)                        \
  constexpr AggregateFunction object{                                                            \
      .name = text,                                                                              \
      .overloads = overload_list,                                                                \
      .doc = {"aggregate", summary_text,                                                         \
              "SELECT round(" text "(x), 6) FROM (VALUES 1, 2, 3, 4, 8) AS t(x)", result_text}}; \
  TL_REGISTER_AGGREGATE(object)

TL_MOMENT(kVariance, "variance", kVarSampOverloads, "The sample variance.", "7.3");
TL_MOMENT(kVarSamp, "var_samp", kVarSampOverloads, "The sample variance.", "7.3");
TL_MOMENT(kVarPop, "var_pop", kVarPopOverloads, "The population variance.", "5.84");
TL_MOMENT(kStddev, "stddev", kStddevSampOverloads, "The sample standard deviation.", "2.701851");
TL_MOMENT(kStddevSamp, "stddev_samp", kStddevSampOverloads, "The sample standard deviation.",
          "2.701851");
TL_MOMENT(kStddevPop, "stddev_pop", kStddevPopOverloads, "The population standard deviation.",
          "2.416609");
TL_MOMENT(kSkewness, "skewness", kSkewnessOverloads, "The skewness of the values.", "0.897896");
TL_MOMENT(kKurtosis, "kurtosis", kKurtosisOverloads, "The sample excess kurtosis of the values.",
          "2.021017");
#undef TL_MOMENT

// ---- pairs
// ----------------------------------------------------------------------------------------

struct PairMoments {
  double n = 0;
  double mean_y = 0;
  double mean_x = 0;
  double syy = 0;
  double sxx = 0;
  double sxy = 0;
};

void MergePairs(PairMoments& into, const PairMoments& from) {
  if (from.n == 0) return;
  if (into.n == 0) {
    into = from;
    return;
  }
  const double n = into.n + from.n;
  const double dy = from.mean_y - into.mean_y;
  const double dx = from.mean_x - into.mean_x;
  const double weight = into.n * from.n / n;
  into.syy += from.syy + dy * dy * weight;
  into.sxx += from.sxx + dx * dx * weight;
  into.sxy += from.sxy + dx * dy * weight;
  into.mean_y += dy * from.n / n;
  into.mean_x += dx * from.n / n;
  into.n = n;
}

template <auto Answer>
struct PairOp {
  using State = PairMoments;
  static void Add(State& state, double y, double x) { MergePairs(state, {1, y, x, 0, 0, 0}); }
  static void Merge(State& into, const State& from) { MergePairs(into, from); }
  static Status Finish(const State& state, std::size_t row, Vector* result) {
    double answer = 0;
    if (Answer(state, &answer)) {
      result->mutable_values<double>()[row] = answer;
    } else {
      result->SetNull(row);
    }
    return OkStatus();
  }
};

bool Correlation(const PairMoments& m, double* out) {
  *out = m.sxy / std::sqrt(m.sxx * m.syy);
  return m.n > 1 && m.sxx != 0 && m.syy != 0;
}
bool CovariancePopulation(const PairMoments& m, double* out) {
  *out = m.sxy / m.n;
  return m.n > 0;
}
bool CovarianceSample(const PairMoments& m, double* out) {
  *out = m.sxy / (m.n - 1);
  return m.n > 1;
}
bool Slope(const PairMoments& m, double* out) {
  *out = m.sxy / m.sxx;
  return m.n > 0 && m.sxx != 0;
}
bool Intercept(const PairMoments& m, double* out) {
  *out = m.mean_y - m.sxy / m.sxx * m.mean_x;
  return m.n > 0 && m.sxx != 0;
}
bool RSquared(const PairMoments& m, double* out) {
  *out = m.syy == 0 ? 1 : m.sxy * m.sxy / (m.sxx * m.syy);
  return m.n > 0 && m.sxx != 0;
}
bool PairCount(const PairMoments& m, double* out) {
  *out = m.n;
  return m.n > 0;
}
bool AverageX(const PairMoments& m, double* out) {
  *out = m.mean_x;
  return m.n > 0;
}
bool AverageY(const PairMoments& m, double* out) {
  *out = m.mean_y;
  return m.n > 0;
}
bool SumSquaresX(const PairMoments& m, double* out) {
  *out = m.sxx;
  return m.n > 0;
}
bool SumSquaresY(const PairMoments& m, double* out) {
  *out = m.syy;
  return m.n > 0;
}
bool SumProducts(const PairMoments& m, double* out) {
  *out = m.sxy;
  return m.n > 0;
}

#define TL_PAIR(object, text, answer, summary_text, result_text)                                 \
  constexpr AggregateOverload object##Overloads[] = {                                            \
      Aggregate2<PairOp<answer>>::Overload("(double, double) -> double")};                       \
  constexpr AggregateFunction object{                                                            \
      .name = text,                                                                              \
      .overloads = object##Overloads,                                                            \
      .doc = {"aggregate", summary_text,                                                         \
              "SELECT round(" text "(y, x), 6) FROM (VALUES (1, 2), (2, 4), (4, 5)) AS t(y, x)", \
              result_text}};                                                                     \
  TL_REGISTER_AGGREGATE(object)

TL_PAIR(kCorr, "corr", Correlation, "The correlation of the pairs (y, x).", "0.928571");
TL_PAIR(kCovarPop, "covar_pop", CovariancePopulation, "The population covariance.", "1.444444");
TL_PAIR(kCovarSamp, "covar_samp", CovarianceSample, "The sample covariance.", "2.166667");
TL_PAIR(kRegrSlope, "regr_slope", Slope, "The slope of the regression line of y on x.", "0.928571");
TL_PAIR(kRegrIntercept, "regr_intercept", Intercept,
        "Where the regression line of y on x meets x = 0.", "-1.071429");
TL_PAIR(kRegrR2, "regr_r2", RSquared, "The share of y's variance that x explains.", "0.862245");
TL_PAIR(kRegrCount, "regr_count", PairCount, "The number of pairs.", "3.0");
TL_PAIR(kRegrAvgx, "regr_avgx", AverageX, "The mean of x over the pairs.", "3.666667");
TL_PAIR(kRegrAvgy, "regr_avgy", AverageY, "The mean of y over the pairs.", "2.333333");
TL_PAIR(kRegrSxx, "regr_sxx", SumSquaresX, "The sum of squared deviations of x.", "4.666667");
TL_PAIR(kRegrSyy, "regr_syy", SumSquaresY, "The sum of squared deviations of y.", "4.666667");
TL_PAIR(kRegrSxy, "regr_sxy", SumProducts, "The sum of products of deviations.", "4.333333");
#undef TL_PAIR

}  // namespace
}  // namespace tideline::functions
