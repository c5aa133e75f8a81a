// sql/parse/lexer.h: the text of a statement as tokens with places.
//
// The oddities of the service's dialect live here:
//   * a plain name may hold ':' and '@', so measure_value::double is ONE token and there is no
//     `::` operator;
//   * a number and a unit without a space between are a time literal: 5m, 72.5h, 60000ms, 1day.
//     The longest match wins: 1e5 is a double, 1d a time literal, 5min and 1x are errors;
//   * no name starts with a digit, no letter outside ASCII stands unquoted;
//   * typographic and back quotes are errors, backslashes are ordinary.
//
// Lexing never fails as a whole: it ends with a kInvalid token at the first thing that is no token,
// so that an error the parser finds earlier in the text is reported first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/parse/ast.h"

namespace tideline::sql::ast {

/// The words of keywords.def; kNone for all other names.
enum class Keyword : std::uint8_t {
  kNone,
#define TL_KEYWORD(enumerator, text, reserved) enumerator,
#include "sql/parse/keywords.def"
#undef TL_KEYWORD
};

/// The keyword that `word` spells in any case, or kNone.
Keyword FindKeyword(std::string_view word);
/// Upper case; empty for kNone. Static storage.
std::string_view KeywordText(Keyword keyword);
/// Whether the word must be quoted to be a name.
bool IsReserved(Keyword keyword);

enum class TokenKind : std::uint8_t {
  kEnd,
  kInvalid,           ///< always the last token; TokenList::invalid_reason says why
  kWord,              ///< an unquoted name, `keyword` set if it is one
  kQuotedIdentifier,  ///< "..."
  kString,            ///< '...'
  kUnicodeString,     ///< U&'...'
  kBinaryString,      ///< X'...'
  kInteger,           ///< digits
  kDecimal,           ///< 12.5, .5, 5., 1e3: a double
  kTimeLiteral,       ///< 5m
  kParameter,         ///< @name
  kEqual,
  kNotEqual,  ///< <> or !=
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kConcat,    ///< ||
  kArrow,     ///< ->
  kFatArrow,  ///< =>
  kDot,
  kComma,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kQuestion,
  kSemicolon,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Keyword keyword = Keyword::kNone;  ///< of a kWord
  std::uint32_t length_bytes = 0;
  SourcePosition position;

  /// The token as written, in the statement's text.
  std::string_view Text(std::string_view statement) const {
    return statement.substr(position.offset_bytes, length_bytes);
  }
};

struct TokenList {
  std::vector<Token> tokens;   ///< never empty; the last is kEnd or kInvalid and the only such one
  std::string invalid_reason;  ///< why the last token is kInvalid, for a human
};

/// Cuts `statement` (any bytes, at most kStatementBytesMax; see parser.h) into tokens. Bytes that
/// are not UTF-8 end in a kInvalid token. `allow_unicode_space` also skips U+00A0, and U+FEFF at
/// the start (an extension).
TokenList Tokenize(std::string_view statement, bool allow_unicode_space);

/// The content of '...' or "...": without the outer quotes, doubled quotes as one.
std::string UnquoteText(std::string_view token_text);

/// The content of U&'...': `\0041` and `\+01F600` decoded, with `escape` in place of the backslash.
/// kInvalidArgument for a bad escape, a surrogate or a number above 10FFFF.
Result<std::string> DecodeUnicodeString(std::string_view token_text, char escape);

/// The bytes of X'65 66'. kInvalidArgument for anything but pairs of hex digits and white space.
Result<std::string> DecodeBinaryString(std::string_view token_text);

/// What a time literal or a single-unit INTERVAL is worth.
struct IntervalValue {
  IntervalFamily family = IntervalFamily::kDayToSecond;
  std::int64_t value = 0;  ///< nanoseconds or months

  bool operator==(const IntervalValue&) const = default;
};

/// The value of a kTimeLiteral, "72.5h". Fractions are rounded half up to the nanosecond.
/// kInvalidArgument if it does not fit, or for a fraction of a month or year.
Result<IntervalValue> DecodeTimeLiteral(std::string_view token_text);

/// Whether `word` is a unit of time literals ("ms", "minute", in any case).
bool IsTimeLiteralUnit(std::string_view word);

}  // namespace tideline::sql::ast
