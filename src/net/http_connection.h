// net/http_connection.h: one event loop and the connections that live on it. Internal to net; the
// only header here that includes Boost.
//
// A connection is a small machine on its loop's thread; there is no lock in it:
//
//   detect -> [handshake] -> idle -> head -> [body] -> handling -> writing -> idle ...
//                                                                         \-> lingering -> closed
//
// At any time at most one operation on its socket is under way. What a phase may last is a deadline
// that the loop's tick compares, so that no timer is set per request.
#pragma once

#include <utility>  // Boost 1.74 forgets it

// The thread sanitizer does not know fences; the queue's lock orders what they would.
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "crypto/sha256.h"
#include "net/http_handler.h"
#include "net/http_parser.h"
#include "net/http_server.h"

namespace tideline::net {

namespace asio = boost::asio;
using AsioError = boost::system::error_code;
using Tcp = asio::ip::tcp;

class HttpConnection;

/// What all loops of one server share.
struct HttpServerShared {
  HttpServerOptions options;
  HttpHandler* handler = nullptr;
  std::unique_ptr<asio::ssl::context> tls;  ///< null: plain only
  std::atomic<std::uint64_t> connections_open = 0;
  std::atomic<std::uint64_t> connections_accepted = 0;
  std::atomic<std::uint64_t> connections_refused = 0;
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> bad_requests = 0;
  std::atomic<std::uint64_t> timeouts = 0;
  std::atomic<std::uint64_t> body_bytes = 0;
  std::atomic<std::size_t> body_bytes_reserved = 0;
};

/// One thread's worth of connections. Post and io are for any thread, the rest for the loop's own.
class HttpLoop final : public std::enable_shared_from_this<HttpLoop> {
 public:
  HttpLoop(std::shared_ptr<HttpServerShared> shared, std::size_t index);
  ~HttpLoop();

  /// The thread's body: serves until Stop was begun and the last connection is gone.
  void Run();
  bool Post(std::function<void()> work);
  asio::io_context& io() { return io_; }
  bool OnThread() const;
  /// After the thread has ended: refuses posts and runs what was posted meanwhile.
  void Shut();

  void BeginStop(std::int64_t deadline_ns);
  bool stopping() const { return stopping_; }
  std::int64_t stop_deadline_ns() const { return stop_deadline_ns_; }
  void Add(std::shared_ptr<HttpConnection> connection);
  void Remove(HttpConnection& connection);
  /// A buffer from the loop's stock, with its room.
  HttpBody TakeBody();
  void GiveBackBody(HttpBody body);
  /// The Date header's value, formatted once a second.
  std::string_view Date();

  HttpServerShared& shared() { return *shared_; }
  std::size_t index() const { return index_; }

 private:
  void ArmTick();
  void Tick();
  void FinishIfEmpty();

  const std::shared_ptr<HttpServerShared> shared_;
  const std::size_t index_;
  asio::io_context io_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  asio::steady_timer tick_;
  std::int64_t tick_ns_;
  std::vector<std::shared_ptr<HttpConnection>> connections_;
  std::vector<HttpBody> bodies_;
  std::string date_;
  std::int64_t date_second_ = -1;
  bool stopping_ = false;
  std::int64_t stop_deadline_ns_ = 0;
  Mutex mutex_;
  bool open_ TL_GUARDED_BY(mutex_) = true;
};

/// See the drawing above. Made by the accepting loop, used by its own.
class HttpConnection final : public ResponseSink,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  enum class Kind {
    kShared,  ///< the first byte tells TLS from plain
    kTlsOnly,
  };
  /// `refused`: over the limit of connections; its first request is answered 503.
  HttpConnection(std::shared_ptr<HttpLoop> loop, Tcp::socket socket, Kind kind, bool refused);
  ~HttpConnection() override;

  void Start();
  /// Any thread.
  void Answer(HttpResponse response) override;
  void CheckDeadline(std::int64_t now_ns);
  /// Ends it if no request is under way.
  void CloseIfIdle();
  void Close();
  std::size_t slot = 0;  ///< its place in the loop's list

 private:
  enum class Phase {
    kDetect,
    kHandshake,
    kIdle,
    kHead,
    kBody,
    kHandling,
    kWriting,
    kLingering,
    kClosed
  };

  void SetPhase(Phase phase, std::int64_t lasting_ns_max);
  void OnReadable();
  void Handshake();
  template <typename Then>
  void ReadSome(char* into, std::size_t bytes, Then then);
  template <typename Buffers, typename Then>
  void WriteAll(const Buffers& buffers, Then then);

  // One request, in order.
  void NextRequest();
  void ReadHead();
  void OnHeadBytes(const AsioError& error, std::size_t count);
  void ParseBuffered();
  void StartRequest(std::size_t head_bytes);
  void OnContinueWritten(const AsioError& error);
  void StartBody();
  void ReadBody();
  void OnBodyBytes(const AsioError& error, std::size_t count);
  void ReadChunks();
  void DecodeChunks();
  void OnChunkBytes(const AsioError& error, std::size_t count);
  bool ReserveBody(std::size_t bytes);
  bool AppendBody(std::string_view bytes);
  void FinishBody();
  void Send(HttpResponse response);
  void AppendHead(const HttpResponse& response, bool has_body);
  void OnWritten(const AsioError& error);

  void Fail(int status, std::string_view text);
  bool ReadFailed(const AsioError& error);
  void Linger();
  void Drain();
  void ReleaseBody();
  void MakeRoom(std::size_t bytes);

  const std::shared_ptr<HttpLoop> loop_;
  Tcp::socket socket_;
  std::unique_ptr<asio::ssl::stream<Tcp::socket&>> tls_;
  const Kind kind_;
  const bool refused_;
  Phase phase_ = Phase::kDetect;
  std::int64_t deadline_ns_ = std::numeric_limits<std::int64_t>::max();
  bool timed_out_ = false;
  std::string remote_address_;

  // Bytes read and not yet used: [0, head_bytes_) is the request's head, which its views point
  // into; then what came behind it, up to filled_.
  std::unique_ptr<char[]> buffer_;
  std::size_t buffer_bytes_ = 0;
  std::size_t filled_ = 0;
  std::size_t head_bytes_ = 0;
  std::size_t scanned_ = 0;

  HttpRequestParser parser_;
  HttpRequest request_;
  crypto::Sha256 hash_;
  bool hash_body_ = false;
  std::uint64_t body_left_ = 0;
  std::size_t body_reserved_ = 0;
  bool keep_alive_ = false;
  std::size_t drained_ = 0;
  std::string head_out_;
  std::string body_out_;
};

}  // namespace tideline::net
