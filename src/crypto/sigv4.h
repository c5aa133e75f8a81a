// crypto/sigv4.h: AWS Signature Version 4, the arithmetic of signing and of checking.
//
// Source: "Signature Version 4 signing process", AWS General Reference; checked against AWS's
// published test vectors. The signature proves that the sender holds the secret and that method,
// path, query, signed headers and body are what was signed:
//
//   canonical  = method \n path \n query \n "name:value\n"... \n signed-names \n body-sha256
//   to_sign    = "AWS4-HMAC-SHA256" \n amz-date \n scope \n hex(sha256(canonical))
//   signature  = hex(hmac(hmac(hmac(hmac("AWS4"+secret, date), region), service), "aws4_request"),
//                    to_sign))
//
// Who may do what, clock windows and known keys are the business of service/auth.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "crypto/sha256.h"

namespace tideline::crypto {

inline constexpr std::string_view kSigV4Algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
/// Most header names one signature may cover.
inline constexpr std::size_t kSigV4SignedHeadersMax = 100;

/// One header as it travels: `name` in lower case, `value` as sent (outer blanks may be there).
struct HttpField {
  std::string_view name;
  std::string_view value;
};

/// An Authorization header taken apart; views into the header's value.
///   AWS4-HMAC-SHA256 Credential=<access key>/<date>/<region>/<service>/aws4_request,
///       SignedHeaders=<a;b;c>, Signature=<64 hex digits>
struct SigV4Authorization {
  std::string_view access_key_id = {};
  std::string_view date;  ///< yyyymmdd
  std::string_view region = {};
  std::string_view service = {};
  std::string_view scope;                ///< date/region/service/aws4_request
  std::string_view signed_headers = {};  ///< lower-case names joined by ';'
  std::string_view signature;            ///< 64 lower-case hex digits
};

/// Parses an Authorization header. Never reads past it; allocates only for errors.
/// Errors, kInvalidArgument, each naming what is wrong ("Authorization header requires 'Credential'
/// parameter."): no such algorithm, a missing or repeated part, a credential without its five
/// elements, a date that is not eight digits, upper case in SignedHeaders, a signature that is not
/// 64 hex digits. No text repeats the signature.
Result<SigV4Authorization> ParseSigV4Authorization(std::string_view header);

/// The request as it is on the wire.
struct SigV4Request {
  std::string_view method = {};             ///< "POST"
  std::string_view path = "/";              ///< before '?'; percent-encoded as sent
  std::string_view query = {};              ///< after '?', may be empty
  std::span<const HttpField> headers = {};  ///< may hold more than what is signed, and repeats
  std::string_view signed_headers = {};     ///< "content-type;host;x-amz-date"
  std::string_view payload_sha256 = {};     ///< 64 hex digits, or kUnsignedPayload
  /// False for S3 alone, which takes the path as sent; every other service normalizes dot segments
  /// and encodes the path a second time.
  bool encode_path = true;
};

/// The first text of the opening drawing. Errors: kInvalidArgument names a signed header that the
/// request does not have, or says that there are too many.
Result<std::string> SigV4CanonicalRequest(const SigV4Request& request);

/// The second text. `amz_date` is yyyymmddThhmmssZ, `scope` as in SigV4Authorization.
std::string SigV4StringToSign(std::string_view amz_date, std::string_view scope,
                              std::string_view canonical_request);

/// The key that signs for one day, region and service. Cached per thread for the last
/// kSigV4CachedKeysMax combinations. Thread-safe.
inline constexpr std::size_t kSigV4CachedKeysMax = 256;
Sha256Digest SigV4SigningKey(std::string_view secret, std::string_view date,
                             std::string_view region, std::string_view service);

/// Computes the signature of `request`, 64 hex digits.
Result<std::string> SigV4Signature(const SigV4Request& request, std::string_view secret,
                                   std::string_view amz_date, std::string_view date,
                                   std::string_view region, std::string_view service);

/// Checks the signature in `authorization` against the one `secret` would give, in constant time.
/// `request.signed_headers` is ignored in favour of the authorization's.
/// Errors: kUnauthenticated when they differ, with AWS's text; kInvalidArgument as for
/// SigV4CanonicalRequest. Thread-safe; cost is that of a few SHA-256 blocks.
Status VerifySigV4(const SigV4Request& request, const SigV4Authorization& authorization,
                   std::string_view amz_date, std::string_view secret);

/// Parses yyyymmddThhmmssZ (UTC). kInvalidArgument for anything else, such as month 13.
Result<TimestampNs> ParseAmzDate(std::string_view text);
/// yyyymmddThhmmssZ; the fraction of a second is dropped.
std::string FormatAmzDate(TimestampNs time);

struct SigV4SignerOptions {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};  ///< empty: none
  std::string region = {};
  std::string service = {};          ///< "timestream", "s3"
  bool send_payload_sha256 = false;  ///< adds x-amz-content-sha256, as S3 demands
  bool encode_path = true;           ///< see SigV4Request
};

/// What a client adds to a request so that it is signed; names in lower case.
struct SigV4SignedHeader {
  std::string name;
  std::string value;
};

/// Signs a client's requests. Thread-safe.
class SigV4Signer {
 public:
  explicit SigV4Signer(SigV4SignerOptions options) : options_(std::move(options)) {}

  /// Returns x-amz-date, x-amz-security-token and x-amz-content-sha256 where they apply, and
  /// authorization. Every field of `headers` is signed and must be sent as given; it has to hold
  /// "host" (with the port when that is not the scheme's own).
  /// `payload_sha256`  64 hex digits of the body's SHA-256, or kUnsignedPayload.
  Result<std::vector<SigV4SignedHeader>> Sign(std::string_view method, std::string_view path,
                                              std::string_view query,
                                              std::span<const HttpField> headers,
                                              std::string_view payload_sha256,
                                              TimestampNs now) const;
  const SigV4SignerOptions& options() const { return options_; }

 private:
  SigV4SignerOptions options_;
};

}  // namespace tideline::crypto
