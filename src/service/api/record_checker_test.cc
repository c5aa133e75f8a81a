#include "service/api/record_checker.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"

namespace tideline::api {
namespace {

// Bit for bit what strtod reads.
void ExpectReads(const std::string& text) {
  double value = 0;
  ASSERT_TRUE(ReadDouble(text, &value)) << text;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(value), std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr))) << text;
}

TEST(ReadDouble, ReadsShortDecimalsExactly) {
  for (const char* text : {"0", "-0", "0.1", "-0.0", "36.67", "99999999999999.9", "0.00000000000001", "123456789012345",
                           "1234567890123456", "12345678901234.56", "9007199254740993", "1e3", "-1.5e-7", "5e-324"}) {
    ExpectReads(text);
  }
  Random random(7);
  for (int i = 0; i < 200'000; ++i) {
    std::string text = random.Below(2) == 0 ? "-" : "";
    const std::uint64_t digits = 1 + random.Below(16);
    for (std::uint64_t d = 0; d < digits; ++d) text += static_cast<char>('0' + random.Below(10));
    if (random.Below(4) != 0) {
      text += '.';
      const std::uint64_t more = 1 + random.Below(10);
      for (std::uint64_t d = 0; d < more; ++d) text += static_cast<char>('0' + random.Below(10));
    }
    ExpectReads(text);
  }
}

TEST(ReadDouble, RefusesWhatIsNoNumber) {
  double value = 0;
  for (const char* text : {"", "-", ".", "1.2.3", "1..2", "0x10", "nan", "inf", "1e999", "1 ", " 1", "--1", "1,5", "+-1"}) {
    EXPECT_FALSE(ReadDouble(text, &value)) << text;
  }
}

// Each way of a choice that is a parameter here; choices.h says which one is taken.
TEST(Choices, RecordOrCommonAttributesWin) {
  const std::optional<int> one = 1;
  const std::optional<int> two = 2;
  const std::optional<int> none;
  EXPECT_EQ(PickMember(one, two, /*record_wins=*/true), one);
  EXPECT_EQ(PickMember(one, two, /*record_wins=*/false), two);
  for (const bool wins : {true, false}) {
    EXPECT_EQ(PickMember(one, none, wins), one);
    EXPECT_EQ(PickMember(none, two, wins), two);
    EXPECT_EQ(PickMember(none, none, wins), none);
  }
  EXPECT_EQ(PickMember(one, two), choices::kRecordWinsOverCommon ? one : two);
}

TEST(Choices, MeasureValuesAreMergedOrNot) {
  const std::vector<int> own{1};
  const std::vector<int> common{2, 3};
  EXPECT_EQ(CommonValuesThatCount(own, common, /*merged=*/true), common);
  EXPECT_TRUE(CommonValuesThatCount(own, common, /*merged=*/false).empty());
  EXPECT_EQ(CommonValuesThatCount({}, common, /*merged=*/false), common);
}

TEST(Choices, NegativeZeroIsStoredOrNot) {
  EXPECT_TRUE(std::signbit(StoredDouble(-0.0, /*negative_zero_stored=*/true)));
  EXPECT_FALSE(std::signbit(StoredDouble(-0.0, /*negative_zero_stored=*/false)));
  EXPECT_EQ(StoredDouble(-1.5, /*negative_zero_stored=*/false), -1.5);
  const auto read = ParseMeasure("m", "-0.0", catalog::MeasureType::kDouble, TimeUnit::kMilliseconds);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(std::signbit(read->floating), choices::kNegativeZeroStored);
}

}  // namespace
}  // namespace tideline::api
