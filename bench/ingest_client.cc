#include "bench/ingest_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "base/time.h"
#include "crypto/encoding.h"
#include "crypto/sha256.h"

namespace tideline::bench {
namespace {

constexpr std::string_view kTarget = "Timestream_20181101.WriteRecords";
constexpr std::string_view kContentType = "application/x-amz-json-1.0";
constexpr std::int64_t kRetryNs = 10 * kNsPerMs;
constexpr int kPollMs = 5;
constexpr std::size_t kAnswerBytesMax = 1 << 20;

Status SystemError(std::string_view what) {
  return Unavailable("{}: {}", what, std::strerror(errno));
}

// An answer's status and whole length; false while its head is not complete.
bool ReadHead(std::string_view text, int* status, std::size_t* length) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos || text.size() < 12) return false;
  std::from_chars(text.data() + 9, text.data() + 12, *status);
  *length = end + 4;
  std::string head(text.substr(0, end));
  std::transform(head.begin(), head.end(), head.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::string_view kName = "\r\ncontent-length:";
  const std::size_t at = head.find(kName);
  if (at == std::string::npos) return true;
  std::size_t begin = at + kName.size();
  while (begin < head.size() && head[begin] == ' ') ++begin;
  std::size_t bytes = 0;
  std::from_chars(head.data() + begin, head.data() + head.size(), bytes);
  *length += bytes;
  return true;
}

}  // namespace

struct IngestClient::Connection {
  std::size_t position = 0;
  int socket = -1;
  std::string head;
  std::string_view body;
  std::size_t sent = 0;  // of head and body together
  bool wants_write = false;
  bool in_flight = false;
  std::string answer;
  SteadyNs begun;
  SteadyNs retry_at;  // 0: nothing to repeat
};

IngestClient::IngestClient(const IngestOptions& options)
    : options_(options), signer_(options.signer), connections_(options.connection_count) {}

IngestClient::~IngestClient() {
  for (const Connection& connection : connections_) {
    if (connection.socket >= 0) close(connection.socket);
  }
  if (poll_ >= 0) close(poll_);
}

Result<std::unique_ptr<IngestClient>> IngestClient::Connect(const IngestOptions& options) {
  std::unique_ptr<IngestClient> client(new IngestClient(options));
  client->poll_ = epoll_create1(EPOLL_CLOEXEC);
  if (client->poll_ < 0) return SystemError("epoll_create1");
  for (std::size_t i = 0; i < client->connections_.size(); ++i) {
    client->connections_[i].position = i;
    TL_TRY(client->Open(&client->connections_[i]));
  }
  return client;
}

Status IngestClient::Open(Connection* connection) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.url.port);
  const std::string host = options_.url.host == "localhost" ? "127.0.0.1" : options_.url.host;
  if (options_.url.tls || inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return InvalidArgument("the load generator takes http:// and an IPv4 address, not {}",
                           options_.url.ToString());
  }
  connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->socket < 0) return SystemError("socket");
  if (connect(connection->socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemError(fmt::format("connect to {}", options_.url.ToString()));
  }
  const int on = 1;
  setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = connection;
  if (epoll_ctl(poll_, EPOLL_CTL_ADD, connection->socket, &event) != 0) return SystemError("epoll_ctl");
  return OkStatus();
}

// Signs and sends connection->body.
Status IngestClient::Begin(Connection* connection) {
  connection->begun = SystemClock().SteadyNow();
  const std::string host = options_.url.HostHeader();
  const std::array<crypto::HttpField, 3> fields = {
      {{"content-type", kContentType}, {"host", host}, {"x-amz-target", kTarget}}};
  const std::string digest = crypto::HexOf(crypto::Sha256Of(connection->body));
  const auto added = TL_TRY(
      signer_.Sign("POST", "/", "", fields, digest, SystemClock().WallNow()));
  connection->head = "POST / HTTP/1.1\r\n";
  for (const crypto::HttpField& field : fields) {
    fmt::format_to(std::back_inserter(connection->head), "{}: {}\r\n", field.name, field.value);
  }
  for (const crypto::SigV4SignedHeader& field : added) {
    fmt::format_to(std::back_inserter(connection->head), "{}: {}\r\n", field.name, field.value);
  }
  fmt::format_to(std::back_inserter(connection->head), "content-length: {}\r\n\r\n",
                 connection->body.size());
  connection->sent = 0;
  connection->answer.clear();
  connection->in_flight = true;
  connection->retry_at = {};
  outcome_.bytes_sent += connection->head.size() + connection->body.size();
  return Send(connection);
}

Status IngestClient::Send(Connection* connection) {
  const std::size_t head_bytes = connection->head.size();
  const std::size_t total = head_bytes + connection->body.size();
  bool blocked = false;
  while (connection->sent < total && !blocked) {
    std::array<iovec, 2> parts{};
    std::size_t count = 0;
    const auto add = [&](std::string_view text, std::size_t skip) {
      if (skip >= text.size()) return;
      parts[count++] = {const_cast<char*>(text.data() + skip), text.size() - skip};
    };
    add(connection->head, connection->sent);
    add(connection->body, connection->sent > head_bytes ? connection->sent - head_bytes : 0);
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t done = sendmsg(connection->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0 && errno != EAGAIN && errno != EINTR) return SystemError("send");
    blocked = done < 0 && errno == EAGAIN;
    if (done > 0) connection->sent += static_cast<std::size_t>(done);
  }
  if (blocked == connection->wants_write) return OkStatus();
  connection->wants_write = blocked;
  epoll_event event{};
  event.events = EPOLLIN | (blocked ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.ptr = connection;
  if (epoll_ctl(poll_, EPOLL_CTL_MOD, connection->socket, &event) != 0) return SystemError("epoll_ctl");
  return OkStatus();
}

// Takes in what has come; true when the answer is complete and was a 200.
Result<bool> IngestClient::Receive(Connection* connection) {
  std::array<char, 16 * 1024> buffer;
  const ssize_t got = recv(connection->socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return false;
    return SystemError("receive");
  }
  if (got == 0) return Unavailable("the server closed a connection");
  connection->answer.append(buffer.data(), static_cast<std::size_t>(got));
  int status = 0;
  std::size_t length = 0;
  if (!ReadHead(connection->answer, &status, &length) || connection->answer.size() < length) {
    if (connection->answer.size() > kAnswerBytesMax) return DataLoss("an answer without an end");
    return false;
  }
  connection->in_flight = false;
  if (status == 429 || status == 503) {
    ++outcome_.throttled;
    connection->retry_at = {SystemClock().SteadyNow().value + kRetryNs};
    return false;
  }
  if (status != 200) return Internal("answer {}: {}", status, connection->answer);
  return true;
}

Result<IngestOutcome> IngestClient::Run(const NextBody& next, std::int64_t run_ns) {
  outcome_ = {};
  const SteadyNs start = SystemClock().SteadyNow();
  const std::int64_t deadline = start.value + run_ns;
  std::size_t busy = 0;  // connections with a request in flight or to repeat
  const auto begin_next = [&](Connection* connection) -> Status {
    connection->body = next(connection->position);
    if (connection->body.empty()) return OkStatus();
    ++busy;
    return Begin(connection);
  };
  for (Connection& connection : connections_) TL_TRY(begin_next(&connection));
  std::array<epoll_event, 64> events;
  SteadyNs last_answer = start;
  while (busy > 0) {
    const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), kPollMs);
    if (count < 0 && errno != EINTR) return SystemError("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Connection* connection = static_cast<Connection*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0) TL_TRY(Send(connection));
      if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) continue;
      const bool answered = TL_TRY(Receive(connection));
      if (!answered) continue;
      last_answer = SystemClock().SteadyNow();
      outcome_.latencies_ns.push_back(last_answer.value - connection->begun.value);
      ++outcome_.answered;
      --busy;
      if (last_answer.value > deadline) continue;
      ++outcome_.in_time;
      TL_TRY(begin_next(connection));
    }
    for (Connection& connection : connections_) {
      if (connection.retry_at.value == 0 ||
          SystemClock().SteadyNow().value < connection.retry_at.value) {
        continue;
      }
      TL_TRY(Begin(&connection));
    }
  }
  outcome_.elapsed_ns = std::min(last_answer.value, deadline) - start.value;
  return std::move(outcome_);
}

}  // namespace tideline::bench
