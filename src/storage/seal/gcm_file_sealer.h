// storage/seal/gcm_file_sealer.h: pages of one file under AES-256-GCM (NIST SP 800-38D).
//
//   file key    HKDF-SHA-256(data key, salt = file uuid, info = kFileKeyInfo)
//   nonce       four zero bytes, then the page index as u64, little-endian
//   associated  PageSeed: file uuid, type, format version, key id, page index
//
// A file is written once under a fresh random uuid, so a file key sees each nonce once, and a page
// in another place, of another file or of an older version of it does not authenticate.
#pragma once

#include <memory>
#include <string_view>

#include "crypto/secret_key.h"
#include "storage/seal/sealer.h"

namespace tideline::seal {

inline constexpr std::string_view kFileKeyInfo = "tideline file key 1";

/// Derives the key of the file `identity` from `data_key`, which is not kept.
std::unique_ptr<FileSealer> MakeGcmFileSealer(const crypto::SecretKey& data_key,
                                              const FileIdentity& identity);

}  // namespace tideline::seal
