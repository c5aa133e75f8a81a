// storage/segment/segment_io.h: what a segment needs of the world: a place for bytes to go, a place
// to read ranges from, a cache, and a seal for pages. Files and object stores implement these.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/segment/segment_types.h"

namespace tideline::segment {

/// Takes the bytes of a file in order. Used by one thread.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status Append(BytesView bytes) = 0;
};

/// Collects a file in memory (runs of the active buffer, tests).
class MemorySink final : public ByteSink {
 public:
  Status Append(BytesView bytes) override;
  Bytes& bytes() { return bytes_; }

 private:
  Bytes bytes_;
};

/// Reads ranges of an immutable file. Must be thread-safe.
class RangeReader {
 public:
  virtual ~RangeReader() = default;
  /// Fills `out` with bytes [offset, offset + out.size()). A range past the end is kDataLoss.
  virtual Status Read(std::uint64_t offset, std::span<std::byte> out) = 0;
};

/// Reads a file held in memory, which it owns.
class MemoryRangeReader final : public RangeReader {
 public:
  explicit MemoryRangeReader(Bytes bytes) : bytes_(std::move(bytes)) {}
  Status Read(std::uint64_t offset, std::span<std::byte> out) override;
  std::uint64_t size() const { return bytes_.size(); }

 private:
  const Bytes bytes_;
};

/// Names one cached piece of a file: a light block (its entropy stage decoded) or a directory, unsealed
/// and checked. `offset` is where it lies in the file; its size in the cache may be another than there.
struct BlockKey {
  FileUuid file_uuid{};
  std::uint64_t offset = 0;
  bool operator==(const BlockKey&) const = default;
};

/// Keeps encoded bytes between reads, within a budget of its own. Must be thread-safe.
class BlockCache {
 public:
  virtual ~BlockCache() = default;
  /// Null when absent.
  virtual std::shared_ptr<const Bytes> Get(const BlockKey& key) = 0;
  /// May drop the bytes at once.
  virtual void Put(const BlockKey& key, std::shared_ptr<const Bytes> bytes) = 0;
  /// What the piece reads as, kept beside its bytes and on the same budget; null when absent. The type
  /// is the reader's business: it keeps one type under a key.
  virtual std::shared_ptr<const void> GetParsed(const BlockKey&) { return nullptr; }
  virtual void PutParsed(const BlockKey&, std::shared_ptr<const void> /*parsed*/, std::size_t /*bytes*/) {}
  /// Lets go of pieces of so many bytes together, the largest kind first.
  virtual void Shed(std::size_t /*bytes*/) {}
};

/// Encrypts pages. The page's CRC covers what Seal returned. Must be thread-safe.
class PageSeal {
 public:
  virtual ~PageSeal() = default;
  /// Bytes a sealed page takes beyond its plain ones; constant, below kPageBytes / 2.
  virtual std::size_t overhead_bytes() const = 0;
  /// Writes plain.size() + overhead_bytes() bytes.
  virtual Status Seal(std::uint64_t page_index, BytesView plain, std::span<std::byte> sealed) = 0;
  /// The reverse; kDataLoss when the page was not sealed by this key at this index.
  virtual Status Unseal(std::uint64_t page_index, BytesView sealed, std::span<std::byte> plain) = 0;
};

}  // namespace tideline::segment
