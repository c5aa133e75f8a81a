#include <utility>  // Boost 1.74 forgets it

#include "net/http_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <optional>
#include <string>

#include "base/check.h"

namespace tideline::net {
namespace {

namespace http = boost::beast::http;
using BeastError = boost::beast::error_code;
using BeastView = boost::beast::string_view;

// A folded header of this size or more is refused by Beast, a shorter one by us.
constexpr std::uint64_t kReservedBodyBytesMax = 1 << 20;

std::string_view StdView(BeastView text) { return {text.data(), text.size()}; }

void LowerInPlace(char* text, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] >= 'A' && text[i] <= 'Z') text[i] = static_cast<char>(text[i] + 32);
  }
}

constexpr HttpRefusal kBadRequest{400, "The request is not well-formed HTTP/1.1.\n"};
constexpr HttpRefusal kBadHost{400, "The request has no Host header, or more than one.\n"};
constexpr HttpRefusal kBadTarget{400, "The request target is not a path.\n"};
constexpr HttpRefusal kFolded{400, "A header is folded over several lines.\n"};
constexpr HttpRefusal kTooManyHeaders{431, "The request has too many headers.\n"};
constexpr HttpRefusal kBodyTooLarge{413, "The request body exceeds the limit.\n"};
constexpr HttpRefusal kBadCoding{501, "The only transfer coding accepted is 'chunked'.\n"};
constexpr HttpRefusal kBadVersion{505, "The HTTP version is not 1.0 or 1.1.\n"};
constexpr HttpRefusal kBadExpectation{417, "The only expectation accepted is '100-continue'.\n"};

HttpRefusal RefusalOf(const BeastError& error) {
  if (error == http::error::body_limit) return kBodyTooLarge;
  if (error == http::error::bad_version) return kBadVersion;
  return kBadRequest;
}

class BeastRequestParser final : public http::basic_parser<true> {
 public:
  BeastRequestParser(std::span<char> head, const HttpHeadLimits& limits, HttpRequest* request)
      : head_(head), limits_(limits), request_(request) {
    header_limit(static_cast<std::uint32_t>(head.size()) + 1);
    body_limit(limits.body_bytes_max);
  }

  HttpRefusal CheckHead() const;
  bool expects_continue() const { return expects_continue_; }
  const HttpRefusal& refusal() const { return refusal_; }
  std::string_view chunk() const { return chunk_; }
  void ClearChunk() { chunk_ = {}; }

 private:
  void on_request_impl(http::verb, BeastView method, BeastView target, int version,
                       BeastError&) override {
    request_->method = StdView(method);
    request_->target = StdView(target);
    request_->minor_version = version - 10;
  }
  void on_response_impl(int, BeastView, int, BeastError&) override {}
  void on_field_impl(http::field field, BeastView name, BeastView value,
                     BeastError& error) override;
  void on_header_impl(BeastError&) override { head_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(BeastView body, BeastError&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, BeastView, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, BeastError&) override {
    chunk_ = StdView(body);
    return body.size();
  }
  void on_finish_impl(BeastError&) override {}

  void Refuse(const HttpRefusal& refusal, BeastError& error) {
    refusal_ = refusal;
    error = http::error::bad_field;
  }
  // Beast hands unfolded headers over in a buffer of its own.
  bool IsInHead(BeastView text) const {
    return text.empty() || (std::greater_equal<>()(text.data(), head_.data()) &&
                            std::less<>()(text.data(), head_.data() + head_.size()));
  }

  std::span<char> head_;
  HttpHeadLimits limits_;
  HttpRequest* request_;
  HttpRefusal refusal_;
  std::string_view chunk_;
  int host_count_ = 0;
  bool coded_ = false;
  bool expects_continue_ = false;
  bool head_done_ = false;
};

void BeastRequestParser::on_field_impl(http::field field, BeastView name, BeastView value,
                                       BeastError& error) {
  if (head_done_) return;  // a trailer of a chunked body: checked by Beast, of no use to us
  if (!IsInHead(value)) return Refuse(kFolded, error);
  if (request_->headers.size() >= limits_.header_count_max) return Refuse(kTooManyHeaders, error);
  LowerInPlace(head_.data() + (name.data() - head_.data()), name.size());
  request_->headers.push_back({StdView(name), StdView(value)});
  switch (field) {
    case http::field::host:
      ++host_count_;
      break;
    case http::field::transfer_encoding:
      if (coded_ || !EqualIgnoringCase(StdView(value), "chunked")) {
        return Refuse(kBadCoding, error);
      }
      coded_ = true;
      break;
    case http::field::expect:
      if (!EqualIgnoringCase(StdView(value), "100-continue")) {
        return Refuse(kBadExpectation, error);
      }
      expects_continue_ = true;
      break;
    default:
      break;
  }
}

HttpRefusal BeastRequestParser::CheckHead() const {
  const bool is_1_0 = request_->minor_version == 0;
  if (host_count_ > 1 || (host_count_ == 0 && !is_1_0)) return kBadHost;
  if (coded_ && is_1_0) return kBadCoding;
  if (!request_->target.starts_with('/') && request_->target != "*") return kBadTarget;
  return {};
}

// A request through a proxy names the whole URL (RFC 7230 5.3.2); its path is what we serve.
void DropAuthority(std::string_view* target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target->size() < scheme.size() ||
        !EqualIgnoringCase(target->substr(0, scheme.size()), scheme)) {
      continue;
    }
    const std::size_t path_at = target->find('/', scheme.size());
    *target = path_at == std::string_view::npos ? std::string_view("/") : target->substr(path_at);
    return;
  }
}

class BeastResponseParser final : public http::basic_parser<false> {
 public:
  HttpClientResponse response;

 private:
  void on_request_impl(http::verb, BeastView, BeastView, int, BeastError&) override {}
  void on_response_impl(int status, BeastView, int, BeastError&) override {
    response.status = status;
  }
  void on_field_impl(http::field, BeastView name, BeastView value, BeastError&) override {
    std::string lower(name.data(), name.size());
    LowerInPlace(lower.data(), lower.size());
    response.headers.push_back({std::move(lower), std::string(value.data(), value.size())});
  }
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& bytes, BeastError&) override {
    // What the peer says is believed up to a bound only.
    if (bytes) response.body.reserve(std::min(*bytes, kReservedBodyBytesMax));
  }
  std::size_t on_body_impl(BeastView body, BeastError&) override {
    response.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastView, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, BeastError& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(BeastError&) override {}
};

}  // namespace

HttpHeadEnd FindHttpHeadEnd(std::string_view bytes, std::size_t* scanned) {
  std::size_t at = *scanned;
  while (true) {
    const std::size_t feed = bytes.find('\n', at);
    if (feed == std::string_view::npos) break;
    if (feed == 0 || bytes[feed - 1] != '\r') return {HttpHeadEnd::State::kMalformed, 0};
    // An empty line: its CR stands at the beginning or right after the last line's feed.
    if (feed == 1 || (feed >= 2 && bytes[feed - 2] == '\n')) {
      return {HttpHeadEnd::State::kComplete, feed + 1};
    }
    at = feed + 1;
  }
  *scanned = bytes.size();
  return {};
}

struct HttpRequestParser::Impl {
  std::optional<BeastRequestParser> beast;
};

HttpRequestParser::HttpRequestParser() : impl_(std::make_unique<Impl>()) {}
HttpRequestParser::~HttpRequestParser() = default;

HttpRefusal HttpRequestParser::ParseHead(std::span<char> head, const HttpHeadLimits& limits,
                                         HttpRequest* request) {
  request->headers.clear();
  BeastRequestParser& parser = impl_->beast.emplace(head, limits, request);
  BeastError error;
  parser.put({head.data(), head.size()}, error);
  if (parser.refusal()) return parser.refusal();
  if (error) return RefusalOf(error);
  if (!parser.is_header_done()) return kBadRequest;
  DropAuthority(&request->target);
  return parser.CheckHead();
}

bool HttpRequestParser::keep_alive() const { return impl_->beast->keep_alive(); }
bool HttpRequestParser::chunked() const { return impl_->beast->chunked(); }
bool HttpRequestParser::expects_continue() const { return impl_->beast->expects_continue(); }
std::uint64_t HttpRequestParser::content_length() const {
  return impl_->beast->content_length().value_or(0);
}

HttpRequestParser::ChunkStep HttpRequestParser::NextChunk(std::string_view bytes) {
  BeastRequestParser& parser = *impl_->beast;
  TL_CHECK(parser.chunked() && !parser.is_done());
  ChunkStep step;
  if (bytes.empty()) return step;
  BeastError error;
  parser.ClearChunk();
  step.consumed = parser.put({bytes.data(), bytes.size()}, error);
  step.data = parser.chunk();
  step.done = parser.is_done();
  if (error && error != http::error::need_more) step.refusal = RefusalOf(error);
  return step;
}

struct HttpResponseParser::Impl {
  std::size_t header_bytes_max;
  std::size_t body_bytes_max;
  bool to_head;
  bool started = false;
  std::optional<BeastResponseParser> beast;

  void Begin() {
    beast.emplace();
    beast->header_limit(static_cast<std::uint32_t>(header_bytes_max));
    beast->body_limit(body_bytes_max);
    beast->skip(to_head);
  }
};

HttpResponseParser::HttpResponseParser(std::size_t header_bytes_max, std::size_t body_bytes_max,
                                       bool to_head)
    : impl_(std::make_unique<Impl>()) {
  impl_->header_bytes_max = header_bytes_max;
  impl_->body_bytes_max = body_bytes_max;
  impl_->to_head = to_head;
  impl_->Begin();
}
HttpResponseParser::~HttpResponseParser() = default;

Result<std::size_t> HttpResponseParser::Consume(std::string_view bytes) {
  std::size_t consumed = 0;
  while (consumed < bytes.size() && !impl_->beast->is_done()) {
    BeastError error;
    impl_->started = true;
    const std::size_t count =
        impl_->beast->put({bytes.data() + consumed, bytes.size() - consumed}, error);
    consumed += count;
    if (error == http::error::need_more) break;
    if (error == http::error::body_limit) {
      return ResourceExhausted("answer body exceeds the limit of {} bytes", impl_->body_bytes_max);
    }
    if (error == http::error::header_limit) {
      return ResourceExhausted("answer headers exceed the limit of {} bytes",
                               impl_->header_bytes_max);
    }
    if (error) return DataLoss("answer is not HTTP/1.1: {}", error.message());
    const int status = impl_->beast->response.status;
    if (impl_->beast->is_done() && status >= 100 && status < 200) impl_->Begin();
  }
  return consumed;
}

Status HttpResponseParser::ConsumeEnd() {
  BeastError error;
  if (impl_->beast->got_some() && !impl_->beast->is_done()) {
    impl_->beast->put_eof(error);
    if (!error && impl_->beast->is_done()) return OkStatus();
  }
  if (done()) return OkStatus();
  return Unavailable("the server closed the connection before the end of its answer");
}

bool HttpResponseParser::started() const { return impl_->started; }
bool HttpResponseParser::done() const { return impl_->beast->is_done(); }
bool HttpResponseParser::keep_alive() const { return impl_->beast->keep_alive(); }
HttpClientResponse HttpResponseParser::TakeResponse() { return std::move(impl_->beast->response); }

}  // namespace tideline::net
