#include "functions/regexp/java_pattern.h"

#include <gtest/gtest.h>

namespace tideline::functions {
namespace {

std::string Pcre(std::string_view java) {
  const Result<std::string> pattern = ToPcrePattern(java);
  return pattern.ok() ? *pattern : "error";
}

TEST(JavaPatternTest, LeavesWhatBothKnow) {
  for (const char* same : {"", "a+b*?c{2,3}", "(?<name>x)\\k<name>", "(?i)abc", "[^a-z\\d]", "[]a]",
                           "\\Q[\\u0041]\\E", "(?m)^x$", "\\p{Lu}\\P{L}", "[[:alpha:]_]"}) {
    EXPECT_EQ(Pcre(same), same);
  }
}

TEST(JavaPatternTest, RewritesEscapes) {
  EXPECT_EQ(Pcre("\\u0041x"), "\\x{0041}x");
  EXPECT_EQ(Pcre("\\u00"), "\\u00");  // for PCRE2 to refuse
  EXPECT_EQ(Pcre("\\p{Alpha}"), "[[:alpha:]]");
  EXPECT_EQ(Pcre("[\\p{Alpha}_]"), "[[:alpha:]_]");
  EXPECT_EQ(Pcre("\\P{Digit}"), "[[:^digit:]]");
  EXPECT_EQ(Pcre("\\p{IsLatin}\\p{script=Greek}\\p{gc=Lu}"), "\\p{Latin}\\p{Greek}\\p{Lu}");
}

TEST(JavaPatternTest, RewritesNestedClasses) {
  EXPECT_EQ(Pcre("[a-c[x-z]]"), "(?:(?:[a-c]|[x-z]))");
  EXPECT_EQ(Pcre("[a-z&&[^bc]]"), "(?:(?=[a-z])(?:[^bc]))");
  EXPECT_EQ(Pcre("[^a-c[x-z]]"), "(?:(?!(?:[a-c]|[x-z]))(?s:.))");
}

TEST(JavaPatternTest, RefusesWhatCannotBeSaid) {
  EXPECT_EQ(Pcre("(?U)x"), "error");
  EXPECT_EQ(Pcre("(?d)x"), "error");
  EXPECT_EQ(Pcre("[a"), "error");
  EXPECT_EQ(Pcre(std::string(kPatternBytesMax + 1, 'a')), "error");
  EXPECT_EQ(Pcre(std::string(kClassDepthMax + 2, '[') + "a"), "error");
}

}  // namespace
}  // namespace tideline::functions
