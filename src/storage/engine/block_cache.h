// storage/engine/block_cache.h: pieces of segments in memory, encoded or parsed, least recently used out first.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <list>
#include <memory>

#include "base/mutex.h"
#include "storage/segment/segment_io.h"

namespace tideline::engine {

/// Thread-safe; cut into shards, each with its part of the budget and a lock of its own. What is large for a shard (series
/// tables of many series) lies in one shard more, which may take three quarters of the budget from the others.
class LruBlockCache final : public segment::BlockCache {
 public:
  explicit LruBlockCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  std::shared_ptr<const Bytes> Get(const segment::BlockKey& key) override;
  void Put(const segment::BlockKey& key, std::shared_ptr<const Bytes> bytes) override;
  std::shared_ptr<const void> GetParsed(const segment::BlockKey& key) override;
  void PutParsed(const segment::BlockKey& key, std::shared_ptr<const void> parsed,
                 std::size_t bytes) override;
  void Shed(std::size_t bytes) override;
  std::size_t bytes() const;

 private:
  static constexpr std::size_t kShards = 8;
  /// An entry above this part of a shard is large.
  static constexpr std::size_t kLargeFraction = 4;
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
  /// Calls f(entry) for the entry, now the most recently used; false when it is absent.
  template <typename F>
  bool Visit(const segment::BlockKey& key, F&& f);
  void Add(Entry entry);
  /// Drops the oldest until the shard has at most `bytes_max`; what it held dies without the lock.
  static void Trim(Shard& shard, std::size_t bytes_max);
  std::size_t ShardBytesMax() const { return (bytes_max_ - large_bytes_.load(std::memory_order_relaxed)) / kShards; }
  Shard& ShardOf(const segment::BlockKey& key) { return shards_[KeyHash{}(key) % kShards]; }

  const std::size_t bytes_max_;
  std::array<Shard, kShards> shards_;
  Shard large_;
  std::atomic<std::size_t> large_bytes_{0};
};

}  // namespace tideline::engine
