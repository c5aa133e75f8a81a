#include "net/url.h"

#include <algorithm>

namespace tideline::net {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::string_view kHttpScheme = "http://";
constexpr std::string_view kHttpsScheme = "https://";

std::string BracketedHost(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

Result<std::uint16_t> ParsePort(std::string_view text) {
  unsigned port = 0;
  const bool digits =
      !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), [&](char c) {
        if (c < '0' || c > '9') return false;
        port = port * 10 + static_cast<unsigned>(c - '0');
        return true;
      });
  if (!digits || port > 65'535) {
    return InvalidArgument("port is not a number from 0 to 65535: '{}'", text.substr(0, 32));
  }
  return static_cast<std::uint16_t>(port);
}

// Splits "host", "host:port" or "[ipv6]:port"; *port stays empty when there is none.
Status SplitAuthority(std::string_view text, std::string* host, std::string_view* port) {
  const std::string_view whole = text;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return InvalidArgument("missing ']' in '{}'", whole);
    *host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (host->find(':') == std::string::npos || (!text.empty() && text.front() != ':')) {
      return InvalidArgument("not an IPv6 address in brackets: '{}'", whole);
    }
  } else {
    const std::size_t colon = text.find(':');
    *host = text.substr(0, colon);
    text.remove_prefix(colon == std::string_view::npos ? text.size() : colon);
    if (text.find(':', 1) != std::string_view::npos) {
      return InvalidArgument("an IPv6 address needs brackets: '{}'", whole);
    }
  }
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    if (text.empty()) return InvalidArgument("port is missing after ':' in '{}'", whole);
  }
  *port = text;
  return OkStatus();
}

bool HasBlankOrControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; });
}

}  // namespace

std::string HostPort::ToString() const { return fmt::format("{}:{}", BracketedHost(host), port); }

Result<HostPort> ParseHostPort(std::string_view text) {
  HostPort out;
  std::string_view port;
  if (HasBlankOrControl(text)) return InvalidArgument("address has a blank in it: '{}'", text);
  TL_TRY(SplitAuthority(text, &out.host, &port));
  if (port.empty()) return InvalidArgument("address is not HOST:PORT: '{}'", text);
  out.port = TL_TRY(ParsePort(port));
  if (out.host.empty()) out.host = "::";
  return out;
}

std::string Url::HostHeader() const {
  const bool is_default = port == (tls ? kHttpsPort : kHttpPort);
  return is_default ? BracketedHost(host) : fmt::format("{}:{}", BracketedHost(host), port);
}

std::string Url::ToString() const {
  return fmt::format("{}{}{}", tls ? kHttpsScheme : kHttpScheme, HostHeader(), target);
}

Result<Url> ParseUrl(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (HasBlankOrControl(text)) return InvalidArgument("URL has a blank in it: '{}'", text);
  if (rest.starts_with(kHttpsScheme)) {
    url.tls = true;
    rest.remove_prefix(kHttpsScheme.size());
  } else if (rest.starts_with(kHttpScheme)) {
    rest.remove_prefix(kHttpScheme.size());
  } else {
    return InvalidArgument("URL does not begin with http:// or https://: '{}'", text);
  }
  rest = rest.substr(0, rest.find('#'));
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  if (authority.find('@') != std::string_view::npos) {
    return InvalidArgument("URL holds user information, which is not accepted");
  }
  std::string_view port;
  TL_TRY(SplitAuthority(authority, &url.host, &port));
  if (url.host.empty()) return InvalidArgument("URL has no host: '{}'", text);
  url.port = url.tls ? kHttpsPort : kHttpPort;
  if (!port.empty()) url.port = TL_TRY(ParsePort(port));
  url.target = rest.substr(authority_end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

}  // namespace tideline::net
