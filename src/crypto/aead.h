// crypto/aead.h: authenticated encryption, AES-256-GCM (NIST SP 800-38D).
//
// A nonce must never be used twice with one key: the caller counts or derives it. At random nonces
// one key is good for 2^32 messages.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;
using AeadKey = std::array<std::byte, kAeadKeyBytes>;
using AeadNonce = std::array<std::byte, kAeadNonceBytes>;

/// Encrypts `plain` into `sealed`, whose size is plain.size() + kAeadTagBytes (checked): the
/// ciphertext, then the tag. `associated` is authenticated, not stored. `sealed` may begin where
/// `plain` does. Thread-safe. Messages up to 2^31 - 17 bytes (checked).
void AeadSeal(const AeadKey& key, const AeadNonce& nonce, BytesView associated, BytesView plain,
              std::span<std::byte> sealed);

/// Reverses AeadSeal into `plain`, whose size is sealed.size() - kAeadTagBytes (checked when
/// `sealed` is long enough). Errors: kDataLoss when the tag does not match (wrong key, nonce or
/// associated data, or changed bytes) or `sealed` is shorter than a tag; `plain` is then zeroed.
/// `plain` may begin where `sealed` does. Thread-safe.
Status AeadOpen(const AeadKey& key, const AeadNonce& nonce, BytesView associated, BytesView sealed,
                std::span<std::byte> plain);

}  // namespace tideline::crypto
