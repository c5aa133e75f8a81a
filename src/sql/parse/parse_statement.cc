// Statements: SHOW, DESCRIBE, UNLOAD and the extensions EXPLAIN and DELETE.
#include "sql/parse/parser_internal.h"

namespace tideline::sql::ast::internal {

Result<StatementPtr> Parser::ParseStatement() {
  const NestingScope nesting(this);
  TL_TRY(nesting.Check());
  switch (Peek().keyword) {
    case Keyword::kSelect:
    case Keyword::kWith:
    case Keyword::kValues:
    case Keyword::kTable:
      return ParseQueryStatement();
    case Keyword::kShow:
      return ParseShow();
    case Keyword::kDescribe:
      return ParseDescribe();
    case Keyword::kUnload:
      return ParseUnload();
    case Keyword::kDesc:
      if (extended_) return ParseDescribe();
      break;
    case Keyword::kExplain:
      if (extended_) return ParseExplain();
      break;
    case Keyword::kDelete:
      if (extended_) return ParseDelete();
      break;
    default:
      break;
  }
  if (At(TokenKind::kLeftParen)) return ParseQueryStatement();
  return UnknownStatement();
}

Status Parser::UnknownStatement() const {
  const Token& token = Peek();
  switch (token.keyword) {
    case Keyword::kInsert:
    case Keyword::kUpdate:
    case Keyword::kMerge:
      return ExplainedError(token, "SQL does not write rows here; use the WriteRecords action");
    case Keyword::kCreate:
    case Keyword::kDrop:
    case Keyword::kAlter:
      return ExplainedError(token,
                            "SQL does not define databases or tables here; use the CreateDatabase, "
                            "CreateTable, UpdateTable and Delete actions");
    default:
      return SyntaxError("SELECT, WITH, VALUES, TABLE, SHOW, DESCRIBE, UNLOAD, EXPLAIN or DELETE");
  }
}

Result<StatementPtr> Parser::ParseQueryStatement() {
  auto statement = std::make_unique<QueryStatement>(Peek().position);
  statement->query = TL_TRY(ParseQuery());
  return StatementPtr(std::move(statement));
}

Result<StatementPtr> Parser::ParseShow() {
  auto statement = std::make_unique<ShowStatement>(Next().position);
  if (Accept(Keyword::kDatabases)) {
    statement->subject = ShowSubject::kDatabases;
  } else if (Accept(Keyword::kTables)) {
    statement->subject = ShowSubject::kTables;
    if (Accept(Keyword::kFrom) || Accept(Keyword::kIn)) {
      statement->from.emplace();
      statement->from->parts.push_back(TL_TRY(ParseIdentifier("a database name")));
    }
  } else if (Accept(Keyword::kMeasures)) {
    statement->subject = ShowSubject::kMeasures;
    if (!Accept(Keyword::kFrom) && !Accept(Keyword::kIn)) return SyntaxError("FROM");
    statement->from = TL_TRY(ParseQualifiedName("a table name"));
  } else if (extended_ && Accept(Keyword::kFunctions)) {
    statement->subject = ShowSubject::kFunctions;
  } else {
    return SyntaxError("DATABASES, TABLES, MEASURES or FUNCTIONS");
  }
  statement->like = TL_TRY(ParseLikeClause());
  return StatementPtr(std::move(statement));
}

Result<std::optional<LikeClause>> Parser::ParseLikeClause() {
  if (!Accept(Keyword::kLike)) return std::optional<LikeClause>();
  LikeClause like;
  like.position = Peek().position;
  like.pattern = TL_TRY(ParseString("a pattern"));
  if (Accept(Keyword::kEscape)) {
    like.escape = TL_TRY(ParseString("an escape character"));
  }
  return std::optional<LikeClause>(std::move(like));
}

Result<StatementPtr> Parser::ParseDescribe() {
  auto statement = std::make_unique<DescribeStatement>(Next().position);
  statement->table = TL_TRY(ParseQualifiedName("a table name"));
  return StatementPtr(std::move(statement));
}

Result<StatementPtr> Parser::ParseUnload() {
  auto statement = std::make_unique<UnloadStatement>(Next().position);
  if (!At(TokenKind::kLeftParen)) return SyntaxError("'(' and a query");
  statement->query = TL_TRY(ParseParenthesizedQuery());
  TL_TRY(Expect(Keyword::kTo));
  statement->location_position = Peek().position;
  statement->location = TL_TRY(ParseString("a location such as 's3://bucket/prefix/'"));
  if (Accept(Keyword::kWith)) {
    statement->options = TL_TRY(ParseUnloadOptions());
  }
  return StatementPtr(std::move(statement));
}

Result<std::vector<UnloadOption>> Parser::ParseUnloadOptions() {
  std::vector<UnloadOption> options;
  TL_TRY(Expect(TokenKind::kLeftParen, "'('"));
  do {
    UnloadOption option;
    option.name = TL_TRY(ParseIdentifier("the name of an option"));
    option.name.text = LowerCase(option.name.text);
    TL_TRY(Expect(TokenKind::kEqual, "'='"));
    option.value = TL_TRY(ParseExpr());
    options.push_back(std::move(option));
  } while (Accept(TokenKind::kComma));
  TL_TRY(Expect(TokenKind::kRightParen, "',' or ')'"));
  return options;
}

Result<StatementPtr> Parser::ParseExplain() {
  auto statement = std::make_unique<ExplainStatement>(Next().position);
  statement->analyze = Accept(Keyword::kAnalyze);
  if (At(TokenKind::kLeftParen) && (At(Keyword::kFormat, 1) || At(Keyword::kAnalyze, 1))) {
    do {
      Next();
      TL_TRY(ParseExplainOption(statement.get()));
    } while (At(TokenKind::kComma));
    TL_TRY(Expect(TokenKind::kRightParen, "')'"));
  }
  if (At(Keyword::kExplain) || At(Keyword::kShow) || At(Keyword::kDescribe) ||
      At(Keyword::kDesc)) {
    return SyntaxError("a query, UNLOAD or DELETE");
  }
  statement->statement = TL_TRY(ParseStatement());
  return StatementPtr(std::move(statement));
}

// FORMAT TEXT, FORMAT JSON, ANALYZE [TRUE | FALSE]
Status Parser::ParseExplainOption(ExplainStatement* statement) {
  if (Accept(Keyword::kAnalyze)) {
    statement->analyze = !Accept(Keyword::kFalse);
    if (statement->analyze) Accept(Keyword::kTrue);
    return OkStatus();
  }
  if (!Accept(Keyword::kFormat)) return SyntaxError("FORMAT or ANALYZE");
  if (Accept(Keyword::kJson)) {
    statement->format = ExplainFormat::kJson;
    return OkStatus();
  }
  if (!Accept(Keyword::kText)) return SyntaxError("TEXT or JSON");
  statement->format = ExplainFormat::kText;
  return OkStatus();
}

Result<StatementPtr> Parser::ParseDelete() {
  auto statement = std::make_unique<DeleteStatement>(Next().position);
  TL_TRY(Expect(Keyword::kFrom));
  statement->table = TL_TRY(ParseQualifiedName("a table name"));
  if (!Accept(Keyword::kWhere)) {
    return SyntaxError("WHERE (a delete without a condition is refused)");
  }
  statement->where = TL_TRY(ParseExpr());
  if (Accept(Keyword::kDry)) {
    TL_TRY(Expect(Keyword::kRun));
    statement->dry_run = true;
  }
  return StatementPtr(std::move(statement));
}

}  // namespace tideline::sql::ast::internal
