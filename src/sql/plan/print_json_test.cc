#include "sql/plan/print_json.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "sql/compile.h"
#include "sql/fake_catalog.h"
#include "sql/plan/values_node.h"

namespace tideline::sql {
namespace {

std::string ExplainJson(std::string_view query) {
  const FakeCatalog catalog;
  const Result<BoundStatement> bound =
      CompileStatement(fmt::format("EXPLAIN (FORMAT JSON) {}", query), catalog, CompileOptions());
  if (!bound.ok()) return std::string(MessageOf(bound.status()));
  EXPECT_EQ(bound->columns.size(), 1u);
  EXPECT_EQ(bound->columns[0].name, "Query Plan");
  const auto& rows = As<ValuesNode>(*bound->root).rows();
  EXPECT_EQ(rows.size(), 1u);
  return rows[0][0]->constant.text();
}

TEST(PrintJson, OneObjectForEachNode) {
  const Result<JsonValue> plan = JsonValue::Parse(
      ExplainJson("SELECT host, count(*) AS n FROM db.cpu WHERE load > 1 GROUP BY host ORDER BY n LIMIT 3"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->FindText("name"), "TopN");
  EXPECT_EQ(plan->FindText("id"), "0");
  EXPECT_EQ(plan->Find("estimates")->Find("rows")->number(), 3);
  const JsonValue& column = plan->Find("outputs")->items().at(1);
  EXPECT_EQ(column.FindText("name"), "count");
  EXPECT_EQ(column.FindText("type"), "bigint");
  const JsonValue& aggregate = plan->Find("children")->items().at(0);
  EXPECT_EQ(aggregate.FindText("name"), "Aggregate");
  const JsonValue& scan = aggregate.Find("children")->items().at(0);
  EXPECT_EQ(scan.FindText("name"), "Scan");
  EXPECT_EQ(scan.FindText("details"), "db.cpu [host] where (load > 1.0)");
  EXPECT_TRUE(scan.Find("children")->items().empty());
}

TEST(PrintJson, ASharedPlanOnce) {
  const std::string text = ExplainJson(
      "WITH g AS (SELECT host, count(*) AS n FROM db.cpu GROUP BY host) SELECT a.n FROM g a JOIN g b ON a.n = b.n");
  ASSERT_TRUE(JsonValue::Parse(text).ok()) << text;
  std::size_t scans = 0;
  for (std::size_t at = text.find("\"Scan\""); at != std::string::npos; at = text.find("\"Scan\"", at + 1)) ++scans;
  EXPECT_EQ(scans, 1u) << text;
}

}  // namespace
}  // namespace tideline::sql
