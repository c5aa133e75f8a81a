#include "net/http_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <exception>

#include "base/check.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "net/url.h"

namespace tideline::net {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kBufferBytesMin = 8 * 1024;
// Room behind the head in which a chunk's size line must fit.
constexpr std::size_t kChunkRoomBytes = 16 * 1024;
// One read of a body: small enough to be hashed while it is in the cache.
constexpr std::size_t kReadBytesMax = 128 * 1024;
// A body's first room; it grows with what really comes, not with what is announced.
constexpr std::size_t kBodyRoomBytesFirst = 256 * 1024;
constexpr std::size_t kPooledBodyBytesMax = 1024 * 1024;
constexpr std::size_t kPooledBodiesMax = 16;
// An answer up to this size travels in one piece with its head.
constexpr std::size_t kJoinedBodyBytesMax = 16 * 1024;
// After the last answer the peer may still be sending; closing at once would reset the connection
// and lose the answer. So much is read and dropped first, for so long.
constexpr std::int64_t kLingerNsMax = 2 * kNsPerSecond;
constexpr std::size_t kLingerBytesMax = 4 * 1024 * 1024;
constexpr std::int64_t kTickNsMax = 500 * kNsPerMs;
constexpr std::int64_t kTickNsMin = 5 * kNsPerMs;
constexpr unsigned char kTlsHandshakeByte = 0x16;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

thread_local const HttpLoop* current_loop = nullptr;

std::int64_t SteadyNow() { return SystemClock().SteadyNow().value; }

std::string AddressText(const Tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    const auto mapped = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return fmt::format("{}:{}", mapped.to_string(), endpoint.port());
  }
  return HostPort{address.to_string(), endpoint.port()}.ToString();
}

bool IsHeaderText(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// Framing is the server's business; what a handler says of it is left out.
bool IsFramingHeader(std::string_view name) {
  switch (name.size()) {
    case 4:
      return EqualIgnoringCase(name, "date");
    case 10:
      return EqualIgnoringCase(name, "connection");
    case 14:
      return EqualIgnoringCase(name, "content-length");
    case 17:
      return EqualIgnoringCase(name, "transfer-encoding");
    default:
      return false;
  }
}

bool IsSendable(const HttpResponse& response) {
  if (response.status < 200 || response.status > 999) return false;
  return std::all_of(response.headers.begin(), response.headers.end(), [](const auto& header) {
    return !header.name.empty() && IsHeaderText(header.name) &&
           header.name.find(':') == std::string::npos && IsHeaderText(header.value);
  });
}

// "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
std::string HttpDate(std::int64_t seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t time = static_cast<time_t>(seconds);
  tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday],
                     parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

}  // namespace

// --- Loop --------------------------------------------------------------------------------------

HttpLoop::HttpLoop(std::shared_ptr<HttpServerShared> shared, std::size_t index)
    : shared_(std::move(shared)), index_(index), io_(1), tick_(io_) {
  const HttpServerOptions& options = shared_->options;
  const std::int64_t shortest = std::min(
      {options.idle_ns_max, options.header_ns_max, options.body_ns_max, options.write_ns_max});
  tick_ns_ = std::clamp(shortest / 4, kTickNsMin, kTickNsMax);
  work_.emplace(io_.get_executor());
}

HttpLoop::~HttpLoop() = default;

bool HttpLoop::OnThread() const { return current_loop == this; }

void HttpLoop::Run() {
  NameThisThread(fmt::format("loop{}", index_));
  current_loop = this;
  ArmTick();
  while (true) {
    try {
      io_.run();
      break;
    } catch (const std::exception& error) {
      // Handle is guarded where it is called; this is posted work or memory that ran out.
      TL_LOG_ERROR("loop {}: {}", index_, error.what());
    }
  }
  current_loop = nullptr;
}

bool HttpLoop::Post(std::function<void()> work) {
  MutexLock lock(mutex_);
  if (!open_) return false;
  asio::post(io_, std::move(work));
  return true;
}

void HttpLoop::Shut() {
  {
    MutexLock lock(mutex_);
    open_ = false;
  }
  current_loop = this;
  io_.restart();
  io_.poll();
  current_loop = nullptr;
}

void HttpLoop::Add(std::shared_ptr<HttpConnection> connection) {
  connection->slot = connections_.size();
  connections_.push_back(std::move(connection));
}

void HttpLoop::Remove(HttpConnection& connection) {
  const std::size_t slot = connection.slot;
  TL_CHECK(slot < connections_.size() && connections_[slot].get() == &connection);
  std::swap(connections_[slot], connections_.back());
  connections_[slot]->slot = slot;
  connections_.pop_back();
  FinishIfEmpty();
}

void HttpLoop::FinishIfEmpty() {
  if (!stopping_ || !connections_.empty()) return;
  tick_.cancel();
  work_.reset();
}

void HttpLoop::BeginStop(std::int64_t deadline_ns) {
  stopping_ = true;
  stop_deadline_ns_ = deadline_ns;
  tick_ns_ = kTickNsMin;
  // From the back, since closing puts the last into the place of the one that left.
  for (std::size_t i = connections_.size(); i-- > 0;) connections_[i]->CloseIfIdle();
  Tick();
  if (!connections_.empty()) ArmTick();
  FinishIfEmpty();
}

// Setting the timer again calls off the wait before, whose handler then returns at once.
void HttpLoop::ArmTick() {
  tick_.expires_after(std::chrono::nanoseconds(tick_ns_));
  tick_.async_wait([this](const AsioError& error) {
    if (error || (stopping_ && connections_.empty())) return;
    Tick();
    ArmTick();
  });
}

void HttpLoop::Tick() {
  const std::int64_t now_ns = SteadyNow();
  const bool end = stopping_ && now_ns >= stop_deadline_ns_;
  for (std::size_t i = connections_.size(); i-- > 0;) {
    const std::shared_ptr<HttpConnection> connection = connections_[i];
    if (end) {
      connection->Close();
    } else {
      connection->CheckDeadline(now_ns);
    }
  }
}

HttpBody HttpLoop::TakeBody() {
  if (bodies_.empty()) return {};
  HttpBody body = std::move(bodies_.back());
  bodies_.pop_back();
  return body;
}

void HttpLoop::GiveBackBody(HttpBody body) {
  if (body.capacity() > kPooledBodyBytesMax || bodies_.size() >= kPooledBodiesMax) return;
  body.Clear();
  bodies_.push_back(std::move(body));
}

std::string_view HttpLoop::Date() {
  const std::int64_t second = SystemClock().WallNow().value / kNsPerSecond;
  if (second != date_second_) {
    date_ = HttpDate(second);
    date_second_ = second;
  }
  return date_;
}

// --- Connection: beginning and end -------------------------------------------------------------

HttpConnection::HttpConnection(std::shared_ptr<HttpLoop> loop, Tcp::socket socket, Kind kind,
                               bool refused)
    : loop_(std::move(loop)), socket_(std::move(socket)), kind_(kind), refused_(refused) {}

HttpConnection::~HttpConnection() {
  loop_->shared().body_bytes_reserved.fetch_sub(body_reserved_, std::memory_order_relaxed);
  loop_->shared().connections_open.fetch_sub(1, std::memory_order_relaxed);
}

void HttpConnection::SetPhase(Phase phase, std::int64_t lasting_ns_max) {
  phase_ = phase;
  deadline_ns_ = lasting_ns_max == kNever ? kNever : SteadyNow() + lasting_ns_max;
}

void HttpConnection::Start() {
  loop_->Add(shared_from_this());
  if (loop_->stopping()) return Close();
  AsioError error;
  socket_.set_option(Tcp::no_delay(true), error);
  const Tcp::endpoint remote = socket_.remote_endpoint(error);
  if (error) return Close();  // gone already
  remote_address_ = AddressText(remote);
  SetPhase(Phase::kDetect, loop_->shared().options.idle_ns_max);
  socket_.async_wait(Tcp::socket::wait_read,
                     [self = shared_from_this()](const AsioError& wait_error) {
                       if (self->phase_ == Phase::kClosed) return;
                       if (wait_error) return self->Close();
                       self->OnReadable();
                     });
}

void HttpConnection::OnReadable() {
  unsigned char first = 0;
  const ssize_t count = ::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count <= 0) return Close();
  if (first == kTlsHandshakeByte) {
    if (loop_->shared().tls == nullptr) return Close();
    return Handshake();
  }
  if (kind_ == Kind::kTlsOnly) return Fail(400, "This port speaks TLS only.\n");
  SetPhase(Phase::kHead, loop_->shared().options.header_ns_max);
  ReadHead();
}

void HttpConnection::Handshake() {
  SetPhase(Phase::kHandshake, loop_->shared().options.header_ns_max);
  tls_ = std::make_unique<asio::ssl::stream<Tcp::socket&>>(socket_, *loop_->shared().tls);
  tls_->async_handshake(asio::ssl::stream_base::server,
                        [self = shared_from_this()](const AsioError& error) {
                          if (self->phase_ == Phase::kClosed) return;
                          if (error) return self->Close();
                          self->request_.tls = true;
                          self->NextRequest();
                        });
}

void HttpConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  const std::shared_ptr<HttpConnection> self = shared_from_this();  // Remove may drop the last one
  SetPhase(Phase::kClosed, kNever);
  AsioError ignored;
  socket_.close(ignored);
  loop_->Remove(*this);
}

void HttpConnection::CloseIfIdle() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kDetect || phase_ == Phase::kHandshake ||
      phase_ == Phase::kLingering) {
    Close();
  }
}

void HttpConnection::CheckDeadline(std::int64_t now_ns) {
  if (now_ns < deadline_ns_) return;
  if (phase_ != Phase::kLingering) {
    loop_->shared().timeouts.fetch_add(1, std::memory_order_relaxed);
  }
  if (phase_ != Phase::kHead && phase_ != Phase::kBody) return Close();
  // A read is under way; when it comes back, cancelled or not, ReadFailed answers 408.
  timed_out_ = true;
  deadline_ns_ = now_ns + kLingerNsMax;
  if (AsioError error; socket_.cancel(error)) Close();
}

bool HttpConnection::ReadFailed(const AsioError& error) {
  if (phase_ == Phase::kClosed) return true;
  if (timed_out_) {
    Fail(408, "The request did not arrive in time.\n");
    return true;
  }
  if (error) Close();
  return static_cast<bool>(error);
}

template <typename Then>
void HttpConnection::ReadSome(char* into, std::size_t bytes, Then then) {
  auto done = [self = shared_from_this(), then](const AsioError& error, std::size_t count) {
    (self.get()->*then)(error, count);
  };
  if (tls_ != nullptr) {
    tls_->async_read_some(asio::buffer(into, bytes), std::move(done));
  } else {
    socket_.async_read_some(asio::buffer(into, bytes), std::move(done));
  }
}

template <typename Buffers, typename Then>
void HttpConnection::WriteAll(const Buffers& buffers, Then then) {
  auto done = [self = shared_from_this(), then](const AsioError& error, std::size_t) {
    (self.get()->*then)(error);
  };
  if (tls_ != nullptr) {
    asio::async_write(*tls_, buffers, std::move(done));
  } else {
    asio::async_write(socket_, buffers, std::move(done));
  }
}

// --- Connection: reading a request -------------------------------------------------------------

// Drops the head just answered and goes on with what came behind it.
void HttpConnection::NextRequest() {
  ReleaseBody();
  if (head_bytes_ > 0) {
    filled_ -= head_bytes_;
    if (filled_ > 0) std::memmove(buffer_.get(), buffer_.get() + head_bytes_, filled_);
    head_bytes_ = 0;
  }
  scanned_ = 0;
  if (loop_->stopping() && filled_ == 0) return Linger();
  SetPhase(Phase::kIdle, loop_->shared().options.idle_ns_max);
  if (filled_ > 0) return ParseBuffered();
  ReadHead();
}

// Gives the buffer `bytes` in all; the head's views move with it.
void HttpConnection::MakeRoom(std::size_t bytes) {
  if (bytes <= buffer_bytes_) return;
  auto grown = std::make_unique_for_overwrite<char[]>(bytes);
  if (filled_ > 0) std::memcpy(grown.get(), buffer_.get(), filled_);
  if (head_bytes_ > 0) {
    const auto rebase = [&](std::string_view* view) {
      if (view->data() == nullptr) return;
      *view = {grown.get() + (view->data() - buffer_.get()), view->size()};
    };
    rebase(&request_.method);
    // Not in the buffer: the path of a target that named only a host, in static storage.
    if (std::greater_equal<>()(request_.target.data(), buffer_.get()) &&
        std::less<>()(request_.target.data(), buffer_.get() + filled_)) {
      rebase(&request_.target);
    }
    for (HttpHeader& header : request_.headers) {
      rebase(&header.name);
      if (header.value.empty()) header.value = {};
      rebase(&header.value);
    }
  }
  buffer_ = std::move(grown);
  buffer_bytes_ = bytes;
}

void HttpConnection::ReadHead() {
  if (filled_ == buffer_bytes_) MakeRoom(std::max(kBufferBytesMin, 2 * buffer_bytes_));
  ReadSome(buffer_.get() + filled_, buffer_bytes_ - filled_, &HttpConnection::OnHeadBytes);
}

void HttpConnection::OnHeadBytes(const AsioError& error, std::size_t count) {
  if (ReadFailed(error)) return;
  filled_ += count;
  ParseBuffered();
}

void HttpConnection::ParseBuffered() {
  // RFC 7230 3.5: an empty line before a request is passed over.
  std::size_t blank = 0;
  while (filled_ - blank >= 2 && buffer_[blank] == '\r' && buffer_[blank + 1] == '\n') blank += 2;
  if (blank > 0) {
    filled_ -= blank;
    std::memmove(buffer_.get(), buffer_.get() + blank, filled_);
    scanned_ = 0;
  }
  if (phase_ != Phase::kHead) SetPhase(Phase::kHead, loop_->shared().options.header_ns_max);
  const std::size_t head_bytes_max = loop_->shared().options.header_bytes_max;
  const HttpHeadEnd end = FindHttpHeadEnd({buffer_.get(), filled_}, &scanned_);
  switch (end.state) {
    case HttpHeadEnd::State::kMalformed:
      return Fail(400, "A header line does not end with CR LF.\n");
    case HttpHeadEnd::State::kIncomplete:
      if (filled_ >= head_bytes_max) {
        return Fail(431, "The request's headers exceed the limit.\n");
      }
      return ReadHead();
    case HttpHeadEnd::State::kComplete:
      if (end.head_bytes > head_bytes_max) {
        return Fail(431, "The request's headers exceed the limit.\n");
      }
      return StartRequest(end.head_bytes);
  }
}

void HttpConnection::StartRequest(std::size_t head_bytes) {
  const HttpServerOptions& options = loop_->shared().options;
  const HttpHeadLimits limits{options.header_count_max, options.body_bytes_max};
  head_bytes_ = head_bytes;
  const HttpRefusal refusal = parser_.ParseHead({buffer_.get(), head_bytes}, limits, &request_);
  if (refusal) return Fail(refusal.status, refusal.text);
  if (refused_) return Fail(503, "The server has too many connections.\n");
  keep_alive_ = parser_.keep_alive();
  request_.remote_address = remote_address_;
  request_.loop_index = loop_->index();
  request_.body_digest.reset();
  hash_body_ = loop_->shared().handler->WantsBodySha256(request_);
  body_left_ = parser_.content_length();
  if (!parser_.chunked() && body_left_ == 0) return FinishBody();
  request_.body_buffer = loop_->TakeBody();
  SetPhase(Phase::kBody, options.body_ns_max);
  if (!parser_.expects_continue() || filled_ > head_bytes_) return StartBody();
  WriteAll(asio::buffer(kContinue), &HttpConnection::OnContinueWritten);
}

void HttpConnection::OnContinueWritten(const AsioError& error) {
  if (!ReadFailed(error)) StartBody();
}

void HttpConnection::StartBody() {
  if (parser_.chunked()) {
    MakeRoom(head_bytes_ + std::max(kChunkRoomBytes, filled_ - head_bytes_));
    return DecodeChunks();
  }
  const std::size_t first =
      static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, kBodyRoomBytesFirst));
  if (!ReserveBody(first)) return;
  const std::size_t here =
      static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, filled_ - head_bytes_));
  if (!AppendBody({buffer_.get() + head_bytes_, here})) return;
  body_left_ -= here;
  // The head stays, and so does what belongs to the next request.
  std::memmove(buffer_.get() + head_bytes_, buffer_.get() + head_bytes_ + here,
               filled_ - head_bytes_ - here);
  filled_ -= here;
  ReadBody();
}

void HttpConnection::ReadBody() {
  if (body_left_ == 0) return FinishBody();
  HttpBody& body = request_.body_buffer;
  if (body.Tail().empty()) {
    const std::uint64_t whole = body.size() + body_left_;
    if (!ReserveBody(static_cast<std::size_t>(std::min<std::uint64_t>(whole, 2 * body.size())))) {
      return;
    }
  }
  // Never past this body: what follows it belongs into buffer_.
  const std::size_t room = std::min(body.Tail().size(), kReadBytesMax);
  ReadSome(body.Tail().data(), static_cast<std::size_t>(std::min<std::uint64_t>(room, body_left_)),
           &HttpConnection::OnBodyBytes);
}

void HttpConnection::OnBodyBytes(const AsioError& error, std::size_t count) {
  if (ReadFailed(error)) return;
  HttpBody& body = request_.body_buffer;
  if (hash_body_) hash_.Update(std::string_view(body.Tail().data(), count));
  body.Grow(count);
  body_left_ -= count;
  ReadBody();
}

void HttpConnection::ReadChunks() {
  if (filled_ == buffer_bytes_) {
    // Only a size line longer than its room, or trailers of a hostile length, come here.
    return Fail(400, "A chunk's size line or the trailers are too long.\n");
  }
  ReadSome(buffer_.get() + filled_, buffer_bytes_ - filled_, &HttpConnection::OnChunkBytes);
}

void HttpConnection::OnChunkBytes(const AsioError& error, std::size_t count) {
  if (ReadFailed(error)) return;
  filled_ += count;
  DecodeChunks();
}

void HttpConnection::DecodeChunks() {
  char* const begin = buffer_.get() + head_bytes_;
  std::size_t used = 0;
  bool done = false;
  while (!done) {
    const auto step = parser_.NextChunk({begin + used, filled_ - head_bytes_ - used});
    if (step.refusal) return Fail(step.refusal.status, step.refusal.text);
    if (!AppendBody(step.data)) return;
    used += step.consumed;
    done = step.done;
    if (step.consumed == 0) break;
  }
  std::memmove(begin, begin + used, filled_ - head_bytes_ - used);
  filled_ -= used;
  if (done) return FinishBody();
  ReadChunks();
}

// Makes room for a body of `bytes` and counts it; fails the request when all bodies together
// exceed their limit.
bool HttpConnection::ReserveBody(std::size_t bytes) {
  HttpServerShared& shared = loop_->shared();
  const std::size_t more = std::max(bytes, request_.body_buffer.capacity()) - body_reserved_;
  const std::size_t before = shared.body_bytes_reserved.fetch_add(more, std::memory_order_relaxed);
  body_reserved_ += more;
  if (before + more > shared.options.body_bytes_total_max) {
    Fail(503, "The server holds too many request bodies.\n");
    return false;
  }
  request_.body_buffer.Reserve(bytes);
  return true;
}

bool HttpConnection::AppendBody(std::string_view bytes) {
  if (bytes.empty()) return true;
  HttpBody& body = request_.body_buffer;
  if (bytes.size() > body.Tail().size()) {
    const std::size_t wanted = std::max(body.size() + bytes.size(), 2 * body.size());
    if (!ReserveBody(std::max(wanted, kBufferBytesMin))) return false;
  }
  body.Append(bytes);
  if (hash_body_) hash_.Update(bytes);
  return true;
}

void HttpConnection::FinishBody() {
  HttpServerShared& shared = loop_->shared();
  // A reader of 64 bytes at a time may look past the end; let it see zeros, not another's body.
  HttpBody& body = request_.body_buffer;
  body.Reserve(0);
  std::memset(body.Tail().data(), 0, kHttpBodyPaddingBytes);
  if (hash_body_) request_.body_digest = hash_.Finish();
  shared.requests.fetch_add(1, std::memory_order_relaxed);
  shared.body_bytes.fetch_add(body.size(), std::memory_order_relaxed);
  SetPhase(Phase::kHandling, kNever);
  try {
    shared.handler->Handle(request_, Responder(shared_from_this()));
  } catch (const std::exception& error) {
    // The Responder went with the exception and has answered 500.
    TL_LOG_ERROR("a request's handler threw: {}", error.what());
  }
}

void HttpConnection::ReleaseBody() {
  loop_->shared().body_bytes_reserved.fetch_sub(body_reserved_, std::memory_order_relaxed);
  body_reserved_ = 0;
  if (request_.body_buffer.capacity() > 0) {
    loop_->GiveBackBody(std::exchange(request_.body_buffer, HttpBody()));
  }
  body_out_.clear();
  if (body_out_.capacity() > kPooledBodyBytesMax) std::string().swap(body_out_);
}

// --- Connection: answering ---------------------------------------------------------------------

void HttpConnection::Answer(HttpResponse response) {
  if (loop_->OnThread()) return Send(std::move(response));
  // False once the server has stopped: nobody is left to read it.
  loop_->Post([self = shared_from_this(), answer = std::move(response)]() mutable {
    self->Send(std::move(answer));
  });
}

void HttpConnection::Fail(int status, std::string_view text) {
  loop_->shared().bad_requests.fetch_add(1, std::memory_order_relaxed);
  HttpResponse response(status, "text/plain", std::string(text));
  response.close = true;
  request_.method = {};  // it may be the one before
  SetPhase(Phase::kHandling, kNever);
  Send(std::move(response));
}

void HttpConnection::Send(HttpResponse response) {
  if (phase_ != Phase::kHandling) return;  // closed while the handler was busy
  if (!IsSendable(response)) {
    TL_LOG_ERROR("an answer with status {} or its headers cannot be sent", response.status);
    response = HttpResponse(500, "text/plain", "The answer could not be sent.\n");
  }
  if (response.close || loop_->stopping()) keep_alive_ = false;
  const bool has_body = response.status != 204 && response.status != 304;
  AppendHead(response, has_body);
  body_out_ = std::move(response.body);
  if (!has_body || request_.method == "HEAD") body_out_.clear();
  SetPhase(Phase::kWriting, loop_->shared().options.write_ns_max);
  if (body_out_.size() <= kJoinedBodyBytesMax) {
    head_out_ += body_out_;
    return WriteAll(asio::buffer(head_out_), &HttpConnection::OnWritten);
  }
  const std::array<asio::const_buffer, 2> both = {asio::buffer(head_out_), asio::buffer(body_out_)};
  WriteAll(both, &HttpConnection::OnWritten);
}

void HttpConnection::AppendHead(const HttpResponse& response, bool has_body) {
  head_out_.clear();
  fmt::format_to(std::back_inserter(head_out_), "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                 HttpReason(response.status), loop_->Date());
  if (has_body) {
    fmt::format_to(std::back_inserter(head_out_), "Content-Length: {}\r\n", response.body.size());
  }
  if (!keep_alive_) {
    head_out_ += "Connection: close\r\n";
  } else if (request_.minor_version == 0) {
    head_out_ += "Connection: keep-alive\r\n";
  }
  for (const HttpResponse::Header& header : response.headers) {
    if (IsFramingHeader(header.name)) continue;
    head_out_.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  head_out_ += "\r\n";
}

void HttpConnection::OnWritten(const AsioError& error) {
  if (phase_ == Phase::kClosed) return;
  if (error) return Close();
  if (!keep_alive_) return Linger();
  NextRequest();
}

void HttpConnection::Linger() {
  ReleaseBody();
  std::int64_t lasting_ns_max = kLingerNsMax;
  if (loop_->stopping()) {
    lasting_ns_max =
        std::clamp<std::int64_t>(loop_->stop_deadline_ns() - SteadyNow(), 0, kLingerNsMax);
  }
  SetPhase(Phase::kLingering, lasting_ns_max);
  const auto half_close = [](const std::shared_ptr<HttpConnection>& self) {
    if (self->phase_ == Phase::kClosed) return;
    AsioError ignored;
    self->socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    self->Drain();
  };
  if (tls_ == nullptr) return half_close(shared_from_this());
  tls_->async_shutdown(
      [self = shared_from_this(), half_close](const AsioError&) { half_close(self); });
}

// Reads and drops from the bare socket, under TLS too, until the peer closes.
void HttpConnection::Drain() {
  if (buffer_bytes_ == 0) MakeRoom(kBufferBytesMin);
  head_bytes_ = 0;
  filled_ = 0;
  socket_.async_read_some(asio::buffer(buffer_.get(), buffer_bytes_),
                          [self = shared_from_this()](const AsioError& error, std::size_t count) {
                            if (self->phase_ == Phase::kClosed) return;
                            self->drained_ += count;
                            if (error || self->drained_ > kLingerBytesMax) return self->Close();
                            self->Drain();
                          });
}

}  // namespace tideline::net
