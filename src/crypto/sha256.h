// crypto/sha256.h: SHA-256, HMAC-SHA-256 and HKDF-SHA-256.
//
// FIPS 180-4, RFC 2104 and RFC 5869 over OpenSSL's EVP, which picks the machine's SHA instructions.
// The algorithm is fetched once per process and one-shot calls reuse a context per thread, so that
// short messages (signatures) do not pay for OpenSSL 3's provider look-ups.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/bytes.h"

struct evp_md_ctx_st;

namespace tideline::crypto {

inline constexpr std::size_t kSha256Bytes = 32;
using Sha256Digest = std::array<std::byte, kSha256Bytes>;

/// Hashes a message that arrives in pieces. Not thread-safe. Reusable after Finish.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&& other) noexcept;
  Sha256& operator=(Sha256&& other) noexcept;

  void Update(BytesView bytes);
  void Update(std::string_view text) { Update(AsBytes(text)); }
  /// The digest of what came since construction, Reset or the last Finish; begins a new message.
  Sha256Digest Finish();
  /// Forgets what came so far.
  void Reset();

 private:
  evp_md_ctx_st* context_;
};

/// Thread-safe, like every free function here.
Sha256Digest Sha256Of(BytesView bytes);
inline Sha256Digest Sha256Of(std::string_view text) { return Sha256Of(AsBytes(text)); }

/// `key` of any length; longer than 64 bytes it is hashed first, as RFC 2104 says.
Sha256Digest HmacSha256(BytesView key, BytesView message);
inline Sha256Digest HmacSha256(BytesView key, std::string_view message) {
  return HmacSha256(key, AsBytes(message));
}

/// Most bytes one HKDF call can yield (RFC 5869: 255 blocks).
inline constexpr std::size_t kHkdfBytesMax = 255 * kSha256Bytes;
/// Derives `out_bytes` (<= kHkdfBytesMax, checked) from `secret`; `info` says what they are for.
Bytes HkdfSha256(BytesView secret, BytesView salt, std::string_view info, std::size_t out_bytes);

/// Compares in a time that depends on the lengths alone.
bool ConstantTimeEqual(BytesView a, BytesView b);
inline bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  return ConstantTimeEqual(AsBytes(a), AsBytes(b));
}

}  // namespace tideline::crypto
