// storage/objstore/object_store.h: five verbs that every store for immutable objects can keep.
//
// Create-once is all that servers that claim S3 share, so it is all that is assumed: no swap of a
// mutable object, no conditional delete, no rename, no append. A commit (manifest, log object,
// fence) is a PutIfAbsent of the next number; who reads kExists has lost the race and looks what is
// there.
//
// Keys: components of [A-Za-z0-9._-] joined by '/', no component "." or "..", none ending in
// ".tmp", at most kKeyBytesMax bytes in all; else kInvalidArgument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::objstore {

inline constexpr std::size_t kKeyBytesMax = 512;
/// Largest object of PutIfAbsent and Put (one request each); larger ones go through Create.
inline constexpr std::size_t kPutBytesMax = std::size_t{64} << 20;

enum class PutOutcome {
  kCreated,  ///< stored and durable
  kExists,   ///< the key was taken; nothing changed
  kUnknown,  ///< the answer was lost: never repeat blindly, read the key. Own bytes there mean
             ///< kCreated, others kExists; absent, send the same bytes again. Never from a
             ///< directory.
};

struct ObjectInfo {
  std::string key;
  std::uint64_t bytes = 0;
};

/// Writes one large immutable object in pieces. Dying uncommitted leaves nothing (or, on S3, parts
/// that a lifecycle rule collects). One thread at a time.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status Append(BytesView bytes) = 0;
  virtual std::uint64_t size() const = 0;
  /// Durable when kCreated. The writer is spent afterwards, whatever came of it.
  virtual Result<PutOutcome> Commit() = 0;
};

/// Thread-safe; calls block and belong in the io or a background pool. An error Status of a write
/// means "not stored" (kResourceExhausted: full, heals by itself), except kUnavailable from a
/// directory: a sync failed, the object may or may not survive a restart, and a caller that commits
/// must stop the process (durability: poison, exit 74) rather than try again.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Atomic: of many callers one gets kCreated.
  virtual Result<PutOutcome> PutIfAbsent(std::string_view key, BytesView bytes) = 0;
  /// For immutable bytes under a unique name, and hints that may be lost. Replaces.
  virtual Status Put(std::string_view key, BytesView bytes) = 0;
  /// For immutable bytes too large for one put. The name must be unique.
  virtual Result<std::unique_ptr<ObjectWriter>> Create(std::string_view key) = 0;
  /// Reads [offset, offset + out.size()), less where the object ends; the count read. kNotFound.
  virtual Result<std::size_t> Read(std::string_view key, std::uint64_t offset,
                                   std::span<std::byte> out) = 0;
  /// kNotFound if absent.
  virtual Result<ObjectInfo> Head(std::string_view key) = 0;
  /// Keys that begin with `prefix` and stand after `start_after`, in byte order, at most
  /// `count_max`. Sees every object whose put finished before.
  virtual Result<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               std::string_view start_after,
                                               std::size_t count_max) = 0;
  /// Idempotent, unconditional; OK if absent.
  virtual Status Remove(std::string_view key) = 0;

  /// Exactly `bytes` bytes from `offset`; kDataLoss if the object ends before.
  Result<Bytes> Get(std::string_view key, std::uint64_t offset, std::size_t bytes);
  /// The whole object; kDataLoss, before allocating, if larger than `bytes_max`.
  Result<Bytes> GetWhole(std::string_view key, std::size_t bytes_max);
};

/// How often PutIfAbsentSettled looks and sends before it gives up.
inline constexpr int kSettleAttemptsMax = 20;

/// PutIfAbsent until the outcome is known. `bytes` must be the caller's own (hold a random uuid): found
/// under `key`, they mean kCreated. kUnavailable: still not known after kSettleAttemptsMax; the
/// object may or may not be there, now or later.
Result<PutOutcome> PutIfAbsentSettled(ObjectStore& store, std::string_view key, BytesView bytes);

/// kInvalidArgument with the reason unless `key` keeps the rules above.
Status CheckKey(std::string_view key);

}  // namespace tideline::objstore
