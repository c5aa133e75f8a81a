// functions/string/format.cc: format(): Java's Formatter over SQL values.
//
// %[argument$][flags][width][.precision]conversion with the conversions b s d x o e f g c n %,
// upper case where Java has it. Doubles round half up on their shortest decimal text, as Java does:
// format('%.2f', 2.675) is 2.68 where C prints 2.67.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "columnar/text_format.h"
#include "functions/growth.h"
#include "functions/kernel.h"
#include "functions/registry.h"
#include "functions/utf8.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

constexpr int kFormatWidthMax = 10'000;
constexpr int kFormatPrecisionMax = 1'000;

// ---- decimal digits -------------------------------------------------------------------------

// 0.d1d2d3… times 10^point; no digits is zero.
struct Digits {
  bool negative = false;
  std::string digits;
  int point = 0;
};

Digits DigitsOfText(std::string_view text) {
  Digits number;
  bool after_point = false;
  if (text.starts_with('-')) {
    number.negative = true;
    text.remove_prefix(1);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      after_point = true;
    } else if (text[i] == 'e' || text[i] == 'E') {
      int exponent = 0;
      const char* begin = text.data() + i + 1;
      if (*begin == '+') ++begin;
      std::from_chars(begin, text.data() + text.size(), exponent);
      number.point += exponent;
      break;
    } else {
      number.digits.push_back(text[i]);
      if (!after_point) ++number.point;
    }
  }
  const std::size_t zeros = std::min(number.digits.find_first_not_of('0'), number.digits.size());
  number.digits.erase(0, zeros);
  number.point -= static_cast<int>(zeros);
  if (number.digits.empty()) number.point = 0;
  return number;
}

Digits DigitsOfDouble(double value) {
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  return DigitsOfText({buffer, static_cast<std::size_t>(end.ptr - buffer)});
}

// Keeps `count` digits (may be 0 or less), rounding half up.
void RoundDigits(int count, Digits* number) {
  if (count >= static_cast<int>(number->digits.size())) return;
  const bool up = count >= 0 && number->digits[static_cast<std::size_t>(count)] >= '5';
  number->digits.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (!up) {
    if (number->digits.empty()) number->point = 0;
    return;
  }
  for (std::size_t i = number->digits.size(); i > 0; --i) {
    char& digit = number->digits[i - 1];
    if (digit != '9') {
      ++digit;
      return;
    }
    digit = '0';
  }
  number->digits.insert(number->digits.begin(), '1');
  ++number->point;
}

char DigitAt(const Digits& number, int place) {
  return place >= 0 && place < static_cast<int>(number.digits.size())
             ? number.digits[static_cast<std::size_t>(place)]
             : '0';
}

std::string FixedText(Digits number, int precision) {
  RoundDigits(number.point + precision, &number);
  std::string text;
  if (number.point <= 0) text.push_back('0');
  for (int i = 0; i < number.point; ++i) text.push_back(DigitAt(number, i));
  if (precision > 0) text.push_back('.');
  for (int i = 0; i < precision; ++i) text.push_back(DigitAt(number, number.point + i));
  return text;
}

std::string ScientificText(Digits number, int precision) {
  RoundDigits(precision + 1, &number);
  std::string text(1, DigitAt(number, 0));
  if (precision > 0) text.push_back('.');
  for (int i = 1; i <= precision; ++i) text.push_back(DigitAt(number, i));
  const int exponent = number.digits.empty() ? 0 : number.point - 1;
  return text + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
}

std::string GeneralText(Digits number, int precision) {
  precision = std::max(precision, 1);
  RoundDigits(precision, &number);
  const int exponent = number.digits.empty() ? 0 : number.point - 1;
  if (exponent >= -4 && exponent < precision) return FixedText(number, precision - 1 - exponent);
  return ScientificText(number, precision - 1);
}

// ---- specifiers -----------------------------------------------------------------------------

struct Specifier {
  std::size_t argument = 0;  // 1-based; 0 takes the next
  bool left = false;
  bool plus = false;
  bool space = false;
  bool zero = false;
  bool group = false;
  bool parentheses = false;
  bool alternate = false;
  int width = 0;
  int precision = -1;
  char conversion = 0;
};

class FormatCall {
 public:
  FormatCall(std::span<const Vector> arguments, std::uint32_t row, std::string* out)
      : arguments_(arguments), row_(row), out_(out) {}

  Status Run(std::string_view format) {
    format_ = format;
    while (at_ < format.size()) {
      const std::size_t percent = std::min(format.find('%', at_), format.size());
      out_->append(format.substr(at_, percent - at_));
      at_ = percent + 1;
      if (percent == format.size()) break;
      Specifier spec;
      TL_TRY(Read(&spec));
      TL_TRY(Write(spec));
      TL_TRY(CheckTextBytes("format", out_->size()));
    }
    return OkStatus();
  }

 private:
  Status Fail(std::string_view why) const {
    return ExecutionFailed("Invalid format string: {} ({})", format_, why);
  }
  bool Digit() const { return at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9'; }
  int Number(int max) {
    int value = 0;
    for (; Digit(); ++at_) value = std::min(value * 10 + (format_[at_] - '0'), max + 1);
    return value;
  }
  bool Flag(char c, Specifier* spec) {
    switch (c) {
      case '-':
        return spec->left = true;
      case '+':
        return spec->plus = true;
      case ' ':
        return spec->space = true;
      case '0':
        return spec->zero = true;
      case ',':
        return spec->group = true;
      case '(':
        return spec->parentheses = true;
      case '#':
        return spec->alternate = true;
      default:
        return false;
    }
  }
  Status Read(Specifier* spec) {
    const std::size_t first = at_;
    if (Digit() && format_[at_] != '0') {
      const int number = Number(kFormatWidthMax);
      if (at_ < format_.size() && format_[at_] == '$') {
        spec->argument = static_cast<std::size_t>(number);
        ++at_;
      } else {
        at_ = first;
      }
    }
    while (at_ < format_.size() && Flag(format_[at_], spec)) ++at_;
    spec->width = Number(kFormatWidthMax);
    if (spec->width > kFormatWidthMax) return Fail(fmt::format("width above {}", kFormatWidthMax));
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      if (!Digit()) return Fail("precision expected after '.'");
      spec->precision = Number(kFormatPrecisionMax);
      if (spec->precision > kFormatPrecisionMax) {
        return Fail(fmt::format("precision above {}", kFormatPrecisionMax));
      }
    }
    if (at_ >= format_.size()) return Fail("conversion expected after '%'");
    spec->conversion = format_[at_++];
    if (spec->left && spec->width == 0) return Fail("'-' needs a width");
    return OkStatus();
  }

  Status Write(const Specifier& spec) {
    if (spec.conversion == 'n') {
      out_->push_back('\n');
      return OkStatus();
    }
    if (spec.conversion == '%') {
      Pad(spec, "%");
      return OkStatus();
    }
    const std::size_t index = spec.argument == 0 ? next_++ : spec.argument - 1;
    if (index >= arguments_.size()) {
      return Fail(fmt::format("no argument {} for %{}", index + 1, spec.conversion));
    }
    const Vector& argument = arguments_[index];
    const bool upper = spec.conversion >= 'A' && spec.conversion <= 'Z';
    std::string text;
    TL_TRY(Convert(spec, static_cast<char>(spec.conversion | 0x20), argument, &text));
    if (upper) {
      for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
      }
    }
    Pad(spec, text);
    return OkStatus();
  }

  void Pad(const Specifier& spec, std::string_view text) {
    const std::size_t length = Utf8Count(text);
    const auto width = static_cast<std::size_t>(spec.width);
    const std::size_t missing = width > length ? width - length : 0;
    if (!spec.left) out_->append(missing, ' ');
    out_->append(text);
    if (spec.left) out_->append(missing, ' ');
  }

  Status Convert(const Specifier& spec, char conversion, const Vector& argument,
                 std::string* text) {
    const bool is_null = argument.IsNull(row_);
    const TypeId type = argument.type().id();
    if (spec.conversion == 'D' || spec.conversion == 'O' || spec.conversion == 'F') {
      return Fail(fmt::format("unknown conversion %{}", spec.conversion));
    }
    switch (conversion) {
      case 'b':
        *text = is_null                    ? "false"
                : type == TypeId::kBoolean ? (Boolean(argument) ? "true" : "false")
                                           : "true";
        break;
      case 's':
        if (is_null) {
          *text = "null";
        } else {
          AppendText(argument, row_, text);
        }
        break;
      case 'd':
      case 'x':
      case 'o':
      case 'c':
        if (is_null) {
          *text = "null";
          break;
        }
        if (type != TypeId::kInteger && type != TypeId::kBigint) return Unfit(spec, argument);
        return ConvertInteger(spec, conversion, Integer(argument), text);
      case 'e':
      case 'f':
      case 'g':
        if (is_null) {
          *text = "null";
          break;
        }
        if (type != TypeId::kDouble && type != TypeId::kDecimal) return Unfit(spec, argument);
        ConvertFraction(spec, conversion, argument, text);
        return OkStatus();
      default:
        return Fail(fmt::format("unknown conversion %{}", spec.conversion));
    }
    if (spec.precision >= 0) {
      text->resize(Utf8Prefix(*text, static_cast<std::size_t>(spec.precision)));
    }
    return OkStatus();
  }
  Status Unfit(const Specifier& spec, const Vector& argument) const {
    return Fail(fmt::format("%{} does not take {}", spec.conversion, argument.type().ToString()));
  }
  bool Boolean(const Vector& argument) const {
    return argument.base().values<std::uint8_t>()[argument.Index(row_)] != 0;
  }
  I64 Integer(const Vector& argument) const {
    const std::size_t index = argument.Index(row_);
    return argument.type().is(TypeId::kInteger) ? argument.base().values<std::int32_t>()[index]
                                                : argument.base().values<I64>()[index];
  }

  Status ConvertInteger(const Specifier& spec, char conversion, I64 value, std::string* text) {
    if (conversion == 'c') {
      if (value < 0 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
        return Fail(fmt::format("{} is no code point", value));
      }
      AppendUtf8(static_cast<char32_t>(value), text);
      return OkStatus();
    }
    if (spec.precision >= 0) return Fail("integers take no precision");
    if (conversion == 'd') {
      const bool negative = value < 0;
      const auto magnitude =
          negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
      Decorate(spec, negative, std::to_string(magnitude), text);
      return OkStatus();
    }
    const auto bits = static_cast<std::uint64_t>(value);
    std::string digits = conversion == 'x' ? fmt::format("{:x}", bits) : fmt::format("{:o}", bits);
    if (spec.alternate) digits.insert(0, conversion == 'x' ? "0x" : "0");
    const auto width = static_cast<std::size_t>(spec.width);
    if (spec.zero && width > digits.size()) {
      const bool prefixed = spec.alternate && conversion == 'x';
      digits.insert(prefixed ? 2 : 0, width - digits.size(), '0');
    }
    *text = std::move(digits);
    return OkStatus();
  }

  void ConvertFraction(const Specifier& spec, char conversion, const Vector& argument,
                       std::string* text) {
    Digits number;
    if (argument.type().is(TypeId::kDouble)) {
      const double value = argument.base().values<double>()[argument.Index(row_)];
      if (std::isnan(value)) {
        *text = "NaN";
        return;
      }
      if (std::isinf(value)) {
        Specifier plain = spec;
        plain.zero = plain.group = false;
        Decorate(plain, value < 0, "Infinity", text);
        return;
      }
      number = DigitsOfDouble(value);
    } else {
      std::string decimal;
      AppendText(argument, row_, &decimal);
      number = DigitsOfText(decimal);
    }
    const int precision = spec.precision < 0 ? 6 : spec.precision;
    std::string digits = conversion == 'f'   ? FixedText(number, precision)
                         : conversion == 'e' ? ScientificText(number, precision)
                                             : GeneralText(number, precision);
    if (spec.alternate && precision == 0 && conversion == 'f') digits.push_back('.');
    Decorate(spec, number.negative, std::move(digits), text);
  }

  // Sign, thousands separators and leading zeros around the digits of a magnitude.
  static void Decorate(const Specifier& spec, bool negative, std::string digits,
                       std::string* text) {
    if (spec.group) {
      const std::size_t whole = std::min(digits.find_first_of(".e"), digits.size());
      for (std::size_t i = whole; i > 3; i -= 3) digits.insert(i - 3, 1, ',');
    }
    std::string_view before;
    std::string_view after;
    if (negative) {
      before = spec.parentheses ? "(" : "-";
      after = spec.parentheses ? ")" : "";
    } else if (spec.plus) {
      before = "+";
    } else if (spec.space) {
      before = " ";
    }
    const std::size_t length = before.size() + digits.size() + after.size();
    const auto width = static_cast<std::size_t>(spec.width);
    if (spec.zero && width > length) digits.insert(0, width - length, '0');
    text->append(before).append(digits).append(after);
  }

  std::span<const Vector> arguments_;
  std::uint32_t row_;
  std::string* out_;
  std::string_view format_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
};

// NULL arguments print as null, as in Java; a NULL format is NULL.
Status FormatKernel(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                    Vector* result, RowErrors* errors) {
  const Reader<StringRef> formats(arguments[0]);
  std::string out;
  Status fits = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!fits.ok()) return;
    if (arguments[0].IsNull(row)) {
      result->SetNull(row);
      return;
    }
    out.clear();
    Status status = FormatCall(arguments.subspan(1), row, &out).Run(formats[row].view());
    if (!status.ok()) {
      errors->Add(row, std::move(status));
      return;
    }
    fits = CheckCallTextBytes("format", result->heap().bytes() + out.size());
    if (fits.ok()) result->SetString(row, out);
  });
  return fits;
}

// Arguments differ in type, so each count of them is an overload of its own.
constexpr ScalarOverload kFormatOverloads[] = {
    {"(varchar) -> varchar", FormatKernel},
    {"(varchar, A) -> varchar", FormatKernel},
    {"(varchar, A, B) -> varchar", FormatKernel},
    {"(varchar, A, B, C) -> varchar", FormatKernel},
    {"(varchar, A, B, C, D) -> varchar", FormatKernel},
    {"(varchar, A, B, C, D, E) -> varchar", FormatKernel},
    {"(varchar, A, B, C, D, E, F) -> varchar", FormatKernel},
    {"(varchar, A, B, C, D, E, F, G) -> varchar", FormatKernel},
    {"(varchar, A, B, C, D, E, F, G, H) -> varchar", FormatKernel},
    {"(varchar, A, B, C, D, E, F, G, H, I) -> varchar", FormatKernel},
    {"(varchar, A, B, C, D, E, F, G, H, I, J) -> varchar", FormatKernel},
};
constexpr ScalarFunction kFormat{
    .name = "format",
    .overloads = kFormatOverloads,
    .nulls = NullPolicy::kSeesNulls,
    .doc = {"conversion", "Up to ten values written by a format of Java's Formatter.",
            "SELECT format('%s: %,d at %.2f%%', 'load', 12345, 3.14159)", "load: 12,345 at 3.14%"}};
TL_REGISTER_SCALAR(kFormat);

}  // namespace
}  // namespace tideline::functions
