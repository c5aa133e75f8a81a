#include "compress/compress.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tideline::compress {
namespace {

Bytes SomeBytes(Random& random, std::size_t count, bool repetitive) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>(repetitive ? (i / 16) % 7 : random.Next());
  }
  return bytes;
}

constexpr Method kMethods[] = {Method::kNone, Method::kLz4, Method::kZstd};

TEST(Compress, RoundTripsEveryMethodAndSize) {
  Random random(1);
  for (const Method method : kMethods) {
    for (const std::size_t count : {0, 1, 2, 15, 16, 1000, 65'536, 300'000}) {
      for (const bool repetitive : {false, true}) {
        const Bytes raw = SomeBytes(random, count, repetitive);
        Bytes stored = {std::byte{42}};  // what is there stays
        ASSERT_TRUE(Compress({.method = method}, raw, &stored).ok());
        ASSERT_EQ(stored[0], std::byte{42});
        const Result<Bytes> back =
            Decompress(method, BytesView(stored).subspan(1), raw.size(), raw.size());
        ASSERT_TRUE(back.ok()) << MethodName(method) << " " << count;
        EXPECT_EQ(*back, raw);
      }
    }
  }
}

TEST(Compress, SaysWhenItDoesNotPay) {
  Random random(2);
  const Bytes noise = SomeBytes(random, 4096, false);
  const Bytes steady = SomeBytes(random, 4096, true);
  Bytes out(4096 * 7 / 8);
  for (const Method method : {Method::kLz4, Method::kZstd}) {
    EXPECT_EQ(CompressInto({.method = method}, noise, out), 0U);
    const std::size_t used = CompressInto({.method = method}, steady, out);
    EXPECT_GT(used, 0U);
    EXPECT_LT(used, 1000U);
  }
}

TEST(Compress, RefusesSizesAboveTheLimitBeforeAllocating) {
  const Bytes stored(10);
  for (const Method method : kMethods) {
    const Result<Bytes> huge = Decompress(method, stored, std::size_t{1} << 60, SIZE_MAX);
    EXPECT_EQ(CodeOf(huge.status()), ErrorCode::kDataLoss);
    EXPECT_EQ(CodeOf(Decompress(method, stored, 1001, 1000).status()), ErrorCode::kDataLoss);
  }
}

TEST(Compress, DamagedBlocksAreDataLossNeverACrash) {
  Random random(3);
  for (const Method method : kMethods) {
    const Bytes raw = SomeBytes(random, 5000, true);
    Bytes stored;
    ASSERT_TRUE(Compress({.method = method}, raw, &stored).ok());
    Bytes out(raw.size());
    for (std::size_t cut = 0; cut < stored.size(); cut += 1 + stored.size() / 100) {
      EXPECT_FALSE(DecompressInto(method, BytesView(stored).first(cut), out).ok());
    }
    Bytes shorter(raw.size() - 1);
    EXPECT_FALSE(DecompressInto(method, stored, shorter).ok());
    Bytes longer(raw.size() + 1);
    EXPECT_FALSE(DecompressInto(method, stored, longer).ok());
    for (int round = 0; round < 500; ++round) {
      Bytes damaged = stored;
      damaged[random.Below(damaged.size())] ^= std::byte{1} << random.Below(8);
      (void)DecompressInto(method, damaged, out);  // any answer, no crash
    }
  }
  EXPECT_EQ(CodeOf(MethodFromWire(9).status()), ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace tideline::compress
