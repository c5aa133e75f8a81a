#include "sql/parse/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/time.h"
#include "sql/parse/print.h"
#include "sql/parse/walk.h"

namespace tideline::sql::ast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr ParseOptions kCompatOptions{.profile = Profile::kCompat};
constexpr ParseOptions kExtendedOptions{.profile = Profile::kExtended};

// The canonical form of an expression, or the error.
std::string Canonical(std::string_view text, const ParseOptions& options = kExtendedOptions) {
  const Result<ExprPtr> expr = ParseExpression(text, options);
  return expr.ok() ? Print(**expr) : std::string(MessageOf(expr.status()));
}

std::string CanonicalStatement(std::string_view text,
                               const ParseOptions& options = kExtendedOptions) {
  const Result<StatementPtr> statement = ParseStatement(text, options);
  return statement.ok() ? Print(**statement) : std::string(MessageOf(statement.status()));
}

// The error of a statement in profile compat.
std::string CompatError(std::string_view text) {
  const Result<StatementPtr> statement = ParseStatement(text, kCompatOptions);
  if (statement.ok()) return "accepted";
  EXPECT_EQ(CodeOf(statement.status()), ErrorCode::kInvalidArgument);
  return std::string(MessageOf(statement.status()));
}

std::string InvalidAt(int line, int column) {
  return fmt::format("The query syntax is invalid at line {}:{}", line, column);
}

// --- Whole statements that are kept as files, and as the fuzz target's corpus

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(ParserTest, KeptStatements) {
  int corpus_count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/sql_parse_fuzz")) {
    const std::string name = entry.path().filename().string();
    const std::string text = ReadFile(entry.path());
    const Result<StatementPtr> compat = ParseStatement(text, kCompatOptions);
    const Result<StatementPtr> extended = ParseStatement(text, kExtendedOptions);
    if (name.starts_with("refused_")) {
      EXPECT_FALSE(extended.ok()) << name;
      continue;
    }
    ASSERT_TRUE(extended.ok()) << name << ": " << MessageOf(extended.status());
    const Result<StatementPtr> again = ParseStatement(Print(**extended), kExtendedOptions);
    ASSERT_TRUE(again.ok()) << name << ": " << Print(**extended);
    EXPECT_TRUE(StructurallyEqual(**extended, **again)) << name;
    if (name.starts_with("extended_")) {
      EXPECT_FALSE(compat.ok()) << name;
      continue;
    }
    ASSERT_TRUE(compat.ok()) << name << ": " << MessageOf(compat.status());
    EXPECT_TRUE(StructurallyEqual(**compat, **extended)) << name;
    if (name.starts_with("corpus_q")) ++corpus_count;
  }
  EXPECT_EQ(corpus_count, 45);
}

// --- Expressions

TEST(ParserTest, Precedence) {
  EXPECT_EQ(Canonical("a + b * c - d"), "a + b * c - d");
  EXPECT_EQ(Canonical("(a + b) * c"), "(a + b) * c");
  EXPECT_EQ(Canonical("a - (b - c)"), "a - (b - c)");
  EXPECT_EQ(Canonical("(a - b) - c"), "a - b - c");
  EXPECT_EQ(Canonical("a || b + c"), "a || b + c");
  EXPECT_EQ(Canonical("(a || b) + c"), "(a || b) + c");
  EXPECT_EQ(Canonical("NOT a = b AND c OR d"), "NOT a = b AND c OR d");
  EXPECT_EQ(Canonical("NOT (a = b AND c)"), "NOT (a = b AND c)");
  EXPECT_EQ(Canonical("a != b"), "a <> b");
  EXPECT_EQ(Canonical("- - 1"), "- -1");
  EXPECT_EQ(Canonical("-a.b[1]"), "-a.b[1]");
  EXPECT_EQ(Canonical("-a * b"), "-a * b");
  EXPECT_EQ(Canonical("-(a * b)"), "-(a * b)");
  const ExprPtr expr = *ParseExpression("1 - 2 - 3", kExtendedOptions);
  EXPECT_EQ(As<BinaryExpr>(*expr).left->kind, ExprKind::kBinary);
  EXPECT_EQ(expr->depth, 3);
  const ExprPtr chain = *ParseExpression("a AND b AND c", kExtendedOptions);
  EXPECT_EQ(As<LogicalExpr>(*chain).operands.size(), 3u);
  EXPECT_EQ(chain->depth, 2);
}

TEST(ParserTest, PredicatesDoNotChain) {
  EXPECT_THAT(Canonical("a = b = c"), StartsWith(InvalidAt(1, 7)));
  EXPECT_THAT(Canonical("a IS NULL IS NULL"), StartsWith(InvalidAt(1, 11)));
  EXPECT_EQ(Canonical("(a = b) = c"), "(a = b) = c");
  EXPECT_EQ(Canonical("a BETWEEN 1 AND 2 AND b"), "a BETWEEN 1 AND 2 AND b");
  EXPECT_THAT(Canonical("a = NOT b"), StartsWith(InvalidAt(1, 5)));
}

TEST(ParserTest, Literals) {
  EXPECT_EQ(Canonical("90000ms"), "90s");
  EXPECT_EQ(Canonical("INTERVAL '1' DAY"), "1d");
  EXPECT_EQ(Canonical("INTERVAL '1' WEEK"), "7d");
  EXPECT_EQ(Canonical("INTERVAL - '5' MINUTE"), "INTERVAL '-300.000000000' SECOND");
  EXPECT_EQ(Canonical("INTERVAL '-5' MINUTE"), Canonical("INTERVAL -'5' MINUTE"));
  EXPECT_EQ(Canonical("interval '3 04:05:06.789' day to second"), "273906789ms");
  EXPECT_EQ(Canonical("INTERVAL '1-6' YEAR TO MONTH"), "18month");
  EXPECT_EQ(Canonical("12MONTH"), "1y");
  EXPECT_EQ(Canonical("1.50"), "1.5");
  EXPECT_EQ(Canonical("5."), "5.0");
  EXPECT_EQ(Canonical("1e999"), "1e999");
  EXPECT_EQ(Canonical("1e-999"), "0.0");
  EXPECT_EQ(Canonical("timestamp '2022-06-17 01:00'"), "timestamp '2022-06-17 01:00'");
  EXPECT_EQ(Canonical("Double Precision '1'"), "double '1'");
  EXPECT_EQ(Canonical("U&'d!0061t' UESCAPE '!'"), "'dat'");
  EXPECT_EQ(Canonical("x'6A'"), "X'6A'");
  EXPECT_EQ(Canonical("9223372036854775808"),
            "line 1:1: Invalid numeric literal: 9223372036854775808");
  EXPECT_EQ(Canonical("1 + INTERVAL 'x' DAY"), "line 1:5: Invalid INTERVAL DAY value: x");
  EXPECT_EQ(Canonical("INTERVAL '1' DAY TO MONTH"),
            "line 1:1: Invalid INTERVAL qualifier: DAY TO MONTH");
  EXPECT_EQ(Canonical("INTERVAL '1:2' HOUR TO DAY"),
            "line 1:1: Invalid INTERVAL qualifier: HOUR TO DAY");
  EXPECT_EQ(Canonical("1.5month"), "line 1:1: Invalid INTERVAL YEAR TO MONTH value: 1.5month");
  EXPECT_THAT(Canonical("INTERVAL '5'"), StartsWith(InvalidAt(1, 13)));
  EXPECT_THAT(Canonical("U&'a' UESCAPE '+'"), HasSubstr("Invalid Unicode escape"));
}

TEST(ParserTest, NamesAndFields) {
  const ExprPtr chain = *ParseExpression("a.\"B c\".d", kCompatOptions);
  EXPECT_EQ(As<ColumnRef>(*chain).parts.size(), 3u);
  const ExprPtr field = *ParseExpression("(a).b", kCompatOptions);
  EXPECT_EQ(As<FieldAccessExpr>(*field).base->kind, ExprKind::kColumnRef);
  EXPECT_EQ(Canonical("(a).b"), "(a).b");
  EXPECT_EQ(Canonical("f(x)[1].value"), "f(x)[1].value");
  EXPECT_EQ(Canonical("alias.measure_value::double"), "alias.measure_value::double");
  EXPECT_THAT(Canonical("measure_value :: double"), StartsWith(InvalidAt(1, 15)));
  EXPECT_EQ(Canonical("\"select\" + \"plain\""), "\"select\" + plain");
  EXPECT_THAT(Canonical("a + order"), HasSubstr("'order'"));
}

TEST(ParserTest, SugarBecomesCalls) {
  EXPECT_EQ(Canonical("POSITION('a' IN b || c)"), "strpos(b || c, 'a')");
  EXPECT_EQ(Canonical("position(a, b)"), "\"position\"(a, b)");
  EXPECT_EQ(Canonical("SUBSTRING(a FROM 2 FOR 3)"), "substring(a, 2, 3)");
  EXPECT_EQ(Canonical("substring(a IS DISTINCT FROM b, 1)"),
            "substring(a IS DISTINCT FROM b, 1)");
  EXPECT_EQ(Canonical("NORMALIZE(a, nfkd)"), "\"normalize\"(a, 'NFKD')");
  EXPECT_EQ(Canonical("COUNT( * )"), "count(*)");
  EXPECT_EQ(Canonical("ago (1h)"), "ago(1h)");
  EXPECT_EQ(Canonical("BIN(time, 15s)"), Canonical("bin(time,15s)"));
  EXPECT_EQ(Canonical("COUNT(DISTINCT(a, b, time))"), "count(DISTINCT (a, b, time))");
}

TEST(ParserTest, ParenthesesAroundQueries) {
  const auto kind = [](std::string_view text) {
    const Result<ExprPtr> expr = ParseExpression(text, kCompatOptions);
    EXPECT_TRUE(expr.ok()) << text << ": " << MessageOf(expr.status());
    return expr.ok() ? (*expr)->kind : ExprKind::kNullLiteral;
  };
  EXPECT_EQ(kind("((SELECT 1))"), ExprKind::kScalarSubquery);
  EXPECT_EQ(kind("((SELECT 1) + 2)"), ExprKind::kBinary);
  EXPECT_EQ(kind("((SELECT 1) UNION (SELECT 2))"), ExprKind::kScalarSubquery);
  EXPECT_EQ(kind("((SELECT 1) LIMIT 1)"), ExprKind::kScalarSubquery);
  EXPECT_EQ(kind("((SELECT 1), 2)"), ExprKind::kRow);
  EXPECT_EQ(kind("a IN ((SELECT 1))"), ExprKind::kInSubquery);
  EXPECT_EQ(kind("a IN ((SELECT 1), 2)"), ExprKind::kInList);
  EXPECT_EQ(kind("a IN (VALUES 1, 2)"), ExprKind::kInSubquery);
  EXPECT_EQ(kind("a = ANY (VALUES 1)"), ExprKind::kQuantified);
  EXPECT_EQ(kind("a = any(b)"), ExprKind::kComparison);
  EXPECT_EQ(kind("(x, y) -> x + y"), ExprKind::kLambda);
  EXPECT_EQ(kind("() -> 1"), ExprKind::kLambda);
}

TEST(ParserTest, Types) {
  EXPECT_EQ(Canonical("CAST(a AS Row(sum DOUBLE, count INTEGER))"),
            "CAST(a AS row(sum double, count integer))");
  EXPECT_EQ(Canonical("CAST(a AS ROW(double precision, INTERVAL DAY TO SECOND, time))"),
            "CAST(a AS row(double, interval day to second, time))");
  EXPECT_EQ(Canonical("CAST(a AS array<map<varchar(3), bigint>>)"),
            "CAST(a AS array(map(varchar(3), bigint)))");
  EXPECT_EQ(Canonical("CAST(a AS timestamp(9) with time zone)"),
            "CAST(a AS timestamp(9) with time zone)");
  EXPECT_EQ(Canonical("CAST(a AS timestamp without time zone)"), "CAST(a AS timestamp)");
  EXPECT_THAT(Canonical("CAST(a AS )"), StartsWith(InvalidAt(1, 11)));
  EXPECT_THAT(Canonical("CAST(a AS row())"), StartsWith(InvalidAt(1, 15)));
}

TEST(ParserTest, WindowsAndAggregates) {
  EXPECT_EQ(Canonical("last_value(x) IGNORE NULLS OVER (PARTITION BY k ORDER BY time)"),
            "last_value(x) IGNORE NULLS OVER (PARTITION BY k ORDER BY time)");
  EXPECT_EQ(Canonical("sum(x) OVER (ORDER BY t ROWS 2 PRECEDING)"),
            "sum(x) OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)");
  EXPECT_EQ(Canonical("array_agg(x ORDER BY y DESC NULLS LAST) FILTER (WHERE z)"),
            "array_agg(x ORDER BY y DESC NULLS LAST) FILTER (WHERE z)");
  EXPECT_THAT(Canonical("sum(x) OVER (ORDER BY t ROWS 1 PRECEDING EXCLUDE TIES)"),
              HasSubstr("EXCLUDE in a window frame is not supported"));
}

// --- Statements

TEST(ParserTest, SpaceMakesAnAlias) {
  EXPECT_EQ(CanonicalStatement("SELECT 1 day"), "SELECT 1 AS day");
  EXPECT_EQ(CanonicalStatement("SELECT 1day"), "SELECT 1d");
  EXPECT_EQ(CanonicalStatement("SELECT distinct(gpio) FROM a.b"),
            "SELECT DISTINCT gpio FROM a.b");
}

TEST(ParserTest, ContextualWords) {
  EXPECT_EQ(CanonicalStatement("SELECT * FROM \"d\".\"t\" DESC LIMIT 10"),
            "SELECT * FROM d.t AS DESC LIMIT 10");
  EXPECT_EQ(CanonicalStatement("SELECT a FROM d.t limit LIMIT 1"),
            "SELECT a FROM d.t AS limit LIMIT 1");
  EXPECT_EQ(CanonicalStatement("SELECT int.x FROM s AS int WHERE rank <= 2"),
            "SELECT int.x FROM s AS int WHERE rank <= 2");
  EXPECT_EQ(CanonicalStatement("SELECT count(x) over, sum(y) filter, lag(z) ignore FROM d.t"),
            "SELECT count(x) AS over, sum(y) AS filter, lag(z) AS ignore FROM d.t");
  EXPECT_EQ(CanonicalStatement("SELECT all, all x, interval, date FROM d.t"),
            "SELECT \"all\", \"all\" AS x, \"interval\", date FROM d.t");
  EXPECT_EQ(CanonicalStatement("SELECT ALL x FROM d.t"), "SELECT x FROM d.t");
  // In kCompat our own clause words are but names.
  EXPECT_EQ(CanonicalStatement("SELECT 1 FROM d.a asof JOIN d.b ON true", kCompatOptions),
            "SELECT 1 FROM d.a AS asof JOIN d.b ON TRUE");
  EXPECT_EQ(CanonicalStatement("SELECT 1 FROM d.a JOIN d.b latest ON latest.x = 1"),
            "SELECT 1 FROM d.a JOIN d.b AS latest ON latest.x = 1");
}

TEST(ParserTest, Joins) {
  EXPECT_EQ(CanonicalStatement("SELECT 1 FROM a JOIN b JOIN c ON x ON y"),
            "SELECT 1 FROM a JOIN (b JOIN c ON x) ON y");
  EXPECT_EQ(CanonicalStatement("SELECT 1 FROM (a JOIN b ON x) LEFT OUTER JOIN c USING (k, l)"),
            "SELECT 1 FROM a JOIN b ON x LEFT JOIN c USING (k, l)");
  EXPECT_EQ(CanonicalStatement("SELECT 1 FROM ((SELECT * FROM d) UNION (SELECT * FROM s))"),
            "SELECT 1 FROM (SELECT * FROM d UNION SELECT * FROM s)");
  EXPECT_EQ(CanonicalStatement("SELECT 1 FROM ((SELECT 1) x CROSS JOIN b)"),
            "SELECT 1 FROM (SELECT 1) AS x CROSS JOIN b");
  EXPECT_EQ(CanonicalStatement("SELECT 1 FROM a NATURAL JOIN b", kCompatOptions),
            "line 1:17: Natural join not supported");
}

TEST(ParserTest, GroupingSets) {
  const StatementPtr statement =
      *ParseStatement("SELECT 1 GROUP BY (a, b), ((a, b)), (), ROW(a, b), (a), (a, b) = (c, d)",
                      kCompatOptions);
  const Query& query = *As<QueryStatement>(*statement).query;
  const SelectBody& select = As<SelectBody>(*query.body);
  std::vector<std::size_t> sizes;
  for (const GroupingElement& element : select.group_by->elements) {
    sizes.push_back(element.sets.front().size());
  }
  EXPECT_THAT(sizes, ElementsAre(2, 1, 0, 1, 1, 1));
}

TEST(ParserTest, EndOfStatement) {
  EXPECT_EQ(CanonicalStatement("SELECT 1;"), "SELECT 1");
  EXPECT_EQ(CanonicalStatement("SELECT 1; -- done"), "SELECT 1");
  EXPECT_EQ(CompatError("SELECT 1;;"), InvalidAt(1, 10));
  EXPECT_EQ(CompatError("SELECT 1; SELECT 2"), InvalidAt(1, 11));
  EXPECT_EQ(CompatError(""), InvalidAt(1, 1));
  EXPECT_EQ(CompatError(" -- nothing"), InvalidAt(1, 12));
  EXPECT_FALSE(ParseStatement(std::string(kStatementBytesMax + 1, ' '), kCompatOptions).ok());
  EXPECT_TRUE(ParseStatement("SELECT 1" + std::string(kStatementBytesMax - 8, ' '),
                             kCompatOptions).ok());
}

TEST(ParserTest, ErrorsPointAtTheFirstTokenThatFitsNothing) {
  EXPECT_EQ(CompatError("SELECT FROM t"), InvalidAt(1, 8));
  EXPECT_EQ(CompatError("SELECT a\nFROM 'x'"), InvalidAt(2, 6));
  EXPECT_EQ(CompatError("SELECT '\u00e9' +, 1"), InvalidAt(1, 13));
  EXPECT_EQ(CompatError("SELECT 5min"), InvalidAt(1, 8));
  EXPECT_EQ(CompatError("SELECT a FROM `t`"), InvalidAt(1, 15));
  EXPECT_EQ(CompatError("INSERT INTO t VALUES 1"), InvalidAt(1, 1));
  EXPECT_EQ(CompatError("SELECT ?"), InvalidAt(1, 8));
  // The earlier of two errors wins, also when the later one is the lexer's.
  EXPECT_EQ(CompatError("SELECT FROM `t`"), InvalidAt(1, 8));
  EXPECT_EQ(CanonicalStatement("SELECT FROM t"),
            "The query syntax is invalid at line 1:8: expected an expression, found 'FROM'");
  EXPECT_EQ(CanonicalStatement("SELECT (1"),
            "The query syntax is invalid at line 1:10: expected ',' or ')', found the end of the "
            "statement");
  EXPECT_THAT(CanonicalStatement("CREATE TABLE t"), HasSubstr("CreateTable"));
  EXPECT_THAT(CanonicalStatement("DELETE FROM d.t"), HasSubstr("without a condition"));
}

TEST(ParserTest, ExplainTakesOptions) {
  for (const char* form : {"EXPLAIN ANALYZE (FORMAT JSON) SELECT 1", "explain (analyze, format json) select 1",
                           "EXPLAIN (FORMAT JSON, ANALYZE TRUE) SELECT 1", "EXPLAIN ANALYZE (FORMAT JSON) (SELECT 1)"}) {
    EXPECT_THAT(CanonicalStatement(form), StartsWith("EXPLAIN ANALYZE (FORMAT JSON) ")) << form;
  }
  EXPECT_EQ(CanonicalStatement("EXPLAIN (ANALYZE FALSE, FORMAT TEXT) SELECT 1"), CanonicalStatement("EXPLAIN SELECT 1"));
  EXPECT_EQ(CanonicalStatement("EXPLAIN (ANALYZE) SELECT 1"), CanonicalStatement("EXPLAIN ANALYZE SELECT 1"));
  EXPECT_THAT(CanonicalStatement("EXPLAIN (ANALYZE, COSTS) SELECT 1"), HasSubstr("expected FORMAT or ANALYZE"));
  EXPECT_THAT(CanonicalStatement("EXPLAIN (FORMAT XML) SELECT 1"), HasSubstr("expected TEXT or JSON"));
}

TEST(ParserTest, CompatRefusesExtensions) {
  EXPECT_EQ(CompatError("EXPLAIN SELECT 1"), InvalidAt(1, 1));
  EXPECT_EQ(CompatError("DESC a.b"), InvalidAt(1, 1));
  EXPECT_EQ(CompatError("DELETE FROM a.b WHERE true"), InvalidAt(1, 1));
  EXPECT_EQ(CompatError("SHOW FUNCTIONS"), InvalidAt(1, 6));
  EXPECT_EQ(CompatError("SELECT a FROM d.t x OFFSET 5"), InvalidAt(1, 21));
  EXPECT_EQ(CompatError("SELECT a FROM d.t ORDER BY a LIMIT 5 OFFSET 5"), InvalidAt(1, 38));
  EXPECT_EQ(CompatError("SELECT a FROM d.t ORDER BY a FETCH FIRST ROW ONLY"), InvalidAt(1, 30));
  EXPECT_EQ(CompatError("SELECT f(x) OVER (ORDER BY y GROUPS 1 PRECEDING)"), InvalidAt(1, 30));
  EXPECT_EQ(CompatError("SELECT 1 FROM d.t x WINDOW w AS (ORDER BY y)"), InvalidAt(1, 21));
  EXPECT_EQ(CompatError("SELECT (time AT TIME ZONE 'UTC')"), InvalidAt(1, 14));
  EXPECT_EQ(CompatError("SELECT f(a => 1)"), InvalidAt(1, 12));
  EXPECT_EQ(CompatError("SELECT x AS \"a:b\""), InvalidAt(1, 13));
  EXPECT_EQ(CompatError("WITH RECURSIVE a AS (SELECT 1) SELECT 1"), InvalidAt(1, 6));
  EXPECT_THAT(CanonicalStatement("SELECT x AS a:b"), StartsWith(InvalidAt(1, 13)));
}

TEST(ParserTest, KnownConstructsAreRefusedByName) {
  const auto expect = [](std::string_view text, std::string_view message) {
    const Result<StatementPtr> statement = ParseStatement(text, kExtendedOptions);
    EXPECT_EQ(CodeOf(statement.status()), ErrorCode::kUnimplemented) << text;
    EXPECT_EQ(MessageOf(statement.status()), message) << text;
  };
  expect("SELECT 1 FROM a ASOF JOIN b ON true", "line 1:17: ASOF JOIN is not supported");
  expect("SELECT 1 FROM a x ASOF LEFT JOIN b ON true", "line 1:19: ASOF JOIN is not supported");
  expect("SELECT 1 FROM a LT JOIN b ON true", "line 1:17: LT JOIN is not supported");
  expect("SELECT 1 FROM a WINDOW JOIN b ON true", "line 1:17: WINDOW JOIN is not supported");
  expect("SELECT 1 FROM d.t WHERE x SAMPLE BY 1m", "line 1:27: SAMPLE BY is not supported");
  expect("SELECT 1 FROM d.t SAMPLE BY 1m", "line 1:19: SAMPLE BY is not supported");
  expect("SELECT 1 FROM d.t LATEST ON time PARTITION BY k",
         "line 1:19: LATEST ON is not supported");
  expect("SELECT 1 FROM d.t QUALIFY rn = 1", "line 1:19: QUALIFY is not supported");
  expect("SELECT 1 FROM d.t GROUP BY ALL", "line 1:28: GROUP BY ALL is not supported");
  expect("SELECT * EXCEPT (a) FROM d.t", "line 1:10: * EXCEPT is not supported");
  expect("SELECT * REPLACE (a AS b) FROM d.t", "line 1:10: * REPLACE is not supported");
  expect("SELECT DISTINCT ON (a) b FROM d.t", "line 1:17: DISTINCT ON is not supported");
  expect("SELECT 1 FROM d.t PIVOT (sum(x) FOR k IN (1))", "line 1:19: PIVOT is not supported");
  expect("SELECT 1 FROM d.t UNPIVOT (v FOR k IN (a))", "line 1:19: UNPIVOT is not supported");
  expect("SELECT 1 FROM d.t MATCH_RECOGNIZE (x)", "line 1:19: MATCH_RECOGNIZE is not supported");
  expect("SELECT 1 FROM TABLE(f(1))", "line 1:15: TABLE(function) is not supported");
  expect("SELECT a NOT ILIKE 'x'", "line 1:14: ILIKE is not supported");
  expect("SELECT a SIMILAR TO 'x'", "line 1:10: SIMILAR TO is not supported");
  expect("WITH RECURSIVE a AS (SELECT 1) SELECT 1", "line 1:6: WITH RECURSIVE is not supported");
}

TEST(ParserTest, Parameters) {
  const StatementPtr statement =
      *ParseStatement("SELECT @b, @a FROM d.t WHERE x IN (SELECT @b)", kCompatOptions);
  ASSERT_EQ(statement->parameters.size(), 2u);
  EXPECT_EQ(statement->parameters[0].text, "b");
  EXPECT_EQ(statement->parameters[1].text, "a");
  EXPECT_EQ(statement->parameters[1].position.column, 12u);
  const Result<StatementPtr> plain =
      ParseStatement("SELECT @b", {.profile = Profile::kCompat, .allow_parameters = false});
  EXPECT_EQ(MessageOf(plain.status()), InvalidAt(1, 8));
}

TEST(ParserTest, PositionsOfOperatorsAndOperands) {
  const ExprPtr expr = *ParseExpression("aa = bb AND\n cc + 1 > 2", kCompatOptions);
  EXPECT_EQ(expr->position.column, 9u);
  const LogicalExpr& logical = As<LogicalExpr>(*expr);
  EXPECT_EQ(logical.operands[0]->position.column, 4u);
  EXPECT_EQ(logical.operands[1]->position.line, 2u);
  EXPECT_EQ(logical.operands[1]->position.column, 9u);
  EXPECT_EQ(As<ComparisonExpr>(*logical.operands[1]).left->position.column, 5u);
}

// --- Limits

std::string Repeat(std::string_view text, std::size_t count) {
  std::string repeated;
  for (std::size_t i = 0; i < count; ++i) repeated += text;
  return repeated;
}

TEST(ParserTest, NestingIsLimitedAndDoesNotOverflowTheStack) {
  for (const char* opening : {"(", "((1+", "NOT ", "-", "- ", "f(", "ARRAY[", "CASE WHEN ", "ROW(",
                              "(SELECT ", "a[", "x -> ", "CAST(", "EXISTS(SELECT ", "1 + (",
                              "a IN (", "f(x) OVER (ORDER BY ", "NOT a = (", "a BETWEEN (",
                              "position(", "a = ANY (SELECT ", "IF(a, "}) {
    const Result<ExprPtr> expr = ParseExpression(Repeat(opening, 20'000), kExtendedOptions);
    EXPECT_EQ(CodeOf(expr.status()), ErrorCode::kInvalidArgument) << opening;
  }
  for (const char* opening : {"(", "SELECT * FROM (", "WITH a AS (", "SELECT 1 FROM (a JOIN ",
                              "SELECT 1 UNION (", "EXPLAIN ", "SELECT CAST(a AS array("}) {
    const Result<StatementPtr> statement =
        ParseStatement(Repeat(opening, 15'000), kExtendedOptions);
    EXPECT_EQ(CodeOf(statement.status()), ErrorCode::kInvalidArgument) << opening;
  }
  EXPECT_FALSE(ParseStatement("SELECT CAST(a AS " + Repeat("array(", 20'000), kCompatOptions).ok());
  EXPECT_FALSE(ParseStatement("SELECT 1 FROM a" + Repeat(" JOIN b", 20'000), kCompatOptions).ok());
  EXPECT_THAT(Canonical(Repeat("(", 1000) + "1" + Repeat(")", 1000)),
              HasSubstr("at most 200 levels"));
  EXPECT_EQ(Canonical(Repeat("(", 199) + "1" + Repeat(")", 199)), "1");
}

TEST(ParserTest, ChainsAreLimitedWhereTheyMakeTheTreeDeep) {
  EXPECT_TRUE(ParseExpression("1" + Repeat(" + 1", kSyntaxDepthMax - 1), kCompatOptions).ok());
  EXPECT_THAT(Canonical("1" + Repeat(" + 1", kSyntaxDepthMax)), HasSubstr("at most 500 steps"));
  EXPECT_FALSE(ParseExpression("a" + Repeat("[1]", 20'000), kCompatOptions).ok());
  EXPECT_FALSE(ParseExpression("f(x)" + Repeat(".a", 20'000), kCompatOptions).ok());
  EXPECT_FALSE(ParseStatement("SELECT 1" + Repeat(" UNION SELECT 1", 5'000), kCompatOptions).ok());
  EXPECT_FALSE(
      ParseStatement("SELECT 1 FROM a" + Repeat(" CROSS JOIN b", 5'000), kCompatOptions).ok());
  // These stay flat.
  EXPECT_TRUE(ParseExpression("a" + Repeat(" OR a", 10'000), kCompatOptions).ok());
  EXPECT_TRUE(ParseExpression("a IN (1" + Repeat(", 1", 50'000) + ")", kCompatOptions).ok());
  EXPECT_TRUE(ParseStatement("SELECT 1 FROM a" + Repeat(", b", 5'000), kCompatOptions).ok());
  EXPECT_THAT(Canonical("a IN (1" + Repeat(",1", 110'000) + ")"),
              HasSubstr("at most 100000 expressions"));
  // The deepest tree that parses can be printed, compared, walked and destroyed.
  const std::string deepest = "1" + Repeat(" + 1", kSyntaxDepthMax - 1);
  const ExprPtr first = *ParseExpression(deepest, kCompatOptions);
  const ExprPtr second = *ParseExpression(Print(*first), kCompatOptions);
  EXPECT_TRUE(StructurallyEqual(*first, *second));
  EXPECT_FALSE(AnyOf(*first, [](const Expr& e) { return e.kind == ExprKind::kNot; }));
}

// --- Walking

TEST(WalkTest, EqualityIgnoresPositionsOnly) {
  const auto equal = [](std::string_view left, std::string_view right) {
    return StructurallyEqual(**ParseExpression(left, kExtendedOptions),
                             **ParseExpression(right, kExtendedOptions));
  };
  EXPECT_TRUE(equal("BIN(time, 15s)", "bin ( time ,15s )"));
  EXPECT_TRUE(equal("\"time\"", "time"));
  EXPECT_TRUE(equal("1d", "INTERVAL '24' HOUR"));
  EXPECT_TRUE(equal("(SELECT a FROM b.c WHERE d)", "(select a from b.c where d)"));
  EXPECT_FALSE(equal("time", "Time"));
  EXPECT_FALSE(equal("1", "1.0"));
  EXPECT_FALSE(equal("a + b", "b + a"));
  EXPECT_FALSE(equal("count(a)", "count(DISTINCT a)"));
  EXPECT_FALSE(equal("(a AND b) AND c", "a AND b AND c"));
  EXPECT_FALSE(equal("(SELECT a FROM b.c x)", "(SELECT a FROM b.c y)"));
  EXPECT_FALSE(equal("sum(a) OVER (ORDER BY b)", "sum(a) OVER (ORDER BY b DESC)"));
}

TEST(WalkTest, ChildrenInOrder) {
  const ExprPtr expr = *ParseExpression(
      "f(a, b ORDER BY c) FILTER (WHERE d IN (SELECT x FROM t WHERE y)) OVER (PARTITION BY e)",
      kExtendedOptions);
  std::vector<std::string> children;
  ForEachChild(*expr, false, [&](const Expr& child) { children.push_back(Print(child)); });
  EXPECT_THAT(children, ElementsAre("a", "b", "c", "d IN (SELECT x FROM t WHERE y)", "e"));
  const ExprPtr in = *ParseExpression("d IN (SELECT x FROM t JOIN u ON z WHERE y)", kCompatOptions);
  children.clear();
  ForEachChild(*in, true, [&](const Expr& child) { children.push_back(Print(child)); });
  EXPECT_THAT(children, ElementsAre("d", "x", "z", "y"));
  children.clear();
  ForEachChild(*in, false, [&](const Expr& child) { children.push_back(Print(child)); });
  EXPECT_THAT(children, ElementsAre("d"));
}

}  // namespace
}  // namespace tideline::sql::ast
