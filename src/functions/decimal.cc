#include "functions/decimal.h"

#include <algorithm>
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

std::optional<Type> DecimalTypeOf(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string_view whole = text.substr(0, point);
  const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!std::all_of(whole.begin(), whole.end(), is_digit) ||
      !std::all_of(fraction.begin(), fraction.end(), is_digit)) {
    return std::nullopt;
  }
  while (!whole.empty() && whole.front() == '0') whole.remove_prefix(1);
  const std::size_t precision = std::max<std::size_t>(whole.size() + fraction.size(), 1);
  if (precision > static_cast<std::size_t>(kDecimalPrecisionMax)) return std::nullopt;
  return Type::Decimal(static_cast<int>(precision), static_cast<int>(fraction.size()));
}

bool DivideScaled(Int128 dividend, Int128 divisor, int digits, Int128* out) {
  __extension__ using Wide = unsigned __int128;
  const bool negative = (dividend < 0) != (divisor < 0);
  const Wide a = dividend < 0 ? -static_cast<Wide>(dividend) : static_cast<Wide>(dividend);
  const Wide b = divisor < 0 ? -static_cast<Wide>(divisor) : static_cast<Wide>(divisor);
  const Wide limit = static_cast<Wide>(PowerOfTen(kDecimalPrecisionMax));
  Wide quotient = a / b;
  Wide rest = a % b;
  for (int i = 0; i < digits; ++i) {
    // The next digit of long division: ten times the rest, added up so that it stays below 2 b.
    Wide sum = 0;
    unsigned digit = 0;
    for (int k = 0; k < 10; ++k) {
      sum += rest;
      if (sum >= b) {
        sum -= b;
        ++digit;
      }
    }
    rest = sum;
    if (quotient >= limit / 10) return false;
    quotient = quotient * 10 + digit;
  }
  if (rest >= b - rest) ++quotient;
  if (quotient >= limit) return false;
  *out = negative ? -static_cast<Int128>(quotient) : static_cast<Int128>(quotient);
  return true;
}

}  // namespace tideline::functions
