#include "storage/seal/key_ring.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <tuple>

#include "base/hash.h"
#include "base/log.h"
#include "crypto/random_bytes.h"
#include "storage/seal/gcm_file_sealer.h"

namespace tideline::seal {
namespace {

constexpr std::uint64_t kKeyMagic = 0x31'5945'4b4c'4454U;  // "TDLKEY1"
constexpr std::size_t kKeyBytesMax = 16 * 1024;
constexpr std::size_t kUuidCharacters = 36;
constexpr std::size_t kGenerationDigits = 8;
constexpr std::uint32_t kGenerationMax = 99'999'999;

struct KeyName {
  Uuid scope;
  std::uint32_t generation = 0;
  KeyId id;
};

// <scope>.<8 digits>.<key id>; nothing for any other name.
std::optional<KeyName> ParseKeyName(std::string_view name) {
  constexpr std::size_t kSecond = kUuidCharacters + 1;
  constexpr std::size_t kThird = kSecond + kGenerationDigits + 1;
  if (name.size() != kThird + kUuidCharacters || name[kSecond - 1] != '.' ||
      name[kThird - 1] != '.') {
    return std::nullopt;
  }
  const Result<Uuid> scope = ParseUuid(name.substr(0, kUuidCharacters));
  const Result<Uuid> id = ParseUuid(name.substr(kThird));
  KeyName parsed;
  const std::string_view digits = name.substr(kSecond, kGenerationDigits);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parsed.generation);
  if (!scope.ok() || !id.ok() || error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  parsed.scope = *scope;
  parsed.id = *id;
  return parsed;
}

// What a wrapped key is bound to: a key file under another's name does not open.
Bytes ContextOf(const KeyId& id, const Uuid& scope) {
  Bytes context;
  ByteWriter out(&context);
  out.Append(BytesView(id.bytes));
  out.Append(BytesView(scope.bytes));
  return context;
}

Bytes EncodeKey(const KeyId& id, const Uuid& scope, std::uint32_t generation,
                const WrappedKey& wrapped) {
  Bytes bytes;
  ByteWriter out(&bytes);
  out.U64(kKeyMagic);
  out.U16(kKeyFormat);
  out.U16(0);
  out.U32(0);
  out.Append(BytesView(id.bytes));
  out.Append(BytesView(scope.bytes));
  out.U32(generation);
  out.U32(static_cast<std::uint32_t>(wrapped.master_key.size()));
  out.Append(wrapped.master_key);
  out.U32(static_cast<std::uint32_t>(wrapped.bytes.size()));
  out.Append(BytesView(wrapped.bytes));
  out.U32(Crc32c(bytes));
  return bytes;
}

Status ExpectUuid(ByteReader* in, const Uuid& expected) {
  const BytesView bytes = TL_TRY(in->Take(16));
  if (std::equal(bytes.begin(), bytes.end(), expected.bytes.begin())) return OkStatus();
  return DataLoss("it belongs to another key");
}

Result<Bytes> TakeCounted(ByteReader* in, std::size_t bytes_max) {
  const std::uint32_t count = TL_TRY(in->U32());
  if (count > bytes_max) return DataLoss("a part of {} bytes is above {}", count, bytes_max);
  const BytesView bytes = TL_TRY(in->Take(count));
  return Bytes(bytes.begin(), bytes.end());
}

Result<WrappedKey> DecodeKey(BytesView stored, const KeyId& id, const Uuid& scope) {
  if (stored.size() < 4) return DataLoss("{} bytes are no key", stored.size());
  std::uint32_t crc = 0;
  std::memcpy(&crc, stored.data() + stored.size() - 4, 4);
  const BytesView covered = stored.first(stored.size() - 4);
  if (Crc32c(covered) != crc) return DataLoss("its checksum does not hold");
  ByteReader in(covered);
  if (TL_TRY(in.U64()) != kKeyMagic) return DataLoss("it has no magic");
  const std::uint16_t format = TL_TRY(in.U16());
  if (format > kKeyFormat) {
    return Unimplemented("format {} is newer than this binary ({})", format, kKeyFormat);
  }
  TL_TRY(in.Skip(6));
  TL_TRY(ExpectUuid(&in, id));
  TL_TRY(ExpectUuid(&in, scope));
  TL_TRY(in.Skip(4));
  WrappedKey wrapped;
  const Bytes name = TL_TRY(TakeCounted(&in, kMasterKeyNameBytesMax));
  wrapped.master_key = AsText(name);
  wrapped.bytes = TL_TRY(TakeCounted(&in, kWrappedBytesMax));
  if (!in.at_end()) return DataLoss("{} bytes follow the key", in.remaining());
  return wrapped;
}

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::Open(fs::FileSystem& fs, std::string_view directory,
                                               KeyProvider& provider) {
  TL_TRY(fs::CreateDirectories(fs, directory));
  std::unique_ptr<KeyRing> ring(new KeyRing(fs, directory, provider));
  const std::vector<fs::DirectoryEntry> entries = TL_TRY(fs.List(directory));
  if (entries.size() > kKeysMax) {
    return DataLoss("{} holds {} files, more than {}", directory, entries.size(), kKeysMax);
  }
  MutexLock lock(ring->mutex_);
  for (const fs::DirectoryEntry& entry : entries) {
    const std::optional<KeyName> name = ParseKeyName(entry.name);
    if (!name.has_value()) {
      if (!entry.name.ends_with(fs::kTemporarySuffix)) {
        TL_LOG_WARNING("'{}' in {} is not a key", entry.name, directory);
      }
      continue;
    }
    ring->keys_[name->id] = {.scope = name->scope, .generation = name->generation};
    // Sorted by name, so the last of a scope is its newest.
    ring->current_[name->scope] = name->id;
  }
  return ring;
}

std::string KeyRing::PathOf(const KeyId& id, const Uuid& scope, std::uint32_t generation) const {
  return fs::JoinPath(directory_, fmt::format("{}.{:08}.{}", FormatUuid(scope), generation,
                                              FormatUuid(id)));
}

Result<KeyId> KeyRing::CurrentKey(const Uuid& scope) {
  const auto find = [&]() -> KeyId {
    MutexLock lock(mutex_);
    const auto found = current_.find(scope);
    return found == current_.end() ? KeyId{} : found->second;
  };
  if (const KeyId id = find(); !id.is_nil()) return id;
  MutexLock lock(changing_);
  if (const KeyId id = find(); !id.is_nil()) return id;
  return MakeKey(scope, 1);
}

// The caller holds changing_.
Result<KeyId> KeyRing::MakeKey(const Uuid& scope, std::uint32_t generation) {
  const KeyId id{crypto::RandomBytes<16>()};
  GeneratedKey generated = TL_TRY(provider_.Generate(ContextOf(id, scope)));
  if (generated.wrapped.bytes.size() > kWrappedBytesMax ||
      generated.wrapped.master_key.size() > kMasterKeyNameBytesMax) {
    return InvalidArgument("the key provider wraps a key in {} bytes, more than {}",
                           generated.wrapped.bytes.size(), kWrappedBytesMax);
  }
  const Bytes stored = EncodeKey(id, scope, generation, generated.wrapped);
  const Status written = fs::WriteFileOnce(fs_, PathOf(id, scope, generation), stored);
  if (!written.ok()) return Annotate(written, "a data key could not be stored");
  MutexLock lock(mutex_);
  keys_[id] = {.scope = scope,
               .generation = generation,
               .plain = std::make_shared<const crypto::SecretKey>(std::move(generated.plain))};
  current_[scope] = id;
  return id;
}

Result<WrappedKey> KeyRing::ReadKey(const KeyId& id, const Uuid& scope,
                                    std::uint32_t generation) const {
  const std::string path = PathOf(id, scope, generation);
  const Bytes stored = TL_TRY(fs::ReadWholeFile(fs_, path, kKeyBytesMax));
  auto wrapped = DecodeKey(stored, id, scope);
  if (!wrapped.ok()) return Annotate(wrapped.status(), path);
  return wrapped;
}

Result<std::shared_ptr<const crypto::SecretKey>> KeyRing::PlainKey(const KeyId& id) {
  Entry entry;
  {
    MutexLock lock(mutex_);
    const auto found = keys_.find(id);
    if (found == keys_.end()) {
      return PermissionDenied("data key {} is not in {}: it was destroyed with its table, or the "
                              "directory was restored without it",
                              FormatUuid(id), directory_);
    }
    if (found->second.plain != nullptr) return found->second.plain;
    entry = found->second;
  }
  const WrappedKey wrapped = TL_TRY(ReadKey(id, entry.scope, entry.generation));
  crypto::SecretKey unwrapped = TL_TRY(provider_.Unwrap(wrapped, ContextOf(id, entry.scope)));
  auto plain = std::make_shared<const crypto::SecretKey>(std::move(unwrapped));
  MutexLock lock(mutex_);
  const auto found = keys_.find(id);
  if (found != keys_.end()) found->second.plain = plain;
  return plain;
}

Result<std::unique_ptr<FileSealer>> KeyRing::ForFile(const FileIdentity& identity) {
  if (identity.key_id.is_nil()) {
    return PermissionDenied("file {} is not encrypted, in a directory where every file is",
                            FormatUuid(identity.file_uuid));
  }
  const std::shared_ptr<const crypto::SecretKey> key = TL_TRY(PlainKey(identity.key_id));
  return MakeGcmFileSealer(*key, identity);
}

std::vector<Uuid> KeyRing::Scopes() const {
  MutexLock lock(mutex_);
  std::vector<Uuid> scopes;
  for (const auto& [scope, id] : current_) scopes.push_back(scope);
  return scopes;
}

std::vector<KeyInfo> KeyRing::Keys() const {
  std::vector<KeyInfo> all;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, entry] : keys_) {
      all.push_back({.id = id,
                     .scope = entry.scope,
                     .generation = entry.generation,
                     .is_current = current_.at(entry.scope) == id});
    }
  }
  std::sort(all.begin(), all.end(), [](const KeyInfo& a, const KeyInfo& b) {
    return std::tie(a.scope, a.generation) < std::tie(b.scope, b.generation);
  });
  return all;
}

// Zeros over the wrapped bytes first: an unlinked file's blocks may be read off the disk for long.
Status KeyRing::DestroyKeys(const Uuid& scope) {
  MutexLock changing(changing_);
  std::vector<std::string> paths;
  {
    MutexLock lock(mutex_);
    current_.erase(scope);
    for (auto at = keys_.begin(); at != keys_.end();) {
      if (at->second.scope == scope) {
        paths.push_back(PathOf(at->first, scope, at->second.generation));
        at = keys_.erase(at);
      } else {
        ++at;
      }
    }
  }
  for (const std::string& path : paths) {
    auto file = TL_TRY(fs_.Open(path, fs::OpenMode::kReadWrite));
    const std::uint64_t size = TL_TRY(file->Size());
    const Bytes zeros(static_cast<std::size_t>(std::min<std::uint64_t>(size, kKeyBytesMax)));
    TL_TRY(file->WriteAt(0, zeros));
    TL_TRY(file->SyncData());
    TL_TRY(fs_.Remove(path));
  }
  return paths.empty() ? OkStatus() : fs_.SyncDirectory(directory_);
}

Result<KeyId> KeyRing::Rotate(const Uuid& scope) {
  MutexLock changing(changing_);
  std::uint32_t generation = 0;
  {
    MutexLock lock(mutex_);
    const auto found = current_.find(scope);
    if (found == current_.end()) return NotFound("scope {} has no key", FormatUuid(scope));
    generation = keys_.at(found->second).generation;
  }
  if (generation >= kGenerationMax) {
    return QuotaExceeded("scope {} has had {} keys, as many as it may", FormatUuid(scope),
                         generation);
  }
  return MakeKey(scope, generation + 1);
}

Result<std::string> KeyRing::MasterKeyOf(const KeyId& id) {
  Entry entry;
  {
    MutexLock lock(mutex_);
    const auto found = keys_.find(id);
    if (found == keys_.end()) return NotFound("no data key {}", FormatUuid(id));
    entry = found->second;
  }
  WrappedKey wrapped = TL_TRY(ReadKey(id, entry.scope, entry.generation));
  return std::move(wrapped.master_key);
}

Result<std::size_t> KeyRing::WrapAnew() {
  MutexLock changing(changing_);
  const std::string master = provider_.CurrentMasterKey();
  std::size_t count = 0;
  for (const KeyInfo& key : Keys()) {
    const WrappedKey old = TL_TRY(ReadKey(key.id, key.scope, key.generation));
    if (old.master_key == master) continue;
    const Bytes context = ContextOf(key.id, key.scope);
    const crypto::SecretKey plain = TL_TRY(provider_.Unwrap(old, context));
    const WrappedKey wrapped = TL_TRY(provider_.Wrap(plain, context));
    TL_TRY(fs::WriteFileReplacing(fs_, PathOf(key.id, key.scope, key.generation),
                                  EncodeKey(key.id, key.scope, key.generation, wrapped)));
    ++count;
  }
  return count;
}

}  // namespace tideline::seal
