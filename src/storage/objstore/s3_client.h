// storage/objstore/s3_client.h: signed requests to one bucket, and when to send one again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "crypto/sigv4.h"
#include "net/http_client.h"
#include "storage/objstore/s3_object_store.h"

namespace tideline::objstore {

struct S3Request {
  std::string_view method = "GET";
  std::string key = {};  ///< of the object; empty: the bucket
  /// Names and values, not encoded.
  std::vector<std::pair<std::string, std::string>> query = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< lower-case names; signed
  std::string_view body = {};
  std::size_t answer_bytes_max = std::size_t{8} << 20;
};

/// Thread-safe.
class S3Client {
 public:
  /// kInvalidArgument: an endpoint that is no URL.
  static Result<std::unique_ptr<S3Client>> Make(S3Options options);

  /// Sends once. Any status is a success; kUnavailable or kDeadlineExceeded: no whole answer came,
  /// and whether the server acted is not known.
  Result<net::HttpClientResponse> SendOnce(const S3Request& request, std::int64_t deadline_ns);
  /// Sends until an answer comes that is neither 5xx nor 429, with pauses. For requests that may
  /// be repeated.
  Result<net::HttpClientResponse> Send(const S3Request& request);

  /// An answer as an error: status, S3's code and message, and what was asked.
  Status ErrorOf(const S3Request& request, const net::HttpClientResponse& answer) const;

  /// Pauses before attempt `attempt` (1: the second). False when that would pass `deadline_ns`.
  bool Pause(int attempt, std::int64_t deadline_ns);
  std::int64_t CallDeadline() const;
  const S3Options& options() const { return options_; }
  const std::string& host() const { return host_header_; }

 private:
  struct Lease;
  S3Client(S3Options options, net::Url url, std::string path_root);
  std::unique_ptr<net::HttpClient> TakeConnection();
  void GiveConnection(std::unique_ptr<net::HttpClient> connection);

  const S3Options options_;
  const net::Url url_;
  const std::string host_header_;
  const std::string path_root_;  ///< "" or "/bucket"
  const crypto::SigV4Signer signer_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::unique_ptr<net::HttpClient>> idle_ TL_GUARDED_BY(mutex_);
  std::size_t open_count_ TL_GUARDED_BY(mutex_) = 0;
  Random random_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::objstore
