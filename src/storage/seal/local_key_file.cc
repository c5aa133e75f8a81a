#include "storage/seal/local_key_file.h"

#include <algorithm>
#include <cstring>

#include "crypto/random_bytes.h"

namespace tideline::seal {
namespace {

constexpr std::size_t kKeyFileBytesMax = 64 * 1024;
constexpr std::string_view kHead =
    "# Tideline master keys. Whoever has this file and the data directory can read the data; without\n"
    "# this file no one can. Keep a copy in another place. The last key is the current one.\n";
constexpr std::string_view kLineBegin = "key ";
constexpr std::size_t kIdCharacters = 36;

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads digits straight into locked memory; no copy is made on the way.
bool ParseKeyDigits(std::string_view digits, crypto::AeadKey* key) {
  if (digits.size() != 2 * key->size()) return false;
  for (std::size_t i = 0; i < key->size(); ++i) {
    const int high = DigitOf(digits[2 * i]);
    const int low = DigitOf(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*key)[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

Result<WrappedKey> WrapUnder(const std::string& master_id, const crypto::SecretKey& master,
                             const crypto::SecretKey& key, BytesView context) {
  const auto nonce = crypto::RandomBytes<crypto::kAeadNonceBytes>();
  WrappedKey wrapped{.master_key = master_id, .bytes = {}};
  wrapped.bytes.resize(nonce.size() + crypto::kAeadKeyBytes + crypto::kAeadTagBytes);
  std::memcpy(wrapped.bytes.data(), nonce.data(), nonce.size());
  crypto::AeadSeal(master.bytes(), nonce, context, key.bytes(),
                   std::span(wrapped.bytes).subspan(nonce.size()));
  return wrapped;
}

}  // namespace

Result<std::vector<LocalKeyFile::MasterKey>> LocalKeyFile::Parse(std::string_view text,
                                                                 std::string_view path) {
  std::vector<MasterKey> keys;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    crypto::SecretKey key;
    const bool shaped = line.starts_with(kLineBegin) &&
                        line.size() > kLineBegin.size() + kIdCharacters &&
                        line[kLineBegin.size() + kIdCharacters] == ' ';
    const Result<Uuid> id = shaped ? ParseUuid(line.substr(kLineBegin.size(), kIdCharacters))
                                   : Result<Uuid>(InvalidArgument("no key"));
    // The line is never repeated in a message: it may be most of a key.
    if (!id.ok() ||
        !ParseKeyDigits(line.substr(kLineBegin.size() + kIdCharacters + 1), &key.writable())) {
      return DataLoss("line {} of the key file {} is not 'key <uuid> <64 hexadecimal digits>'; "
                      "restore the file from its copy",
                      line_number, path);
    }
    if (keys.size() >= kMasterKeysMax) {
      return DataLoss("the key file {} holds more than {} keys", path, kMasterKeysMax);
    }
    keys.push_back({FormatUuid(*id), std::make_shared<const crypto::SecretKey>(std::move(key))});
  }
  if (keys.empty()) {
    return DataLoss("the key file {} holds no key; restore it from its copy", path);
  }
  return keys;
}

Bytes LocalKeyFile::Print(const std::vector<MasterKey>& keys) {
  static constexpr char kDigits[] = "0123456789abcdef";
  Bytes text;
  // Reserved whole, so that growing leaves no copy of a key behind.
  text.reserve(kHead.size() + keys.size() * 128);
  const auto put = [&text](std::string_view part) {
    text.insert(text.end(), AsBytes(part).begin(), AsBytes(part).end());
  };
  put(kHead);
  for (const MasterKey& master : keys) {
    put(kLineBegin);
    put(master.id);
    put(" ");
    for (const std::byte byte : master.key->bytes()) {
      text.push_back(static_cast<std::byte>(kDigits[static_cast<unsigned>(byte) >> 4]));
      text.push_back(static_cast<std::byte>(kDigits[static_cast<unsigned>(byte) & 15]));
    }
    put("\n");
  }
  return text;
}

LocalKeyFile::MasterKey LocalKeyFile::MakeMasterKey() {
  return {FormatUuid(Uuid{crypto::RandomBytes<16>()}),
          std::make_shared<const crypto::SecretKey>(crypto::SecretKey::Generate())};
}

Result<std::unique_ptr<LocalKeyFile>> LocalKeyFile::Open(fs::FileSystem& fs, std::string_view path) {
  Bytes text = TL_TRY(fs::ReadWholeFile(fs, path, kKeyFileBytesMax));
  auto keys = Parse(AsText(text), path);
  crypto::Wipe(text);
  if (!keys.ok()) return keys.status();
  std::unique_ptr<LocalKeyFile> file(new LocalKeyFile(fs, path));
  MutexLock lock(file->mutex_);
  file->keys_ = *std::move(keys);
  return file;
}

Result<std::unique_ptr<LocalKeyFile>> LocalKeyFile::Create(fs::FileSystem& fs,
                                                           std::string_view path) {
  std::unique_ptr<LocalKeyFile> file(new LocalKeyFile(fs, path));
  MutexLock lock(file->mutex_);
  file->keys_.push_back(MakeMasterKey());
  Bytes text = Print(file->keys_);
  const Status written = fs::WriteFileOnce(fs, path, text);
  crypto::Wipe(text);
  TL_TRY(written);
  return file;
}

Status LocalKeyFile::Replace(std::vector<MasterKey> keys) {
  Bytes text = Print(keys);
  const Status written = fs::WriteFileReplacing(fs_, path_, text);
  crypto::Wipe(text);
  TL_TRY(written);
  keys_ = std::move(keys);
  return OkStatus();
}

Status LocalKeyFile::AddKey() {
  MutexLock lock(mutex_);
  if (keys_.size() >= kMasterKeysMax) {
    return QuotaExceeded("the key file {} holds {} keys, as many as it may", path_, keys_.size());
  }
  std::vector<MasterKey> keys = keys_;
  keys.push_back(MakeMasterKey());
  return Replace(std::move(keys));
}

Status LocalKeyFile::DropOldKeys() {
  MutexLock lock(mutex_);
  return Replace({keys_.back()});
}

std::string LocalKeyFile::CurrentMasterKey() const {
  MutexLock lock(mutex_);
  return keys_.back().id;
}

Result<GeneratedKey> LocalKeyFile::Generate(BytesView context) {
  GeneratedKey generated{.plain = crypto::SecretKey::Generate(), .wrapped = {}};
  generated.wrapped = TL_TRY(Wrap(generated.plain, context));
  return generated;
}

Result<WrappedKey> LocalKeyFile::Wrap(const crypto::SecretKey& key, BytesView context) {
  MutexLock lock(mutex_);
  return WrapUnder(keys_.back().id, *keys_.back().key, key, context);
}

Result<crypto::SecretKey> LocalKeyFile::Unwrap(const WrappedKey& wrapped, BytesView context) {
  std::shared_ptr<const crypto::SecretKey> master;
  {
    MutexLock lock(mutex_);
    for (const MasterKey& key : keys_) {
      if (key.id == wrapped.master_key) master = key.key;
    }
  }
  if (master == nullptr) {
    return PermissionDenied(
        "the key file {} does not hold master key {}, under which the data is encrypted; put the key "
        "file of this database there, or name it with --key-file",
        path_, wrapped.master_key);
  }
  constexpr std::size_t kWrappedBytes =
      crypto::kAeadNonceBytes + crypto::kAeadKeyBytes + crypto::kAeadTagBytes;
  crypto::SecretKey key;
  if (wrapped.bytes.size() == kWrappedBytes) {
    crypto::AeadNonce nonce;
    std::memcpy(nonce.data(), wrapped.bytes.data(), nonce.size());
    if (crypto::AeadOpen(master->bytes(), nonce, context,
                         BytesView(wrapped.bytes).subspan(nonce.size()), key.writable())
            .ok()) {
      return key;
    }
  }
  return DataLoss("a data key does not open under master key {} of the key file {}: one of them is "
                  "damaged; restore it from its copy",
                  wrapped.master_key, path_);
}

}  // namespace tideline::seal
