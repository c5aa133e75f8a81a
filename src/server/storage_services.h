// server/storage_services.h: a data directory with its engine, and the services that write to it; no door.
//
// What a server and a tool that takes the directory to itself have in common: settings mean the same to both.
#pragma once

#include <cstddef>
#include <memory>

#include "base/status.h"
#include "base/time.h"
#include "server/encryption.h"
#include "server/rejected_data_reports.h"
#include "server/settings.h"
#include "service/api/management_service.h"
#include "service/api/write_service.h"
#include "storage/engine/engine.h"
#include "storage/objstore/object_store.h"
#include "storage/seal/sealer.h"

namespace tideline::server {

/// Exit status of a process whose log failed: restart it, and it recovers.
inline constexpr int kExitLogFailed = 74;

enum class StorageUse {
  kServe,
  kLoad,  ///< rows are written and not read: nothing is done for queries to be quick
};

class StorageServices {
 public:
  /// Opens the data directory of `settings`, making it if it is absent, and takes its lock. `magnetic_store` is what
  /// OpenMagneticStore gave, maybe null; `clock` outlives it.
  /// kAborted: another process has the directory. Else as OpenDataKeys and Engine::Open say.
  static Result<std::unique_ptr<StorageServices>> Open(const Settings& settings, const Clock& clock,
                                                       std::unique_ptr<objstore::ObjectStore> magnetic_store,
                                                       StorageUse use = StorageUse::kServe);
  ~StorageServices();

  /// What the process may take: the engine has a quarter for what is not in files yet and a quarter for its cache.
  std::size_t memory_bytes() const { return memory_bytes_; }
  /// Null where nothing is encrypted.
  seal::Sealer* sealer() const { return keys_.sealer(); }
  engine::Engine& engine() { return *engine_; }
  api::ManagementService& management() { return *management_; }
  api::WriteService& write() { return *write_; }

  /// Writes a checkpoint and ends the engine's threads. Idempotent; the destructor does it too.
  Status Stop() { return engine_ == nullptr ? OkStatus() : engine_->Stop(); }

 private:
  StorageServices() = default;
  std::size_t memory_bytes_ = 0;
  DataKeys keys_;
  seal::PlainSealer plain_sealer_;  ///< with --encryption off
  std::unique_ptr<objstore::ObjectStore> magnetic_store_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<api::ManagementService> management_;
  std::unique_ptr<RejectedDataReports> reports_;
  std::unique_ptr<api::WriteService> write_;
};

}  // namespace tideline::server
