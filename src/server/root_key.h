// server/root_key.h: the root access key and the TLS certificate that a data directory keeps.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "service/auth/authenticator.h"
#include "storage/fs/file_system.h"

namespace tideline::server {

/// The key kept in `data_dir`/root-key.json (mode 0600). Made at the first call; `*created` then
/// says so, that the caller may print it once.
Result<auth::AccessKey> LoadOrCreateRootKey(fs::FileSystem& fs, std::string_view data_dir,
                                            std::string_view account_id, bool* created);

/// The self-signed certificate kept in `data_dir`/tls/, made at the first call.
Result<crypto::CertificateAndKey> LoadOrCreateCertificate(fs::FileSystem& fs,
                                                          std::string_view data_dir,
                                                          TimestampNs now);

}  // namespace tideline::server
