#include "sql/optimize/share_plans.h"

#include <gtest/gtest.h>

#include "sql/optimize/plan_testing.h"

namespace tideline::sql {
namespace {

constexpr std::string_view kScan = "Scan db.cpu";

TEST(SharePlans, ANameUsedTwiceRunsOnce) {
  const std::string plan = PlanOf(
      "WITH g AS (SELECT host, count(*) AS n FROM db.cpu GROUP BY host) SELECT a.n FROM g a JOIN g b ON a.n = b.n");
  EXPECT_EQ(CountOf(plan, kScan), 1u) << plan;
  EXPECT_EQ(CountOf(plan, "Shared #"), 2u) << plan;
}

TEST(SharePlans, PartsWrittenTwiceRunOnce) {
  const std::string plan = PlanOf(
      "SELECT n FROM (SELECT host, count(*) AS n FROM db.cpu GROUP BY host) WHERE n > 5 UNION ALL "
      "SELECT n FROM (SELECT host, count(*) AS n FROM db.cpu GROUP BY host) WHERE n < 2");
  EXPECT_EQ(CountOf(plan, kScan), 1u) << plan;
  const std::string unlike = PlanOf(
      "SELECT n FROM (SELECT host, count(*) AS n FROM db.cpu GROUP BY host) UNION ALL "
      "SELECT n FROM (SELECT host, count(load) AS n FROM db.cpu GROUP BY host)");
  EXPECT_EQ(CountOf(unlike, "Shared"), 0u) << unlike;
}

TEST(SharePlans, EachReaderKeepsWhatItReads) {
  const std::string plan = PlanOf(
      "WITH g AS (SELECT host, max(load) AS m, count(*) AS n, max(ticks) AS u FROM db.cpu GROUP BY host) "
      "SELECT (SELECT max(m) FROM g), (SELECT max(n) FROM g)");
  EXPECT_EQ(CountOf(plan, kScan), 1u) << plan;
  EXPECT_EQ(CountOf(plan, "max(load)"), 1u) << plan;
  EXPECT_EQ(CountOf(plan, "max(ticks)"), 0u) << plan;  // which nobody reads
}

TEST(SharePlans, OtherLambdasMakeTwo) {
  const std::string plan = PlanOf(
      "SELECT (SELECT reduce_agg(ticks, BIGINT '0', (s, x) -> s + x, (a, b) -> a + b) FROM db.cpu), "
      "(SELECT reduce_agg(ticks, BIGINT '0', (s, x) -> s * x, (a, b) -> a * b) FROM db.cpu)");
  EXPECT_EQ(CountOf(plan, kScan), 2u) << plan;
  EXPECT_EQ(CountOf(plan, "Shared"), 0u) << plan;
}

TEST(SharePlans, OtherConditionsMakeTwo) {
  const std::string plan = PlanOf(
      "WITH g AS (SELECT host, count(*) AS n FROM db.cpu GROUP BY host) "
      "SELECT n FROM g WHERE host = 'x' UNION ALL SELECT n FROM g WHERE host = 'y'");
  EXPECT_EQ(CountOf(plan, kScan), 2u) << plan;
}

TEST(SharePlans, PlainScansAndRandomnessAreNotShared) {
  const std::string scans = PlanOf("SELECT load FROM db.cpu UNION ALL SELECT load FROM db.cpu");
  EXPECT_EQ(CountOf(scans, "Shared"), 0u) << scans;
  const std::string random = PlanOf(
      "WITH g AS (SELECT host, max(random()) AS n FROM db.cpu GROUP BY host) SELECT 1 FROM g a JOIN g b ON a.n = b.n");
  EXPECT_EQ(CountOf(random, "Shared"), 0u) << random;
}

}  // namespace
}  // namespace tideline::sql
