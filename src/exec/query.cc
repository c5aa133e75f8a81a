#include "exec/query.h"

#include <algorithm>
#include <deque>
#include <numeric>

#include "base/mutex.h"
#include "columnar/run_summary.h"
#include "columnar/value.h"
#include "exec/operators/print_report.h"
#include "exec/pipeline/pipeline.h"
#include "exec/result_sink.h"
#include "exec/top_window.h"
#include "exec/values/gather.h"
#include "sql/plan/scan_node.h"
#include "sql/plan/shared_node.h"
#include "sql/plan/values_node.h"

namespace tideline::exec {
namespace {

/// How long a worker runs before others get a turn, and how many batches at most.
constexpr std::int64_t kSliceNs = kNsPerMs;
constexpr std::size_t kSliceBatchesMax = 64;
/// How often a waiting reader looks at its cancel token and deadline.
constexpr std::int64_t kWaitNs = 20 * kNsPerMs;
/// How long a reader that must answer in time works itself. A batch of an expensive expression may take many
/// seconds, so that afterwards it is left to the pool.
constexpr std::int64_t kReaderWorksNsMax = kNsPerSecond;

// Time spent below the operator being measured, so that each is charged for itself alone.
struct WorkerClock {
  const Clock* clock;
  std::int64_t inner_ns = 0;
};

// Stands between two operators and counts.
class Meter final : public Consumer {
 public:
  // `crosses`: the two operators differ, so what passes is output of the one and input of the other.
  Meter(Consumer* next, OperatorStats* of_next, OperatorStats* of_previous, bool measure_bytes,
        WorkerClock* clock)
      : next_(next),
        of_next_(of_next),
        of_previous_(of_previous),
        crosses_(of_next != of_previous),
        measure_bytes_(measure_bytes),
        clock_(clock) {}
  Status Push(const Batch& batch, const Selection& rows) override {
    if (crosses_) Count(batch, RowsIn(batch, rows));
    return Timed([&] { return next_->Push(batch, rows); });
  }
  bool pending() const override { return next_->pending(); }
  bool has_enough() const override { return next_->has_enough(); }
  Status Continue() override {
    return Timed([&] { return next_->Continue(); });
  }
  Status Finish() override {
    return Timed([&] { return next_->Finish(); });
  }

 private:
  // Rows of a table where rows of the batch stand for them.
  static std::size_t RowsIn(const Batch& batch, const Selection& rows) {
    if (batch.summaries == nullptr) return rows.size();
    const std::vector<std::uint64_t>& counts = batch.summaries->row_counts;
    return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  }

  void Count(const Batch& batch, std::size_t rows) {
    if (of_next_ != nullptr) {
      of_next_->rows_in.fetch_add(rows, std::memory_order_relaxed);
      of_next_->batches_in.fetch_add(1, std::memory_order_relaxed);
    }
    if (of_previous_ == nullptr) return;
    of_previous_->rows_out.fetch_add(rows, std::memory_order_relaxed);
    of_previous_->batches_out.fetch_add(1, std::memory_order_relaxed);
    if (!measure_bytes_ || batch.row_count == 0 || batch.summaries != nullptr) return;
    std::size_t bytes = 0;
    for (const Vector& column : batch.columns) bytes += KeptBytes(column);
    of_previous_->bytes_out.fetch_add(bytes * rows / batch.row_count, std::memory_order_relaxed);
  }

  template <typename F>
  Status Timed(const F& work) {
    const std::int64_t before = clock_->inner_ns;
    clock_->inner_ns = 0;
    const std::int64_t start = clock_->clock->SteadyNow().value;
    const Status status = work();
    const std::int64_t spent = clock_->clock->SteadyNow().value - start;
    if (of_next_ != nullptr) {
      of_next_->time_ns.fetch_add(spent - clock_->inner_ns, std::memory_order_relaxed);
    }
    clock_->inner_ns = before + spent;
    return status;
  }

  Consumer* const next_;
  OperatorStats* const of_next_;
  OperatorStats* const of_previous_;
  const bool crosses_;
  const bool measure_bytes_;
  WorkerClock* const clock_;
};

enum class SliceEnd { kYield, kPause, kDone };

// One reader and one chain of consumers of a pipeline; run by one thread at a time.
class Worker {
 public:
  Worker(const Pipeline* pipeline, const ExecutionContext* context)
      : pipeline_(pipeline), context_(context), clock_{context->clock} {}

  Result<SliceEnd> Run(const std::atomic<bool>& stopped) {
    if (reader_ == nullptr) TL_TRY(Open());
    const std::int64_t end = context_->clock->SteadyNow().value + kSliceNs;
    Batch batch;
    for (std::size_t batches = 0;; ++batches) {
      if (stopped.load(std::memory_order_relaxed)) return SliceEnd::kDone;
      TL_TRY(CheckLive(context_->cancel, context_->deadline, *context_->clock));
      if (pipeline_->sink->Full()) return SliceEnd::kPause;
      const std::int64_t start = context_->clock->SteadyNow().value;
      if (batches == kSliceBatchesMax || start >= end) {
        if (batches > 0) return SliceEnd::kYield;
      }
      bool enough = false;
      Consumer* const waiting = Pending(&enough);
      if (waiting != nullptr) {
        TL_TRY(waiting->Continue());
        continue;
      }
      const bool more = enough ? false : TL_TRY(reader_->Next(&batch));
      if (pipeline_->source_stats != nullptr) {
        pipeline_->source_stats->time_ns.fetch_add(context_->clock->SteadyNow().value - start,
                                                   std::memory_order_relaxed);
      }
      if (!more) {
        TL_TRY(head_->Finish());
        return SliceEnd::kDone;
      }
      if (batch.row_count > 0) {
        TL_TRY(head_->Push(batch, Selection::All(batch.row_count)));
      }
    }
  }

 private:
  Status Open() {
    std::unique_ptr<Consumer> end = TL_TRY(pipeline_->sink->NewConsumer());
    consumers_.push_back(std::move(end));
    OperatorStats* above = pipeline_->sink_stats;
    for (std::size_t i = pipeline_->stages.size(); i-- > 0;) {
      const Stage& stage = pipeline_->stages[i];
      AddMeter(above, stage.stats);
      std::unique_ptr<Consumer> consumer = TL_TRY(stage.make(consumers_.back().get()));
      consumers_.push_back(std::move(consumer));
      above = stage.stats;
    }
    AddMeter(above, pipeline_->source_stats);
    head_ = consumers_.back().get();
    reader_ = TL_TRY(pipeline_->source->NewReader());
    return OkStatus();
  }

  // Rows that pass between two stages of one operator are not its output.
  void AddMeter(OperatorStats* of_next, OperatorStats* of_previous) {
    consumers_.push_back(std::make_unique<Meter>(consumers_.back().get(), of_next, of_previous,
                                                 context_->measure_bytes, &clock_));
    meters_.push_back(consumers_.back().get());
  }

  // The meter of the consumer nearest the sink that has rows pending; null pointer for none. What comes before a
  // consumer that has enough is not wanted, neither rows pending nor unread ones: `*enough`.
  Consumer* Pending(bool* enough) const {
    for (Consumer* meter : meters_) {
      if (meter->pending()) return meter;
      *enough = meter->has_enough();
      if (*enough) return nullptr;
    }
    return nullptr;
  }

  const Pipeline* const pipeline_;
  const ExecutionContext* const context_;
  WorkerClock clock_;
  std::vector<std::unique_ptr<Consumer>> consumers_;  // the sink's first
  std::vector<Consumer*> meters_;                     // of consumers_, in its order
  Consumer* head_ = nullptr;
  std::unique_ptr<SourceReader> reader_;
};

// Whether a call in `expr` may take long for a single row: a pattern, a list, a lambda over one.
bool MayTakeLong(const sql::Expr& expr) {
  if (expr.kind == sql::ExprKind::kCall && expr.scalar->name.starts_with("regexp")) return true;
  for (const sql::ExprPtr& child : expr.children) {
    const bool over_list = expr.kind == sql::ExprKind::kCall &&
                           (child->kind == sql::ExprKind::kLambda || child->type.is_nested());
    if (over_list || MayTakeLong(*child)) return true;
  }
  return false;
}

// A batch of a plan with such a call can take longer than a reader has time.
bool MayTakeLong(const sql::PlanNode& node) {
  bool found = false;
  node.WithExpressions([&](const sql::ExprPtr& expr) {
    found = found || MayTakeLong(*expr);
    return expr;
  });
  if (!found && node.kind() == sql::PlanKind::kShared) {
    found = MayTakeLong(*sql::As<sql::SharedNode>(node).plan().root);
  }
  return found || std::any_of(node.children().begin(), node.children().end(),
                              [](const sql::PlanNodePtr& child) { return MayTakeLong(*child); });
}

// The running query. Lives until the last ticket in the pool has looked at it.
class Core : public std::enable_shared_from_this<Core> {
 public:
  explicit Core(const ExecutionContext& context) : context_(context) {
    if (context.spill != nullptr) spill_.emplace(context.spill);
    eval_.now = context.now;
    eval_.compat_profile = context.compat_profile;
    eval_.cancel = &context_.cancel;
    eval_.memory = context.memory;
    eval_.random_seed = context.random_seed;
    eval_.deadline = context.deadline;
    eval_.clock = context.clock;
  }

  Status Plan(const sql::PlanNodePtr& root) {
    PlanResources resources;
    resources.scans = context_.scans;
    resources.context = &eval_;
    resources.spill = spill_.has_value() ? &*spill_ : nullptr;
    resources.spill_eagerly = context_.spill_eagerly;
    ResultSinkOptions sink;
    for (const sql::OutputColumn& column : root->outputs()) sink.types.push_back(column.type);
    sink.memory = context_.memory;
    sink.spill = resources.spill;
    sink.all = context_.result_spool;
    sink.spool_bytes_max = context_.result_spool_bytes_max;
    sink_ = std::make_shared<ResultSink>(std::move(sink));
    plan_ = TL_TRY(PlanPipelines(root, resources, sink_));
    TL_TRY(plan_->pipelines.front().source->Prepare());
    return CheckRowsToRead();
  }

  // `slow`: a batch may take long.
  void Start(bool slow) {
    const MutexLock lock(mutex_);
    leave_to_pool_ = slow;
    StartPipeline();
  }

  Result<bool> NextUntil(Batch* batch, SteadyNs until) {
    for (;;) {
      const Status live = CheckLive(context_.cancel, context_.deadline, *context_.clock);
      if (!live.ok()) Fail(live);
      {
        const MutexLock lock(mutex_);
        if (!error_.ok()) return error_;
      }
      const bool taken = TL_TRY(sink_->Take(batch));
      if (taken) {
        WakePaused();
        return true;
      }
      const MutexLock lock(mutex_);
      if (!error_.ok()) return error_;
      if (finished_) return sink_->Take(batch);
      if (context_.clock->SteadyNow() >= until) {
        *batch = {};
        return true;
      }
      const std::size_t slot = ReaderWorks(until) ? ClaimSlot() : kNoSlot;
      if (slot == kNoSlot) {
        changed_.WaitFor(mutex_, kWaitNs);
        continue;
      }
      mutex_.Unlock();
      RunSlot(slot);
      mutex_.Lock();
    }
  }

  // The pool takes over what the reader did, and rows may wait on disk.
  void RunOn() {
    sink_->Spool();
    const MutexLock lock(mutex_);
    if (detached_ || context_.pool == nullptr) return;
    detached_ = true;
    if (finished_ || !error_.ok()) return ReleasePlan();
    GoToPool();
    if (!sink_->Full()) ResumePaused();
  }

  // Refuses further slices and waits for those under way.
  void Close() {
    stopped_ = true;
    const MutexLock lock(mutex_);
    closed_ = true;
    while (running_ > 0) changed_.Wait(mutex_);
    // A ticket may keep this object a little longer than what the context points at.
    workers_.clear();
    plan_.reset();
    sink_.reset();
    context_.scans_owner.reset();
  }

  QueryStatistics statistics() const {
    const MutexLock lock(mutex_);
    if (plan_ == nullptr) {
      QueryStatistics statistics = final_statistics_;
      statistics.rows_returned = sink_->rows();
      return statistics;
    }
    return StatisticsNow();
  }

  OperatorReport Report() const {
    const MutexLock lock(mutex_);
    return plan_ == nullptr ? final_report_ : plan_->Report();
  }

 private:
  static constexpr std::size_t kNoSlot = SIZE_MAX;

  QueryStatistics StatisticsNow() const TL_REQUIRES(mutex_) {
    QueryStatistics statistics;
    for (const auto& scan : plan_->scans) {
      const ScanFigures figures = scan->figures();
      statistics.bytes_scanned += figures.bytes_scanned;
      statistics.rows_scanned += figures.rows;
    }
    statistics.rows_returned = sink_->rows();
    double progress = 100;
    if (!finished_) {
      const Pipeline& current = plan_->pipelines[pipeline_];
      progress = 100 * (static_cast<double>(pipeline_) + current.source->progress()) /
                 static_cast<double>(plan_->pipelines.size());
    }
    progress_ = std::max(progress_, std::min(progress, finished_ ? 100.0 : 99.0));
    statistics.progress_percentage = progress_;
    return statistics;
  }

  // What only running needs goes: tables of operators, snapshots. Rows that wait stay. No worker runs.
  void ReleasePlan() TL_REQUIRES(mutex_) {
    if (plan_ == nullptr || running_ > 0) return;
    final_statistics_ = StatisticsNow();
    final_report_ = plan_->Report();
    workers_.clear();
    ready_.clear();
    paused_.clear();
    const std::unique_ptr<PhysicalPlan> plan = std::move(plan_);
    const std::shared_ptr<ScanProvider> scans = std::move(context_.scans_owner);
  }

  void SubmitTicket() {
    // A full pool costs parallelism only: the reader runs what is ready.
    if (!context_.pool->Submit([self = shared_from_this()] { self->RunTicket(); }).ok()) ticket_lost_ = true;
  }

  void Fail(const Status& status) {
    stopped_ = true;
    const MutexLock lock(mutex_);
    if (error_.ok() && !finished_) error_ = status;
    changed_.NotifyAll();
  }

  // Workers of the pipeline whose turn it is.
  void StartPipeline() TL_REQUIRES(mutex_) {
    const Pipeline& pipeline = plan_->pipelines[pipeline_];
    if (pipeline.source->empty()) return EndPipeline();
    const double rows = pipeline.source->EstimatedRows();
    const bool outlived = reader_since_.has_value() &&
                          context_.clock->SteadyNow().value - *reader_since_ >= kReaderWorksNsMax;
    const bool shared = context_.pool != nullptr && (detached_ || outlived || rows > context_.inline_rows_max);
    pooled_ = shared || leave_to_pool_;
    std::size_t count = 1;
    if (shared) {
      count = std::clamp<std::size_t>(std::min(context_.workers_max, pipeline.source->workers_max()),
                                      1, kWorkersMax);
    }
    workers_.clear();
    ready_.clear();
    paused_.clear();
    done_ = 0;
    for (std::size_t i = 0; i < count; ++i) {
      workers_.push_back(std::make_unique<Worker>(&pipeline, &context_));
      MakeReady(i);
    }
  }

  void GoToPool() TL_REQUIRES(mutex_) {
    if (pooled_) return;
    pooled_ = true;
    for (std::size_t i = 0; i < ready_.size(); ++i) SubmitTicket();
  }

  // Whether the thread that waits for rows until `until` lends a hand.
  bool ReaderWorks(SteadyNs until) TL_REQUIRES(mutex_) {
    if (context_.pool == nullptr || until.value == INT64_MAX) return true;
    const std::int64_t now = context_.clock->SteadyNow().value;
    if (!reader_since_.has_value()) reader_since_ = now;
    if (!leave_to_pool_ && now - *reader_since_ < kReaderWorksNsMax) return true;
    GoToPool();
    return ticket_lost_;
  }

  void MakeReady(std::size_t slot) TL_REQUIRES(mutex_) {
    ready_.push_back(slot);
    changed_.NotifyAll();
    if (pooled_) SubmitTicket();
  }

  std::size_t ClaimSlot() TL_REQUIRES(mutex_) {
    if (ready_.empty() || closed_ || !error_.ok()) return kNoSlot;
    const std::size_t slot = ready_.front();
    ready_.pop_front();
    ++running_;
    return slot;
  }

  void RunTicket() {
    std::size_t slot;
    {
      const MutexLock lock(mutex_);
      slot = ClaimSlot();
    }
    if (slot != kNoSlot) RunSlot(slot);
  }

  // Runs one slice of a claimed slot and says what becomes of it.
  void RunSlot(std::size_t slot) {
    Worker* worker;
    {
      const MutexLock lock(mutex_);
      worker = workers_[slot].get();
    }
    const Result<SliceEnd> end = worker->Run(stopped_);
    if (!end.ok()) Fail(end.status());
    const MutexLock lock(mutex_);
    if (end.ok() && !stopped_) {
      switch (*end) {
        case SliceEnd::kYield:
          MakeReady(slot);
          break;
        case SliceEnd::kPause:
          paused_.push_back(slot);
          // The reader may have emptied the sink since the worker looked.
          if (!sink_->Full()) ResumePaused();
          break;
        case SliceEnd::kDone:
          if (++done_ == workers_.size()) EndPipeline();
          break;
      }
    }
    --running_;
    if (detached_ && (finished_ || !error_.ok())) ReleasePlan();
    changed_.NotifyAll();
  }

  // Of the scans that are open; the others are looked at when they are.
  Status CheckRowsToRead() const {
    double rows = 0;
    for (const auto& scan : plan_->scans) {
      if (scan->is_open()) rows += scan->EstimatedRows();
    }
    if (rows <= context_.rows_to_read_max) return OkStatus();
    return ResourceExhausted("the query reads about {:.0f} rows, more than {:.0f}", rows, context_.rows_to_read_max);
  }

  // The end of the current pipeline, and what the next one waits for.
  Status FinishPipeline() TL_NO_THREAD_SAFETY_ANALYSIS {
    const Pipeline& pipeline = plan_->pipelines[pipeline_];
    if (pipeline.finishes_sink) TL_TRY(pipeline.sink->Finish());
    if (pipeline_ + 1 == plan_->pipelines.size()) return OkStatus();
    TL_TRY(plan_->pipelines[pipeline_ + 1].source->Prepare());
    return CheckRowsToRead();
  }

  void EndPipeline() TL_REQUIRES(mutex_) {
    // No worker of this query runs now, and none can be claimed: the lock is free to go.
    mutex_.Unlock();
    const Status status = FinishPipeline();
    if (!status.ok()) Fail(status);
    mutex_.Lock();
    if (!status.ok()) return;
    workers_.clear();
    if (++pipeline_ == plan_->pipelines.size()) {
      finished_ = true;
    } else {
      StartPipeline();
    }
  }

  void WakePaused() {
    const MutexLock lock(mutex_);
    if (!sink_->Full()) ResumePaused();
  }
  void ResumePaused() TL_REQUIRES(mutex_) {
    std::vector<std::size_t> slots;
    slots.swap(paused_);
    for (const std::size_t slot : slots) MakeReady(slot);
  }

  ExecutionContext context_;
  EvalContext eval_;
  std::optional<SpillQuota> spill_;  // outlives what is in plan_ and sink_
  std::shared_ptr<ResultSink> sink_;
  std::unique_ptr<PhysicalPlan> plan_;  // under mutex_ once detached; before, as long as this
  std::atomic<bool> stopped_{false};

  mutable Mutex mutex_;
  CondVar changed_;
  std::size_t pipeline_ TL_GUARDED_BY(mutex_) = 0;
  bool pooled_ TL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Worker>> workers_ TL_GUARDED_BY(mutex_);
  std::deque<std::size_t> ready_ TL_GUARDED_BY(mutex_);
  std::vector<std::size_t> paused_ TL_GUARDED_BY(mutex_);
  std::size_t done_ TL_GUARDED_BY(mutex_) = 0;
  std::size_t running_ TL_GUARDED_BY(mutex_) = 0;
  bool finished_ TL_GUARDED_BY(mutex_) = false;
  bool closed_ TL_GUARDED_BY(mutex_) = false;
  bool detached_ TL_GUARDED_BY(mutex_) = false;
  bool leave_to_pool_ TL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> ticket_lost_{false};
  std::optional<std::int64_t> reader_since_ TL_GUARDED_BY(mutex_);  // of the first wait that had an end
  QueryStatistics final_statistics_ TL_GUARDED_BY(mutex_);
  OperatorReport final_report_ TL_GUARDED_BY(mutex_);
  Status error_ TL_GUARDED_BY(mutex_) = OkStatus();
  mutable double progress_ TL_GUARDED_BY(mutex_) = 0;
};

class Execution final : public QueryExecution {
 public:
  explicit Execution(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  ~Execution() override { core_->Close(); }
  Result<bool> NextUntil(Batch* batch, SteadyNs until) override {
    return core_->NextUntil(batch, until);
  }
  void RunOn() override { core_->RunOn(); }
  QueryStatistics statistics() const override { return core_->statistics(); }
  OperatorReport Report() const override { return core_->Report(); }

 private:
  const std::shared_ptr<Core> core_;
};

// Runs the explained query to its end, then answers with what was measured: a row per line of text, or
// one row of JSON.
class AnalyzeExecution final : public QueryExecution {
 public:
  AnalyzeExecution(std::unique_ptr<QueryExecution> inner, bool json) : inner_(std::move(inner)), json_(json) {}
  Result<bool> NextUntil(Batch* batch, SteadyNs until) override {
    if (done_) return false;
    Batch rows;
    while (TL_TRY(inner_->NextUntil(&rows, until))) {
      if (rows.row_count != 0) continue;
      *batch = {};  // maybe out of time: the caller looks, and comes again
      return true;
    }
    done_ = true;
    std::vector<Value> lines;
    if (json_) lines.push_back(Value::Varchar(PrintReportJson(inner_->Report())));
    const std::string text = json_ ? std::string() : PrintReport(inner_->Report());
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = text.find('\n', from);
      lines.push_back(Value::Varchar(text.substr(from, end - from)));
      from = end + 1;
    }
    batch->columns.assign(1, Vector::FromValues(Type::Varchar(), lines));
    batch->row_count = lines.size();
    return true;
  }
  void RunOn() override {}  // its one batch is ready when the inner query is
  QueryStatistics statistics() const override { return inner_->statistics(); }
  OperatorReport Report() const override { return inner_->Report(); }

 private:
  const std::unique_ptr<QueryExecution> inner_;
  const bool json_;
  bool done_ = false;
};

}  // namespace

namespace {

Result<std::unique_ptr<QueryExecution>> ExecuteWhole(const sql::PlanNodePtr& root,
                                                     const ExecutionContext& context) {
  auto core = std::make_shared<Core>(context);
  TL_TRY(core->Plan(root));
  core->Start(context.pool != nullptr && MayTakeLong(*root));
  return std::unique_ptr<QueryExecution>(std::make_unique<Execution>(std::move(core)));
}

// Runs a DELETE; the answer is one row that says what became of it.
Result<std::unique_ptr<QueryExecution>> ExecuteDelete(const sql::BoundStatement& statement,
                                                      const ExecutionContext& context) {
  RowDeletion deletion;
  if (statement.root->kind() == sql::PlanKind::kScan) {
    if (context.scans == nullptr) return Internal("a DELETE without tables");
    EvalContext eval;
    eval.now = context.now;
    eval.compat_profile = context.compat_profile;
    eval.cancel = &context.cancel;
    eval.memory = context.memory;
    eval.random_seed = context.random_seed;
    eval.deadline = context.deadline;
    eval.clock = context.clock;
    deletion = TL_TRY(context.scans->DeleteRows(static_cast<const sql::ScanNode&>(*statement.root),
                                                eval, statement.dry_run));
  }
  std::vector<sql::OutputColumn> outputs;
  for (const sql::ResultColumn& column : statement.columns) {
    outputs.push_back({column.column, column.name, column.type});
  }
  const std::vector<Value> row = {
      Value::Bigint(static_cast<std::int64_t>(deletion.rows)),
      deletion.delete_id.empty() ? Value::Null(Type::Varchar()) : Value::Varchar(deletion.delete_id),
      deletion.undo_until_ns == 0 ? Value::Null(Type::Timestamp())
                                  : Value::Timestamp(deletion.undo_until_ns)};
  std::vector<sql::ExprPtr> cells;
  for (const Value& value : row) cells.push_back(sql::MakeConstant(value));
  return ExecuteWhole(std::make_shared<sql::ValuesNode>(std::move(outputs),
                                                   std::vector<std::vector<sql::ExprPtr>>{cells}),
                 context);
}

}  // namespace

Result<std::unique_ptr<QueryExecution>> Execute(const sql::PlanNodePtr& root,
                                                const ExecutionContext& context) {
  TL_CHECK(root != nullptr && context.memory != nullptr);
  std::unique_ptr<QueryExecution> window =
      TL_TRY(MakeTopWindow(root, context, [context](const sql::PlanNodePtr& plan) {
        return ExecuteWhole(plan, context);
      }));
  if (window != nullptr) return window;
  return ExecuteWhole(root, context);
}

Result<std::unique_ptr<QueryExecution>> ExecuteStatement(const sql::BoundStatement& statement,
                                                         const ExecutionContext& context) {
  switch (statement.kind) {
    case sql::BoundStatementKind::kQuery:
    case sql::BoundStatementKind::kShow:
    case sql::BoundStatementKind::kDescribe:
      return Execute(statement.root, context);
    case sql::BoundStatementKind::kExplain: {
      if (!statement.analyze) return Execute(statement.root, context);
      ExecutionContext measured = context;
      measured.measure_bytes = true;
      std::unique_ptr<QueryExecution> inner =
          TL_TRY(ExecuteStatement(*statement.explained, measured));
      return std::unique_ptr<QueryExecution>(std::make_unique<AnalyzeExecution>(std::move(inner), statement.json));
    }
    case sql::BoundStatementKind::kDelete:
      return ExecuteDelete(statement, context);
    case sql::BoundStatementKind::kUnload:
      return Unimplemented("line {}:{}: UNLOAD is not supported yet", statement.unload.position.line,
                           statement.unload.position.column);
  }
  return Internal("statement of unknown kind {}", static_cast<int>(statement.kind));
}

}  // namespace tideline::exec
