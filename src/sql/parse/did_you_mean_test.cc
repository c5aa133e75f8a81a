#include "sql/parse/did_you_mean.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tideline::sql::ast {
namespace {

TEST(DidYouMeanTest, Distance) {
  EXPECT_EQ(EditDistance("", "", 3), 0u);
  EXPECT_EQ(EditDistance("abc", "ABC", 3), 0u);
  EXPECT_EQ(EditDistance("abc", "acb", 3), 1u);
  EXPECT_EQ(EditDistance("abc", "ab", 3), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting", 3), 3u);
  EXPECT_EQ(EditDistance("ca", "abc", 3), 3u);  // the restricted form; unrestricted is 2
  EXPECT_EQ(EditDistance("abcdef", "ghijkl", 2), 3u);
  EXPECT_EQ(EditDistance("a", "abcdef", 2), 3u);
  EXPECT_EQ(EditDistance("abcdefgh", "badcfehg", 4), 4u);
}

TEST(DidYouMeanTest, Suggestions) {
  const std::vector<std::string_view> names = {"hostname", "time", "measure_name", "region", "az"};
  EXPECT_EQ(DidYouMean("hostnmae", names), "hostname");
  EXPECT_EQ(DidYouMean("TIME", names), "time");
  EXPECT_EQ(DidYouMean("tiem", names), "time");
  EXPECT_EQ(DidYouMean("measurename", names), "measure_name");
  EXPECT_EQ(DidYouMean("reigon", names), "region");
  EXPECT_EQ(DidYouMean("temperature", names), std::nullopt);
  EXPECT_EQ(DidYouMean("x", names), std::nullopt);
  EXPECT_EQ(DidYouMean("", names), std::nullopt);
  EXPECT_EQ(DidYouMean("ax", names), "az");
  EXPECT_EQ(DidYouMean(std::string(500, 'a'), names), std::nullopt);
  EXPECT_EQ(DidYouMean("time", {}), std::nullopt);
}

}  // namespace
}  // namespace tideline::sql::ast
