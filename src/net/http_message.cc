#include "net/http_message.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace tideline::net {

void HttpBody::Reserve(std::size_t bytes) {
  if (bytes <= capacity_ && bytes_ != nullptr) return;
  // for_overwrite: a body of 100 KB is not worth zeroing, since it is read into at once.
  auto grown = std::make_unique_for_overwrite<char[]>(bytes + kHttpBodyPaddingBytes);
  if (size_ > 0) std::memcpy(grown.get(), bytes_.get(), size_);
  std::memset(grown.get() + bytes, 0, kHttpBodyPaddingBytes);
  bytes_ = std::move(grown);
  capacity_ = bytes;
}

void HttpBody::Append(std::string_view text) {
  if (bytes_ == nullptr || text.size() > capacity_ - size_) {
    Reserve(std::max(size_ + text.size(), 2 * capacity_));
  }
  if (!text.empty()) std::memcpy(bytes_.get() + size_, text.data(), text.size());
  size_ += text.size();
}

void HttpBody::Grow(std::size_t count) {
  TL_CHECK(count <= capacity_ - size_);
  size_ += count;
}

std::string_view HttpRequest::query() const {
  const std::size_t at = target.find('?');
  return at == std::string_view::npos ? std::string_view() : target.substr(at + 1);
}

std::optional<std::string_view> HttpRequest::Find(std::string_view lower_case_name) const {
  for (const HttpHeader& header : headers) {
    if (header.name == lower_case_name) return header.value;
  }
  return std::nullopt;
}

std::string_view HttpRequest::FindOr(std::string_view lower_case_name,
                                     std::string_view otherwise) const {
  return Find(lower_case_name).value_or(otherwise);
}

HttpResponse::HttpResponse(int status_code, std::string content_type, std::string body_text)
    : status(status_code), body(std::move(body_text)) {
  Add("Content-Type", std::move(content_type));
}

HttpResponse& HttpResponse::Add(std::string name, std::string value) {
  headers.push_back({std::move(name), std::move(value)});
  return *this;
}

std::string_view HttpReason(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace tideline::net
