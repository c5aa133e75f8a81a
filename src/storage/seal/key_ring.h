// storage/seal/key_ring.h: the data keys of one data directory, each in a small file of its own.
//
// A scope (a table, or the lane for log and manifest) has one or more data keys; the one of the
// highest generation seals new files, older ones open old files. A key is stored wrapped by a
// KeyProvider under `<scope>.<generation, 8 digits>.<key id>` before anything is sealed with it:
//
//   magic u64 "TDLKEY1" | format_version u16 | zeros 6 | key id 16 | scope 16 | generation u32 |
//   master key name: u32 length, text | wrapped key: u32 length, bytes | CRC32C of all before u32
//
// Names alone tell which keys there are, so that opening a directory of many tables reads no file;
// a key is unwrapped when first used and kept, in locked memory, until it is destroyed.
// Layout and worked example: docs/file-format.md, "Keys".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/uuid.h"
#include "storage/fs/file_system.h"
#include "storage/seal/key_provider.h"
#include "storage/seal/sealer.h"

namespace tideline::seal {

inline constexpr std::uint16_t kKeyFormat = 1;
/// Most keys of one directory: a table may have been rotated often, but no listing is endless.
inline constexpr std::size_t kKeysMax = 1'000'000;

/// One key as listed.
struct KeyInfo {
  KeyId id;
  Uuid scope;
  std::uint32_t generation = 0;
  bool is_current = false;  ///< new files of the scope take it
};

class KeyRing final : public Sealer {
 public:
  /// Lists the keys in `directory`, which is made if absent; `fs` and `provider` outlive the ring.
  static Result<std::unique_ptr<KeyRing>> Open(fs::FileSystem& fs, std::string_view directory,
                                               KeyProvider& provider);

  /// The current key of the scope; the first use makes one, durable at return.
  Result<KeyId> CurrentKey(const Uuid& scope) override;
  /// A file without a key is refused with kPermissionDenied: among sealed files it is a forgery.
  Result<std::unique_ptr<FileSealer>> ForFile(const FileIdentity& identity) override;
  std::vector<Uuid> Scopes() const override;
  Status DestroyKeys(const Uuid& scope) override;

  /// In order of scope and generation.
  std::vector<KeyInfo> Keys() const;
  /// Makes a new current key for the scope; files written from now on take it.
  Result<KeyId> Rotate(const Uuid& scope);
  /// Wraps every key that is not under the provider's current master key anew. Interrupted, it is
  /// run again. The count wrapped.
  Result<std::size_t> WrapAnew();
  /// The master key's name of a stored key.
  Result<std::string> MasterKeyOf(const KeyId& id);

 private:
  struct Entry {
    Uuid scope;
    std::uint32_t generation = 0;
    std::shared_ptr<const crypto::SecretKey> plain{};  ///< null until first used
  };
  KeyRing(fs::FileSystem& fs, std::string_view directory, KeyProvider& provider)
      : fs_(fs), directory_(directory), provider_(provider) {}
  std::string PathOf(const KeyId& id, const Uuid& scope, std::uint32_t generation) const;
  Result<KeyId> MakeKey(const Uuid& scope, std::uint32_t generation);
  Result<WrappedKey> ReadKey(const KeyId& id, const Uuid& scope, std::uint32_t generation) const;
  Result<std::shared_ptr<const crypto::SecretKey>> PlainKey(const KeyId& id);

  fs::FileSystem& fs_;
  const std::string directory_;
  KeyProvider& provider_;
  Mutex changing_;  ///< held over the I/O of making and removing keys; taken before mutex_
  mutable Mutex mutex_;
  std::map<KeyId, Entry> keys_ TL_GUARDED_BY(mutex_);
  std::map<Uuid, KeyId> current_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::seal
