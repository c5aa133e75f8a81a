// functions/decimal.h: arithmetic on unscaled 128-bit decimals.
#pragma once

#include <optional>
#include <string_view>

#include "base/status.h"
#include "columnar/type.h"

namespace tideline::functions {

inline constexpr int kDecimalPrecisionMax = 38;

/// 10^exponent, 0 <= exponent <= 38.
Int128 PowerOfTen(int exponent);
/// Whether |unscaled| < 10^precision.
bool FitsPrecision(Int128 unscaled, int precision);
/// Changes the scale, rounding half away from zero; false on overflow of 38 digits.
bool RescaleDecimal(Int128 unscaled, int from_scale, int to_scale, Int128* out);
/// Nearest double.
double DecimalToDouble(Int128 unscaled, int scale);
/// Rounds half away from zero; false when not finite or too large.
bool DoubleToDecimal(double value, int precision, int scale, Int128* out);
/// `[+-]digits[.digits]`, blanks around ignored, rounded to `scale`; false when malformed or too
/// large.
bool ParseDecimal(std::string_view text, int precision, int scale, Int128* out);
/// The type of `text` as a literal: its digits without leading zeros, its digits after the point;
/// nothing when it is no number or has more than 38 digits.
std::optional<Type> DecimalTypeOf(std::string_view text);
/// Quotient rounded half away from zero; `divisor` is not 0.
Int128 DivideRounded(Int128 dividend, Int128 divisor);
/// dividend * 10^digits / divisor, rounded half away from zero, exact even where the product does not
/// fit 128 bits; false when the quotient has more than 38 digits. `divisor` is not 0, digits >= 0.
bool DivideScaled(Int128 dividend, Int128 divisor, int digits, Int128* out);

}  // namespace tideline::functions
