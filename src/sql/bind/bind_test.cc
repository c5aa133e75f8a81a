#include "sql/bind/bind.h"

#include <gtest/gtest.h>

#include "sql/bind/catalog_statements.h"
#include "sql/compile.h"
#include "sql/fake_catalog.h"
#include "sql/plan/scan_node.h"
#include "sql/plan/values_node.h"

namespace tideline::sql {
namespace {

Result<BoundStatement> BindText(std::string_view text, Profile profile = Profile::kCompat,
                                const AccessChecker* access = nullptr) {
  const FakeCatalog catalog;
  CompileOptions options;
  options.bind.profile = profile;
  options.bind.access = access;
  options.optimizer_enabled = false;
  return CompileStatement(text, catalog, options);
}

std::string PlanOf(std::string_view text, Profile profile = Profile::kCompat) {
  const Result<BoundStatement> bound = BindText(text, profile);
  return bound.ok() ? PrintPlan(*bound->root) : std::string(MessageOf(bound.status()));
}

std::string ErrorOf(std::string_view text, Profile profile = Profile::kCompat) {
  const Result<BoundStatement> bound = BindText(text, profile);
  return bound.ok() ? "bound: " + PrintPlan(*bound->root) : std::string(MessageOf(bound.status()));
}

/// "name type, name type": the answer's columns.
std::string ColumnsOf(std::string_view text, Profile profile = Profile::kCompat) {
  const Result<BoundStatement> bound = BindText(text, profile);
  if (!bound.ok()) return std::string(MessageOf(bound.status()));
  std::string out;
  for (std::size_t i = 0; i < bound->columns.size(); ++i) {
    const ResultColumn& column = bound->columns[i];
    if (i > 0) out += ", ";
    out += column.name + " " + column.type.ToString();
    if (bound->root != nullptr) {
      EXPECT_EQ(bound->root->outputs().size(), bound->columns.size());
      EXPECT_EQ(bound->root->outputs()[i].column, column.column);
      EXPECT_EQ(bound->root->outputs()[i].type, column.type);
    }
  }
  return out;
}

TEST(Bind, TypesOfExpressions) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"1", "integer"},
      {"2147483648", "bigint"},
      {"-2147483648", "integer"},
      {"1.5", "double"},
      {"1e3", "double"},
      {"'abc'", "varchar(3)"},
      {"'né'", "varchar(2)"},
      {"NULL", "unknown"},
      {"TRUE", "boolean"},
      {"1d", "interval day to second"},
      {"8month", "interval year to month"},
      {"INTERVAL '1' DAY", "interval day to second"},
      {"TIMESTAMP '2022-06-17 01:00'", "timestamp"},
      {"DATE '2022-06-17'", "date"},
      {"DOUBLE '0.0'", "double"},
      {"BIGINT '7'", "bigint"},
      {"1 + 2", "integer"},
      {"1 + 2147483648", "bigint"},
      {"1 + 2.0", "double"},
      {"7 / 2", "integer"},
      {"ago(1h)", "timestamp"},
      {"now()", "timestamp"},
      {"current_date", "date"},
      {"bin(now(), 5m)", "timestamp"},
      {"bin('2021-11-15 11:18:42', 3d)", "timestamp"},
      {"date_trunc('hour', now())", "timestamp"},
      {"extract(YEAR FROM now())", "bigint"},
      {"CAST('1' AS BIGINT)", "bigint"},
      {"TRY_CAST('1' AS DOUBLE)", "double"},
      {"CAST(1 AS VARCHAR(5))", "varchar(5)"},
      {"CASE WHEN TRUE THEN 1 ELSE 2.5 END", "double"},
      {"CASE 1 WHEN 1 THEN 'a' END", "varchar(1)"},
      {"IF(TRUE, 1, 2147483648)", "bigint"},
      {"COALESCE(NULL, 1, 2.5)", "double"},
      {"NULLIF(1, 2)", "integer"},
      {"NULLIF(1, 2.5)", "integer"},
      {"TRY(1 / 0)", "integer"},
      {"1 IN (1, 2.5)", "boolean"},
      {"1 BETWEEN 0 AND 2", "boolean"},
      {"'a' LIKE 'b'", "boolean"},
      {"NULL IS NULL", "boolean"},
      {"1 IS DISTINCT FROM NULL", "boolean"},
      {"NOT TRUE", "boolean"},
      {"NULL = NULL", "boolean"},
      {"NULL AND TRUE", "boolean"},
      {"(1, 'a')", "row(integer, varchar(1))"},
      {"ARRAY[1, 2.5]", "array(double)"},
      {"ARRAY[]", "array(unknown)"},
      {"typeof(NULL)", "varchar"},
      {"count(*)", "bigint"},
      {"TIMESTAMP '2022-01-01' > '2021-01-01'", "boolean"},
  };
  for (const auto& [text, type] : cases) {
    EXPECT_EQ(ColumnsOf(fmt::format("SELECT {}", text)), fmt::format("_col0 {}", type)) << text;
  }
}

TEST(Bind, NamesOfColumns) {
  EXPECT_EQ(ColumnsOf("SELECT host, load AS Usage, load + 1, measure_value::double FROM db.cpu"),
            "host varchar, Usage double, _col2 double, measure_value::double double");
  EXPECT_EQ(ColumnsOf("SELECT * FROM db.cpu"),
            "host varchar, Region varchar, measure_name varchar, time timestamp, measure_value::double double, "
            "load double, ticks bigint, ok boolean, note varchar");
  EXPECT_EQ(ColumnsOf("SELECT c.*, c.host FROM db.cpu AS c"), ColumnsOf("SELECT *, host FROM db.cpu"));
  EXPECT_EQ(ColumnsOf("SELECT time, time FROM db.cpu"), "time timestamp, time timestamp");
  EXPECT_EQ(ColumnsOf("SELECT 1 day"), "day integer");
  EXPECT_EQ(ColumnsOf("TABLE db.empty"), "measure_name varchar, time timestamp");
  EXPECT_EQ(ColumnsOf("VALUES (('a', 1)), (('b', 2))"), "_col0 varchar(1), _col1 integer");
  EXPECT_EQ(ColumnsOf("SELECT * FROM (VALUES (1, 'a'), (2.5, 'bc')) AS t(x, y)"), "x double, y varchar(2)");
  EXPECT_EQ(ColumnsOf("WITH a(n) AS (SELECT 1), b AS (SELECT n FROM a) SELECT b.n, b.n AS m FROM b"),
            "n integer, m integer");
  EXPECT_EQ(ColumnsOf("SELECT region, HOST FROM db.cpu"), "Region varchar, host varchar");
}

TEST(Bind, TableColumnsAreReported) {
  const Result<BoundStatement> bound =
      BindText("SELECT host, load AS l, load + 1 FROM (SELECT * FROM db.cpu) ORDER BY ticks");
  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_EQ(bound->columns[0].database, "db");
  EXPECT_EQ(bound->columns[0].table, "cpu");
  EXPECT_FALSE(bound->columns[0].aliased);
  EXPECT_TRUE(bound->columns[1].aliased);
  EXPECT_EQ(bound->columns[1].table, "cpu");
  EXPECT_EQ(bound->columns[2].table, "");
  ASSERT_EQ(bound->tables.size(), 1u);
}

TEST(Bind, ErrorsHaveTheServicesWordsAndPlaces) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT vehicleName FROM db.cpu", "line 1:8: Column 'vehicleName' does not exist"},
      {"SELECT c.x FROM db.cpu c", "line 1:8: Column 'c.x' does not exist"},
      {"SELECT\n  x::bigint FROM db.cpu", "line 2:3: Column 'x::bigint' does not exist"},
      {"SELECT measure_value::bigint FROM db.cpu", "line 1:8: Column 'measure_value::bigint' does not exist"},
      {"SELECT * FROM abc.sampleDB", "Requested database 'abc' not found for identifier 'abc.sampleDB' at line 1:15"},
      {"SELECT * FROM db.t", "Requested table 't' not found for identifier 'db.t' at line 1:15"},
      {"SELECT * FROM db.CPU", "Requested table 'CPU' not found for identifier 'db.CPU' at line 1:15"},
      {"SELECT 1 FROM cpu", "line 1:15: Table 'cpu' must be written as database.table"},
      {"SELECT *", "line 1:8: SELECT * not allowed in queries without FROM clause"},
      {"SELECT * FROM db.cpu WHERE host = 5", "line 1:33: '=' cannot be applied to varchar, integer"},
      {"SELECT * FROM db.cpu WHERE time > 1600000000", "line 1:33: '>' cannot be applied to timestamp, integer"},
      {"SELECT * FROM db.cpu WHERE load", "line 1:28: WHERE clause must evaluate to a boolean: actual type double"},
      {"SELECT * FROM db.cpu WHERE ok AND 1d",
       "line 1:35: Right side of logical expression must evaluate to a boolean (actual: interval day to second): "},
      {"SELECT '2020-01-01' + 1d", "line 1:21: '+' cannot be applied to varchar(10), interval day to second"},
      {"SELECT now() - now()", "line 1:14: '-' cannot be applied to timestamp, timestamp"},
      {"SELECT foo(1)", "line 1:8: Function foo not registered"},
      {"SELECT count(*) FROM db.cpu WHERE sum(load) > 1",
       "line 1:35: WHERE clause cannot contain aggregations, window functions or grouping operations: sum"},
      {"SELECT sum(max(load)) FROM db.cpu", "line 1:12: Cannot nest aggregations inside an aggregation: max"},
      {"SELECT host, count(*) FROM db.cpu",
       "line 1:8: 'host' must be an aggregate expression or appear in GROUP BY clause"},
      {"SELECT load + 1 FROM db.cpu GROUP BY host",
       "line 1:8: 'load' must be an aggregate expression or appear in GROUP BY clause"},
      {"SELECT host AS h FROM db.cpu GROUP BY h", "line 1:39: Column 'h' does not exist"},
      {"SELECT load * 2 AS d, d FROM db.cpu", "line 1:23: Column 'd' does not exist"},
      {"SELECT host FROM db.cpu GROUP BY 2", "line 1:34: GROUP BY position 2 is not in select list"},
      {"SELECT host FROM db.cpu ORDER BY 0", "line 1:34: ORDER BY position 0 is not in select list"},
      {"SELECT DISTINCT host FROM db.cpu ORDER BY load",
       "line 1:43: For SELECT DISTINCT, ORDER BY expressions must appear in select list"},
      {"SELECT 1 UNION SELECT 1, 2", "line 1:10: UNION query has different number of fields: 1, 2"},
      {"SELECT 1 UNION SELECT 'a'", "line 1:10: column 1 in UNION query has incompatible types: integer, varchar(1)"},
      {"SELECT * FROM (SELECT 1, 2) AS t(a)",
       "line 1:15: Column alias list has 1 entries but 't' has 2 columns available"},
      {"SELECT time FROM (SELECT time, time FROM db.cpu)", "line 1:8: Column 'time' is ambiguous"},
      {"SELECT CAST(now() AS BIGINT)", "line 1:8: Cannot cast timestamp to bigint"},
      {"SELECT CAST(1 AS FOO)", "line 1:18: Unknown type: foo"},
      {"SELECT TIMESTAMP 'abc'", "line 1:8: 'abc' is not a valid timestamp literal"},
      {"SELECT CASE WHEN TRUE THEN 1 ELSE 'a' END",
       "line 1:8: All CASE results must be the same type: integer, varchar(1)"},
      {"SELECT EXTRACT(EPOCH FROM now())", "line 1:16: Invalid EXTRACT field: EPOCH"},
      {"SELECT host.x FROM db.cpu", "line 1:8: Column 'host.x' does not exist"},
      {"SELECT 1 LIKE 'a'", "line 1:8: Left side of LIKE expression must evaluate to a varchar (actual: integer)"},
      {"WITH a AS (SELECT x FROM db.cpu) SELECT 1", "line 1:19: Column 'x' does not exist"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(ErrorOf(text), error) << text;
}

TEST(Bind, WrongArgumentsListTheSignatures) {
  EXPECT_TRUE(ErrorOf("SELECT ago('7d')")
                  .starts_with("line 1:8: Unexpected parameters (varchar(2)) for function ago. Expected: ago("))
      << ErrorOf("SELECT ago('7d')");
  EXPECT_TRUE(ErrorOf("SELECT sum(host) FROM db.cpu")
                  .starts_with("line 1:8: Unexpected parameters (varchar) for function sum. Expected: "));
}

TEST(Bind, WhatIsNotOfferedYetSaysSo) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT CASE random() WHEN 1 THEN 2 END", "CASE over a value that differs at each call"},
      {"SELECT random() FROM db.cpu ORDER BY random() + 1",
       "ORDER BY an expression beside an item that differs at each call"},
  };
  for (const auto& [text, construct] : cases) {
    const Result<BoundStatement> bound = BindText(text);
    ASSERT_FALSE(bound.ok()) << text;
    EXPECT_EQ(CodeOf(bound.status()), ErrorCode::kUnimplemented) << text;
    const std::string message(MessageOf(bound.status()));
    EXPECT_TRUE(message.starts_with("line 1:")) << message;
    EXPECT_NE(message.find(fmt::format("{} is not supported yet", construct)), std::string::npos) << message;
  }
}

TEST(Bind, ExtendedProfile) {
  EXPECT_EQ(ErrorOf("SELECT hots FROM db.cpu", Profile::kExtended),
            "line 1:8: Column 'hots' does not exist; did you mean 'host'?");
  EXPECT_EQ(ErrorOf("SELECT * FROM db.cpy", Profile::kExtended),
            "Requested table 'cpy' not found for identifier 'db.cpy' at line 1:15; did you mean 'cpu'?");
  EXPECT_EQ(ColumnsOf("SELECT measure_value::bigint FROM db.cpu", Profile::kExtended),
            "measure_value::bigint bigint");
  EXPECT_EQ(ColumnsOf("SELECT * FROM db.empty", Profile::kExtended), "measure_name varchar, time timestamp");
  EXPECT_EQ(ColumnsOf("SELECT db.cpu.host FROM db.cpu", Profile::kExtended), "host varchar");
  EXPECT_EQ(ErrorOf("SELECT db.cpu.host FROM db.cpu"), "line 1:8: Column 'db.cpu.host' does not exist");
}

TEST(Bind, PlansOfSelect) {
  EXPECT_EQ(PlanOf("SELECT 1"), "Project [_col0 := 1]\n  Values 1 row\n");
  EXPECT_EQ(PlanOf("SELECT host FROM db.cpu WHERE load > 1 ORDER BY ticks DESC LIMIT 3"),
            "Project [host]\n"
            "  Limit 3\n"
            "    Sort [ticks DESC]\n"
            "      Project [host, ticks]\n"
            "        Filter (load > CAST(1 AS double))\n"
            "          Scan db.cpu [host, Region, measure_name, time, measure_value::double, load, ticks, ok, note]\n");
  EXPECT_EQ(PlanOf("SELECT BIN(time, 15s) AS t, max(load) FROM db.cpu GROUP BY bin(time,15s) HAVING max(load) > 1e0 "
                   "ORDER BY 2, t NULLS FIRST"),
            "Sort [_col1, t NULLS FIRST]\n"
            "  Project [t := bin(time, interval day to second '0 00:00:15.000000000'), _col1 := max]\n"
            "    Filter (max > 1.0)\n"
            "      Aggregate [bin(time, interval day to second '0 00:00:15.000000000')] max(load)\n"
            "        Scan db.cpu [host, Region, measure_name, time, measure_value::double, load, ticks, ok, note]\n");
}

TEST(Bind, EqualAggregatesAreOne) {
  const std::string one = PlanOf("SELECT sum(load), sum(load) / count(*), count(*), sum(DISTINCT load), "
                                 "sum(load) FILTER (WHERE ok) FROM db.cpu");
  EXPECT_NE(one.find("Aggregate [] sum(load), count(*), sum(DISTINCT load), sum(load) FILTER (WHERE ok)\n"),
            std::string::npos)
      << one;
}

TEST(Bind, OrderByAliasesAndColumns) {
  EXPECT_EQ(ColumnsOf("SELECT time AS firstTime, time, time FROM db.cpu ORDER BY time, firstTime"),
            "firstTime timestamp, time timestamp, time timestamp");
  EXPECT_EQ(PlanOf("SELECT -ticks AS ticks FROM db.empty"), "line 1:9: Column 'ticks' does not exist");
  // The alias wins over the column.
  EXPECT_NE(PlanOf("SELECT -ticks AS ticks FROM db.cpu ORDER BY ticks").find("Sort [ticks]\n  Project [ticks := (- ticks)]"),
            std::string::npos);
  EXPECT_EQ(ColumnsOf("SELECT host, count(*) AS n FROM db.cpu GROUP BY 1 ORDER BY count(*) DESC, max(load), n + 1"),
            "host varchar, n bigint");
  // Below the outermost query an order without limit means nothing.
  EXPECT_EQ(PlanOf("SELECT 1 FROM (SELECT host FROM db.cpu ORDER BY time)").find("Sort"), std::string::npos);
  EXPECT_NE(PlanOf("SELECT 1 FROM (SELECT host FROM db.cpu ORDER BY time LIMIT 1)").find("Sort"), std::string::npos);
}

TEST(Bind, SetOperations) {
  EXPECT_EQ(PlanOf("SELECT 1 UNION ALL SELECT 2.5"),
            "Union all [_col0#3]\n"
            "  Project [_col0 := CAST(_col0 AS double)]\n    Project [_col0 := 1]\n      Values 1 row\n"
            "  Project [_col0 := 2.5]\n    Values 1 row\n");
  EXPECT_TRUE(PlanOf("SELECT host FROM db.cpu UNION SELECT note FROM db.cpu").starts_with("Distinct [host]\n  Union all"));
  EXPECT_EQ(ColumnsOf("SELECT host FROM db.cpu INTERSECT SELECT note FROM db.cpu ORDER BY host LIMIT 2"), "host varchar");
  EXPECT_NE(PlanOf("SELECT 1 EXCEPT SELECT 2").find("Filter (max = 1)"), std::string::npos);
}

TEST(Bind, ShowAndDescribe) {
  EXPECT_EQ(PlanOf("SHOW DATABASES LIKE 's%'"), "Values 1 row: ('spare')\n");
  EXPECT_EQ(PlanOf("SHOW TABLES FROM db"), "Values 2 rows: ('cpu'), ('empty')\n");
  EXPECT_EQ(PlanOf("SHOW TABLES"), "Values 2 rows: ('cpu'), ('empty')\n");
  EXPECT_EQ(ErrorOf("SHOW TABLES FROM nope"), "Requested database 'nope' not found for identifier 'nope' at line 1:18");
  EXPECT_EQ(ColumnsOf("SHOW MEASURES FROM db.cpu"),
            "measure_name varchar, data_type varchar, dimensions array(row(dimension_name varchar, data_type varchar))");
  EXPECT_EQ(PlanOf("SHOW MEASURES FROM db.cpu LIKE 'm%'"),
            "Values 1 row: ('metrics', 'multi', [(host,varchar),(Region,varchar)])\n");
  EXPECT_EQ(PlanOf("DESCRIBE db.empty"),
            "Values 2 rows: ('measure_name', 'varchar', 'MEASURE_NAME'), ('time', 'timestamp', 'TIMESTAMP')\n");
  EXPECT_EQ(ColumnsOf("DESCRIBE db.empty"), "Column varchar, Type varchar, Timestream attribute type varchar");
}

TEST(Bind, LikePatterns) {
  EXPECT_TRUE(*MatchesLike("fuel-reading", "fuel%", ""));
  EXPECT_TRUE(*MatchesLike("aXbXc", "%X%c", ""));
  EXPECT_FALSE(*MatchesLike("abc", "ab", ""));
  EXPECT_TRUE(*MatchesLike("né", "n_", ""));
  EXPECT_TRUE(*MatchesLike("a_b", "a#_b", "#"));
  EXPECT_FALSE(*MatchesLike("axb", "a#_b", "#"));
  EXPECT_FALSE(MatchesLike("a", "a#b", "#").ok());
  EXPECT_TRUE(*MatchesLike("", "%", ""));
}

TEST(Bind, Parameters) {
  const FakeCatalog catalog;
  CompileOptions options;
  options.bind.allow_unbound_parameters = true;
  const Result<BoundStatement> prepared = CompileStatement(
      "SELECT @scheduled_runtime, load FROM db.cpu WHERE host = @h AND ticks > @n", catalog, options);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  ASSERT_EQ(prepared->parameters.size(), 3u);
  std::map<std::string, std::string> types;
  for (const StatementParameter& parameter : prepared->parameters) types[parameter.name] = parameter.type.ToString();
  EXPECT_EQ(types["scheduled_runtime"], "timestamp");
  EXPECT_EQ(types["h"], "varchar");
  EXPECT_EQ(types["n"], "bigint");
  options.bind.allow_unbound_parameters = false;
  options.bind.parameters["h"] = Value::Varchar("x");
  EXPECT_TRUE(CompileStatement("SELECT @h", catalog, options).ok());
  EXPECT_EQ(MessageOf(CompileStatement("SELECT @n", catalog, options).status()),
            "line 1:8: Parameter '@n' has no value");
}

class RefusingChecker final : public AccessChecker {
 public:
  Status Check(AccessAction action, std::string_view database, std::string_view table) const override {
    return PermissionDenied("{} on {}/{}", AccessActionName(action), database, table);
  }
};

TEST(Bind, AccessIsCheckedBeforeExistence) {
  const RefusingChecker checker;
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"SELECT * FROM db.nope", "timestream:Select on db/nope"},
           {"SELECT 1", "timestream:SelectValues on /"},
           {"SHOW DATABASES", "timestream:ListDatabases on /"},
           {"SHOW TABLES FROM nope", "timestream:ListTables on nope/"},
           {"SHOW MEASURES FROM db.nope", "timestream:ListMeasures on db/nope"},
           {"DESCRIBE db.nope", "timestream:DescribeTable on db/nope"}}) {
    const Result<BoundStatement> bound = BindText(text, Profile::kCompat, &checker);
    EXPECT_EQ(CodeOf(bound.status()), ErrorCode::kPermissionDenied) << text;
    EXPECT_EQ(MessageOf(bound.status()), message);
  }
}

TEST(Bind, WithDoublingIsBounded) {
  std::string text = "WITH a0 AS (SELECT 1 AS x)";
  for (int i = 1; i < 40; ++i) {
    text += fmt::format(", a{} AS (SELECT x FROM a{} UNION ALL SELECT x FROM a{})", i, i - 1, i - 1);
  }
  text += " SELECT * FROM a39";
  const Result<BoundStatement> bound = BindText(text);
  ASSERT_FALSE(bound.ok());
  EXPECT_EQ(CodeOf(bound.status()), ErrorCode::kResourceExhausted);
}

TEST(Bind, NestingThatDoublesIsBounded) {
  std::string between = "TRUE";
  std::string cases = "1";
  for (int i = 0; i < 60; ++i) {
    between = "(" + between + " BETWEEN FALSE AND TRUE)";
    cases = "(CASE " + cases + " WHEN 1 THEN 1 WHEN 2 THEN 2 END)";
  }
  EXPECT_EQ(CodeOf(BindText("SELECT " + between).status()), ErrorCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(BindText("SELECT " + cases).status()), ErrorCode::kResourceExhausted);
  // Across queries nothing is written twice until a condition is pushed down, which then stops.
  const FakeCatalog catalog;
  std::string text = "WITH a0 AS (SELECT ticks AS x FROM db.cpu)";
  for (int i = 1; i < 60; ++i) text += fmt::format(", a{} AS (SELECT x + x AS x FROM a{})", i, i - 1);
  EXPECT_TRUE(CompileStatement(text + " SELECT x FROM a59 WHERE x > 1", catalog, {}).ok());
}

TEST(Bind, DepthIsBounded) {
  std::string text = "WITH a0 AS (SELECT 1 AS x)";
  for (int i = 1; i < 5000; ++i) text += fmt::format(", a{} AS (SELECT x FROM a{})", i, i - 1);
  EXPECT_EQ(CodeOf(BindText(text + " SELECT * FROM a4999").status()), ErrorCode::kResourceExhausted);
  std::string unions = "SELECT 1";
  for (int i = 0; i < 400; ++i) unions += " UNION SELECT 1";
  const Result<BoundStatement> bound = BindText(unions);
  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_EQ(bound->root->child()->children().size(), 401u);
}

TEST(Bind, ExplainPrintsThePlan) {
  const FakeCatalog catalog;
  CompileOptions options;
  const Result<BoundStatement> bound = CompileStatement("EXPLAIN SELECT host FROM db.cpu", catalog, options);
  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_EQ(bound->kind, BoundStatementKind::kExplain);
  const auto& rows = As<ValuesNode>(*bound->root).rows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(rows[0][0]->constant.text().starts_with("Scan db.cpu [host]"));
}

TEST(Bind, Unload) {
  const Result<BoundStatement> bound = BindText(
      "UNLOAD (SELECT load, host FROM db.cpu) TO 's3://b/p/' WITH (format = 'parquet', compression = 'NONE', "
      "max_file_size = '4.5GB', include_header = 'TRUE', field_delimiter = ';', partitioned_by = ARRAY['host'])");
  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_EQ(bound->kind, BoundStatementKind::kUnload);
  EXPECT_EQ(bound->unload.location, "s3://b/p/");
  EXPECT_EQ(bound->unload.format, UnloadOptions::Format::kParquet);
  EXPECT_FALSE(bound->unload.gzip);
  EXPECT_EQ(bound->unload.file_bytes_max, std::int64_t{9} << 29);
  EXPECT_TRUE(bound->unload.include_header);
  EXPECT_EQ(bound->unload.field_delimiter, ';');
  EXPECT_EQ(bound->unload.partitioned_by, std::vector<std::string>{"host"});
}

}  // namespace
}  // namespace tideline::sql
