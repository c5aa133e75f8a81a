// service/api/query_service.h: queries as sessions: text in, pages out, tokens, cancelling.
//
// A page is answered after kPageWaitNsMax with what there is, maybe no row, so that a client never waits
// in vain. A result of one page leaves no session behind and is never written anywhere. With its first
// page a longer one begins to run on by itself: rows wait in memory and then on disk, within a limit of
// the query and one of the server, and the snapshots of its tables go as soon as all rows are there. At
// either limit the query pauses until pages were fetched (docs/decisions/0004-result-spool.md). A
// session is bound to its text and its principal; it ends with its last page, when it is cancelled, or
// when nobody has asked for kSessionIdleNsMax, which its token then says.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/memory_budget.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "exec/result_sink.h"
#include "service/api/long_queries.h"
#include "service/api/query_request.h"
#include "sql/plan_cache.h"
#include "storage/engine/engine.h"

namespace tideline::api {

inline constexpr std::size_t kQueryBytesMax = 262'144;
inline constexpr std::size_t kPageBytesMax = 1'000'000;
/// How long a call waits for rows; clients give up after 60 seconds.
inline constexpr std::int64_t kPageWaitNsMax = 5 * kNsPerSecond;
/// What is tried on the thread of an event loop: length of the text, rows to read, time.
inline constexpr std::size_t kShortQueryBytesMax = 4'096;
inline constexpr double kShortQueryRowsMax = 40'000;
inline constexpr std::int64_t kShortQueryNsMax = 2 * kNsPerMs;
inline constexpr std::int64_t kSessionIdleNsMax = kNsPerHour;
inline constexpr std::size_t kSessionsMax = 1'000;
inline constexpr std::int64_t kQueryNsMax = 60 * kNsPerMinute;
inline constexpr std::size_t kClientTokensMax = 10'000;
/// Cancelled queries that are remembered, for kSessionIdleNsMax.
inline constexpr std::size_t kCancelledMax = 10'000;
inline constexpr std::int64_t kClientTokenNs = 4 * kNsPerHour;
inline constexpr std::int64_t kClientTokenMismatchNs = 5 * kNsPerMinute;
/// What any SELECT is billed at least.
inline constexpr std::int64_t kBytesMeteredMin = 10'000'000;
/// Of one result's column descriptions, and of the whole result.
inline constexpr std::size_t kResultMetadataBytesMax = 100'000;
inline constexpr std::int64_t kResultBytesMax = std::int64_t{5} * 1000 * 1000 * 1000;

struct QueryServiceOptions {
  exec::SpillSpace* spill = nullptr;  ///< for what does not fit into memory; null: queries do not spill
  std::uint64_t result_spool_bytes_max = std::uint64_t{16} << 30;       ///< of all results that wait
  std::uint64_t query_result_spool_bytes_max = std::uint64_t{5} << 30;  ///< of one
  std::size_t query_memory_bytes_max = std::size_t{512} << 20;
  std::size_t thread_count = 2;  ///< threads one query may use
  std::int64_t query_ns_max = kQueryNsMax;          ///< smaller in tests only
  std::int64_t result_bytes_max = kResultBytesMax;  ///< likewise
  bool optimizer_enabled = true;
};

/// Thread-safe.
class QueryService {
 public:
  /// All must outlive the service and every call.
  QueryService(engine::Engine& engine, const Clock& clock, Executor& query_pool,
               MemoryBudget& memory, QueryServiceOptions options);
  ~QueryService();

  /// Runs, or goes on with, a query until a page is full, the result ends or kPageWaitNsMax is over.
  /// Blocks meanwhile. kInvalidArgument: text, tokens; kExecutionFailed; kAborted: cancelled;
  /// kResourceExhausted: kSessionsMax.
  Result<QueryPage> Query(const CallContext& call, const QueryRequest& request, PageEncoder& encoder);

  /// The same for a query that can be answered whole at once, from few rows that all lie in memory:
  /// for the thread of an event loop, which it holds for kShortQueryNsMax at most, or a batch of rows
  /// longer. Nothing when it is another query, or fails, or takes longer: then Query it is, and this
  /// call has left no trace.
  std::optional<QueryPage> TryShort(const CallContext& call, const QueryRequest& request,
                                    PageEncoder& encoder);

  /// Empty text the first time, the service's message when it was cancelled before.
  /// kInvalidArgument: no such query, or it has ended.
  Result<std::string> CancelQuery(const CallContext& call, std::string_view query_id);

  Result<PreparedQuery> PrepareQuery(const CallContext& call, std::string_view query);

  /// Ends sessions that nobody asked for; called by a timer.
  void ExpireSessions();
  std::size_t session_count() const;
  /// Of results that wait on disk.
  std::uint64_t spooled_bytes() const { return result_spool_.used.load(); }

 private:
  struct Session;
  struct ClientToken;
  Result<QueryPage> Start(const CallContext& call, const QueryRequest& request, PageEncoder& encoder);
  Result<QueryPage> Continue(const CallContext& call, const QueryRequest& request,
                             PageEncoder& encoder);
  /// Compiles the text into a session that can be run; `pool` null: on the calling thread alone.
  Status Prepare(const CallContext& call, const QueryRequest& request, std::string query_id,
                 Session* session);
  Status Execute(const CallContext& call, Executor* pool, Session* session);
  Result<QueryPage> FillPage(Session& session, const QueryRequest& request, PageEncoder& encoder,
                             SteadyNs until);
  Result<std::string> QueryIdFor(const CallContext& call, const QueryRequest& request);
  /// The session of a query, or null.
  std::shared_ptr<Session> FindSession(const std::string& query_id);
  /// Makes `session` known, so that its next page can be asked for.
  Status Keep(std::shared_ptr<Session> session);

  engine::Engine& engine_;
  const Clock& clock_;
  Executor& query_pool_;
  MemoryBudget& memory_;
  const QueryServiceOptions options_;
  exec::ResultSpoolLimit result_spool_;
  sql::PlanCache plans_;
  LongQueries long_queries_;
  Counter& queries_started_;
  Counter& short_queries_;
  Counter& bytes_scanned_;
  LatencyHistogram& cancel_time_;

  mutable Mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Session>> sessions_ TL_GUARDED_BY(mutex_);
  std::map<std::string, ClientToken, std::less<>> client_tokens_ TL_GUARDED_BY(mutex_);
  /// A query that has no session any more because it was cancelled, by a call or for want of one.
  struct Ended {
    SteadyNs at;
    std::uint64_t text_key = 0;
    bool abandoned = false;
  };
  /// What the token of an ended query is told.
  static Status EndedStatus(const std::string& query_id, const Ended& ended);
  void Remember(const std::string& query_id, Ended ended) TL_REQUIRES(mutex_);
  std::map<std::string, Ended, std::less<>> cancelled_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::api
