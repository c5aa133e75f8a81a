// server/root_key.h: the root access key and the TLS certificate that a data directory keeps.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "service/auth/authenticator.h"
#include "storage/fs/file_system.h"

namespace tideline::server {

/// The key kept in `data_dir`/root-key.json (mode 0600). Made at the first call; `*created` then says so, that the
/// caller may print it at once: nothing prints it later, however this start ends.
Result<auth::AccessKey> LoadOrCreateRootKey(fs::FileSystem& fs, std::string_view data_dir,
                                            std::string_view account_id, bool* created);

/// Where LoadOrCreateCertificate keeps the two.
std::string CertificatePath(std::string_view data_dir);
std::string CertificateKeyPath(std::string_view data_dir);

/// The certificate and key kept in `data_dir`/tls/, if both are there.
Result<std::optional<crypto::CertificateAndKey>> LoadCertificate(fs::FileSystem& fs, std::string_view data_dir);

/// The same; a self-signed one is made at the first call.
Result<crypto::CertificateAndKey> LoadOrCreateCertificate(fs::FileSystem& fs,
                                                          std::string_view data_dir,
                                                          TimestampNs now);

}  // namespace tideline::server
