#include "storage/engine/checkpoint_pace.h"

#include <gtest/gtest.h>

namespace tideline::engine {
namespace {

constexpr std::int64_t kStart = 1'000 * kNsPerSecond;

TEST(CheckpointPaceTest, TwoCheckpointsOfALoadMakeTheNextOneNear) {
  CheckpointPace pace(kStart);
  EXPECT_EQ(pace.last_ns(), kStart);
  EXPECT_FALSE(pace.NextIsNear(kStart)) << "nothing was loaded yet";
  std::int64_t now = kStart + kNsPerMinute;
  pace.Note(now);
  EXPECT_FALSE(pace.NextIsNear(now + 1)) << "the first one after a pause";
  now += kCheckpointNearNs - 1;
  EXPECT_FALSE(pace.NextIsNear(now)) << "near to one is not near to two";
  pace.Note(now);
  EXPECT_EQ(pace.last_ns(), now);
  EXPECT_TRUE(pace.NextIsNear(now));
  EXPECT_TRUE(pace.NextIsNear(now + kCheckpointNearNs - 1));
}

TEST(CheckpointPaceTest, APauseEndsALoad) {
  CheckpointPace pace(kStart);
  pace.Note(kStart + 1);
  EXPECT_TRUE(pace.NextIsNear(kStart + 2)) << "a load right after the start is one";
  EXPECT_FALSE(pace.NextIsNear(kStart + 1 + kCheckpointNearNs));
  pace.Note(kStart + 1 + kCheckpointNearNs);
  EXPECT_FALSE(pace.NextIsNear(kStart + 2 + kCheckpointNearNs)) << "the interval counts, too";
}

}  // namespace
}  // namespace tideline::engine
