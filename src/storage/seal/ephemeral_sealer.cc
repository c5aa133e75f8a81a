#include "storage/seal/ephemeral_sealer.h"

#include "crypto/random_bytes.h"
#include "storage/seal/gcm_file_sealer.h"

namespace tideline::seal {

EphemeralSealer::EphemeralSealer()
    : key_(crypto::SecretKey::Generate()), key_id_{crypto::RandomBytes<16>()} {}

Result<KeyId> EphemeralSealer::CurrentKey(const Uuid& /*scope*/) { return key_id_; }

Result<std::unique_ptr<FileSealer>> EphemeralSealer::ForFile(const FileIdentity& identity) {
  if (identity.key_id != key_id_) {
    return PermissionDenied("file {} was sealed by a process that has ended",
                            FormatUuid(identity.file_uuid));
  }
  return MakeGcmFileSealer(key_, identity);
}

}  // namespace tideline::seal
