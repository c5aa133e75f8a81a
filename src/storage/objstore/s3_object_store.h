// storage/objstore/s3_object_store.h: the five verbs over a server that speaks Amazon S3.
//
// PutIfAbsent is one PUT with `If-None-Match: *`: 2xx is kCreated, 412 kExists, 409 is sent again after
// a pause (the server did nothing), and every other doubt (5xx, a lost connection, a deadline) is
// kUnknown, which is never repeated here: a PUT that did commit would answer 412 and look like a
// lost race. Everything else is idempotent under a unique name and is tried again, with growing,
// jittered pauses, until the deadline of the call or attempts_max.
//
// Not every server that claims S3 keeps conditions; ProbeS3 finds the known unfit ones at start.
// Requests: AWS Signature Version 4 with the payload's SHA-256, keep-alive, no `Expect`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "storage/objstore/object_store.h"

namespace tideline::objstore {

enum class S3Addressing {
  kAuto,     ///< by host for Amazon's own endpoints, by path for others
  kPath,     ///< https://endpoint/bucket/key
  kVirtual,  ///< https://bucket.endpoint/key
};

/// Smallest and largest part of a multipart upload that S3 takes (but for the last).
inline constexpr std::size_t kS3PartBytesMin = std::size_t{5} << 20;
inline constexpr std::size_t kS3PartBytesMax = std::size_t{256} << 20;
inline constexpr std::size_t kS3PartsMax = 10'000;

struct S3Options {
  std::string bucket = {};
  std::string prefix = {};    ///< before every key, without slashes at its ends; may be empty
  std::string endpoint = {};  ///< "https://host[:port]"; empty: Amazon's in `region`
  std::string region = "us-east-1";
  S3Addressing addressing = S3Addressing::kAuto;
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};
  std::string ca_file = {};  ///< PEM, for TLS to a private server; empty: the system's
  bool verify_tls = true;

  std::int64_t connect_ns_max = 3 * kNsPerSecond;
  std::int64_t request_ns_max = 10 * kNsPerSecond;  ///< one request; and a second per MiB sent
  std::int64_t call_ns_max = 60 * kNsPerSecond;     ///< a call with all its attempts
  int attempts_max = 6;
  std::int64_t pause_ns_min = 50 * kNsPerMs;
  std::int64_t pause_ns_max = 5 * kNsPerSecond;
  std::size_t connections_max = 64;  ///< open at once; more callers wait
  std::size_t part_bytes = std::size_t{8} << 20;
  const Clock* clock = &SystemClock();
};

/// Reads "s3://bucket" or "s3://bucket/prefix" into bucket and prefix. kInvalidArgument.
Status ParseS3Location(std::string_view text, S3Options* options);

/// Thread-safe, with a pool of connections. kInvalidArgument names the option that is wrong; nothing
/// is sent. Errors of the verbs: kPermissionDenied (401, 403), kNotFound (key or bucket, the message
/// says which), kUnavailable (attempts used up), kDataLoss (an answer that is none), kInvalidArgument.
Result<std::unique_ptr<ObjectStore>> OpenS3ObjectStore(S3Options options);

/// Whether a store keeps what the engine relies on. Run at start; takes well under a second.
/// kUnimplemented: unfit, and the message says what it did; other errors are the store's own.
///   create twice (the second is refused, the first one's bytes stay); 16 threads create one key, 8
///   rounds, one winner each; read and list right after a write; a range; the order of a listing.
/// What it writes lies under "probe/<uuid>/" and is removed.
/// A pass proves no atomicity; it catches servers known to be unfit.
Status ProbeObjectStore(ObjectStore& store);

}  // namespace tideline::objstore
