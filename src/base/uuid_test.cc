#include "base/uuid.h"

#include <gtest/gtest.h>

namespace tideline {
namespace {

TEST(Uuid, RoundTripsThroughText) {
  Random random(1);
  for (int i = 0; i < 100; ++i) {
    const Uuid uuid = MakeUuid(random);
    const std::string text = FormatUuid(uuid);
    EXPECT_EQ(text[14], '4') << "version";
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << "variant";
    EXPECT_EQ(*ParseUuid(text), uuid);
  }
  EXPECT_TRUE(ParseUuid("00000000-0000-0000-0000-000000000000")->is_nil());
  EXPECT_EQ(FormatUuid(*ParseUuid("ABCDEF00-1234-4678-9ABC-DEF012345678")),
            "abcdef00-1234-4678-9abc-def012345678");
}

TEST(Uuid, RefusesOtherText) {
  for (const char* text :
       {"", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-0000000000000",
        "000000000000-0000-0000-0000-00000000", "g0000000-0000-0000-0000-000000000000"}) {
    EXPECT_EQ(CodeOf(ParseUuid(text).status()), ErrorCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace tideline
