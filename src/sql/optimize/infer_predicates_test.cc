#include "sql/optimize/infer_predicates.h"

#include <gtest/gtest.h>

#include "sql/optimize/plan_testing.h"

namespace tideline::sql {
namespace {

TEST(InferPredicates, EqualColumnsShareConditions) {
  const std::string times = PlanOf(
      "SELECT a.load, b.load FROM db.cpu a JOIN db.cpu b ON a.time = b.time WHERE a.time > TIMESTAMP '2024-01-01'");
  EXPECT_EQ(CountOf(times, "time [2024-01-01 00:00:00.000000001, inf)"), 2u) << times;
  const std::string hosts = PlanOf(
      "SELECT a.load, b.load FROM db.cpu a, db.cpu b WHERE a.host = b.host AND b.host IN ('x', 'y')");
  EXPECT_EQ(CountOf(hosts, "host in {x, y}"), 2u) << hosts;
}

TEST(InferPredicates, TimesOfAChildReachTheOtherOne) {
  const std::string plan = PlanOf(
      "SELECT count(*) FROM (SELECT time, max(load) AS m FROM db.cpu WHERE time BETWEEN TIMESTAMP '2024-01-01' AND "
      "TIMESTAMP '2024-01-02' GROUP BY time) a JOIN db.cpu b ON a.time = b.time");
  EXPECT_EQ(CountOf(plan, "time [2024-01-01 00:00:00.000000000, 2024-01-02 00:00:00.000000000]"), 2u) << plan;
}

TEST(InferPredicates, OuterJoinsKeepTheirRows) {
  const std::string left = PlanOf(
      "SELECT a.load, b.load FROM db.cpu a LEFT JOIN db.cpu b ON a.host = b.host WHERE a.host = 'x'");
  EXPECT_EQ(CountOf(left, "host in {x}"), 2u) << left;
  // A left row with another host stays, without a partner.
  const std::string right = PlanOf(
      "SELECT a.load, b.load FROM db.cpu a LEFT JOIN db.cpu b ON a.host = b.host AND b.host = 'x'");
  EXPECT_EQ(CountOf(right, "host in {x}"), 1u) << right;
  const std::string full = PlanOf(
      "SELECT a.load, b.load FROM db.cpu a FULL JOIN db.cpu b ON a.host = b.host AND b.host = 'x'");
  EXPECT_EQ(CountOf(full, "host in {x}"), 0u) << full;
}

}  // namespace
}  // namespace tideline::sql
