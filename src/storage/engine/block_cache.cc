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

const LruBlockCache::Entry* LruBlockCache::Find(Shard& shard, const segment::BlockKey& key) {
  const auto at = shard.by_key.find(key);
  if (at == shard.by_key.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
  return &*at->second;
}

std::shared_ptr<const Bytes> LruBlockCache::Get(const segment::BlockKey& key) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  const Entry* entry = Find(shard, key);
  return entry == nullptr ? nullptr : entry->bytes;
}

std::shared_ptr<const void> LruBlockCache::GetParsed(const segment::BlockKey& key) {
  const segment::BlockKey parsed = ParsedKey(key);
  Shard& shard = ShardOf(parsed);
  MutexLock lock(shard.mutex);
  const Entry* entry = Find(shard, parsed);
  return entry == nullptr ? nullptr : entry->parsed;
}

void LruBlockCache::Put(const segment::BlockKey& key, std::shared_ptr<const Bytes> bytes) {
  const std::size_t cost = bytes->size() + kCacheEntryOverheadBytes;
  Add({.key = key, .bytes = std::move(bytes), .cost = cost});
}

void LruBlockCache::PutParsed(const segment::BlockKey& key, std::shared_ptr<const void> parsed,
                              std::size_t bytes) {
  Add({.key = ParsedKey(key), .parsed = std::move(parsed), .cost = bytes + kCacheEntryOverheadBytes});
}

void LruBlockCache::Add(Entry entry) {
  if (entry.cost > shard_bytes_max_) return;
  Shard& shard = ShardOf(entry.key);
  MutexLock lock(shard.mutex);
  if (shard.by_key.contains(entry.key)) return;
  shard.bytes += entry.cost;
  shard.entries.push_front(std::move(entry));
  shard.by_key[shard.entries.front().key] = shard.entries.begin();
  while (shard.bytes > shard_bytes_max_) {
    const Entry& oldest = shard.entries.back();
    shard.bytes -= oldest.cost;
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
