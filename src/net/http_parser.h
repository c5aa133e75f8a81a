// net/http_parser.h: HTTP/1.1 messages out of bytes, without sockets. Internal to net.
//
// Boost.Beast's basic_parser does the grammar (RFC 7230); this adds what a server on the open
// network refuses besides: bare line feeds, folded headers, no or two Host headers, transfer
// codings other than chunked, and sizes over the limits. Nothing here allocates per request once
// its buffers have grown, but for what Beast does on errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"
#include "net/http_client.h"
#include "net/http_message.h"

namespace tideline::net {

/// Looks for the empty line that ends a head. Begin with `*scanned` = 0 and pass it again with more
/// bytes, so that a head that drips in is scanned once.
struct HttpHeadEnd {
  enum class State { kIncomplete, kComplete, kMalformed } state = State::kIncomplete;
  std::size_t head_bytes = 0;  ///< with the empty line, when complete
};
HttpHeadEnd FindHttpHeadEnd(std::string_view bytes, std::size_t* scanned);

struct HttpHeadLimits {
  std::size_t header_count_max = 200;
  std::uint64_t body_bytes_max = 0;
};

/// Why a request is refused: the status to answer with, 0 for none, and a text in static storage.
struct HttpRefusal {
  int status = 0;
  std::string_view text;
  explicit operator bool() const { return status != 0; }
};

/// Parses one request after another. Not thread-safe.
class HttpRequestParser {
 public:
  HttpRequestParser();
  ~HttpRequestParser();

  /// Parses a whole head, as FindHttpHeadEnd found it, and begins a new message. Lowers header
  /// names in place. On success method, target, headers and minor_version of `*request` are set and
  /// point into `head`.
  HttpRefusal ParseHead(std::span<char> head, const HttpHeadLimits& limits, HttpRequest* request);

  // Valid after a head that was not refused.
  bool keep_alive() const;
  bool chunked() const;
  bool expects_continue() const;
  std::uint64_t content_length() const;  ///< 0 when there is no body or it is chunked

  /// One step through a chunked body. Call until `done`, or `consumed` is 0 (more bytes wanted),
  /// or refused; each time with what was not consumed.
  struct ChunkStep {
    std::size_t consumed = 0;
    std::string_view data;  ///< body bytes, a view into the input
    bool done = false;
    HttpRefusal refusal;
  };
  ChunkStep NextChunk(std::string_view bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Parses one answer, body included, into memory of its own. Not thread-safe.
class HttpResponseParser {
 public:
  /// `to_head`: the answer is to a HEAD request and has no body.
  HttpResponseParser(std::size_t header_bytes_max, std::size_t body_bytes_max, bool to_head);
  ~HttpResponseParser();

  /// Returns how many bytes were used; pass the rest again, with more behind it. Interim (1xx)
  /// answers are skipped. Errors: kDataLoss, kResourceExhausted.
  Result<std::size_t> Consume(std::string_view bytes);
  /// Says that the peer closed. kUnavailable if the answer was not over.
  Status ConsumeEnd();
  bool started() const;
  bool done() const;
  /// Whether the connection may carry another request; valid when done.
  bool keep_alive() const;
  HttpClientResponse TakeResponse();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideline::net
