#include "storage/engine/block_cache.h"

#include <cstring>

#include "base/hash.h"

namespace tideline::engine {
namespace {
// What an entry costs besides its bytes: list node, map slot, control block.
constexpr std::size_t kCacheEntryOverheadBytes = 160;
}  // namespace

std::size_t LruBlockCache::KeyHash::operator()(const segment::BlockKey& key) const {
  std::uint64_t word = 0;
  std::memcpy(&word, key.file_uuid.data(), sizeof(word));
  return CombineHash(word, key.offset);
}

std::shared_ptr<const Bytes> LruBlockCache::Get(const segment::BlockKey& key) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  const auto at = shard.by_key.find(key);
  if (at == shard.by_key.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
  return at->second->bytes;
}

void LruBlockCache::Put(const segment::BlockKey& key, std::shared_ptr<const Bytes> bytes) {
  const std::size_t cost = bytes->size() + kCacheEntryOverheadBytes;
  if (cost > shard_bytes_max_) return;
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  if (shard.by_key.contains(key)) return;
  shard.entries.push_front({key, std::move(bytes)});
  shard.by_key[key] = shard.entries.begin();
  shard.bytes += cost;
  while (shard.bytes > shard_bytes_max_) {
    const Entry& oldest = shard.entries.back();
    shard.bytes -= oldest.bytes->size() + kCacheEntryOverheadBytes;
    shard.by_key.erase(oldest.key);
    shard.entries.pop_back();
  }
}

std::size_t LruBlockCache::bytes() const {
  std::size_t total = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    total += shard.bytes;
  }
  return total;
}

}  // namespace tideline::engine
