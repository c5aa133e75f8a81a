// tests/support/sim_object_store.h: an object store in memory that loses answers, refuses and stalls.
//
// What a put that answered kCreated or OK stored is there for ever; what it answered kUnknown, or
// failed with, may be there or not, now or only later (a request that overtook its client's
// patience). Everything comes from one seed. A Restart forgets nothing but late requests may still
// arrive: that is what distinguishes a bucket from a disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "storage/objstore/object_store.h"

namespace tideline::testing {

/// Chances of what may happen to one call, 0 to 1.
struct SimObjectFaults {
  double lose_before = 0;  ///< the answer is lost and nothing was done
  double lose_after = 0;   ///< done, and the answer is lost
  double late = 0;         ///< the answer is lost; it is done at some later call, if at all
  double refuse = 0;       ///< throttled: a definite error, nothing done
  double fail_read = 0;    ///< a read or listing fails with kUnavailable
  double cut_upload = 0;   ///< an object written in pieces fails half-way, leaving nothing
  double flip = 0;         ///< a read answers with one bit inverted
};

/// Thread-safe.
class SimObjectStore final : public objstore::ObjectStore {
 public:
  explicit SimObjectStore(std::uint64_t seed) : random_(seed) {}

  void SetFaults(const SimObjectFaults& faults);
  /// The power is off for the client: every call fails with kUnavailable and does nothing.
  void CutOff(bool off);
  /// While `dead` says so the client's machine is without power: calls fail and do nothing.
  void DieWith(std::function<bool()> dead);
  /// Calls `hook` before each piece of an object is taken, with no lock of the store held.
  void BeforeAppends(std::function<void(std::string_view key)> hook);
  std::uint64_t fault_count() const;
  std::uint64_t call_count() const;
  /// A hash of all names and contents.
  std::uint64_t StateHash() const;
  /// Keys with their sizes, without a fault.
  std::vector<objstore::ObjectInfo> Objects() const;

  Result<objstore::PutOutcome> PutIfAbsent(std::string_view key, BytesView bytes) override;
  Status Put(std::string_view key, BytesView bytes) override;
  Result<std::unique_ptr<objstore::ObjectWriter>> Create(std::string_view key) override;
  Result<std::size_t> Read(std::string_view key, std::uint64_t offset,
                           std::span<std::byte> out) override;
  Result<objstore::ObjectInfo> Head(std::string_view key) override;
  Result<std::vector<objstore::ObjectInfo>> List(std::string_view prefix,
                                                 std::string_view start_after,
                                                 std::size_t count_max) override;
  Status Remove(std::string_view key) override;

 private:
  friend class SimObjectWriter;
  /// Starts a call: lets late requests arrive; kUnavailable when cut off.
  Status Begin() TL_REQUIRES(mutex_);
  bool Strikes(double chance) TL_REQUIRES(mutex_);
  void Store(std::string_view key, BytesView bytes, bool only_if_absent) TL_REQUIRES(mutex_);
  Status CommitWhole(std::string_view key, BytesView bytes);

  struct Late {
    std::string key;
    Bytes bytes;
    bool only_if_absent = false;
  };
  mutable Mutex mutex_;
  Random random_ TL_GUARDED_BY(mutex_);
  SimObjectFaults faults_ TL_GUARDED_BY(mutex_);
  bool off_ TL_GUARDED_BY(mutex_) = false;
  std::function<bool()> dead_ TL_GUARDED_BY(mutex_);
  std::function<void(std::string_view)> before_append_;  // set before the store is used
  std::map<std::string, Bytes, std::less<>> objects_ TL_GUARDED_BY(mutex_);
  std::vector<Late> late_ TL_GUARDED_BY(mutex_);
  std::uint64_t fault_count_ TL_GUARDED_BY(mutex_) = 0;
  std::uint64_t call_count_ TL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tideline::testing
