#include "crypto/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <utility>

#include "base/check.h"

namespace tideline::crypto {
namespace {

constexpr std::size_t kSha256BlockBytes = 64;

// Fetched once and never freed: EVP_sha256() would make OpenSSL 3 look its provider up per message.
const EVP_MD* FetchedSha256() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  TL_CHECK(algorithm != nullptr);
  return algorithm;
}

EVP_MD_CTX* NewSha256Context() {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  TL_CHECK(context != nullptr);
  TL_CHECK(EVP_DigestInit_ex2(context, FetchedSha256(), nullptr) == 1);
  return context;
}

// The context that this thread's one-shot calls share.
Sha256& ThreadSha256() {
  thread_local Sha256 hash;
  return hash;
}

}  // namespace

Sha256::Sha256() : context_(NewSha256Context()) {}
Sha256::~Sha256() { EVP_MD_CTX_free(context_); }
Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

void Sha256::Update(BytesView bytes) {
  TL_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest;
  unsigned int bytes = 0;
  TL_CHECK(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), &bytes) ==
           1);
  TL_CHECK(bytes == digest.size());
  Reset();
  return digest;
}

// A null algorithm keeps the one in the context, and with it the allocated state.
void Sha256::Reset() { TL_CHECK(EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1); }

Sha256Digest Sha256Of(BytesView bytes) {
  Sha256& hash = ThreadSha256();
  hash.Update(bytes);
  return hash.Finish();
}

Sha256Digest HmacSha256(BytesView key, BytesView message) {
  std::array<std::byte, kSha256BlockBytes> block{};
  if (key.size() > block.size()) {
    const Sha256Digest short_key = Sha256Of(key);
    std::copy(short_key.begin(), short_key.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  Sha256& hash = ThreadSha256();
  for (std::byte& byte : block) byte ^= std::byte{0x36};
  hash.Update(block);
  hash.Update(message);
  const Sha256Digest inner = hash.Finish();
  for (std::byte& byte : block) byte ^= std::byte{0x36 ^ 0x5c};
  hash.Update(block);
  hash.Update(inner);
  OPENSSL_cleanse(block.data(), block.size());
  return hash.Finish();
}

Bytes HkdfSha256(BytesView secret, BytesView salt, std::string_view info, std::size_t out_bytes) {
  TL_CHECK(out_bytes <= kHkdfBytesMax);
  const Sha256Digest no_salt{};
  Sha256Digest extracted = HmacSha256(salt.empty() ? BytesView(no_salt) : salt, secret);
  Bytes out;
  out.reserve(out_bytes + kSha256Bytes);
  Bytes block;
  for (std::uint8_t counter = 1; out.size() < out_bytes; ++counter) {
    const BytesView tag = AsBytes(info);
    block.insert(block.end(), tag.begin(), tag.end());
    block.push_back(std::byte{counter});
    const Sha256Digest piece = HmacSha256(extracted, block);
    out.insert(out.end(), piece.begin(), piece.end());
    block.assign(piece.begin(), piece.end());
  }
  OPENSSL_cleanse(extracted.data(), extracted.size());
  out.resize(out_bytes);
  return out;
}

bool ConstantTimeEqual(BytesView a, BytesView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tideline::crypto
