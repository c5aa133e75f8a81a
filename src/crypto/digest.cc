#include "crypto/digest.h"

#include <openssl/evp.h>

namespace tideline::crypto {
namespace {

constexpr const char* kDigestNames[] = {"MD5", "SHA1", "SHA256", "SHA512"};

// Fetched once per process and never freed, as in crypto/sha256.cc; null when refused.
template <DigestAlgorithm algorithm>
const EVP_MD* FetchedDigest() {
  static EVP_MD* const digest =
      EVP_MD_fetch(nullptr, kDigestNames[static_cast<int>(algorithm)], nullptr);
  return digest;
}

const EVP_MD* DigestNamed(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return FetchedDigest<DigestAlgorithm::kMd5>();
    case DigestAlgorithm::kSha1:
      return FetchedDigest<DigestAlgorithm::kSha1>();
    case DigestAlgorithm::kSha256:
      return FetchedDigest<DigestAlgorithm::kSha256>();
    case DigestAlgorithm::kSha512:
      return FetchedDigest<DigestAlgorithm::kSha512>();
  }
  return nullptr;
}

}  // namespace

Result<Bytes> DigestOf(DigestAlgorithm algorithm, BytesView bytes) {
  const EVP_MD* digest = DigestNamed(algorithm);
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (digest == nullptr ||
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size,
                 digest, nullptr) != 1) {
    return Unimplemented("this system does not offer the digest {}",
                         kDigestNames[static_cast<int>(algorithm)]);
  }
  out.resize(size);
  return out;
}

}  // namespace tideline::crypto
