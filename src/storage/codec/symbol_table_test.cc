// Coded text comes back, is smaller where text repeats itself, and hostile codes stay in bounds.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "storage/codec/block.h"
#include "storage/codec/entropy_stage.h"
#include "storage/codec/string_codec.h"
#include "storage/codec/symbol_table.h"

namespace tideline::codec {
namespace {

std::string RandomBytes(Random& random, std::size_t count) {
  std::string text(count, ' ');
  for (char& each : text) each = static_cast<char>(random.Next());
  return text;
}

std::string LogLine(Random& random) {
  return "host-" + std::to_string(random.Below(1'000'000)) + " GET /api/v1/devices/" +
         std::to_string(random.Below(1'000'000'000)) + "/telemetry?limit=" +
         std::to_string(random.Below(500)) + " 200 OK";
}

TEST(SymbolTable, AnyTextRoundTrips) {
  Random random(1);
  std::string log;
  while (log.size() < 16'000) log += LogLine(random);
  const std::string samples[] = {"", "a", std::string(5000, 'x'), RandomBytes(random, 5000), log};
  for (const std::string& sample : samples) {
    const SymbolTable table = SymbolTable::Build(sample);
    Bytes stored;
    table.Write(&stored);
    ByteReader reader(stored);
    const auto read = SymbolTable::Read(&reader);
    ASSERT_TRUE(read.ok() && reader.at_end());
    for (const std::string& text :
         {std::string(), std::string("z"), sample, RandomBytes(random, 3000), std::string(9, '\0')}) {
      Bytes codes;
      table.Encode(text, &codes);
      EXPECT_LE(codes.size(), 2 * text.size());
      std::string back = "kept";
      ASSERT_TRUE(read->Decode(codes, text.size(), &back).ok());
      EXPECT_EQ(back, "kept" + text);
    }
  }
  Bytes codes;
  SymbolTable::Build(log).Encode(log, &codes);
  EXPECT_LT(codes.size() * 2, log.size());
}

TEST(SymbolTable, HostileCodesAreRefusedInBounds) {
  Random random(2);
  std::string log;
  while (log.size() < 4000) log += LogLine(random);
  const SymbolTable table = SymbolTable::Build(log);
  for (int round = 0; round < 2000; ++round) {
    const std::string codes = RandomBytes(random, random.Below(40));
    std::string out;
    const std::size_t wanted = random.Below(400);
    const Status status = table.Decode(AsBytes(codes), wanted, &out);
    if (status.ok()) {
      EXPECT_EQ(out.size(), wanted);
    } else {
      EXPECT_EQ(CodeOf(status), ErrorCode::kDataLoss);
    }
    Bytes damaged;
    table.Write(&damaged);
    damaged[random.Below(damaged.size())] = static_cast<std::byte>(random.Next());
    ByteReader reader(damaged);
    const auto other = SymbolTable::Read(&reader);
    if (other.ok()) (void)other->Decode(AsBytes(codes), wanted, &out);
  }
}

TEST(FsstBlock, IsChosenForTextAndItsViewsLiveWithTheBlock) {
  Random random(3);
  std::vector<std::string> texts(3000);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i] = i % 100 == 7 ? "" : i % 500 == 3 ? RandomBytes(random, 3000) : LogLine(random);
  }
  const std::vector<std::string_view> values(texts.begin(), texts.end());
  std::size_t text_bytes = 0;
  for (const std::string_view value : values) text_bytes += value.size();
  Bytes light;
  EncodeStringBlock(values, {}, values.size(), &light);
  EXPECT_LT(light.size(), text_bytes * 7 / 10);
  std::vector<std::string_view> back(values.size());
  std::vector<std::string_view> few(3);
  BlockView copy;
  {
    const BlockView view = *BlockView::Parse(light);
    ASSERT_EQ(view.codec_name(), "fsst");
    EXPECT_FALSE(view.has_dictionary());
    ASSERT_TRUE(view.ReadString(1023, few, {}).ok());
    ASSERT_TRUE(view.ReadString(0, back, {}).ok());
    copy = view;
  }
  EXPECT_TRUE(std::equal(back.begin(), back.end(), values.begin()));
  EXPECT_EQ(few[0], values[1023]);
  EXPECT_EQ(few[2], values[1025]);

  // The magnetic store compresses the text itself, which comes back as plain strings.
  Bytes stored;
  ASSERT_TRUE(EncodeEntropyStage(light, &stored));
  EXPECT_LT(stored.size(), light.size());
  const Bytes plain = *DecodeEntropyStage(stored);
  const BlockView plain_view = *BlockView::Parse(plain);
  EXPECT_EQ(plain_view.codec_name(), "plain");
  ASSERT_TRUE(plain_view.ReadString(0, back, {}).ok());
  EXPECT_TRUE(std::equal(back.begin(), back.end(), values.begin()));
}

TEST(FsstBlock, DamageIsRefusedOrStaysInBounds) {
  Random random(4);
  std::vector<std::string> texts(1500);
  for (std::string& text : texts) text = LogLine(random);
  const std::vector<std::string_view> values(texts.begin(), texts.end());
  Bytes light;
  EncodeStringBlock(values, {}, values.size(), &light);
  ASSERT_EQ(BlockView::Parse(light)->codec_name(), "fsst");
  for (int round = 0; round < 1500; ++round) {
    Bytes damaged = light;
    const std::size_t range = round % 2 == 0 ? 2000 : damaged.size();
    damaged[random.Below(std::min(range, damaged.size()))] = static_cast<std::byte>(random.Next());
    if (round % 5 == 0) damaged.resize(random.Below(damaged.size()));
    const auto view = BlockView::Parse(damaged);
    if (!view.ok() || view->kind() != PhysicalKind::kString) continue;
    std::vector<std::string_view> back(view->row_count());
    (void)view->ReadString(0, back, {});
  }
}

}  // namespace
}  // namespace tideline::codec
