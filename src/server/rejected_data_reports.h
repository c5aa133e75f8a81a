// server/rejected_data_reports.h: writes reports of rejected late data where each table wants them.
//
// A report is the object <prefix>/<database>/<table>/<yyyy-MM-dd>/<uuid>.json of the table's bucket:
// {"reportId": …, "errors": [{"reason": …, "records": […]}]}. Records are gathered for a second and lie on disk meanwhile
// (rejected_record_spool.h), so that a process that is killed, or a machine that loses power, reports them when it starts
// again. One thread writes and syncs them there, as many at once as wait, and then lets their writers be answered;
// another one writes the reports. While a bucket cannot be written its records wait and are tried again.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "server/rejected_record_spool.h"
#include "service/api/rejected_late_data.h"
#include "storage/objstore/object_store.h"

namespace tideline::server {

/// Bytes of records that wait, for their report or for the disk; beyond it records are counted and not reported.
inline constexpr std::size_t kRejectedBytesMax = std::size_t{32} << 20;
/// Records of one report.
inline constexpr std::size_t kRejectedPerReportMax = 10'000;

class RejectedDataReports final : public api::RejectedLateDataSink {
 public:
  /// Opens the store of a bucket; called again for the same name only after it failed. The store lives as long as this.
  using OpenBucket =
      std::function<Result<std::unique_ptr<objstore::ObjectStore>>(const std::string& bucket)>;
  /// `clock` outlives it. Takes up what an earlier process left in the spool.
  RejectedDataReports(OpenBucket open_bucket, const Clock& clock, RejectedRecordSpool::Options spool);
  /// Writes what waits; what cannot be written stays in the spool.
  ~RejectedDataReports() override;
  void Add(api::RejectedLateRecord record) override;
  void WhenKept(std::function<void()> then) override;
  /// Writes what waits now. Blocks.
  void Flush();
  /// Records that wait for their report.
  std::size_t waiting_count();

 private:
  void Run();
  void RunSpool();
  /// Puts what waits for it onto the disk, then runs what waits for that.
  void KeepWaiting();
  Result<objstore::ObjectStore*> BucketOf(const std::string& name);
  Status Write(std::span<const RejectedRecordEntry> records);
  void TakeUpSpool();
  /// Writes all of one report's place; those that could not be written are put into `left`.
  void WriteAll(std::vector<RejectedRecordEntry> records, std::vector<RejectedRecordEntry>* left);
  /// Whether a warning is due again.
  bool MayWarn();

  const OpenBucket open_bucket_;
  const Clock& clock_;
  Counter& rejected_;
  Counter& failures_;
  Counter& dropped_;
  RejectedRecordSpool spool_;
  std::atomic<std::int64_t> warned_ns_{INT64_MIN / 2};

  Mutex flush_mutex_;  ///< one report at a time; before mutex_
  std::map<std::string, std::unique_ptr<objstore::ObjectStore>> buckets_ TL_GUARDED_BY(flush_mutex_);
  Random random_ TL_GUARDED_BY(flush_mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::vector<RejectedRecordEntry> waiting_ TL_GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ TL_GUARDED_BY(mutex_) = 0;
  /// Not on disk yet, and those who wait for that.
  CondVar unkept_changed_;
  std::vector<RejectedRecordEntry> unkept_ TL_GUARDED_BY(mutex_);
  std::size_t unkept_bytes_ TL_GUARDED_BY(mutex_) = 0;
  std::vector<std::function<void()>> keepers_ TL_GUARDED_BY(mutex_);
  bool stopping_ TL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<ThreadPool> thread_;
  std::unique_ptr<ThreadPool> spool_thread_;
};

}  // namespace tideline::server
