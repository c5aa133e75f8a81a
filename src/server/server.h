// server/server.h: the object graph of one server: built in order, stopped in the reverse.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/held_clock.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "front/admin/admin_handler.h"
#include "exec/spill/spill_space.h"
#include "front/aws_json/aws_json_handler.h"
#include "net/http_server.h"
#include "server/collector.h"
#include "server/settings.h"
#include "server/storage_services.h"
#include "service/api/query_service.h"
#include "service/auth/authenticator.h"
#include "storage/objstore/object_store.h"
#include "storage/seal/sealer.h"

namespace tideline::server {

class Server {
 public:
  /// Checks settings, takes the ports, opens the data directory, recovers, and listens. Errors say what to
  /// change; what is wrong with settings or ports, and a directory that is somebody else's, is found before
  /// anything is made in it. A root key that is made is printed on stderr at that moment.
  static Result<std::unique_ptr<Server>> Start(const Settings& settings);
  ~Server();

  /// Refuses new requests, answers those that are under way, writes a checkpoint. Idempotent.
  Status Stop();

  /// Stores this machine's metrics every second while it lives; end it before Stop.
  std::unique_ptr<Collector> MakeCollector();

  /// "http://127.0.0.1:8433", "https://…": what the ready lines print.
  const std::vector<std::string>& urls() const { return urls_; }
  const auth::AccessKey& root_key() const { return root_key_; }

 private:
  explicit Server(const Settings& settings) : settings_(settings) {}
  Status TakePorts();
  Status OpenStorage();
  Status OpenSpill();
  Status MakeServices();
  void AddStorageGauges();
  Status Listen();
  void ExpireSessionsRegularly();

  /// What storage and services tell the time by; signatures and connections go by the machine's.
  const Clock& clock() const;

  const Settings settings_;
  std::unique_ptr<HeldClock> held_clock_;  ///< with --test-clock
  std::size_t thread_count_ = 1;
  auth::AccessKey root_key_;
  std::vector<std::string> urls_;
  net::HttpServerOptions http_options_;      ///< until Listen
  std::optional<net::HttpPorts> ports_;      ///< taken before the data directory is touched, until Listen

  std::unique_ptr<MemoryBudget> memory_;
  std::unique_ptr<objstore::ObjectStore> magnetic_store_;  ///< until OpenStorage
  std::unique_ptr<StorageServices> storage_;
  std::unique_ptr<seal::Sealer> spill_sealer_;
  std::unique_ptr<exec::SpillSpace> spill_;
  std::unique_ptr<ThreadPool> query_pool_;
  std::unique_ptr<ThreadPool> workers_;
  std::unique_ptr<ThreadPool> query_workers_;
  std::unique_ptr<auth::SingleKeyStore> keys_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<api::QueryService> query_;
  std::unique_ptr<aws_json::AwsJsonHandler> aws_json_;
  std::unique_ptr<admin::AdminHandler> admin_;
  std::unique_ptr<net::HttpServer> http_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ TL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<ThreadPool> timer_;
};

}  // namespace tideline::server
