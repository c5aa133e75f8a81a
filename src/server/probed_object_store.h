// server/probed_object_store.h: an object store that could not be probed at start, and is before anything is written.
//
// A store that ignores conditions must never hold commits, so nothing is written to one that was not found fit. A store
// that is merely out of reach keeps no server from starting: what lies in memory and on the local disk is served, reads
// are passed on, and writes fail with kUnavailable until the probe has passed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/time.h"
#include "storage/objstore/object_store.h"

namespace tideline::server {

/// Between two tries to probe.
inline constexpr std::int64_t kProbeRetryNs = 10 * kNsPerSecond;

/// Thread-safe.
class ProbedObjectStore final : public objstore::ObjectStore {
 public:
  using Probe = std::function<Status(objstore::ObjectStore&)>;
  /// `name` is for messages; `clock` outlives it.
  ProbedObjectStore(std::unique_ptr<objstore::ObjectStore> store, std::string name, Probe probe, const Clock& clock)
      : store_(std::move(store)), name_(std::move(name)), probe_(std::move(probe)), clock_(clock) {}

  /// Probes once more unless it has passed, or was tried within kProbeRetryNs. kUnavailable: out of reach;
  /// kUnimplemented: unfit, for good.
  Status EnsureFit();

  Result<objstore::PutOutcome> PutIfAbsent(std::string_view key, BytesView bytes) override;
  Status Put(std::string_view key, BytesView bytes) override;
  Result<std::unique_ptr<objstore::ObjectWriter>> Create(std::string_view key) override;
  Result<std::size_t> Read(std::string_view key, std::uint64_t offset, std::span<std::byte> out) override;
  Result<objstore::ObjectInfo> Head(std::string_view key) override;
  Result<std::vector<objstore::ObjectInfo>> List(std::string_view prefix, std::string_view start_after,
                                                 std::size_t count_max) override;
  Status Remove(std::string_view key) override;

 private:
  const std::unique_ptr<objstore::ObjectStore> store_;
  const std::string name_;
  const Probe probe_;
  const Clock& clock_;
  Mutex mutex_;  ///< held while probing: writers wait for the outcome
  bool fit_ TL_GUARDED_BY(mutex_) = false;
  bool tried_ TL_GUARDED_BY(mutex_) = false;
  std::int64_t tried_ns_ TL_GUARDED_BY(mutex_) = 0;
  Status outcome_ TL_GUARDED_BY(mutex_) = OkStatus();
};

}  // namespace tideline::server
