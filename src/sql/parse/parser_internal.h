// sql/parse/parser_internal.h: the parser's state and its productions.
//
// Private to sql/parse. One class in several files: parser.cc has the entry points, the cursor and
// the errors, parse_statement.cc statements, parse_query.cc queries and relations,
// parse_expression.cc operators and predicates, parse_primary.cc everything that starts an
// expression, parse_literal.cc literals and types.
//
// Every production starts at its first token and ends behind its last. Choices are made by looking
// ahead, never by trying and going back, so an error is always at the first token that fits nothing
// and time is linear but for the nesting of parentheses.
//
// What is an extension is looked for only when `extended_`; in kCompat the words then mean what
// they mean to the original service, and errors land where its errors land.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/parse/fields.h"
#include "sql/parse/interval_text.h"
#include "sql/parse/lexer.h"
#include "sql/parse/parser.h"

namespace tideline::sql::ast::internal {

class Parser {
 public:
  /// `text` outlives the parser and is at most kStatementBytesMax long (checked).
  Parser(std::string_view text, const ParseOptions& options);

  Result<StatementPtr> RunStatement();
  Result<ExprPtr> RunExpression();

 private:
  // Counts one more open level for as long as it lives.
  class NestingScope {
   public:
    explicit NestingScope(Parser* parser) : parser_(parser) { ++parser_->nesting_; }
    ~NestingScope() { --parser_->nesting_; }
    NestingScope(const NestingScope&) = delete;
    NestingScope& operator=(const NestingScope&) = delete;
    // Whether this level and all nodes made so far are within the limits.
    Status Check() const;

   private:
    Parser* parser_;
  };

  // --- Cursor (parser.cc). The last token (kEnd or kInvalid) is never passed.
  const Token& Peek(std::size_t ahead = 0) const;
  bool At(TokenKind kind, std::size_t ahead = 0) const { return Peek(ahead).kind == kind; }
  bool At(Keyword keyword, std::size_t ahead = 0) const {
    return Peek(ahead).keyword == keyword;
  }
  // Whether the token is `word` (lower case), which is no keyword, in any case.
  bool AtWord(std::string_view word) const;
  const Token& Next();
  bool Accept(TokenKind kind);
  bool Accept(Keyword keyword);
  Status Expect(TokenKind kind, std::string_view what);
  Status Expect(Keyword keyword);
  std::string_view TextOf(const Token& token) const { return token.Text(text_); }
  // Index of the token that closes the bracket at token index `open`, or of the last token.
  std::size_t ClosingOf(std::size_t open) const { return closing_[open]; }
  const Token& TokenAt(std::size_t index) const;

  // --- Looking ahead (parser.cc)
  bool AtIdentifier(std::size_t ahead = 0) const;
  // Whether the '(' at `ahead` opens a query rather than an expression or relation.
  bool AtParenthesizedQuery(std::size_t ahead = 0) const;
  bool CanStartExpr(std::size_t ahead) const;
  // Whether the current word, though it could be an alias, starts a clause.
  bool AtClause() const;
  bool AtAlias() const { return AtIdentifier() && !AtClause(); }
  // kUnimplemented if a construct starts here that we know by name only.
  Status RefuseKnownClause() const;

  // --- Errors (parser.cc)
  Status SyntaxError(std::string_view expected) const { return SyntaxErrorAt(Peek(), expected); }
  Status SyntaxErrorAt(const Token& token, std::string_view expected) const;
  // As SyntaxError, with `explanation` instead of what was expected and found.
  Status ExplainedError(const Token& token, std::string_view explanation) const;
  // An error with a text of its own: "line L:C: text".
  static Status ErrorAt(const SourcePosition& position, std::string_view text);
  Status Refuse(const Token& token, std::string_view construct) const;

  // --- Nodes
  template <typename T>
  std::unique_ptr<T> Make(const SourcePosition& position) {
    ++node_count_;
    return std::make_unique<T>(position);
  }
  // Computes the depth of a node whose children are all in place.
  template <typename Base, typename T>
  Result<std::unique_ptr<Base>> Finish(std::unique_ptr<T> node) {
    TL_TRY(SetDepth(node.get(), node->position));
    return std::unique_ptr<Base>(std::move(node));
  }
  template <typename T>
  Result<ExprPtr> Done(std::unique_ptr<T> node) {
    return Finish<Expr>(std::move(node));
  }
  template <typename T>
  Status SetDepth(T* node, const SourcePosition& position) {
    std::uint32_t child_depth = 0;
    VisitNodes(*node, [&](const auto& child) {
      if constexpr (requires { child.depth; }) {
        child_depth = std::max<std::uint32_t>(child_depth, child.depth);
      }
    });
    if (child_depth >= kSyntaxDepthMax) return TooDeep(position);
    node->depth = static_cast<std::uint16_t>(child_depth + 1);
    return OkStatus();
  }
  static Status TooDeep(const SourcePosition& position);

  // --- Names (parser.cc)
  Result<Identifier> ParseIdentifier(std::string_view what);
  Result<QualifiedName> ParseQualifiedName(std::string_view what);
  Result<std::vector<Identifier>> ParseColumnAliases();
  Result<std::vector<ExprPtr>> ParseExprList();

  // --- Statements (parse_statement.cc)
  Result<StatementPtr> ParseStatement();
  Result<StatementPtr> ParseQueryStatement();
  Result<StatementPtr> ParseShow();
  Result<StatementPtr> ParseDescribe();
  Result<StatementPtr> ParseUnload();
  Result<StatementPtr> ParseExplain();
  Status ParseExplainOption(ExplainStatement* statement);
  Result<StatementPtr> ParseDelete();
  Result<std::optional<LikeClause>> ParseLikeClause();
  Result<std::vector<UnloadOption>> ParseUnloadOptions();
  Status UnknownStatement() const;

  // --- Queries (parse_query.cc)
  Result<QueryPtr> ParseQuery();
  Result<QueryPtr> ParseParenthesizedQuery();
  Result<std::vector<CommonTableExpr>> ParseWith();
  Status ParseQueryTail(Query* query);
  Status ParseLimit(Query* query);
  Status ParseFetch(Query* query);
  Result<std::int64_t> ParseRowCount(std::string_view what);
  Result<QueryBodyPtr> ParseQueryBody();
  Result<QueryBodyPtr> ParseIntersections();
  Result<QueryBodyPtr> ParseQueryPrimary();
  Result<QueryBodyPtr> ParseSetOperation(QueryBodyPtr left);
  Result<QueryBodyPtr> ParseSelect();
  Result<QueryBodyPtr> ParseValues();
  Status ParseSelectClauses(SelectBody* select);
  Status ParseNamedWindows(SelectBody* select);
  Result<SelectItem> ParseSelectItem();
  Result<Identifier> ParseOutputAlias();
  bool AtQualifiedStar() const;
  Status RefuseStarModifier() const;
  Result<GroupBy> ParseGroupBy();
  Result<GroupingElement> ParseGroupingElement();
  Result<std::vector<ExprPtr>> ParseGroupingSet();
  Result<std::vector<SortItem>> ParseOrderBy();

  // --- Relations (parse_relation.cc)
  Result<RelationPtr> ParseRelation();
  Result<RelationPtr> ParseSampled();
  Result<RelationPtr> ParseRelationPrimary();
  Result<RelationPtr> ParseUnnest();
  Result<RelationPtr> ParseParenthesizedRelation();
  Result<RelationPtr> ParseJoin(RelationPtr left);
  Status ParseJoinCondition(JoinRelation* join);
  Status ParseRelationAlias(RelationPtr* relation);
  bool AtJoin() const;

  // --- Expressions (parse_expression.cc)
  Result<ExprPtr> ParseExpr();
  Result<ExprPtr> ParseOr();
  Result<ExprPtr> ParseAnd();
  Result<ExprPtr> ParseNot();
  Result<ExprPtr> ParsePredicate();
  Result<ExprPtr> ParseComparison(ExprPtr left);
  Result<ExprPtr> ParseBetween(ExprPtr value, bool negated, const SourcePosition& position);
  Result<ExprPtr> ParseIn(ExprPtr value, bool negated, const SourcePosition& position);
  Result<ExprPtr> ParseLike(ExprPtr value, bool negated, const SourcePosition& position);
  Result<ExprPtr> ParseIs(ExprPtr value);
  // Arithmetic and || down to precedence `precedence_min` (0: all of them).
  Result<ExprPtr> ParseValue(int precedence_min = 0);
  Result<ExprPtr> ParseUnary();
  Result<ExprPtr> ParseZoned();
  Result<ExprPtr> ParsePostfix();

  // --- What starts an expression (parse_primary.cc)
  Result<ExprPtr> ParsePrimary();
  Result<ExprPtr> ParseReservedPrimary();
  Result<ExprPtr> ParseNamePrimary();
  Result<ExprPtr> ParseParenthesized();
  Result<ExprPtr> ParseLambda();
  Result<ExprPtr> ParseCase();
  Result<ExprPtr> ParseCast();
  Result<ExprPtr> ParseExtract();
  Result<ExprPtr> ParseExists();
  Result<ExprPtr> ParseGrouping();
  Result<ExprPtr> ParsePosition();
  Result<ExprPtr> ParseSubstring();
  Result<ExprPtr> ParseTrim();
  Result<ExprPtr> ParseNormalize();
  Result<ExprPtr> ParseArray();
  Result<ExprPtr> ParseRow();
  Result<ExprPtr> ParseCurrentTime();
  Result<ExprPtr> ParseFunctionCall(std::string name, const SourcePosition& position);
  Status ParseArguments(FunctionCall* call);
  Status ParseCallTail(FunctionCall* call);
  Result<OverClause> ParseOver();
  Result<WindowSpec> ParseWindowSpec();
  Result<WindowFrame> ParseFrame();
  Result<FrameBound> ParseFrameBound();
  // Whether the quantifier ALL or DISTINCT is next; passes it and says whether it was DISTINCT.
  bool AcceptDistinct();
  // Whether `separator` stands directly inside the parentheses opened at `open_ahead`, before any
  // comma there: position(a IN b), substring(a FROM b).
  bool HasSeparator(std::size_t open_ahead, Keyword separator) const;

  // --- Literals and types (parse_literal.cc)
  Result<ExprPtr> ParseIntegerLiteral();
  Result<ExprPtr> ParseDoubleLiteral();
  Result<ExprPtr> ParseTimeLiteral();
  Result<ExprPtr> ParseStringLiteral();
  Result<ExprPtr> ParseBinaryLiteral();
  Result<ExprPtr> ParseParameter();
  bool AtIntervalLiteral() const;
  Result<ExprPtr> ParseIntervalLiteral();
  Result<IntervalUnit> ParseIntervalUnit();
  Result<ExprPtr> ParseTypedLiteral();
  Result<std::string> ParseString(std::string_view what);
  Result<std::string> ParseUnicodeString();
  Result<TypeName> ParseType();
  Status ParseTypeName(TypeName* type);
  Status ParseIntervalType(TypeName* type);
  Status ParseZoneSuffix(TypeName* type);
  Result<TypeParameter> ParseTypeParameter(bool is_row);
  bool AtRowFieldName() const;

  std::string_view text_;
  ParseOptions options_;
  bool extended_;
  TokenList lexed_;
  std::vector<std::uint32_t> closing_;  // per token: see ClosingOf
  std::size_t at_ = 0;
  std::uint32_t nesting_ = 0;
  std::uint32_t node_count_ = 0;
  std::vector<Identifier> parameters_;  // the distinct ones, in order
  absl::flat_hash_set<std::string> parameter_names_;
};

// ASCII only, as all keywords are.
std::string LowerCase(std::string_view text);

}  // namespace tideline::sql::ast::internal
