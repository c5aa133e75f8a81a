#include "net/http_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tideline::net {
namespace {

constexpr HttpHeadLimits kLimits{.header_count_max = 10, .body_bytes_max = 1000};

struct Parsed {
  std::string head;  // owns what request points into
  HttpRequestParser parser;
  HttpRequest request;
  int status = 0;
};

std::unique_ptr<Parsed> Parse(std::string head) {
  auto parsed = std::make_unique<Parsed>();
  parsed->head = std::move(head);
  parsed->status = parsed->parser.ParseHead(parsed->head, kLimits, &parsed->request).status;
  return parsed;
}

std::string DecodeAll(HttpRequestParser& parser, std::string_view wire, std::size_t piece,
                      bool* done, int* status) {
  std::string pending, body;
  *done = false;
  *status = 0;
  while (!*done && *status == 0 && !wire.empty()) {
    pending += wire.substr(0, piece);
    wire.remove_prefix(std::min(piece, wire.size()));
    while (!*done) {
      const auto step = parser.NextChunk(pending);
      body += step.data;
      pending.erase(0, step.consumed);
      *done = step.done;
      *status = step.refusal.status;
      if (step.consumed == 0 || *status != 0) break;
    }
  }
  return body;
}

TEST(HttpHeadEndTest, FindsTheEmptyLineHoweverItComes) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
  for (std::size_t piece = 1; piece <= head.size(); ++piece) {
    std::size_t scanned = 0;
    HttpHeadEnd end;
    for (std::size_t have = piece; end.state == HttpHeadEnd::State::kIncomplete; have += piece) {
      end = FindHttpHeadEnd(std::string_view(head).substr(0, have), &scanned);
    }
    EXPECT_EQ(end.state, HttpHeadEnd::State::kComplete);
    EXPECT_EQ(end.head_bytes, head.size() - 4);
  }
  std::size_t scanned = 0;
  EXPECT_EQ(FindHttpHeadEnd("GET / HTTP/1.1\nHost: a\n\n", &scanned).state,
            HttpHeadEnd::State::kMalformed);
  scanned = 0;
  EXPECT_EQ(FindHttpHeadEnd("\n", &scanned).state, HttpHeadEnd::State::kMalformed);
}

TEST(HttpRequestParserTest, ParsesARequest) {
  const auto parsed = Parse(
      "POST /a/b?c=d HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target:  T.W \r\nX-Empty:\r\n"
      "Content-Length: 12\r\nX-Repeat: 1\r\nx-repeat: 2\r\n\r\n");
  ASSERT_EQ(parsed->status, 0);
  const HttpRequest& request = parsed->request;
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path(), "/a/b");
  EXPECT_EQ(request.query(), "c=d");
  EXPECT_EQ(request.minor_version, 1);
  EXPECT_EQ(request.Find("x-amz-target"), "T.W");
  EXPECT_EQ(request.Find("x-empty"), "");
  EXPECT_EQ(request.Find("X-Amz-Target"), std::nullopt);
  EXPECT_EQ(request.FindOr("missing", "other"), "other");
  ASSERT_EQ(request.headers.size(), 6U);
  EXPECT_EQ(request.headers[4].name, "x-repeat");
  EXPECT_EQ(request.headers[5].value, "2");
  EXPECT_EQ(parsed->parser.content_length(), 12U);
  EXPECT_TRUE(parsed->parser.keep_alive());
  EXPECT_FALSE(parsed->parser.chunked());
}

TEST(HttpRequestParserTest, AbsoluteTargetsLoseTheirAuthority) {
  EXPECT_EQ(Parse("GET http://h:1/a?b HTTP/1.1\r\nHost: h\r\n\r\n")->request.target, "/a?b");
  EXPECT_EQ(Parse("GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n")->request.target, "/");
}

TEST(HttpRequestParserTest, KeepAliveFollowsTheVersion) {
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\n\r\n")->parser.keep_alive());
  EXPECT_TRUE(Parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->parser.keep_alive());
  EXPECT_FALSE(
      Parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n")->parser.keep_alive());
}

TEST(HttpRequestParserTest, Refuses) {
  const std::pair<std::string, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},  // no Host
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\n", 505},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"\r\n", 400},
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n d\r\n\r\n", 400},  // folded
      {"GET / HTTP/1.1\r\nHost: a\r\nB: c\x01\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", 417},
      {"GET / HTTP/1.1\r\nHost: "
       "a\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\nj:\r\n\r\n",
       431},
  };
  for (const auto& [head, status] : cases) EXPECT_EQ(Parse(head)->status, status) << head;
}

TEST(HttpRequestParserTest, DecodesChunksInPiecesOfEverySize) {
  const std::string wire = "5\r\nhello\r\n7;x=\"y\"\r\n, world\r\n0\r\nTrailer: t\r\n\r\n";
  for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
    const auto parsed = Parse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n");
    ASSERT_EQ(parsed->status, 0);
    ASSERT_TRUE(parsed->parser.chunked());
    bool done = false;
    int status = 0;
    EXPECT_EQ(DecodeAll(parsed->parser, wire, piece, &done, &status), "hello, world");
    EXPECT_TRUE(done);
    EXPECT_EQ(parsed->request.headers.size(), 2U);
  }
}

TEST(HttpRequestParserTest, RefusesBadChunks) {
  const std::pair<std::string, int> cases[] = {
      {"x\r\n", 400},
      {"5\r\nhelloX\r\n0\r\n\r\n", 400},
      {"ffffffffffffffffff\r\n", 400},
      {"3e9\r\n", 413},
      {"3e8\r\n" + std::string(1000, 'a') + "\r\n1\r\na\r\n0\r\n\r\n", 413},
  };
  for (const auto& [wire, expected] : cases) {
    const auto parsed = Parse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    bool done = false;
    int status = 0;
    (void)DecodeAll(parsed->parser, wire, 4096, &done, &status);
    EXPECT_EQ(status, expected) << wire.substr(0, 40);
  }
}

TEST(HttpResponseParserTest, ParsesInPiecesOfEverySize) {
  const std::string wire =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 419 Status\r\nContent-Type: a/b\r\n"
      "Content-Length: 5\r\n\r\nhello";
  for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
    HttpResponseParser parser(1000, 1000, false);
    std::string pending;
    for (std::size_t at = 0; at < wire.size(); at += piece) {
      pending += wire.substr(at, piece);
      const Result<std::size_t> used = parser.Consume(pending);
      ASSERT_TRUE(used.ok()) << used.status();
      pending.erase(0, *used);
    }
    ASSERT_TRUE(parser.done());
    EXPECT_TRUE(parser.keep_alive());
    const HttpClientResponse response = parser.TakeResponse();
    EXPECT_EQ(response.status, 419);
    EXPECT_EQ(response.Find("content-type"), "a/b");
    EXPECT_EQ(response.body, "hello");
  }
}

TEST(HttpResponseParserTest, BodiesThatEndWithTheConnection) {
  HttpResponseParser parser(1000, 1000, false);
  ASSERT_TRUE(parser.Consume("HTTP/1.1 200 OK\r\n\r\nhel").ok());
  ASSERT_TRUE(parser.Consume("lo").ok());
  EXPECT_FALSE(parser.done());
  EXPECT_TRUE(parser.ConsumeEnd().ok());
  EXPECT_FALSE(parser.keep_alive());
  EXPECT_EQ(parser.TakeResponse().body, "hello");

  HttpResponseParser cut(1000, 1000, false);
  ASSERT_TRUE(cut.Consume("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel").ok());
  EXPECT_EQ(CodeOf(cut.ConsumeEnd()), ErrorCode::kUnavailable);
  HttpResponseParser none(1000, 1000, false);
  EXPECT_EQ(CodeOf(none.ConsumeEnd()), ErrorCode::kUnavailable);
}

TEST(HttpResponseParserTest, LimitsAndNonsense) {
  HttpResponseParser body(1000, 10, false);
  EXPECT_EQ(CodeOf(body.Consume("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n").status()),
            ErrorCode::kResourceExhausted);
  HttpResponseParser head(100, 10, false);
  EXPECT_EQ(CodeOf(head.Consume("HTTP/1.1 200 OK\r\nA: " + std::string(200, 'b')).status()),
            ErrorCode::kResourceExhausted);
  HttpResponseParser nonsense(1000, 10, false);
  EXPECT_EQ(CodeOf(nonsense.Consume("SSH-2.0-x\r\n\r\n").status()), ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace tideline::net
