#include "server/rejected_data_reports.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/uuid.h"

namespace tideline::server {
namespace {

constexpr std::int64_t kGatherNs = kNsPerSecond;
constexpr std::size_t kBucketsMax = 1'000;
constexpr std::size_t kDateLength = 10;  // yyyy-MM-dd

std::string ReportKey(const catalog::TableSchema& table, const catalog::S3Location& location,
                      TimestampNs now, const Uuid& report) {
  std::string key = location.object_key_prefix.value_or("");
  while (key.starts_with('/')) key.erase(0, 1);
  if (!key.empty() && !key.ends_with('/')) key += '/';
  return key + fmt::format("{}/{}/{}/{}.json", table.database, table.table,
                           FormatIso8601(now, 0).substr(0, kDateLength), FormatUuid(report));
}

// 32 hex digits.
std::string ReportId(const Uuid& uuid) {
  std::string id = FormatUuid(uuid);
  std::erase(id, '-');
  return id;
}

std::string ReportText(const Uuid& uuid, std::span<const api::RejectedLateRecord> records) {
  // Records of one reason stand together, in the order in which they came.
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> by_reason;
  for (const api::RejectedLateRecord& record : records) {
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

RejectedDataReports::RejectedDataReports(OpenBucket open_bucket, const Clock& clock)
    : open_bucket_(std::move(open_bucket)),
      clock_(clock),
      rejected_(Metrics().MakeCounter("tideline_magnetic_store_rejected_records_total",
                                      "Late records answered as ingested and then rejected")),
      failures_(Metrics().MakeCounter("tideline_magnetic_store_rejected_upload_failures_total",
                                      "Reports of rejected late records that could not be written")),
      random_(Random::FromSystem()),
      thread_(std::make_unique<ThreadPool>(
          ThreadPoolOptions{.name = "reports", .thread_count = 1, .queue_max = 1})) {
  const Status submitted = thread_->Submit([this] { Run(); });
  if (!submitted.ok()) TL_LOG_ERROR("reports: {}", MessageOf(submitted));
}

RejectedDataReports::~RejectedDataReports() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_->Stop();
  Flush();
}

void RejectedDataReports::Add(api::RejectedLateRecord record) {
  rejected_.Add();
  const catalog::MagneticStoreWrites& writes = record.table->properties.magnetic_store_writes;
  if (!writes.rejected_data_location.has_value() ||
      !writes.rejected_data_location->bucket_name.has_value()) {
    return;
  }
  MutexLock lock(mutex_);
  if (waiting_bytes_ > kRejectedBytesMax) {
    failures_.Add();
    return;
  }
  waiting_bytes_ += record.json.size() + record.reason.size();
  waiting_.push_back(std::move(record));
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
  std::deque<api::RejectedLateRecord> taken;
  {
    MutexLock lock(mutex_);
    taken.swap(waiting_);
    waiting_bytes_ = 0;
  }
  std::map<catalog::TableId, std::vector<api::RejectedLateRecord>> by_table;
  for (api::RejectedLateRecord& record : taken) {
    by_table[record.table->id].push_back(std::move(record));
  }
  for (const auto& [id, records] : by_table) {
    for (std::size_t first = 0; first < records.size(); first += kRejectedPerReportMax) {
      const std::size_t count = std::min(kRejectedPerReportMax, records.size() - first);
      const catalog::TableSchema& table = *records[first].table;
      const Status written = Write(table, std::span(records).subspan(first, count));
      if (written.ok()) continue;
      failures_.Add();
      TL_LOG_WARNING("the report of {} rejected late records of {}.{} is lost: {}", count,
                     table.database, table.table, MessageOf(written));
    }
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

Status RejectedDataReports::Write(const catalog::TableSchema& table,
                                  std::span<const api::RejectedLateRecord> records)
    TL_NO_THREAD_SAFETY_ANALYSIS {
  const catalog::S3Location& location =
      *table.properties.magnetic_store_writes.rejected_data_location;
  const Uuid uuid = MakeUuid(random_);
  objstore::ObjectStore* bucket = TL_TRY(BucketOf(*location.bucket_name));
  const std::string text = ReportText(uuid, records);
  return bucket->Put(ReportKey(table, location, clock_.WallNow(), uuid), AsBytes(text));
}

}  // namespace tideline::server
