#include "cli/line_editor.h"

#include <gtest/gtest.h>
#include <histedit.h>

#include <cstdio>
#include <string>

namespace tideline::cli {
namespace {

// What is written by hand must be what libedit reads.
TEST(LineEditorTest, HistoryFileKeepsEveryCharacter) {
  const std::string entry = "SELECT 'a\\n\t\xc3\xa4' -- one\n, 2;";
  const std::string path = testing::TempDir() + "/tideline_history_test";
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs(("_HiStOrY_V2_\n" + HistoryFileLine(entry)).c_str(), file);
  std::fclose(file);
  History* kept = history_init();
  HistEvent event;
  history(kept, &event, H_SETSIZE, 10);
  EXPECT_EQ(history(kept, &event, H_LOAD, path.c_str()), 1);
  ASSERT_NE(history(kept, &event, H_FIRST), -1);
  EXPECT_EQ(event.str, entry);
  history_end(kept);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace tideline::cli
