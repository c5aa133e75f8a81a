#include "crypto/aead.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <limits>
#include <memory>

#include "base/check.h"

namespace tideline::crypto {
namespace {

struct CipherContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

const EVP_CIPHER* FetchedAes256Gcm() {
  static EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  TL_CHECK(algorithm != nullptr);
  return algorithm;
}

// One context a thread and direction: the key schedule is set for each message (some 100 ns), and
// overwritten after it; the allocation is not made anew.
EVP_CIPHER_CTX* ThreadCipherContext(bool encrypt) {
  thread_local std::unique_ptr<EVP_CIPHER_CTX, CipherContextDeleter> contexts[2];
  auto& context = contexts[encrypt ? 1 : 0];
  if (context == nullptr) {
    context.reset(EVP_CIPHER_CTX_new());
    TL_CHECK(context != nullptr);
    TL_CHECK(EVP_CipherInit_ex2(context.get(), FetchedAes256Gcm(), nullptr, nullptr,
                                encrypt ? 1 : 0, nullptr) == 1);
  }
  return context.get();
}

const unsigned char* Chars(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* Chars(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

int IntSize(std::size_t bytes) {
  TL_CHECK(bytes <= static_cast<std::size_t>(std::numeric_limits<int>::max()) - kAeadTagBytes);
  return static_cast<int>(bytes);
}

EVP_CIPHER_CTX* BeginMessage(bool encrypt, const AeadKey& key, const AeadNonce& nonce,
                             BytesView associated) {
  EVP_CIPHER_CTX* context = ThreadCipherContext(encrypt);
  TL_CHECK(EVP_CipherInit_ex2(context, nullptr, Chars(key.data()), Chars(nonce.data()),
                              encrypt ? 1 : 0, nullptr) == 1);
  int count = 0;
  if (!associated.empty()) {
    TL_CHECK(EVP_CipherUpdate(context, nullptr, &count, Chars(associated.data()),
                              IntSize(associated.size())) == 1);
  }
  return context;
}

// Puts the schedule of a key that is no secret in the place of the one used, so that what a thread
// sealed last does not linger in its context.
void ForgetKey(EVP_CIPHER_CTX* context, bool encrypt) {
  static constexpr AeadKey kNoKey{};
  TL_CHECK(EVP_CipherInit_ex2(context, nullptr, Chars(kNoKey.data()), nullptr, encrypt ? 1 : 0,
                              nullptr) == 1);
}

}  // namespace

void AeadSeal(const AeadKey& key, const AeadNonce& nonce, BytesView associated, BytesView plain,
              std::span<std::byte> sealed) {
  TL_CHECK(sealed.size() == plain.size() + kAeadTagBytes);
  EVP_CIPHER_CTX* context = BeginMessage(true, key, nonce, associated);
  int count = 0;
  if (!plain.empty()) {
    TL_CHECK(EVP_CipherUpdate(context, Chars(sealed.data()), &count, Chars(plain.data()),
                              IntSize(plain.size())) == 1);
    TL_CHECK(static_cast<std::size_t>(count) == plain.size());
  }
  std::byte* const tag = sealed.data() + plain.size();
  TL_CHECK(EVP_CipherFinal_ex(context, Chars(tag), &count) == 1 && count == 0);
  TL_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kAeadTagBytes),
                               tag) == 1);
  ForgetKey(context, true);
}

Status AeadOpen(const AeadKey& key, const AeadNonce& nonce, BytesView associated, BytesView sealed,
                std::span<std::byte> plain) {
  if (sealed.size() < kAeadTagBytes) {
    OPENSSL_cleanse(plain.data(), plain.size());
    return DataLoss("sealed bytes are shorter than their tag: {} < {}", sealed.size(),
                    kAeadTagBytes);
  }
  TL_CHECK(plain.size() == sealed.size() - kAeadTagBytes);
  std::array<std::byte, kAeadTagBytes> tag;
  std::copy_n(sealed.data() + plain.size(), kAeadTagBytes, tag.begin());
  EVP_CIPHER_CTX* context = BeginMessage(false, key, nonce, associated);
  int count = 0;
  if (!plain.empty()) {
    TL_CHECK(EVP_CipherUpdate(context, Chars(plain.data()), &count, Chars(sealed.data()),
                              IntSize(plain.size())) == 1);
  }
  TL_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kAeadTagBytes),
                               tag.data()) == 1);
  unsigned char none[EVP_MAX_BLOCK_LENGTH];
  const bool authentic = EVP_CipherFinal_ex(context, none, &count) == 1;
  ForgetKey(context, false);
  if (!authentic) {
    OPENSSL_cleanse(plain.data(), plain.size());
    return DataLoss("sealed bytes do not match their tag: {} bytes", sealed.size());
  }
  return OkStatus();
}

}  // namespace tideline::crypto
