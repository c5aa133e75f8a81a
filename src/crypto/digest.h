// crypto/digest.h: digests that queries may ask for by name, MD5 and SHA-1 among them.
//
// Nothing of ours is protected by what is here: signatures and seals use crypto/sha256.h.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::crypto {

enum class DigestAlgorithm { kMd5, kSha1, kSha256, kSha512 };

/// The digest of `bytes`: 16, 20, 32 or 64 bytes. kUnimplemented when the system's OpenSSL refuses
/// the algorithm (MD5 on a FIPS machine). Thread-safe.
Result<Bytes> DigestOf(DigestAlgorithm algorithm, BytesView bytes);

}  // namespace tideline::crypto
