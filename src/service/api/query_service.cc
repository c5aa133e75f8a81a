#include "service/api/query_service.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/hash.h"
#include "base/no_wait.h"
#include "base/random.h"
#include "exec/query.h"
#include "exec/scan/engine_scan.h"
#include "service/api/choices.h"
#include "service/api/engine_catalog_view.h"
#include "service/api/page_token.h"
#include "sql/plan/plan_node.h"
#include "sql/plan/shared_node.h"

namespace tideline::api {
namespace {

constexpr std::string_view kTokenScope = "query";
constexpr std::string_view kQueryIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kQueryIdLength = 63;
/// How often one page may be asked for again with its token.
constexpr int kTokenUsesMax = 5;
/// How long the last page is kept for a client that did not get it.
constexpr std::int64_t kEndedSessionNs = 60 * kNsPerSecond;

std::string NewQueryId() {
  static thread_local Random random = Random::FromSystem();
  return "AE" + random.Text(kQueryIdLength - 2, kQueryIdAlphabet);
}

Status InvalidToken() { return InvalidArgument("Invalid pagination token"); }

std::uint64_t TextKey(const CallContext& call, std::string_view text) {
  return CombineHash(Hash64(text, call.compat_profile ? 1 : 2), Hash64(call.principal_arn));
}

sql::CompileOptions CompileOptionsFor(const CallContext& call, TimestampNs now, bool optimize) {
  sql::CompileOptions options;
  options.bind.profile = call.compat_profile ? sql::Profile::kCompat : sql::Profile::kExtended;
  options.bind.now = now;
  options.optimizer_enabled = optimize;
  return options;
}

// Of a column's ColumnInfo, with those of what is inside it: {"Name":"…","Type":{"ScalarType":"VARCHAR"}}.
std::size_t MetadataBytes(std::string_view name, const Type& type) {
  static constexpr std::size_t kFrameBytes = 44;
  std::size_t bytes = kFrameBytes + name.size();
  for (std::size_t i = 0; i < type.child_count(); ++i) {
    bytes += MetadataBytes(type.id() == TypeId::kRow ? std::string_view(type.fields()[i].name) : std::string_view(),
                           type.child(i));
  }
  return bytes;
}

// A statement too complex to compile will not get simpler by slowing down.
Status CompileStatus(const Status& status) {
  if (CodeOf(status) == ErrorCode::kResourceExhausted) return InvalidArgument("{}", MessageOf(status));
  return status;
}

// A spent budget is the query's failure, not a request to slow down; and a table that was dropped
// between binding and running is as unknown as one that never was.
Status ExecutionStatus(const Status& status) {
  switch (CodeOf(status)) {
    case ErrorCode::kResourceExhausted:
      return ExecutionFailed("{}", MessageOf(status));
    case ErrorCode::kNotFound:
      return InvalidArgument("{}", MessageOf(status));
    default:
      return status;
  }
}

}  // namespace

struct QueryService::ClientToken {
  std::uint64_t call_key = 0;  // of the text and the other parameters
  std::string query_id;
  SteadyNs used;
};

struct QueryService::Session {
  Session(MemoryBudget& parent, std::size_t bytes_max) : memory("query", bytes_max, &parent) {}
  // Whoever lets go last waits for the slices that still run, and that is the end of a cancelled query.
  ~Session() TL_NO_THREAD_SAFETY_ANALYSIS {
    execution.reset();
    if (when_done) when_done();
  }

  std::string query_id;
  std::uint64_t text_key = 0;
  CancelToken cancel;
  std::atomic<bool> cancelled{false};
  std::atomic<bool> ended{false};
  std::atomic<std::int64_t> last_used_ns{0};
  std::function<void()> when_done;  ///< set once, when the query is cancelled

  Status CancelledStatus() const {
    return Aborted(fmt::runtime(choices::kCancelledQueryText), query_id);
  }

  // What the execution runs on, in the order in which it is taken down last to first.
  MemoryBudget memory;
  std::shared_ptr<const sql::BoundStatement> statement;
  bool metered = false;
  std::shared_ptr<const std::vector<ResultColumn>> columns;
  TimestampNs now;  // now() of the query

  Mutex mutex;  // one page at a time
  std::unique_ptr<exec::QueryExecution> execution TL_GUARDED_BY(mutex);
  Batch batch TL_GUARDED_BY(mutex);
  std::size_t next_row TL_GUARDED_BY(mutex) = 0;
  std::uint64_t page_number TL_GUARDED_BY(mutex) = 0;  // of last_page; 1 is the first
  QueryPage last_page TL_GUARDED_BY(mutex);
  int last_page_uses TL_GUARDED_BY(mutex) = 0;
  MemoryReservation last_page_bytes TL_GUARDED_BY(mutex){&memory};
  std::int64_t result_bytes TL_GUARDED_BY(mutex) = 0;
};

QueryService::QueryService(engine::Engine& engine, const Clock& clock, Executor& query_pool,
                           MemoryBudget& memory, QueryServiceOptions options)
    : engine_(engine),
      clock_(clock),
      query_pool_(query_pool),
      memory_(memory),
      options_(std::move(options)),
      queries_started_(Metrics().MakeCounter("tideline_queries_total", "Queries started")),
      short_queries_(Metrics().MakeCounter("tideline_short_queries_total",
                                           "Queries answered on the thread that received them")),
      bytes_scanned_(Metrics().MakeCounter("tideline_query_bytes_scanned_total",
                                           "Encoded bytes that queries read")),
      cancel_time_(Metrics().MakeHistogram("tideline_query_cancel_seconds",
                                           "From CancelQuery to the end of the query's work")) {
  result_spool_.bytes_max = options_.result_spool_bytes_max;
}

QueryService::~QueryService() {
  const MutexLock lock(mutex_);
  for (auto& [id, session] : sessions_) session->cancel.Cancel();
}

std::size_t QueryService::session_count() const {
  const MutexLock lock(mutex_);
  return sessions_.size();
}

Result<QueryPage> QueryService::Query(const CallContext& call, const QueryRequest& request,
                                      PageEncoder& encoder) {
  return request.next_token.empty() ? Start(call, request, encoder)
                                    : Continue(call, request, encoder);
}

Result<std::string> QueryService::QueryIdFor(const CallContext& call, const QueryRequest& request) {
  if (request.client_token.empty()) return NewQueryId();
  const SteadyNs now = clock_.SteadyNow();
  const std::uint64_t key = CombineHash(TextKey(call, request.query),
                                        static_cast<std::uint64_t>(request.max_rows.value_or(0)));
  const MutexLock lock(mutex_);
  const auto found = client_tokens_.find(request.client_token);
  if (found != client_tokens_.end()) {
    ClientToken& token = found->second;
    const std::int64_t age = now.value - token.used.value;
    const bool same = token.call_key == key && !cancelled_.contains(token.query_id);
    if (same && age < kClientTokenNs) return token.query_id;
    if (token.call_key != key && age < kClientTokenMismatchNs) {
      return InvalidArgument(
          "The ClientToken was used with another query or other parameters within the last 5 minutes.");
    }
    client_tokens_.erase(found);
  }
  if (client_tokens_.size() >= kClientTokensMax) {
    std::erase_if(client_tokens_, [&](const auto& entry) {
      return now.value - entry.second.used.value >= kClientTokenMismatchNs;
    });
    if (client_tokens_.size() >= kClientTokensMax) client_tokens_.erase(client_tokens_.begin());
  }
  std::string id = NewQueryId();
  client_tokens_.emplace(request.client_token, ClientToken{key, id, now});
  return id;
}

std::shared_ptr<QueryService::Session> QueryService::FindSession(const std::string& query_id) {
  const MutexLock lock(mutex_);
  const auto found = sessions_.find(query_id);
  return found == sessions_.end() ? nullptr : found->second;
}

Status QueryService::Keep(std::shared_ptr<Session> session) {
  const MutexLock lock(mutex_);
  if (sessions_.size() >= kSessionsMax) {
    // Those that ended are kept only for a client that lost the last answer.
    std::erase_if(sessions_, [](const auto& entry) { return entry.second->ended.load(); });
  }
  if (sessions_.size() >= kSessionsMax) {
    return ResourceExhausted(
        "{} results are waiting to be fetched, which is the limit; fetch or cancel some.",
        kSessionsMax);
  }
  const std::string& query_id = session->query_id;
  sessions_[query_id].swap(session);  // one that was there goes after the lock
  return OkStatus();
}

Result<QueryPage> QueryService::Start(const CallContext& call, const QueryRequest& request,
                                      PageEncoder& encoder) {
  if (request.query.size() > kQueryBytesMax) {
    return InvalidArgument("The query has {} bytes, which exceeds the limit of {}.",
                           request.query.size(), kQueryBytesMax);
  }
  std::string query_id = TL_TRY(QueryIdFor(call, request));
  if (const std::shared_ptr<Session> running = FindSession(query_id)) {
    // The same call again: its answer was lost, unless later pages were asked for already.
    const MutexLock lock(running->mutex);
    if (running->page_number == 1 && !running->ended.load()) return running->last_page;
    query_id = NewQueryId();
  }
  auto session = std::make_shared<Session>(memory_, options_.query_memory_bytes_max);
  TL_TRY(Prepare(call, request, std::move(query_id), session.get()));
  queries_started_.Add();
  QueryPage page;
  {
    const MutexLock lock(session->mutex);
    TL_TRY(Execute(call, &query_pool_, session.get()));
    page = TL_TRY(FillPage(*session, request, encoder, SteadyNs{clock_.SteadyNow().value + kPageWaitNsMax}));
    if (!page.next_token.empty()) session->execution->RunOn();
  }
  if (!page.next_token.empty()) TL_TRY(Keep(std::move(session)));
  return page;
}

Status QueryService::Prepare(const CallContext& call, const QueryRequest& request,
                             std::string query_id, Session* session) {
  session->now = TimestampNs{clock_.WallNow().value / kNsPerMs * kNsPerMs};
  const EngineCatalogView catalog(engine_);
  session->query_id = std::move(query_id);
  session->text_key = TextKey(call, request.query);
  session->last_used_ns = clock_.SteadyNow().value;
  Result<std::shared_ptr<const sql::BoundStatement>> statement = plans_.Compile(
      request.query, catalog, CompileOptionsFor(call, session->now, options_.optimizer_enabled));
  if (!statement.ok()) return CompileStatus(statement.status());
  session->statement = *std::move(statement);
  session->metered = session->statement->kind == sql::BoundStatementKind::kQuery;
  auto columns = std::make_shared<std::vector<ResultColumn>>();
  std::size_t metadata_bytes = 0;
  for (const sql::ResultColumn& column : session->statement->columns) {
    columns->push_back({column.name, column.type});
    metadata_bytes += MetadataBytes(column.name, column.type);
  }
  if (metadata_bytes > kResultMetadataBytesMax) {
    return ExecutionFailed("The metadata of the result has {} bytes, which exceeds the limit of {}.",
                           metadata_bytes, kResultMetadataBytesMax);
  }
  session->columns = std::move(columns);
  return OkStatus();
}

Status QueryService::Execute(const CallContext& call, Executor* pool,
                             Session* session) TL_NO_THREAD_SAFETY_ANALYSIS {
  exec::ExecutionContext context;
  context.scans_owner = exec::NewEngineScanProvider(&engine_);
  context.now = session->now;
  context.compat_profile = call.compat_profile;
  context.scans = context.scans_owner.get();
  context.spill = options_.spill;
  context.result_spool = &result_spool_;
  context.result_spool_bytes_max = options_.query_result_spool_bytes_max;
  context.pool = pool;
  if (pool == nullptr) context.rows_to_read_max = kShortQueryRowsMax;
  context.workers_max = options_.thread_count;
  context.memory = &session->memory;
  context.cancel = session->cancel;
  context.deadline = Deadline::After(clock_, options_.query_ns_max);
  context.clock = &clock_;
  context.random_seed = Hash64(session->query_id);
  Result<std::unique_ptr<exec::QueryExecution>> execution =
      exec::ExecuteStatement(*session->statement, context);
  if (!execution.ok()) return ExecutionStatus(execution.status());
  session->execution = *std::move(execution);
  return OkStatus();
}

namespace {

// Whether it takes about as long as what is read says. A join may multiply rows; but it hands them on a batch
// at a time, so that the end of the time is noticed.
bool IsPlain(const sql::PlanNode& node) {
  switch (node.kind()) {
    case sql::PlanKind::kScan:
      return true;
    case sql::PlanKind::kFilter:
    case sql::PlanKind::kProject:
    case sql::PlanKind::kAggregate:
    case sql::PlanKind::kSort:
    case sql::PlanKind::kLimit:
    case sql::PlanKind::kTopN:
      return IsPlain(*node.child());
    case sql::PlanKind::kJoin:
      return IsPlain(*node.children()[0]) && IsPlain(*node.children()[1]);
    case sql::PlanKind::kShared:
      return IsPlain(*sql::As<sql::SharedNode>(node).plan().root);
    case sql::PlanKind::kValues:
    case sql::PlanKind::kSetOperation:
    case sql::PlanKind::kUnnest:
    case sql::PlanKind::kWindow:
      return false;
  }
  return false;
}

}  // namespace

std::optional<QueryPage> QueryService::TryShort(const CallContext& call, const QueryRequest& request,
                                                PageEncoder& encoder) {
  if (!request.next_token.empty() || request.query.size() > kShortQueryBytesMax) return std::nullopt;
  if (!request.client_token.empty()) {
    const MutexLock lock(mutex_);
    if (client_tokens_.contains(request.client_token)) return std::nullopt;
  }
  const std::uint64_t text_hash = Hash64(request.query);
  const SteadyNs start = clock_.SteadyNow();
  if (long_queries_.Has(text_hash, start)) return std::nullopt;
  const NoWait no_wait;
  const SteadyNs until{start.value + kShortQueryNsMax};
  Session session(memory_, options_.query_memory_bytes_max);
  if (!Prepare(call, request, NewQueryId(), &session).ok()) return std::nullopt;
  const sql::BoundStatement& statement = *session.statement;
  if (statement.kind != sql::BoundStatementKind::kQuery || !IsPlain(*statement.root)) return std::nullopt;
  const MutexLock lock(session.mutex);
  if (!Execute(call, nullptr, &session).ok()) return std::nullopt;
  Result<QueryPage> page = FillPage(session, request, encoder, until);
  if (!page.ok() || !page->next_token.empty()) {
    // Work was done in vain, and would be again. What a file must be read for may be in memory next time.
    if (!NoWait::refused()) long_queries_.Add(text_hash, clock_.SteadyNow());
    return std::nullopt;
  }
  if (!request.client_token.empty()) {
    // The id goes with the token from now on, as if the query had been started.
    Result<std::string> id = QueryIdFor(call, request);
    if (!id.ok()) return std::nullopt;
    page->query_id = *std::move(id);
  }
  queries_started_.Add();
  short_queries_.Add();
  return *std::move(page);
}

Result<QueryPage> QueryService::Continue(const CallContext& call, const QueryRequest& request,
                                         PageEncoder& encoder) {
  const Result<PageToken> token = PageToken::Decode(kTokenScope, request.next_token);
  if (!token.ok()) return InvalidToken();
  std::uint64_t number = 0;
  const std::string& text = token->second;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) {
    return InvalidToken();
  }
  std::shared_ptr<Session> session;
  {
    const MutexLock lock(mutex_);
    const auto found = sessions_.find(token->first);
    if (found == sessions_.end()) {
      const auto ended = cancelled_.find(token->first);
      const bool known = ended != cancelled_.end() && ended->second.text_key == TextKey(call, request.query);
      return known ? EndedStatus(token->first, ended->second) : InvalidToken();
    }
    session = found->second;
  }
  if (session->text_key != TextKey(call, request.query)) return InvalidToken();
  session->last_used_ns = clock_.SteadyNow().value;
  const MutexLock lock(session->mutex);
  if (session->cancelled.load()) return session->CancelledStatus();
  if (number == session->page_number) {
    // Asked for again, because the answer was lost.
    if (++session->last_page_uses >= kTokenUsesMax) return InvalidToken();
    return session->last_page;
  }
  if (number != session->page_number + 1 || session->ended.load()) return InvalidToken();
  Result<QueryPage> page =
      FillPage(*session, request, encoder, SteadyNs{clock_.SteadyNow().value + kPageWaitNsMax});
  if (!page.ok() || page->next_token.empty()) {
    session->ended.store(true);
    session->execution.reset();
    session->batch = {};
  }
  return page;
}

Result<QueryPage> QueryService::FillPage(Session& session, const QueryRequest& request,
                                         PageEncoder& encoder,
                                         SteadyNs until) TL_NO_THREAD_SAFETY_ANALYSIS {
  const std::size_t rows_max =
      request.max_rows.has_value() ? static_cast<std::size_t>(*request.max_rows) : SIZE_MAX;
  encoder.Begin(*session.columns);
  std::size_t rows = 0;
  bool more = true;
  while (true) {
    if (session.next_row >= session.batch.row_count) {
      session.next_row = 0;
      const Result<bool> next = session.execution->NextUntil(&session.batch, until);
      if (!next.ok()) {
        return session.cancelled.load() ? session.CancelledStatus() : ExecutionStatus(next.status());
      }
      more = *next;
      if (!more) break;
      if (session.batch.row_count == 0) {
        if (clock_.SteadyNow() >= until) break;  // the page goes out with what there is
        continue;
      }
    }
    if (rows >= rows_max) break;
    const std::size_t taken =
        encoder.Append(session.batch, session.next_row, rows_max - rows, kPageBytesMax);
    if (taken == 0) {
      if (rows == 0) {
        return ExecutionFailed(
            "Query aborted as max page response size has been exceeded by the output result row");
      }
      break;
    }
    rows += taken;
    session.next_row += taken;
  }
  const exec::QueryStatistics statistics = session.execution->statistics();
  QueryPage page;
  page.query_id = session.query_id;
  page.columns = session.columns;
  page.rows = std::make_shared<const std::string>(encoder.Finish());
  page.status.bytes_scanned = static_cast<std::int64_t>(statistics.bytes_scanned);
  page.status.progress_percentage = more ? std::min(statistics.progress_percentage, 99.9) : 100.0;
  if (session.metered) {
    page.status.bytes_metered = std::max(kBytesMeteredMin, page.status.bytes_scanned);
  }
  session.result_bytes += static_cast<std::int64_t>(page.rows->size());
  if (session.result_bytes > options_.result_bytes_max) {
    return ExecutionFailed("The result exceeds the limit of {} bytes.", options_.result_bytes_max);
  }
  if (const Status status = session.last_page_bytes.Resize(page.rows->size()); !status.ok()) {
    return ExecutionStatus(status);
  }
  ++session.page_number;
  if (more) {
    page.next_token =
        PageToken{session.query_id, std::to_string(session.page_number + 1)}.Encode(kTokenScope);
  } else {
    bytes_scanned_.Add(statistics.bytes_scanned);
  }
  session.last_page = page;
  session.last_page_uses = 0;
  return page;
}

Result<std::string> QueryService::CancelQuery(const CallContext&, std::string_view query_id) {
  std::shared_ptr<Session> session;  // taken down without the lock, here or by the call that fills it
  const MutexLock lock(mutex_);
  const auto ended = cancelled_.find(query_id);
  if (ended != cancelled_.end() && !ended->second.abandoned) {
    return fmt::format(fmt::runtime(choices::kAlreadyCancelledText), query_id);
  }
  const auto found = sessions_.find(std::string(query_id));
  if (found == sessions_.end() || found->second->ended.load()) {
    return InvalidArgument("The query with ID {} does not exist or has ended.", query_id);
  }
  session = std::move(found->second);
  sessions_.erase(found);
  session->when_done = [this, start = clock_.SteadyNow().value] {
    cancel_time_.Record(clock_.SteadyNow().value - start);
  };
  session->cancelled.store(true);
  session->cancel.Cancel();
  Remember(std::string(query_id), {clock_.SteadyNow(), session->text_key, false});
  return std::string();
}

void QueryService::Remember(const std::string& query_id, Ended ended) {
  if (cancelled_.size() >= kCancelledMax) cancelled_.erase(cancelled_.begin());
  cancelled_.insert_or_assign(query_id, ended);
}

Status QueryService::EndedStatus(const std::string& query_id, const Ended& ended) {
  if (!ended.abandoned) return Aborted(fmt::runtime(choices::kCancelledQueryText), query_id);
  return Aborted(fmt::runtime(choices::kAbandonedQueryText), query_id, kSessionIdleNsMax / kNsPerSecond);
}

void QueryService::ExpireSessions() {
  const std::int64_t now = clock_.SteadyNow().value;
  std::vector<std::shared_ptr<Session>> expired;  // taken down without the lock
  const MutexLock lock(mutex_);
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const std::shared_ptr<Session>& session = at->second;
    const std::int64_t idle = now - session->last_used_ns.load();
    const std::int64_t limit = session->ended.load() ? kEndedSessionNs : kSessionIdleNsMax;
    if (idle < limit) {
      ++at;
      continue;
    }
    session->cancel.Cancel();
    expired.push_back(session);
    if (!session->ended.load()) Remember(at->first, {SteadyNs{now}, session->text_key, true});
    at = sessions_.erase(at);
  }
  std::erase_if(cancelled_, [&](const auto& entry) {
    return now - entry.second.at.value >= kSessionIdleNsMax;
  });
}

Result<PreparedQuery> QueryService::PrepareQuery(const CallContext& call, std::string_view query) {
  const EngineCatalogView catalog(engine_);
  const TimestampNs now{clock_.WallNow().value / kNsPerMs * kNsPerMs};
  sql::CompileOptions options = CompileOptionsFor(call, now, false);
  options.bind.allow_unbound_parameters = true;
  const Result<sql::BoundStatement> statement = sql::CompileStatement(query, catalog, options);
  if (!statement.ok()) return CompileStatus(statement.status());
  PreparedQuery prepared;
  for (const sql::ResultColumn& column : statement->columns) {
    prepared.columns.push_back(
        {column.name, column.type, column.database, column.table, column.aliased});
  }
  for (const sql::StatementParameter& parameter : statement->parameters) {
    const std::string name = choices::kParameterNamesBare ? parameter.name : "@" + parameter.name;
    prepared.parameters.push_back({name, parameter.type});
  }
  return prepared;
}

}  // namespace tideline::api
