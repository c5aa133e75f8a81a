// cli/api_client.h: the server's own API, as the commands call it: signed, over one connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "base/time.h"
#include "crypto/sigv4.h"
#include "net/http_client.h"

namespace tideline::cli {

struct ClientOptions {
  std::string endpoint = "http://127.0.0.1:8433";
  std::string access_key_id;      ///< empty: the environment, then the data directory's root key
  std::string secret_access_key;
  std::string region = "us-east-1";
  std::string profile;            ///< "compat", "extended", or empty for the server's
  std::string data_dir = "tideline-data";  ///< where a root key may lie
  std::string ca_file;
  bool verify_tls = true;
  /// For one call; a Query call answers within five seconds, a large WriteRecords may wait for a slow disk.
  std::int64_t request_ns_max = 120 * kNsPerSecond;
};

/// An answer that is no success. `code` is the exception's short name.
struct ApiError {
  std::string code;
  std::string message;
  JsonValue body;
};

/// The body of a Query call. `next_token` is that of the page before, empty for the first; an empty `client_token` is
/// left out.
std::string QueryBody(std::string_view sql, std::string_view next_token, std::string_view client_token = {});

/// Not thread-safe.
class ApiClient {
 public:
  /// Finds credentials: options, TIDELINE_ACCESS_KEY_ID and TIDELINE_SECRET_ACCESS_KEY, the AWS_
  /// variables of that name, the root key of a data directory, else the pair "dev", which a server
  /// in development mode accepts. kInvalidArgument: a URL that is none, or half of a pair, by name.
  static Result<ApiClient> Connect(const ClientOptions& options);

  /// Calls `operation` with a JSON body. On a service error: kInvalidArgument (or kNotFound,
  /// kAlreadyExists by status) "Code: message", and `*error` is filled when given.
  Result<JsonValue> Call(std::string_view operation, std::string_view body, ApiError* error = nullptr);
  /// The same for a body that is not needed as a tree: the raw text of the answer.
  Result<std::string> CallRaw(std::string_view operation, std::string_view body,
                              ApiError* error = nullptr);

  /// What it signs with; for a caller that signs requests of its own.
  const crypto::SigV4SignerOptions& signer_options() const { return signer_.options(); }

 private:
  ApiClient(net::HttpClient http, crypto::SigV4Signer signer, std::string profile)
      : http_(std::move(http)), signer_(std::move(signer)), profile_(std::move(profile)) {}
  net::HttpClient http_;
  crypto::SigV4Signer signer_;
  std::string profile_;
};

}  // namespace tideline::cli
