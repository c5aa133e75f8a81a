// net/http_server.h: an HTTP/1.1 server over Boost.Asio, plain and TLS on the same port.
//
// One event loop and one thread per core. Loop 0 accepts; connections are dealt out to the loops in
// turn, since a kernel's hash is lopsided for a few of them, and stay there for life. The first
// byte tells TLS (0x16) from plain. Requests of one connection are served one after another, so
// pipelining is safe. A body is read straight into its buffer and hashed piece by piece on the way.
//
// Hostile input: every size, count and wait below is bounded; malformed requests get 400 and the
// connection closes. No request can crash or hang a loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "net/http_handler.h"

namespace tideline::net {

struct HttpServerOptions {
  /// HOST:PORT of listeners that take plain HTTP and, given a certificate, TLS on the same port.
  /// "127.0.0.1:8433", "[::]:8433"; port 0 picks a free one.
  std::vector<std::string> addresses = {};
  /// HOST:PORT of listeners that take TLS only. They need a certificate.
  std::vector<std::string> tls_addresses = {};
  /// PEM: the certificate chain and its key. Empty: no TLS.
  std::string certificate_pem = {};
  std::string private_key_pem = {};
  /// What errors call the two: where they come from, as "the file tls/key.pem".
  std::string certificate_name = "the TLS certificate";
  std::string private_key_name = "the TLS private key";

  std::size_t loop_count = 0;                     ///< 0: one per core
  std::size_t header_bytes_max = 64 * 1024;       ///< start line and headers; else 431
  std::size_t header_count_max = 200;             ///< else 431
  std::size_t body_bytes_max = 16 * 1024 * 1024;  ///< else 413
  /// All bodies being received or served; else 503.
  std::size_t body_bytes_total_max = std::size_t{1} << 30;
  /// Past this a connection gets 503 and is closed.
  std::size_t connections_max = 10'000;
  std::int64_t idle_ns_max = 120 * kNsPerSecond;   ///< between requests; at least 60 s in service
  std::int64_t header_ns_max = 15 * kNsPerSecond;  ///< TLS handshake; first byte to last header
  std::int64_t body_ns_max = 120 * kNsPerSecond;   ///< last header to last byte of the body
  std::int64_t write_ns_max = 60 * kNsPerSecond;   ///< for the peer to take the whole answer
};

/// Counts since Start, for metrics. Each is exact; together they are not one moment.
struct HttpServerStats {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  ///< over connections_max
  std::uint64_t requests = 0;             ///< handed to the handler
  std::uint64_t bad_requests = 0;         ///< answered by the server itself with 4xx or 5xx
  std::uint64_t timeouts = 0;             ///< connections closed by a limit of time
  std::uint64_t body_bytes = 0;           ///< received
};

/// Addresses that are taken but not listened on: connections to them are refused until a server starts
/// with them. For whoever has much to do before it can serve, and nothing to do where it cannot.
class HttpPorts {
 public:
  /// Errors: kInvalidArgument for an address that is none, naming it; kUnavailable when it cannot be bound.
  static Result<HttpPorts> Bind(const std::vector<std::string>& addresses,
                                const std::vector<std::string>& tls_addresses);
  HttpPorts(HttpPorts&&) noexcept;
  HttpPorts& operator=(HttpPorts&&) noexcept;
  ~HttpPorts();

 private:
  friend class HttpServer;
  struct Port;
  explicit HttpPorts(std::vector<Port> ports);
  std::vector<Port> ports_;
};

/// Thread-safe but for Start and Stop, which belong to one owner.
class HttpServer {
 public:
  /// Whether Start would take limits and certificate: kInvalidArgument names what it would not.
  static Status Check(const HttpServerOptions& options);

  /// Binds, starts the loops and serves. `handler` must outlive the server.
  /// Errors: kInvalidArgument for an address, limit or certificate that is none, naming it;
  /// kUnavailable when an address cannot be bound.
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, HttpHandler& handler);
  /// The same on addresses that were bound before; those of `options` must be the ones given to Bind.
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, HttpPorts ports,
                                                   HttpHandler& handler);
  /// As Stop(0).
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Stops accepting, closes idle connections, lets requests that were read be answered for up to
  /// `grace_ns`, then closes what is left and joins the loops. Answers that come later are dropped,
  /// safely. Not to be called from a loop thread. Idempotent.
  void Stop(std::int64_t grace_ns);

  /// "127.0.0.1:8433", with the port that was picked; in the order of the options.
  const std::vector<std::string>& bound_addresses() const;
  const std::vector<std::string>& bound_tls_addresses() const;

  std::size_t loop_count() const;
  /// Runs `work` on that loop's thread soon, in the order posted; false when the server has
  /// stopped (then `work` is dropped, maybe after a true too when Stop runs at the same time).
  bool Post(std::size_t loop_index, std::function<void()> work);

  HttpServerStats stats() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideline::net
