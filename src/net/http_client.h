// net/http_client.h: a plain, blocking HTTP/1.1 client that keeps its connection.
//
// For the command line, the load generator, outgoing notifications and tests; not for event loops.
//
//   HttpClient client(TL_TRY(ParseUrl("http://127.0.0.1:8433")), {});
//   const HttpClientResponse answer =
//       TL_TRY(client.Send({.method = "POST", .headers = {{"content-type", "text/plain"}},
//                           .body = "hello"}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "net/http_message.h"
#include "net/url.h"

namespace tideline::net {

struct HttpClientOptions {
  std::int64_t connect_ns_max = 10 * kNsPerSecond;
  /// For a whole request, connecting included, unless the request says otherwise.
  std::int64_t request_ns_max = 60 * kNsPerSecond;
  std::size_t header_bytes_max = 64 * 1024;
  std::size_t body_bytes_max = std::size_t{1} << 30;  ///< of an answer
  /// PEM file with the authorities to trust; empty: the system's.
  std::string ca_file = {};
  /// False accepts any certificate and any name in it.
  bool verify_tls = true;
};

struct HttpClientRequest {
  std::string method = "GET";
  std::string target = {};  ///< empty: that of the client's URL
  std::vector<HttpResponse::Header> headers =
      {};                           ///< Host and Content-Length are added when missing
  std::string_view body = {};       ///< must live until Send returns
  std::int64_t request_ns_max = 0;  ///< 0: the client's
};

struct HttpClientResponse {
  int status = 0;
  std::vector<HttpResponse::Header> headers = {};  ///< names in lower case, in the order sent
  std::string body = {};                           ///< chunked coding removed
  std::optional<std::string_view> Find(std::string_view lower_case_name) const;
};

/// One connection at most, opened when needed and kept while the server keeps it. Nothing is ever
/// sent twice: a kept connection that the server has closed is noticed before sending and replaced;
/// one that breaks later is an error, for the caller to judge. Not thread-safe: one client per
/// thread.
class HttpClient {
 public:
  HttpClient(Url url, HttpClientOptions options);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  /// Sends and waits for the whole answer; any status is a success.
  /// Errors: kUnavailable (cannot connect, connection lost, TLS refused; the text says which),
  /// kDeadlineExceeded, kInvalidArgument (header with line breaks), kResourceExhausted (the answer
  /// exceeds a limit), kDataLoss (the answer is not HTTP). The connection is closed on errors.
  Result<HttpClientResponse> Send(const HttpClientRequest& request);
  const Url& url() const;
  /// Closes the kept connection, if any.
  void Close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideline::net
