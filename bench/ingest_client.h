// bench/ingest_client.h: sends WriteRecords requests over many connections from one thread.
//
// The load generator shares its machine with the server, so it has to be cheap: one epoll loop,
// non-blocking sockets, no copy of a body. What an SDK pays per request is paid here too: the hash
// of the body and the signature are computed for each request that goes out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "crypto/sigv4.h"
#include "net/url.h"

namespace tideline::bench {

struct IngestOptions {
  net::Url url{};  ///< plain HTTP; host an IPv4 address or "localhost"
  crypto::SigV4SignerOptions signer{};
  std::size_t connection_count = 16;
};

struct IngestOutcome {
  std::int64_t elapsed_ns = 0;  ///< until the deadline, or the last answer if that came first
  std::uint64_t in_time = 0;    ///< requests answered with 200 within `elapsed_ns`
  std::uint64_t answered = 0;   ///< requests answered with 200 in all: those in flight at the end too
  std::uint64_t throttled = 0;  ///< answers that asked to slow down; the request was sent again
  std::uint64_t bytes_sent = 0;
  std::vector<std::int64_t> latencies_ns = {};  ///< of `answered`, first byte sent to last received
};

/// Not thread-safe.
class IngestClient {
 public:
  /// kUnavailable when a connection fails; kInvalidArgument for an address that is no IPv4.
  static Result<std::unique_ptr<IngestClient>> Connect(const IngestOptions& options);
  ~IngestClient();

  /// The next body for a connection, which must stay as it is until that connection asks again;
  /// empty: no more.
  using NextBody = std::function<std::string_view(std::size_t connection)>;
  /// Keeps one request in flight per connection until `next` has no more or `run_ns` are over, then
  /// waits for what is still in flight. Any answer but 200 or a throttle is an error with its text.
  Result<IngestOutcome> Run(const NextBody& next, std::int64_t run_ns);

 private:
  struct Connection;
  explicit IngestClient(const IngestOptions& options);
  Status Open(Connection* connection);
  Status Begin(Connection* connection);
  Status Send(Connection* connection);
  Result<bool> Receive(Connection* connection);

  const IngestOptions options_;
  const crypto::SigV4Signer signer_;
  int poll_ = -1;
  std::vector<Connection> connections_;
  IngestOutcome outcome_;
};

}  // namespace tideline::bench
