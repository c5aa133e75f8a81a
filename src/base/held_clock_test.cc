#include "base/held_clock.h"

#include <gtest/gtest.h>

namespace tideline {
namespace {

TEST(HeldClock, FollowsTheMachineUntilItIsHeld) {
  ManualClock machine({.value = 100});
  HeldClock clock(machine);
  machine.Advance(5);
  EXPECT_EQ(clock.WallNow().value, 105);
  EXPECT_EQ(clock.SteadyNow().value, 5);
  EXPECT_FALSE(clock.held());
  clock.Set({.value = 1000});
  machine.Advance(7);
  EXPECT_EQ(clock.WallNow().value, 1000) << "held";
  EXPECT_EQ(clock.SteadyNow().value, 12) << "deadlines go on";
  EXPECT_TRUE(clock.Advance(50));
  EXPECT_EQ(clock.WallNow().value, 1050);
  EXPECT_EQ(clock.SteadyNow().value, 62);
  clock.Run();
  machine.Advance(3);
  EXPECT_EQ(clock.WallNow().value, 1053);
  EXPECT_EQ(clock.SteadyNow().value, 65);
}

TEST(HeldClock, DoesNotLeaveTheRangeOfTimes) {
  ManualClock machine({.value = 100});
  HeldClock clock(machine);
  clock.Set({.value = INT64_MAX - 10});
  EXPECT_FALSE(clock.Advance(11));
  EXPECT_EQ(clock.WallNow().value, INT64_MAX - 10);
  EXPECT_EQ(clock.SteadyNow().value, 0);
}

TEST(ParseIso8601, ReadsWhatIsPrintedAndRefusesTheRest) {
  for (const std::int64_t ns : {std::int64_t{0}, 1704103620 * kNsPerSecond + 123456789, -5 * kNsPerSecond}) {
    EXPECT_EQ(ParseIso8601(FormatIso8601({ns}, 9))->value, ns);
  }
  EXPECT_EQ(ParseIso8601("2024-01-01T10:07:00Z")->value, 1704103620 * kNsPerSecond);
  for (const char* text : {"", "Z", "2024-01-01", "2024-01-01T10:07:00", "2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z",
                           "2024-01-01T10:07:00.Z", "2024-01-01T10:07:00.1234567890Z", "9999-01-01T00:00:00Z",
                           "2024-01-01T10:07:00.1aZ", "2024-01-01 10:07:00Z"}) {
    EXPECT_EQ(CodeOf(ParseIso8601(text).status()), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(ParseDuration, TakesWholeNumbersOfKnownUnits) {
  EXPECT_EQ(*ParseDuration("250ms"), 250 * kNsPerMs);
  EXPECT_EQ(*ParseDuration("36h"), 36 * kNsPerHour);
  EXPECT_EQ(*ParseDuration("3650d"), 3650 * kNsPerDay);
  for (const char* text : {"", "h", "1", "-1h", "1.5h", "1w", "1 h", "99999999999d"}) {
    EXPECT_EQ(CodeOf(ParseDuration(text).status()), ErrorCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace tideline
