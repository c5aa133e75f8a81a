// Literals and the names of types.
#include <charconv>
#include <cstdlib>

#include "sql/parse/parser_internal.h"

namespace tideline::sql::ast::internal {

Result<ExprPtr> Parser::ParseIntegerLiteral() {
  const Token& token = Next();
  const std::string_view digits = TextOf(token);
  auto literal = Make<IntegerLiteral>(token.position);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), literal->value);
  if (error != std::errc()) {
    return ErrorAt(token.position, fmt::format("Invalid numeric literal: {}", digits));
  }
  return Done(std::move(literal));
}

Result<ExprPtr> Parser::ParseDoubleLiteral() {
  const Token& token = Next();
  const std::string_view digits = TextOf(token);
  auto literal = Make<DoubleLiteral>(token.position);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), literal->value);
  if (error == std::errc::result_out_of_range) {
    // from_chars does not say which way; strtod gives infinity or the nearest tiny number.
    literal->value = std::strtod(std::string(digits).c_str(), nullptr);
  } else if (error != std::errc()) {
    return ErrorAt(token.position, fmt::format("Invalid numeric literal: {}", digits));
  }
  return Done(std::move(literal));
}

Result<ExprPtr> Parser::ParseTimeLiteral() {
  const Token& token = Next();
  const Result<IntervalValue> value = DecodeTimeLiteral(TextOf(token));
  if (!value.ok()) return ErrorAt(token.position, MessageOf(value.status()));
  auto literal = Make<IntervalLiteral>(token.position);
  literal->family = value->family;
  literal->value = value->value;
  return Done(std::move(literal));
}

Result<ExprPtr> Parser::ParseStringLiteral() {
  auto literal = Make<StringLiteral>(Peek().position);
  literal->value = TL_TRY(ParseString("a string"));
  return Done(std::move(literal));
}

Result<std::string> Parser::ParseString(std::string_view what) {
  if (At(TokenKind::kString)) return UnquoteText(TextOf(Next()));
  if (At(TokenKind::kUnicodeString)) return ParseUnicodeString();
  return SyntaxError(what);
}

Result<std::string> Parser::ParseUnicodeString() {
  const Token& token = Next();
  char escape = '\\';
  if (Accept(Keyword::kUescape)) {
    const Token& escape_token = Peek();
    const std::string text = TL_TRY(ParseString("an escape character"));
    const bool usable = text.size() == 1 && text[0] > ' ' && text[0] != '+' && text[0] != '"' &&
                        text[0] != '\'' &&
                        std::string_view("0123456789abcdefABCDEF").find(text[0]) ==
                            std::string_view::npos;
    if (!usable) {
      return ErrorAt(escape_token.position, fmt::format("Invalid Unicode escape character: {}", text));
    }
    escape = text[0];
  }
  Result<std::string> text = DecodeUnicodeString(TextOf(token), escape);
  if (!text.ok()) return ErrorAt(token.position, MessageOf(text.status()));
  return text;
}

Result<ExprPtr> Parser::ParseBinaryLiteral() {
  const Token& token = Next();
  Result<std::string> bytes = DecodeBinaryString(TextOf(token));
  if (!bytes.ok()) return ErrorAt(token.position, MessageOf(bytes.status()));
  auto literal = Make<BinaryLiteral>(token.position);
  literal->value = *std::move(bytes);
  return Done(std::move(literal));
}

Result<ExprPtr> Parser::ParseParameter() {
  const Token& token = Next();
  if (!options_.allow_parameters) {
    return ExplainedError(token, "parameters are for prepared and scheduled queries only");
  }
  auto parameter = Make<Parameter>(token.position);
  parameter->name = std::string(TextOf(token).substr(1));
  if (parameter_names_.insert(parameter->name).second) {
    parameters_.push_back({parameter->name, token.position});
  }
  return Done(std::move(parameter));
}

// --- Intervals and typed literals

bool Parser::AtIntervalLiteral() const {
  if (!At(Keyword::kInterval)) return false;
  const bool has_sign = At(TokenKind::kPlus, 1) || At(TokenKind::kMinus, 1);
  return At(TokenKind::kString, has_sign ? 2 : 1);
}

Result<ExprPtr> Parser::ParseIntervalLiteral() {
  auto literal = Make<IntervalLiteral>(Next().position);
  bool negative = false;
  if (!Accept(TokenKind::kPlus)) negative = Accept(TokenKind::kMinus);
  const std::string text = TL_TRY(ParseString("the value of an interval"));
  const IntervalUnit start = TL_TRY(ParseIntervalUnit());
  std::optional<IntervalUnit> end;
  if (Accept(Keyword::kTo)) {
    end = TL_TRY(ParseIntervalUnit());
  }
  const Result<IntervalValue> value = ParseIntervalText(text, negative, start, end);
  if (!value.ok()) return ErrorAt(literal->position, MessageOf(value.status()));
  literal->family = value->family;
  literal->value = value->value;
  return Done(std::move(literal));
}

Result<IntervalUnit> Parser::ParseIntervalUnit() {
  switch (Peek().keyword) {
    case Keyword::kYear:
      Next();
      return IntervalUnit::kYear;
    case Keyword::kMonth:
      Next();
      return IntervalUnit::kMonth;
    case Keyword::kWeek:
      Next();
      return IntervalUnit::kWeek;
    case Keyword::kDay:
      Next();
      return IntervalUnit::kDay;
    case Keyword::kHour:
      Next();
      return IntervalUnit::kHour;
    case Keyword::kMinute:
      Next();
      return IntervalUnit::kMinute;
    case Keyword::kSecond:
      Next();
      return IntervalUnit::kSecond;
    default:
      return SyntaxError("YEAR, MONTH, WEEK, DAY, HOUR, MINUTE or SECOND");
  }
}

// A word and a string: whether the word is a type, the binder says.
Result<ExprPtr> Parser::ParseTypedLiteral() {
  const Token& word = Next();
  auto literal = Make<TypedLiteral>(word.position);
  literal->type.position = word.position;
  literal->type.name = LowerCase(TextOf(word));
  Accept(Keyword::kPrecision);
  literal->text = TL_TRY(ParseString("a string"));
  return Done(std::move(literal));
}

// --- Types

Result<TypeName> Parser::ParseType() {
  const NestingScope nesting(this);
  TL_TRY(nesting.Check());
  TypeName type;
  type.position = Peek().position;
  TL_TRY(ParseTypeName(&type));
  const bool is_row = type.name == "row";
  const bool is_interval = type.name.starts_with("interval ");
  const bool in_angles = !is_row && At(TokenKind::kLess);
  if (is_interval || (!in_angles && !At(TokenKind::kLeftParen))) {
    TL_TRY(ParseZoneSuffix(&type));
    return type;
  }
  Next();
  do {
    ++node_count_;
    type.parameters.push_back(TL_TRY(ParseTypeParameter(is_row)));
  } while (Accept(TokenKind::kComma));
  if (in_angles) {
    TL_TRY(Expect(TokenKind::kGreater, "',' or '>'"));
  } else {
    TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  }
  TL_TRY(ParseZoneSuffix(&type));
  return type;
}

Status Parser::ParseTypeName(TypeName* type) {
  const Token& token = Peek();
  if (token.kind != TokenKind::kWord || IsReserved(token.keyword)) return SyntaxError("a type");
  Next();
  type->name = LowerCase(TextOf(token));
  if (token.keyword == Keyword::kDouble) Accept(Keyword::kPrecision);
  if (token.keyword == Keyword::kInterval) return ParseIntervalType(type);
  return OkStatus();
}

Status Parser::ParseIntervalType(TypeName* type) {
  if (Accept(Keyword::kDay)) {
    type->name = "interval day to second";
    TL_TRY(Expect(Keyword::kTo));
    return Expect(Keyword::kSecond);
  }
  if (!Accept(Keyword::kYear)) return SyntaxError("DAY TO SECOND or YEAR TO MONTH");
  type->name = "interval year to month";
  TL_TRY(Expect(Keyword::kTo));
  return Expect(Keyword::kMonth);
}

// TIME and TIMESTAMP, after their precision if they have one.
Status Parser::ParseZoneSuffix(TypeName* type) {
  if (type->name != "time" && type->name != "timestamp") return OkStatus();
  const bool with = At(Keyword::kWith);
  if ((!with && !At(Keyword::kWithout)) || !At(Keyword::kTime, 1)) return OkStatus();
  Next();
  Next();
  if (with) type->name += " with time zone";
  return Expect(Keyword::kZone);
}

Result<TypeParameter> Parser::ParseTypeParameter(bool is_row) {
  TypeParameter parameter;
  if (At(TokenKind::kInteger) && !is_row) {
    parameter.number = TL_TRY(ParseRowCount("a number"));
    return parameter;
  }
  if (is_row && AtRowFieldName()) {
    parameter.field_name = TL_TRY(ParseIdentifier("the name of a field"));
  }
  TypeName type = TL_TRY(ParseType());
  parameter.type = std::make_unique<TypeName>(std::move(type));
  return parameter;
}

// ROW(sum DOUBLE, DOUBLE PRECISION, time TIME WITH TIME ZONE, INTERVAL DAY TO SECOND): a name
// is followed by a type, a type by more of itself or by an end.
bool Parser::AtRowFieldName() const {
  if (!AtIdentifier()) return false;
  if (At(TokenKind::kQuotedIdentifier)) return true;
  if (!AtIdentifier(1)) return false;
  switch (Peek().keyword) {
    case Keyword::kDouble:
      return !At(Keyword::kPrecision, 1);
    case Keyword::kInterval:
      return !((At(Keyword::kDay, 1) || At(Keyword::kYear, 1)) && At(Keyword::kTo, 2));
    case Keyword::kTime:
    case Keyword::kTimestamp:
      return !(At(Keyword::kWithout, 1) && At(Keyword::kTime, 2));
    default:
      return true;
  }
}

}  // namespace tideline::sql::ast::internal
