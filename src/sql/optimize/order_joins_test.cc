#include "sql/optimize/order_joins.h"

#include <gtest/gtest.h>

#include "sql/optimize/plan_testing.h"
#include "sql/plan/statistics.h"

namespace tideline::sql {
namespace {

/// Whether nothing in `plan` lies deeper than the relation that VALUES makes.
bool JoinsValuesFirst(const std::string& plan) {
  std::size_t deepest = 0;
  std::size_t of_values = 0;
  for (std::size_t from = 0; from < plan.size(); from = plan.find('\n', from) + 1) {
    const std::size_t text = plan.find_first_not_of(' ', from);
    deepest = std::max(deepest, text - from);
    if (plan.compare(text, 6, "Values") == 0) of_values = text - from;
  }
  return of_values == deepest;
}

/// Tables of 10,000 rows, 100 values of every column of theirs.
class CountedCatalog : public FakeCatalog, public PlanStatistics {
 public:
  const PlanStatistics* statistics() const override { return this; }
  std::optional<double> Rows(const ScanNode&) const override { return 10'000; }
  std::optional<double> DistinctValues(const catalog::TableSchema&, catalog::ColumnId) const override { return 100; }
};

TEST(OrderJoins, SmallResultsFirst) {
  const CountedCatalog catalog;
  CompileOptions options;
  options.bind.now = {kTestNoon};
  const Result<BoundStatement> bound = CompileStatement(
      "SELECT a.load, b.load FROM db.cpu a JOIN db.cpu b ON a.host = b.host JOIN (VALUES 'x', 'y') AS v(h) ON v.h = a.host", catalog, options);
  ASSERT_TRUE(bound.ok()) << bound.status();
  const std::string plan = PrintPlan(*bound->root);
  EXPECT_TRUE(JoinsValuesFirst(plan)) << plan;
  EXPECT_EQ(CountOf(plan, "Inner join on"), 2u) << plan;
}

TEST(OrderJoins, NoProductWhereThereIsACondition) {
  const std::string plan = PlanOf(
      "SELECT a.load FROM db.cpu a, (VALUES 'x') AS v(h), db.cpu b, (VALUES 'y') AS w(h) "
      "WHERE a.host = b.host AND v.h = a.note AND w.h = b.note");
  EXPECT_EQ(CountOf(plan, "Inner join on"), 3u) << plan;
}

TEST(OrderJoins, ConditionsThatMayFailStay) {
  const std::string plan = PlanOf(
      "SELECT a.load FROM db.cpu a JOIN db.cpu b ON a.ticks = b.ticks + 1 JOIN (VALUES 'x') AS v(h) ON v.h = a.note");
  EXPECT_FALSE(JoinsValuesFirst(plan)) << plan;
}

TEST(OrderJoins, OuterJoinsStay) {
  const std::string plan = PlanOf(
      "SELECT a.load FROM db.cpu a LEFT JOIN db.cpu b ON a.host = b.host LEFT JOIN (VALUES 'x') AS v(h) ON v.h = a.note");
  EXPECT_EQ(CountOf(plan, "Left join on"), 2u) << plan;
  EXPECT_FALSE(JoinsValuesFirst(plan)) << plan;
}

}  // namespace
}  // namespace tideline::sql
