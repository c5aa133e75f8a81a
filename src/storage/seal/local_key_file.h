// storage/seal/local_key_file.h: master keys in a file of mode 0600.
//
//   # Tideline master keys. ...
//   key 6f0c2f6e-6f5c-4b1a-9a55-0a3e5d0c8a11 <64 hexadecimal digits>
//
// One line a key, the last is the current one; lines that begin with '#' and empty ones say nothing.
// A wrapped key is nonce (12 random bytes), cipher text (32), tag (16) of AES-256-GCM with the
// context as associated data. Who has this file and the data directory can read the data; who has
// lost it cannot.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/uuid.h"
#include "storage/fs/file_system.h"
#include "storage/seal/key_provider.h"

namespace tideline::seal {

inline constexpr std::size_t kMasterKeysMax = 64;

class LocalKeyFile final : public KeyProvider {
 public:
  /// Reads the file. kNotFound: it is not there. kPermissionDenied: it may not be read. kDataLoss:
  /// it holds something else, naming the line.
  static Result<std::unique_ptr<LocalKeyFile>> Open(fs::FileSystem& fs, std::string_view path);
  /// Makes a file with one fresh key. kAlreadyExists: nothing was changed.
  static Result<std::unique_ptr<LocalKeyFile>> Create(fs::FileSystem& fs, std::string_view path);

  Result<GeneratedKey> Generate(BytesView context) override;
  Result<WrappedKey> Wrap(const crypto::SecretKey& key, BytesView context) override;
  Result<crypto::SecretKey> Unwrap(const WrappedKey& wrapped, BytesView context) override;
  std::string CurrentMasterKey() const override;

  /// Adds a fresh key, current from now on; the file is replaced whole. kQuotaExceeded above
  /// kMasterKeysMax.
  Status AddKey();
  /// Drops all keys but the current one. Data keys that were not wrapped anew are lost with them.
  Status DropOldKeys();
  const std::string& path() const { return path_; }

 private:
  struct MasterKey {
    std::string id;
    std::shared_ptr<const crypto::SecretKey> key;
  };
  LocalKeyFile(fs::FileSystem& fs, std::string_view path) : fs_(fs), path_(path) {}
  static Result<std::vector<MasterKey>> Parse(std::string_view text, std::string_view path);
  static Bytes Print(const std::vector<MasterKey>& keys);
  static MasterKey MakeMasterKey();
  Status Replace(std::vector<MasterKey> keys) TL_REQUIRES(mutex_);

  fs::FileSystem& fs_;
  const std::string path_;
  mutable Mutex mutex_;
  std::vector<MasterKey> keys_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::seal
