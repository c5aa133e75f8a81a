// net/http_message.h: one HTTP request as a server sees it, and the answer to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/sha256.h"
#include "crypto/sigv4.h"

namespace tideline::net {

/// Name in lower case, value without outer blanks. The same type that SigV4 signs, so that a
/// request's headers go into the check without a copy.
using HttpHeader = crypto::HttpField;

/// Bytes that may be read (not used) after every request body; simdjson asks for them.
inline constexpr std::size_t kHttpBodyPaddingBytes = 64;

/// A request body: bytes that are not zeroed before they are read into, and padding after them.
/// Movable. Not thread-safe.
class HttpBody {
 public:
  HttpBody() = default;
  explicit HttpBody(std::string_view text) { Append(text); }

  std::string_view text() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  /// Bytes that fit without growing (padding not counted).
  std::size_t capacity() const { return capacity_; }
  /// Makes room for `bytes` in all and keeps what is there.
  void Reserve(std::size_t bytes);
  void Append(std::string_view text);
  /// Free room after the last byte; write there, then Grow by what was written.
  std::span<char> Tail() { return {bytes_.get() + size_, capacity_ - size_}; }
  /// `count` <= Tail().size() (checked).
  void Grow(std::size_t count);
  /// Forgets the bytes and keeps the room.
  void Clear() { size_ = 0; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// What one request says. All views point into memory that lives until the request is answered
/// (until the last of the Responder's Answer and the end of Handle for the server's own requests).
/// Plain members, so that a test can make one by hand.
struct HttpRequest {
  std::string_view method;          ///< "POST", as sent
  std::string_view target;          ///< "/path?query", as sent
  std::vector<HttpHeader> headers;  ///< in the order sent, repeats kept, names in lower case
  HttpBody body_buffer;
  std::optional<crypto::Sha256Digest> body_digest;
  std::string_view remote_address;  ///< "192.0.2.1:5000", "[2001:db8::1]:5000"
  std::size_t loop_index = 0;       ///< which loop read it; see HttpServer::Post
  int minor_version = 1;            ///< HTTP/1.<n>
  bool tls = false;

  /// The target up to '?'.
  std::string_view path() const { return target.substr(0, target.find('?')); }
  /// The target after '?', or empty.
  std::string_view query() const;
  /// The first header called `lower_case_name`.
  std::optional<std::string_view> Find(std::string_view lower_case_name) const;
  /// The same, or an empty text.
  std::string_view FindOr(std::string_view lower_case_name, std::string_view otherwise = {}) const;
  std::string_view body() const { return body_buffer.text(); }
  /// SHA-256 of the body, if the handler wanted it (HttpHandler::WantsBodySha256).
  const std::optional<crypto::Sha256Digest>& body_sha256() const { return body_digest; }
};

/// An answer. The server sets Date, Content-Length, Connection and Transfer-Encoding itself and
/// drops what `headers` says of them.
struct HttpResponse {
  struct Header {
    std::string name;
    std::string value;
  };

  int status = 200;             ///< 200 to 999; the reason text follows from it
  std::vector<Header> headers;  ///< names and values without CR, LF or NUL (else 500 is sent)
  std::string body;
  bool close = false;  ///< end the connection after this answer

  HttpResponse() = default;
  HttpResponse(int status_code, std::string content_type, std::string body_text);
  HttpResponse& Add(std::string name, std::string value);
};

/// "Not Found" for 404; "Status" for codes that have no common name.
std::string_view HttpReason(int status);
/// Whether `a` and `b` are the same but for ASCII case.
bool EqualIgnoringCase(std::string_view a, std::string_view b);

}  // namespace tideline::net
