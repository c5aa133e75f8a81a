#include "server/probed_object_store.h"

#include "base/log.h"

namespace tideline::server {

Status ProbedObjectStore::EnsureFit() {
  MutexLock lock(mutex_);
  if (fit_) return OkStatus();
  const std::int64_t now = clock_.SteadyNow().value;
  const bool again = !tried_ || (CodeOf(outcome_) != ErrorCode::kUnimplemented && now - tried_ns_ >= kProbeRetryNs);
  if (!again) return outcome_;
  tried_ = true;
  tried_ns_ = now;
  const Status probed = probe_(*store_);
  fit_ = probed.ok();
  if (fit_) {
    TL_LOG_INFO("the magnetic store lies in {}", name_);
    return OkStatus();
  }
  outcome_ = Annotate(probed, name_);
  if (CodeOf(outcome_) == ErrorCode::kUnimplemented) {
    TL_LOG_ERROR("nothing is written to the magnetic store: {}", MessageOf(outcome_));
  }
  return outcome_;
}

Result<objstore::PutOutcome> ProbedObjectStore::PutIfAbsent(std::string_view key, BytesView bytes) {
  TL_TRY(EnsureFit());
  return store_->PutIfAbsent(key, bytes);
}

Status ProbedObjectStore::Put(std::string_view key, BytesView bytes) {
  TL_TRY(EnsureFit());
  return store_->Put(key, bytes);
}

Result<std::unique_ptr<objstore::ObjectWriter>> ProbedObjectStore::Create(std::string_view key) {
  TL_TRY(EnsureFit());
  return store_->Create(key);
}

Result<std::size_t> ProbedObjectStore::Read(std::string_view key, std::uint64_t offset, std::span<std::byte> out) {
  return store_->Read(key, offset, out);
}

Result<objstore::ObjectInfo> ProbedObjectStore::Head(std::string_view key) { return store_->Head(key); }

Result<std::vector<objstore::ObjectInfo>> ProbedObjectStore::List(std::string_view prefix, std::string_view start_after,
                                                                  std::size_t count_max) {
  return store_->List(prefix, start_after, count_max);
}

Status ProbedObjectStore::Remove(std::string_view key) {
  TL_TRY(EnsureFit());
  return store_->Remove(key);
}

}  // namespace tideline::server
