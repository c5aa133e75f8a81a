// storage/seal/sealer.h: encryption at rest, page by page.
//
// A file is cut into pages (their size is the file format's business). A page is stored as
//
//     +------------------------+----------------------+-----------+
//     | cipher text (= plain   | cipher tag           | CRC32C u32|
//     | size)                  | (cipher_bytes(), 0+) |           |
//     +------------------------+----------------------+-----------+
//
// The CRC covers everything before it and is seeded with what the page is (file uuid, type, format
// version, key id, page index): a swapped or stale page fails, and scrub and backup verify without
// keys. The cipher takes the same identity as associated data. A file is written once under a fresh
// uuid, so that (file key, page index) never repeats: that is the nonce of the AEAD form.
//
// The log carries its own CRC per frame, so it uses Encrypt and Decrypt alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/uuid.h"

namespace tideline::seal {

/// Written to disk; a number is never used again for something else.
enum class FileType : std::uint16_t {
  kLog = 1,
  kManifest = 2,
  kSegment = 3,
  kDeletionVector = 4,
  kSeriesFile = 5,
  kSpill = 6,
  kRejectedRecord = 7,
};

/// The name of a data key; nil where nothing is encrypted.
using KeyId = Uuid;

/// What a page belongs to; stored by the file format in the clear and handed back to open.
struct FileIdentity {
  Uuid file_uuid = {};
  FileType type = FileType::kSegment;
  std::uint16_t format_version = 0;
  KeyId key_id = {};
};

inline constexpr std::size_t kPageCrcBytes = 4;

/// What a page is, as bytes: the seed of its CRC and the associated data of its cipher.
///   file uuid 16 | type u16 | format version u16 | key id 16 | page index u64
inline constexpr std::size_t kPageSeedBytes = 16 + 2 + 2 + 16 + 8;
std::array<std::byte, kPageSeedBytes> PageSeed(const FileIdentity& identity,
                                               std::uint64_t page_index);

/// The CRC of a page: over `stored` (without the CRC itself), seeded with identity and index.
std::uint32_t PageCrc(const FileIdentity& identity, std::uint64_t page_index, BytesView stored);
/// Verifies the CRC at the end of `stored`, without keys. kDataLoss naming the page.
Status CheckPage(const FileIdentity& identity, std::uint64_t page_index, BytesView stored);

/// Seals and opens the pages of one file. Thread-safe.
class FileSealer {
 public:
  virtual ~FileSealer() = default;

  const FileIdentity& identity() const { return identity_; }
  /// Bytes that Encrypt adds.
  virtual std::size_t cipher_bytes() const = 0;
  /// Bytes that SealPage adds: cipher_bytes() + kPageCrcBytes.
  std::size_t overhead_bytes() const { return cipher_bytes() + kPageCrcBytes; }

  /// Encrypts `plain` into `sealed`, which has plain.size() + cipher_bytes() bytes (checked) and may
  /// begin where `plain` does. Never twice with one index in one file: the nonce would repeat.
  virtual Status EncryptInto(std::uint64_t page_index, BytesView plain,
                             std::span<std::byte> sealed) const = 0;
  /// Undoes EncryptInto: `plain` has sealed.size() - cipher_bytes() bytes (checked) and may begin
  /// where `sealed` does. kDataLoss when not authentic, or shorter than cipher_bytes().
  virtual Status DecryptInto(std::uint64_t page_index, BytesView sealed,
                             std::span<std::byte> plain) const = 0;

  /// The same in place: `page` holds the plain bytes followed by cipher_bytes() of room, which is
  /// filled.
  Status Encrypt(std::uint64_t page_index, std::span<std::byte> page) const;
  /// Undoes Encrypt in place; the view is the front part of `page`.
  Result<BytesView> Decrypt(std::uint64_t page_index, std::span<std::byte> page) const;

  /// Encrypts and adds the CRC: `page` holds the plain bytes followed by overhead_bytes() of room.
  Status SealPage(std::uint64_t page_index, std::span<std::byte> page) const;
  /// Checks the CRC and decrypts in place; the view is the plain bytes, in `page`. kDataLoss.
  Result<BytesView> OpenPage(std::uint64_t page_index, std::span<std::byte> page) const;

 protected:
  explicit FileSealer(const FileIdentity& identity) : identity_(identity) {}

 private:
  const FileIdentity identity_;
};

/// Knows the keys. Thread-safe; outlives the FileSealers it makes. Real forms: PlainSealer below,
/// KeyRing (key_ring.h) for a data directory, EphemeralSealer for files that end with the process.
class Sealer {
 public:
  virtual ~Sealer() = default;
  /// The key that new files of this scope take: a table's uuid, or the lane's for log and manifest.
  /// kUnavailable when the key service is out of reach and no key is cached.
  virtual Result<KeyId> CurrentKey(const Uuid& scope) = 0;
  /// For writing a new file and for reading an old one. kPermissionDenied or kUnavailable where the
  /// key `identity.key_id` is not to be had, kDataLoss where it cannot exist.
  virtual Result<std::unique_ptr<FileSealer>> ForFile(const FileIdentity& identity) = 0;
  /// Scopes that have keys, ascending; none without encryption.
  virtual std::vector<Uuid> Scopes() const { return {}; }
  /// Removes every key of a scope, for ever: what they sealed cannot be read again. Files that are
  /// open go on. OK when there is none.
  virtual Status DestroyKeys(const Uuid& /*scope*/) { return OkStatus(); }
};

/// Has no keys, yet knows how long sealed pages are: for checks of checksums and for printing what is
/// stored in the clear. Encrypting and decrypting under a key is kPermissionDenied.
class KeylessSealer final : public Sealer {
 public:
  Result<KeyId> CurrentKey(const Uuid& scope) override;
  Result<std::unique_ptr<FileSealer>> ForFile(const FileIdentity& identity) override;
};

/// Bytes that sealing adds to each page under a key of any kind (the tag of AES-256-GCM).
inline constexpr std::size_t kCipherBytes = 16;

/// No encryption: pages carry their CRC only, and the only key is nil.
class PlainSealer final : public Sealer {
 public:
  Result<KeyId> CurrentKey(const Uuid& scope) override;
  Result<std::unique_ptr<FileSealer>> ForFile(const FileIdentity& identity) override;
};

}  // namespace tideline::seal
