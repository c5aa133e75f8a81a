// storage/engine/block_cache.h: encoded pieces of segments in memory, least recently used out first.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <list>
#include <memory>

#include "base/mutex.h"
#include "storage/segment/segment_io.h"

namespace tideline::engine {

/// Thread-safe; cut into shards, each with its part of the budget and a lock of its own.
class LruBlockCache final : public segment::BlockCache {
 public:
  explicit LruBlockCache(std::size_t bytes_max) : shard_bytes_max_(bytes_max / kShards) {}
  std::shared_ptr<const Bytes> Get(const segment::BlockKey& key) override;
  void Put(const segment::BlockKey& key, std::shared_ptr<const Bytes> bytes) override;
  std::shared_ptr<const void> GetParsed(const segment::BlockKey& key) override;
  void PutParsed(const segment::BlockKey& key, std::shared_ptr<const void> parsed,
                 std::size_t bytes) override;
  std::size_t bytes() const;

 private:
  static constexpr std::size_t kShards = 8;
  struct Entry {
    segment::BlockKey key;
    std::shared_ptr<const Bytes> bytes{};
    std::shared_ptr<const void> parsed{};  ///< of an entry without bytes
    std::size_t cost = 0;
  };
  struct KeyHash {
    std::size_t operator()(const segment::BlockKey& key) const;
  };
  struct Shard {
    mutable Mutex mutex;
    std::list<Entry> entries TL_GUARDED_BY(mutex);  ///< most recently used first
    absl::flat_hash_map<segment::BlockKey, std::list<Entry>::iterator, KeyHash> by_key
        TL_GUARDED_BY(mutex);
    std::size_t bytes TL_GUARDED_BY(mutex) = 0;
  };
  /// What is parsed of a piece is an entry of its own, at an offset that no file has.
  static segment::BlockKey ParsedKey(segment::BlockKey key) {
    key.offset |= std::uint64_t{1} << 63;
    return key;
  }
  /// The entry, now the most recently used; null when absent.
  static const Entry* Find(Shard& shard, const segment::BlockKey& key) TL_REQUIRES(shard.mutex);
  void Add(Entry entry);
  Shard& ShardOf(const segment::BlockKey& key) { return shards_[KeyHash{}(key) % kShards]; }

  const std::size_t shard_bytes_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tideline::engine
