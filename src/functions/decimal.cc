#include "functions/decimal.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "columnar/text_format.h"

namespace tideline::functions {

Int128 PowerOfTen(int exponent) {
  static const std::array<Int128, kDecimalPrecisionMax + 1> kPowers = [] {
    std::array<Int128, kDecimalPrecisionMax + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  return kPowers[static_cast<std::size_t>(exponent)];
}

bool FitsPrecision(Int128 unscaled, int precision) {
  const Int128 bound = PowerOfTen(precision);
  return unscaled < bound && unscaled > -bound;
}

Int128 DivideRounded(Int128 dividend, Int128 divisor) {
  const Int128 quotient = dividend / divisor;
  const Int128 remainder = dividend % divisor;
  const Int128 r = remainder < 0 ? -remainder : remainder;
  const Int128 d = divisor < 0 ? -divisor : divisor;
  if (r < d - r) return quotient;
  return (dividend < 0) == (divisor < 0) ? quotient + 1 : quotient - 1;
}

bool RescaleDecimal(Int128 unscaled, int from_scale, int to_scale, Int128* out) {
  if (to_scale >= from_scale) {
    if (__builtin_mul_overflow(unscaled, PowerOfTen(to_scale - from_scale), out)) return false;
  } else {
    *out = DivideRounded(unscaled, PowerOfTen(from_scale - to_scale));
  }
  return FitsPrecision(*out, kDecimalPrecisionMax);
}

double DecimalToDouble(Int128 unscaled, int scale) {
  std::string text;
  AppendDecimal(unscaled, scale, &text);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool DoubleToDecimal(double value, int precision, int scale, Int128* out) {
  if (!std::isfinite(value)) return false;
  std::string text;
  text = fmt::format("{:.{}f}", std::fabs(value), std::min(scale + 20, 60));
  if (!ParseDecimal(text, precision, scale, out)) return false;
  if (value < 0) *out = -*out;
  return true;
}

bool ParseDecimal(std::string_view text, int precision, int scale, Int128* out) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  Int128 value = 0;
  int fraction = -1;  // digits after the point so far; -1 before it
  bool any = false;
  bool round_up = false;
  for (const char c : text) {
    if (c == '.') {
      if (fraction >= 0) return false;
      fraction = 0;
      continue;
    }
    if (c < '0' || c > '9') return false;
    any = true;
    if (fraction >= 0) {
      ++fraction;
      if (fraction == scale + 1) round_up = c >= '5';
      if (fraction > scale) continue;
    }
    if (!FitsPrecision(value, kDecimalPrecisionMax - 1)) return false;
    value = value * 10 + (c - '0');
  }
  if (!any) return false;
  const int missing = scale - std::min(std::max(fraction, 0), scale);
  if (!RescaleDecimal(value, 0, missing, &value)) return false;
  if (round_up) value += 1;
  if (!FitsPrecision(value, precision)) return false;
  *out = negative ? -value : value;
  return true;
}

}  // namespace tideline::functions
