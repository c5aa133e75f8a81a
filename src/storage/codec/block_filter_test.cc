// Filters on encoded blocks agree with filters on the rows; frames and runs answer without decoding.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "storage/codec/block.h"
#include "storage/codec/block_filter.h"

namespace tideline::codec {
namespace {

bool IsSet(const std::vector<std::uint64_t>& words, std::size_t bit) {
  return (words[bit / 64] >> (bit % 64) & 1) != 0;
}

std::vector<std::uint64_t> SomeNulls(Random& random, std::size_t rows) {
  std::vector<std::uint64_t> words(ValidityWords(rows));
  for (std::size_t i = 0; i < rows; ++i) {
    if (random.Below(7) != 0) words[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  return words;
}

// Rows of a shape: 0 constant, 1 runs, 2 frame of rising slices, 3 walk, 4 few values, 5 any.
std::vector<std::int64_t> RowsOf(Random& random, int shape, std::size_t rows) {
  std::vector<std::int64_t> values(rows);
  std::int64_t walk = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto at = static_cast<std::int64_t>(i);
    walk += static_cast<std::int64_t>(random.Below(7)) - 3;
    values[i] = shape == 0   ? 42
                : shape == 1 ? at / 40 % 9 * 10
                : shape == 2 ? at / 1024 * 100 + static_cast<std::int64_t>(random.Below(60))
                : shape == 3 ? walk
                : shape == 4 ? static_cast<std::int64_t>(random.Below(5)) * 1'000'000'007
                             : static_cast<std::int64_t>(random.Next());
  }
  return values;
}

TEST(BlockFilter, Int64AgreesWithTheRows) {
  Random random(1);
  for (int shape = 0; shape <= 5; ++shape) {
    for (const bool nulls : {false, true}) {
      const std::size_t rows = 5000;
      const std::vector<std::int64_t> values = RowsOf(random, shape, rows);
      const auto validity = nulls ? SomeNulls(random, rows) : std::vector<std::uint64_t>();
      std::vector<std::int64_t> dense;
      for (std::size_t i = 0; i < rows; ++i) {
        if (!nulls || IsSet(validity, i)) dense.push_back(values[i]);
      }
      Bytes bytes;
      EncodeInt64Block(dense, validity, rows, &bytes);
      const BlockView block = *BlockView::Parse(bytes);
      for (int round = 0; round < 40; ++round) {
        std::int64_t least = values[random.Below(rows)];
        std::int64_t most = round % 3 == 0 ? least : values[random.Below(rows)];
        if (round % 7 != 0 && least > most) std::swap(least, most);
        if (round % 5 == 0) least = std::numeric_limits<std::int64_t>::min();
        const std::size_t first = random.Below(rows);
        const std::size_t count = random.Below(rows - first + 1);
        std::vector<std::uint64_t> matches(ValidityWords(count) + 1, ~std::uint64_t{0});
        ASSERT_TRUE(FilterInt64(block, first, count, least, most, matches).ok());
        for (std::size_t i = 0; i < count; ++i) {
          const std::int64_t value = values[first + i];
          const bool expected = (!nulls || IsSet(validity, first + i)) && value >= least && value <= most;
          ASSERT_EQ(IsSet(matches, i), expected) << shape << " " << block.codec_name() << " " << i;
        }
        for (std::size_t i = count; i < ValidityWords(count) * 64; ++i) ASSERT_FALSE(IsSet(matches, i));
      }
    }
  }
}

TEST(BlockFilter, DoubleAgreesWithTheRowsAndLeavesOutNan) {
  Random random(2);
  for (int shape = 0; shape <= 3; ++shape) {
    const std::size_t rows = 4000;
    std::vector<double> values(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      values[i] = shape == 0   ? std::round(random.NextDouble() * 1000) / 100 + static_cast<double>(i / 1024)
                  : shape == 1 ? random.NextDouble()
                  : shape == 2 ? (random.Below(9) == 0 ? std::nan("") : 1.5)
                               : 2.5;
    }
    Bytes bytes;
    EncodeDoubleBlock(values, {}, rows, &bytes);
    const BlockView block = *BlockView::Parse(bytes);
    for (int round = 0; round < 30; ++round) {
      double least = random.NextDouble() * 12 - 1;
      double most = least + random.NextDouble() * 12;
      if (round == 0) most = INFINITY;
      if (round == 1) least = std::nan("");
      const std::size_t first = random.Below(rows);
      const std::size_t count = rows - first;
      std::vector<std::uint64_t> matches(ValidityWords(count));
      ASSERT_TRUE(FilterDouble(block, first, count, least, most, matches).ok());
      for (std::size_t i = 0; i < count; ++i) {
        const double value = values[first + i];
        ASSERT_EQ(IsSet(matches, i), value >= least && value <= most) << block.codec_name() << i;
      }
    }
  }
}

TEST(BlockFilter, CodesAgreeWithTheText) {
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) texts.push_back(i % 3 == 0 ? "error" : i % 7 == 0 ? "info" : "warn");
  const std::vector<std::string_view> values(texts.begin(), texts.end());
  Bytes bytes;
  EncodeStringBlock(values, {}, values.size(), &bytes);
  const BlockView block = *BlockView::Parse(bytes);
  const auto entries = *block.ReadDictionary();
  ASSERT_EQ(entries.size(), 3U);
  std::vector<std::uint64_t> matches(ValidityWords(values.size()));
  ASSERT_TRUE(FilterCodes(block, 0, values.size(), 1, 2, matches).ok());  // "info"
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(IsSet(matches, i), values[i] == "info");
  ASSERT_TRUE(FilterCodes(block, 0, values.size(), 2, 2, matches).ok());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_FALSE(IsSet(matches, i));
}

TEST(BlockFilter, SlicesAreBoundedWithoutDecoding) {
  Random random(3);
  const std::vector<std::int64_t> values = RowsOf(random, 2, 5000);
  Bytes bytes;
  EncodeInt64Block(values, {}, values.size(), &bytes);
  const BlockView block = *BlockView::Parse(bytes);
  ASSERT_EQ(block.codec_name(), "frame");
  for (std::size_t slice = 0; slice < 5; ++slice) {
    const SliceBounds bounds = *Int64SliceBounds(block, slice);
    ASSERT_TRUE(bounds.is_known);
    EXPECT_GE(bounds.least, static_cast<std::int64_t>(slice) * 100);
    EXPECT_LE(bounds.most, static_cast<std::int64_t>(slice) * 100 + 63);
  }
  EXPECT_EQ(CodeOf(Int64SliceBounds(block, 5).status()), ErrorCode::kInvalidArgument);
  // A slice that is not decoded may be damaged unseen: cut off the last one.
  const BlockView cut = *BlockView::Parse(BytesView(bytes).first(bytes.size() - 8));
  std::vector<std::uint64_t> matches(ValidityWords(values.size()));
  EXPECT_TRUE(FilterInt64(cut, 0, values.size(), 1000, 2000, matches).ok());
  EXPECT_FALSE(FilterInt64(cut, 0, values.size(), 430, 440, matches).ok());
}

TEST(BlockFilter, OtherKindsAreRefused) {
  const std::int64_t value = 1;
  Bytes bytes;
  EncodeInt64Block({&value, 1}, {}, 1, &bytes);
  const BlockView block = *BlockView::Parse(bytes);
  std::uint64_t word = 0;
  EXPECT_EQ(CodeOf(FilterDouble(block, 0, 1, 0, 1, {&word, 1})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(FilterCodes(block, 0, 1, 0, 1, {&word, 1})), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tideline::codec
