#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "crypto/random_bytes.h"

namespace tideline::crypto {
namespace {

struct OpenSslDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
template <typename T>
using OpenSslPointer = std::unique_ptr<T, OpenSslDeleter>;

constexpr std::size_t kHostBytesMax = 253;  // RFC 1035
constexpr int kSerialBytes = 16;

Status OpenSslFailed(std::string_view what) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return Internal("{} failed: {}", what, text);
}

bool IsIpAddress(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// The text goes into OpenSSL's configuration grammar, so nothing that has a meaning there may pass.
Status CheckHostName(const std::string& host) {
  const bool clean = std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == '*';
  });
  if (!clean || host.empty() || host.size() > kHostBytesMax) {
    return InvalidArgument("certificate host is neither a name nor an address: '{}'", host);
  }
  return OkStatus();
}

Result<std::string> AlternativeNames(std::span<const std::string> hosts) {
  if (hosts.size() > kCertificateHostsMax) {
    return InvalidArgument("certificate hosts exceed the limit: {} > {}", hosts.size(),
                           kCertificateHostsMax);
  }
  std::vector<std::string> names = {"DNS:localhost", "IP:127.0.0.1", "IP:::1"};
  for (const std::string& host : hosts) {
    const bool is_address = IsIpAddress(host);
    if (!is_address) TL_TRY(CheckHostName(host));
    std::string name = (is_address ? "IP:" : "DNS:") + host;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

Status AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const OpenSslPointer<X509_EXTENSION> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return OpenSslFailed("adding a certificate extension");
  }
  return OkStatus();
}

bool SetSerialAndTimes(X509* certificate, TimestampNs now) {
  auto serial_bytes = RandomBytes<kSerialBytes>();
  serial_bytes[0] &= std::byte{0x7f};  // a serial number is positive
  BIGNUM* serial =
      BN_bin2bn(reinterpret_cast<unsigned char*>(serial_bytes.data()), kSerialBytes, nullptr);
  const bool serial_set = serial != nullptr &&
                          BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(serial);
  time_t seconds = static_cast<time_t>(now.value / kNsPerSecond);
  constexpr int kDays = kSelfSignedYears * 365 + kSelfSignedYears / 4;
  return serial_set &&
         X509_time_adj_ex(X509_getm_notBefore(certificate), -1, 0, &seconds) != nullptr &&
         X509_time_adj_ex(X509_getm_notAfter(certificate), kDays, 0, &seconds) != nullptr;
}

Result<OpenSslPointer<X509>> BuildCertificate(EVP_PKEY* key, const std::string& names,
                                              TimestampNs now) {
  OpenSslPointer<X509> certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !SetSerialAndTimes(certificate.get(), now) || X509_set_pubkey(certificate.get(), key) != 1) {
    return OpenSslFailed("making a certificate");
  }
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  constexpr unsigned char kCommonName[] = "localhost";
  if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, kCommonName, -1, -1, 0) != 1 ||
      X509_set_issuer_name(certificate.get(), subject) != 1) {
    return OpenSslFailed("naming a certificate");
  }
  TL_TRY(AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TL_TRY(AddExtension(certificate.get(), NID_key_usage, "critical,digitalSignature,keyCertSign"));
  TL_TRY(AddExtension(certificate.get(), NID_ext_key_usage, "serverAuth"));
  TL_TRY(AddExtension(certificate.get(), NID_subject_key_identifier, "hash"));
  TL_TRY(AddExtension(certificate.get(), NID_subject_alt_name, names));
  if (X509_sign(certificate.get(), key, EVP_sha256()) == 0) {
    return OpenSslFailed("signing a certificate");
  }
  return certificate;
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long bytes = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(bytes)};
}

}  // namespace

Result<CertificateAndKey> MakeSelfSignedCertificate(std::span<const std::string> hosts,
                                                    TimestampNs now) {
  const std::string names = TL_TRY(AlternativeNames(hosts));
  const OpenSslPointer<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpenSslFailed("making a P-256 key");
  const OpenSslPointer<X509> certificate = TL_TRY(BuildCertificate(key.get(), names, now));
  const OpenSslPointer<BIO> certificate_bio(BIO_new(BIO_s_mem()));
  const OpenSslPointer<BIO> key_bio(BIO_new(BIO_s_mem()));
  if (certificate_bio == nullptr || key_bio == nullptr ||
      PEM_write_bio_X509(certificate_bio.get(), certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1) {
    return OpenSslFailed("writing a certificate as PEM");
  }
  return CertificateAndKey{TextOf(certificate_bio.get()), TextOf(key_bio.get())};
}

}  // namespace tideline::crypto
