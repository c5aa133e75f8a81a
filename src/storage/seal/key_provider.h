// storage/seal/key_provider.h: who keeps the master key.
//
// Data keys are made, wrapped and unwrapped by a provider; the master key never leaves it. The shape
// is that of a key management service (GenerateDataKey, Encrypt, Decrypt with an encryption
// context), so that one over the network fits: wrapped keys are opaque bytes, master keys are named
// by text, and every call may take its time or be kUnavailable.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "crypto/secret_key.h"

namespace tideline::seal {

/// Most bytes of a wrapped key and of a master key's name; a service's are longer than ours.
inline constexpr std::size_t kWrappedBytesMax = 6144;
inline constexpr std::size_t kMasterKeyNameBytesMax = 2048;

/// A data key as it is stored.
struct WrappedKey {
  std::string master_key{};  ///< names the master key that opens it
  Bytes bytes{};
};

struct GeneratedKey {
  crypto::SecretKey plain;
  WrappedKey wrapped;
};

/// Thread-safe; calls may block on a file or a network.
/// kUnavailable: out of reach, try later. kPermissionDenied: the master key is not to be had; the
/// message says what to do. kDataLoss: the wrapped bytes do not open in this context.
class KeyProvider {
 public:
  virtual ~KeyProvider() = default;
  /// A fresh data key, wrapped under the current master key. `context` is bound to it.
  virtual Result<GeneratedKey> Generate(BytesView context) = 0;
  /// Wraps a key that exists under the current master key, for rotation of the master key.
  virtual Result<WrappedKey> Wrap(const crypto::SecretKey& key, BytesView context) = 0;
  virtual Result<crypto::SecretKey> Unwrap(const WrappedKey& wrapped, BytesView context) = 0;
  /// The name of the current master key.
  virtual std::string CurrentMasterKey() const = 0;
};

}  // namespace tideline::seal
