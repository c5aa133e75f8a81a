#include "cli/offline_load_sink.h"

#include <algorithm>

#include "server/magnetic_store.h"
#include "storage/engine/data_directory.h"
#include "storage/engine/encryption.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::cli {
namespace {

constexpr std::size_t kRecordsMax = 1'000;
constexpr std::size_t kSentMax = 16;
static_assert(kRecordsMax <= engine::kBatchRecordsMax);
/// Log between two checkpoints at most: they run beside the load, and the last one is waited for.
constexpr std::int64_t kCheckpointWalKbMax = 8 << 10;
/// Between two tries of a write that there is no room for, and how long it is tried.
constexpr std::int64_t kRetryNs = kNsPerMs;
constexpr std::int64_t kRoomWaitNsMax = 60 * kNsPerSecond;

api::TimeUnit TimeUnitOf(std::string_view name) {
  if (name == "SECONDS") return api::TimeUnit::kSeconds;
  if (name == "MILLISECONDS") return api::TimeUnit::kMilliseconds;
  if (name == "MICROSECONDS") return api::TimeUnit::kMicroseconds;
  return api::TimeUnit::kNanoseconds;
}

void Pause(std::int64_t ns) {
  Mutex mutex;
  CondVar never;
  const MutexLock lock(mutex);
  never.WaitFor(mutex, ns);
}

}  // namespace

OfflineLoadSink::OfflineLoadSink(server::Settings settings, LoadTarget target)
    : settings_(std::move(settings)), target_(std::move(target)) {
  settings_.checkpoint_wal_kb = std::min(settings_.checkpoint_wal_kb, kCheckpointWalKbMax);
  common_.measure_name = target_.measure_name;
  common_.measure_value_type = catalog::MeasureType::kMulti;
  common_.time_unit = TimeUnitOf(target_.time_unit);
}

std::size_t OfflineLoadSink::records_max() const { return kRecordsMax; }

std::size_t OfflineLoadSink::sent_max() const { return kSentMax; }

Status OfflineLoadSink::Prepare() {
  TL_TRY(engine::CheckDataDirectory(fs::PosixFileSystem(), settings_.data_dir));
  const engine::Encryption found = TL_TRY(engine::FindEncryption(fs::PosixFileSystem(), settings_.data_dir));
  if (found == engine::Encryption::kUndecided && !target_.create) {
    return NotFound("there is no database in {}; --create makes one", settings_.data_dir);
  }
  auto magnetic_store = TL_TRY(server::OpenMagneticStore(settings_, server::ProcessEnvironment()));
  auto opened = server::StorageServices::Open(settings_, SystemClock(), std::move(magnetic_store),
                                               server::StorageUse::kLoad);
  if (CodeOf(opened.status()) == ErrorCode::kAborted) {
    return Aborted("a server runs on {}: leave out --offline to load through it, or stop it first", settings_.data_dir);
  }
  storage_ = TL_TRY(std::move(opened));
  return target_.create ? Create() : OkStatus();
}

Status OfflineLoadSink::Create() {
  const api::CallContext call;
  api::CreateDatabaseRequest database;
  database.database = target_.database;
  const Status made = storage_->management().CreateDatabase(call, database).status();
  TL_TRY(Annotate(IgnoreExisting(made), "create database"));
  api::CreateTableRequest table;
  table.database = target_.database;
  table.table = target_.table;
  table.retention =
      catalog::Retention{.memory_hours = target_.memory_hours, .magnetic_days = target_.magnetic_days};
  table.magnetic_store_writes = catalog::MagneticStoreWrites{.enabled = true};
  return Annotate(IgnoreExisting(storage_->management().CreateTable(call, table).status()), "create table");
}

Status OfflineLoadSink::Send(std::span<const api::RecordInput> records) {
  const api::WriteRecordsRequest request{
      .database = target_.database, .table = target_.table, .common = common_, .records = records};
  const std::int64_t until_ns = SystemClock().SteadyNow().value + kRoomWaitNsMax;
  for (;;) {
    auto waiter = std::make_shared<server::WriteWaiter>();
    storage_->write().WriteRecords(
        request, [waiter](Result<api::WriteRecordsAnswer> answer) { waiter->Done(std::move(answer)); });
    const Status failure = waiter->failure();
    if (failure.ok()) {
      sent_.push_back(std::move(waiter));
      return OkStatus();
    }
    // Checkpoints and merges make room.
    const bool may_pass = CodeOf(failure) == ErrorCode::kResourceExhausted;
    if (!may_pass || SystemClock().SteadyNow().value > until_ns) return failure;
    Pause(kRetryNs);
  }
}

Result<api::WriteRecordsAnswer> OfflineLoadSink::Receive() {
  const std::shared_ptr<server::WriteWaiter> first = std::move(sent_.front());
  sent_.pop_front();
  return first->Wait();
}

Status OfflineLoadSink::Finish() { return storage_->Stop(); }

}  // namespace tideline::cli
