#include "server/rejected_data_reports.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/json.h"
#include "base/log.h"
#include "base/uuid.h"
#include "service/api/choices.h"

namespace tideline::server {
namespace {

constexpr std::int64_t kGatherNs = kNsPerSecond;
constexpr std::size_t kBucketsMax = 1'000;
constexpr std::int64_t kWarningPeriodNs = kNsPerMinute;
constexpr std::size_t kDateLength = 10;  // yyyy-MM-dd

std::string ReportKey(const RejectedRecordEntry& entry, TimestampNs now, const Uuid& report) {
  std::string key = entry.prefix;
  while (key.starts_with('/')) key.erase(0, 1);
  if (!key.empty() && !key.ends_with('/')) key += '/';
  return key + fmt::format(fmt::runtime(api::choices::kRejectedReportKey), entry.database, entry.table,
                           FormatIso8601(now, 0).substr(0, kDateLength), FormatUuid(report));
}

// 32 hex digits.
std::string ReportId(const Uuid& uuid) {
  std::string id = FormatUuid(uuid);
  std::erase(id, '-');
  return id;
}

std::string ReportText(const Uuid& uuid, std::span<const RejectedRecordEntry> records) {
  // Records of one reason stand together, in the order in which they came.
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> by_reason;
  for (const RejectedRecordEntry& record : records) {
    auto at = std::find_if(by_reason.begin(), by_reason.end(),
                           [&](const auto& group) { return group.first == record.reason; });
    if (at == by_reason.end()) {
      at = by_reason.emplace(by_reason.end(), record.reason, std::vector<std::string_view>());
    }
    at->second.push_back(record.json);
  }
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Member("reportId", ReportId(uuid));
  json.Key("errors");
  json.BeginArray();
  for (const auto& [reason, group] : by_reason) {
    json.BeginObject();
    json.Member("reason", reason);
    json.Key("records");
    json.BeginArray();
    for (const std::string_view record : group) json.Raw(record);
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return text;
}

}  // namespace

RejectedDataReports::RejectedDataReports(OpenBucket open_bucket, const Clock& clock, RejectedRecordSpool::Options spool)
    : open_bucket_(std::move(open_bucket)),
      clock_(clock),
      rejected_(Metrics().MakeCounter("tideline_magnetic_store_rejected_records_total",
                                      "Late records answered as ingested and then rejected")),
      failures_(Metrics().MakeCounter("tideline_magnetic_store_rejected_upload_failures_total",
                                      "Tries to write a report of rejected late records that failed")),
      dropped_(Metrics().MakeCounter("tideline_magnetic_store_rejected_unreported_total",
                                     "Rejected late records that no report will name: too many waited")),
      spool_(std::move(spool)),
      random_(Random::FromSystem()),
      thread_(std::make_unique<ThreadPool>(
          ThreadPoolOptions{.name = "reports", .thread_count = 1, .queue_max = 1})),
      spool_thread_(std::make_unique<ThreadPool>(
          ThreadPoolOptions{.name = "reports-disk", .thread_count = 1, .queue_max = 1})) {
  TakeUpSpool();
  const Status reporting = thread_->Submit([this] { Run(); });
  const Status keeping = spool_thread_->Submit([this] { RunSpool(); });
  TL_CHECK(reporting.ok() && keeping.ok());
}

RejectedDataReports::~RejectedDataReports() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    unkept_changed_.NotifyAll();
  }
  spool_thread_->Stop();
  KeepWaiting();
  thread_->Stop();
  Flush();
}

void RejectedDataReports::TakeUpSpool() {
  std::vector<RejectedRecordEntry> found;
  std::size_t bytes = 0;
  const auto loaded = spool_.Load([&](RejectedRecordEntry entry) {
    if (bytes > kRejectedBytesMax) return dropped_.Add();
    bytes += entry.bytes();
    found.push_back(std::move(entry));
  });
  if (!loaded.ok()) TL_LOG_ERROR("rejected late records of the last run are lost in part: {}", MessageOf(loaded.status()));
  if (!found.empty()) TL_LOG_INFO("{} rejected late records of the last run wait for their report", found.size());
  MutexLock lock(mutex_);
  waiting_ = std::move(found);
  waiting_bytes_ = bytes;
}

bool RejectedDataReports::MayWarn() {
  const std::int64_t now = clock_.SteadyNow().value;
  std::int64_t last = warned_ns_.load();
  return now - last >= kWarningPeriodNs && warned_ns_.compare_exchange_strong(last, now);
}

void RejectedDataReports::Add(api::RejectedLateRecord record) {
  rejected_.Add();
  const catalog::MagneticStoreWrites& writes = record.table->properties.magnetic_store_writes;
  if (!writes.rejected_data_location.has_value() ||
      !writes.rejected_data_location->bucket_name.has_value()) {
    return;
  }
  RejectedRecordEntry entry{.database = record.table->database,
                            .table = record.table->table,
                            .bucket = *writes.rejected_data_location->bucket_name,
                            .prefix = writes.rejected_data_location->object_key_prefix.value_or(""),
                            .reason = std::move(record.reason),
                            .json = std::move(record.json)};
  {
    MutexLock lock(mutex_);
    if (std::max(waiting_bytes_, unkept_bytes_) > kRejectedBytesMax) return dropped_.Add();
    waiting_bytes_ += entry.bytes();
    if (spool_.is_on_disk()) {
      unkept_bytes_ += entry.bytes();
      unkept_.push_back(entry);
    }
    waiting_.push_back(std::move(entry));
  }
  unkept_changed_.NotifyOne();
}

void RejectedDataReports::WhenKept(std::function<void()> then) {
  if (!spool_.is_on_disk()) return then();
  {
    MutexLock lock(mutex_);
    keepers_.push_back(std::move(then));
  }
  unkept_changed_.NotifyOne();
}

void RejectedDataReports::RunSpool() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (unkept_.empty() && keepers_.empty() && !stopping_) unkept_changed_.Wait(mutex_);
      if (stopping_) return;
    }
    KeepWaiting();
  }
}

// Records are in waiting_ before they are in a file: a file that Flush ends holds nothing that it does not take.
void RejectedDataReports::KeepWaiting() {
  std::vector<RejectedRecordEntry> entries;
  std::vector<std::function<void()>> keepers;
  {
    MutexLock lock(mutex_);
    entries.swap(unkept_);
    keepers.swap(keepers_);
    unkept_bytes_ = 0;
  }
  const Status kept = spool_.Append(entries);
  if (!kept.ok() && MayWarn()) {
    TL_LOG_WARNING("rejected late records are kept in memory only: {}", MessageOf(kept));
  }
  for (const auto& then : keepers) then();
}

std::size_t RejectedDataReports::waiting_count() {
  MutexLock lock(mutex_);
  return waiting_.size();
}

void RejectedDataReports::Run() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (!stopping_) changed_.WaitFor(mutex_, kGatherNs);
      if (stopping_) return;
    }
    Flush();
  }
}

void RejectedDataReports::Flush() {
  MutexLock turn(flush_mutex_);
  const std::uint64_t spooled = spool_.Rotate();
  std::vector<RejectedRecordEntry> taken;
  {
    MutexLock lock(mutex_);
    taken.swap(waiting_);
    waiting_bytes_ = 0;
  }
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::vector<RejectedRecordEntry>> by_place;
  for (RejectedRecordEntry& record : taken) {
    by_place[{record.database, record.table, record.bucket, record.prefix}].push_back(std::move(record));
  }
  std::vector<RejectedRecordEntry> left;
  for (auto& [place, records] : by_place) WriteAll(std::move(records), &left);
  if (left.empty()) {
    const Status released = spool_.Release(spooled);
    if (!released.ok() && MayWarn()) TL_LOG_WARNING("reported records stay on disk: {}", MessageOf(released));
    return;
  }
  // Their files stay; the next try, or the next start, has them again.
  MutexLock lock(mutex_);
  for (const RejectedRecordEntry& record : left) waiting_bytes_ += record.bytes();
  left.insert(left.end(), std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
  waiting_ = std::move(left);
}

void RejectedDataReports::WriteAll(std::vector<RejectedRecordEntry> records, std::vector<RejectedRecordEntry>* left)
    TL_NO_THREAD_SAFETY_ANALYSIS {
  for (std::size_t first = 0; first < records.size(); first += kRejectedPerReportMax) {
    const std::size_t count = std::min(kRejectedPerReportMax, records.size() - first);
    const Status written = Write(std::span(records).subspan(first, count));
    if (written.ok()) continue;
    failures_.Add();
    if (MayWarn()) {
      TL_LOG_WARNING("the report of {} rejected late records of {}.{} waits: {}", count, records[first].database,
                     records[first].table, MessageOf(written));
    }
    const auto begin = records.begin() + static_cast<std::ptrdiff_t>(first);
    left->insert(left->end(), begin, begin + static_cast<std::ptrdiff_t>(count));
  }
}

Result<objstore::ObjectStore*> RejectedDataReports::BucketOf(const std::string& name)
    TL_NO_THREAD_SAFETY_ANALYSIS {
  const auto found = buckets_.find(name);
  if (found != buckets_.end()) return found->second.get();
  if (buckets_.size() >= kBucketsMax) buckets_.clear();
  auto store = TL_TRY(open_bucket_(name));
  return (buckets_[name] = std::move(store)).get();
}

Status RejectedDataReports::Write(std::span<const RejectedRecordEntry> records) TL_NO_THREAD_SAFETY_ANALYSIS {
  const Uuid uuid = MakeUuid(random_);
  objstore::ObjectStore* bucket = TL_TRY(BucketOf(records[0].bucket));
  const std::string text = ReportText(uuid, records);
  return bucket->Put(ReportKey(records[0], clock_.WallNow(), uuid), AsBytes(text));
}

}  // namespace tideline::server
