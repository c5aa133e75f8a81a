// service/auth/authenticator.h: who sent this request? Signature Version 4, checked.
//
// Free of any wire: a door hands in the parts of the request and gets an identity, or the reason
// why there is none, in AWS's terms; the door turns the reason into its own bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "crypto/sha256.h"
#include "crypto/sigv4.h"

namespace tideline::auth {

/// A key pair and whom it speaks for.
struct AccessKey {
  std::string access_key_id;
  std::string secret_access_key;
  std::string principal_arn;  ///< arn:aws:iam::<account>:root
};

/// Finds keys. Thread-safe.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  /// Null pointer when there is no such key; the object stays valid for the caller.
  virtual std::shared_ptr<const AccessKey> Find(std::string_view access_key_id) const = 0;
};

/// One key, the root's.
class SingleKeyStore final : public KeyStore {
 public:
  explicit SingleKeyStore(AccessKey key) : key_(std::make_shared<const AccessKey>(std::move(key))) {}
  std::shared_ptr<const AccessKey> Find(std::string_view access_key_id) const override {
    return access_key_id == key_->access_key_id ? key_ : nullptr;
  }

 private:
  std::shared_ptr<const AccessKey> key_;
};

/// Who is asking.
struct Identity {
  std::string principal_arn;
  std::string access_key_id;  ///< empty when nothing was signed
  std::string region;         ///< of the signature; ARNs of answers carry it
};

/// AWS's classes of refusal; the door has one line for each.
enum class AuthFailureKind : std::uint8_t {
  kMissingToken,         ///< no Authorization header
  kIncompleteSignature,  ///< an Authorization header that cannot be read
  kUnrecognizedClient,   ///< no such key
  kInvalidSignature,     ///< wrong signature, wrong scope, or outside the clock window
};
struct AuthFailure {
  AuthFailureKind kind;
  std::string message;
};

/// The parts of a request that a signature covers. Views live as long as the call.
struct SignedRequest {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::span<const crypto::HttpField> headers;  ///< names in lower case
  crypto::Sha256Digest body_sha256;
};

struct AuthOptions {
  /// Accepts any key, any signature and none. For development on loopback only.
  bool accept_anyone = false;
  /// Half width of the window around our clock; the text of a refusal names it. A server's is
  /// api::choices::kSignatureClockWindowNs.
  std::int64_t clock_window_ns = 15 * kNsPerMinute;
  /// What an unsigned request in development mode is taken to be.
  std::string default_region = "us-east-1";
  std::string service = "timestream";
  std::string account_id = "000000000000";
};

/// Thread-safe; cost of a success is that of hashing a few hundred bytes.
class Authenticator {
 public:
  /// `keys` and `clock` must outlive the authenticator.
  Authenticator(const KeyStore& keys, const Clock& clock, AuthOptions options)
      : keys_(keys), clock_(clock), options_(std::move(options)) {}

  std::variant<Identity, AuthFailure> Authenticate(const SignedRequest& request) const;
  const AuthOptions& options() const { return options_; }

 private:
  Identity Anyone(std::string_view authorization) const;
  std::optional<AuthFailure> CheckClock(std::string_view amz_date) const;
  const KeyStore& keys_;
  const Clock& clock_;
  const AuthOptions options_;
};

}  // namespace tideline::auth
