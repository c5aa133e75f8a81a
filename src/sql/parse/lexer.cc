#include "sql/parse/lexer.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/time.h"

namespace tideline::sql::ast {
namespace {

__extension__ using Wide = __int128;

struct KeywordEntry {
  std::string_view text;
  bool reserved;
};

// Indexed by Keyword; the first entry is kNone.
constexpr KeywordEntry kKeywords[] = {
    {"", false},
#define TL_KEYWORD(enumerator, text, reserved) {text, reserved},
#include "sql/parse/keywords.def"
#undef TL_KEYWORD
};
constexpr std::size_t kKeywordBytesMax = 20;

constexpr bool KeywordsAreSorted() {
  for (std::size_t i = 1; i < std::size(kKeywords); ++i) {
    if (!(kKeywords[i - 1].text < kKeywords[i].text)) return false;
    if (kKeywords[i].text.size() > kKeywordBytesMax) return false;
  }
  return true;
}
static_assert(KeywordsAreSorted(), "keywords.def must be sorted by text");

enum CharClass : std::uint8_t {
  kOther = 0,
  kNameStart = 1,  // letters and _
  kNamePart = 2,   // kNameStart, digits, @ and :
  kDigit = 4,
  kParameterPart = 8,  // letters, digits, _
  kSpace = 16,
};

constexpr std::array<std::uint8_t, 256> MakeCharClasses() {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 'a'; c <= 'z'; ++c) {
    classes[static_cast<std::size_t>(c)] = kNameStart | kNamePart | kParameterPart;
    classes[static_cast<std::size_t>(c - 'a' + 'A')] = kNameStart | kNamePart | kParameterPart;
  }
  classes['_'] = kNameStart | kNamePart | kParameterPart;
  for (int c = '0'; c <= '9'; ++c) {
    classes[static_cast<std::size_t>(c)] = kDigit | kNamePart | kParameterPart;
  }
  classes['@'] = kNamePart;
  classes[':'] = kNamePart;
  classes[' '] = classes['\t'] = classes['\r'] = classes['\n'] = kSpace;
  return classes;
}
constexpr std::array<std::uint8_t, 256> kCharClasses = MakeCharClasses();

bool Is(char c, std::uint8_t char_class) {
  return (kCharClasses[static_cast<unsigned char>(c)] & char_class) != 0;
}

char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Length of the UTF-8 character at the start of `bytes` (not empty), or 0 if it is not one.
std::size_t Utf8Length(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) second_min = 0xA0;  // shorter forms exist
    if (first == 0xED) second_max = 0x9F;  // surrogates
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) second_min = 0x90;
    if (first == 0xF4) second_max = 0x8F;  // above 10FFFF
  }
  if (length == 0 || bytes.size() < length) return 0;
  if (at(1) < second_min || at(1) > second_max) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

void AppendUtf8(std::uint32_t code_point, std::string* out) {
  const auto push = [&](std::uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xC0 | (code_point >> 6));
    push(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    push(0xE0 | (code_point >> 12));
    push(0x80 | ((code_point >> 6) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  } else {
    push(0xF0 | (code_point >> 18));
    push(0x80 | ((code_point >> 12) & 0x3F));
    push(0x80 | ((code_point >> 6) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  }
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kNoBreakSpace = "\xC2\xA0";

// Walks the text once. Columns are counted from the bytes of the current line that start a
// character, so that plain ASCII costs nothing extra.
class Lexer {
 public:
  Lexer(std::string_view text, bool allow_unicode_space)
      : text_(text), allow_unicode_space_(allow_unicode_space) {}

  TokenList Run() {
    out_.tokens.reserve(text_.size() / 4 + 2);
    if (allow_unicode_space_ && text_.starts_with(kByteOrderMark)) Advance(kByteOrderMark.size());
    while (SkipSpaceAndComments() && !AtEnd()) {
      if (!LexToken()) break;
    }
    if (out_.tokens.empty() || out_.tokens.back().kind != TokenKind::kInvalid) {
      Emit(TokenKind::kEnd, text_.size(), text_.size());
    }
    return std::move(out_);
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  SourcePosition PositionAt(std::size_t offset) const {
    return {line_, static_cast<std::uint32_t>(offset - line_start_ - continuation_bytes_ + 1),
            static_cast<std::uint32_t>(offset)};
  }

  // Passes one character of `bytes` bytes, which is no line break.
  void Advance(std::size_t bytes) {
    at_ += bytes;
    continuation_bytes_ += bytes - 1;
  }

  void PassLineBreak() {
    ++at_;
    ++line_;
    line_start_ = at_;
    continuation_bytes_ = 0;
  }

  // Passes any one character; false (with a kInvalid token) if the bytes are not UTF-8.
  bool PassCharacter() {
    const char c = text_[at_];
    if (c == '\n') {
      PassLineBreak();
    } else if (static_cast<unsigned char>(c) < 0x80) {
      ++at_;
    } else {
      const std::size_t length = Utf8Length(text_.substr(at_));
      if (length == 0) return Invalid("the text is not valid UTF-8");
      Advance(length);
    }
    return true;
  }

  // The token from `begin` to `end` where `begin` lies in the current line.
  void Emit(TokenKind kind, std::size_t begin, std::size_t end) {
    EmitAt(kind, PositionAt(begin), end - begin);
  }
  void EmitAt(TokenKind kind, SourcePosition position, std::size_t length) {
    Token token;
    token.kind = kind;
    token.length_bytes = static_cast<std::uint32_t>(length);
    token.position = position;
    out_.tokens.push_back(token);
  }

  bool InvalidAt(SourcePosition position, std::string reason) {
    EmitAt(TokenKind::kInvalid, position, 0);
    out_.invalid_reason = std::move(reason);
    return false;
  }
  bool Invalid(std::string reason) { return InvalidAt(PositionAt(at_), std::move(reason)); }

  bool SkipSpaceAndComments();
  bool SkipBlockComment();
  bool LexToken();
  bool LexQuoted(TokenKind kind, std::size_t prefix_bytes, char quote);
  void LexWord();
  bool LexNumber();
  bool LexParameter();
  bool LexOperator();
  bool RefuseCharacter();

  std::string_view text_;
  bool allow_unicode_space_;
  TokenList out_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
  std::size_t continuation_bytes_ = 0;  // of the current line, before at_
};

bool Lexer::SkipSpaceAndComments() {
  while (!AtEnd()) {
    const char c = text_[at_];
    if (c == '\n') {
      PassLineBreak();
    } else if (Is(c, kSpace)) {
      ++at_;
    } else if (c == '-' && Peek(1) == '-') {
      while (!AtEnd() && text_[at_] != '\n') {
        if (!PassCharacter()) return false;
      }
    } else if (c == '/' && Peek(1) == '*') {
      if (!SkipBlockComment()) return false;
    } else if (allow_unicode_space_ && text_.substr(at_).starts_with(kNoBreakSpace)) {
      Advance(kNoBreakSpace.size());
    } else {
      break;
    }
  }
  return true;
}

bool Lexer::SkipBlockComment() {
  const SourcePosition start = PositionAt(at_);
  at_ += 2;
  while (!AtEnd()) {
    if (text_[at_] == '*' && Peek(1) == '/') {
      at_ += 2;
      return true;
    }
    if (!PassCharacter()) return false;
  }
  return InvalidAt(start, "the comment is not closed by */");
}

bool Lexer::LexToken() {
  const char c = text_[at_];
  const char next = Peek(1);
  if (c == '\'') return LexQuoted(TokenKind::kString, 0, '\'');
  if (c == '"') return LexQuoted(TokenKind::kQuotedIdentifier, 0, '"');
  if ((c == 'x' || c == 'X') && next == '\'') return LexQuoted(TokenKind::kBinaryString, 1, '\'');
  if ((c == 'u' || c == 'U') && next == '&' && Peek(2) == '\'') {
    return LexQuoted(TokenKind::kUnicodeString, 2, '\'');
  }
  if (Is(c, kNameStart)) {
    LexWord();
    return true;
  }
  if (Is(c, kDigit) || (c == '.' && Is(next, kDigit))) return LexNumber();
  if (c == '@') return LexParameter();
  return LexOperator();
}

bool Lexer::LexQuoted(TokenKind kind, std::size_t prefix_bytes, char quote) {
  const SourcePosition start = PositionAt(at_);
  at_ += prefix_bytes + 1;
  while (!AtEnd()) {
    if (text_[at_] != quote) {
      if (!PassCharacter()) return false;
    } else if (Peek(1) == quote) {
      at_ += 2;
    } else {
      ++at_;
      if (kind == TokenKind::kQuotedIdentifier && at_ - start.offset_bytes == 2) {
        return InvalidAt(start, "a quoted name may not be empty");
      }
      EmitAt(kind, start, at_ - start.offset_bytes);
      return true;
    }
  }
  return InvalidAt(start, quote == '"' ? "the quoted name is not closed by \""
                                       : "the string is not closed by '");
}

void Lexer::LexWord() {
  const std::size_t begin = at_;
  while (!AtEnd() && Is(text_[at_], kNamePart)) ++at_;
  Emit(TokenKind::kWord, begin, at_);
  out_.tokens.back().keyword = FindKeyword(text_.substr(begin, at_ - begin));
}

// Digits, an optional fraction, then an exponent, a unit or nothing.
bool Lexer::LexNumber() {
  const std::size_t begin = at_;
  TokenKind kind = TokenKind::kInteger;
  while (Is(Peek(), kDigit)) ++at_;
  if (Peek() == '.') {
    kind = TokenKind::kDecimal;
    ++at_;
    while (Is(Peek(), kDigit)) ++at_;
  }
  const std::size_t exponent_sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
  if ((Peek() == 'e' || Peek() == 'E') && Is(Peek(1 + exponent_sign), kDigit)) {
    kind = TokenKind::kDecimal;
    at_ += 1 + exponent_sign;
    while (Is(Peek(), kDigit)) ++at_;
    if (Is(Peek(), kNamePart)) {
      at_ = begin;
      return Invalid("a number may not be followed by a letter");
    }
  }
  const std::size_t unit = at_;
  while (Is(Peek(), kNamePart)) ++at_;
  if (at_ > unit) {
    const std::string_view word = text_.substr(unit, at_ - unit);
    if (!IsTimeLiteralUnit(word)) {
      const SourcePosition start = PositionAt(begin);
      return InvalidAt(start, fmt::format("'{}' is no unit of time; units are ns, us, ms, s, m, h, "
                                          "d, month, y, nanosecond, microsecond, millisecond, "
                                          "second, minute, hour, day and year, and a name that "
                                          "starts with a digit needs double quotes",
                                          word));
    }
    kind = TokenKind::kTimeLiteral;
  }
  Emit(kind, begin, at_);
  return true;
}

bool Lexer::LexParameter() {
  const std::size_t begin = at_;
  ++at_;
  while (Is(Peek(), kParameterPart)) ++at_;
  if (at_ == begin + 1) {
    at_ = begin;
    return Invalid("@ needs the name of a parameter");
  }
  Emit(TokenKind::kParameter, begin, at_);
  return true;
}

bool Lexer::LexOperator() {
  struct Operator {
    std::string_view text;
    TokenKind kind;
  };
  // Longer before shorter where one starts another.
  static constexpr Operator kOperators[] = {
      {",", TokenKind::kComma},        {"(", TokenKind::kLeftParen},
      {")", TokenKind::kRightParen},   {"=>", TokenKind::kFatArrow},
      {"=", TokenKind::kEqual},        {"<>", TokenKind::kNotEqual},
      {"!=", TokenKind::kNotEqual},    {"<=", TokenKind::kLessOrEqual},
      {"<", TokenKind::kLess},         {">=", TokenKind::kGreaterOrEqual},
      {">", TokenKind::kGreater},      {"+", TokenKind::kPlus},
      {"->", TokenKind::kArrow},       {"-", TokenKind::kMinus},
      {"*", TokenKind::kStar},         {"/", TokenKind::kSlash},
      {"%", TokenKind::kPercent},      {"||", TokenKind::kConcat},
      {".", TokenKind::kDot},          {"[", TokenKind::kLeftBracket},
      {"]", TokenKind::kRightBracket}, {"?", TokenKind::kQuestion},
      {";", TokenKind::kSemicolon},
  };
  const std::string_view rest = text_.substr(at_);
  for (const Operator& op : kOperators) {
    if (!rest.starts_with(op.text)) continue;
    Emit(op.kind, at_, at_ + op.text.size());
    at_ += op.text.size();
    return true;
  }
  return RefuseCharacter();
}

bool Lexer::RefuseCharacter() {
  const std::string_view rest = text_.substr(at_);
  if (rest[0] == '`') {
    return Invalid(
        "backquoted identifiers are not supported; use double quotes to quote identifiers");
  }
  const std::size_t length = Utf8Length(rest);
  if (length == 0) return Invalid("the text is not valid UTF-8");
  const std::string_view character = rest.substr(0, length);
  if (character == "\u2018" || character == "\u2019") {
    return Invalid("typographic quotes are not supported; use ' around strings");
  }
  if (character == "\u201C" || character == "\u201D") {
    return Invalid("typographic quotes are not supported; use \" around names");
  }
  if (length == 1 && (rest[0] < ' ' || rest[0] == 0x7F)) {
    return Invalid(fmt::format("unexpected character with code {}", static_cast<int>(rest[0])));
  }
  if (length > 1) {
    return Invalid(fmt::format("unexpected character '{}'; names with other letters than a to z "
                               "need double quotes",
                               character));
  }
  return Invalid(fmt::format("unexpected character '{}'", character));
}

struct TimeUnit {
  std::string_view name;
  IntervalFamily family;
  std::int64_t worth;  // nanoseconds or months
};
constexpr TimeUnit kTimeUnits[] = {
    {"ns", IntervalFamily::kDayToSecond, 1},
    {"nanosecond", IntervalFamily::kDayToSecond, 1},
    {"us", IntervalFamily::kDayToSecond, kNsPerUs},
    {"microsecond", IntervalFamily::kDayToSecond, kNsPerUs},
    {"ms", IntervalFamily::kDayToSecond, kNsPerMs},
    {"millisecond", IntervalFamily::kDayToSecond, kNsPerMs},
    {"s", IntervalFamily::kDayToSecond, kNsPerSecond},
    {"second", IntervalFamily::kDayToSecond, kNsPerSecond},
    {"m", IntervalFamily::kDayToSecond, kNsPerMinute},
    {"minute", IntervalFamily::kDayToSecond, kNsPerMinute},
    {"h", IntervalFamily::kDayToSecond, kNsPerHour},
    {"hour", IntervalFamily::kDayToSecond, kNsPerHour},
    {"d", IntervalFamily::kDayToSecond, kNsPerDay},
    {"day", IntervalFamily::kDayToSecond, kNsPerDay},
    {"month", IntervalFamily::kYearToMonth, 1},
    {"y", IntervalFamily::kYearToMonth, 12},
    {"year", IntervalFamily::kYearToMonth, 12},
};

const TimeUnit* FindTimeUnit(std::string_view word) {
  for (const TimeUnit& unit : kTimeUnits) {
    if (std::equal(word.begin(), word.end(), unit.name.begin(), unit.name.end(),
                   [](char a, char b) { return LowerAscii(a) == b; })) {
      return &unit;
    }
  }
  return nullptr;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = LowerAscii(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

Keyword FindKeyword(std::string_view word) {
  if (word.size() > kKeywordBytesMax) return Keyword::kNone;
  std::array<char, kKeywordBytesMax> upper_bytes{};
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    upper_bytes[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const std::string_view upper(upper_bytes.data(), word.size());
  const auto* found = std::lower_bound(
      std::begin(kKeywords) + 1, std::end(kKeywords), upper,
      [](const KeywordEntry& entry, std::string_view key) { return entry.text < key; });
  if (found == std::end(kKeywords) || found->text != upper) return Keyword::kNone;
  return static_cast<Keyword>(found - std::begin(kKeywords));
}

std::string_view KeywordText(Keyword keyword) {
  return kKeywords[static_cast<std::size_t>(keyword)].text;
}

bool IsReserved(Keyword keyword) {
  return kKeywords[static_cast<std::size_t>(keyword)].reserved;
}

TokenList Tokenize(std::string_view statement, bool allow_unicode_space) {
  return Lexer(statement, allow_unicode_space).Run();
}

std::string UnquoteText(std::string_view token_text) {
  TL_CHECK(token_text.size() >= 2);
  const char quote = token_text.front();
  std::string text;
  text.reserve(token_text.size() - 2);
  for (std::size_t i = 1; i + 1 < token_text.size(); ++i) {
    text.push_back(token_text[i]);
    if (token_text[i] == quote) ++i;  // the lexer let only pairs pass
  }
  return text;
}

Result<std::string> DecodeUnicodeString(std::string_view token_text, char escape) {
  const std::string raw = UnquoteText(token_text.substr(2));
  std::string text;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != escape) {
      text.push_back(raw[i]);
      continue;
    }
    if (i + 1 < raw.size() && raw[i + 1] == escape) {
      text.push_back(escape);
      ++i;
      continue;
    }
    const bool is_long = i + 1 < raw.size() && raw[i + 1] == '+';
    const std::size_t digits_begin = i + (is_long ? 2 : 1);
    const std::size_t digit_count = is_long ? 6 : 4;
    std::uint32_t code_point = 0;
    for (std::size_t d = 0; d < digit_count; ++d) {
      const int digit = digits_begin + d < raw.size() ? HexDigit(raw[digits_begin + d]) : -1;
      if (digit < 0) return InvalidArgument("Incomplete escape sequence: {}", raw.substr(i));
      code_point = code_point * 16 + static_cast<std::uint32_t>(digit);
    }
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
      return InvalidArgument("Invalid escaped character: {}",
                             raw.substr(i, digits_begin + digit_count - i));
    }
    AppendUtf8(code_point, &text);
    i = digits_begin + digit_count - 1;
  }
  return text;
}

Result<std::string> DecodeBinaryString(std::string_view token_text) {
  std::string bytes;
  int high = -1;
  for (const char c : token_text.substr(2, token_text.size() - 3)) {
    if (Is(c, kSpace)) continue;
    const int digit = HexDigit(c);
    if (digit < 0) {
      return InvalidArgument("Binary literal can only contain hexadecimal digits");
    }
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  if (high >= 0) {
    return InvalidArgument("Binary literal must contain an even number of digits");
  }
  return bytes;
}

bool IsTimeLiteralUnit(std::string_view word) { return FindTimeUnit(word) != nullptr; }

// Whole part and fraction are scaled apart, both exactly: the fraction to one more digit than
// nanoseconds need is not enough for days, so it is kept to 18 digits in 128 bits.
Result<IntervalValue> DecodeTimeLiteral(std::string_view token_text) {
  const std::size_t unit_begin = token_text.find_first_not_of("0123456789.");
  TL_CHECK(unit_begin != std::string_view::npos);
  const TimeUnit* unit = FindTimeUnit(token_text.substr(unit_begin));
  TL_CHECK(unit != nullptr);
  const bool is_months = unit->family == IntervalFamily::kYearToMonth;
  const std::string_view family_name = is_months ? "YEAR TO MONTH" : "DAY TO SECOND";
  const Wide value_max = is_months ? INT32_MAX : INT64_MAX;

  const std::string_view number = token_text.substr(0, unit_begin);
  const std::size_t dot = std::min(number.find('.'), number.size());
  Wide whole = 0;
  for (const char c : number.substr(0, dot)) {
    whole = whole * 10 + (c - '0');
    if (whole > value_max) {
      return InvalidArgument("Invalid INTERVAL {} value: {}", family_name, token_text);
    }
  }
  constexpr int kFractionDigitsMax = 18;
  constexpr std::int64_t kFractionOne = 1'000'000'000'000'000'000;
  Wide fraction = 0;  // of kFractionOne
  int digit_count = 0;
  for (const char c : number.substr(std::min(dot + 1, number.size()))) {
    if (digit_count == kFractionDigitsMax) break;
    fraction = fraction * 10 + (c - '0');
    ++digit_count;
  }
  for (; digit_count < kFractionDigitsMax; ++digit_count) fraction *= 10;
  if (is_months && fraction != 0) {
    return InvalidArgument("Invalid INTERVAL {} value: {}", family_name, token_text);
  }
  const Wide value =
      whole * unit->worth + (fraction * unit->worth + kFractionOne / 2) / kFractionOne;
  if (value > value_max) {
    return InvalidArgument("Invalid INTERVAL {} value: {}", family_name, token_text);
  }
  return IntervalValue{unit->family, static_cast<std::int64_t>(value)};
}

}  // namespace tideline::sql::ast
