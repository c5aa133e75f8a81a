// functions/string/codes.cc: codes of text: soundex and the Luhn check digit.
#include "functions/kernel.h"
#include "functions/registry.h"
#include "functions/utf8.h"

namespace tideline::functions {
namespace {

// Digit of each letter A to Z; 0 for those that have none.
constexpr std::string_view kSoundexDigits = "01230120022455012623010202";
constexpr std::size_t kSoundexLength = 4;

// American Soundex (U.S. National Archives): the first letter and three digits; letters of one digit
// in a row, or with only H or W between them, count once. Other characters are passed over.
void Soundex(const StringRef& text, std::string* out) {
  char before = 0;
  for (std::string_view rest = text.view(); !rest.empty() && out->size() < kSoundexLength;) {
    char32_t c = Utf8Next(&rest);
    if (c >= 'a' && c <= 'z') c -= 32;
    if (c < 'A' || c > 'Z') continue;
    const char digit = kSoundexDigits[c - 'A'];
    if (out->empty()) {
      out->push_back(static_cast<char>(c));
      before = digit;
    } else if (c != 'H' && c != 'W') {
      if (digit != '0' && digit != before) out->push_back(digit);
      before = digit;
    }
  }
  if (!out->empty()) out->resize(kSoundexLength, '0');
}

// ISO/IEC 7812-1, annex B: from the right, every second digit is doubled and its digits summed.
Result<std::uint8_t> LuhnCheck(const StringRef& text) {
  const std::string_view digits = text.view();
  if (digits.empty()) return std::uint8_t{0};
  int sum = 0;
  bool twice = false;
  for (std::size_t i = digits.size(); i-- > 0;) {
    if (digits[i] < '0' || digits[i] > '9') {
      return ExecutionFailed("Input string has non-numeric characters in luhn_check: {}", digits);
    }
    const int digit = digits[i] - '0';
    const int value = twice ? 2 * digit : digit;
    sum = (sum + value / 10 + value % 10) % 10;
    twice = !twice;
  }
  return static_cast<std::uint8_t>(sum == 0 ? 1 : 0);
}

constexpr ScalarOverload kSoundexOverloads[] = {
    {"(varchar) -> varchar", Text1<StringRef, Soundex>}};
constexpr ScalarFunction kSoundex{
    .name = "soundex",
    .overloads = kSoundexOverloads,
    .doc = {"string", "A code that English words of like sound share.",
            "SELECT soundex('Robert'), soundex('Rupert')", "R163, R163"}};
TL_REGISTER_SCALAR(kSoundex);

constexpr ScalarOverload kLuhnOverloads[] = {
    {"(varchar) -> boolean", Try1<std::uint8_t, StringRef, LuhnCheck>}};
constexpr ScalarFunction kLuhn{
    .name = "luhn_check",
    .overloads = kLuhnOverloads,
    .doc = {"string", "Whether the last digit is the check digit of the others (card numbers).",
            "SELECT luhn_check('4242424242424242')", "true"}};
TL_REGISTER_SCALAR(kLuhn);

}  // namespace
}  // namespace tideline::functions
