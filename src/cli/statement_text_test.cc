#include "cli/statement_text.h"

#include <gtest/gtest.h>

namespace tideline::cli {
namespace {

TEST(StatementTextTest, EndsAtASemicolonOutsideQuotesAndComments) {
  EXPECT_EQ(ScanStatement("SELECT ';' AS \";\" -- ;\n/* ; */; x").end, 31U);
  EXPECT_EQ(ScanStatement("SELECT 'it''s; so'").end, std::string_view::npos);
}

TEST(StatementTextTest, TellsWhatStandsOpen) {
  EXPECT_EQ(ScanStatement(" \n-- only a comment\n").open, OpenText::kNothing);
  EXPECT_EQ(ScanStatement("SELECT 1 -- it's\n").open, OpenText::kStatement);
  EXPECT_EQ(ScanStatement("SELECT 'one\n").open, OpenText::kText);
  EXPECT_EQ(ScanStatement("SELECT \"one\n").open, OpenText::kName);
  EXPECT_EQ(ScanStatement("SELECT /* one\n").open, OpenText::kComment);
}

TEST(StatementTextTest, TakesStatementsInTurn) {
  std::string_view text = "SELECT 1 ;\n;SELECT 2\n-- end\n";
  EXPECT_EQ(TakeStatement(&text), "SELECT 1");
  EXPECT_EQ(TakeStatement(&text), "");
  EXPECT_EQ(TakeStatement(&text), "SELECT 2\n-- end");
  EXPECT_EQ(text, "");
}

TEST(StatementTextTest, CommentsAreNoStatement) {
  EXPECT_TRUE(IsBlankStatement(" ; -- it's over\n /* really */ "));
  EXPECT_FALSE(IsBlankStatement("/* open"));
  EXPECT_FALSE(IsBlankStatement("-- x\n1"));
}

}  // namespace
}  // namespace tideline::cli
