#include "cli/error_excerpt.h"

#include <gtest/gtest.h>

namespace tideline::cli {
namespace {

TEST(ErrorExcerptTest, PointsAtThePlace) {
  EXPECT_EQ(ErrorExcerpt("line 2:3: no", "SELECT 1,\n\tä x"), "   ä x\n    ^\n");
  EXPECT_EQ(ErrorExcerpt("nothing", "SELECT"), "");
  EXPECT_EQ(ErrorExcerpt("line 3:1: no", "SELECT\n1"), "");
  EXPECT_EQ(ErrorExcerpt("line 1:9: no", "SELECT"), "");
}

TEST(ErrorExcerptTest, ShowsAWindowOfALongLine) {
  const std::string statement = "SELECT " + std::string(100'000, 'a') + "!" + std::string(100'000, 'b');
  EXPECT_EQ(ErrorExcerpt("line 1:100008: no", statement),
            "  …" + std::string(50, 'a') + "!" + std::string(49, 'b') + "…\n  " + std::string(51, ' ') + "^\n");
  EXPECT_EQ(ErrorExcerpt("line 1:1: no", statement), "  SELECT " + std::string(93, 'a') + "…\n  ^\n");
  const std::string last = ErrorExcerpt("line 1:200008: no", statement);
  EXPECT_EQ(last, "  …" + std::string(100, 'b') + "\n  " + std::string(100, ' ') + "^\n");
}

}  // namespace
}  // namespace tideline::cli
