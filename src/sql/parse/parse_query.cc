// Queries: WITH, set operations, SELECT and its clauses, VALUES, ORDER BY, LIMIT.
#include <charconv>

#include "sql/parse/parser_internal.h"

namespace tideline::sql::ast::internal {

Result<QueryPtr> Parser::ParseQuery() {
  const NestingScope nesting(this);
  TL_TRY(nesting.Check());
  auto query = std::make_unique<Query>();
  query->position = Peek().position;
  if (At(Keyword::kWith)) {
    query->with = TL_TRY(ParseWith());
  }
  query->body = TL_TRY(ParseQueryBody());
  TL_TRY(ParseQueryTail(query.get()));
  TL_TRY(SetDepth(query.get(), query->position));
  return query;
}

Result<QueryPtr> Parser::ParseParenthesizedQuery() {
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  QueryPtr query = TL_TRY(ParseQuery());
  if (!At(TokenKind::kRightParen)) TL_TRY(RefuseKnownClause());
  TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  return query;
}

Result<std::vector<CommonTableExpr>> Parser::ParseWith() {
  Next();
  if (At(Keyword::kRecursive)) return Refuse(Peek(), "WITH RECURSIVE");
  std::vector<CommonTableExpr> with;
  do {
    CommonTableExpr item;
    item.name = TL_TRY(ParseIdentifier("a name"));
    if (At(TokenKind::kLeftParen)) {
      item.column_aliases = TL_TRY(ParseColumnAliases());
    }
    TL_TRY(Expect(Keyword::kAs));
    item.query = TL_TRY(ParseParenthesizedQuery());
    with.push_back(std::move(item));
  } while (Accept(TokenKind::kComma));
  return with;
}

// OFFSET may stand before LIMIT (the standard) or behind it (PostgreSQL's habit).
Status Parser::ParseQueryTail(Query* query) {
  if (At(Keyword::kOrder)) {
    query->order_by = TL_TRY(ParseOrderBy());
  }
  for (;;) {
    if (At(Keyword::kLimit) && query->limit_kind == LimitKind::kNone) {
      TL_TRY(ParseLimit(query));
    } else if (extended_ && At(Keyword::kFetch) && query->limit_kind == LimitKind::kNone) {
      TL_TRY(ParseFetch(query));
    } else if (extended_ && At(Keyword::kOffset) && !query->offset.has_value()) {
      Next();
      query->offset = TL_TRY(ParseRowCount("a number of rows"));
      if (!Accept(Keyword::kRows)) Accept(Keyword::kRow);
    } else {
      return OkStatus();
    }
  }
}

Status Parser::ParseLimit(Query* query) {
  Next();
  if (Accept(Keyword::kAll)) {
    query->limit_kind = LimitKind::kAll;
    return OkStatus();
  }
  query->limit = TL_TRY(ParseRowCount("a number of rows or ALL"));
  query->limit_kind = LimitKind::kLimit;
  return OkStatus();
}

Status Parser::ParseFetch(Query* query) {
  Next();
  if (!Accept(Keyword::kFirst) && !Accept(Keyword::kNext)) return SyntaxError("FIRST or NEXT");
  query->limit_kind = LimitKind::kFetchFirst;
  query->limit = 1;
  if (At(TokenKind::kInteger)) {
    query->limit = TL_TRY(ParseRowCount("a number of rows"));
  }
  if (!Accept(Keyword::kRow) && !Accept(Keyword::kRows)) return SyntaxError("ROW or ROWS");
  if (Accept(Keyword::kOnly)) return OkStatus();
  if (!Accept(Keyword::kWith)) return SyntaxError("ONLY or WITH TIES");
  query->with_ties = true;
  return Expect(Keyword::kTies);
}

Result<std::int64_t> Parser::ParseRowCount(std::string_view what) {
  const Token& token = Peek();
  if (token.kind != TokenKind::kInteger) return SyntaxError(what);
  const std::string_view digits = TextOf(token);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc()) {
    return ErrorAt(token.position, fmt::format("Invalid numeric literal: {}", digits));
  }
  Next();
  return count;
}

// --- Set operations

Result<QueryBodyPtr> Parser::ParseQueryBody() {
  QueryBodyPtr body = TL_TRY(ParseIntersections());
  while (At(Keyword::kUnion) || At(Keyword::kExcept)) {
    body = TL_TRY(ParseSetOperation(std::move(body)));
  }
  return body;
}

Result<QueryBodyPtr> Parser::ParseIntersections() {
  QueryBodyPtr body = TL_TRY(ParseQueryPrimary());
  while (At(Keyword::kIntersect)) {
    body = TL_TRY(ParseSetOperation(std::move(body)));
  }
  return body;
}

Result<QueryBodyPtr> Parser::ParseSetOperation(QueryBodyPtr left) {
  const Token& word = Next();
  auto operation = Make<SetOperationBody>(word.position);
  operation->left = std::move(left);
  operation->op = word.keyword == Keyword::kUnion    ? SetOperator::kUnion
                  : word.keyword == Keyword::kExcept ? SetOperator::kExcept
                                                     : SetOperator::kIntersect;
  operation->all = Accept(Keyword::kAll);
  if (!operation->all) Accept(Keyword::kDistinct);
  if (operation->op == SetOperator::kIntersect) {
    operation->right = TL_TRY(ParseQueryPrimary());
  } else {
    operation->right = TL_TRY(ParseIntersections());
  }
  return Finish<QueryBody>(std::move(operation));
}

Result<QueryBodyPtr> Parser::ParseQueryPrimary() {
  const SourcePosition position = Peek().position;
  switch (Peek().keyword) {
    case Keyword::kSelect:
      return ParseSelect();
    case Keyword::kValues:
      return ParseValues();
    case Keyword::kTable: {
      Next();
      auto body = Make<TableBody>(position);
      body->name = TL_TRY(ParseQualifiedName("a table name"));
      return Finish<QueryBody>(std::move(body));
    }
    default:
      break;
  }
  if (!At(TokenKind::kLeftParen)) return SyntaxError("a query");
  QueryPtr query = TL_TRY(ParseParenthesizedQuery());
  const bool is_plain = query->with.empty() && query->order_by.empty() &&
                        !query->offset.has_value() && query->limit_kind == LimitKind::kNone;
  if (is_plain) return std::move(query->body);
  auto body = Make<SubqueryBody>(position);
  body->query = std::move(query);
  return Finish<QueryBody>(std::move(body));
}

Result<QueryBodyPtr> Parser::ParseValues() {
  auto body = Make<ValuesBody>(Next().position);
  body->rows = TL_TRY(ParseExprList());
  return Finish<QueryBody>(std::move(body));
}

// --- SELECT

Result<QueryBodyPtr> Parser::ParseSelect() {
  auto select = Make<SelectBody>(Next().position);
  select->distinct = AcceptDistinct();
  if (select->distinct && At(Keyword::kOn)) return Refuse(Peek(), "DISTINCT ON");
  do {
    select->items.push_back(TL_TRY(ParseSelectItem()));
  } while (Accept(TokenKind::kComma));
  TL_TRY(ParseSelectClauses(select.get()));
  return Finish<QueryBody>(std::move(select));
}

Status Parser::ParseSelectClauses(SelectBody* select) {
  if (Accept(Keyword::kFrom)) {
    do {
      select->from.push_back(TL_TRY(ParseRelation()));
    } while (Accept(TokenKind::kComma));
  }
  TL_TRY(RefuseKnownClause());
  if (Accept(Keyword::kWhere)) {
    select->where = TL_TRY(ParseExpr());
    TL_TRY(RefuseKnownClause());
  }
  if (At(Keyword::kGroup)) {
    select->group_by = TL_TRY(ParseGroupBy());
  }
  if (Accept(Keyword::kHaving)) {
    select->having = TL_TRY(ParseExpr());
  }
  if (extended_ && At(Keyword::kWindow)) TL_TRY(ParseNamedWindows(select));
  return RefuseKnownClause();
}

Status Parser::ParseNamedWindows(SelectBody* select) {
  Next();
  do {
    NamedWindow window;
    window.name = TL_TRY(ParseIdentifier("the name of a window"));
    TL_TRY(Expect(Keyword::kAs));
    TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
    window.spec = TL_TRY(ParseWindowSpec());
    TL_TRY(Expect(TokenKind::kRightParen, "')'"));
    select->windows.push_back(std::move(window));
  } while (Accept(TokenKind::kComma));
  return OkStatus();
}

Result<SelectItem> Parser::ParseSelectItem() {
  SelectItem item;
  item.position = Peek().position;
  if (Accept(TokenKind::kStar)) {
    item.kind = SelectItemKind::kStar;
    TL_TRY(RefuseStarModifier());
    return item;
  }
  if (AtQualifiedStar()) {
    item.kind = SelectItemKind::kQualifiedStar;
    do {
      item.qualifier.parts.push_back(TL_TRY(ParseIdentifier("a name")));
      TL_TRY(Expect(TokenKind::kDot, "'.'"));
    } while (!Accept(TokenKind::kStar));
    TL_TRY(RefuseStarModifier());
    return item;
  }
  item.expr = TL_TRY(ParseExpr());
  if (Accept(Keyword::kAs) || AtAlias()) {
    item.alias = TL_TRY(ParseOutputAlias());
  }
  return item;
}

// The service refuses ':' in an output name; we allow it where quotes show that it is meant.
Result<Identifier> Parser::ParseOutputAlias() {
  const Token& token = Peek();
  Identifier alias = TL_TRY(ParseIdentifier("an alias"));
  const bool quoted = token.kind == TokenKind::kQuotedIdentifier;
  if (alias.text.find(':') != std::string::npos && !(extended_ && quoted)) {
    return ExplainedError(token, "an alias with ':' needs double quotes");
  }
  return alias;
}

bool Parser::AtQualifiedStar() const {
  std::size_t ahead = 0;
  while (AtIdentifier(ahead) && At(TokenKind::kDot, ahead + 1)) {
    ahead += 2;
    if (At(TokenKind::kStar, ahead)) return true;
  }
  return false;
}

// SELECT * EXCEPT (SELECT ...) is a set operation; with names in the parentheses it is a modifier.
Status Parser::RefuseStarModifier() const {
  if (!At(TokenKind::kLeftParen, 1)) return OkStatus();
  if (At(Keyword::kExcept) && !AtParenthesizedQuery(1)) return Refuse(Peek(), "* EXCEPT");
  if (At(Keyword::kReplace)) return Refuse(Peek(), "* REPLACE");
  return OkStatus();
}

// --- GROUP BY, ORDER BY

Result<GroupBy> Parser::ParseGroupBy() {
  GroupBy group_by;
  group_by.position = Next().position;
  TL_TRY(Expect(Keyword::kBy));
  if (extended_ && At(Keyword::kAll) && !CanStartExpr(1) && !At(TokenKind::kDot, 1) &&
      !At(TokenKind::kComma, 1)) {
    return Refuse(Peek(), "GROUP BY ALL");
  }
  group_by.distinct = AcceptDistinct();
  do {
    group_by.elements.push_back(TL_TRY(ParseGroupingElement()));
  } while (Accept(TokenKind::kComma));
  return group_by;
}

Result<GroupingElement> Parser::ParseGroupingElement() {
  GroupingElement element;
  element.position = Peek().position;
  const bool is_grouping_sets = At(Keyword::kGrouping) && At(Keyword::kSets, 1);
  if (is_grouping_sets || At(Keyword::kRollup) || At(Keyword::kCube)) {
    const Keyword word = Next().keyword;
    if (is_grouping_sets) Next();
    element.kind = word == Keyword::kRollup ? GroupingKind::kRollup
                   : word == Keyword::kCube ? GroupingKind::kCube
                                            : GroupingKind::kGroupingSets;
    TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
    if (is_grouping_sets || !At(TokenKind::kRightParen)) {
      do {
        element.sets.push_back(TL_TRY(ParseGroupingSet()));
      } while (Accept(TokenKind::kComma));
    }
    TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
    return element;
  }
  element.sets.push_back(TL_TRY(ParseGroupingSet()));
  return element;
}

// `(a, b)` is a set of two, but `(a + b) * 2` and ROW(a, b) are one expression each. A row that
// begins with its own parenthesis and has nothing around it is a set.
Result<std::vector<ExprPtr>> Parser::ParseGroupingSet() {
  std::vector<ExprPtr> set;
  if (At(TokenKind::kLeftParen) && At(TokenKind::kRightParen, 1) && !At(TokenKind::kArrow, 2)) {
    Next();
    Next();
    return set;
  }
  const Token& first = Peek();
  ExprPtr expr = TL_TRY(ParseExpr());
  const bool is_list = first.kind == TokenKind::kLeftParen && expr->kind == ExprKind::kRow &&
                       expr->position.offset_bytes == first.position.offset_bytes;
  if (is_list) return std::move(As<RowExpr>(*expr).items);
  set.push_back(std::move(expr));
  return set;
}

Result<std::vector<SortItem>> Parser::ParseOrderBy() {
  TL_TRY(Expect(Keyword::kOrder));
  TL_TRY(Expect(Keyword::kBy));
  std::vector<SortItem> items;
  do {
    SortItem item;
    item.expr = TL_TRY(ParseExpr());
    if (!Accept(Keyword::kAsc)) item.descending = Accept(Keyword::kDesc);
    if (Accept(Keyword::kNulls)) {
      item.nulls_first = Accept(Keyword::kFirst);
      if (!*item.nulls_first && !Accept(Keyword::kLast)) return SyntaxError("FIRST or LAST");
    }
    items.push_back(std::move(item));
  } while (Accept(TokenKind::kComma));
  return items;
}

}  // namespace tideline::sql::ast::internal
