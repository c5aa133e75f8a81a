#include "sql/optimize/decorrelate.h"

#include <gtest/gtest.h>

#include "sql/optimize/plan_testing.h"

namespace tideline::sql {
namespace {

TEST(Decorrelate, EqualitiesArePulled) {
  const std::string_view queries[] = {
      "SELECT host, (SELECT max(load) FROM db.cpu d WHERE d.host = c.host) FROM db.cpu c",
      "SELECT host, (SELECT count(*) FROM db.cpu d WHERE d.host = c.host AND d.load > 1) FROM db.cpu c",
      "SELECT host FROM db.cpu c WHERE EXISTS (SELECT 1 FROM db.cpu d WHERE d.host = c.host AND d.load > c.load)",
      "SELECT host FROM db.cpu c WHERE load IN (SELECT d.load FROM db.cpu d WHERE d.host = c.host)",
      "SELECT host FROM db.cpu c WHERE EXISTS (SELECT 1 FROM db.cpu d WHERE d.host = c.host AND EXISTS "
      "(SELECT 1 FROM db.cpu e WHERE e.note = d.note))",
      "SELECT c.host, l.load FROM db.cpu c CROSS JOIN LATERAL (SELECT d.load FROM db.cpu d WHERE d.ticks > c.ticks) l",
  };
  for (const std::string_view query : queries) {
    const std::string plan = PlanOf(query);
    EXPECT_EQ(CountOf(plan, "Shared"), 0u) << query << "\n" << plan;
    EXPECT_GE(CountOf(plan, " join"), 1u) << query << "\n" << plan;
  }
}

TEST(Decorrelate, OtherConditionsPushADomain) {
  const std::string_view queries[] = {
      "SELECT host, (SELECT count(*) FROM db.cpu d WHERE d.ticks < c.ticks) FROM db.cpu c",
      "SELECT host, (SELECT d.load FROM db.cpu d WHERE d.host = c.host ORDER BY d.time DESC LIMIT 1) FROM db.cpu c",
      "SELECT host, (SELECT max(x) FROM (SELECT d.ticks AS x FROM db.cpu d WHERE d.host = c.host UNION ALL SELECT "
      "c.ticks)) FROM db.cpu c",
      "SELECT host, (SELECT count(*) FROM db.cpu d WHERE d.host = c.host AND EXISTS (SELECT 1 FROM db.cpu e WHERE "
      "e.ticks > d.ticks AND e.note = c.note)) FROM db.cpu c",
  };
  for (const std::string_view query : queries) {
    const std::string plan = PlanOf(query);
    EXPECT_GE(CountOf(plan, "Shared #"), 2u) << query << "\n" << plan;
    // Of two columns that are no doubles every combination is asked once.
    EXPECT_GE(CountOf(plan, "Distinct ["), 1u) << query << "\n" << plan;
  }
}

TEST(Decorrelate, LimitsBecomeRowNumbers) {
  const std::string plan = PlanOf(
      "SELECT host, (SELECT d.load FROM db.cpu d WHERE d.host = c.host ORDER BY d.time DESC LIMIT 1) FROM db.cpu c");
  EXPECT_EQ(CountOf(plan, "Window row_number()"), 1u) << plan;
  EXPECT_EQ(CountOf(plan, "Limit"), 0u) << plan;
}

TEST(Decorrelate, RowsAreNumberedWhereEqualIsNotIdentical) {
  const std::string plan = PlanOf("SELECT host, (SELECT count(*) FROM db.cpu d WHERE d.load < c.load) FROM db.cpu c");
  EXPECT_EQ(CountOf(plan, "Window row_number()"), 1u) << plan;
  EXPECT_EQ(CountOf(plan, "Distinct ["), 0u) << plan;
}

TEST(Decorrelate, OuterConditionsGoFirst) {
  // The domain is made of rows of the last hour, not of all.
  const std::string plan = PlanOf(
      "SELECT host FROM db.cpu c WHERE time > ago(1h) AND (SELECT count(*) FROM db.cpu d WHERE d.ticks < c.ticks) > 3");
  EXPECT_EQ(CountOf(plan, "time [2024-01-10 11:00:00.000000001, inf)"), 1u) << plan;
}

TEST(Decorrelate, RunsWithoutTheOptimizer) {
  const std::string plan =
      PlanOf("SELECT host, (SELECT count(*) FROM db.cpu d WHERE d.ticks < c.ticks) FROM db.cpu c", false);
  EXPECT_GE(CountOf(plan, "Shared #"), 2u) << plan;
}

}  // namespace
}  // namespace tideline::sql
