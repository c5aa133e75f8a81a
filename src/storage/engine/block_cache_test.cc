#include "storage/engine/block_cache.h"

#include <gtest/gtest.h>

namespace tideline::engine {
namespace {

segment::BlockKey Key(std::uint64_t offset) { return {.offset = offset}; }

TEST(LruBlockCache, KeepsWhatWasUsedLast) {
  LruBlockCache cache(64'000);
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    cache.Put(Key(i), std::make_shared<const Bytes>(Bytes(500)));
    ASSERT_NE(cache.Get(Key(0)), nullptr) << "it is used all the time";
    ASSERT_LE(cache.bytes(), 64'000U);
  }
  EXPECT_NE(cache.Get(Key(999)), nullptr);
  EXPECT_EQ(cache.Get(Key(1)), nullptr);
}

TEST(LruBlockCache, WhatIsLargeForAShardTakesRoomFromTheOthers) {
  LruBlockCache cache(64'000);
  for (std::uint64_t i = 0; i < 200; ++i) cache.Put(Key(i), std::make_shared<const Bytes>(Bytes(500)));
  cache.PutParsed(Key(7), std::make_shared<const int>(7), 40'000);
  ASSERT_NE(cache.GetParsed(Key(7)), nullptr);
  EXPECT_EQ(*static_cast<const int*>(cache.GetParsed(Key(7)).get()), 7);
  EXPECT_LE(cache.bytes(), 64'000U);
  EXPECT_GT(cache.bytes(), 40'000U) << "small pieces go on being kept";
  cache.PutParsed(Key(8), std::make_shared<const int>(8), 40'000);
  EXPECT_NE(cache.GetParsed(Key(8)), nullptr);
  EXPECT_EQ(cache.GetParsed(Key(7)), nullptr) << "both do not fit";
  cache.PutParsed(Key(9), std::make_shared<const int>(9), 60'000);
  EXPECT_EQ(cache.GetParsed(Key(9)), nullptr) << "one piece may not take it all";
}

TEST(LruBlockCache, ShedsTheLargeFirst) {
  LruBlockCache cache(64'000);
  for (std::uint64_t i = 0; i < 20; ++i) cache.Put(Key(i), std::make_shared<const Bytes>(Bytes(500)));
  cache.PutParsed(Key(7), std::make_shared<const int>(7), 40'000);
  cache.Shed(1);
  EXPECT_EQ(cache.GetParsed(Key(7)), nullptr);
  EXPECT_NE(cache.Get(Key(3)), nullptr);
  cache.Shed(1 << 20);
  EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace tideline::engine
