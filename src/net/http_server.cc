#include "net/http_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "net/http_connection.h"
#include "net/url.h"

namespace tideline::net {
namespace {

// Over connections_max, so many are still told 503; past these they are closed unheard.
constexpr std::size_t kRefusedConnectionsMax = 100;
// How long to wait before accepting again when the process is out of file descriptors.
constexpr std::int64_t kAcceptPauseNs = 100 * kNsPerMs;
constexpr std::size_t kLoopsMax = 256;

struct HttpListener {
  HttpListener(asio::io_context& io, HttpConnection::Kind the_kind)
      : acceptor(io), pause(io), kind(the_kind) {}
  Tcp::acceptor acceptor;
  asio::steady_timer pause;
  HttpConnection::Kind kind;
  std::string bound_address;
};

Status CheckServerOptions(const HttpServerOptions& options) {
  if (options.addresses.empty() && options.tls_addresses.empty()) {
    return InvalidArgument("no address to listen on");
  }
  if (options.certificate_pem.empty() != options.private_key_pem.empty()) {
    return InvalidArgument("a certificate and its private key are given together or not at all");
  }
  if (!options.tls_addresses.empty() && options.certificate_pem.empty()) {
    return InvalidArgument("a TLS address needs a certificate: '{}'", options.tls_addresses[0]);
  }
  if (options.loop_count > kLoopsMax) {
    return InvalidArgument("loops exceed the limit: {} > {}", options.loop_count, kLoopsMax);
  }
  constexpr std::size_t kHeaderBytesLimit = 16 * 1024 * 1024;
  if (options.header_bytes_max == 0 || options.header_bytes_max > kHeaderBytesLimit) {
    return InvalidArgument("header_bytes_max is not from 1 to {}: {}", kHeaderBytesLimit,
                           options.header_bytes_max);
  }
  const std::int64_t shortest = std::min(
      {options.idle_ns_max, options.header_ns_max, options.body_ns_max, options.write_ns_max});
  if (shortest <= 0) return InvalidArgument("a limit of time is not positive: {} ns", shortest);
  return OkStatus();
}

// HTTP/1.1 is what we speak; a client that offers only others goes on without ALPN.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_bytes,
                   const unsigned char* offered, unsigned int offered_bytes, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_bytes, kHttp11, sizeof(kHttp11) - 1, offered,
                            offered_bytes) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

// What a file holds, for whoever put the wrong one there.
std::string_view KindOfPem(std::string_view text) {
  if (text.find("-----BEGIN ENCRYPTED PRIVATE KEY-----") != std::string_view::npos ||
      text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos) {
    return "a private key that is locked with a password";
  }
  if (text.find("PRIVATE KEY-----") != std::string_view::npos) return "a private key";
  if (text.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos) return "a certificate";
  if (text.find("-----BEGIN ") != std::string_view::npos) return "PEM of another kind";
  return "no PEM text";
}

Status UnusablePem(std::string_view name, std::string_view expected, std::string_view text) {
  const std::string_view kind = KindOfPem(text);
  return InvalidArgument("{} cannot be used: it must hold {}, and holds {}{}", name, expected, kind,
                         expected.starts_with(kind) ? " that is damaged or of a kind unknown here" : "");
}

Result<std::unique_ptr<asio::ssl::context>> MakeTlsContext(const HttpServerOptions& options) {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(
      native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, SelectProtocol, nullptr);
  AsioError error;
  // Else a key with a password makes OpenSSL ask for it on the terminal.
  context->set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return std::string(); },
                                 error);
  context->use_certificate_chain(asio::buffer(options.certificate_pem), error);
  if (error) {
    return UnusablePem(options.certificate_name, "a certificate in PEM form (-----BEGIN CERTIFICATE-----)",
                       options.certificate_pem);
  }
  context->use_private_key(asio::buffer(options.private_key_pem), asio::ssl::context::pem, error);
  // Of a key of the right shape OpenSSL finds out here already whose it is.
  const bool is_others = ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH ||
                         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_TYPE_MISMATCH;
  if (error && !is_others) {
    return UnusablePem(options.private_key_name,
                       "a private key in PEM form without a password (-----BEGIN PRIVATE KEY-----)",
                       options.private_key_pem);
  }
  if (error || SSL_CTX_check_private_key(native) != 1) {
    return InvalidArgument("{} cannot be used: it does not belong to {}", options.private_key_name,
                           options.certificate_name);
  }
  return context;
}

Result<Tcp::endpoint> ResolveEndpoint(asio::io_context& io, const std::string& text) {
  const HostPort address = TL_TRY(ParseHostPort(text));
  AsioError error;
  const auto literal = asio::ip::make_address(address.host, error);
  if (!error) return Tcp::endpoint(literal, address.port);
  Tcp::resolver resolver(io);
  const auto found = resolver.resolve(address.host, "", error);
  if (error || found.empty()) {
    return InvalidArgument("address cannot be resolved: '{}': {}", text, error.message());
  }
  return Tcp::endpoint(found.begin()->endpoint().address(), address.port);
}

Status CannotListen(const std::string& text, const AsioError& error) {
  return Unavailable("cannot listen on '{}': {}", text, error.message());
}

}  // namespace

// Owns the socket until a server takes it over.
struct HttpPorts::Port {
  Port(std::string the_address, HttpConnection::Kind the_kind)
      : address(std::move(the_address)), kind(the_kind) {}
  Port(Port&& other) noexcept
      : address(std::move(other.address)), kind(other.kind), is_v6(other.is_v6),
        descriptor(std::exchange(other.descriptor, -1)) {}
  Port& operator=(Port&&) = delete;
  ~Port() {
    if (descriptor >= 0) ::close(descriptor);
  }
  Tcp protocol() const { return is_v6 ? Tcp::v6() : Tcp::v4(); }
  Status Bind();

  std::string address;
  HttpConnection::Kind kind;
  bool is_v6 = false;
  int descriptor = -1;
};

Status HttpPorts::Port::Bind() {
  asio::io_context io;
  const Tcp::endpoint endpoint = TL_TRY(ResolveEndpoint(io, address));
  is_v6 = endpoint.address().is_v6();
  Tcp::acceptor acceptor(io);
  AsioError error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error && is_v6) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) descriptor = acceptor.release(error);
  return error ? CannotListen(address, error) : OkStatus();
}

Result<HttpPorts> HttpPorts::Bind(const std::vector<std::string>& addresses,
                                  const std::vector<std::string>& tls_addresses) {
  std::vector<Port> ports;
  for (const std::string& address : addresses) ports.emplace_back(address, HttpConnection::Kind::kShared);
  for (const std::string& address : tls_addresses) ports.emplace_back(address, HttpConnection::Kind::kTlsOnly);
  try {
    for (Port& port : ports) TL_TRY(port.Bind());
  } catch (const std::exception& error) {
    // Asio throws when the system gives no event queue.
    return Unavailable("the server cannot start: {}", error.what());
  }
  return HttpPorts(std::move(ports));
}

HttpPorts::HttpPorts(std::vector<Port> ports) : ports_(std::move(ports)) {}
HttpPorts::HttpPorts(HttpPorts&&) noexcept = default;
HttpPorts& HttpPorts::operator=(HttpPorts&&) noexcept = default;
HttpPorts::~HttpPorts() = default;

class HttpServer::Impl {
 public:
  Status Open(HttpServerOptions options, HttpHandler& handler);
  Status Listen(HttpPorts::Port& port);
  void Run();
  void Stop(std::int64_t grace_ns);

  std::shared_ptr<HttpServerShared> shared;
  std::vector<std::shared_ptr<HttpLoop>> loops;
  std::vector<std::string> bound_addresses;
  std::vector<std::string> bound_tls_addresses;

 private:
  void Accept(HttpListener& listener);
  void OnAccepted(HttpListener& listener, const std::shared_ptr<HttpLoop>& loop,
                  const AsioError& error, Tcp::socket socket);
  void CloseListeners();

  std::vector<std::unique_ptr<HttpListener>> listeners_;  // used on loop 0 only
  std::vector<std::thread> threads_;
  std::size_t next_loop_ = 0;  // used on loop 0 only
  bool stopped_ = false;
};

Status HttpServer::Impl::Open(HttpServerOptions options, HttpHandler& handler) {
  TL_TRY(CheckServerOptions(options));
  if (options.loop_count == 0) {
    options.loop_count = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kLoopsMax);
  }
  shared = std::make_shared<HttpServerShared>();
  shared->handler = &handler;
  if (!options.certificate_pem.empty()) shared->tls = TL_TRY(MakeTlsContext(options));
  shared->options = std::move(options);
  for (std::size_t i = 0; i < shared->options.loop_count; ++i) {
    loops.push_back(std::make_shared<HttpLoop>(shared, i));
  }
  return OkStatus();
}

Status HttpServer::Impl::Listen(HttpPorts::Port& port) {
  auto listener = std::make_unique<HttpListener>(loops[0]->io(), port.kind);
  AsioError error;
  listener->acceptor.assign(port.protocol(), port.descriptor, error);
  if (error) return CannotListen(port.address, error);
  port.descriptor = -1;  // the acceptor's from here on
  listener->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return CannotListen(port.address, error);
  const Tcp::endpoint bound = listener->acceptor.local_endpoint(error);
  listener->bound_address = HostPort{bound.address().to_string(), bound.port()}.ToString();
  (port.kind == HttpConnection::Kind::kTlsOnly ? bound_tls_addresses : bound_addresses)
      .push_back(listener->bound_address);
  listeners_.push_back(std::move(listener));
  return OkStatus();
}

void HttpServer::Impl::Run() {
  for (const auto& listener : listeners_) Accept(*listener);
  for (const auto& loop : loops) {
    threads_.emplace_back([loop] { loop->Run(); });
  }
}

void HttpServer::Impl::Accept(HttpListener& listener) {
  const std::shared_ptr<HttpLoop> loop = loops[next_loop_++ % loops.size()];
  listener.acceptor.async_accept(
      loop->io(), [this, &listener, loop](const AsioError& error, Tcp::socket socket) {
        OnAccepted(listener, loop, error, std::move(socket));
      });
}

void HttpServer::Impl::OnAccepted(HttpListener& listener, const std::shared_ptr<HttpLoop>& loop,
                                  const AsioError& error, Tcp::socket socket) {
  if (!listener.acceptor.is_open()) return;
  if (error == asio::error::no_descriptors || error == asio::error::no_memory ||
      error == asio::error::no_buffer_space) {
    TL_LOG_WARNING("cannot accept on {}: {}", listener.bound_address, error.message());
    listener.pause.expires_after(std::chrono::nanoseconds(kAcceptPauseNs));
    listener.pause.async_wait([this, &listener](const AsioError& cancelled) {
      if (!cancelled && listener.acceptor.is_open()) Accept(listener);
    });
    return;
  }
  if (!error) {
    shared->connections_accepted.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t open = shared->connections_open.load(std::memory_order_relaxed);
    const std::size_t open_max = shared->options.connections_max;
    const bool refused = open >= open_max;
    if (refused) shared->connections_refused.fetch_add(1, std::memory_order_relaxed);
    if (open < open_max + kRefusedConnectionsMax) {
      shared->connections_open.fetch_add(1, std::memory_order_relaxed);
      auto connection =
          std::make_shared<HttpConnection>(loop, std::move(socket), listener.kind, refused);
      loop->Post([connection = std::move(connection)] { connection->Start(); });
    }
  }
  Accept(listener);
}

void HttpServer::Impl::CloseListeners() {
  for (const auto& listener : listeners_) {
    AsioError ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
}

void HttpServer::Impl::Stop(std::int64_t grace_ns) {
  if (stopped_) return;
  stopped_ = true;
  const std::int64_t now_ns = SystemClock().SteadyNow().value;
  const std::int64_t deadline_ns = now_ns + std::clamp<std::int64_t>(grace_ns, 0, kNsPerDay);
  // Listeners first and for sure, so that no connection is dealt to a loop that has ended.
  std::promise<void> closed;
  if (!threads_.empty()) {
    loops[0]->Post([&] {
      CloseListeners();
      closed.set_value();
    });
    closed.get_future().wait();
  }
  for (const auto& loop : loops) {
    loop->Post([loop = loop.get(), deadline_ns] { loop->BeginStop(deadline_ns); });
  }
  for (std::thread& thread : threads_) thread.join();
  for (const auto& loop : loops) loop->Shut();
  // Here, not with this object: a late Responder may keep a loop, and with it its io_context.
  listeners_.clear();
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { Stop(0); }

Status HttpServer::Check(const HttpServerOptions& options) {
  TL_TRY(CheckServerOptions(options));
  if (!options.certificate_pem.empty()) TL_TRY(MakeTlsContext(options));
  return OkStatus();
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options,
                                                      HttpHandler& handler) {
  TL_TRY(CheckServerOptions(options));
  HttpPorts ports = TL_TRY(HttpPorts::Bind(options.addresses, options.tls_addresses));
  return Start(std::move(options), std::move(ports), handler);
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options, HttpPorts ports,
                                                      HttpHandler& handler) {
  auto impl = std::make_unique<Impl>();
  try {
    TL_TRY(impl->Open(std::move(options), handler));
    for (HttpPorts::Port& port : ports.ports_) TL_TRY(impl->Listen(port));
    impl->Run();
  } catch (const std::exception& error) {
    // Asio throws when the system gives no event queue or thread.
    impl->Stop(0);
    return Unavailable("the server cannot start: {}", error.what());
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::Stop(std::int64_t grace_ns) { impl_->Stop(grace_ns); }
const std::vector<std::string>& HttpServer::bound_addresses() const {
  return impl_->bound_addresses;
}
const std::vector<std::string>& HttpServer::bound_tls_addresses() const {
  return impl_->bound_tls_addresses;
}
std::size_t HttpServer::loop_count() const { return impl_->loops.size(); }

bool HttpServer::Post(std::size_t loop_index, std::function<void()> work) {
  TL_CHECK(loop_index < impl_->loops.size());
  return impl_->loops[loop_index]->Post(std::move(work));
}

HttpServerStats HttpServer::stats() const {
  const HttpServerShared& shared = *impl_->shared;
  return {.connections_open = shared.connections_open.load(std::memory_order_relaxed),
          .connections_accepted = shared.connections_accepted.load(std::memory_order_relaxed),
          .connections_refused = shared.connections_refused.load(std::memory_order_relaxed),
          .requests = shared.requests.load(std::memory_order_relaxed),
          .bad_requests = shared.bad_requests.load(std::memory_order_relaxed),
          .timeouts = shared.timeouts.load(std::memory_order_relaxed),
          .body_bytes = shared.body_bytes.load(std::memory_order_relaxed)};
}

}  // namespace tideline::net
