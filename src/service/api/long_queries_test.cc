#include "service/api/long_queries.h"

#include <gtest/gtest.h>

namespace tideline::api {
namespace {

TEST(LongQueriesTest, RemembersForAWhile) {
  LongQueries queries;
  constexpr std::uint64_t kOne = 0x123456789abcdef0;
  constexpr SteadyNs kThen{1'000 * kLongQueryNs + 1};
  EXPECT_FALSE(queries.Has(kOne, kThen));
  queries.Add(kOne, kThen);
  EXPECT_TRUE(queries.Has(kOne, kThen));
  EXPECT_TRUE(queries.Has(kOne, {kThen.value + kLongQueryNs}));
  EXPECT_FALSE(queries.Has(kOne, {kThen.value + 2 * kLongQueryNs}));
  EXPECT_FALSE(queries.Has(kOne + 1, kThen));
}

TEST(LongQueriesTest, TextsOfOnePlaceTakeTurns) {
  LongQueries queries;
  constexpr SteadyNs kThen{5 * kLongQueryNs};
  constexpr std::uint64_t kOne = 0x1111'0000'0000'0007;
  constexpr std::uint64_t kOther = 0x2222'0000'0000'0007;
  queries.Add(kOne, kThen);
  queries.Add(kOther, kThen);
  EXPECT_TRUE(queries.Has(kOther, kThen));
  EXPECT_FALSE(queries.Has(kOne, kThen));
}

}  // namespace
}  // namespace tideline::api
