#include "server/server.h"

#include <algorithm>
#include <cstdio>

#include "base/log.h"
#include "base/metrics.h"
#include "net/url.h"
#include "server/admin_calls.h"
#include "server/local_sink.h"
#include "server/magnetic_store.h"
#include "server/root_key.h"
#include "service/api/choices.h"
#include "storage/engine/data_directory.h"
#include "storage/fs/posix_file_system.h"
#include "storage/seal/ephemeral_sealer.h"

namespace tideline::server {
namespace {

constexpr std::int64_t kCollectIntervalNs = kNsPerSecond;
constexpr std::int64_t kStopGraceNs = 10 * kNsPerSecond;
constexpr std::int64_t kExpirySweepNs = 60 * kNsPerSecond;
constexpr std::size_t kPemBytesMax = 1 << 20;
constexpr std::size_t kBodyBytesTotalMax = std::size_t{1} << 30;  // at least --body-max's upper end

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Status CheckLoopbackOnly(const Settings& settings, std::string_view flag, std::string_view why) {
  for (const std::string& address : {settings.http, settings.https}) {
    if (address.empty()) continue;
    const net::HostPort parsed = TL_TRY(net::ParseHostPort(address));
    if (!IsLoopback(parsed.host)) {
      return InvalidArgument("{} {}, so it works on loopback addresses only; {} is none", flag, why,
                             address);
    }
  }
  return OkStatus();
}

Result<std::string> ReadPem(std::string_view setting, const std::string& path) {
  const Result<Bytes> bytes = fs::ReadWholeFile(fs::PosixFileSystem(), path, kPemBytesMax);
  if (!bytes.ok()) return Annotate(bytes.status(), fmt::format("--{}", setting));
  return std::string(AsText(*bytes));
}

// What errors call a file of TLS, and what stands in for an empty one, which would read as none.
void NamePem(std::string name, std::string text, std::string* pem_name, std::string* pem) {
  *pem_name = std::move(name);
  *pem = text.empty() ? "\n" : std::move(text);
}

// Certificate and key of the settings, or those that the data directory has already; none before a first start.
Status LoadTls(const Settings& settings, net::HttpServerOptions* options) {
  if (!settings.tls_certificate.empty()) {
    std::string certificate = TL_TRY(ReadPem("tls-certificate", settings.tls_certificate));
    std::string key = TL_TRY(ReadPem("tls-key", settings.tls_key));
    NamePem(fmt::format("--tls-certificate {}", settings.tls_certificate), std::move(certificate),
            &options->certificate_name, &options->certificate_pem);
    NamePem(fmt::format("--tls-key {}", settings.tls_key), std::move(key), &options->private_key_name,
            &options->private_key_pem);
    return OkStatus();
  }
  auto kept = TL_TRY(LoadCertificate(fs::PosixFileSystem(), settings.data_dir));
  if (!kept.has_value()) return OkStatus();
  NamePem(CertificatePath(settings.data_dir), std::move(kept->certificate_pem), &options->certificate_name,
          &options->certificate_pem);
  NamePem(CertificateKeyPath(settings.data_dir), std::move(kept->private_key_pem), &options->private_key_name,
          &options->private_key_pem);
  return OkStatus();
}

void PrintRootKey(const auth::AccessKey& key, std::string_view data_dir) {
  fmt::print(stderr,
             "made a root access key (printed once; kept in {}/root-key.json):\n"
             "  export AWS_ACCESS_KEY_ID={}\n  export AWS_SECRET_ACCESS_KEY={}\n",
             data_dir, key.access_key_id, key.secret_access_key);
  std::fflush(stderr);
}

LogLevel LevelOf(std::string_view text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "warning") return LogLevel::kWarning;
  if (text == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const Settings& settings) {
  SetLogLevel(LevelOf(settings.log_level));
  if (settings.dev) TL_TRY(CheckLoopbackOnly(settings, "--dev", "accepts any key"));
  if (settings.test_clock) TL_TRY(CheckLoopbackOnly(settings, "--test-clock", "lets time be moved"));
  for (const std::string& warning : UnknownVariables(ProcessVariables())) TL_LOG_WARNING("{}", warning);
  std::unique_ptr<Server> server(new Server(settings));
  TL_TRY(server->TakePorts());
  TL_TRY(server->OpenStorage());
  TL_TRY(server->OpenSpill());
  TL_TRY(server->MakeServices());
  TL_TRY(server->Listen());
  return server;
}

const Clock& Server::clock() const {
  return held_clock_ == nullptr ? SystemClock() : *held_clock_;
}

// Everything that can be refused without a look at the data, so that a start which cannot succeed leaves no directory,
// no keys and no half of a first start behind.
Status Server::TakePorts() {
  TL_TRY(engine::CheckDataDirectory(fs::PosixFileSystem(), settings_.data_dir));
  http_options_.addresses = {settings_.http};
  if (!settings_.https.empty()) http_options_.tls_addresses = {settings_.https};
  http_options_.body_bytes_max = static_cast<std::size_t>(settings_.body_mb) << 20;
  http_options_.connections_max = static_cast<std::size_t>(settings_.connections);
  TL_TRY(LoadTls(settings_, &http_options_));
  if (!http_options_.certificate_pem.empty()) TL_TRY(net::HttpServer::Check(http_options_));
  ports_ = TL_TRY(net::HttpPorts::Bind(http_options_.addresses, http_options_.tls_addresses));
  magnetic_store_ = TL_TRY(OpenMagneticStore(settings_, ProcessEnvironment()));
  return OkStatus();
}

Status Server::OpenStorage() {
  if (settings_.test_clock) held_clock_ = std::make_unique<HeldClock>();
  thread_count_ = settings_.threads != 0
                      ? static_cast<std::size_t>(settings_.threads)
                      : CoreCount();
  storage_ = TL_TRY(StorageServices::Open(settings_, clock(), std::move(magnetic_store_)));
  memory_ = std::make_unique<MemoryBudget>("queries", storage_->memory_bytes() / 2);
  if (settings_.access_key_id.empty()) {
    bool created = false;
    root_key_ = TL_TRY(LoadOrCreateRootKey(fs::PosixFileSystem(), settings_.data_dir, settings_.account_id, &created));
    if (created) PrintRootKey(root_key_, settings_.data_dir);
  } else {
    root_key_ = {settings_.access_key_id, settings_.secret_access_key,
                 fmt::format("arn:aws:iam::{}:root", settings_.account_id)};
  }
  return OkStatus();
}

// After the engine, which holds the lock on the data directory: what lies in spill/ is no one's.
Status Server::OpenSpill() {
  if (settings_.spill_mb == 0) return OkStatus();
  if (storage_->sealer() != nullptr) {
    spill_sealer_ = std::make_unique<seal::EphemeralSealer>();
  } else {
    spill_sealer_ = std::make_unique<seal::PlainSealer>();
  }
  exec::SpillOptions options;
  options.file_system = &fs::PosixFileSystem();
  options.directory = fs::JoinPath(settings_.data_dir, "spill");
  // Results that wait have limits of their own, of which these must not fall short.
  const auto results = static_cast<std::uint64_t>(settings_.result_spool_mb);
  const auto result = static_cast<std::uint64_t>(settings_.query_result_spool_mb);
  options.bytes_max = (static_cast<std::uint64_t>(settings_.spill_mb) + results) << 20;
  options.query_bytes_max = (static_cast<std::uint64_t>(settings_.query_spill_mb) + result) << 20;
  options.disk_free_bytes_min = static_cast<std::uint64_t>(settings_.spill_disk_free_mb) << 20;
  options.sealer = spill_sealer_.get();
  spill_ = TL_TRY(exec::SpillSpace::Open(std::move(options)));
  return OkStatus();
}

Status Server::MakeServices() {
  query_pool_ = std::make_unique<ThreadPool>(
      ThreadPoolOptions{.name = "query", .thread_count = thread_count_, .nice = 1});
  // Calls that wait (for a sync, for pages of a query) have threads of their own, so that they
  // never keep a query's morsels from running, nor slow queries a short call.
  workers_ = std::make_unique<ThreadPool>(
      ThreadPoolOptions{.name = "worker", .thread_count = std::max<std::size_t>(8, 4 * thread_count_)});
  query_workers_ = std::make_unique<ThreadPool>(ThreadPoolOptions{
      .name = "query-call", .thread_count = std::max<std::size_t>(16, 4 * thread_count_)});
  keys_ = std::make_unique<auth::SingleKeyStore>(root_key_);
  auth::AuthOptions auth_options;
  auth_options.accept_anyone = settings_.dev;
  auth_options.account_id = settings_.account_id;
  auth_options.clock_window_ns = api::choices::kSignatureClockWindowNs;
  authenticator_ = std::make_unique<auth::Authenticator>(*keys_, SystemClock(), std::move(auth_options));
  api::QueryServiceOptions query_options;
  query_options.query_memory_bytes_max = static_cast<std::size_t>(settings_.query_memory_mb) << 20;
  query_options.thread_count = thread_count_;
  query_options.spill = spill_.get();
  query_options.result_spool_bytes_max = static_cast<std::uint64_t>(settings_.result_spool_mb) << 20;
  query_options.query_result_spool_bytes_max = static_cast<std::uint64_t>(settings_.query_result_spool_mb) << 20;
  query_ = std::make_unique<api::QueryService>(storage_->engine(), clock(), *query_pool_, *memory_, query_options);
  aws_json_ = std::make_unique<aws_json::AwsJsonHandler>(
      aws_json::AwsJsonServices{authenticator_.get(), &storage_->management(), &storage_->write(), query_.get(),
                                workers_.get(), query_workers_.get()},
      aws_json::AwsJsonOptions{.advertised_endpoint = settings_.endpoint,
                               .account_id = settings_.account_id,
                               .compat_profile = settings_.profile == "compat"});
  admin_ = std::make_unique<admin::AdminHandler>(*aws_json_, *workers_,
                                                  MakeAdminCalls(storage_->engine(), held_clock_.get()));
  AddStorageGauges();
  Metrics().AddGauge(this, "tideline_query_sessions", "Results not yet fetched whole", "",
                     [this] { return static_cast<double>(query_->session_count()); });
  Metrics().AddGauge(this, "tideline_result_spool_bytes", "Bytes of results that wait on disk", "",
                     [this] { return static_cast<double>(query_->spooled_bytes()); });
  return OkStatus();
}

void Server::AddStorageGauges() {
  const auto add = [this](const char* name, const char* help, auto figure) {
    Metrics().AddGauge(this, name, help, "",
                       [this, figure] { return static_cast<double>(figure(storage_->engine().stats())); });
  };
  using Stats = engine::EngineStats;
  add("tideline_recovery_seconds", "What opening the data directory took at the start",
      [](const Stats& s) { return static_cast<double>(s.recovery_ns) / 1e9; });
  add("tideline_recovery_rows", "Rows that the start read from the log", [](const Stats& s) { return s.replayed_rows; });
  add("tideline_recovery_log_bytes", "Bytes of the log that the start read",
      [](const Stats& s) { return s.replayed_bytes; });
  add("tideline_hot_bytes", "Bytes of active buffers and runs", [](const Stats& s) { return s.hot_bytes; });
  add("tideline_segments", "Live segments", [](const Stats& s) { return s.segment_count; });
  add("tideline_segment_bytes", "Bytes of live segments", [](const Stats& s) { return s.segment_bytes; });
  add("tideline_magnetic_segments", "Live segments of the magnetic store",
      [](const Stats& s) { return s.magnetic_segment_count; });
  add("tideline_magnetic_bytes", "Bytes of the magnetic store", [](const Stats& s) { return s.magnetic_bytes; });
  add("tideline_dropped_bytes", "Bytes that undelete can bring back", [](const Stats& s) { return s.dropped_bytes; });
  add("tideline_series", "Series of all tables", [](const Stats& s) { return s.series_count; });
  add("tideline_series_bytes", "Memory of the series indexes", [](const Stats& s) { return s.series_bytes; });
  add("tideline_series_table_bytes", "Memory of segments' series tables, in use or cached",
      [](const Stats& s) { return s.series_table_bytes; });
  add("tideline_deletion_bytes", "Memory of marks on dead rows of segments",
      [](const Stats& s) { return s.deletion_bytes; });
  add("tideline_cache_bytes", "Encoded blocks and series tables of segments that are kept",
      [](const Stats& s) { return s.cache_bytes; });
  add("tideline_expiry_paused", "1 while the wall clock is in doubt and nothing expires",
      [](const Stats& s) { return s.expiry_paused ? 1 : 0; });
  add("tideline_checkpoint_rows", "Rows written into segment files by checkpoints",
      [](const Stats& s) { return s.checkpoint_rows; });
  add("tideline_merged_rows", "Rows written again by merges within a store", [](const Stats& s) { return s.merged_rows; });
  add("tideline_moved_rows", "Rows written into the magnetic store", [](const Stats& s) { return s.moved_rows; });
  add("tideline_consolidated_rows", "Rows of the magnetic store written again into longer windows",
      [](const Stats& s) { return s.consolidated_rows; });
  add("tideline_write_amplification", "Times a row was written into segment files on average",
      [](const Stats& s) { return s.WriteAmplification(); });
}

Status Server::Listen() {
  if (http_options_.certificate_pem.empty()) {
    crypto::CertificateAndKey made = TL_TRY(LoadOrCreateCertificate(
        fs::PosixFileSystem(), settings_.data_dir, SystemClock().WallNow()));
    http_options_.certificate_pem = std::move(made.certificate_pem);
    http_options_.private_key_pem = std::move(made.private_key_pem);
  }
  http_options_.loop_count = thread_count_;
  http_options_.body_bytes_total_max =
      std::clamp(memory_->bytes_max() / 4, http_options_.body_bytes_max, kBodyBytesTotalMax);
  http_ = TL_TRY(net::HttpServer::Start(std::move(http_options_), *std::move(ports_), *admin_));
  for (const std::string& address : http_->bound_addresses()) urls_.push_back("http://" + address);
  for (const std::string& address : http_->bound_tls_addresses()) {
    urls_.push_back("https://" + address);
  }
  timer_ = std::make_unique<ThreadPool>(ThreadPoolOptions{.name = "timer", .thread_count = 1});
  TL_TRY(timer_->Submit([this] { ExpireSessionsRegularly(); }));
  admin_->SetReady(true);
  return OkStatus();
}

std::unique_ptr<Collector> Server::MakeCollector() {
  return std::make_unique<Collector>(std::make_unique<LocalSink>(storage_->management(), storage_->write()),
                                     kCollectIntervalNs);
}

void Server::ExpireSessionsRegularly() {
  for (;;) {
    {
      const MutexLock lock(mutex_);
      if (!stopping_) changed_.WaitFor(mutex_, kExpirySweepNs);
      if (stopping_) return;
    }
    query_->ExpireSessions();
  }
}

Status Server::Stop() {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return OkStatus();
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (admin_ != nullptr) admin_->SetReady(false);
  if (http_ != nullptr) http_->Stop(kStopGraceNs);
  if (timer_ != nullptr) timer_->Stop();
  if (workers_ != nullptr) workers_->Stop();
  if (query_workers_ != nullptr) query_workers_->Stop();
  Metrics().RemoveGauges(this);
  query_.reset();
  if (query_pool_ != nullptr) query_pool_->Stop();
  return storage_ != nullptr ? storage_->Stop() : OkStatus();
}

Server::~Server() {
  if (const Status status = Stop(); !status.ok()) {
    TL_LOG_ERROR("stop: {}", MessageOf(status));
  }
}

}  // namespace tideline::server
