// Random queries over random tables: with and without the optimizer, on one thread and on two, the
// answer is the same. A failure prints the seed and the statement.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/time.h"
#include "query_runner.h"

namespace tideline::slt {
namespace {

constexpr std::int64_t kStart = 1'704'067'200'000'000'000;  // 2024-01-01

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::vector<Record> Records() {
    std::vector<Record> records;
    for (int i = 0; i < 60; ++i) {
      Record record;
      record.multi = true;
      record.measure_name = Pick({"load", "disk"});
      record.dimensions.push_back({"host", Pick({"a", "b", "c", "d"})});
      if (random_.Below(3) != 0) record.dimensions.push_back({"zone", Pick({"x", "y"})});
      record.time_ns = kStart + static_cast<std::int64_t>(random_.Below(200)) * kNsPerMinute;
      record.measures.push_back({"n", "bigint", std::to_string(random_.Below(10))});
      if (random_.Below(4) != 0) record.measures.push_back({"v", "double", std::to_string(random_.Below(50)) + ".5"});
      if (random_.Below(2) != 0) record.measures.push_back({"s", "varchar", Pick({"up", "down", ""})});
      records.push_back(std::move(record));
    }
    return records;
  }

  std::string Query() {
    const std::string from = random_.Below(3) == 0
                                 ? "(SELECT * FROM db.t WHERE " + Condition(1) + ")"
                                 : std::string("db.t");
    const std::string where = random_.Below(4) == 0 ? "" : " WHERE " + Condition(2);
    switch (random_.Below(10)) {
      case 0:
        return "SELECT host, zone, time, " + Number(2) + " AS e FROM " + from + where;
      case 1: {
        const std::string key = Pick({"host", "zone", "s", "n % 3", "bin(time, 30m)", "measure_name"});
        return "SELECT " + key + " AS k, count(*), sum(n), min(v), max(s), count(DISTINCT n) FROM " + from +
               where + " GROUP BY " + key + (random_.Below(2) == 0 ? " HAVING count(*) > 2" : "");
      }
      case 2:
        return "SELECT host, time, measure_name, n FROM " + from + where +
               " ORDER BY n DESC, time, host, measure_name, zone LIMIT " + std::to_string(random_.Below(12));
      case 3:
        return "SELECT DISTINCT host, " + Number(1) + " FROM " + from + where;
      case 4: {  // the ends of series
        const std::string key = Pick({"host", "zone", "measure_name", "upper(host)", "host || '-'"});
        const std::string values = Pick({"max(time)", "min(time)", "max(time), min(time)", "max_by(n, time)",
                                         "min_by(v, time), max(time)", "max(zone), max(time)", "count(DISTINCT host)"});
        // Of two series with a row at the same moment either may be answered.
        const bool by = values.find("_by") != std::string::npos;
        const std::string keys = by ? "host, zone, measure_name" : key;
        return "SELECT " + keys + ", " + values + " FROM db.t" + SeriesWhere() + " GROUP BY " + keys;
      }
      case 5:  // the newest row of each series, joined back
        return "SELECT t.host, t.measure_name, t.zone, t.time, t.n FROM db.t t JOIN (SELECT host, measure_name, "
               "max(time) AS last_time FROM db.t" + SeriesWhere() + " GROUP BY 1, 2) l ON t.host = l.host AND "
               "t.measure_name = l.measure_name AND t.time = l.last_time";
      case 6:  // a join by time and series whose one side is small
        return "SELECT a.host, a.time, a.n, b.n FROM db.t a " + Pick({"JOIN", "LEFT JOIN", "RIGHT JOIN"}) +
               " (SELECT * FROM db.t WHERE " + Condition(1) + ") b ON a.time = b.time AND a.host = b.host" + Pick({"", " AND a.n > b.n"});
      case 7: {  // groups or rows at an end of time
        const std::string order = Pick({" DESC", " ASC"});
        const std::string bin = Pick({"bin(time, 10m)", "date_trunc('hour', time)", "bin(time, 1m)", "bin(bin(time, 1m), 7m)"});
        return "SELECT " + bin + " AS b, count(*), max(n) FROM " + from + where + " GROUP BY 1 " +
               Pick({"", "HAVING count(*) > 1 "}) + "ORDER BY 1" + order + " LIMIT " + std::to_string(1 + random_.Below(6)) ;
      }
      case 8:
        return "SELECT time, host, zone, measure_name, n, v FROM " + from + where + " ORDER BY time" + Pick({" DESC", ""}) +
               ", host, measure_name, zone LIMIT " + std::to_string(1 + random_.Below(9));
      default:
        return "SELECT x, count(*) FROM (SELECT host AS x, n FROM " + from + where +
               " UNION ALL SELECT zone, n FROM db.t WHERE " + Condition(1) + ") WHERE n > " +
               std::to_string(random_.Below(6)) + " GROUP BY x";
    }
  }

 private:
  std::string Pick(std::vector<std::string> of) { return of[random_.Below(of.size())]; }

  // A condition that says nothing of values, so that the ends of series are known beforehand.
  std::string SeriesWhere() {
    return Pick({"", " WHERE host <> 'b'", " WHERE time <= TIMESTAMP '2024-01-01 02:00:00'",
                 " WHERE time > TIMESTAMP '2024-01-01 01:30:00' AND zone = 'x'", " WHERE measure_name = 'disk'"});
  }

  std::string Number(int depth) {
    if (depth == 0 || random_.Below(3) == 0) return Pick({"n", "v", "2", "n + 1", "0.5"});
    switch (random_.Below(4)) {
      case 0:
        return "(" + Number(depth - 1) + Pick({" + ", " - ", " * "}) + Number(depth - 1) + ")";
      case 1:
        return "CASE WHEN " + Condition(depth - 1) + " THEN " + Number(depth - 1) + " ELSE 1 END";
      case 2:
        return "COALESCE(" + Number(depth - 1) + ", 7)";
      default:
        return "TRY(10 / n)";
    }
  }

  std::string Condition(int depth) {
    if (depth > 0 && random_.Below(2) == 0) {
      const std::string left = Condition(depth - 1);
      if (random_.Below(4) == 0) return "NOT (" + left + ")";
      return "(" + left + Pick({" AND ", " OR "}) + Condition(depth - 1) + ")";
    }
    switch (random_.Below(8)) {
      case 0:
        return "host = '" + Pick({"a", "b", "q"}) + "'";
      case 1:
        return "host IN ('a', 'c')";
      case 2:
        return "zone " + Pick({"IS NULL", "IS NOT NULL", "<> 'x'", "LIKE '_'", "NOT IN ('y', NULL)"});
      case 3:
        return "time " + Pick({">", "<=", "="}) + " TIMESTAMP '2024-01-01 0" + std::to_string(random_.Below(4)) + ":00:00'";
      case 4:
        return "bin(time, 1h) >= '2024-01-01 01:00:00'";
      case 5:
        return Number(1) + Pick({" > ", " < ", " = ", " <> "}) + Number(1);
      case 6:
        return "measure_name = '" + Pick({"load", "disk"}) + "'";
      default:
        return "n <> 0 AND 10 / n > 2";
    }
  }

  Random random_;
};

Result<std::vector<std::string>> RowsOf(QueryRunner& runner, const std::string& sql) {
  const Answer answer = TL_TRY(runner.Query(sql, false));
  std::vector<std::string> rows;
  for (const auto& row : answer.rows) {
    std::string text;
    for (const auto& cell : row) text += cell.value_or("NULL") + "|";
    rows.push_back(std::move(text));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(AgreementTest, OptimizerAndThreadsDoNotChangeAnswers) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Generator generator(seed);
    const std::vector<Record> records = generator.Records();
    std::vector<std::unique_ptr<QueryRunner>> runners;
    for (const InProcessOptions options :
         {InProcessOptions{1, false, true}, InProcessOptions{1, true, true},
          InProcessOptions{2, true, true}, InProcessOptions{2, false, true}}) {
      runners.push_back(*NewInProcessRunner(options));
      ASSERT_TRUE(runners.back()->CreateDatabase("db").ok());
      ASSERT_TRUE(runners.back()->CreateTable("db", "t").ok());
      ASSERT_TRUE(runners.back()->Write("db", "t", records).ok());
    }
    for (int i = 0; i < 120; ++i) {
      const std::string sql = generator.Query();
      const auto plain = RowsOf(*runners[0], sql);
      // Rules may save a failing query from its failure, never the reverse.
      if (!plain.ok()) continue;
      ++compared;
      for (std::size_t r = 1; r < runners.size(); ++r) {
        const auto rows = RowsOf(*runners[r], sql);
        ASSERT_TRUE(rows.ok()) << "seed " << seed << ", runner " << r << ": " << sql << "\n" << rows.status();
        ASSERT_EQ(*rows, *plain) << "seed " << seed << ", runner " << r << ": " << sql;
      }
    }
  }
  EXPECT_GT(compared, 600);
}

}  // namespace
}  // namespace tideline::slt
