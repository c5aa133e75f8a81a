#include "net/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

#include "base/check.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "crypto/certificate.h"
#include "net/http_client.h"

namespace tideline::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class FunctionHandler final : public HttpHandler {
 public:
  using Function = std::function<void(HttpRequest&, Responder)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}
  void Handle(HttpRequest& request, Responder respond) override {
    function_(request, std::move(respond));
  }
  bool WantsBodySha256(const HttpRequest& head) const override { return head.path() == "/hash"; }

 private:
  Function function_;
};

HttpResponse Text(int status, std::string text) {
  return HttpResponse(status, "text/plain", std::move(text));
}

// "METHOD target remote-port-stays body"
void Echo(HttpRequest& request, Responder respond) {
  HttpResponse response =
      Text(200, fmt::format("{} {} {}", request.method, request.target, request.body()));
  response.Add("X-Remote", std::string(request.remote_address));
  response.Add("X-Tls", request.tls ? "yes" : "no");
  std::move(respond).Answer(std::move(response));
}

const crypto::CertificateAndKey& TestCertificate() {
  static const crypto::CertificateAndKey certificate =
      *crypto::MakeSelfSignedCertificate({}, SystemClock().WallNow());
  return certificate;
}

struct Server {
  explicit Server(FunctionHandler::Function function, HttpServerOptions options = {})
      : handler(std::move(function)) {
    if (options.addresses.empty()) options.addresses = {"127.0.0.1:0"};
    if (options.loop_count == 0) options.loop_count = 2;
    Result<std::unique_ptr<HttpServer>> started = HttpServer::Start(std::move(options), handler);
    EXPECT_TRUE(started.ok()) << started.status();
    server = std::move(*started);
  }
  HttpClient Client(HttpClientOptions options = {}) const {
    return HttpClient(*ParseUrl("http://" + server->bound_addresses()[0]), std::move(options));
  }
  HttpClient TlsClient(HttpClientOptions options) const {
    return HttpClient(*ParseUrl("https://" + server->bound_addresses()[0]), std::move(options));
  }
  std::uint16_t port() const { return ParseHostPort(server->bound_addresses()[0])->port; }

  FunctionHandler handler;
  std::unique_ptr<HttpServer> server;
};

HttpServerOptions TlsOptions() {
  HttpServerOptions options;
  options.certificate_pem = TestCertificate().certificate_pem;
  options.private_key_pem = TestCertificate().private_key_pem;
  return options;
}

// A client that says exactly what it is told to.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  std::string ReadToEnd() {
    std::string out;
    while (ReadMore(&out)) {
    }
    return out;
  }
  std::string ReadUntil(std::string_view end) {
    std::string out;
    while (out.find(end) == std::string::npos && ReadMore(&out)) {
    }
    return out;
  }
  void ShutDownSend() { ::shutdown(fd_, SHUT_WR); }

 private:
  bool ReadMore(std::string* out) {
    char bytes[4096];
    const ssize_t count = ::recv(fd_, bytes, sizeof(bytes), 0);
    if (count > 0) out->append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }
  int fd_;
};

std::size_t CountOf(std::string_view text, std::string_view piece) {
  std::size_t count = 0;
  for (std::size_t at = text.find(piece); at != std::string_view::npos;
       at = text.find(piece, at + 1)) {
    ++count;
  }
  return count;
}

TEST(HttpServerTest, AnswersAndKeepsTheConnection) {
  Server server(Echo);
  HttpClient client = server.Client();
  const auto first = client.Send({.method = "POST", .target = "/a?b=c", .body = "hello"});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->body, "POST /a?b=c hello");
  EXPECT_EQ(first->Find("content-type"), "text/plain");
  EXPECT_THAT(std::string(*first->Find("date")), testing::EndsWith(" GMT"));
  EXPECT_EQ(first->Find("date")->size(), 29U);
  const auto second = client.Send({});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->body, "GET / ");
  EXPECT_EQ(second->Find("x-remote"), first->Find("x-remote"));
  const HttpServerStats stats = server.server->stats();
  EXPECT_EQ(stats.requests, 2U);
  EXPECT_EQ(stats.connections_accepted, 1U);
  EXPECT_EQ(stats.body_bytes, 5U);
}

TEST(HttpServerTest, TlsAndPlainShareAPort) {
  Server server(Echo, TlsOptions());
  HttpClient tls = server.TlsClient({.verify_tls = false});
  for (int i = 0; i < 3; ++i) {
    const auto answer = tls.Send({.method = "POST", .body = "secret"});
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->body, "POST / secret");
    EXPECT_EQ(answer->Find("x-tls"), "yes");
  }
  const auto plain = server.Client().Send({});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->Find("x-tls"), "no");
  EXPECT_EQ(server.server->stats().connections_accepted, 2U);
}

TEST(HttpServerTest, ClientVerifiesTheCertificate) {
  Server server(Echo, TlsOptions());
  const std::string ca_file = testing::TempDir() + "/tideline_net_test_ca.pem";
  std::ofstream(ca_file) << TestCertificate().certificate_pem;
  const auto trusted = server.TlsClient({.ca_file = ca_file}).Send({});
  EXPECT_TRUE(trusted.ok()) << trusted.status();
  const auto unknown = server.TlsClient({}).Send({});
  EXPECT_EQ(CodeOf(unknown.status()), ErrorCode::kUnavailable);
  EXPECT_THAT(std::string(MessageOf(unknown.status())), HasSubstr("self-signed"));
  const auto no_file = server.TlsClient({.ca_file = "/nonexistent"}).Send({});
  EXPECT_EQ(CodeOf(no_file.status()), ErrorCode::kInvalidArgument);
  std::remove(ca_file.c_str());
}

TEST(HttpServerTest, TlsOnlyPortTellsPlainClients) {
  HttpServerOptions options = TlsOptions();
  options.tls_addresses = {"127.0.0.1:0"};
  Server server(Echo, std::move(options));
  const std::string address = server.server->bound_tls_addresses()[0];
  RawClient raw(ParseHostPort(address)->port);
  raw.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(raw.ReadToEnd(), StartsWith("HTTP/1.1 400 "));
  HttpClient tls(*ParseUrl("https://" + address), {.verify_tls = false});
  EXPECT_TRUE(tls.Send({}).ok());
}

TEST(HttpServerTest, PlainServerClosesOnTls) {
  Server server(Echo);
  EXPECT_EQ(CodeOf(server.TlsClient({.verify_tls = false}).Send({}).status()),
            ErrorCode::kUnavailable);
  EXPECT_TRUE(server.Client().Send({}).ok());
}

TEST(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  ThreadPool pool({.name = "answers", .thread_count = 4});
  Server server([&](HttpRequest& request, Responder respond) {
    if (request.path() == "/now") return Echo(request, std::move(respond));
    auto later = std::make_shared<Responder>(std::move(respond));
    TL_CHECK(pool.Submit([&request, later] { Echo(request, std::move(*later)); }).ok());
  });
  std::string wire;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string target = fmt::format("/{}?{}", i % 3 == 0 ? "now" : "later", i);
    const std::string body(static_cast<std::size_t>(i) * 37, 'x');
    wire += fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n{}\r\n{}", target,
                        body.size(), i == 99 ? "Connection: close\r\n" : "", body);
    expected += target + ";";
  }
  RawClient raw(server.port());
  raw.Send(wire);
  const std::string answers = raw.ReadToEnd();
  std::string seen;
  for (std::size_t at = answers.find("POST /"); at != std::string::npos;
       at = answers.find("POST /", at + 1)) {
    seen += answers.substr(at + 5, answers.find(' ', at + 5) - at - 5) + ";";
  }
  EXPECT_EQ(seen, expected);
}

TEST(HttpServerTest, RequestsThatDripInByteByByte) {
  Server server(Echo);
  RawClient raw(server.port());
  for (const char c : std::string_view("\r\nPOST /drip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                                       "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")) {
    raw.Send({&c, 1});
  }
  EXPECT_THAT(raw.ReadToEnd(), HasSubstr("POST /drip abc"));
}

TEST(HttpServerTest, ChunkedBodiesLargeAndPipelined) {
  Server server([](HttpRequest& request, Responder respond) {
    std::move(respond).Answer(Text(200, fmt::format("[{}]", request.body().size())));
  });
  std::string wire;
  for (int i = 0; i < 3; ++i) {
    wire += "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int k = 0; k < 100; ++k) wire += "2710\r\n" + std::string(10'000, 'x') + "\r\n";
    wire += "0\r\n\r\n";
  }
  RawClient raw(server.port());
  raw.Send(wire);
  raw.ShutDownSend();
  EXPECT_EQ(CountOf(raw.ReadToEnd(), "[1000000]"), 3U);
}

TEST(HttpServerTest, ExpectContinueIsAnswered) {
  Server server(Echo);
  RawClient raw(server.port());
  raw.Send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(raw.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  raw.Send("body");
  EXPECT_THAT(raw.ReadUntil("POST / body"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(HttpServerTest, BodyHashAndPadding) {
  std::atomic<int> checked = 0;
  Server server([&](HttpRequest& request, Responder respond) {
    const std::string_view body = request.body();
    EXPECT_EQ(std::string_view(body.data() + body.size(), kHttpBodyPaddingBytes),
              std::string(kHttpBodyPaddingBytes, '\0'));
    EXPECT_EQ(request.body_sha256().has_value(), request.path() == "/hash");
    if (request.body_sha256()) {
      EXPECT_EQ(*request.body_sha256(), crypto::Sha256Of(body));
    }
    ++checked;
    std::move(respond).Answer(Text(200, ""));
  });
  HttpClient client = server.Client();
  Random random(7);
  for (const std::size_t size : {0UL, 1UL, 100UL, 8192UL, 102'400UL, 3'000'000UL, 64UL}) {
    const std::string body = random.Text(size, "abcdefghijklmnop");
    ASSERT_TRUE(client.Send({.method = "POST", .target = "/hash", .body = body}).ok());
    ASSERT_TRUE(client.Send({.method = "POST", .target = "/plain", .body = body}).ok());
  }
  RawClient raw(server.port());
  raw.Send(
      "POST /hash HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
      "Connection: close\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n");
  EXPECT_THAT(raw.ReadToEnd(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(checked, 15);
}

TEST(HttpServerTest, BodiesOverTheLimitGet413) {
  HttpServerOptions options;
  options.body_bytes_max = 1000;
  Server server(Echo, std::move(options));
  const std::string exact(1000, 'x');
  EXPECT_EQ(server.Client().Send({.method = "POST", .body = exact})->status, 200);
  // A client that sends on regardless still gets to read the answer.
  const std::string large(3'000'000, 'x');
  const auto answer = server.Client().Send({.method = "POST", .body = large});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->Find("connection"), "close");
  RawClient chunked(server.port());
  chunked.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + exact +
               "\r\n1\r\nx\r\n");
  chunked.ShutDownSend();
  EXPECT_THAT(chunked.ReadToEnd(), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(server.server->stats().bad_requests, 2U);
}

TEST(HttpServerTest, HeadersOverTheLimitGet431) {
  HttpServerOptions options;
  options.header_bytes_max = 10'000;
  Server server(Echo, std::move(options));
  RawClient raw(server.port());
  raw.Send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x'));
  raw.ShutDownSend();
  EXPECT_THAT(raw.ReadToEnd(), StartsWith("HTTP/1.1 431 "));
  RawClient fits(server.port());
  fits.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + std::string(9'900, 'x') +
            "\r\n\r\n");
  EXPECT_THAT(fits.ReadToEnd(), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServerTest, MalformedRequestsGet400AndClose) {
  Server server(Echo);
  for (const std::string_view bad :
       {"nonsense\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n d\r\n\r\n"}) {
    RawClient raw(server.port());
    raw.Send(bad);
    raw.ShutDownSend();
    EXPECT_THAT(raw.ReadToEnd(), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << bad;
  }
  // Random bytes: no answer is promised, but the server lives on.
  Random random(3);
  for (int i = 0; i < 50; ++i) {
    std::string noise;
    for (std::uint64_t k = random.Below(300); k > 0; --k) {
      noise.push_back(static_cast<char>(random.Next()));
    }
    RawClient raw(server.port());
    raw.Send(noise);
    raw.ShutDownSend();
    (void)raw.ReadToEnd();
  }
  EXPECT_TRUE(server.Client().Send({}).ok());
}

TEST(HttpServerTest, SlowClientsAreCutOff) {
  HttpServerOptions options;
  options.header_ns_max = 40 * kNsPerMs;
  options.body_ns_max = 40 * kNsPerMs;
  options.idle_ns_max = 80 * kNsPerMs;
  Server server(Echo, std::move(options));
  RawClient silent(server.port());
  EXPECT_EQ(silent.ReadToEnd(), "");
  RawClient head(server.port());
  head.Send("GET / HT");
  EXPECT_THAT(head.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 408 "));
  RawClient body(server.port());
  body.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_THAT(body.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 408 "));
  RawClient idle(server.port());
  idle.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = idle.ReadToEnd();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(CountOf(answer, "HTTP/1.1"), 1U);
  EXPECT_EQ(server.server->stats().timeouts, 4U);
}

TEST(HttpServerTest, TlsHandshakesThatStallAreCutOff) {
  HttpServerOptions options = TlsOptions();
  options.header_ns_max = 40 * kNsPerMs;
  Server server(Echo, std::move(options));
  RawClient raw(server.port());
  raw.Send("\x16\x03\x01");
  EXPECT_EQ(raw.ReadToEnd(), "");
}

TEST(HttpServerTest, EveryStatusAndMethod) {
  Server server([](HttpRequest& request, Responder respond) {
    const int status = std::stoi(std::string(request.path().substr(1)));
    std::move(respond).Answer(Text(status, "text"));
  });
  HttpClient client = server.Client();
  for (const int status : {200, 402, 409, 419, 421, 429, 500, 503, 599, 999}) {
    const auto answer = client.Send({.target = fmt::format("/{}", status)});
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, "text");
  }
  for (const int status : {204, 304}) {
    const auto answer = client.Send({.target = fmt::format("/{}", status)});
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->body, "");
  }
  const auto head = client.Send({.method = "HEAD", .target = "/200"});
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->Find("content-length"), "4");
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(client.Send({.target = "/100"})->status, 500);  // not an answer
  EXPECT_EQ(server.server->stats().connections_accepted, 1U);
}

TEST(HttpServerTest, ForgottenAndThrownAnswersAre500) {
  Server server([](HttpRequest& request, Responder respond) {
    if (request.path() == "/throw") throw std::runtime_error("thrown on purpose");
    Responder dropped = std::move(respond);
  });
  HttpClient client = server.Client();
  EXPECT_EQ(client.Send({.target = "/throw"})->status, 500);
  EXPECT_EQ(client.Send({.target = "/drop"})->status, 500);
}

TEST(HttpServerTest, HeadersThatWouldSplitTheAnswerAre500) {
  Server server([](HttpRequest&, Responder respond) {
    std::move(respond).Answer(Text(200, "").Add("X", "a\r\nInjected: b"));
  });
  const auto answer = server.Client().Send({});
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->Find("injected"), std::nullopt);
}

TEST(HttpServerTest, FramingIsTheServersBusiness) {
  Server server([](HttpRequest&, Responder respond) {
    HttpResponse response = Text(200, "four");
    response.Add("content-LENGTH", "9").Add("Transfer-Encoding", "chunked").Add("Date", "never");
    std::move(respond).Answer(std::move(response));
  });
  const auto answer = server.Client().Send({});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, "four");
  EXPECT_EQ(answer->Find("transfer-encoding"), std::nullopt);
}

TEST(HttpServerTest, Http10ClosesUnlessAsked) {
  Server server(Echo);
  RawClient raw(server.port());
  raw.Send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(raw.ReadUntil("GET /a"), HasSubstr("Connection: keep-alive\r\n"));
  raw.Send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_THAT(raw.ReadToEnd(), HasSubstr("Connection: close\r\n"));
}

TEST(HttpServerTest, LargeBodiesBothWays) {
  Server server(
      [](HttpRequest& request, Responder respond) {
        std::move(respond).Answer(Text(200, std::string(request.body())));
      },
      TlsOptions());
  Random random(5);
  const std::string body = random.Text(15'000'000, "0123456789abcdef");
  HttpClient plain = server.Client();
  HttpClient tls = server.TlsClient({.verify_tls = false});
  for (HttpClient* client : {&plain, &tls}) {
    for (int i = 0; i < 2; ++i) {
      const auto answer = client->Send({.method = "POST", .body = body});
      ASSERT_TRUE(answer.ok()) << answer.status();
      EXPECT_TRUE(answer->body == body);
    }
  }
}

TEST(HttpServerTest, AllBodiesTogetherAreBounded) {
  HttpServerOptions options;
  options.body_bytes_total_max = 1'000'000;
  Server server(Echo, std::move(options));
  HttpClient client = server.Client();
  const std::string large(2'000'000, 'x');
  const auto refused = client.Send({.method = "POST", .body = large});
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->status, 503);
  const std::string small(500'000, 'x');
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.Send({.method = "POST", .body = small})->status, 200);
  }
}

TEST(HttpServerTest, ConnectionsOverTheLimitGet503) {
  HttpServerOptions options;
  options.connections_max = 2;
  Server server(Echo, std::move(options));
  HttpClient first = server.Client();
  HttpClient second = server.Client();
  EXPECT_EQ(first.Send({})->status, 200);
  EXPECT_EQ(second.Send({})->status, 200);
  const auto third = server.Client().Send({});
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ(third->status, 503);
  EXPECT_EQ(third->Find("connection"), "close");
  EXPECT_EQ(server.server->stats().connections_refused, 1U);
  EXPECT_EQ(first.Send({})->status, 200);
}

TEST(HttpServerTest, ConcurrentLoadWithAnswersFromOtherThreads) {
  ThreadPool pool({.name = "answers", .thread_count = 2});
  Server server([&](HttpRequest& request, Responder respond) {
    if (request.body().size() % 2 == 0) return Echo(request, std::move(respond));
    auto later = std::make_shared<Responder>(std::move(respond));
    TL_CHECK(pool.Submit([&request, later] { Echo(request, std::move(*later)); }).ok());
  });
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      HttpClient client = server.Client();
      Random random(static_cast<std::uint64_t>(t));
      for (int i = 0; i < 100; ++i) {
        const std::string body = random.Text(random.Below(50'000), "xyz");
        const auto answer = client.Send({.method = "POST", .target = "/load", .body = body});
        if (answer.ok() && answer->body == "POST /load " + body) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 800);
  EXPECT_EQ(server.server->stats().connections_accepted, 8U);
}

TEST(HttpServerTest, PostRunsOnTheLoop) {
  std::promise<std::thread::id> handled;
  Server server([&](HttpRequest& request, Responder respond) {
    handled.set_value(std::this_thread::get_id());
    Echo(request, std::move(respond));
  });
  EXPECT_EQ(server.server->loop_count(), 2U);
  ASSERT_TRUE(server.Client().Send({}).ok());
  const std::thread::id loop_thread = handled.get_future().get();
  std::promise<std::thread::id> ids[2];
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(
        server.server->Post(i, [&ids, i] { ids[i].set_value(std::this_thread::get_id()); }));
  }
  const std::thread::id first = ids[0].get_future().get();
  const std::thread::id second = ids[1].get_future().get();
  EXPECT_NE(first, second);
  EXPECT_TRUE(first == loop_thread || second == loop_thread);
  server.server->Stop(0);
  EXPECT_FALSE(server.server->Post(0, [] {}));
}

TEST(HttpServerTest, StopLetsRunningRequestsFinish) {
  std::promise<void> arrived;
  std::promise<Responder> responder;
  Server server([&](HttpRequest&, Responder respond) {
    responder.set_value(std::move(respond));
    arrived.set_value();
  });
  HttpClient idle = server.Client();
  std::future<Result<HttpClientResponse>> answer = std::async(std::launch::async, [&] {
    HttpClient client = server.Client();
    return client.Send({.method = "POST", .body = "x"});
  });
  arrived.get_future().wait();
  std::future<void> stopped =
      std::async(std::launch::async, [&] { server.server->Stop(20 * kNsPerSecond); });
  // Once nothing listens any more the stop is under way.
  while (server.Client().Send({.request_ns_max = kNsPerMs}).ok()) {
  }
  Responder respond = responder.get_future().get();
  std::move(respond).Answer(Text(200, "finished"));
  const Result<HttpClientResponse> got = answer.get();
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->body, "finished");
  stopped.get();
  EXPECT_FALSE(server.Client().Send({}).ok());
}

TEST(HttpServerTest, AnswersAfterTheEndAreDropped) {
  std::promise<Responder> responder;
  auto server = std::make_unique<Server>(
      [&](HttpRequest&, Responder respond) { responder.set_value(std::move(respond)); });
  std::future<bool> failed = std::async(
      std::launch::async, [client = server->Client()]() mutable { return !client.Send({}).ok(); });
  Responder respond = responder.get_future().get();
  server.reset();
  EXPECT_TRUE(failed.get());
  std::move(respond).Answer(Text(200, "too late"));
}

TEST(HttpServerTest, ClientDeadlineHolds) {
  std::promise<Responder> responder;
  Server server([&](HttpRequest&, Responder respond) { responder.set_value(std::move(respond)); });
  HttpClient client = server.Client();
  EXPECT_EQ(CodeOf(client.Send({.request_ns_max = 30 * kNsPerMs}).status()),
            ErrorCode::kDeadlineExceeded);
  Responder respond = responder.get_future().get();
  std::move(respond).Answer(Text(200, ""));
}

TEST(HttpServerTest, ClientReplacesAConnectionTheServerClosed) {
  Server server([](HttpRequest&, Responder respond) {
    HttpResponse response = Text(200, "bye");
    response.close = true;
    std::move(respond).Answer(std::move(response));
  });
  HttpClient client = server.Client();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Send({})->body, "bye");
  EXPECT_EQ(server.server->stats().connections_accepted, 3U);
}

TEST(HttpServerTest, ClientRefusesHeadersThatSplit) {
  Server server(Echo);
  EXPECT_EQ(CodeOf(server.Client().Send({.headers = {{"a", "b\r\nc: d"}}}).status()),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(server.Client().Send({.target = "/a b"}).status()), ErrorCode::kInvalidArgument);
}

TEST(HttpServerTest, StartNamesWhatIsWrong) {
  FunctionHandler handler(Echo);
  const auto start = [&](HttpServerOptions options) {
    return CodeOf(HttpServer::Start(std::move(options), handler).status());
  };
  HttpServerOptions options;
  EXPECT_EQ(start(options), ErrorCode::kInvalidArgument);
  options.addresses = {"127.0.0.1"};
  EXPECT_EQ(start(options), ErrorCode::kInvalidArgument);
  options.addresses = {"127.0.0.1:0"};
  options.certificate_pem = "nonsense";
  EXPECT_EQ(start(options), ErrorCode::kInvalidArgument);
  options.private_key_pem = "nonsense";
  EXPECT_EQ(start(options), ErrorCode::kInvalidArgument);
  options = TlsOptions();
  options.private_key_pem =
      crypto::MakeSelfSignedCertificate({}, SystemClock().WallNow())->private_key_pem;
  options.addresses = {"127.0.0.1:0"};
  EXPECT_EQ(start(options), ErrorCode::kInvalidArgument);
  options = {};
  options.tls_addresses = {"127.0.0.1:0"};
  EXPECT_EQ(start(options), ErrorCode::kInvalidArgument);
  Server busy(Echo);
  options = {};
  options.addresses = busy.server->bound_addresses();
  EXPECT_EQ(start(options), ErrorCode::kUnavailable);
}

TEST(HttpServerTest, PortsAreTakenBeforeTheyAreServed) {
  HttpServerOptions options;
  options.addresses = {"127.0.0.1:0", "127.0.0.1:0"};
  EXPECT_EQ(CodeOf(HttpPorts::Bind({"127.0.0.1"}, {}).status()), ErrorCode::kInvalidArgument);
  Server busy(Echo);
  EXPECT_EQ(CodeOf(HttpPorts::Bind({}, busy.server->bound_addresses()).status()), ErrorCode::kUnavailable);
  Result<HttpPorts> ports = HttpPorts::Bind(options.addresses, {});
  ASSERT_TRUE(ports.ok()) << ports.status();
  HttpPorts moved = *std::move(ports);
  FunctionHandler handler(Echo);
  const auto server = HttpServer::Start(std::move(options), std::move(moved), handler);
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_EQ((*server)->bound_addresses().size(), 2U);
  for (const std::string& address : (*server)->bound_addresses()) {
    EXPECT_EQ(HttpClient(*ParseUrl("http://" + address), {}).Send({})->status, 200);
  }
}

TEST(HttpServerTest, TlsErrorsNameTheFileAndWhatBelongsThere) {
  HttpServerOptions good = TlsOptions();
  good.addresses = {"127.0.0.1:0"};
  good.certificate_name = "tls/certificate.pem";
  good.private_key_name = "tls/key.pem";
  EXPECT_TRUE(HttpServer::Check(good).ok());
  const auto check = [&](const std::string& certificate, const std::string& key) {
    HttpServerOptions options = good;
    if (!certificate.empty()) options.certificate_pem = certificate;
    if (!key.empty()) options.private_key_pem = key;
    const Status status = HttpServer::Check(options);
    EXPECT_EQ(CodeOf(status), ErrorCode::kInvalidArgument);
    return std::string(MessageOf(status));
  };
  EXPECT_EQ(check("junk", ""),
            "tls/certificate.pem cannot be used: it must hold a certificate in PEM form (-----BEGIN CERTIFICATE-----), "
            "and holds no PEM text");
  EXPECT_THAT(check(good.private_key_pem, ""), EndsWith("and holds a private key"));
  EXPECT_THAT(check(good.certificate_pem.substr(0, 200), ""),
              EndsWith("and holds a certificate that is damaged or of a kind unknown here"));
  EXPECT_EQ(check("", "junk"),
            "tls/key.pem cannot be used: it must hold a private key in PEM form without a password (-----BEGIN PRIVATE "
            "KEY-----), and holds no PEM text");
  EXPECT_THAT(check("", good.certificate_pem), EndsWith("and holds a certificate"));
  EXPECT_THAT(check("", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
              EndsWith("and holds a private key that is locked with a password"));
  EXPECT_EQ(check("", crypto::MakeSelfSignedCertificate({}, SystemClock().WallNow())->private_key_pem),
            "tls/key.pem cannot be used: it does not belong to tls/certificate.pem");
}

// Asked of the system itself, so that no failure of the server looks like a machine without IPv6.
bool HasIpv6Loopback() {
  const int socket = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(socket);
  return bound;
}

TEST(HttpServerTest, ListensOnIpv6) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "no socket of this machine binds ::1, so no server can listen there";
  HttpServerOptions options;
  options.addresses = {"[::1]:0"};
  FunctionHandler handler(Echo);
  const auto server = HttpServer::Start(std::move(options), handler);
  ASSERT_TRUE(server.ok()) << server.status();
  HttpClient client(*ParseUrl("http://" + (*server)->bound_addresses()[0]), {});
  const auto answer = client.Send({});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(std::string(*answer->Find("x-remote")), StartsWith("[::1]:"));
}

}  // namespace
}  // namespace tideline::net
