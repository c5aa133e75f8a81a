#include "tests/support/sim_object_store.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"

namespace tideline::testing {

using objstore::CheckKey;
using objstore::ObjectInfo;
using objstore::PutOutcome;

class SimObjectWriter final : public objstore::ObjectWriter {
 public:
  SimObjectWriter(SimObjectStore& store, std::string_view key) : store_(store), key_(key) {}
  Status Append(BytesView bytes) override {
    TL_TRY(failed_);
    if (store_.before_append_) store_.before_append_(key_);
    MutexLock lock(store_.mutex_);
    const Status begun = store_.Begin();
    if (!begun.ok() || store_.Strikes(store_.faults_.cut_upload)) {
      failed_ = begun.ok() ? Unavailable("'{}': a part was not taken (simulated)", key_) : begun;
      return failed_;
    }
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return OkStatus();
  }
  std::uint64_t size() const override { return bytes_.size(); }
  Result<PutOutcome> Commit() override {
    TL_TRY(failed_);
    failed_ = Unavailable("'{}' is already committed", key_);
    TL_TRY(store_.CommitWhole(key_, bytes_));
    return PutOutcome::kCreated;
  }

 private:
  SimObjectStore& store_;
  const std::string key_;
  Bytes bytes_;
  Status failed_ = OkStatus();
};

void SimObjectStore::SetFaults(const SimObjectFaults& faults) {
  MutexLock lock(mutex_);
  faults_ = faults;
}

void SimObjectStore::CutOff(bool off) {
  MutexLock lock(mutex_);
  off_ = off;
}

void SimObjectStore::DieWith(std::function<bool()> dead) {
  MutexLock lock(mutex_);
  dead_ = std::move(dead);
}

void SimObjectStore::BeforeAppends(std::function<void(std::string_view key)> hook) {
  before_append_ = std::move(hook);
}

std::uint64_t SimObjectStore::fault_count() const {
  MutexLock lock(mutex_);
  return fault_count_;
}

std::uint64_t SimObjectStore::call_count() const {
  MutexLock lock(mutex_);
  return call_count_;
}

std::uint64_t SimObjectStore::StateHash() const {
  MutexLock lock(mutex_);
  std::uint64_t hash = 0;
  for (const auto& [key, bytes] : objects_) {
    hash = CombineHash(hash, CombineHash(Hash64(key), Hash64(bytes)));
  }
  return hash;
}

std::vector<ObjectInfo> SimObjectStore::Objects() const {
  MutexLock lock(mutex_);
  std::vector<ObjectInfo> all;
  for (const auto& [key, bytes] : objects_) all.push_back({key, bytes.size()});
  return all;
}

Status SimObjectStore::Begin() {
  ++call_count_;
  if (dead_ && dead_()) return Unavailable("simulated: the client's power is off");
  if (!late_.empty() && random_.Below(4) == 0) {
    const std::size_t index = random_.Below(late_.size());
    const Late late = std::move(late_[index]);
    late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(index));
    if (random_.Below(3) != 0) Store(late.key, late.bytes, late.only_if_absent);
  }
  if (off_) return Unavailable("simulated: the object store is out of reach");
  return OkStatus();
}

bool SimObjectStore::Strikes(double chance) {
  if (chance <= 0 || random_.NextDouble() >= chance) return false;
  ++fault_count_;
  return true;
}

void SimObjectStore::Store(std::string_view key, BytesView bytes, bool only_if_absent) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) {
    objects_.emplace(std::string(key), Bytes(bytes.begin(), bytes.end()));
  } else if (!only_if_absent) {
    found->second.assign(bytes.begin(), bytes.end());
  }
}

Result<PutOutcome> SimObjectStore::PutIfAbsent(std::string_view key, BytesView bytes) {
  TL_TRY(CheckKey(key));
  MutexLock lock(mutex_);
  if (!Begin().ok() || Strikes(faults_.lose_before)) return PutOutcome::kUnknown;
  if (Strikes(faults_.refuse)) return ResourceExhausted("simulated: SlowDown for '{}'", key);
  if (Strikes(faults_.late)) {
    late_.push_back({std::string(key), Bytes(bytes.begin(), bytes.end()), true});
    return PutOutcome::kUnknown;
  }
  const bool taken = objects_.contains(key);
  Store(key, bytes, true);
  if (Strikes(faults_.lose_after)) return PutOutcome::kUnknown;
  return taken ? PutOutcome::kExists : PutOutcome::kCreated;
}

// The client repeats what is idempotent, so a lost answer becomes a failure only when all are lost.
Status SimObjectStore::CommitWhole(std::string_view key, BytesView bytes) {
  MutexLock lock(mutex_);
  TL_TRY(Begin());
  if (Strikes(faults_.refuse)) return ResourceExhausted("simulated: SlowDown for '{}'", key);
  if (Strikes(faults_.lose_before)) return Unavailable("simulated: '{}' was not stored", key);
  if (Strikes(faults_.late)) {
    late_.push_back({std::string(key), Bytes(bytes.begin(), bytes.end()), false});
    return Unavailable("simulated: no answer for '{}'", key);
  }
  Store(key, bytes, false);
  if (Strikes(faults_.lose_after)) return Unavailable("simulated: '{}' is stored, no answer", key);
  return OkStatus();
}

Status SimObjectStore::Put(std::string_view key, BytesView bytes) {
  TL_TRY(CheckKey(key));
  return CommitWhole(key, bytes);
}

Result<std::unique_ptr<objstore::ObjectWriter>> SimObjectStore::Create(std::string_view key) {
  TL_TRY(CheckKey(key));
  return std::make_unique<SimObjectWriter>(*this, key);
}

Result<std::size_t> SimObjectStore::Read(std::string_view key, std::uint64_t offset,
                                         std::span<std::byte> out) {
  TL_TRY(CheckKey(key));
  MutexLock lock(mutex_);
  TL_TRY(Begin());
  if (Strikes(faults_.fail_read)) return Unavailable("simulated: '{}' cannot be read now", key);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return NotFound("no object '{}'", key);
  if (offset >= found->second.size()) return std::size_t{0};
  const std::size_t count =
      std::min(out.size(), found->second.size() - static_cast<std::size_t>(offset));
  if (count != 0) std::memcpy(out.data(), found->second.data() + offset, count);
  if (count != 0 && Strikes(faults_.flip)) {
    const std::uint64_t bit = random_.Below(count * 8);
    out[static_cast<std::size_t>(bit / 8)] ^= std::byte{1} << (bit % 8);
  }
  return count;
}

Result<ObjectInfo> SimObjectStore::Head(std::string_view key) {
  TL_TRY(CheckKey(key));
  MutexLock lock(mutex_);
  TL_TRY(Begin());
  if (Strikes(faults_.fail_read)) return Unavailable("simulated: '{}' cannot be asked for now", key);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return NotFound("no object '{}'", key);
  return ObjectInfo{std::string(key), found->second.size()};
}

Result<std::vector<ObjectInfo>> SimObjectStore::List(std::string_view prefix,
                                                     std::string_view start_after,
                                                     std::size_t count_max) {
  MutexLock lock(mutex_);
  TL_TRY(Begin());
  if (Strikes(faults_.fail_read)) return Unavailable("simulated: '{}' cannot be listed now", prefix);
  std::vector<ObjectInfo> listed;
  for (auto at = objects_.lower_bound(std::max(prefix, start_after)); at != objects_.end(); ++at) {
    if (listed.size() >= count_max || !(at->first.starts_with(prefix) || at->first < prefix)) break;
    if (at->first.starts_with(prefix) && at->first > start_after) {
      listed.push_back({at->first, at->second.size()});
    }
  }
  return listed;
}

Status SimObjectStore::Remove(std::string_view key) {
  TL_TRY(CheckKey(key));
  MutexLock lock(mutex_);
  TL_TRY(Begin());
  if (Strikes(faults_.refuse)) return ResourceExhausted("simulated: SlowDown for '{}'", key);
  if (Strikes(faults_.lose_before)) return Unavailable("simulated: '{}' was not removed", key);
  const auto found = objects_.find(key);
  if (found != objects_.end()) objects_.erase(found);
  if (Strikes(faults_.lose_after)) return Unavailable("simulated: '{}' is removed, no answer", key);
  return OkStatus();
}

}  // namespace tideline::testing
