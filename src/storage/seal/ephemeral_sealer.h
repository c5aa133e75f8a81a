// storage/seal/ephemeral_sealer.h: seals files that end with the process (spill, spooled results).
//
// One random key, never stored: what a dead process left behind can be read by no one.
#pragma once

#include "crypto/secret_key.h"
#include "storage/seal/sealer.h"

namespace tideline::seal {

class EphemeralSealer final : public Sealer {
 public:
  EphemeralSealer();
  /// The one key, whatever the scope.
  Result<KeyId> CurrentKey(const Uuid& scope) override;
  /// kPermissionDenied for a file of another process.
  Result<std::unique_ptr<FileSealer>> ForFile(const FileIdentity& identity) override;

 private:
  const crypto::SecretKey key_;
  const KeyId key_id_;
};

}  // namespace tideline::seal
