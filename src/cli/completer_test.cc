#include "cli/completer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tideline::cli {
namespace {

using Names = std::vector<std::string>;

class FixedNames final : public NameSource {
 public:
  Names Databases() override { return {"plant", "Big-One"}; }
  Names Tables(std::string_view database) override {
    return database == "plant" ? Names{"pumps", "pipes", "select"} : Names{};
  }
  Names Columns(std::string_view database, std::string_view table) override {
    if (database != "plant") return {};
    return table == "pumps" ? Names{"host", "flow rate", "time"} : table == "pipes" ? Names{"width"} : Names{};
  }
};

Names Offered(std::string_view before, std::string_view after = {}) {
  FixedNames names;
  return Complete(before, after, names).candidates;
}

bool Has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST(CompleterTest, DatabasesAndTablesWhereTheyStand) {
  EXPECT_EQ(Offered("SELECT * FROM pl"), Names{"plant."});
  EXPECT_EQ(Offered("SELECT * FROM "), (Names{"\"Big-One\".", "plant."}));
  EXPECT_EQ(Offered("SHOW TABLES FROM PL"), Names{"plant"});
  EXPECT_EQ(Offered("SELECT * FROM PLANT.p"), (Names{"pipes", "pumps"}));
  EXPECT_EQ(Offered("SELECT * FROM plant.se"), Names{"\"select\""});
  EXPECT_EQ(Offered("SELECT * FROM plant.\"pu"), Names{"\"pumps\""});
  EXPECT_EQ(Offered("SELECT * FROM none."), Names{});
}

TEST(CompleterTest, ColumnsOfTheTablesThatTheStatementNames) {
  EXPECT_EQ(Offered("SELECT flo", " FROM plant.pumps"), (Names{"\"flow rate\"", "floor("}));
  EXPECT_EQ(Offered("SELECT plant.pumps.h"), Names{"host"});
  EXPECT_EQ(Offered("SELECT * FROM plant.pumps AS p JOIN plant.pipes q ON q."), Names{"width"});
  EXPECT_EQ(Offered("SELECT * FROM plant.pumps WHERE "), (Names{"\"flow rate\"", "host", "time"}));
  EXPECT_EQ(Offered("SELECT * FROM plant.pumps WHERE pumps.ho"), Names{"host"});
}

TEST(CompleterTest, KeywordsAndFunctions) {
  EXPECT_TRUE(Has(Offered("sel"), "SELECT"));
  EXPECT_TRUE(Has(Offered("SELECT interpolate_l"), "interpolate_linear("));
  FixedNames names;
  EXPECT_EQ(Complete("SELECT 1 fro", "", names).replaced_bytes, 3U);
}

TEST(CompleterTest, NothingWithinTextsAndComments) {
  EXPECT_EQ(Offered("SELECT 'sel"), Names{});
  EXPECT_EQ(Offered("SELECT 1 -- sel"), Names{});
  EXPECT_EQ(Offered("SELECT 1 /* sel"), Names{});
  EXPECT_EQ(Offered("SELECT 'it''s' FROM pl"), Names{"plant."});
}

}  // namespace
}  // namespace tideline::cli
