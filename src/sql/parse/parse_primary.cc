// What starts an expression: names, calls with windows, parentheses, CASE and the other forms.
#include "sql/parse/parser_internal.h"

namespace tideline::sql::ast::internal {

Result<ExprPtr> Parser::ParsePrimary() {
  switch (Peek().kind) {
    case TokenKind::kInteger:
      return ParseIntegerLiteral();
    case TokenKind::kDecimal:
      return ParseDoubleLiteral();
    case TokenKind::kTimeLiteral:
      return ParseTimeLiteral();
    case TokenKind::kString:
    case TokenKind::kUnicodeString:
      return ParseStringLiteral();
    case TokenKind::kBinaryString:
      return ParseBinaryLiteral();
    case TokenKind::kParameter:
      return ParseParameter();
    case TokenKind::kLeftParen:
      return ParseParenthesized();
    case TokenKind::kQuotedIdentifier:
      return ParseNamePrimary();
    case TokenKind::kWord:
      return IsReserved(Peek().keyword) ? ParseReservedPrimary() : ParseNamePrimary();
    case TokenKind::kQuestion:
      return ExplainedError(Peek(), "positional parameters (?) are not supported; use @name");
    default:
      return SyntaxError("an expression");
  }
}

Result<ExprPtr> Parser::ParseReservedPrimary() {
  const Token& token = Peek();
  switch (token.keyword) {
    case Keyword::kNull:
      Next();
      return Done(Make<NullLiteral>(token.position));
    case Keyword::kTrue:
    case Keyword::kFalse: {
      Next();
      auto literal = Make<BooleanLiteral>(token.position);
      literal->value = token.keyword == Keyword::kTrue;
      return Done(std::move(literal));
    }
    case Keyword::kCase:
      return ParseCase();
    case Keyword::kCast:
      return ParseCast();
    case Keyword::kCurrentDate:
    case Keyword::kCurrentTime:
    case Keyword::kCurrentTimestamp:
    case Keyword::kLocaltime:
    case Keyword::kLocaltimestamp:
      return ParseCurrentTime();
    case Keyword::kExists:
      return ParseExists();
    case Keyword::kExtract:
      return ParseExtract();
    case Keyword::kGrouping:
      return ParseGrouping();
    case Keyword::kNormalize:
      return ParseNormalize();
    default:
      return SyntaxError("an expression");
  }
}

// Words that are special only before a certain token, then names, calls and typed literals.
Result<ExprPtr> Parser::ParseNamePrimary() {
  const bool before_paren = At(TokenKind::kLeftParen, 1);
  switch (Peek().keyword) {
    case Keyword::kArray:
      if (At(TokenKind::kLeftBracket, 1)) return ParseArray();
      break;
    case Keyword::kRow:
      if (before_paren) return ParseRow();
      break;
    case Keyword::kTryCast:
      if (before_paren) return ParseCast();
      break;
    case Keyword::kPosition:
      if (before_paren && HasSeparator(1, Keyword::kIn)) return ParsePosition();
      break;
    case Keyword::kSubstring:
      if (before_paren && HasSeparator(1, Keyword::kFrom)) return ParseSubstring();
      break;
    case Keyword::kInterval:
      if (AtIntervalLiteral()) return ParseIntervalLiteral();
      break;
    case Keyword::kDouble:
      if (At(Keyword::kPrecision, 1) && At(TokenKind::kString, 2)) return ParseTypedLiteral();
      break;
    default:
      break;
  }
  if (before_paren && AtWord("trim") && HasSeparator(1, Keyword::kFrom)) return ParseTrim();
  if (At(TokenKind::kArrow, 1)) return ParseLambda();
  const bool is_typed_literal =
      At(TokenKind::kWord) && At(TokenKind::kString, 1) && !At(Keyword::kAll);
  if (is_typed_literal) return ParseTypedLiteral();

  const SourcePosition position = Peek().position;
  QualifiedName name = TL_TRY(ParseQualifiedName("a name"));
  if (At(TokenKind::kLeftParen)) {
    std::string function_name = LowerCase(name.parts.front().text);
    for (std::size_t i = 1; i < name.parts.size(); ++i) {
      function_name += '.' + LowerCase(name.parts[i].text);
    }
    return ParseFunctionCall(std::move(function_name), position);
  }
  auto column = Make<ColumnRef>(position);
  column->parts = std::move(name.parts);
  return Done(std::move(column));
}

// A lambda's parameters, a subquery, a row, or just an expression in parentheses.
Result<ExprPtr> Parser::ParseParenthesized() {
  if (TokenAt(ClosingOf(at_) + 1).kind == TokenKind::kArrow) return ParseLambda();
  const SourcePosition position = Peek().position;
  if (AtParenthesizedQuery()) {
    auto subquery = Make<ScalarSubquery>(position);
    subquery->query = TL_TRY(ParseParenthesizedQuery());
    return Done(std::move(subquery));
  }
  Next();
  ExprPtr first = TL_TRY(ParseExpr());
  if (Accept(TokenKind::kRightParen)) return first;
  if (!At(TokenKind::kComma)) return SyntaxError("',' or ')'");
  auto row = Make<RowExpr>(position);
  row->items.push_back(std::move(first));
  while (Accept(TokenKind::kComma)) {
    row->items.push_back(TL_TRY(ParseExpr()));
  }
  TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  return Done(std::move(row));
}

Result<ExprPtr> Parser::ParseLambda() {
  auto lambda = Make<LambdaExpr>(Peek().position);
  if (Accept(TokenKind::kLeftParen)) {
    if (!At(TokenKind::kRightParen)) {
      do {
        lambda->parameters.push_back(TL_TRY(ParseIdentifier("the name of a parameter")));
      } while (Accept(TokenKind::kComma));
    }
    TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  } else {
    lambda->parameters.push_back(TL_TRY(ParseIdentifier("the name of a parameter")));
  }
  TL_TRY(Expect(TokenKind::kArrow, "'->'"));
  lambda->body = TL_TRY(ParseExpr());
  return Done(std::move(lambda));
}

// --- Forms

Result<ExprPtr> Parser::ParseCase() {
  auto expr = Make<CaseExpr>(Next().position);
  if (!At(Keyword::kWhen)) {
    expr->operand = TL_TRY(ParseExpr());
  }
  if (!At(Keyword::kWhen)) return SyntaxError("WHEN");
  while (Accept(Keyword::kWhen)) {
    CaseBranch branch;
    branch.when = TL_TRY(ParseExpr());
    TL_TRY(Expect(Keyword::kThen));
    branch.then = TL_TRY(ParseExpr());
    expr->branches.push_back(std::move(branch));
  }
  if (Accept(Keyword::kElse)) {
    expr->otherwise = TL_TRY(ParseExpr());
  }
  if (!Accept(Keyword::kEnd)) return SyntaxError("WHEN, ELSE or END");
  return Done(std::move(expr));
}

Result<ExprPtr> Parser::ParseCast() {
  const Token& token = Next();
  auto cast = Make<CastExpr>(token.position);
  cast->try_cast = token.keyword == Keyword::kTryCast;
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  cast->value = TL_TRY(ParseExpr());
  TL_TRY(Expect(Keyword::kAs));
  cast->type = TL_TRY(ParseType());
  TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  return Done(std::move(cast));
}

Result<ExprPtr> Parser::ParseExtract() {
  auto extract = Make<ExtractExpr>(Next().position);
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  extract->field = TL_TRY(ParseIdentifier("a field such as YEAR or HOUR"));
  extract->field.text = LowerCase(extract->field.text);
  TL_TRY(Expect(Keyword::kFrom));
  extract->value = TL_TRY(ParseExpr());
  TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  return Done(std::move(extract));
}

Result<ExprPtr> Parser::ParseExists() {
  auto exists = Make<ExistsExpr>(Next().position);
  if (!At(TokenKind::kLeftParen)) return SyntaxError("'(' and a query");
  exists->query = TL_TRY(ParseParenthesizedQuery());
  return Done(std::move(exists));
}

Result<ExprPtr> Parser::ParseGrouping() {
  auto grouping = Make<GroupingExpr>(Next().position);
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  do {
    const SourcePosition position = Peek().position;
    QualifiedName name = TL_TRY(ParseQualifiedName("a column"));
    auto column = Make<ColumnRef>(position);
    column->parts = std::move(name.parts);
    grouping->arguments.push_back(std::move(column));
  } while (Accept(TokenKind::kComma));
  TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  return Done(std::move(grouping));
}

bool Parser::HasSeparator(std::size_t open_ahead, Keyword separator) const {
  const std::size_t open = at_ + open_ahead;
  const std::size_t close = ClosingOf(open);
  for (std::size_t i = open + 1; i < close; ++i) {
    const Token& token = TokenAt(i);
    const bool is_distinct_from =
        separator == Keyword::kFrom && TokenAt(i - 1).keyword == Keyword::kDistinct;
    if (token.keyword == separator && !is_distinct_from) return true;
    if (token.kind == TokenKind::kComma) return false;
    if (token.kind == TokenKind::kLeftParen || token.kind == TokenKind::kLeftBracket) {
      i = ClosingOf(i);
    }
  }
  return false;
}

Result<ExprPtr> Parser::ParsePosition() {
  auto call = Make<FunctionCall>(Next().position);
  call->name = "strpos";
  Next();
  Argument part;
  part.value = TL_TRY(ParseValue());
  TL_TRY(Expect(Keyword::kIn));
  Argument whole;
  whole.value = TL_TRY(ParseValue());
  TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  call->arguments.push_back(std::move(whole));
  call->arguments.push_back(std::move(part));
  return Done(std::move(call));
}

Result<ExprPtr> Parser::ParseSubstring() {
  auto call = Make<FunctionCall>(Next().position);
  call->name = "substring";
  Next();
  call->arguments.emplace_back().value = TL_TRY(ParseValue());
  TL_TRY(Expect(Keyword::kFrom));
  call->arguments.emplace_back().value = TL_TRY(ParseValue());
  if (Accept(Keyword::kFor)) {
    call->arguments.emplace_back().value = TL_TRY(ParseValue());
  }
  TL_TRY(Expect(TokenKind::kRightParen, "FOR or ')'"));
  return Done(std::move(call));
}

// TRIM([BOTH|LEADING|TRAILING] [characters] FROM text) is trim, ltrim or rtrim(text[, characters]).
Result<ExprPtr> Parser::ParseTrim() {
  auto call = Make<FunctionCall>(Next().position);
  call->name = "trim";
  Next();
  for (const auto& [word, name] : {std::pair("both", "trim"), std::pair("leading", "ltrim"),
                                   std::pair("trailing", "rtrim")}) {
    if (!AtWord(word)) continue;
    Next();
    call->name = name;
    break;
  }
  Argument characters;
  if (!At(Keyword::kFrom)) characters.value = TL_TRY(ParseValue());
  TL_TRY(Expect(Keyword::kFrom));
  call->arguments.emplace_back().value = TL_TRY(ParseValue());
  if (characters.value != nullptr) call->arguments.push_back(std::move(characters));
  TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  return Done(std::move(call));
}

// The form is a word (NFC, NFD, NFKC, NFKD) and becomes a string; NFC without one.
Result<ExprPtr> Parser::ParseNormalize() {
  auto call = Make<FunctionCall>(Next().position);
  call->name = "normalize";
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  call->arguments.emplace_back().value = TL_TRY(ParseValue());
  auto form = Make<StringLiteral>(Peek().position);
  form->value = "NFC";
  if (Accept(TokenKind::kComma)) {
    form->position = Peek().position;
    const Identifier word = TL_TRY(ParseIdentifier("NFC, NFD, NFKC or NFKD"));
    form->value.clear();
    for (const char c : word.text) {
      form->value.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    }
  }
  call->arguments.emplace_back().value = std::move(form);
  TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  return Done(std::move(call));
}

Result<ExprPtr> Parser::ParseArray() {
  auto array = Make<ArrayExpr>(Next().position);
  Next();
  if (!At(TokenKind::kRightBracket)) {
    array->items = TL_TRY(ParseExprList());
  }
  TL_TRY(Expect(TokenKind::kRightBracket, "',' or ']'"));
  return Done(std::move(array));
}

Result<ExprPtr> Parser::ParseRow() {
  auto row = Make<RowExpr>(Next().position);
  Next();
  row->items = TL_TRY(ParseExprList());
  TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  return Done(std::move(row));
}

Result<ExprPtr> Parser::ParseCurrentTime() {
  const Token& token = Next();
  auto expr = Make<CurrentTimeExpr>(token.position);
  switch (token.keyword) {
    case Keyword::kCurrentDate:
      expr->which = CurrentTimeKind::kDate;
      break;
    case Keyword::kCurrentTime:
      expr->which = CurrentTimeKind::kTime;
      break;
    case Keyword::kCurrentTimestamp:
      expr->which = CurrentTimeKind::kTimestamp;
      break;
    case Keyword::kLocaltime:
      expr->which = CurrentTimeKind::kLocalTime;
      break;
    default:
      expr->which = CurrentTimeKind::kLocalTimestamp;
      break;
  }
  return Done(std::move(expr));
}

// --- Calls

bool Parser::AcceptDistinct() {
  if (Accept(Keyword::kDistinct)) return true;
  // A column may be named all: `SELECT all, x`. Before an expression it is the quantifier.
  if (At(Keyword::kAll) && (CanStartExpr(1) || At(TokenKind::kStar, 1))) Next();
  return false;
}

Result<ExprPtr> Parser::ParseFunctionCall(std::string name, const SourcePosition& position) {
  auto call = Make<FunctionCall>(position);
  call->name = std::move(name);
  Next();
  if (At(TokenKind::kStar) && At(TokenKind::kRightParen, 1)) {
    Next();
    call->star = true;
  } else if (!At(TokenKind::kRightParen)) {
    TL_TRY(ParseArguments(call.get()));
  }
  TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  TL_TRY(ParseCallTail(call.get()));
  return Done(std::move(call));
}

Status Parser::ParseArguments(FunctionCall* call) {
  call->distinct = AcceptDistinct();
  do {
    Argument argument;
    if (extended_ && AtIdentifier() && At(TokenKind::kFatArrow, 1)) {
      argument.name = TL_TRY(ParseIdentifier("the name of an argument"));
      Next();
    }
    argument.value = TL_TRY(ParseExpr());
    call->arguments.push_back(std::move(argument));
  } while (Accept(TokenKind::kComma));
  if (At(Keyword::kOrder)) {
    call->order_by = TL_TRY(ParseOrderBy());
  }
  return OkStatus();
}

// Each of these words may also be the alias of a select item, so the next token decides.
Status Parser::ParseCallTail(FunctionCall* call) {
  if (extended_ && At(Keyword::kWithin) && At(Keyword::kGroup, 1)) {
    Next();
    Next();
    TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
    call->within_group = TL_TRY(ParseOrderBy());
    TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  }
  if (At(Keyword::kFilter) && At(TokenKind::kLeftParen, 1)) {
    Next();
    Next();
    TL_TRY(Expect(Keyword::kWhere));
    call->filter = TL_TRY(ParseExpr());
    TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  }
  if ((At(Keyword::kIgnore) || At(Keyword::kRespect)) && At(Keyword::kNulls, 1)) {
    call->nulls = At(Keyword::kIgnore) ? NullTreatment::kIgnore : NullTreatment::kRespect;
    Next();
    Next();
  }
  const bool has_over = At(Keyword::kOver) &&
                        (At(TokenKind::kLeftParen, 1) || (extended_ && AtIdentifier(1)));
  if (has_over) {
    call->over = TL_TRY(ParseOver());
  }
  return OkStatus();
}

Result<OverClause> Parser::ParseOver() {
  Next();
  OverClause over;
  over.spec.position = Peek().position;
  if (!Accept(TokenKind::kLeftParen)) {
    over.name = TL_TRY(ParseIdentifier("the name of a window"));
    return over;
  }
  over.spec = TL_TRY(ParseWindowSpec());
  TL_TRY(Expect(TokenKind::kRightParen, "PARTITION BY, ORDER BY, ROWS, RANGE or ')'"));
  return over;
}

Result<WindowSpec> Parser::ParseWindowSpec() {
  WindowSpec spec;
  spec.position = Peek().position;
  if (Accept(Keyword::kPartition)) {
    TL_TRY(Expect(Keyword::kBy));
    spec.partition_by = TL_TRY(ParseExprList());
  }
  if (At(Keyword::kOrder)) {
    spec.order_by = TL_TRY(ParseOrderBy());
  }
  if (At(Keyword::kRows) || At(Keyword::kRange) || (extended_ && At(Keyword::kGroups))) {
    spec.frame = TL_TRY(ParseFrame());
  }
  return spec;
}

Result<WindowFrame> Parser::ParseFrame() {
  const Token& token = Next();
  WindowFrame frame;
  frame.position = token.position;
  frame.unit = token.keyword == Keyword::kRows    ? FrameUnit::kRows
               : token.keyword == Keyword::kRange ? FrameUnit::kRange
                                                  : FrameUnit::kGroups;
  if (Accept(Keyword::kBetween)) {
    frame.start = TL_TRY(ParseFrameBound());
    TL_TRY(Expect(Keyword::kAnd));
    frame.end = TL_TRY(ParseFrameBound());
  } else {
    frame.start = TL_TRY(ParseFrameBound());
    frame.end.position = frame.start.position;
  }
  if (At(Keyword::kExclude)) return Refuse(Peek(), "EXCLUDE in a window frame");
  return frame;
}

Result<FrameBound> Parser::ParseFrameBound() {
  FrameBound bound;
  bound.position = Peek().position;
  const bool unbounded =
      At(Keyword::kUnbounded) && (At(Keyword::kPreceding, 1) || At(Keyword::kFollowing, 1));
  if (At(Keyword::kCurrent) && At(Keyword::kRow, 1)) {
    Next();
    Next();
    bound.kind = FrameBoundKind::kCurrentRow;
    return bound;
  }
  if (unbounded) {
    Next();
  } else {
    bound.offset = TL_TRY(ParseValue());
  }
  if (Accept(Keyword::kPreceding)) {
    bound.kind =
        unbounded ? FrameBoundKind::kUnboundedPreceding : FrameBoundKind::kPreceding;
  } else if (Accept(Keyword::kFollowing)) {
    bound.kind =
        unbounded ? FrameBoundKind::kUnboundedFollowing : FrameBoundKind::kFollowing;
  } else {
    return SyntaxError("PRECEDING or FOLLOWING");
  }
  return bound;
}

}  // namespace tideline::sql::ast::internal
