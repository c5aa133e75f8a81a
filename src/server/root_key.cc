#include "server/root_key.h"

#include "base/json.h"
#include "crypto/random_bytes.h"

namespace tideline::server {
namespace {

constexpr std::string_view kKeyFile = "root-key.json";
constexpr std::string_view kTlsDirectory = "tls";
constexpr std::size_t kSmallFileBytesMax = 1 << 20;
constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Both alphabets have a power of two of letters, so that a byte's low bits pick one evenly.
std::string RandomText(std::size_t length, std::string_view alphabet) {
  Bytes bytes(length);
  crypto::FillRandom(bytes);
  std::string text;
  for (const std::byte byte : bytes) text += alphabet[static_cast<std::size_t>(byte) % alphabet.size()];
  return text;
}

std::string RootArn(std::string_view account_id) {
  return fmt::format("arn:aws:iam::{}:root", account_id);
}

Result<std::string> ReadText(fs::FileSystem& fs, std::string_view path) {
  const Bytes bytes = TL_TRY(fs::ReadWholeFile(fs, path, kSmallFileBytesMax));
  return std::string(AsText(bytes));
}

}  // namespace

Result<auth::AccessKey> LoadOrCreateRootKey(fs::FileSystem& fs, std::string_view data_dir,
                                            std::string_view account_id, bool* created) {
  *created = false;
  const std::string path = fs::JoinPath(data_dir, kKeyFile);
  auth::AccessKey key;
  key.principal_arn = RootArn(account_id);
  const Result<std::string> kept = ReadText(fs, path);
  if (kept.ok()) {
    const Result<JsonValue> json = JsonValue::Parse(*kept);
    if (json.ok()) {
      key.access_key_id = json->FindText("AccessKeyId");
      key.secret_access_key = json->FindText("SecretAccessKey");
    }
    if (key.access_key_id.empty() || key.secret_access_key.empty()) {
      return DataLoss("{} holds no access key; restore it, or remove it to make a new one", path);
    }
    return key;
  }
  if (CodeOf(kept.status()) != ErrorCode::kNotFound) return kept.status();
  key.access_key_id = "TIDE" + RandomText(16, kIdAlphabet);
  key.secret_access_key = RandomText(40, kSecretAlphabet);
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Member("AccessKeyId", key.access_key_id);
  json.Member("SecretAccessKey", key.secret_access_key);
  json.EndObject();
  text += '\n';
  TL_TRY(fs::WriteFileOnce(fs, path, AsBytes(text)));
  *created = true;
  return key;
}

std::string CertificatePath(std::string_view data_dir) {
  return fs::JoinPath(data_dir, fmt::format("{}/certificate.pem", kTlsDirectory));
}

std::string CertificateKeyPath(std::string_view data_dir) {
  return fs::JoinPath(data_dir, fmt::format("{}/key.pem", kTlsDirectory));
}

Result<std::optional<crypto::CertificateAndKey>> LoadCertificate(fs::FileSystem& fs, std::string_view data_dir) {
  const Result<std::string> certificate = ReadText(fs, CertificatePath(data_dir));
  const Result<std::string> key = ReadText(fs, CertificateKeyPath(data_dir));
  for (const auto& status : {certificate.status(), key.status()}) {
    if (!status.ok() && CodeOf(status) != ErrorCode::kNotFound) return status;
  }
  if (!certificate.ok() || !key.ok()) return std::optional<crypto::CertificateAndKey>();
  return std::optional(crypto::CertificateAndKey{*certificate, *key});
}

Result<crypto::CertificateAndKey> LoadOrCreateCertificate(fs::FileSystem& fs,
                                                          std::string_view data_dir,
                                                          TimestampNs now) {
  const auto kept = TL_TRY(LoadCertificate(fs, data_dir));
  if (kept.has_value()) return *kept;
  crypto::CertificateAndKey made = TL_TRY(crypto::MakeSelfSignedCertificate({}, now));
  TL_TRY(fs::CreateDirectories(fs, fs::JoinPath(data_dir, kTlsDirectory)));
  TL_TRY(fs::WriteFileReplacing(fs, CertificateKeyPath(data_dir), AsBytes(made.private_key_pem)));
  TL_TRY(fs::WriteFileReplacing(fs, CertificatePath(data_dir), AsBytes(made.certificate_pem)));
  return made;
}

}  // namespace tideline::server
