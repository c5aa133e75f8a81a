// crypto/secret_key.h: 256-bit keys that stay in memory which is locked, left out of core dumps and
// wiped.
//
// Keys live in a pool of pages of their own (mmap): mlock keeps them off the swap device,
// MADV_DONTDUMP out of core dumps, MADV_DONTFORK out of children. A slot is wiped when its key dies.
// Where the system refuses to lock (RLIMIT_MEMLOCK), keys still work and SecretMemoryIsLocked says
// so: the server warns.
//
// What cannot be helped: while a message is sealed or opened, OpenSSL's context of that thread holds
// the key schedule in ordinary memory. AeadSeal and AeadOpen overwrite it before they return.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "crypto/aead.h"

namespace tideline::crypto {

/// Overwrites bytes in a way that no compiler leaves out.
void Wipe(std::span<std::byte> bytes);

/// Owns one slot of the pool. Movable; a moved-from key is empty and may only be assigned or die.
class SecretKey {
 public:
  /// All zeros.
  SecretKey();
  ~SecretKey();
  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&& other) noexcept;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;

  /// From the system's generator.
  static SecretKey Generate();

  const AeadKey& bytes() const { return *slot_; }
  /// For whoever fills it: a key file, an unwrapping.
  AeadKey& writable() { return *slot_; }

 private:
  AeadKey* slot_;
};

/// HKDF-SHA-256 (RFC 5869) of one block: the key for what `salt` names. Its temporaries are wiped.
SecretKey DeriveKey(const SecretKey& key, BytesView salt, std::string_view info);

/// False once the system refused to lock a page of the pool.
bool SecretMemoryIsLocked();

}  // namespace tideline::crypto
