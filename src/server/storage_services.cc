#include "server/storage_services.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/memory_budget.h"
#include "service/api/choices.h"
#include "storage/fs/posix_file_system.h"
#include "storage/objstore/directory_object_store.h"

namespace tideline::server {
namespace {

constexpr std::uint64_t kReserveDiskShare = 100;

// A bucket is a directory; one that was named but never made is made now.
Result<std::unique_ptr<objstore::ObjectStore>> OpenBucketDirectory(const std::string& directory,
                                                                   const std::string& bucket) {
  TL_TRY(objstore::CheckKey(bucket));
  const std::string path = directory + "/" + bucket;
  TL_TRY(fs::CreateDirectories(fs::PosixFileSystem(), path));
  return objstore::OpenDirectoryObjectStore(fs::PosixFileSystem(), {.directory = path});
}

engine::EngineOptions OptionsOf(const Settings& settings, const Clock& clock, std::size_t memory_bytes) {
  fs::FileSystem& file_system = fs::PosixFileSystem();
  engine::EngineOptions options;
  options.data_dir = settings.data_dir;
  options.file_system = &file_system;
  options.clock = &clock;
  options.memory_bytes_max = memory_bytes;
  options.checkpoint_wal_bytes = static_cast<std::uint64_t>(settings.checkpoint_wal_kb) << 10;
  options.undelete_ns = settings.undelete_hours * kNsPerHour;
  options.merge_bytes_per_second_max = static_cast<std::uint64_t>(settings.merge_mb) << 20;
  if (const auto space = file_system.Space(settings.data_dir); space.ok()) {
    options.reserve_bytes =
        std::min(static_cast<std::uint64_t>(settings.reserve_mb) << 20, space->total_bytes / kReserveDiskShare);
  }
  if (settings.sync == "interval") {
    options.sync_interval_ns = settings.sync_interval_ms * kNsPerMs;
    TL_LOG_WARNING("sync is 'interval': a crash loses up to {} ms of acknowledged writes", settings.sync_interval_ms);
  }
  options.recover_quarantine = settings.recover == "quarantine";
  options.verdict_rules = {.refuse_lower_version_of_equal_values = api::choices::kLowerVersionEqualValueRefused,
                           .first_in_batch_wins = api::choices::kFirstInRequestWins};
  options.on_fatal = [](const Status& status) {
    TL_LOG_ERROR("the log failed, ending so that a restart can recover: {}", MessageOf(status));
    _exit(kExitLogFailed);
  };
  return options;
}

}  // namespace

Result<std::unique_ptr<StorageServices>> StorageServices::Open(const Settings& settings, const Clock& clock,
                                                               std::unique_ptr<objstore::ObjectStore> magnetic_store,
                                                               StorageUse use) {
  fs::FileSystem& file_system = fs::PosixFileSystem();
  TL_TRY(fs::CreateDirectories(file_system, settings.data_dir));
  std::unique_ptr<StorageServices> services(new StorageServices());
  services->memory_bytes_ =
      settings.memory_mb != 0 ? static_cast<std::size_t>(settings.memory_mb) << 20 : DetectMemoryBytes();
  engine::EngineOptions options = OptionsOf(settings, clock, services->memory_bytes_);
  services->keys_ = TL_TRY(OpenDataKeys(file_system, settings.data_dir, settings.encryption, settings.key_file));
  options.sealer = services->keys_.sealer();
  options.encode_runs = use == StorageUse::kServe;
  services->magnetic_store_ = std::move(magnetic_store);
  options.magnetic_store = services->magnetic_store_.get();
  services->engine_ = TL_TRY(engine::Engine::Open(std::move(options)));
  engine::Engine& engine = *services->engine_;
  const engine::EngineStats found = engine.stats();
  TL_LOG_INFO("opened {} in {:.2f} s: {} segments of {} bytes, {} rows from {} bytes of the log", settings.data_dir,
              static_cast<double>(found.recovery_ns) / 1e9, found.segment_count, found.segment_bytes,
              found.replayed_rows, found.replayed_bytes);
  services->management_ = std::make_unique<api::ManagementService>(engine);
  services->reports_ = std::make_unique<RejectedDataReports>(
      [directory = settings.bucket_dir.empty() ? settings.data_dir + "/buckets" : settings.bucket_dir](
          const std::string& bucket) { return OpenBucketDirectory(directory, bucket); },
      clock,
      RejectedRecordSpool::Options{
          .file_system = &file_system,
          .directory = fs::JoinPath(settings.data_dir, "reports"),
          .sealer = services->sealer() != nullptr ? services->sealer() : &services->plain_sealer_,
          .key_scope = engine.database_uuid()});
  services->write_ = std::make_unique<api::WriteService>(engine, clock, services->reports_.get());
  return services;
}

// The engine first: writes under way use the services.
StorageServices::~StorageServices() {
  if (const Status status = Stop(); !status.ok()) TL_LOG_ERROR("stop: {}", MessageOf(status));
}

}  // namespace tideline::server
