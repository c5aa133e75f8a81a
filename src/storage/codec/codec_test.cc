// Every block round-trips over generated input, in whole and in part; hostile bytes are refused.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/kernel_targets.h"
#include "base/random.h"
#include "storage/codec/bit_packing.h"
#include "storage/codec/block.h"
#include "storage/codec/double_codec.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/packed_slice.h"
#include "storage/codec/validity.h"

namespace tideline::codec {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
const std::vector<std::size_t> kCounts = {0,    1,    2,    3,    63,   64,   65,   100,
                                          1023, 1024, 1025, 2048, 5000, 8191, 32768};

double Normal(Random& random) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += random.NextDouble();
  return sum - 6;
}

std::int64_t AnyInt64(Random& random) { return static_cast<std::int64_t>(random.Next()); }

using Int64Maker = std::function<std::vector<std::int64_t>(Random&, std::size_t)>;

template <typename Each>
Int64Maker MakeEach(Each each) {
  return [each](Random& random, std::size_t count) {
    std::vector<std::int64_t> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = each(random, i);
    return values;
  };
}

const std::vector<std::pair<std::string, Int64Maker>>& Int64Makers() {
  static const std::vector<std::pair<std::string, Int64Maker>> makers = {
      {"constant", MakeEach([](Random&, std::size_t) { return std::int64_t{-77}; })},
      {"ends", MakeEach([](Random& r, std::size_t) { return r.Below(2) == 0 ? kLeast : kMost; })},
      {"any", MakeEach([](Random& r, std::size_t) { return AnyInt64(r); })},
      {"clock", MakeEach([](Random&, std::size_t i) {
         return std::int64_t{1'700'000'000'000'000'000} +
                static_cast<std::int64_t>(i) * 10'000'000'000;
       })},
      {"jitter", MakeEach([](Random& r, std::size_t i) {
         return static_cast<std::int64_t>(i * 1'000'000 + r.Below(1000));
       })},
      {"small",
       MakeEach([](Random& r, std::size_t) { return static_cast<std::int64_t>(r.Below(100)); })},
      {"outliers", MakeEach([](Random& r, std::size_t) {
         return r.Below(200) == 0 ? AnyInt64(r) : static_cast<std::int64_t>(r.Below(16));
       })},
      {"few", MakeEach([](Random& r, std::size_t) {
         return static_cast<std::int64_t>(r.Below(5)) * 1'000'000'007;
       })},
      {"runs", MakeEach([](Random&, std::size_t i) {
         return static_cast<std::int64_t>(i / 50 * 7919 % 1000);
       })},
      {"walk",
       [](Random& r, std::size_t count) {
         std::vector<std::int64_t> values(count);
         double at = 50;
         for (auto& value : values) {
           at = std::min(100.0, std::max(0.0, at + Normal(r)));
           value = static_cast<std::int64_t>(at);
         }
         return values;
       }},
  };
  return makers;
}

// NULLs of one kind: 0 none, 1 a few, 2 most, 3 all, 4 in runs. Returns words and the valid rows.
std::vector<std::uint64_t> MakeValidity(Random& random, int kind, std::size_t rows) {
  std::vector<std::uint64_t> words(ValidityWords(rows));
  for (std::size_t i = 0; i < rows; ++i) {
    const bool valid = kind == 0 || (kind == 1 && random.Below(10) != 0) ||
                       (kind == 2 && random.Below(50) == 0) || (kind == 4 && i / 100 % 3 == 1);
    if (valid) words[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  return words;
}

bool IsValid(const std::vector<std::uint64_t>& words, std::size_t row) {
  return (words[row / 64] >> (row % 64) & 1) != 0;
}

// Ranges worth reading of `rows` rows.
std::vector<std::pair<std::size_t, std::size_t>> Ranges(Random& random, std::size_t rows) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges = {{0, rows}, {rows, 0}};
  for (int i = 0; i < 6 && rows > 0; ++i) {
    const std::size_t first = random.Below(rows);
    ranges.emplace_back(first, random.Below(rows - first) + 1);
  }
  return ranges;
}

// Encodes rows, of which some are NULL, and compares every range read back with the rows.
template <typename T, typename Encode, typename Read, typename Same>
void CheckBlock(Random& random, const std::vector<T>& rows, int null_kind, PhysicalKind kind,
                Encode encode, Read read, Same same) {
  const std::vector<std::uint64_t> validity = MakeValidity(random, null_kind, rows.size());
  std::vector<T> dense;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (IsValid(validity, i)) dense.push_back(rows[i]);
  }
  Bytes block;
  const bool all = dense.size() == rows.size();
  encode(dense, all ? std::span<const std::uint64_t>() : validity, rows.size(), &block);
  const auto view = BlockView::Parse(block);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->kind(), kind);
  EXPECT_EQ(view->row_count(), rows.size());
  EXPECT_EQ(view->null_count(), rows.size() - dense.size());
  for (const auto& [first, count] : Ranges(random, rows.size())) {
    std::vector<T> out(count);
    std::vector<std::uint64_t> words(ValidityWords(count));
    const Status status = read(*view, first, out, words);
    ASSERT_TRUE(status.ok()) << status;
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(IsValid(words, i), IsValid(validity, first + i));
      const T expected = IsValid(validity, first + i) ? rows[first + i] : T{};
      ASSERT_TRUE(same(out[i], expected)) << "row " << first + i << " by " << view->codec_name();
    }
  }
}

TEST(BitPacking, RoundTripsEveryWidthAndCount) {
  Random random(1);
  for (unsigned round = 0; round <= 3 * 64; ++round) {
    const unsigned width = round / 3;
    LimitKernelTarget(static_cast<KernelTarget>(round % 3));
    for (const std::size_t count : {1, 2, 63, 500, 1023, 1024}) {
      std::vector<std::uint64_t> values(count);
      for (auto& value : values) value = width == 0 ? 0 : random.Next() >> (64 - width);
      Bytes packed;
      PackBits(values, width, &packed);
      EXPECT_EQ(packed.size(), PackedBytes(count, width));
      if (count == kSliceValues && width > 0) {
        // Value 17 is the second of lane 1: from bit `width` of that lane's words on.
        std::uint64_t word;
        std::memcpy(&word, packed.data() + (width / 64 * 16 + 1) * 8, sizeof(word));
        const unsigned bits = std::min(width, 64 - width % 64);
        EXPECT_EQ(word >> width % 64 << (64 - bits), values[17] << (64 - bits));
      }
      std::vector<std::int64_t> back(count);
      UnpackBits(packed, width, 12345, back);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(static_cast<std::uint64_t>(back[i]), values[i] + 12345) << width << " " << i;
      }
    }
  }
}

TEST(Int64Codecs, EachRoundTripsWhateverItAccepts) {
  Random random(2);
  for (const Int64Codec* codec : Int64Codecs()) {
    for (const auto& [name, make] : Int64Makers()) {
      for (const std::size_t count : kCounts) {
        if (count == 0) continue;
        const std::vector<std::int64_t> values = make(random, count);
        Bytes payload;
        if (!codec->encode(values, &payload)) {
          EXPECT_TRUE(payload.empty());
          continue;
        }
        for (const auto& [first, size] : Ranges(random, count)) {
          std::vector<std::int64_t> out(size);
          if (size == 0) continue;
          ASSERT_TRUE(codec->decode(payload, count, first, out).ok()) << codec->name << name;
          ASSERT_TRUE(std::equal(out.begin(), out.end(),
                                 values.begin() + static_cast<std::ptrdiff_t>(first)))
              << codec->name << " " << name << " " << count;
        }
      }
    }
  }
}

TEST(Int64Codecs, WireIdsAreDistinct) {
  for (const Int64Codec* codec : Int64Codecs()) EXPECT_EQ(FindInt64Codec(codec->wire_id), codec);
  EXPECT_EQ(FindInt64Codec(0), nullptr);
}

TEST(Block, Int64RoundTrips) {
  Random random(3);
  for (const auto& [name, make] : Int64Makers()) {
    for (const std::size_t count : kCounts) {
      for (int nulls = 0; nulls <= 4; ++nulls) {
        SCOPED_TRACE(name + " " + std::to_string(count));
        for (const Effort effort : {Effort::kLight, Effort::kQuick}) {
          CheckBlock(
              random, make(random, count), nulls, PhysicalKind::kInt64,
              [effort](const auto& values, auto validity, std::size_t rows, Bytes* out) {
                EncodeInt64Block(values, validity, rows, out, effort);
              },
              [](const BlockView& view, auto first, auto& out, auto& words) {
                return view.ReadInt64(first, out, words);
              },
              std::equal_to<>());
        }
      }
    }
  }
}

std::vector<double> MakeDoubles(Random& random, int kind, std::size_t count) {
  std::vector<double> values(count);
  double at = 50;
  for (std::size_t i = 0; i < count; ++i) {
    at = std::min(100.0, std::max(0.0, at + Normal(random)));
    switch (kind) {
      case 0:
        values[i] = std::floor(at);
        break;
      case 1:
        values[i] = std::round(at * 100) / 100;
        break;
      case 2:
        values[i] = at;
        break;
      case 3:
        values[i] = std::bit_cast<double>(random.Next());
        break;
      case 4: {
        const double specials[] = {0.0,      -0.0,      std::nan(""), -std::nan("7"),
                                   INFINITY, -INFINITY, 5e-324,       1.7976931348623157e308,
                                   1.5,      0.1};
        values[i] = specials[random.Below(10)];
        break;
      }
      case 5:
        values[i] = random.Below(100) == 0 ? std::nan("") : std::round(at * 10) / 10;
        break;
      case 6:
        values[i] = i < count / 2 ? std::round(at * 1000) / 1000 : std::floor(at);
        break;
      case 7:
        values[i] = -0.0;
        break;
      default:
        values[i] = static_cast<double>(random.Below(1U << 30)) * 1e10;
        break;
    }
  }
  return values;
}

TEST(DoubleCodecs, EachRoundTripsWhateverItAccepts) {
  Random random(14);
  for (const KernelTarget target :
       {KernelTarget::kBase, KernelTarget::kAvx2, KernelTarget::kAvx512}) {
    LimitKernelTarget(target);
    for (const DoubleCodec* codec : DoubleCodecs()) {
      EXPECT_EQ(FindDoubleCodec(codec->wire_id), codec);
      for (int kind = 0; kind <= 8; ++kind) {
        for (const std::size_t count : {1, 2, 100, 1024, 1025, 5000}) {
          const std::vector<double> values = MakeDoubles(random, kind, count);
          Bytes payload;
          if (!codec->encode(values, &payload)) continue;
          for (const auto& [first, size] : Ranges(random, count)) {
            if (size == 0) continue;
            std::vector<double> out(size);
            ASSERT_TRUE(codec->decode(payload, count, first, out).ok()) << codec->name << kind;
            ASSERT_EQ(std::memcmp(out.data(), values.data() + first, size * sizeof(double)), 0)
                << codec->name << " " << kind << " " << count;
          }
        }
      }
    }
  }
}

TEST(Choice, TakesAlpRdForRealDoublesWithoutOrder) {
  Random random(15);
  std::vector<double> values(8192);
  for (double& value : values) value = random.NextDouble() * 100;
  Bytes block;
  EncodeDoubleBlock(values, {}, values.size(), &block);
  EXPECT_EQ(BlockView::Parse(block)->codec_name(), "alp_rd");
  EXPECT_LT(static_cast<double>(block.size()) / 8192, 7.0);
}

TEST(Block, DoubleRoundTripsToTheBit) {
  Random random(4);
  for (int kind = 0; kind <= 8; ++kind) {
    for (const std::size_t count : kCounts) {
      for (const int nulls : {0, 1, 3}) {
        SCOPED_TRACE(std::to_string(kind) + " " + std::to_string(count));
        for (const Effort effort : {Effort::kLight, Effort::kQuick}) {
          CheckBlock(
              random, MakeDoubles(random, kind, count), nulls, PhysicalKind::kDouble,
              [effort](const auto& dense, auto validity, std::size_t rows, Bytes* out) {
                EncodeDoubleBlock(dense, validity, rows, out, effort);
              },
              [](const BlockView& view, auto first, auto& out, auto& words) {
                return view.ReadDouble(first, out, words);
              },
              [](double a, double b) {
                return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
              });
        }
      }
    }
  }
}

TEST(Block, BoolRoundTrips) {
  Random random(5);
  for (const std::uint64_t bound : {1, 2, 100}) {
    for (const std::size_t count : kCounts) {
      for (int nulls = 0; nulls <= 4; ++nulls) {
        std::vector<std::uint8_t> values(count);
        std::uint8_t value = 1;
        for (auto& each : values) {
          if (bound > 1 && random.Below(bound) == 0) value ^= 1;
          each = value;
        }
        CheckBlock(
            random, values, nulls, PhysicalKind::kBool, EncodeBoolBlock,
            [](const BlockView& view, auto first, auto& out, auto& words) {
              return view.ReadBool(first, out, words);
            },
            std::equal_to<>());
      }
    }
  }
}

TEST(Block, StringRoundTripsAndSharesItsDictionary) {
  Random random(6);
  for (const std::uint64_t distinct : {1, 10, 2000, 1'000'000}) {
    for (const std::size_t count : kCounts) {
      for (const int nulls : {0, 1, 3, 4}) {
        std::vector<std::string> texts(count);
        for (auto& text : texts) {
          const std::uint64_t id = random.Below(distinct);
          text = id % 7 == 0 ? "" : std::string(id % 40, 'x') + std::to_string(id);
        }
        std::vector<std::string_view> values(texts.begin(), texts.end());
        CheckBlock(
            random, values, nulls, PhysicalKind::kString, EncodeStringBlock,
            [](const BlockView& view, auto first, auto& out, auto& words) -> Status {
              TL_TRY(view.ReadString(first, out, words));
              if (!view.has_dictionary()) return OkStatus();
              const auto dictionary = TL_TRY(view.ReadDictionary());
              std::vector<std::uint32_t> codes(out.size());
              TL_TRY(view.ReadCodes(first, codes, words));
              for (std::size_t i = 0; i < out.size(); ++i) {
                if (IsValid(words, i)) {
                  EXPECT_EQ(dictionary[codes[i]], out[i]);
                }
              }
              return OkStatus();
            },
            std::equal_to<>());
      }
    }
  }
}

std::string CodecOf(std::span<const std::int64_t> values) {
  Bytes block;
  EncodeInt64Block(values, {}, values.size(), &block);
  return std::string(BlockView::Parse(block)->codec_name());
}

TEST(Choice, TakesTheCodecThatSuits) {
  Random random(7);
  std::map<std::string, std::string> chosen;
  for (const auto& [name, make] : Int64Makers()) chosen[name] = CodecOf(make(random, 32768));
  EXPECT_EQ(chosen["constant"], "constant");
  EXPECT_EQ(chosen["any"], "raw");
  EXPECT_EQ(chosen["clock"], "delta");
  EXPECT_EQ(chosen["small"], "frame");
  EXPECT_EQ(chosen["few"], "dictionary");
  EXPECT_EQ(chosen["runs"], "run_length");
  EXPECT_EQ(chosen["walk"], "delta");
}

TEST(Choice, SizesStayNearTheirMarks) {
  Random random(8);
  const auto bytes_per_value = [&random](int kind) {
    const std::vector<double> values = MakeDoubles(random, kind, 32768);
    Bytes block;
    EncodeDoubleBlock(values, {}, values.size(), &block);
    return static_cast<double>(block.size()) / 32768;
  };
  EXPECT_LT(bytes_per_value(0), 0.42);  // whole-number walk
  EXPECT_LT(bytes_per_value(1), 1.25);  // two decimals
  EXPECT_LT(bytes_per_value(2), 6.6);   // full doubles
  std::vector<std::int64_t> clock(32768);
  for (std::size_t i = 0; i < clock.size(); ++i) clock[i] = static_cast<std::int64_t>(i) * 10 + 17;
  Bytes block;
  EncodeInt64Block(clock, {}, clock.size(), &block);
  EXPECT_LT(block.size(), 512U);  // a steady clock costs no bits per row
}

TEST(Block, SparseColumnCostsWhatItHolds) {
  std::vector<std::uint64_t> validity(ValidityWords(kBlockRowsMax));
  validity[17] = 1;
  const std::int64_t value = 42;
  Bytes block;
  EncodeInt64Block({&value, 1}, validity, kBlockRowsMax, &block);
  EXPECT_LT(block.size(), 24U);
}

// Reads everything there is; only crashes and sanitizers can fail it.
void ReadAll(BytesView block) {
  const auto view = BlockView::Parse(block);
  if (!view.ok()) {
    EXPECT_EQ(CodeOf(view.status()), ErrorCode::kDataLoss);
    return;
  }
  std::vector<std::uint64_t> words(ValidityWords(view->row_count()));
  const auto read = [&](auto out, auto method) {
    out.resize(view->row_count());
    const Status status = ((*view).*method)(0, std::span(out), std::span(words));
    if (!status.ok()) {
      EXPECT_EQ(CodeOf(status), ErrorCode::kDataLoss) << status;
    }
  };
  switch (view->kind()) {
    case PhysicalKind::kInt64:
      read(std::vector<std::int64_t>(), &BlockView::ReadInt64);
      break;
    case PhysicalKind::kDouble:
      read(std::vector<double>(), &BlockView::ReadDouble);
      break;
    case PhysicalKind::kBool:
      read(std::vector<std::uint8_t>(), &BlockView::ReadBool);
      break;
    case PhysicalKind::kString:
      read(std::vector<std::string_view>(), &BlockView::ReadString);
      break;
  }
}

TEST(Hostile, FlippedAndCutBlocksAreHandled) {
  Random random(9);
  std::vector<Bytes> blocks;
  for (const auto& [name, make] : Int64Makers()) {
    EncodeInt64Block(make(random, 1500), {}, 1500, &blocks.emplace_back());
    const auto validity = MakeValidity(random, 1, 1500);
    EncodeInt64Block(make(random, CountValid(validity, 1500)), validity, 1500,
                     &blocks.emplace_back());
  }
  for (int kind = 0; kind <= 6; ++kind) {
    EncodeDoubleBlock(MakeDoubles(random, kind, 1500), {}, 1500, &blocks.emplace_back());
  }
  for (const std::uint64_t distinct : {3, 100000}) {
    std::vector<std::string> texts(1500);
    for (auto& text : texts) text = std::to_string(random.Below(distinct));
    std::vector<std::string_view> views(texts.begin(), texts.end());
    EncodeStringBlock(views, {}, 1500, &blocks.emplace_back());
  }
  for (const Bytes& block : blocks) {
    for (std::size_t cut = 0; cut < block.size(); cut += 1 + block.size() / 200) {
      ReadAll(BytesView(block).first(cut));
    }
    for (int i = 0; i < 400; ++i) {
      Bytes damaged = block;
      // Heads matter most.
      const std::size_t at =
          random.Below(i % 2 == 0 ? std::min<std::size_t>(64, block.size()) : block.size());
      damaged[at] = static_cast<std::byte>(random.Next());
      ReadAll(damaged);
    }
  }
}

TEST(Block, ReadingAsAnotherKindIsRefused) {
  Bytes block;
  const std::int64_t value = 1;
  EncodeInt64Block({&value, 1}, {}, 1, &block);
  const auto view = BlockView::Parse(block);
  ASSERT_TRUE(view.ok());
  double out = 0;
  EXPECT_EQ(CodeOf(view->ReadDouble(0, {&out, 1}, {})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(view->ReadDictionary().status()), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tideline::codec
