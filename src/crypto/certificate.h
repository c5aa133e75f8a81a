// crypto/certificate.h: the certificate a server makes for itself at its first start.
#pragma once

#include <span>
#include <string>

#include "base/status.h"
#include "base/time.h"

namespace tideline::crypto {

/// Both in PEM; the key unencrypted in PKCS #8.
struct CertificateAndKey {
  std::string certificate_pem;
  std::string private_key_pem;
};

/// Years a self-signed certificate is valid for, from one day before `now`.
inline constexpr int kSelfSignedYears = 10;
/// Most names one certificate carries besides the local ones.
inline constexpr std::size_t kCertificateHostsMax = 100;

/// Makes an ECDSA P-256 key and a certificate that it signs itself: CN=localhost, subject
/// alternative names localhost, 127.0.0.1, ::1 and `hosts` (names, wildcards, IPv4 or IPv6
/// addresses without brackets; repeats are dropped). The certificate is marked as an authority, so
/// that a client can trust it by naming it as its CA file.
/// Errors: kInvalidArgument for a host with characters no name has, or too many.
Result<CertificateAndKey> MakeSelfSignedCertificate(std::span<const std::string> hosts,
                                                    TimestampNs now);

}  // namespace tideline::crypto
