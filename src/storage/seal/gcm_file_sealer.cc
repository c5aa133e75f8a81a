#include "storage/seal/gcm_file_sealer.h"

#include <cstring>

#include "base/check.h"
#include "crypto/aead.h"

namespace tideline::seal {
namespace {

static_assert(kCipherBytes == crypto::kAeadTagBytes);

crypto::AeadNonce NonceOf(std::uint64_t page_index) {
  crypto::AeadNonce nonce{};
  std::memcpy(nonce.data() + nonce.size() - sizeof(page_index), &page_index, sizeof(page_index));
  return nonce;
}

class GcmFileSealer final : public FileSealer {
 public:
  GcmFileSealer(const FileIdentity& identity, crypto::SecretKey key)
      : FileSealer(identity), key_(std::move(key)) {}

  std::size_t cipher_bytes() const override { return kCipherBytes; }

  Status EncryptInto(std::uint64_t page_index, BytesView plain,
                     std::span<std::byte> sealed) const override {
    crypto::AeadSeal(key_.bytes(), NonceOf(page_index), PageSeed(identity(), page_index), plain,
                     sealed);
    return OkStatus();
  }

  Status DecryptInto(std::uint64_t page_index, BytesView sealed,
                     std::span<std::byte> plain) const override {
    if (sealed.size() >= crypto::kAeadTagBytes &&
        crypto::AeadOpen(key_.bytes(), NonceOf(page_index), PageSeed(identity(), page_index), sealed,
                         plain)
            .ok()) {
      return OkStatus();
    }
    return DataLoss("page {} of file {} is not what was sealed there under key {}", page_index,
                    FormatUuid(identity().file_uuid), FormatUuid(identity().key_id));
  }

 private:
  const crypto::SecretKey key_;
};

}  // namespace

std::unique_ptr<FileSealer> MakeGcmFileSealer(const crypto::SecretKey& data_key,
                                              const FileIdentity& identity) {
  TL_CHECK(!identity.key_id.is_nil());
  return std::make_unique<GcmFileSealer>(
      identity, crypto::DeriveKey(data_key, identity.file_uuid.bytes, kFileKeyInfo));
}

}  // namespace tideline::seal
