// Entropy-coded blocks give back what went in, beat the light form where they should, and refuse
// hostile bytes; kernels agree on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/kernel_targets.h"
#include "base/random.h"
#include "storage/codec/binned_sequence.h"
#include "storage/codec/bins.h"
#include "storage/codec/bit_stream.h"
#include "storage/codec/block.h"
#include "storage/codec/entropy_stage.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/tans.h"
#include "storage/codec/wrapping.h"

namespace tideline::codec {
namespace {

constexpr std::int64_t kLeastInt64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMostInt64 = std::numeric_limits<std::int64_t>::max();
const std::vector<std::size_t> kSizes = {1,    2,    3,    7,    8,    9,    64,   100,
                                         1023, 1024, 1025, 2049, 5000, 32767, 32768};

double NormalStep(Random& random) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += random.NextDouble();
  return sum - 6;
}

struct IntegerShape {
  const char* name;
  std::function<std::int64_t(Random&, std::size_t, std::int64_t)> next;
};

const std::vector<IntegerShape>& IntegerShapes() {
  static const std::vector<IntegerShape> shapes = {
      {"constant", [](Random&, std::size_t, std::int64_t) { return std::int64_t{-77}; }},
      {"ends",
       [](Random& r, std::size_t, std::int64_t) {
         return r.Below(2) == 0 ? kLeastInt64 : kMostInt64;
       }},
      {"any", [](Random& r, std::size_t, std::int64_t) { return static_cast<std::int64_t>(r.Next()); }},
      {"clock",
       [](Random&, std::size_t i, std::int64_t) {
         return static_cast<std::int64_t>(i) * 10'000'000'000 + 1'700'000'000'000'000'000;
       }},
      {"clocks of series",
       [](Random&, std::size_t i, std::int64_t) {
         return static_cast<std::int64_t>(i % 900) * 10'000'000'000 + 1'700'000'000'000'000'000;
       }},
      {"jitter",
       [](Random& r, std::size_t i, std::int64_t) {
         return static_cast<std::int64_t>(i * 1'000'000 + r.Below(1000));
       }},
      {"accelerating",
       [](Random&, std::size_t i, std::int64_t) { return static_cast<std::int64_t>(i * i * 3); }},
      {"walk",
       [](Random& r, std::size_t, std::int64_t last) {
         return last + static_cast<std::int64_t>(std::floor(NormalStep(r)));
       }},
      {"wide walk",
       [](Random& r, std::size_t, std::int64_t last) {
         return last + static_cast<std::int64_t>(1e15 * NormalStep(r));
       }},
      {"outliers",
       [](Random& r, std::size_t, std::int64_t) {
         return r.Below(200) == 0 ? static_cast<std::int64_t>(r.Next())
                                  : static_cast<std::int64_t>(r.Below(16));
       }},
      {"few far apart",
       [](Random& r, std::size_t, std::int64_t) {
         return static_cast<std::int64_t>(r.Below(5)) * 1'000'000'000'000'007;
       }},
      {"two and a rare third",
       [](Random& r, std::size_t, std::int64_t) {
         return static_cast<std::int64_t>(r.Below(1000) == 0 ? 2 : r.Below(2));
       }},
  };
  return shapes;
}

std::vector<std::int64_t> MakeIntegers(const IntegerShape& shape, std::size_t count,
                                       std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int64_t> values(count);
  std::int64_t last = 50;
  for (std::size_t i = 0; i < count; ++i) last = values[i] = shape.next(random, i, last);
  return values;
}

// Runs the test's body on every instruction set this machine has.
void OnEachTarget(const std::function<void()>& body) {
  for (const KernelTarget target :
       {KernelTarget::kBase, KernelTarget::kAvx2, KernelTarget::kAvx512}) {
    if (target > BestKernelTarget()) break;
    SCOPED_TRACE(KernelTargetName(target));
    LimitKernelTarget(target);
    body();
  }
  LimitKernelTarget(KernelTarget::kAvx512);
}

TEST(Tans, SharesAddUpAndFollowCounts) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint32_t> counts(1 + random.Below(256));
    for (auto& count : counts) count = static_cast<std::uint32_t>(1 + random.Below(1U << random.Below(20)));
    for (const unsigned table_bits : {8U, 9U, 11U}) {
      const auto shares = NormalizeCounts(counts, table_bits);
      std::size_t sum = 0;
      for (const std::uint16_t share : shares) {
        ASSERT_GE(share, 1);
        sum += share;
      }
      ASSERT_EQ(sum, std::size_t{1} << table_bits);
    }
  }
  EXPECT_EQ(NormalizeCounts(std::vector<std::uint32_t>{3, 1}, 5),
            (std::vector<std::uint16_t>{24, 8}));
}

TEST(Bins, HoldEveryValueOnce) {
  Random random(2);
  for (const IntegerShape& shape : IntegerShapes()) {
    for (const std::size_t bins_max : {1, 2, 16, 256}) {
      std::vector<std::uint64_t> values;
      for (const std::int64_t value : MakeIntegers(shape, 3000, 5)) values.push_back(Unsigned(value));
      const BinPlan plan = PlanBins(&values, bins_max);
      ASSERT_TRUE(std::is_sorted(values.begin(), values.end()));
      ASSERT_LE(plan.bins.size(), bins_max);
      std::size_t at = 0;
      for (const Bin& bin : plan.bins) {
        for (std::size_t i = 0; i < bin.count; ++i, ++at) {
          ASSERT_GE(values[at], bin.lower);
          ASSERT_LE(std::bit_width(values[at] - bin.lower), static_cast<int>(bin.offset_bits));
        }
      }
      ASSERT_EQ(at, values.size());
    }
  }
}

TEST(BinnedSequence, RoundTripsAndLightens) {
  OnEachTarget([] {
    for (const IntegerShape& shape : IntegerShapes()) {
      for (const std::size_t count : kSizes) {
        SCOPED_TRACE(std::string(shape.name) + " " + std::to_string(count));
        const std::vector<std::int64_t> values = MakeIntegers(shape, count, count);
        Bytes payload;
        EncodeBinned(values, &payload);
        std::vector<std::int64_t> back(count);
        const Status decoded = DecodeBinned(payload, back);
        ASSERT_TRUE(decoded.ok()) << decoded;
        ASSERT_EQ(back, values);
        Bytes light;
        ASSERT_TRUE(LightenBinned(payload, count, &light).ok());
        ASSERT_LE(light.size(), count * 9 + 32 * (count / kSliceValues + 1));
        std::fill(back.begin(), back.end(), 0);
        ASSERT_TRUE(DecodeInt64Sequence(light, count, 0, back).ok());
        ASSERT_EQ(back, values);
      }
    }
  });
}

TEST(BinnedSequence, EndsNearTheEntropy) {
  // Steps of a rounded-down walk have 2.15 bits.
  Random random(3);
  std::vector<std::int64_t> values(32768);
  double at = 50;
  for (auto& value : values) {
    at = std::min(100.0, std::max(0.0, at + NormalStep(random)));
    value = static_cast<std::int64_t>(std::floor(at));
  }
  std::map<std::int64_t, double> counts;
  for (std::size_t i = 1; i < values.size(); ++i) ++counts[values[i] - values[i - 1]];
  double entropy_bits = 0;
  for (const auto& [step, count] : counts) entropy_bits -= count * std::log2(count / 32767);
  Bytes payload;
  EncodeBinned(values, &payload);
  EXPECT_LT(static_cast<double>(payload.size()) * 8, entropy_bits * 1.015 + 800);
  EXPECT_GT(static_cast<double>(payload.size()) * 8, entropy_bits * 0.99);
}

Bytes LightOf(std::span<const std::int64_t> values) {
  Bytes light;
  EncodeInt64Block(values, {}, values.size(), &light);
  return light;
}

TEST(EntropyStage, Int64BlocksKeepTheirRows) {
  for (const IntegerShape& shape : IntegerShapes()) {
    for (const std::size_t count : kSizes) {
      SCOPED_TRACE(std::string(shape.name) + " " + std::to_string(count));
      const std::vector<std::int64_t> values = MakeIntegers(shape, count, 77);
      const Bytes light = LightOf(values);
      Bytes stored = {std::byte{1}};
      if (!EncodeEntropyStage(light, &stored)) {
        ASSERT_EQ(stored.size(), 1U);
        continue;
      }
      stored.erase(stored.begin());
      ASSERT_LT(stored.size(), light.size());
      ASSERT_TRUE(HasEntropyStage(stored));
      ASSERT_FALSE(HasEntropyStage(light));
      EXPECT_EQ(CodeOf(BlockView::Parse(stored).status()), ErrorCode::kDataLoss);
      const auto again = DecodeEntropyStage(stored);
      ASSERT_TRUE(again.ok()) << again.status();
      const auto view = BlockView::Parse(*again);
      ASSERT_TRUE(view.ok()) << view.status();
      std::vector<std::int64_t> back(count);
      ASSERT_TRUE(view->ReadInt64(0, back, {}).ok());
      ASSERT_EQ(back, values);
    }
  }
}

// Doubles of some kind, NULLs among them.
struct DoubleRows {
  std::vector<double> values;
  std::vector<std::uint64_t> validity;
};

DoubleRows MakeDoubleRows(int kind, std::size_t rows) {
  Random random(static_cast<std::uint64_t>(kind) + rows);
  DoubleRows out;
  out.validity.resize(ValidityWords(rows));
  double at = 50;
  for (std::size_t i = 0; i < rows; ++i) {
    if (random.Below(9) == 0) continue;
    out.validity[i / 64] |= std::uint64_t{1} << (i % 64);
    at = std::min(100.0, std::max(0.0, at + NormalStep(random)));
    const double odd[] = {-0.0, std::nan(""), -std::nan("7"), INFINITY, -INFINITY, 5e-324};
    out.values.push_back(kind == 0   ? std::floor(at)
                         : kind == 1 ? std::round(at * 100) / 100
                         : kind == 2 ? at
                         : kind == 3 ? random.NextDouble() * 100
                         : kind == 4 ? std::bit_cast<double>(random.Next())
                         : kind == 5 ? odd[random.Below(6)]
                         : kind == 6 && random.Below(50) == 0 ? odd[random.Below(6)]
                                                              : std::floor(at));
  }
  return out;
}

TEST(EntropyStage, DoubleBlocksKeepEveryBit) {
  for (int kind = 0; kind <= 6; ++kind) {
    for (const std::size_t rows : kSizes) {
      SCOPED_TRACE(std::to_string(kind) + " " + std::to_string(rows));
      const DoubleRows made = MakeDoubleRows(kind, rows);
      const bool all = made.values.size() == rows;
      Bytes light;
      EncodeDoubleBlock(made.values, all ? std::span<const std::uint64_t>() : made.validity, rows,
                        &light);
      Bytes stored;
      if (!EncodeEntropyStage(light, &stored)) continue;
      const auto again = DecodeEntropyStage(stored);
      ASSERT_TRUE(again.ok()) << again.status();
      std::vector<double> back(rows);
      std::vector<double> before(rows);
      const auto view = BlockView::Parse(*again);
      ASSERT_TRUE(view.ok()) << view.status();
      EXPECT_EQ(view->null_count(), rows - made.values.size());
      ASSERT_TRUE(view->ReadDouble(0, back, {}).ok());
      ASSERT_TRUE(BlockView::Parse(light)->ReadDouble(0, before, {}).ok());
      ASSERT_EQ(std::memcmp(back.data(), before.data(), rows * sizeof(double)), 0);
    }
  }
}

TEST(EntropyStage, ReachesTheMarksOfTheMagneticTier) {
  const auto bytes_per_value = [](auto make) {
    Random random(8);
    std::vector<double> values(32768);
    double at = 50;
    for (double& value : values) {
      at = std::min(100.0, std::max(0.0, at + NormalStep(random)));
      value = make(at, random);
    }
    Bytes light;
    EncodeDoubleBlock(values, {}, values.size(), &light);
    Bytes stored;
    EXPECT_TRUE(EncodeEntropyStage(light, &stored));
    return static_cast<double>(stored.size()) / 32768;
  };
  EXPECT_LT(bytes_per_value([](double at, Random&) { return std::floor(at); }), 0.28);
  EXPECT_LT(bytes_per_value([](double at, Random&) { return std::round(at * 100) / 100; }), 1.11);
  EXPECT_LT(bytes_per_value([](double at, Random&) { return at; }), 6.3);
}

TEST(EntropyStage, BooleansAndStringsKeepTheirRows) {
  Random random(12);
  std::vector<std::uint8_t> booleans(20000);
  for (auto& value : booleans) value = random.Below(12) == 0 ? 1 : 0;
  Bytes light;
  EncodeBoolBlock(booleans, {}, booleans.size(), &light);
  Bytes stored;
  ASSERT_TRUE(EncodeEntropyStage(light, &stored));
  const Bytes bools_again = *DecodeEntropyStage(stored);
  std::vector<std::uint8_t> bools_back(booleans.size());
  ASSERT_TRUE(BlockView::Parse(bools_again)->ReadBool(0, bools_back, {}).ok());
  EXPECT_EQ(bools_back, booleans);

  for (const std::uint64_t distinct : {5, 500, 1'000'000'000}) {
    std::vector<std::string> texts(5000);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts[i] = "GET /v1/devices/" + std::to_string(random.Below(distinct)) + "/state";
    }
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    light.clear();
    stored.clear();
    EncodeStringBlock(views, {}, views.size(), &light);
    ASSERT_TRUE(EncodeEntropyStage(light, &stored));
    const Bytes again = *DecodeEntropyStage(stored);
    std::vector<std::string_view> back(texts.size());
    const auto view = BlockView::Parse(again);
    ASSERT_TRUE(view->ReadString(0, back, {}).ok());
    EXPECT_TRUE(std::equal(back.begin(), back.end(), views.begin()));
    ASSERT_TRUE(view->ReadString(4990, std::span(back).first(10), {}).ok());
    EXPECT_EQ(back[9], views[4999]);
  }
}

TEST(EntropyStage, DamageIsRefusedOrDecodesInBounds) {
  Random random(13);
  std::vector<Bytes> stored_blocks;
  const auto keep = [&stored_blocks](const Bytes& light) {
    Bytes stored;
    if (EncodeEntropyStage(light, &stored)) stored_blocks.push_back(std::move(stored));
  };
  for (const IntegerShape& shape : IntegerShapes()) keep(LightOf(MakeIntegers(shape, 2100, 3)));
  for (int kind = 0; kind <= 6; ++kind) {
    const DoubleRows made = MakeDoubleRows(kind, 2100);
    Bytes light;
    EncodeDoubleBlock(made.values, made.validity, 2100, &light);
    keep(light);
  }
  ASSERT_GE(stored_blocks.size(), 8U);
  const auto check = [](BytesView damaged) {
    if (!HasEntropyStage(damaged)) return;
    const auto light = DecodeEntropyStage(damaged);
    if (!light.ok()) {
      EXPECT_EQ(CodeOf(light.status()), ErrorCode::kDataLoss);
      return;
    }
    EXPECT_LE(light->size(), std::size_t{1} << 20);
    const auto view = BlockView::Parse(*light);
    if (!view.ok()) return;
    std::vector<std::int64_t> integers(view->row_count());
    std::vector<double> doubles(view->row_count());
    (void)view->ReadInt64(0, integers, {});
    (void)view->ReadDouble(0, doubles, {});
  };
  for (const Bytes& stored : stored_blocks) {
    for (std::size_t cut = 0; cut < stored.size(); cut += 1 + stored.size() / 100) {
      check(BytesView(stored).first(cut));
    }
    for (int round = 0; round < 500; ++round) {
      Bytes damaged = stored;
      const std::size_t range =
          round % 2 == 0 ? std::min<std::size_t>(96, damaged.size()) : damaged.size();
      damaged[random.Below(range)] = static_cast<std::byte>(random.Next());
      check(damaged);
    }
  }
}

}  // namespace
}  // namespace tideline::codec
