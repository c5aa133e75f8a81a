// net/url.h: where to call. Absolute http and https URLs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tideline::net {

struct HostPort {
  std::string host;  ///< name or address, without the brackets of IPv6
  std::uint16_t port = 0;
  /// "host:port", "[::1]:port".
  std::string ToString() const;
};

/// Parses "HOST:PORT" or "[IPV6]:PORT"; an empty host (":80") means every address ("::").
/// Errors: kInvalidArgument names `text`.
Result<HostPort> ParseHostPort(std::string_view text);

struct Url {
  bool tls = false;          ///< https
  std::string host;          ///< name or address, without the brackets of IPv6
  std::uint16_t port = 0;    ///< given, or 80 and 443
  std::string target = "/";  ///< path and query, at least "/"; a fragment is dropped

  /// What the Host header says: the port only when it is not the scheme's own.
  std::string HostHeader() const;
  std::string ToString() const;
};

/// Parses "http://host[:port][/path][?query]" and https likewise. Errors: kInvalidArgument for
/// another scheme, a missing host, user information, a port out of range, control characters.
Result<Url> ParseUrl(std::string_view text);

}  // namespace tideline::net
