// tests/support/s3_test_server.h: a small S3 server for tests, with faults on order.
//
// Speaks what Tideline's client uses: PUT (plain, conditional, part), GET (whole, range), HEAD,
// DELETE, ListObjectsV2, multipart uploads. Objects live in any ObjectStore; over a directory store
// creation is atomic (linkat). Signatures are checked. One thread a connection, sockets handled by
// hand, so that an answer can be lost, cut short or reset at any point.
//
//   S3TestServer server(backing, {});
//   server.AddFault({.method = "PUT", .kind = S3Fault::kLoseAnswerAfter, .count = 3});
//   ... OpenS3ObjectStore({.endpoint = server.endpoint(), ...}) ...
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "storage/objstore/object_store.h"

namespace tideline::testing {

enum class S3Fault {
  kStatus500,         ///< answers 500, nothing done
  kStatus503,         ///< answers 503 SlowDown, nothing done
  kStatus409,         ///< answers 409 ConditionalRequestConflict, nothing done
  kStatus500After,    ///< does it, then answers 500
  kLoseAnswerBefore,  ///< closes the connection, nothing done
  kLoseAnswerAfter,   ///< does it, then closes the connection
  kReset,             ///< does it, then resets the connection (RST)
  kTruncate,          ///< does it, then sends half of the answer and closes
  kStall,             ///< does it, then says nothing until the client gives up
};

struct S3FaultOrder {
  std::string method = {};    ///< empty: any
  std::string key_part = {};  ///< in the target; empty: any
  S3Fault kind = S3Fault::kStatus500;
  std::uint64_t count = 1;  ///< requests it strikes
  std::uint64_t skip = 0;   ///< matching requests it lets pass first
};

struct S3TestServerOptions {
  std::string bucket = "bucket";
  std::string access_key_id = "AK";
  std::string secret_access_key = "SK";
  /// False: takes If-None-Match and ignores it, as some servers do.
  bool keeps_conditions = true;
  bool keeps_ranges = true;
  /// Checks, then writes, in two steps with a pause between: not atomic.
  bool creates_in_two_steps = false;
  std::size_t list_page_max = 1000;  ///< smaller pages than asked for
};

class S3TestServer {
 public:
  /// Listens on a free port of 127.0.0.1. `backing` outlives the server.
  S3TestServer(objstore::ObjectStore& backing, S3TestServerOptions options);
  ~S3TestServer();

  std::string endpoint() const;
  void AddFault(S3FaultOrder order);
  /// Strikes each request with this chance by a kind drawn from `kinds`, from a seed.
  void SetChaos(double chance, std::vector<S3Fault> kinds, std::uint64_t seed);
  void ClearFaults();
  std::uint64_t request_count() const { return request_count_; }
  std::uint64_t connection_count() const { return connection_count_; }
  std::uint64_t fault_count() const { return fault_count_; }
  std::size_t open_upload_count();

 private:
  struct Request;
  struct Answer;
  struct Upload {
    std::string key;
    std::map<int, Bytes> parts;
  };
  void Accept();
  void Serve(int socket);
  bool ServeOne(int socket, std::string* buffer);
  Answer Do(const Request& request);
  Answer DoPut(const Request& request);
  Answer DoGet(const Request& request);
  Answer DoList(const Request& request);
  Answer DoPost(const Request& request);
  bool DrawFault(const Request& request, S3Fault* kind);

  objstore::ObjectStore& backing_;
  const S3TestServerOptions options_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> request_count_{0};
  std::atomic<std::uint64_t> connection_count_{0};
  std::atomic<std::uint64_t> fault_count_{0};
  Mutex mutex_;
  std::list<S3FaultOrder> orders_ TL_GUARDED_BY(mutex_);
  double chance_ TL_GUARDED_BY(mutex_) = 0;
  std::vector<S3Fault> chaos_ TL_GUARDED_BY(mutex_);
  Random random_ TL_GUARDED_BY(mutex_){1};
  std::map<std::string, Upload> uploads_ TL_GUARDED_BY(mutex_);
  std::uint64_t next_upload_ TL_GUARDED_BY(mutex_) = 1;
  std::set<int> sockets_ TL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ TL_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace tideline::testing
