#include "cli/sql_runner.h"

#include <gtest/gtest.h>

namespace tideline::cli {
namespace {

TEST(SqlRunnerTest, ProgressSaysOnlyWhatIsKnown) {
  EXPECT_EQ(ProgressText({.percent = 50, .bytes_scanned = 0, .row_count = 0, .running_ns = 3'900'000'000}), "3 s");
  EXPECT_EQ(ProgressText({.percent = 50, .bytes_scanned = 0, .row_count = 1, .running_ns = kNsPerSecond}),
            "1 row, 1 s");
  EXPECT_EQ(ProgressText({.percent = 49.6, .bytes_scanned = 12'340'000, .row_count = 20, .running_ns = kNsPerMinute}),
            "50 % done, 12.3 MB scanned, 20 rows, 60 s");
}

}  // namespace
}  // namespace tideline::cli
