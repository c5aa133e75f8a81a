// functions/operator/arithmetic.cc: + - * / % and unary minus over numbers, dates and intervals.
#include <cmath>
#include <limits>

#include "functions/calendar.h"
#include "functions/decimal.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

// ---- integers ---------------------------------------------------------------------------------

template <typename T>
constexpr std::string_view IntegerName() {
  return sizeof(T) == 4 ? "integer" : "bigint";
}

template <typename T>
bool AddOverflows(T a, T b, T* r) {
  return __builtin_add_overflow(a, b, r);
}
template <typename T>
bool SubtractOverflows(T a, T b, T* r) {
  return __builtin_sub_overflow(a, b, r);
}
template <typename T>
bool MultiplyOverflows(T a, T b, T* r) {
  return __builtin_mul_overflow(a, b, r);
}
template <typename T>
Status AddError(T a, T b) {
  return ExecutionFailed("{} addition overflow: {} + {}", IntegerName<T>(), a, b);
}
template <typename T>
Status SubtractError(T a, T b) {
  return ExecutionFailed("{} subtraction overflow: {} - {}", IntegerName<T>(), a, b);
}
template <typename T>
Status MultiplyError(T a, T b) {
  return ExecutionFailed("{} multiplication overflow: {} * {}", IntegerName<T>(), a, b);
}

template <typename T>
bool DivideFails(T a, T b, T* r) {
  if (b == 0 || (b == -1 && a == std::numeric_limits<T>::min())) [[unlikely]]
    return true;
  *r = static_cast<T>(a / b);
  return false;
}
template <typename T>
Status DivideError(T a, T b) {
  if (b == 0) return ExecutionFailed("Division by zero");
  return ExecutionFailed("{} division overflow: {} / {}", IntegerName<T>(), a, b);
}
template <typename T>
bool ModulusFails(T a, T b, T* r) {
  if (b == 0) [[unlikely]]
    return true;
  *r = b == -1 ? T{0} : static_cast<T>(a % b);
  return false;
}
template <typename T>
Result<T> Negate(T a) {
  if (a == std::numeric_limits<T>::min()) {
    return ExecutionFailed("{} negation overflow: {}", IntegerName<T>(), a);
  }
  return static_cast<T>(-a);
}

double AddDoubles(double a, double b) { return a + b; }
double SubtractDoubles(double a, double b) { return a - b; }
double MultiplyDoubles(double a, double b) { return a * b; }
double DivideDoubles(double a, double b) { return a / b; }
double ModulusDoubles(double a, double b) { return std::fmod(a, b); }
double NegateDouble(double a) { return -a; }

// ---- decimals: the call's types tell the scales -------------------------------------------------

enum class DecimalOp { kAdd, kSubtract, kMultiply, kDivide, kModulus };

Result<Int128> Decimals(DecimalOp op, Int128 a, int s1, Int128 b, int s2, const Type& type) {
  const Status overflow = ExecutionFailed("Decimal overflow");
  const int scale = std::max(s1, s2);
  Int128 r = 0;
  if (op == DecimalOp::kMultiply) {
    if (__builtin_mul_overflow(a, b, &r)) return overflow;
    if (s1 + s2 != type.scale() && !RescaleDecimal(r, s1 + s2, type.scale(), &r)) return overflow;
  } else if (op == DecimalOp::kDivide) {
    if (b == 0) return ExecutionFailed("Division by zero");
    // (a / 10^s1) / (b / 10^s2) at scale max(s1, s2).
    if (!DivideScaled(a, b, scale + s2 - s1, &r)) return overflow;
  } else {
    if (!RescaleDecimal(a, s1, scale, &a) || !RescaleDecimal(b, s2, scale, &b)) return overflow;
    if (op == DecimalOp::kModulus) {
      if (b == 0) return ExecutionFailed("Division by zero");
      r = a % b;
    } else {
      r = op == DecimalOp::kAdd ? a + b : a - b;
    }
  }
  if (!FitsPrecision(r, type.precision())) return overflow;
  return r;
}

template <DecimalOp op>
Status DecimalKernel(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                     Vector* result, RowErrors* errors) {
  const Reader<Int128> a(arguments[0]);
  const Reader<Int128> b(arguments[1]);
  const Type type = result->type();
  Int128* out = result->mutable_values<Int128>();
  rows.ForEach([&](std::uint32_t row) {
    Store<Int128>(Decimals(op, a[row], arguments[0].type().scale(), b[row],
                           arguments[1].type().scale(), type),
                  row, out, errors);
  });
  return OkStatus();
}

Int128 NegateDecimal(Int128 a) { return -a; }

// ---- dates, times, intervals
// ----------------------------------------------------------------------

using I32 = std::int32_t;
using I64 = std::int64_t;

Result<I32> DatePlusSeconds(I32 date, I64 interval) {
  if (interval % kNsPerDay != 0) {
    return ExecutionFailed("Cannot add hour, minutes or seconds to a date");
  }
  return CheckDate(I64{date} + interval / kNsPerDay);
}
Result<I32> DateMinusSeconds(I32 date, I64 interval) {
  if (interval % kNsPerDay != 0) {
    return ExecutionFailed("Cannot subtract hour, minutes or seconds from a date");
  }
  return CheckDate(I64{date} - interval / kNsPerDay);
}
Result<I32> SecondsPlusDate(I64 interval, I32 date) { return DatePlusSeconds(date, interval); }
Result<I32> DatePlusMonths(I32 date, I32 months) { return AddMonthsToDate(date, months); }
Result<I32> DateMinusMonths(I32 date, I32 months) { return AddMonthsToDate(date, -I64{months}); }
Result<I32> MonthsPlusDate(I32 months, I32 date) { return AddMonthsToDate(date, months); }
Result<I64> TimestampPlusMonths(I64 ns, I32 months) { return AddMonthsToTimestamp(ns, months); }
Result<I64> TimestampMinusMonths(I64 ns, I32 months) {
  return AddMonthsToTimestamp(ns, -I64{months});
}
Result<I64> MonthsPlusTimestamp(I32 months, I64 ns) { return AddMonthsToTimestamp(ns, months); }

bool TimestampPlusFails(I64 a, I64 b, I64* r) {
  return __builtin_add_overflow(a, b, r) || *r < kTimestampNsMin;
}
bool TimestampMinusFails(I64 a, I64 b, I64* r) {
  return __builtin_sub_overflow(a, b, r) || *r < kTimestampNsMin;
}
Status TimestampError(I64, I64) { return ExecutionFailed("Timestamp out of range"); }

I64 TimePlus(I64 time, I64 interval) { return FloorMod(time + interval % kNsPerDay, kNsPerDay); }
I64 TimeMinus(I64 time, I64 interval) { return FloorMod(time - interval % kNsPerDay, kNsPerDay); }

Status IntervalError() { return ExecutionFailed("Interval out of range"); }
template <typename T>
Status IntervalErrorOf(T, T) {
  return IntervalError();
}
template <typename T>
Result<T> IntervalNegate(T a) {
  if (a == std::numeric_limits<T>::min()) return IntervalError();
  return static_cast<T>(-a);
}
template <typename T>
Result<T> IntervalTimes(T interval, I64 factor) {
  T r;
  if (__builtin_mul_overflow(interval, factor, &r)) return IntervalError();
  return r;
}
template <typename T>
Result<T> TimesInterval(I64 factor, T interval) {
  return IntervalTimes<T>(interval, factor);
}
template <typename T>
Result<T> RoundInterval(double value) {
  const double rounded = std::round(value);
  const double bound = std::ldexp(1.0, sizeof(T) * 8 - 1);
  if (!(rounded >= -bound && rounded < bound)) return IntervalError();
  return static_cast<T>(rounded);
}
template <typename T>
Result<T> IntervalTimesDouble(T interval, double factor) {
  return RoundInterval<T>(static_cast<double>(interval) * factor);
}
template <typename T>
Result<T> DoubleTimesInterval(double factor, T interval) {
  return IntervalTimesDouble<T>(interval, factor);
}
template <typename T>
Result<T> IntervalOver(T interval, I64 divisor) {
  if (divisor == 0) return ExecutionFailed("Division by zero");
  if (divisor == -1) return IntervalNegate(interval);
  return static_cast<T>(interval / divisor);
}
template <typename T>
Result<T> IntervalOverDouble(T interval, double divisor) {
  if (divisor == 0) return ExecutionFailed("Division by zero");
  return RoundInterval<T>(static_cast<double>(interval) / divisor);
}

constexpr ScalarOverload kAddOverloads[] = {
    {"(integer, integer) -> integer", Checked2<I32, AddOverflows<I32>, AddError<I32>>},
    {"(bigint, bigint) -> bigint", Checked2<I64, AddOverflows<I64>, AddError<I64>>},
    {"(double, double) -> double", Map2<double, double, double, AddDoubles>},
    {"(decimal, decimal) -> decimal", DecimalKernel<DecimalOp::kAdd>},
    {"(timestamp, interval day to second) -> timestamp",
     Checked2<I64, TimestampPlusFails, TimestampError>},
    {"(interval day to second, timestamp) -> timestamp",
     Checked2<I64, TimestampPlusFails, TimestampError>},
    {"(timestamp, interval year to month) -> timestamp", Try2<I64, I64, I32, TimestampPlusMonths>},
    {"(interval year to month, timestamp) -> timestamp", Try2<I64, I32, I64, MonthsPlusTimestamp>},
    {"(date, interval day to second) -> date", Try2<I32, I32, I64, DatePlusSeconds>},
    {"(interval day to second, date) -> date", Try2<I32, I64, I32, SecondsPlusDate>},
    {"(date, interval year to month) -> date", Try2<I32, I32, I32, DatePlusMonths>},
    {"(interval year to month, date) -> date", Try2<I32, I32, I32, MonthsPlusDate>},
    {"(time, interval day to second) -> time", Map2<I64, I64, I64, TimePlus>},
    {"(interval day to second, time) -> time", Map2<I64, I64, I64, TimePlus>},
    {"(interval day to second, interval day to second) -> interval day to second",
     Checked2<I64, AddOverflows<I64>, IntervalErrorOf<I64>>},
    {"(interval year to month, interval year to month) -> interval year to month",
     Checked2<I32, AddOverflows<I32>, IntervalErrorOf<I32>>},
};
// Declares no order: a time of day wraps at midnight.
constexpr ScalarFunction kAdd{
    .name = "$add",
    .overloads = kAddOverloads,
    .doc = {"operator", "The sum of two numbers, or an instant moved by an interval.",
            "SELECT 1 + 2", "3"}};
TL_REGISTER_SCALAR(kAdd);

constexpr ScalarOverload kSubtractOverloads[] = {
    {"(integer, integer) -> integer", Checked2<I32, SubtractOverflows<I32>, SubtractError<I32>>},
    {"(bigint, bigint) -> bigint", Checked2<I64, SubtractOverflows<I64>, SubtractError<I64>>},
    {"(double, double) -> double", Map2<double, double, double, SubtractDoubles>},
    {"(decimal, decimal) -> decimal", DecimalKernel<DecimalOp::kSubtract>},
    {"(timestamp, interval day to second) -> timestamp",
     Checked2<I64, TimestampMinusFails, TimestampError>},
    {"(timestamp, interval year to month) -> timestamp", Try2<I64, I64, I32, TimestampMinusMonths>},
    {"(date, interval day to second) -> date", Try2<I32, I32, I64, DateMinusSeconds>},
    {"(date, interval year to month) -> date", Try2<I32, I32, I32, DateMinusMonths>},
    {"(time, interval day to second) -> time", Map2<I64, I64, I64, TimeMinus>},
    {"(interval day to second, interval day to second) -> interval day to second",
     Checked2<I64, SubtractOverflows<I64>, IntervalErrorOf<I64>>},
    {"(interval year to month, interval year to month) -> interval year to month",
     Checked2<I32, SubtractOverflows<I32>, IntervalErrorOf<I32>>},
};
constexpr ScalarFunction kSubtract{
    .name = "$subtract",
    .overloads = kSubtractOverloads,
    .doc = {"operator", "The difference of two numbers, or an instant moved back by an interval.",
            "SELECT interval '6' day - interval '4' hour", "5 20:00:00.000000000"}};
TL_REGISTER_SCALAR(kSubtract);

constexpr ScalarOverload kMultiplyOverloads[] = {
    {"(integer, integer) -> integer", Checked2<I32, MultiplyOverflows<I32>, MultiplyError<I32>>},
    {"(bigint, bigint) -> bigint", Checked2<I64, MultiplyOverflows<I64>, MultiplyError<I64>>},
    {"(double, double) -> double", Map2<double, double, double, MultiplyDoubles>},
    {"(decimal, decimal) -> decimal", DecimalKernel<DecimalOp::kMultiply>},
    {"(interval day to second, bigint) -> interval day to second",
     Try2<I64, I64, I64, IntervalTimes<I64>>},
    {"(bigint, interval day to second) -> interval day to second",
     Try2<I64, I64, I64, TimesInterval<I64>>},
    {"(interval day to second, double) -> interval day to second",
     Try2<I64, I64, double, IntervalTimesDouble<I64>>},
    {"(double, interval day to second) -> interval day to second",
     Try2<I64, double, I64, DoubleTimesInterval<I64>>},
    {"(interval year to month, bigint) -> interval year to month",
     Try2<I32, I32, I64, IntervalTimes<I32>>},
    {"(bigint, interval year to month) -> interval year to month",
     Try2<I32, I64, I32, TimesInterval<I32>>},
    {"(interval year to month, double) -> interval year to month",
     Try2<I32, I32, double, IntervalTimesDouble<I32>>},
    {"(double, interval year to month) -> interval year to month",
     Try2<I32, double, I32, DoubleTimesInterval<I32>>},
};
constexpr ScalarFunction kMultiply{
    .name = "$multiply",
    .overloads = kMultiplyOverloads,
    .doc = {"operator", "The product of two numbers, or an interval times a number.",
            "SELECT 6 * 7", "42"}};
TL_REGISTER_SCALAR(kMultiply);

constexpr ScalarOverload kDivideOverloads[] = {
    {"(integer, integer) -> integer", Checked2<I32, DivideFails<I32>, DivideError<I32>>},
    {"(bigint, bigint) -> bigint", Checked2<I64, DivideFails<I64>, DivideError<I64>>},
    {"(double, double) -> double", Map2<double, double, double, DivideDoubles>},
    {"(decimal, decimal) -> decimal", DecimalKernel<DecimalOp::kDivide>},
    {"(interval day to second, bigint) -> interval day to second",
     Try2<I64, I64, I64, IntervalOver<I64>>},
    {"(interval day to second, double) -> interval day to second",
     Try2<I64, I64, double, IntervalOverDouble<I64>>},
    {"(interval year to month, bigint) -> interval year to month",
     Try2<I32, I32, I64, IntervalOver<I32>>},
    {"(interval year to month, double) -> interval year to month",
     Try2<I32, I32, double, IntervalOverDouble<I32>>},
};
constexpr ScalarFunction kDivide{
    .name = "$divide",
    .overloads = kDivideOverloads,
    .doc = {"operator", "The quotient; of integers truncated toward zero.", "SELECT -7 / 2", "-3"}};
TL_REGISTER_SCALAR(kDivide);

constexpr ScalarOverload kModulusOverloads[] = {
    {"(integer, integer) -> integer", Checked2<I32, ModulusFails<I32>, DivideError<I32>>},
    {"(bigint, bigint) -> bigint", Checked2<I64, ModulusFails<I64>, DivideError<I64>>},
    {"(double, double) -> double", Map2<double, double, double, ModulusDoubles>},
    {"(decimal, decimal) -> decimal", DecimalKernel<DecimalOp::kModulus>},
};
constexpr ScalarFunction kModulus{
    .name = "$modulus",
    .overloads = kModulusOverloads,
    .doc = {"operator", "The remainder, with the sign of the dividend.", "SELECT -7 % 3", "-1"}};
TL_REGISTER_SCALAR(kModulus);

constexpr ScalarFunction kMod{
    .name = "mod",
    .overloads = kModulusOverloads,
    .doc = {"math", "The remainder, with the sign of the dividend.", "SELECT mod(-7, 3)", "-1"}};
TL_REGISTER_SCALAR(kMod);

constexpr ScalarOverload kNegateOverloads[] = {
    {"(integer) -> integer", Try1<I32, I32, Negate<I32>>},
    {"(bigint) -> bigint", Try1<I64, I64, Negate<I64>>},
    {"(double) -> double", Map1<double, double, NegateDouble>},
    {"(decimal) -> decimal", Map1<Int128, Int128, NegateDecimal>},
    {"(interval day to second) -> interval day to second", Try1<I64, I64, IntervalNegate<I64>>},
    {"(interval year to month) -> interval year to month", Try1<I32, I32, IntervalNegate<I32>>},
};
constexpr ScalarFunction kNegate{
    .name = "$negate",
    .overloads = kNegateOverloads,
    .doc = {"operator", "The number or interval with its sign turned.", "SELECT -(2)", "-2"}};
TL_REGISTER_SCALAR(kNegate);

}  // namespace
}  // namespace tideline::functions
