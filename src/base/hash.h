// base/hash.h: fast hashes. XXH3 for tables and fingerprints, CRC32C for what is stored.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace tideline {

/// XXH3, 64 bits. The value is stable across versions and machines.
std::uint64_t Hash64(BytesView bytes, std::uint64_t seed = 0);
inline std::uint64_t Hash64(std::string_view text, std::uint64_t seed = 0) {
  return Hash64(AsBytes(text), seed);
}
/// XXH64 with seed 0: the older hash that queries know as xxhash64().
std::uint64_t ClassicHash64(BytesView bytes);
/// Mixes one 64-bit value (for integer keys); a bijection.
std::uint64_t MixHash(std::uint64_t value);
inline std::uint64_t CombineHash(std::uint64_t a, std::uint64_t b) {
  return MixHash(a ^ (b + 0x9e3779b97f4a7c15U + (a << 6) + (a >> 2)));
}

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};
/// XXH3, 128 bits: whole-file fingerprints.
Hash128 HashWide(BytesView bytes);
/// HashWide of bytes that come in pieces. Not thread-safe.
class WideHasher {
 public:
  WideHasher();
  ~WideHasher();
  WideHasher(const WideHasher&) = delete;
  WideHasher& operator=(const WideHasher&) = delete;
  void Update(BytesView bytes);
  /// Of everything so far; more may follow.
  Hash128 Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// CRC32C (Castagnoli) continued from `crc` (0 to begin). Uses SSE4.2 where it is there.
std::uint32_t Crc32c(BytesView bytes, std::uint32_t crc = 0);

}  // namespace tideline
