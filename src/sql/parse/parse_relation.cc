// What stands in FROM: tables, subqueries, UNNEST, joins, aliases, samples.
#include <algorithm>

#include "sql/parse/parser_internal.h"

namespace tideline::sql::ast::internal {

Result<RelationPtr> Parser::ParseRelation() {
  RelationPtr relation = TL_TRY(ParseSampled());
  while (AtJoin()) {
    relation = TL_TRY(ParseJoin(std::move(relation)));
  }
  return relation;
}

bool Parser::AtJoin() const {
  switch (Peek().keyword) {
    case Keyword::kCross:
    case Keyword::kFull:
    case Keyword::kInner:
    case Keyword::kJoin:
    case Keyword::kLeft:
    case Keyword::kNatural:
    case Keyword::kRight:
      return true;
    default:
      // ASOF JOIN and its like; ParseJoin refuses them.
      return !RefuseKnownClause().ok();
  }
}

// `a JOIN b JOIN c ON x ON y`: a join that follows before the condition belongs to the right side.
Result<RelationPtr> Parser::ParseJoin(RelationPtr left) {
  const NestingScope nesting(this);
  TL_TRY(nesting.Check());
  TL_TRY(RefuseKnownClause());
  const Token& first = Peek();
  if (first.keyword == Keyword::kNatural) {
    return ErrorAt(first.position, "Natural join not supported");
  }
  auto join = Make<JoinRelation>(first.position);
  join->left = std::move(left);
  if (Accept(Keyword::kCross)) {
    join->type = JoinType::kCross;
  } else if (Accept(Keyword::kLeft)) {
    join->type = JoinType::kLeft;
  } else if (Accept(Keyword::kRight)) {
    join->type = JoinType::kRight;
  } else if (Accept(Keyword::kFull)) {
    join->type = JoinType::kFull;
  } else {
    Accept(Keyword::kInner);
    join->type = JoinType::kInner;
  }
  const bool is_outer = join->type == JoinType::kLeft || join->type == JoinType::kRight ||
                        join->type == JoinType::kFull;
  if (is_outer) Accept(Keyword::kOuter);
  TL_TRY(Expect(Keyword::kJoin));
  join->right = TL_TRY(ParseSampled());
  if (join->type != JoinType::kCross) {
    while (AtJoin()) {
      join->right = TL_TRY(ParseJoin(std::move(join->right)));
    }
    TL_TRY(ParseJoinCondition(join.get()));
  }
  return Finish<Relation>(std::move(join));
}

Status Parser::ParseJoinCondition(JoinRelation* join) {
  if (Accept(Keyword::kOn)) {
    join->on = TL_TRY(ParseExpr());
    return OkStatus();
  }
  if (!Accept(Keyword::kUsing)) return SyntaxError("ON or USING");
  join->using_columns = TL_TRY(ParseColumnAliases());
  return OkStatus();
}

Result<RelationPtr> Parser::ParseSampled() {
  RelationPtr relation = TL_TRY(ParseRelationPrimary());
  if (Accept(Keyword::kAs) || AtAlias()) TL_TRY(ParseRelationAlias(&relation));
  if (!At(Keyword::kTablesample)) return relation;
  Next();
  TableSample sample;
  if (Accept(Keyword::kSystem)) {
    sample.method = SampleMethod::kSystem;
  } else if (!Accept(Keyword::kBernoulli)) {
    return SyntaxError("BERNOULLI or SYSTEM");
  }
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  sample.percentage = TL_TRY(ParseExpr());
  TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  if (relation->sample.has_value()) {
    auto outer = Make<ParenthesizedRelation>(relation->position);
    outer->inner = std::move(relation);
    relation = std::move(outer);
  }
  const std::uint32_t sample_depth = sample.percentage->depth;
  if (sample_depth >= kSyntaxDepthMax) return TooDeep(relation->position);
  relation->depth = std::max(relation->depth, static_cast<std::uint16_t>(sample_depth + 1));
  relation->sample = std::move(sample);
  return relation;
}

Status Parser::ParseRelationAlias(RelationPtr* relation) {
  if ((*relation)->alias.has_value() || (*relation)->sample.has_value()) {
    auto outer = Make<ParenthesizedRelation>((*relation)->position);
    outer->inner = std::move(*relation);
    TL_TRY(SetDepth(outer.get(), outer->position));
    *relation = std::move(outer);
  }
  (*relation)->alias = TL_TRY(ParseIdentifier("an alias"));
  if (At(TokenKind::kLeftParen)) {
    (*relation)->column_aliases = TL_TRY(ParseColumnAliases());
  }
  return OkStatus();
}

Result<RelationPtr> Parser::ParseRelationPrimary() {
  const SourcePosition position = Peek().position;
  if (At(Keyword::kUnnest)) return ParseUnnest();
  if (At(Keyword::kTable) && At(TokenKind::kLeftParen, 1)) {
    return Refuse(Peek(), "TABLE(function)");
  }
  const bool is_lateral = At(Keyword::kLateral) && At(TokenKind::kLeftParen, 1);
  if (is_lateral) Next();
  if (is_lateral || AtParenthesizedQuery()) {
    auto subquery = Make<SubqueryRelation>(position);
    subquery->lateral = is_lateral;
    subquery->query = TL_TRY(ParseParenthesizedQuery());
    return Finish<Relation>(std::move(subquery));
  }
  if (At(TokenKind::kLeftParen)) return ParseParenthesizedRelation();
  auto table = Make<TableRelation>(position);
  table->name = TL_TRY(ParseQualifiedName("a table, UNNEST or a subquery"));
  return Finish<Relation>(std::move(table));
}

Result<RelationPtr> Parser::ParseParenthesizedRelation() {
  const NestingScope nesting(this);
  TL_TRY(nesting.Check());
  Next();
  RelationPtr inner = TL_TRY(ParseRelation());
  TL_TRY(Expect(TokenKind::kRightParen, "a join or ')'"));
  return inner;
}

Result<RelationPtr> Parser::ParseUnnest() {
  auto unnest = Make<UnnestRelation>(Next().position);
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  unnest->items = TL_TRY(ParseExprList());
  TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  if (At(Keyword::kWith) && At(Keyword::kOrdinality, 1)) {
    Next();
    Next();
    unnest->with_ordinality = true;
  }
  return Finish<Relation>(std::move(unnest));
}

}  // namespace tideline::sql::ast::internal
