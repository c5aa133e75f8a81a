#include "storage/seal/sealer.h"

#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace tideline::seal {

std::array<std::byte, kPageSeedBytes> PageSeed(const FileIdentity& identity,
                                               std::uint64_t page_index) {
  std::array<std::byte, kPageSeedBytes> seed;
  std::byte* at = seed.data();
  const auto put = [&at](const void* bytes, std::size_t count) {
    std::memcpy(at, bytes, count);
    at += count;
  };
  put(identity.file_uuid.bytes.data(), 16);
  put(&identity.type, 2);
  put(&identity.format_version, 2);
  put(identity.key_id.bytes.data(), 16);
  put(&page_index, 8);
  return seed;
}

std::uint32_t PageCrc(const FileIdentity& identity, std::uint64_t page_index, BytesView stored) {
  return Crc32c(stored, Crc32c(PageSeed(identity, page_index)));
}

Status CheckPage(const FileIdentity& identity, std::uint64_t page_index, BytesView stored) {
  if (stored.size() < kPageCrcBytes) {
    return DataLoss("page {} of file {} has {} bytes, less than its checksum", page_index,
                    FormatUuid(identity.file_uuid), stored.size());
  }
  const BytesView covered = stored.first(stored.size() - kPageCrcBytes);
  std::uint32_t expected = 0;
  std::memcpy(&expected, stored.data() + covered.size(), kPageCrcBytes);
  const std::uint32_t actual = PageCrc(identity, page_index, covered);
  if (actual != expected) {
    return DataLoss("page {} of file {} is damaged: CRC32C {:08x}, stored {:08x}", page_index,
                    FormatUuid(identity.file_uuid), actual, expected);
  }
  return OkStatus();
}

Status FileSealer::Encrypt(std::uint64_t page_index, std::span<std::byte> page) const {
  TL_CHECK(page.size() >= cipher_bytes());
  return EncryptInto(page_index, page.first(page.size() - cipher_bytes()), page);
}

Result<BytesView> FileSealer::Decrypt(std::uint64_t page_index, std::span<std::byte> page) const {
  if (page.size() < cipher_bytes()) {
    return DataLoss("page {} of file {} has {} bytes, less than its tag", page_index,
                    FormatUuid(identity_.file_uuid), page.size());
  }
  const std::span<std::byte> plain = page.first(page.size() - cipher_bytes());
  TL_TRY(DecryptInto(page_index, page, plain));
  return BytesView(plain);
}

Status FileSealer::SealPage(std::uint64_t page_index, std::span<std::byte> page) const {
  TL_CHECK(page.size() >= overhead_bytes());
  const std::span<std::byte> covered = page.first(page.size() - kPageCrcBytes);
  TL_TRY(Encrypt(page_index, covered));
  const std::uint32_t crc = PageCrc(identity_, page_index, covered);
  std::memcpy(page.data() + covered.size(), &crc, kPageCrcBytes);
  return OkStatus();
}

Result<BytesView> FileSealer::OpenPage(std::uint64_t page_index, std::span<std::byte> page) const {
  TL_TRY(CheckPage(identity_, page_index, page));
  return Decrypt(page_index, page.first(page.size() - kPageCrcBytes));
}

namespace {
class PlainFileSealer final : public FileSealer {
 public:
  explicit PlainFileSealer(const FileIdentity& identity) : FileSealer(identity) {}
  std::size_t cipher_bytes() const override { return 0; }
  Status EncryptInto(std::uint64_t, BytesView plain, std::span<std::byte> sealed) const override {
    return Copy(plain, sealed);
  }
  Status DecryptInto(std::uint64_t, BytesView sealed, std::span<std::byte> plain) const override {
    return Copy(sealed, plain);
  }

 private:
  static Status Copy(BytesView from, std::span<std::byte> to) {
    TL_CHECK(from.size() == to.size());
    if (from.data() != to.data() && !from.empty()) std::memmove(to.data(), from.data(), from.size());
    return OkStatus();
  }
};

class KeylessFileSealer final : public FileSealer {
 public:
  explicit KeylessFileSealer(const FileIdentity& identity) : FileSealer(identity) {}
  std::size_t cipher_bytes() const override { return kCipherBytes; }
  Status EncryptInto(std::uint64_t, BytesView, std::span<std::byte>) const override {
    return Refusal();
  }
  Status DecryptInto(std::uint64_t, BytesView, std::span<std::byte>) const override {
    return Refusal();
  }

 private:
  Status Refusal() const {
    return PermissionDenied("file {} is encrypted under data key {}; name the key file with --key-file",
                            FormatUuid(identity().file_uuid), FormatUuid(identity().key_id));
  }
};
}  // namespace

Result<KeyId> KeylessSealer::CurrentKey(const Uuid& scope) {
  return PermissionDenied("there is no key to seal files of {} with", FormatUuid(scope));
}

Result<std::unique_ptr<FileSealer>> KeylessSealer::ForFile(const FileIdentity& identity) {
  if (identity.key_id.is_nil()) return std::make_unique<PlainFileSealer>(identity);
  return std::make_unique<KeylessFileSealer>(identity);
}

Result<KeyId> PlainSealer::CurrentKey(const Uuid&) { return KeyId{}; }

Result<std::unique_ptr<FileSealer>> PlainSealer::ForFile(const FileIdentity& identity) {
  if (!identity.key_id.is_nil()) {
    return PermissionDenied("file {} is encrypted under key {}, and no keys are configured",
                            FormatUuid(identity.file_uuid), FormatUuid(identity.key_id));
  }
  return std::make_unique<PlainFileSealer>(identity);
}

}  // namespace tideline::seal
