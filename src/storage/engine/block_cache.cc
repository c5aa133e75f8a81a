#include "storage/engine/block_cache.h"

#include <algorithm>
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

template <typename F>
bool LruBlockCache::Visit(const segment::BlockKey& key, F&& f) {
  const auto look = [&](Shard& shard) {
    MutexLock lock(shard.mutex);
    const auto at = shard.by_key.find(key);
    if (at == shard.by_key.end()) return false;
    shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
    f(*at->second);
    return true;
  };
  if (look(ShardOf(key))) return true;
  return large_bytes_.load(std::memory_order_relaxed) != 0 && look(large_);
}

std::shared_ptr<const Bytes> LruBlockCache::Get(const segment::BlockKey& key) {
  std::shared_ptr<const Bytes> bytes;
  Visit(key, [&](const Entry& entry) { bytes = entry.bytes; });
  return bytes;
}

std::shared_ptr<const void> LruBlockCache::GetParsed(const segment::BlockKey& key) {
  std::shared_ptr<const void> parsed;
  Visit(ParsedKey(key), [&](const Entry& entry) { parsed = entry.parsed; });
  return parsed;
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
  const bool is_large = entry.cost > bytes_max_ / kShards / kLargeFraction;
  const std::size_t large_max = bytes_max_ / 4 * 3;
  if (entry.cost > large_max) return;
  Shard& shard = is_large ? large_ : ShardOf(entry.key);
  {
    MutexLock lock(shard.mutex);
    if (shard.by_key.contains(entry.key)) return;
    shard.bytes += entry.cost;
    shard.entries.push_front(std::move(entry));
    shard.by_key[shard.entries.front().key] = shard.entries.begin();
  }
  Trim(shard, is_large ? large_max : ShardBytesMax());
  if (!is_large) return;
  {
    MutexLock lock(large_.mutex);
    large_bytes_.store(large_.bytes, std::memory_order_relaxed);
  }
  for (Shard& each : shards_) Trim(each, ShardBytesMax());
}

void LruBlockCache::Trim(Shard& shard, std::size_t bytes_max) {
  std::list<Entry> dropped;
  MutexLock lock(shard.mutex);
  while (shard.bytes > bytes_max) {
    const Entry& oldest = shard.entries.back();
    shard.bytes -= oldest.cost;
    shard.by_key.erase(oldest.key);
    dropped.splice(dropped.begin(), shard.entries, std::prev(shard.entries.end()));
  }
}

void LruBlockCache::Shed(std::size_t bytes) {
  std::size_t left = bytes;
  const auto take_from = [&left](Shard& shard) {
    std::size_t held = 0;
    {
      MutexLock lock(shard.mutex);
      held = shard.bytes;
    }
    const std::size_t taken = std::min(held, left);
    Trim(shard, held - taken);
    left -= taken;
  };
  take_from(large_);
  {
    MutexLock lock(large_.mutex);
    large_bytes_.store(large_.bytes, std::memory_order_relaxed);
  }
  for (Shard& shard : shards_) take_from(shard);
}

std::size_t LruBlockCache::bytes() const {
  std::size_t total = 0;
  const auto count = [&total](const Shard& shard) {
    MutexLock lock(shard.mutex);
    total += shard.bytes;
  };
  for (const Shard& shard : shards_) count(shard);
  count(large_);
  return total;
}

}  // namespace tideline::engine
