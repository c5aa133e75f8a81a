#include "sql/parse/parser.h"

#include <algorithm>

#include "sql/parse/parser_internal.h"

namespace tideline::sql::ast {

Result<StatementPtr> ParseStatement(std::string_view text, const ParseOptions& options) {
  if (text.size() > kStatementBytesMax) {
    return InvalidArgument("The statement is too long: at most {} bytes are allowed, it has {}",
                           kStatementBytesMax, text.size());
  }
  return internal::Parser(text, options).RunStatement();
}

Result<ExprPtr> ParseExpression(std::string_view text, const ParseOptions& options) {
  if (text.size() > kStatementBytesMax) {
    return InvalidArgument("The expression is too long: at most {} bytes are allowed, it has {}",
                           kStatementBytesMax, text.size());
  }
  return internal::Parser(text, options).RunExpression();
}

namespace internal {
namespace {

// For each opening bracket the index of the one that closes it, for all else (and for a bracket
// that nothing closes) the index of the last token.
std::vector<std::uint32_t> MatchBrackets(const std::vector<Token>& tokens) {
  const auto last = static_cast<std::uint32_t>(tokens.size() - 1);
  std::vector<std::uint32_t> closing(tokens.size(), last);
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = 0; i < tokens.size(); ++i) {
    switch (tokens[i].kind) {
      case TokenKind::kLeftParen:
      case TokenKind::kLeftBracket:
        open.push_back(i);
        break;
      case TokenKind::kRightParen:
      case TokenKind::kRightBracket:
        if (open.empty()) return closing;
        closing[open.back()] = i;
        open.pop_back();
        break;
      default:
        break;
    }
  }
  return closing;
}

bool IsQueryStart(const Token& token) {
  switch (token.keyword) {
    case Keyword::kSelect:
    case Keyword::kWith:
    case Keyword::kValues:
    case Keyword::kTable:
      return true;
    default:
      return false;
  }
}

constexpr std::size_t kFoundBytesMax = 40;  // of a token quoted in a message

std::string DescribeToken(const Token& token, std::string_view statement) {
  if (token.kind == TokenKind::kEnd) return "the end of the statement";
  std::string_view text = token.Text(statement);
  if (text.size() <= kFoundBytesMax) return fmt::format("'{}'", text);
  std::size_t cut = kFoundBytesMax;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return fmt::format("'{}...'", text.substr(0, cut));
}

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Parser::Parser(std::string_view text, const ParseOptions& options)
    : text_(text),
      options_(options),
      extended_(options.profile == Profile::kExtended),
      lexed_(Tokenize(text, extended_)),
      closing_(MatchBrackets(lexed_.tokens)) {
  TL_CHECK(text.size() <= kStatementBytesMax);
}

Result<StatementPtr> Parser::RunStatement() {
  StatementPtr statement = TL_TRY(ParseStatement());
  Accept(TokenKind::kSemicolon);
  if (!At(TokenKind::kEnd)) {
    TL_TRY(RefuseKnownClause());
    return SyntaxError("the end of the statement");
  }
  statement->parameters = std::move(parameters_);
  return statement;
}

Result<ExprPtr> Parser::RunExpression() {
  ExprPtr expr = TL_TRY(ParseExpr());
  if (!At(TokenKind::kEnd)) return SyntaxError("the end of the expression");
  return expr;
}

Status Parser::NestingScope::Check() const {
  if (parser_->nesting_ > kSyntaxNestingMax) {
    return ErrorAt(parser_->Peek().position,
                   fmt::format("The query is nested too deeply: at most {} levels are allowed",
                               kSyntaxNestingMax));
  }
  if (parser_->node_count_ > kSyntaxNodesMax) {
    return ErrorAt(parser_->Peek().position,
                   fmt::format("The query is too large: at most {} expressions are allowed",
                               kSyntaxNodesMax));
  }
  return OkStatus();
}

Status Parser::TooDeep(const SourcePosition& position) {
  return ErrorAt(position, fmt::format("The query is nested too deeply: a chain of operators has "
                                       "at most {} steps",
                                       kSyntaxDepthMax));
}

// --- Cursor

const Token& Parser::Peek(std::size_t ahead) const { return TokenAt(at_ + ahead); }

const Token& Parser::TokenAt(std::size_t index) const {
  return lexed_.tokens[std::min(index, lexed_.tokens.size() - 1)];
}

bool Parser::AtWord(std::string_view word) const {
  return At(TokenKind::kWord) && LowerCase(std::string(TextOf(Peek()))) == word;
}

const Token& Parser::Next() {
  const Token& token = Peek();
  if (at_ + 1 < lexed_.tokens.size()) ++at_;
  return token;
}

bool Parser::Accept(TokenKind kind) {
  if (!At(kind)) return false;
  Next();
  return true;
}

bool Parser::Accept(Keyword keyword) {
  if (!At(keyword)) return false;
  Next();
  return true;
}

Status Parser::Expect(TokenKind kind, std::string_view what) {
  return Accept(kind) ? OkStatus() : SyntaxError(what);
}

Status Parser::Expect(Keyword keyword) {
  return Accept(keyword) ? OkStatus() : SyntaxError(KeywordText(keyword));
}

// --- Looking ahead

bool Parser::AtIdentifier(std::size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kQuotedIdentifier ||
         (token.kind == TokenKind::kWord && !IsReserved(token.keyword));
}

// `((SELECT 1) UNION (SELECT 2))` is a query, `((SELECT 1) + 2)` an expression: what follows the
// inner parenthesis tells, as long as another one comes first.
bool Parser::AtParenthesizedQuery(std::size_t ahead) const {
  std::size_t index = at_ + ahead;
  if (TokenAt(index).kind != TokenKind::kLeftParen) return false;
  const std::size_t index_max = index + kSyntaxNestingMax;
  for (++index; TokenAt(index).kind == TokenKind::kLeftParen; ++index) {
    if (index > index_max) return false;
    const std::size_t after = ClosingOf(index) + 1;
    const Token& token = TokenAt(after);
    const Token& second = TokenAt(after + 1);
    const bool goes_on = token.kind == TokenKind::kRightParen || token.kind == TokenKind::kEnd ||
                         token.keyword == Keyword::kUnion ||
                         token.keyword == Keyword::kIntersect ||
                         token.keyword == Keyword::kExcept || token.keyword == Keyword::kOrder ||
                         (token.keyword == Keyword::kLimit &&
                          (second.kind == TokenKind::kInteger || second.keyword == Keyword::kAll)) ||
                         (extended_ && token.keyword == Keyword::kOffset &&
                          second.kind == TokenKind::kInteger) ||
                         (extended_ && token.keyword == Keyword::kFetch &&
                          (second.keyword == Keyword::kFirst || second.keyword == Keyword::kNext));
    if (!goes_on) return false;
  }
  return IsQueryStart(TokenAt(index));
}

bool Parser::CanStartExpr(std::size_t ahead) const {
  const Token& token = Peek(ahead);
  switch (token.kind) {
    case TokenKind::kQuotedIdentifier:
    case TokenKind::kString:
    case TokenKind::kUnicodeString:
    case TokenKind::kBinaryString:
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kTimeLiteral:
    case TokenKind::kParameter:
    case TokenKind::kLeftParen:
    case TokenKind::kPlus:
    case TokenKind::kMinus:
      return true;
    case TokenKind::kWord:
      break;
    default:
      return false;
  }
  switch (token.keyword) {
    case Keyword::kCase:
    case Keyword::kCast:
    case Keyword::kCurrentDate:
    case Keyword::kCurrentTime:
    case Keyword::kCurrentTimestamp:
    case Keyword::kExists:
    case Keyword::kExtract:
    case Keyword::kFalse:
    case Keyword::kGrouping:
    case Keyword::kLocaltime:
    case Keyword::kLocaltimestamp:
    case Keyword::kNormalize:
    case Keyword::kNot:
    case Keyword::kNull:
    case Keyword::kTrue:
      return true;
    default:
      return !IsReserved(token.keyword);
  }
}

bool Parser::AtClause() const {
  if (!At(TokenKind::kWord)) return false;
  switch (Peek().keyword) {
    case Keyword::kLimit:
      return At(TokenKind::kInteger, 1) || At(Keyword::kAll, 1);
    case Keyword::kTablesample:
      return (At(Keyword::kBernoulli, 1) || At(Keyword::kSystem, 1)) &&
             At(TokenKind::kLeftParen, 2);
    case Keyword::kOffset:
      return extended_ && At(TokenKind::kInteger, 1);
    case Keyword::kFetch:
      return extended_ && (At(Keyword::kFirst, 1) || At(Keyword::kNext, 1));
    case Keyword::kWindow:
      return extended_ && ((AtIdentifier(1) && At(Keyword::kAs, 2) &&
                            At(TokenKind::kLeftParen, 3)) ||
                           !RefuseKnownClause().ok());
    default:
      return !RefuseKnownClause().ok();
  }
}

Status Parser::RefuseKnownClause() const {
  if (!extended_ || !At(TokenKind::kWord)) return OkStatus();
  const Token& token = Peek();
  const bool before_join =
      At(Keyword::kJoin, 1) || (At(Keyword::kLeft, 1) && At(Keyword::kJoin, 2));
  switch (token.keyword) {
    case Keyword::kAsof:
      return before_join ? Refuse(token, "ASOF JOIN") : OkStatus();
    case Keyword::kLt:
      return before_join ? Refuse(token, "LT JOIN") : OkStatus();
    case Keyword::kWindow:
      return before_join ? Refuse(token, "WINDOW JOIN") : OkStatus();
    case Keyword::kSample:
      return At(Keyword::kBy, 1) ? Refuse(token, "SAMPLE BY") : OkStatus();
    case Keyword::kLatest:
      // An alias may be named so: JOIN b latest ON a.k = latest.k.
      return At(Keyword::kOn, 1) && AtIdentifier(2) && At(Keyword::kPartition, 3)
                 ? Refuse(token, "LATEST ON")
                 : OkStatus();
    case Keyword::kQualify:
      return CanStartExpr(1) && !At(TokenKind::kLeftParen, 1) ? Refuse(token, "QUALIFY")
                                                              : OkStatus();
    case Keyword::kMatchRecognize:
      return At(TokenKind::kLeftParen, 1) ? Refuse(token, "MATCH_RECOGNIZE") : OkStatus();
    case Keyword::kPivot:
      // An alias with columns has a comma or parenthesis behind its first name.
      return At(TokenKind::kLeftParen, 1) && At(TokenKind::kLeftParen, 3)
                 ? Refuse(token, "PIVOT")
                 : OkStatus();
    case Keyword::kUnpivot:
      return At(TokenKind::kLeftParen, 1) && At(Keyword::kFor, 3) ? Refuse(token, "UNPIVOT")
                                                                  : OkStatus();
    default:
      return OkStatus();
  }
}

// --- Errors

Status Parser::SyntaxErrorAt(const Token& token, std::string_view expected) const {
  if (token.kind == TokenKind::kInvalid) return ExplainedError(token, lexed_.invalid_reason);
  if (!extended_) return ExplainedError(token, "");
  return ExplainedError(
      token, fmt::format("expected {}, found {}", expected, DescribeToken(token, text_)));
}

Status Parser::ExplainedError(const Token& token, std::string_view explanation) const {
  const SourcePosition& position = token.position;
  if (!extended_) {
    return InvalidArgument("The query syntax is invalid at line {}:{}", position.line,
                           position.column);
  }
  return InvalidArgument("The query syntax is invalid at line {}:{}: {}", position.line,
                         position.column, explanation);
}

Status Parser::ErrorAt(const SourcePosition& position, std::string_view text) {
  return InvalidArgument("line {}:{}: {}", position.line, position.column, text);
}

Status Parser::Refuse(const Token& token, std::string_view construct) const {
  if (!extended_) return ExplainedError(token, "");
  return Unimplemented("line {}:{}: {} is not supported", token.position.line,
                       token.position.column, construct);
}

// --- Names

Result<Identifier> Parser::ParseIdentifier(std::string_view what) {
  const Token& token = Peek();
  if (!AtIdentifier()) {
    if (token.kind == TokenKind::kWord && extended_) {
      return ExplainedError(token, fmt::format("expected {}, found '{}', which is a reserved word "
                                               "(as a name it needs double quotes)",
                                               what, TextOf(token)));
    }
    return SyntaxError(what);
  }
  Next();
  Identifier identifier;
  identifier.position = token.position;
  identifier.text = token.kind == TokenKind::kWord ? std::string(TextOf(token))
                                                   : UnquoteText(TextOf(token));
  return identifier;
}

Result<QualifiedName> Parser::ParseQualifiedName(std::string_view what) {
  QualifiedName name;
  name.parts.push_back(TL_TRY(ParseIdentifier(what)));
  while (Accept(TokenKind::kDot)) {
    name.parts.push_back(TL_TRY(ParseIdentifier("a name after '.'")));
  }
  return name;
}

Result<std::vector<Identifier>> Parser::ParseColumnAliases() {
  std::vector<Identifier> names;
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  do {
    names.push_back(TL_TRY(ParseIdentifier("a column name")));
  } while (Accept(TokenKind::kComma));
  TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  return names;
}

Result<std::vector<ExprPtr>> Parser::ParseExprList() {
  std::vector<ExprPtr> items;
  do {
    items.push_back(TL_TRY(ParseExpr()));
  } while (Accept(TokenKind::kComma));
  return items;
}

}  // namespace internal
}  // namespace tideline::sql::ast
