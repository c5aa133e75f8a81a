// Operators and predicates, loosest first:
//   OR, AND, NOT, comparison and predicates (one per value, they do not chain), ||, + -, * / %,
//   unary + -, AT TIME ZONE, [] and '.'.
#include "sql/parse/parser_internal.h"

namespace tideline::sql::ast::internal {
namespace {

struct BinaryEntry {
  BinaryOperator op;
  int precedence;
};

// The operator of `kind` if it is arithmetic or ||; precedence 0 binds loosest, -1 is no operator.
BinaryEntry BinaryEntryOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kConcat:
      return {BinaryOperator::kConcat, 0};
    case TokenKind::kPlus:
      return {BinaryOperator::kAdd, 1};
    case TokenKind::kMinus:
      return {BinaryOperator::kSubtract, 1};
    case TokenKind::kStar:
      return {BinaryOperator::kMultiply, 2};
    case TokenKind::kSlash:
      return {BinaryOperator::kDivide, 2};
    case TokenKind::kPercent:
      return {BinaryOperator::kModulo, 2};
    default:
      return {BinaryOperator::kAdd, -1};
  }
}

std::optional<ComparisonOperator> ComparisonOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEqual:
      return ComparisonOperator::kEqual;
    case TokenKind::kNotEqual:
      return ComparisonOperator::kNotEqual;
    case TokenKind::kLess:
      return ComparisonOperator::kLess;
    case TokenKind::kLessOrEqual:
      return ComparisonOperator::kLessOrEqual;
    case TokenKind::kGreater:
      return ComparisonOperator::kGreater;
    case TokenKind::kGreaterOrEqual:
      return ComparisonOperator::kGreaterOrEqual;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<ExprPtr> Parser::ParseExpr() {
  const NestingScope nesting(this);
  TL_TRY(nesting.Check());
  return ParseOr();
}

Result<ExprPtr> Parser::ParseOr() {
  ExprPtr first = TL_TRY(ParseAnd());
  if (!At(Keyword::kOr)) return first;
  auto logical = Make<LogicalExpr>(Peek().position);
  logical->op = LogicalOperator::kOr;
  logical->operands.push_back(std::move(first));
  while (Accept(Keyword::kOr)) {
    logical->operands.push_back(TL_TRY(ParseAnd()));
  }
  return Done(std::move(logical));
}

Result<ExprPtr> Parser::ParseAnd() {
  ExprPtr first = TL_TRY(ParseNot());
  if (!At(Keyword::kAnd)) return first;
  auto logical = Make<LogicalExpr>(Peek().position);
  logical->op = LogicalOperator::kAnd;
  logical->operands.push_back(std::move(first));
  while (Accept(Keyword::kAnd)) {
    logical->operands.push_back(TL_TRY(ParseNot()));
  }
  return Done(std::move(logical));
}

Result<ExprPtr> Parser::ParseNot() {
  if (!At(Keyword::kNot)) return ParsePredicate();
  const NestingScope nesting(this);
  TL_TRY(nesting.Check());
  auto expr = Make<NotExpr>(Next().position);
  expr->operand = TL_TRY(ParseNot());
  return Done(std::move(expr));
}

// At most one predicate applies to a value: `a = b = c` is an error, as in the original.
Result<ExprPtr> Parser::ParsePredicate() {
  ExprPtr value = TL_TRY(ParseValue());
  if (ComparisonOf(Peek().kind).has_value()) return ParseComparison(std::move(value));
  if (At(Keyword::kIs)) return ParseIs(std::move(value));
  const SourcePosition position = Peek().position;
  const std::size_t ahead = At(Keyword::kNot) ? 1 : 0;
  const bool negated = ahead == 1;
  if (extended_) {
    if (At(Keyword::kIlike, ahead) && CanStartExpr(ahead + 1)) return Refuse(Peek(ahead), "ILIKE");
    if (At(Keyword::kSimilar, ahead) && At(Keyword::kTo, ahead + 1)) {
      return Refuse(Peek(ahead), "SIMILAR TO");
    }
  }
  switch (Peek(ahead).keyword) {
    case Keyword::kBetween:
      if (negated) Next();
      return ParseBetween(std::move(value), negated, position);
    case Keyword::kIn:
      if (negated) Next();
      return ParseIn(std::move(value), negated, position);
    case Keyword::kLike:
      if (negated) Next();
      return ParseLike(std::move(value), negated, position);
    default:
      return value;
  }
}

Result<ExprPtr> Parser::ParseComparison(ExprPtr left) {
  const Token& token = Next();
  const ComparisonOperator op = *ComparisonOf(token.kind);
  const bool is_all = At(Keyword::kAll);
  if ((is_all || At(Keyword::kAny) || At(Keyword::kSome)) && AtParenthesizedQuery(1)) {
    Next();
    auto quantified = Make<QuantifiedExpr>(token.position);
    quantified->op = op;
    quantified->quantifier = is_all ? Quantifier::kAll : Quantifier::kAny;
    quantified->value = std::move(left);
    quantified->query = TL_TRY(ParseParenthesizedQuery());
    return Done(std::move(quantified));
  }
  auto comparison = Make<ComparisonExpr>(token.position);
  comparison->op = op;
  comparison->left = std::move(left);
  comparison->right = TL_TRY(ParseValue());
  return Done(std::move(comparison));
}

Result<ExprPtr> Parser::ParseIs(ExprPtr value) {
  const SourcePosition position = Next().position;
  const bool negated = Accept(Keyword::kNot);
  if (Accept(Keyword::kNull)) {
    auto is_null = Make<IsNullExpr>(position);
    is_null->negated = negated;
    is_null->value = std::move(value);
    return Done(std::move(is_null));
  }
  if (!Accept(Keyword::kDistinct)) {
    return SyntaxError(negated ? "NULL or DISTINCT FROM" : "NULL, NOT or DISTINCT FROM");
  }
  TL_TRY(Expect(Keyword::kFrom));
  auto distinct = Make<IsDistinctFromExpr>(position);
  distinct->negated = negated;
  distinct->left = std::move(value);
  distinct->right = TL_TRY(ParseValue());
  return Done(std::move(distinct));
}

Result<ExprPtr> Parser::ParseBetween(ExprPtr value, bool negated, const SourcePosition& position) {
  Next();
  auto between = Make<BetweenExpr>(position);
  between->negated = negated;
  between->value = std::move(value);
  between->low = TL_TRY(ParseValue());
  TL_TRY(Expect(Keyword::kAnd));
  between->high = TL_TRY(ParseValue());
  return Done(std::move(between));
}

Result<ExprPtr> Parser::ParseIn(ExprPtr value, bool negated, const SourcePosition& position) {
  Next();
  if (AtParenthesizedQuery()) {
    auto in = Make<InSubqueryExpr>(position);
    in->negated = negated;
    in->value = std::move(value);
    in->query = TL_TRY(ParseParenthesizedQuery());
    return Done(std::move(in));
  }
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  auto in = Make<InListExpr>(position);
  in->negated = negated;
  in->value = std::move(value);
  in->items = TL_TRY(ParseExprList());
  TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  return Done(std::move(in));
}

Result<ExprPtr> Parser::ParseLike(ExprPtr value, bool negated, const SourcePosition& position) {
  Next();
  auto like = Make<LikeExpr>(position);
  like->negated = negated;
  like->value = std::move(value);
  like->pattern = TL_TRY(ParseValue());
  if (Accept(Keyword::kEscape)) {
    like->escape = TL_TRY(ParseValue());
  }
  return Done(std::move(like));
}

// Precedence climbing (Clarke 1986): what binds tighter than the operator just read goes into its
// right operand; equals go left. Recursion is as deep as there are levels, three.
Result<ExprPtr> Parser::ParseValue(int precedence_min) {
  ExprPtr left = TL_TRY(ParseUnary());
  for (;;) {
    const auto [op, precedence] = BinaryEntryOf(Peek().kind);
    if (precedence < precedence_min) return left;
    auto binary = Make<BinaryExpr>(Next().position);
    binary->op = op;
    binary->left = std::move(left);
    binary->right = TL_TRY(ParseValue(precedence + 1));
    left = TL_TRY(Done(std::move(binary)));
  }
}

Result<ExprPtr> Parser::ParseUnary() {
  if (!At(TokenKind::kPlus) && !At(TokenKind::kMinus)) return ParseZoned();
  const NestingScope nesting(this);
  TL_TRY(nesting.Check());
  const Token& token = Next();
  auto unary = Make<UnaryExpr>(token.position);
  unary->op = token.kind == TokenKind::kPlus ? UnaryOperator::kPlus : UnaryOperator::kMinus;
  unary->operand = TL_TRY(ParseUnary());
  return Done(std::move(unary));
}

Result<ExprPtr> Parser::ParseZoned() {
  ExprPtr value = TL_TRY(ParsePostfix());
  while (extended_ && At(Keyword::kAt) && At(Keyword::kTime, 1) && At(Keyword::kZone, 2)) {
    auto zoned = Make<AtTimeZoneExpr>(Next().position);
    Next();
    Next();
    zoned->value = std::move(value);
    if (At(TokenKind::kString) || At(TokenKind::kUnicodeString)) {
      zoned->zone = TL_TRY(ParseStringLiteral());
    } else if (At(TokenKind::kTimeLiteral)) {
      zoned->zone = TL_TRY(ParseTimeLiteral());
    } else if (AtIntervalLiteral()) {
      zoned->zone = TL_TRY(ParseIntervalLiteral());
    } else {
      return SyntaxError("the name of a time zone as a string, or an interval");
    }
    value = TL_TRY(Done(std::move(zoned)));
  }
  return value;
}

Result<ExprPtr> Parser::ParsePostfix() {
  ExprPtr base = TL_TRY(ParsePrimary());
  for (;;) {
    const SourcePosition position = base->position;
    if (Accept(TokenKind::kLeftBracket)) {
      auto subscript = Make<SubscriptExpr>(position);
      subscript->base = std::move(base);
      subscript->index = TL_TRY(ParseExpr());
      TL_TRY(Expect(TokenKind::kRightBracket, "']'"));
      base = TL_TRY(Done(std::move(subscript)));
    } else if (Accept(TokenKind::kDot)) {
      auto access = Make<FieldAccessExpr>(position);
      access->base = std::move(base);
      access->field = TL_TRY(ParseIdentifier("the name of a field"));
      base = TL_TRY(Done(std::move(access)));
    } else {
      return base;
    }
  }
}

}  // namespace tideline::sql::ast::internal
