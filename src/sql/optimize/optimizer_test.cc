#include "sql/optimize/optimizer.h"

#include <gtest/gtest.h>

#include "sql/compile.h"
#include "sql/fake_catalog.h"
#include "sql/optimize/time_set.h"

namespace tideline::sql {
namespace {

/// 2024-01-10 12:00:00, which is now().
constexpr std::int64_t kNoon = 1'704'888'000'000'000'000;

std::string Optimized(std::string_view text) {
  const FakeCatalog catalog;
  CompileOptions options;
  options.bind.now = {kNoon};
  const Result<BoundStatement> bound = CompileStatement(text, catalog, options);
  if (!bound.ok()) return std::string(MessageOf(bound.status()));
  return PrintPlan(*bound->root);
}

/// What is said of the scan below SELECT load FROM db.cpu WHERE ...
std::string ScanOf(std::string_view condition) {
  const std::string plan = Optimized(fmt::format("SELECT load FROM db.cpu WHERE {}", condition));
  constexpr std::string_view kPrefix = "Scan db.cpu [load]";
  if (!plan.starts_with(kPrefix) || plan.find('\n') + 1 != plan.size()) return plan;
  const std::string rest = plan.substr(kPrefix.size(), plan.size() - kPrefix.size() - 1);
  return rest.empty() ? rest : rest.substr(1);
}

TEST(Optimize, TimeConditionsBecomeRanges) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"time >= TIMESTAMP '2024-01-01'", "time [2024-01-01 00:00:00.000000000, inf)"},
      {"time > TIMESTAMP '2024-01-01'", "time [2024-01-01 00:00:00.000000001, inf)"},
      {"time < '2024-01-01'", "time (-inf, 2023-12-31 23:59:59.999999999]"},
      {"'2024-01-01' >= time", "time (-inf, 2024-01-01 00:00:00.000000000]"},
      {"time = '2024-01-01'", "time [2024-01-01 00:00:00.000000000, 2024-01-01 00:00:00.000000000]"},
      {"time <> '2024-01-01'",
       "time (-inf, 2023-12-31 23:59:59.999999999], [2024-01-01 00:00:00.000000001, inf)"},
      {"time BETWEEN '2023-09-19' AND '2023-11-01'",
       "time [2023-09-19 00:00:00.000000000, 2023-11-01 00:00:00.000000000]"},
      {"time NOT BETWEEN '2023-09-19' AND '2023-11-01'",
       "time (-inf, 2023-09-18 23:59:59.999999999], [2023-11-01 00:00:00.000000001, inf)"},
      {"time BETWEEN '2024-01-02' AND '2024-01-01'", "time none"},
      {"time > ago(2h)", "time [2024-01-10 10:00:00.000000001, inf)"},
      {"time > now() - 2h AND time <= now()",
       "time [2024-01-10 10:00:00.000000001, 2024-01-10 12:00:00.000000000]"},
      {"time >= from_milliseconds(1704888000000)", "time [2024-01-10 12:00:00.000000000, inf)"},
      {"time >= DATE '2024-01-01'", "time [2024-01-01 00:00:00.000000000, inf)"},
      {"date_trunc('month', time) = TIMESTAMP '2024-02-01'",
       "time [2024-02-01 00:00:00.000000000, 2024-02-29 23:59:59.999999999]"},
      {"date_trunc('week', time) >= TIMESTAMP '2024-01-03'", "time [2024-01-08 00:00:00.000000000, inf)"},
      {"date_trunc('quarter', time) < TIMESTAMP '2024-05-01'", "time (-inf, 2024-06-30 23:59:59.999999999]"},
      {"year(time) = 2023", "time [2023-01-01 00:00:00.000000000, 2023-12-31 23:59:59.999999999]"},
      {"year(time) > 2023", "time [2024-01-01 00:00:00.000000000, inf)"},
      {"time - 1h >= ago(2h) - 30m", "time [2024-01-10 10:30:00.000000000, inf)"},
      {"date_add('hour', 2, time) <= now()", "time (-inf, 2024-01-10 10:00:00.000000000]"},
      {"from_milliseconds(to_milliseconds(time)) = TIMESTAMP '2024-01-01'",
       "time [2024-01-01 00:00:00.000000000, 2024-01-01 00:00:00.000999999]"},
      {"time IS NOT DISTINCT FROM TIMESTAMP '2024-01-01'",
       "time [2024-01-01 00:00:00.000000000, 2024-01-01 00:00:00.000000000]"},
      {"bin(time, 1h) >= '2024-01-01 10:30:00'", "time [2024-01-01 11:00:00.000000000, inf)"},
      {"bin(time, 1h) > '2024-01-01 10:00:00'", "time [2024-01-01 11:00:00.000000000, inf)"},
      {"bin(time, 1h) <= '2024-01-01 10:30:00'", "time (-inf, 2024-01-01 10:59:59.999999999]"},
      {"bin(time, 1h) < '2024-01-01 10:30:00'", "time (-inf, 2024-01-01 10:59:59.999999999]"},
      {"bin(time, 1h) = '2024-01-01 10:00:00'",
       "time [2024-01-01 10:00:00.000000000, 2024-01-01 10:59:59.999999999]"},
      {"bin(time, 1h) = '2024-01-01 10:30:00'", "time none"},
      {"date_trunc('day', time) = '2024-01-01'",
       "time [2024-01-01 00:00:00.000000000, 2024-01-01 23:59:59.999999999]"},
      {"CAST(time AS DATE) = DATE '2024-01-01'",
       "time [2024-01-01 00:00:00.000000000, 2024-01-01 23:59:59.999999999]"},
      {"date(time) > DATE '2024-01-01'", "time [2024-01-02 00:00:00.000000000, inf)"},
      {"to_milliseconds(time) < 1704888000000", "time (-inf, 2024-01-10 11:59:59.999999999]"},
      {"time + 1h > now()", "time [2024-01-10 11:00:00.000000001, inf)"},
      {"time - 1h > now()", "time [2024-01-10 13:00:00.000000001, inf)"},
      {"time IN ('2024-01-01', '2024-01-02')",
       "time [2024-01-01 00:00:00.000000000, 2024-01-01 00:00:00.000000000], "
       "[2024-01-02 00:00:00.000000000, 2024-01-02 00:00:00.000000000]"},
      {"time < '2024-01-01' OR time > '2024-01-02'",
       "time (-inf, 2023-12-31 23:59:59.999999999], [2024-01-02 00:00:00.000000001, inf)"},
      {"NOT (time < '2024-01-01')", "time [2024-01-01 00:00:00.000000000, inf)"},
      {"time IS NOT NULL", ""},
      {"time IS NULL", "time none"},
      {"time > NULL", "time none"},
      // Mixed: the ranges are a bound and the condition stays.
      {"(time > '2024-01-01' AND load > 1e0) OR time > '2024-01-05'",
       "time [2024-01-01 00:00:00.000000001, inf) where (((time > timestamp '2024-01-01 00:00:00.000000000') AND "
       "(load > 1.0)) OR (time > timestamp '2024-01-05 00:00:00.000000000'))"},
      // Fails when a row gets there, not before.
      {"time > CAST('abc' AS TIMESTAMP)", "where (time > CAST('abc' AS timestamp))"},
      {"hour(time) = 3", "where (hour(time) = 3)"},
  };
  for (const auto& [condition, expected] : cases) EXPECT_EQ(ScanOf(condition), expected) << condition;
}

TEST(Optimize, SeriesConditions) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"host = 'a'", "series host in {a}"},
      {"'a' = host", "series host in {a}"},
      {"host IN ('b', 'a', 'b', NULL)", "series host in {a, b}"},
      {"host = 'a' OR host IN ('c', 'b') OR host IS NULL", "series host in {a, b, c, NULL}"},
      {"host IN ('a', 'b') AND host IN ('b', 'c')", "series host in {b}"},
      {"host IS NULL", "series host in {NULL}"},
      {"measure_name = 'm' AND Region = 'eu'", "series measure_name in {m}, Region in {eu}"},
      {"host LIKE 'a%'", "series (host LIKE 'a%')"},
      {"host <> 'a' AND host IS NOT NULL", "series ((host <> 'a') AND (NOT (host IS NULL)))"},
      {"host = 'a' AND host LIKE 'a%'", "series host in {a} and (host LIKE 'a%')"},
      {"host = Region", "where (host = Region)"},
      {"note = 'a'", "where (note = 'a')"},
      // May fail on a value that no row in range has: storage may use it, the residual decides.
      {"CAST(host AS BIGINT) > 5", "series (CAST(host AS bigint) > 5)? where (CAST(host AS bigint) > 5)"},
      {"load > 1e0 AND host = 'a' AND time > '2024-01-01'",
       "time [2024-01-01 00:00:00.000000001, inf) series host in {a} where (load > 1.0)"},
  };
  for (const auto& [condition, expected] : cases) EXPECT_EQ(ScanOf(condition), expected) << condition;
}

TEST(Optimize, FoldsWhatCannotFail) {
  EXPECT_EQ(Optimized("SELECT 1 + 2 * 3, IF(TRUE, 1, 1 / 0), 1 / 0, now() = now()"),
            "Project [_col0 := 7, _col1 := 1, _col2 := (1 / 0), _col3 := (now() = now())]\n  Values 1 row\n");
  EXPECT_EQ(ScanOf("load > 1 AND TRUE"), "where (load > 1.0)");
  EXPECT_EQ(Optimized("SELECT load FROM db.cpu WHERE 1 = 2"), "Values 0 rows\n");
  EXPECT_EQ(Optimized("SELECT load FROM db.cpu WHERE 1 = 1"), "Scan db.cpu [load]\n");
}

TEST(Optimize, ConditionsGoDown) {
  EXPECT_EQ(Optimized("SELECT h FROM (SELECT host AS h, load * 2 AS d FROM db.cpu) WHERE h = 'a' AND d > 1e0"),
            "Scan db.cpu [host] series host in {a} where ((load * 2.0) > 1.0)\n");
  EXPECT_EQ(Optimized("SELECT * FROM (SELECT host, bin(time, 1h) AS b, max(load) AS m FROM db.cpu GROUP BY 1, 2) "
                      "WHERE host = 'a' AND b >= '2024-01-01' AND m > 1e0"),
            "Filter (max > 1.0)\n"
            "  Aggregate [host, bin(time, interval day to second '0 01:00:00.000000000')] max(load)\n"
            "    Scan db.cpu [host, time, load] time [2024-01-01 00:00:00.000000000, inf) series host in {a} "
            "times in steps of interval day to second '0 01:00:00.000000000'\n");
  EXPECT_EQ(Optimized("SELECT * FROM (SELECT host FROM db.cpu UNION ALL SELECT note FROM db.cpu) WHERE host = 'a'"),
            "Union all [host#18]\n"
            "  Scan db.cpu [host] series host in {a}\n"
            "  Scan db.cpu [note] where (note = 'a')\n");
  // Not through a limit, nor into the one group of a global aggregate.
  EXPECT_EQ(Optimized("SELECT * FROM (SELECT host FROM db.cpu LIMIT 5) WHERE host = 'a'"),
            "Filter (host = 'a')\n  Limit 5\n    Scan db.cpu [host] any 5\n");
  EXPECT_EQ(Optimized("SELECT count(*) FROM db.cpu HAVING 1 = 2"), "Values 0 rows\n");
  // Doubles that are equal need not be the same: 0.0 and -0.0 are one group.
  EXPECT_NE(Optimized("SELECT load FROM db.cpu GROUP BY load HAVING load > 1e0").find("Filter"), std::string::npos);
}

TEST(Optimize, ConditionsThatMayFailStayBehindThoseThatStay) {
  const std::string plan =
      Optimized("SELECT ticks FROM db.cpu GROUP BY ticks HAVING count(*) > 1 AND 10 / ticks > 1");
  EXPECT_NE(plan.find("Filter ((count > 1) AND ((10 / ticks) > 1))"), std::string::npos) << plan;
  EXPECT_EQ(ScanOf("ticks <> 0 AND 10 / ticks > 1"), "where ((ticks <> 0) AND ((10 / ticks) > 1))");
}

TEST(Optimize, LimitsAndColumns) {
  EXPECT_EQ(Optimized("SELECT host FROM db.cpu ORDER BY time DESC LIMIT 5"),
            "Project [host]\n  TopN 5 by [time DESC]\n    Scan db.cpu [host, time]\n");
  EXPECT_EQ(Optimized("SELECT host FROM db.cpu LIMIT 5"), "Limit 5\n  Scan db.cpu [host] any 5\n");
  EXPECT_EQ(Optimized("SELECT count(*) FROM db.cpu"), "Aggregate [] count(*)\n  Scan db.cpu []\n");
  EXPECT_EQ(Optimized("SELECT DISTINCT host FROM db.cpu"), "Distinct [host]\n  Scan db.cpu [host] newest of each series\n");
  EXPECT_EQ(Optimized("SELECT host FROM db.cpu LIMIT 0"), "Values 0 rows\n");
  EXPECT_EQ(Optimized("SELECT a FROM (SELECT max(load) AS a, min(load) AS b FROM db.cpu)"),
            "Aggregate [] max(load)\n  Scan db.cpu [load]\n");
}

TEST(Optimize, RowsJoinedWithTheNewestOfTheirGroup) {
  const auto scan_of_rows = [](const std::string& latest, const std::string& where_rows, const std::string& on) {
    const std::string plan = Optimized("SELECT c.load FROM (SELECT * FROM db.cpu " + where_rows + ") c JOIN (" + latest +
                                       ") l ON " + on);
    // The one that delivers the value.
    for (std::size_t at = plan.find("Scan db.cpu ["); at != std::string::npos; at = plan.find("Scan db.cpu [", at + 1)) {
      const std::string line = plan.substr(at, plan.find('\n', at) - at);
      if (line.substr(0, line.find(']')).find("load") != std::string::npos) return line;
    }
    return plan;
  };
  const auto is_told = [](const std::string& scan) { return scan.find(" newest of each series") != std::string::npos; };
  const std::string by_host = "SELECT host, max(time) AS m FROM db.cpu GROUP BY host";
  const std::string on_host = "c.host = l.host AND c.time = l.m";
  EXPECT_TRUE(is_told(scan_of_rows(by_host, "", on_host))) << scan_of_rows(by_host, "", on_host);
  EXPECT_TRUE(is_told(scan_of_rows("SELECT max(time) AS m FROM db.cpu", "", "c.time = l.m")));
  EXPECT_TRUE(is_told(scan_of_rows(by_host, "WHERE host = 'a'", on_host)));
  EXPECT_TRUE(is_told(scan_of_rows("SELECT host, max(time) AS m FROM db.cpu WHERE time > ago(1h) GROUP BY host", "",
                                   on_host)));
  // Each of these leaves rows that are not the newest of their series with a partner.
  EXPECT_FALSE(is_told(scan_of_rows(by_host, "", "c.time = l.m")));
  EXPECT_FALSE(is_told(scan_of_rows(by_host, "", "c.host = l.host AND c.time >= l.m")));
  EXPECT_FALSE(is_told(scan_of_rows(by_host, "WHERE load > 1", on_host)));
  EXPECT_FALSE(is_told(scan_of_rows("SELECT host, max(time) AS m FROM db.cpu WHERE time < ago(1h) GROUP BY host", "",
                                    on_host)));
  EXPECT_FALSE(is_told(scan_of_rows("SELECT host, max(time) AS m FROM db.cpu WHERE load > 1 GROUP BY host", "", on_host)));
  EXPECT_FALSE(is_told(scan_of_rows("SELECT host, max(time) AS m FROM db.cpu GROUP BY host, bin(time, 1h)", "", on_host)));
}

TEST(Optimize, BinsOfTimeBecomeSteps) {
  const auto step_of = [](const std::string& query) {
    const std::string plan = Optimized(query);
    const std::size_t at = plan.find(" times in steps of ");
    return at == std::string::npos ? std::string() : plan.substr(at + 19, plan.find('\n', at) - at - 19);
  };
  const std::string hour = "interval day to second '0 01:00:00.000000000'";
  EXPECT_EQ(step_of("SELECT bin(time, 1h), max(load) FROM db.cpu GROUP BY 1"), hour);
  EXPECT_EQ(step_of("SELECT date_trunc('hour', time), count(*) FROM db.cpu GROUP BY 1"), hour);
  EXPECT_EQ(step_of("SELECT bin(time, 3h), bin(time, 2h), max(load) FROM db.cpu GROUP BY 1, 2"), hour);
  EXPECT_EQ(step_of("SELECT host, max(load) FROM db.cpu GROUP BY 1"), "");
  EXPECT_EQ(step_of("SELECT bin(time, 1h), max(time) FROM db.cpu GROUP BY 1"), "");
  EXPECT_EQ(step_of("SELECT bin(time, 1h), max_by(load, time) FROM db.cpu GROUP BY 1"), "");
  EXPECT_EQ(step_of("SELECT bin(time + 1m, 1h), max(load) FROM db.cpu GROUP BY 1"), "");
  EXPECT_EQ(step_of("SELECT date_trunc('month', time), max(load) FROM db.cpu GROUP BY 1"), "");
}

TEST(Optimize, RangeArithmetic) {
  const std::vector<TimeRange> a = {{0, 10}, {20, 30}};
  EXPECT_EQ(InvertRanges(InvertRanges(a)), a);
  EXPECT_EQ(InvertRanges({}), std::vector<TimeRange>{TimeRange{}});
  EXPECT_TRUE(InvertRanges({TimeRange{}}).empty());
  EXPECT_EQ(UniteRanges(a, {{11, 19}}), (std::vector<TimeRange>{{0, 30}}));
  EXPECT_EQ(IntersectRanges(a, {{5, 25}}), (std::vector<TimeRange>{{5, 10}, {20, 25}}));
  EXPECT_EQ(UniteRanges({TimeRange{}}, a), std::vector<TimeRange>{TimeRange{}});
}

}  // namespace
}  // namespace tideline::sql
