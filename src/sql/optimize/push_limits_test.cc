#include "sql/optimize/push_limits.h"

#include <gtest/gtest.h>

#include "sql/optimize/plan_testing.h"

namespace tideline::sql {
namespace {

TEST(PushLimits, TopNGoesIntoEachBranch) {
  const std::string plan = PlanOf(
      "SELECT load FROM (SELECT load FROM db.cpu UNION ALL SELECT measure_value::double FROM db.cpu) "
      "ORDER BY load DESC OFFSET 2 LIMIT 3");
  EXPECT_EQ(CountOf(plan, "TopN 3 offset 2 by"), 1u) << plan;
  EXPECT_EQ(CountOf(plan, "TopN 5 by"), 2u) << plan;
}

TEST(PushLimits, TopNGoesToTheRowsThatAnOuterJoinKeeps) {
  const std::string left = PlanOf(
      "SELECT a.time, b.load FROM db.cpu a LEFT JOIN db.cpu b ON a.host = b.host ORDER BY a.time DESC LIMIT 5");
  EXPECT_EQ(CountOf(left, "TopN 5 by"), 2u) << left;
  const std::string other_side = PlanOf(
      "SELECT a.time, b.load FROM db.cpu a LEFT JOIN db.cpu b ON a.host = b.host ORDER BY b.load LIMIT 5");
  EXPECT_EQ(CountOf(other_side, "TopN 5 by"), 1u) << other_side;
  const std::string inner = PlanOf(
      "SELECT a.time, b.load FROM db.cpu a JOIN db.cpu b ON a.host = b.host ORDER BY a.time LIMIT 5");
  EXPECT_EQ(CountOf(inner, "TopN 5 by"), 1u) << inner;
}

TEST(PushLimits, PlainLimits) {
  const std::string scan = PlanOf("SELECT load + 1 FROM db.cpu LIMIT 7");
  EXPECT_EQ(CountOf(scan, " any 7"), 1u) << scan;
  const std::string branches = PlanOf("SELECT load FROM db.cpu UNION ALL SELECT load FROM db.cpu LIMIT 7");
  EXPECT_EQ(CountOf(branches, " any 7"), 2u) << branches;
  const std::string join = PlanOf("SELECT a.load FROM db.cpu a LEFT JOIN db.cpu b ON a.host = b.host LIMIT 7");
  EXPECT_EQ(CountOf(join, " any 7"), 1u) << join;
  // A filter may need any number of rows to let seven pass, and so may an inner join.
  const std::string inner = PlanOf("SELECT a.load FROM db.cpu a JOIN db.cpu b ON a.host = b.host LIMIT 7");
  EXPECT_EQ(CountOf(inner, " any 7"), 0u) << inner;
}

}  // namespace
}  // namespace tideline::sql
