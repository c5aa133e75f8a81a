#include "crypto/secret_key.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <atomic>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "crypto/random_bytes.h"
#include "crypto/sha256.h"

namespace tideline::crypto {
namespace {

// 512 keys; a segment that is open for reading holds one.
constexpr std::size_t kSlabBytes = 16 * 1024;

std::atomic<bool> every_slab_is_locked{true};

// Slots of all slabs. Never destroyed: keys in statics may outlive everything.
class SecretPool {
 public:
  AeadKey* Take() {
    MutexLock lock(mutex_);
    if (free_.empty()) AddSlab();
    AeadKey* const slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void Give(AeadKey* slot) {
    Wipe(*slot);
    MutexLock lock(mutex_);
    free_.push_back(slot);
  }

 private:
  void AddSlab() TL_REQUIRES(mutex_) {
    void* const slab =
        mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TL_CHECK(slab != MAP_FAILED);
    if (mlock(slab, kSlabBytes) != 0) every_slab_is_locked = false;
    // Both are refinements that an old kernel may lack; nothing depends on them.
    static_cast<void>(madvise(slab, kSlabBytes, MADV_DONTDUMP));
    static_cast<void>(madvise(slab, kSlabBytes, MADV_DONTFORK));
    auto* const slots = static_cast<AeadKey*>(slab);
    for (std::size_t i = kSlabBytes / sizeof(AeadKey); i-- > 0;) free_.push_back(slots + i);
  }

  Mutex mutex_;
  std::vector<AeadKey*> free_ TL_GUARDED_BY(mutex_);
};

SecretPool& Pool() {
  static SecretPool* const pool = new SecretPool();
  return *pool;
}

}  // namespace

void Wipe(std::span<std::byte> bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

SecretKey::SecretKey() : slot_(Pool().Take()) {}

SecretKey::~SecretKey() {
  if (slot_ != nullptr) Pool().Give(slot_);
}

SecretKey::SecretKey(SecretKey&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  if (this != &other) {
    if (slot_ != nullptr) Pool().Give(slot_);
    slot_ = std::exchange(other.slot_, nullptr);
  }
  return *this;
}

SecretKey SecretKey::Generate() {
  SecretKey key;
  FillRandom(key.writable());
  return key;
}

SecretKey DeriveKey(const SecretKey& key, BytesView salt, std::string_view info) {
  Sha256Digest extracted = HmacSha256(salt, key.bytes());
  Bytes block(info.size() + 1, std::byte{1});
  std::memcpy(block.data(), info.data(), info.size());
  SecretKey derived;
  Sha256Digest expanded = HmacSha256(extracted, block);
  std::memcpy(derived.writable().data(), expanded.data(), kAeadKeyBytes);
  Wipe(extracted);
  Wipe(expanded);
  return derived;
}

bool SecretMemoryIsLocked() { return every_slab_is_locked; }

}  // namespace tideline::crypto
