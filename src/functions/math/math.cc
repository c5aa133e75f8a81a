// functions/math/math.cc: functions of one or two numbers.
#include <cmath>
#include <limits>
#include <numbers>

#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I32 = std::int32_t;
using I64 = std::int64_t;

#define TL_MATH1(object, text, function, summary_text, argument, result_text)       \
  double object##Of(double x) { return function; }                                  \
  constexpr ScalarOverload object##Overloads[] = {                                  \
      {"(double) -> double", Map1<double, double, object##Of>}};                    \
  constexpr ScalarFunction object{                                                  \
      .name = text,                                                                 \
      .overloads = object##Overloads,                                               \
      .doc = {"math", summary_text, "SELECT " text "(" argument ")", result_text}}; \
  TL_REGISTER_SCALAR(object)

TL_MATH1(kCbrt, "cbrt", std::cbrt(x), "The cube root.", "27", "3.0");
TL_MATH1(kSqrt, "sqrt", std::sqrt(x), "The square root; NaN of a negative.", "2",
         "1.4142135623730951");
TL_MATH1(kExp, "exp", std::exp(x), "e to the power of x.", "1", "2.718281828459045");
TL_MATH1(kLn, "ln", std::log(x), "The natural logarithm.", "1", "0.0");
TL_MATH1(kLog2, "log2", std::log2(x), "The logarithm to base 2.", "8", "3.0");
TL_MATH1(kLog10, "log10", std::log10(x), "The logarithm to base 10.", "1000", "3.0");
TL_MATH1(kDegrees, "degrees", x * 180.0 / std::numbers::pi, "Radians as degrees.", "pi()", "180.0");
TL_MATH1(kRadians, "radians", x / 180.0 * std::numbers::pi, "Degrees as radians.", "0", "0.0");
TL_MATH1(kAcos, "acos", std::acos(x), "The arc cosine.", "1", "0.0");
TL_MATH1(kAsin, "asin", std::asin(x), "The arc sine.", "0", "0.0");
TL_MATH1(kAtan, "atan", std::atan(x), "The arc tangent.", "0", "0.0");
TL_MATH1(kCos, "cos", std::cos(x), "The cosine.", "0", "1.0");
TL_MATH1(kCosh, "cosh", std::cosh(x), "The hyperbolic cosine.", "0", "1.0");
TL_MATH1(kSin, "sin", std::sin(x), "The sine.", "0", "0.0");
TL_MATH1(kSinh, "sinh", std::sinh(x), "The hyperbolic sine.", "0", "0.0");
TL_MATH1(kTan, "tan", std::tan(x), "The tangent.", "0", "0.0");
TL_MATH1(kTanh, "tanh", std::tanh(x), "The hyperbolic tangent.", "1", "0.7615941559557649");
#undef TL_MATH1

#define TL_MATH2(object, text, function, summary_text, arguments_text, result_text)       \
  double object##Of(double x, double y) { return function; }                              \
  constexpr ScalarOverload object##Overloads[] = {                                        \
      {"(double, double) -> double", Map2<double, double, double, object##Of>}};          \
  constexpr ScalarFunction object{                                                        \
      .name = text,                                                                       \
      .overloads = object##Overloads,                                                     \
      .doc = {"math", summary_text, "SELECT " text "(" arguments_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)

TL_MATH2(kAtan2, "atan2", std::atan2(x, y), "The angle of the point (second, first).", "1, 1",
         "0.7853981633974483");
TL_MATH2(kPow, "pow", std::pow(x, y), "The first argument to the power of the second.", "2, 10",
         "1024.0");
TL_MATH2(kPower, "power", std::pow(x, y), "The first argument to the power of the second.", "2, 10",
         "1024.0");
TL_MATH2(kLog, "log", std::log(y) / std::log(x),
         "The logarithm of the second argument to the base of the first.", "2, 8", "3.0");
#undef TL_MATH2

#define TL_CONSTANT(object, text, value, summary_text, result_text)                           \
  Status object##Kernel(const KernelContext&, std::span<const Vector>, const Selection& rows, \
                        Vector* result, RowErrors*) {                                         \
    double* out = result->mutable_values<double>();                                           \
    rows.ForEach([&](std::uint32_t row) { out[row] = value; });                               \
    return OkStatus();                                                                        \
  }                                                                                           \
  constexpr ScalarOverload object##Overloads[] = {{"() -> double", object##Kernel}};          \
  constexpr ScalarFunction object{                                                            \
      .name = text,                                                                           \
      .overloads = object##Overloads,                                                         \
      .doc = {"math", summary_text, "SELECT " text "()", result_text}};                       \
  TL_REGISTER_SCALAR(object)

TL_CONSTANT(kE, "e", std::numbers::e, "Euler's number.", "2.718281828459045");
TL_CONSTANT(kPi, "pi", std::numbers::pi, "The circle constant.", "3.141592653589793");
TL_CONSTANT(kInfinity, "infinity", std::numeric_limits<double>::infinity(), "Positive infinity.",
            "Infinity");
TL_CONSTANT(kNan, "nan", std::numeric_limits<double>::quiet_NaN(), "Not a number.", "NaN");
#undef TL_CONSTANT

// ---- tests of doubles
// -----------------------------------------------------------------------------

bool IsFinite(double x) { return std::isfinite(x); }
bool IsInfinite(double x) { return std::isinf(x); }
bool IsNan(double x) { return std::isnan(x); }
constexpr ScalarOverload kIsFiniteOverloads[] = {
    {"(double) -> boolean", Map1<std::uint8_t, double, IsFinite>}};
constexpr ScalarOverload kIsInfiniteOverloads[] = {
    {"(double) -> boolean", Map1<std::uint8_t, double, IsInfinite>}};
constexpr ScalarOverload kIsNanOverloads[] = {
    {"(double) -> boolean", Map1<std::uint8_t, double, IsNan>}};
constexpr ScalarFunction kIsFinite{
    .name = "is_finite",
    .overloads = kIsFiniteOverloads,
    .doc = {"math", "Whether x is neither infinite nor NaN.", "SELECT is_finite(1)", "true"}};
TL_REGISTER_SCALAR(kIsFinite);
constexpr ScalarFunction kIsInfinite{
    .name = "is_infinite",
    .overloads = kIsInfiniteOverloads,
    .doc = {"math", "Whether x is infinite.", "SELECT is_infinite(infinity())", "true"}};
TL_REGISTER_SCALAR(kIsInfinite);
constexpr ScalarFunction kIsNan{
    .name = "is_nan",
    .overloads = kIsNanOverloads,
    .doc = {"math", "Whether x is NaN.", "SELECT is_nan(nan())", "true"}};
TL_REGISTER_SCALAR(kIsNan);

// ---- abs, sign, rounding
// ----------------------------------------------------------------------------

template <typename T>
Result<T> AbsInteger(T x) {
  if (x == std::numeric_limits<T>::min()) {
    return ExecutionFailed("Value {} is out of range for abs({})", x,
                           sizeof(T) == 4 ? "integer" : "bigint");
  }
  return x < 0 ? static_cast<T>(-x) : x;
}
double AbsDouble(double x) { return std::fabs(x); }
template <typename T>
T SignInteger(T x) {
  return static_cast<T>(x > 0) - static_cast<T>(x < 0);
}
double SignDouble(double x) { return x > 0 ? 1 : (x < 0 ? -1 : x); }
template <typename T>
T Same(T x) {
  return x;
}
double Ceil(double x) { return std::ceil(x); }
double Floor(double x) { return std::floor(x); }
double Truncate(double x) { return std::trunc(x); }
double Round(double x) { return std::round(x); }
double RoundTo(double x, I32 digits) {
  if (!std::isfinite(x)) return x;
  const double factor = std::pow(10.0, digits);
  const double scaled = std::fabs(x) * factor;
  if (!std::isfinite(scaled) || factor == 0) return factor == 0 ? 0 * x : x;
  return std::copysign(std::floor(scaled + 0.5) / factor, x);
}
double TruncateTo(double x, I32 digits) {
  if (!std::isfinite(x)) return x;
  const double factor = std::pow(10.0, digits);
  if (factor == 0) return 0;
  const double scaled = x * factor;
  return std::isfinite(scaled) ? std::trunc(scaled) / factor : x;
}
/// The largest power of ten that a bigint holds is 10^18.
constexpr I32 kRoundDigitsMin = -18;

template <typename T>
Result<T> RoundInteger(T x, I32 digits) {
  if (digits >= 0) return x;
  if (x == 0) return x;
  if (digits < kRoundDigitsMin) {
    return ExecutionFailed("round({}, {}) is out of range: 10^{} is no bigint", x, digits, -I64{digits});
  }
  Int128 unit = 1;
  for (I32 i = 0; i < -digits; ++i) unit *= 10;
  const Int128 magnitude = x < 0 ? -Int128{x} : Int128{x};
  const Int128 rounded = (magnitude + unit / 2) / unit * unit;
  const Int128 value = x < 0 ? -rounded : rounded;
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
    return ExecutionFailed("round({}, {}) is out of range for {}", x, digits,
                           sizeof(T) == 4 ? "integer" : "bigint");
  }
  return static_cast<T>(value);
}

// The original leaves numbers alone when it is asked for tens and hundreds.
double RoundDecimals(double x, I32 digits) { return digits < 0 ? x : RoundTo(x, digits); }
template <typename T>
T KeepInteger(T x, I32) {
  return x;
}
template <typename T>
Status RoundIntegers(const KernelContext& context, std::span<const Vector> arguments,
                     const Selection& rows, Vector* result, RowErrors* errors) {
  if (context.compat_profile) {
    return Map2<T, T, I32, KeepInteger<T>>(context, arguments, rows, result, errors);
  }
  return Try2<T, T, I32, RoundInteger<T>>(context, arguments, rows, result, errors);
}
Status RoundDoubles(const KernelContext& context, std::span<const Vector> arguments,
                    const Selection& rows, Vector* result, RowErrors* errors) {
  if (context.compat_profile) {
    return Map2<double, double, I32, RoundDecimals>(context, arguments, rows, result, errors);
  }
  return Map2<double, double, I32, RoundTo>(context, arguments, rows, result, errors);
}

constexpr ScalarOverload kAbsOverloads[] = {
    {"(integer) -> integer", Try1<I32, I32, AbsInteger<I32>>},
    {"(bigint) -> bigint", Try1<I64, I64, AbsInteger<I64>>},
    {"(double) -> double", Map1<double, double, AbsDouble>},
};
constexpr ScalarOverload kSignOverloads[] = {
    {"(integer) -> integer", Map1<I32, I32, SignInteger<I32>>},
    {"(bigint) -> bigint", Map1<I64, I64, SignInteger<I64>>},
    {"(double) -> double", Map1<double, double, SignDouble>},
};
constexpr ScalarOverload kCeilOverloads[] = {
    {"(integer) -> integer", Map1<I32, I32, Same<I32>>},
    {"(bigint) -> bigint", Map1<I64, I64, Same<I64>>},
    {"(double) -> double", Map1<double, double, Ceil>},
};
constexpr ScalarOverload kFloorOverloads[] = {
    {"(integer) -> integer", Map1<I32, I32, Same<I32>>},
    {"(bigint) -> bigint", Map1<I64, I64, Same<I64>>},
    {"(double) -> double", Map1<double, double, Floor>},
};
constexpr ScalarOverload kTruncateOverloads[] = {
    {"(double) -> double", Map1<double, double, Truncate>},
    {"(double, integer) -> double", Map2<double, double, I32, TruncateTo>},
};
constexpr ScalarOverload kRoundOverloads[] = {
    {"(integer) -> integer", Map1<I32, I32, Same<I32>>},
    {"(bigint) -> bigint", Map1<I64, I64, Same<I64>>},
    {"(double) -> double", Map1<double, double, Round>},
    {"(integer, integer) -> integer", RoundIntegers<I32>},
    {"(bigint, integer) -> bigint", RoundIntegers<I64>},
    {"(double, integer) -> double", RoundDoubles},
};

#define TL_ROUNDING(object, text, overload_list, summary_text, argument, result_text) \
  constexpr ScalarFunction object{                                                    \
      .name = text,                                                                   \
      .overloads = overload_list,                                                     \
      .order = OrderPolicy::kNone,                                                    \
      .doc = {"math", summary_text, "SELECT " text "(" argument ")", result_text}};   \
  TL_REGISTER_SCALAR(object)
TL_ROUNDING(kAbs, "abs", kAbsOverloads, "The magnitude.", "-3", "3");
TL_ROUNDING(kSign, "sign", kSignOverloads, "-1, 0 or 1.", "-2.5", "-1.0");
TL_ROUNDING(kCeil, "ceil", kCeilOverloads, "The nearest integer not below.", "1.2", "2.0");
TL_ROUNDING(kCeiling, "ceiling", kCeilOverloads, "The nearest integer not below.", "1.2", "2.0");
TL_ROUNDING(kFloor, "floor", kFloorOverloads, "The nearest integer not above.", "-1.2", "-2.0");
TL_ROUNDING(kTruncate, "truncate", kTruncateOverloads, "The number without its fraction.", "-2.7",
            "-2.0");
TL_ROUNDING(kRound, "round", kRoundOverloads,
            "The nearest integer, or number of so many decimals; halves go away from zero.", "-2.5",
            "-3.0");
#undef TL_ROUNDING

// ---- bits
// -------------------------------------------------------------------------------------------

I64 BitAnd(I64 a, I64 b) { return a & b; }
I64 BitOr(I64 a, I64 b) { return a | b; }
I64 BitXor(I64 a, I64 b) { return a ^ b; }
I64 BitNot(I64 a) { return ~a; }
I64 ShiftLeft(I64 a, I64 n) {
  return n < 0 || n > 63 ? 0 : static_cast<I64>(static_cast<std::uint64_t>(a) << n);
}
I64 ShiftRight(I64 a, I64 n) {
  return n < 0 || n > 63 ? 0 : static_cast<I64>(static_cast<std::uint64_t>(a) >> n);
}
I64 ShiftRightArithmetic(I64 a, I64 n) { return a >> (n < 0 || n > 63 ? 63 : n); }
Result<I64> BitCount(I64 x, I64 bits) {
  if (bits < 2 || bits > 64) {
    return ExecutionFailed("Bits specified in bit_count must be between 2 and 64, got {}", bits);
  }
  const I64 low = bits == 64 ? std::numeric_limits<I64>::min() : -(I64{1} << (bits - 1));
  if (x < low || x > -(low + 1)) {
    return ExecutionFailed(
        "Number must be representable with the bits specified. {} can not be represented with {} "
        "bits",
        x, bits);
  }
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  return __builtin_popcountll(static_cast<std::uint64_t>(x) & mask);
}

#define TL_BITS2(object, text, function, summary_text, arguments_text, result_text)          \
  constexpr ScalarOverload object##Overloads[] = {                                           \
      {"(bigint, bigint) -> bigint", Map2<I64, I64, I64, function>}};                        \
  constexpr ScalarFunction object{                                                           \
      .name = text,                                                                          \
      .overloads = object##Overloads,                                                        \
      .doc = {"bitwise", summary_text, "SELECT " text "(" arguments_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)
TL_BITS2(kBitwiseAnd, "bitwise_and", BitAnd, "The bits both have.", "12, 10", "8");
TL_BITS2(kBitwiseOr, "bitwise_or", BitOr, "The bits either has.", "12, 10", "14");
TL_BITS2(kBitwiseXor, "bitwise_xor", BitXor, "The bits only one has.", "12, 10", "6");
TL_BITS2(kLeftShift, "bitwise_left_shift", ShiftLeft, "x shifted left.", "1, 4", "16");
TL_BITS2(kRightShift, "bitwise_right_shift", ShiftRight, "x shifted right, zeros filled in.",
         "16, 4", "1");
TL_BITS2(kRightShiftArithmetic, "bitwise_right_shift_arithmetic", ShiftRightArithmetic,
         "x shifted right, its sign filled in.", "-16, 4", "-1");
#undef TL_BITS2
constexpr ScalarOverload kBitwiseNotOverloads[] = {{"(bigint) -> bigint", Map1<I64, I64, BitNot>}};
constexpr ScalarFunction kBitwiseNot{
    .name = "bitwise_not",
    .overloads = kBitwiseNotOverloads,
    .doc = {"bitwise", "All bits turned.", "SELECT bitwise_not(12)", "-13"}};
TL_REGISTER_SCALAR(kBitwiseNot);
constexpr ScalarOverload kBitCountOverloads[] = {
    {"(bigint, bigint) -> bigint", Try2<I64, I64, I64, BitCount>}};
constexpr ScalarFunction kBitCount{
    .name = "bit_count",
    .overloads = kBitCountOverloads,
    .doc = {"bitwise", "How many bits are set in x as a number of so many bits.",
            "SELECT bit_count(19, 8)", "3"}};
TL_REGISTER_SCALAR(kBitCount);

// ---- bases
// ------------------------------------------------------------------------------------------

Status RadixError() { return ExecutionFailed("Radix must be between 2 and 36"); }

Result<I64> FromBase(StringRef text, I64 radix) {
  if (radix < 2 || radix > 36) return RadixError();
  std::string_view digits = text.view();
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  Int128 value = 0;
  bool good = !digits.empty();
  for (const char c : digits) {
    int digit = 99;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'z') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') digit = c - 'A' + 10;
    good = good && digit < radix && value <= (Int128{1} << 64);
    if (!good) break;
    value = value * radix + digit;
  }
  if (negative) value = -value;
  if (!good || value < std::numeric_limits<I64>::min() || value > std::numeric_limits<I64>::max()) {
    return ExecutionFailed("Not a valid base-{} number: {}", radix, text.view());
  }
  return static_cast<I64>(value);
}

Status ToBase(I64 value, I64 radix, std::string* out) {
  if (radix < 2 || radix > 36) return RadixError();
  std::uint64_t rest =
      value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const auto base = static_cast<std::uint64_t>(radix);
  std::string digits;
  do {
    digits.push_back("0123456789abcdefghijklmnopqrstuvwxyz"[rest % base]);
    rest /= base;
  } while (rest != 0);
  if (value < 0) digits.push_back('-');
  out->assign(digits.rbegin(), digits.rend());
  return OkStatus();
}

constexpr ScalarOverload kFromBaseOverloads[] = {
    {"(varchar, bigint) -> bigint", Try2<I64, StringRef, I64, FromBase>}};
constexpr ScalarFunction kFromBase{.name = "from_base",
                                   .overloads = kFromBaseOverloads,
                                   .doc = {"math", "The number a text writes in a base of 2 to 36.",
                                           "SELECT from_base('ff', 16)", "255"}};
TL_REGISTER_SCALAR(kFromBase);
constexpr ScalarOverload kToBaseOverloads[] = {
    {"(bigint, bigint) -> varchar", TryText2<I64, I64, ToBase>}};
constexpr ScalarFunction kToBase{
    .name = "to_base",
    .overloads = kToBaseOverloads,
    .doc = {"math", "The number written in a base of 2 to 36.", "SELECT to_base(255, 16)", "ff"}};
TL_REGISTER_SCALAR(kToBase);

// ---- random
// -----------------------------------------------------------------------------------------

Status RandomDouble(const KernelContext& context, std::span<const Vector>, const Selection& rows,
                    Vector* result, RowErrors*) {
  double* out = result->mutable_values<double>();
  rows.ForEach([&](std::uint32_t row) { out[row] = context.random->NextDouble(); });
  return OkStatus();
}
template <typename T>
Status RandomBelow(const KernelContext& context, std::span<const Vector> arguments,
                   const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<T> first(arguments[0]);
  const Reader<T> last(arguments.back());
  const bool ranged = arguments.size() > 1;
  T* out = result->mutable_values<T>();
  rows.ForEach([&](std::uint32_t row) {
    const I64 low = ranged ? I64{first[row]} : 0;
    const I64 high = last[row];
    if (high <= low) {
      errors->Add(row, ranged ? ExecutionFailed("upper bound must be greater than lower bound")
                              : ExecutionFailed("bound must be positive"));
      return;
    }
    const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    out[row] = static_cast<T>(static_cast<std::uint64_t>(low) + context.random->Below(span));
  });
  return OkStatus();
}
constexpr ScalarOverload kRandomOverloads[] = {
    {"() -> double", RandomDouble},
    {"(integer) -> integer", RandomBelow<I32>},
    {"(bigint) -> bigint", RandomBelow<I64>},
    {"(integer, integer) -> integer", RandomBelow<I32>},
    {"(bigint, bigint) -> bigint", RandomBelow<I64>},
};
constexpr ScalarFunction kRandom{
    .name = "random",
    .overloads = kRandomOverloads,
    .volatility = Volatility::kVolatile,
    .doc = {"math", "A random number in [0, 1), or a random integer in [0, n).", "SELECT random(1)",
            "0"}};
TL_REGISTER_SCALAR(kRandom);
constexpr ScalarFunction kRand{
    .name = "rand",
    .overloads = kRandomOverloads,
    .volatility = Volatility::kVolatile,
    .doc = {"math", "A random number in [0, 1), or a random integer in [0, n).", "SELECT rand(1)",
            "0"}};
TL_REGISTER_SCALAR(kRand);

// ---- buckets and distributions
// ------------------------------------------------------------------------

Status WidthBucket(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                   Vector* result, RowErrors* errors) {
  const Reader<double> x(arguments[0]);
  const Reader<double> low(arguments[1]);
  const Reader<double> high(arguments[2]);
  const Reader<I64> count(arguments[3]);
  I64* out = result->mutable_values<I64>();
  rows.ForEach([&](std::uint32_t row) {
    const double lo = std::min(low[row], high[row]);
    const double hi = std::max(low[row], high[row]);
    if (count[row] <= 0 || !std::isfinite(lo) || !std::isfinite(hi) || lo == hi ||
        std::isnan(x[row])) {
      errors->Add(row, ExecutionFailed("bucketCount must be greater than 0 and bounds must be "
                                       "finite and differ"));
      return;
    }
    I64 bucket = 0;
    if (x[row] >= hi) {
      bucket = count[row] + 1;
    } else if (x[row] >= lo) {
      bucket = static_cast<I64>(static_cast<double>(count[row]) * (x[row] - lo) / (hi - lo)) + 1;
    }
    out[row] = low[row] > high[row] ? count[row] - bucket + 1 : bucket;
  });
  return OkStatus();
}
// Buckets between ascending bounds: the answer is how many bounds are not above x.
Status WidthBucketOf(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                     Vector* result, RowErrors* errors) {
  const Reader<double> x(arguments[0]);
  const Reader<ListEntry> lists(arguments[1]);
  const Reader<double> bounds(arguments[1].child(0));
  I64* out = result->mutable_values<I64>();
  const auto check = [&](std::uint32_t row) -> Status {
    const ListEntry entry = lists[row];
    if (entry.length == 0) return ExecutionFailed("Bins cannot be an empty array");
    if (std::isnan(x[row])) return ExecutionFailed("Operand cannot be NaN");
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (bounds.IsNull(i)) return ExecutionFailed("Bin values cannot be NULL");
      if (!std::isfinite(bounds[i])) return ExecutionFailed("Bin value must be finite");
      if (i > entry.offset && bounds[i] <= bounds[i - 1]) {
        return ExecutionFailed("Bin values are not sorted in ascending order");
      }
    }
    return OkStatus();
  };
  rows.ForEach([&](std::uint32_t row) {
    Status status = check(row);
    if (!status.ok()) {
      errors->Add(row, std::move(status));
      return;
    }
    const ListEntry entry = lists[row];
    I64 bucket = 0;
    while (bucket < entry.length &&
           bounds[entry.offset + static_cast<std::uint32_t>(bucket)] <= x[row]) {
      ++bucket;
    }
    out[row] = bucket;
  });
  return OkStatus();
}
constexpr ScalarOverload kWidthBucketOverloads[] = {
    {"(double, double, double, bigint) -> bigint", WidthBucket},
    {"(double, array(double)) -> bigint", WidthBucketOf}};
constexpr ScalarFunction kWidthBucket{
    .name = "width_bucket",
    .overloads = kWidthBucketOverloads,
    .doc = {"math", "In which of n equal buckets between two bounds x lies; 0 below, n + 1 above.",
            "SELECT width_bucket(5.0, 0, 10, 5)", "3"}};
TL_REGISTER_SCALAR(kWidthBucket);

Result<double> NormalCdf(double mean, double deviation, double value) {
  if (!(deviation > 0)) return ExecutionFailed("standardDeviation must be > 0");
  return 0.5 * (1 + std::erf((value - mean) / (deviation * std::numbers::sqrt2)));
}
constexpr ScalarOverload kNormalCdfOverloads[] = {
    {"(double, double, double) -> double", Try3<double, double, double, double, NormalCdf>}};
constexpr ScalarFunction kNormalCdf{
    .name = "normal_cdf",
    .overloads = kNormalCdfOverloads,
    .doc = {"math", "The probability that a normal variable of this mean and deviation is below v.",
            "SELECT normal_cdf(0, 1, 0)", "0.5"}};
TL_REGISTER_SCALAR(kNormalCdf);

}  // namespace
}  // namespace tideline::functions
