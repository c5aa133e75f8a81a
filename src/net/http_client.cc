#include "net/http_client.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "net/http_parser.h"

namespace tideline::net {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
// A body up to this size is sent in one piece with its head.
constexpr std::size_t kJoinedBytesMax = 16 * 1024;

std::int64_t SteadyNowNs() { return SystemClock().SteadyNow().value; }

// Milliseconds for poll, rounded up; -1 never comes, since every wait has a deadline.
int PollTimeoutMs(std::int64_t deadline_ns) {
  const std::int64_t left_ns = deadline_ns - SteadyNowNs();
  if (left_ns <= 0) return 0;
  return static_cast<int>(
      std::min<std::int64_t>(left_ns / kNsPerMs + 1, std::numeric_limits<int>::max()));
}

std::string SystemErrorText(int error) {
  char text[128];
  return strerror_r(error, text, sizeof(text));
}

// A socket that gives up at a deadline.
class ClientSocket {
 public:
  ClientSocket() = default;
  ~ClientSocket() { Close(); }
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  bool is_open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  Status Connect(const addrinfo& address, std::int64_t deadline_ns);
  /// Whether a kept connection still stands and has said nothing unasked.
  bool IsQuiet() const {
    char byte;
    return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
  }
  /// Sends some of both pieces. 0: the peer has closed, or takes no more and talks instead (only
  /// when `heed_input`); what it says is to be read now.
  Result<std::size_t> Send(std::string_view first, std::string_view second, bool heed_input,
                           std::int64_t deadline_ns);
  /// 0 at the end.
  Result<std::size_t> Receive(char* into, std::size_t bytes, std::int64_t deadline_ns);

 private:
  Result<short> Wait(short events, std::int64_t deadline_ns);
  int fd_ = -1;
};

Result<short> ClientSocket::Wait(short events, std::int64_t deadline_ns) {
  while (true) {
    pollfd waiting{fd_, events, 0};
    const int count = ::poll(&waiting, 1, PollTimeoutMs(deadline_ns));
    if (count > 0) return waiting.revents;
    if (count < 0 && errno != EINTR) return Unavailable("poll: {}", SystemErrorText(errno));
    if (SteadyNowNs() >= deadline_ns) return DeadlineExceeded("the request took too long");
  }
}

Status ClientSocket::Connect(const addrinfo& address, std::int64_t deadline_ns) {
  Close();
  fd_ = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Unavailable("socket: {}", SystemErrorText(errno));
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return OkStatus();
  if (errno != EINPROGRESS) return Unavailable("connect: {}", SystemErrorText(errno));
  TL_TRY(Wait(POLLOUT, deadline_ns));
  int error = 0;
  socklen_t error_bytes = sizeof(error);
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  if (error != 0) return Unavailable("connect: {}", SystemErrorText(error));
  return OkStatus();
}

Result<std::size_t> ClientSocket::Send(std::string_view first, std::string_view second,
                                       bool heed_input, std::int64_t deadline_ns) {
  while (true) {
    iovec pieces[2] = {{const_cast<char*>(first.data()), first.size()},
                       {const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
    const ssize_t count = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    // The server may have answered before it closed; that answer says more than this error.
    if (errno == EPIPE || errno == ECONNRESET) return std::size_t{0};
    if (errno != EAGAIN) return Unavailable("send: {}", SystemErrorText(errno));
    const short wanted = heed_input ? POLLOUT | POLLIN : POLLOUT;
    const short ready = TL_TRY(Wait(wanted, deadline_ns));
    if ((ready & POLLIN) != 0 && (ready & POLLOUT) == 0) return std::size_t{0};
  }
}

Result<std::size_t> ClientSocket::Receive(char* into, std::size_t bytes, std::int64_t deadline_ns) {
  while (true) {
    const ssize_t count = ::recv(fd_, into, bytes, 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Unavailable("receive: {}", SystemErrorText(errno));
    TL_TRY(Wait(POLLIN, deadline_ns));
  }
}

std::string TlsErrorText() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "unknown TLS error" : reason;
}

struct TlsContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// TLS between memory and a ClientSocket. OpenSSL never touches the socket itself, so that deadlines
// hold and a broken pipe raises no signal.
class ClientTls {
 public:
  Status Handshake(SSL_CTX* context, const Url& url, bool verify, ClientSocket& socket,
                   std::int64_t deadline_ns);
  Result<std::size_t> Send(std::string_view bytes, ClientSocket& socket, std::int64_t deadline_ns);
  Result<std::size_t> Receive(char* into, std::size_t bytes, ClientSocket& socket,
                              std::int64_t deadline_ns);
  bool active() const { return ssl_ != nullptr; }
  void Close() { ssl_.reset(); }

 private:
  Result<bool> Flush(ClientSocket& socket, std::int64_t deadline_ns);
  Result<bool> Fill(ClientSocket& socket, std::int64_t deadline_ns);
  std::unique_ptr<SSL, TlsContextDeleter> ssl_;
  BIO* incoming_ = nullptr;  // both owned by ssl_
  BIO* outgoing_ = nullptr;
};

bool IsAddressLiteral(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

Status ClientTls::Handshake(SSL_CTX* context, const Url& url, bool verify, ClientSocket& socket,
                            std::int64_t deadline_ns) {
  ssl_.reset(SSL_new(context));
  incoming_ = BIO_new(BIO_s_mem());
  outgoing_ = BIO_new(BIO_s_mem());
  TL_CHECK(ssl_ != nullptr && incoming_ != nullptr && outgoing_ != nullptr);
  SSL_set_bio(ssl_.get(), incoming_, outgoing_);
  SSL_set_connect_state(ssl_.get());
  if (IsAddressLiteral(url.host)) {
    if (verify) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), url.host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl_.get(), url.host.c_str());
    if (verify) SSL_set1_host(ssl_.get(), url.host.c_str());
  }
  while (true) {
    const int done = SSL_do_handshake(ssl_.get());
    TL_TRY(Flush(socket, deadline_ns));
    if (done == 1) return OkStatus();
    if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) {
      const long verdict = SSL_get_verify_result(ssl_.get());
      return Unavailable(
          "TLS with {} failed: {}", url.HostHeader(),
          verdict == X509_V_OK ? TlsErrorText() : X509_verify_cert_error_string(verdict));
    }
    const bool more = TL_TRY(Fill(socket, deadline_ns));
    if (!more) {
      return Unavailable("TLS with {} failed: the server closed the connection", url.HostHeader());
    }
  }
}

// False when the peer has closed. Input is not heeded: under TLS 1.3 it may be a session ticket.
Result<bool> ClientTls::Flush(ClientSocket& socket, std::int64_t deadline_ns) {
  char* data = nullptr;
  const long pending = BIO_get_mem_data(outgoing_, &data);
  std::string_view rest(data, static_cast<std::size_t>(pending));
  bool taken = true;
  while (taken && !rest.empty()) {
    const std::size_t count = TL_TRY(socket.Send(rest, {}, false, deadline_ns));
    taken = count > 0;
    rest.remove_prefix(count);
  }
  (void)BIO_reset(outgoing_);
  return taken;
}

Result<bool> ClientTls::Fill(ClientSocket& socket, std::int64_t deadline_ns) {
  std::array<char, 16 * 1024> bytes;
  const std::size_t count = TL_TRY(socket.Receive(bytes.data(), bytes.size(), deadline_ns));
  if (count == 0) return false;
  TL_CHECK(BIO_write(incoming_, bytes.data(), static_cast<int>(count)) == static_cast<int>(count));
  return true;
}

Result<std::size_t> ClientTls::Send(std::string_view bytes, ClientSocket& socket,
                                    std::int64_t deadline_ns) {
  std::size_t count = 0;
  const std::string_view piece = bytes.substr(0, kReadBytes);
  if (SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &count) != 1) {
    return Unavailable("TLS send: {}", TlsErrorText());
  }
  const bool taken = TL_TRY(Flush(socket, deadline_ns));
  return taken ? count : std::size_t{0};
}

Result<std::size_t> ClientTls::Receive(char* into, std::size_t bytes, ClientSocket& socket,
                                       std::int64_t deadline_ns) {
  while (true) {
    std::size_t count = 0;
    const int done = SSL_read_ex(ssl_.get(), into, bytes, &count);
    TL_TRY(Flush(socket, deadline_ns));  // key updates and the like
    if (done == 1) return count;
    const int why = SSL_get_error(ssl_.get(), done);
    if (why == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
    if (why != SSL_ERROR_WANT_READ) return Unavailable("TLS receive: {}", TlsErrorText());
    const bool more = TL_TRY(Fill(socket, deadline_ns));
    if (!more) return std::size_t{0};
  }
}

bool IsHeaderLineText(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

Result<std::string> RequestHead(const HttpClientRequest& request, const Url& url) {
  const std::string_view target = request.target.empty() ? url.target : request.target;
  if (!target.starts_with('/') || target.find_first_of(" \r\n") != std::string_view::npos) {
    return InvalidArgument("request target is not a path: '{}'", target);
  }
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", request.method, target);
  bool has_host = false;
  for (const HttpResponse::Header& header : request.headers) {
    if (!IsHeaderLineText(header.name) || !IsHeaderLineText(header.value)) {
      return InvalidArgument("header has a line break or NUL: '{}'", header.name);
    }
    has_host = has_host || EqualIgnoringCase(header.name, "host");
    if (EqualIgnoringCase(header.name, "content-length")) continue;
    head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (!has_host) head.append("Host: ").append(url.HostHeader()).append("\r\n");
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
    head += fmt::format("Content-Length: {}\r\n", request.body.size());
  }
  head += "\r\n";
  return head;
}

}  // namespace

std::optional<std::string_view> HttpClientResponse::Find(std::string_view lower_case_name) const {
  for (const HttpResponse::Header& header : headers) {
    if (header.name == lower_case_name) return header.value;
  }
  return std::nullopt;
}

class HttpClient::Impl {
 public:
  Impl(Url the_url, HttpClientOptions the_options)
      : url(std::move(the_url)), options(std::move(the_options)), buffer_(kReadBytes, '\0') {}

  Result<HttpClientResponse> Send(const HttpClientRequest& request);
  void Close() {
    tls_.Close();
    socket_.Close();
  }
  const Url url;
  const HttpClientOptions options;

 private:
  Status Connect(std::int64_t deadline_ns);
  Status PrepareTls();
  Status SendAll(std::string_view head, std::string_view body, std::int64_t deadline_ns);
  Result<HttpClientResponse> Receive(bool to_head, std::int64_t deadline_ns);

  ClientSocket socket_;
  ClientTls tls_;
  std::unique_ptr<SSL_CTX, TlsContextDeleter> tls_context_;
  std::string buffer_;
};

Status HttpClient::Impl::PrepareTls() {
  if (tls_context_ != nullptr) return OkStatus();
  tls_context_.reset(SSL_CTX_new(TLS_client_method()));
  TL_CHECK(tls_context_ != nullptr);
  SSL_CTX_set_min_proto_version(tls_context_.get(), TLS1_2_VERSION);
  if (!options.verify_tls) return OkStatus();
  SSL_CTX_set_verify(tls_context_.get(), SSL_VERIFY_PEER, nullptr);
  const int loaded = options.ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(tls_context_.get())
                         : SSL_CTX_load_verify_file(tls_context_.get(), options.ca_file.c_str());
  if (loaded == 1) return OkStatus();
  tls_context_.reset();
  return InvalidArgument("CA file cannot be used: '{}': {}", options.ca_file, TlsErrorText());
}

Status HttpClient::Impl::Connect(std::int64_t deadline_ns) {
  const std::int64_t connect_deadline_ns =
      std::min(deadline_ns, SteadyNowNs() + options.connect_ns_max);
  if (url.tls) TL_TRY(PrepareTls());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (error != 0) {
    return Unavailable("host cannot be resolved: '{}': {}", url.host, ::gai_strerror(error));
  }
  Status status = Unavailable("host has no address: '{}'", url.host);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    status = socket_.Connect(*address, connect_deadline_ns);
    if (status.ok()) break;
  }
  ::freeaddrinfo(found);
  if (!status.ok()) return Annotate(status, url.HostHeader());
  if (!url.tls) return OkStatus();
  return tls_.Handshake(tls_context_.get(), url, options.verify_tls, socket_, connect_deadline_ns);
}

// Returns early, without an error, when the server answers before it has read everything.
Status HttpClient::Impl::SendAll(std::string_view head, std::string_view body,
                                 std::int64_t deadline_ns) {
  while (!head.empty() || !body.empty()) {
    std::size_t count = 0;
    if (tls_.active()) {
      count = TL_TRY(tls_.Send(head.empty() ? body : head, socket_, deadline_ns));
    } else {
      count = TL_TRY(socket_.Send(head, body, true, deadline_ns));
    }
    if (count == 0) return OkStatus();
    const std::size_t of_head = std::min(count, head.size());
    head.remove_prefix(of_head);
    body.remove_prefix(count - of_head);
  }
  return OkStatus();
}

Result<HttpClientResponse> HttpClient::Impl::Receive(bool to_head, std::int64_t deadline_ns) {
  HttpResponseParser parser(options.header_bytes_max, options.body_bytes_max, to_head);
  std::size_t filled = 0;
  while (!parser.done()) {
    if (filled == buffer_.size()) buffer_.resize(2 * buffer_.size());  // headers, bounded by parser
    char* const into = buffer_.data() + filled;
    const std::size_t room = buffer_.size() - filled;
    const std::size_t count = tls_.active() ? TL_TRY(tls_.Receive(into, room, socket_, deadline_ns))
                                            : TL_TRY(socket_.Receive(into, room, deadline_ns));
    if (count == 0) {
      TL_TRY(parser.ConsumeEnd());
      Close();
      break;
    }
    filled += count;
    const std::size_t used = TL_TRY(parser.Consume(std::string_view(buffer_).substr(0, filled)));
    std::memmove(buffer_.data(), buffer_.data() + used, filled - used);
    filled -= used;
  }
  if (!parser.keep_alive() || filled > 0) Close();
  return parser.TakeResponse();
}

Result<HttpClientResponse> HttpClient::Impl::Send(const HttpClientRequest& request) {
  const std::int64_t lasting_ns =
      request.request_ns_max > 0 ? request.request_ns_max : options.request_ns_max;
  const std::int64_t deadline_ns = SteadyNowNs() + lasting_ns;
  std::string head = TL_TRY(RequestHead(request, url));
  std::string_view body = request.body;
  if (body.size() <= kJoinedBytesMax) {
    head += body;
    body = {};
  }
  if (socket_.is_open() && !socket_.IsQuiet()) Close();
  if (!socket_.is_open()) TL_TRY(Connect(deadline_ns));
  TL_TRY(SendAll(head, body, deadline_ns));
  return Receive(request.method == "HEAD", deadline_ns);
}

HttpClient::HttpClient(Url url, HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(url), std::move(options))) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpClientResponse> HttpClient::Send(const HttpClientRequest& request) {
  Result<HttpClientResponse> response = impl_->Send(request);
  if (!response.ok()) impl_->Close();
  return response;
}
const Url& HttpClient::url() const { return impl_->url; }
void HttpClient::Close() { impl_->Close(); }

}  // namespace tideline::net
