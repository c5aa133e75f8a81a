#include "base/hash.h"

#include <array>
#include <cstring>
#define XXH_INLINE_ALL
#include <xxhash.h>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace tideline {

std::uint64_t Hash64(BytesView bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint64_t ClassicHash64(BytesView bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

std::uint64_t MixHash(std::uint64_t value) {
  value ^= value >> 32;
  value *= 0xe9846af9b1a615dU;
  value ^= value >> 32;
  value *= 0xe9846af9b1a615dU;
  value ^= value >> 28;
  return value;
}

Hash128 HashWide(BytesView bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

struct WideHasher::State {
  XXH3_state_t xxh;
};

WideHasher::WideHasher() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh); }
WideHasher::~WideHasher() = default;

void WideHasher::Update(BytesView bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

Hash128 WideHasher::Finish() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return {hash.low64, hash.high64};
}

#if defined(__SSE4_2__)
std::uint32_t Crc32c(BytesView bytes, std::uint32_t crc) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  std::uint64_t state = ~crc;
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    state = _mm_crc32_u64(state, word);
  }
  auto narrow = static_cast<std::uint32_t>(state);
  for (; left > 0; --left, ++at) narrow = _mm_crc32_u8(narrow, *at);
  return ~narrow;
}
#else
namespace {
constexpr std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78U : 0U);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = MakeTable();
}  // namespace

std::uint32_t Crc32c(BytesView bytes, std::uint32_t crc) {
  crc = ~crc;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}
#endif

}  // namespace tideline
