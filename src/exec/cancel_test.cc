// Cancelling and deadlines: in the middle of every kind of work that takes long.
#include <gtest/gtest.h>

#include <future>
#include <numeric>

#include "exec/testing.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/join_node.h"
#include "sql/plan/sort_node.h"
#include "sql/plan/window_node.h"

namespace tideline::exec {
namespace {

using testing::Aggregate;
using testing::Call;
using testing::Column;
using testing::MakeScan;

const Type kBig = Type::Bigint();
const Type kText = Type::Varchar();

// What a busy machine and a debug build may add to the hundred milliseconds of a quiet one. The work
// below takes many times as long when nobody stops it.
constexpr std::int64_t kBoundNs = 3 * kNsPerSecond;

// Rows (i, constant text), in batches of 2048.
void Fill(testing::FakeScans* scans, std::size_t rows, const std::string& text) {
  for (std::size_t first = 0; first < rows; first += kBatchRowsMax) {
    const std::size_t count = std::min(kBatchRowsMax, rows - first);
    Vector numbers = Vector::Flat(kBig, count);
    auto* values = numbers.mutable_values<std::int64_t>();
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::int64_t>((first + i) * 7919 % rows);
    scans->batches.push_back({{numbers, Vector::Constant(kText, Value::Varchar(text), count).Flatten()}, count});
  }
}

sql::PlanNodePtr Count(sql::PlanNodePtr child) {
  return std::make_shared<sql::AggregateNode>(std::move(child), std::vector<sql::AggregateNode::Key>(),
                                              std::vector<sql::AggregateCall>{Aggregate("count", {}, 500)});
}

sql::PlanNodePtr Second() {
  auto schema = std::make_shared<catalog::TableSchema>();
  sql::ScanNode::Spec spec;
  spec.table = schema;
  spec.storage_columns = {{10}, {11}};
  return std::make_shared<sql::ScanNode>(
      std::vector<sql::OutputColumn>{{{10}, "d0", kBig}, {{11}, "d1", kText}}, std::move(spec));
}

sql::PlanNodePtr Join(sql::ExprPtr condition) {
  sql::JoinNode::Spec spec;
  spec.condition = std::move(condition);
  return std::make_shared<sql::JoinNode>(MakeScan({kBig, kText}), Second(), std::move(spec));
}

constexpr std::size_t kAllRows = SIZE_MAX;

struct Env {
  testing::FakeScans scans;
  MemoryBudget memory{"query", std::size_t{2} << 30};
  ThreadPool pool{{.name = "query", .thread_count = 2}};
  ThreadPool caller{{.name = "caller", .thread_count = 1}};
  ~Env() {
    caller.Stop();
    pool.Stop();
  }

  // Cancels once `rows` of the scan opened last were read; how long the query took to end then.
  std::int64_t NsToCancel(const sql::PlanNodePtr& plan, std::size_t threads, std::size_t rows) {
    ExecutionContext context;
    context.scans = &scans;
    context.memory = &memory;
    if (threads > 1) {
      context.pool = &pool;
      context.workers_max = threads;
      context.inline_rows_max = 0;
    }
    std::shared_ptr<QueryExecution> query = *Execute(plan, context);
    std::promise<Status> done;
    TL_CHECK(caller.Submit([&] {
      Batch batch;
      Result<bool> more = true;
      while (more.ok() && *more) more = query->Next(&batch);
      const Status status = more.ok() ? OkStatus() : more.status();
      query.reset();  // what runs must end, too
      done.set_value(status);
    }).ok());
    std::future<Status> ended = done.get_future();
    while (scans.last->rows_read() < rows) {
      if (ended.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready) break;
    }
    const std::int64_t start = SystemClock().SteadyNow().value;
    context.cancel.Cancel();
    const Status status = ended.get();
    const std::int64_t spent = SystemClock().SteadyNow().value - start;
    EXPECT_EQ(CodeOf(status), ErrorCode::kCancelled) << status;
    EXPECT_EQ(memory.used_bytes(), 0U);
    return spent;
  }

  void ExpectQuick(const char* what, const sql::PlanNodePtr& plan, std::size_t rows = kAllRows) {
    if (rows == kAllRows) {
      rows = 0;
      for (const Batch& batch : scans.batches) rows += batch.row_count;
    }
    for (const std::size_t threads : {1, 2}) {
      const std::int64_t spent = NsToCancel(plan, threads, rows);
      EXPECT_LT(spent, kBoundNs) << what << ", threads " << threads;
      ::testing::Test::RecordProperty(fmt::format("{}_{}_ms", what, threads), static_cast<int>(spent / kNsPerMs));
    }
  }
};

TEST(CancelTest, CrossJoins) {
  Env env;
  Fill(&env.scans, 60'000, "x");
  env.ExpectQuick("cross_join", Count(Join(nullptr)), 1);  // the kept side is whole then
}

TEST(CancelTest, JoinsThatTryEveryPair) {
  Env env;
  Fill(&env.scans, 60'000, "x");
  env.ExpectQuick("nested_loop", Count(Join(Call("$less", {Call("$add", {Column(0, kBig), Column(10, kBig)}),
                                                          sql::MakeConstant(Value::Bigint(0))}))), 1);
}

TEST(CancelTest, Sorts) {
  Env env;
  Fill(&env.scans, 1'000'000, "the same text for all rows, so that keys compare to their end");
  env.ExpectQuick("sort", std::make_shared<sql::SortNode>(
                              MakeScan({kBig, kText}), std::vector<sql::SortKey>{{{1}, false, false}, {{0}, false, false}}));
}

TEST(CancelTest, OrderedAggregates) {
  Env env;
  Fill(&env.scans, 500'000, "the same text for all rows, so that keys compare to their end");
  sql::AggregateCall call = Aggregate("array_agg", {Column(0, kBig)}, 500);
  call.order_by = {{Column(1, kText), false, false}, {Column(0, kBig), false, false}};
  env.ExpectQuick("ordered_aggregate",
                  std::make_shared<sql::AggregateNode>(MakeScan({kBig, kText}), std::vector<sql::AggregateNode::Key>(),
                                                       std::vector<sql::AggregateCall>{call}));
}

// Every step of the matcher is retried: each row goes to the limit of steps.
TEST(CancelTest, PatternsThatTakeLong) {
  Env env;
  Fill(&env.scans, 20'000, std::string(40, 'a') + "!");
  const sql::ExprPtr matches =
      Call("regexp_like", {Call("concat", {Column(1, kText), sql::MakeCast(Column(0, kBig), kText)}),
                           sql::MakeConstant(Value::Varchar("^(a+)+$"))});
  env.ExpectQuick("pattern", Count(std::make_shared<sql::FilterNode>(MakeScan({kBig, kText}), matches)), 0);
}

// The clock moves a millisecond with every batch that is read.
class SlowScans final : public ScanProvider {
 public:
  explicit SlowScans(ManualClock* clock) : clock_(clock) {}
  Result<std::shared_ptr<ScanSource>> OpenScan(const sql::ScanNode&, const EvalContext&) override {
    return std::shared_ptr<ScanSource>(std::make_shared<Scan>(this));
  }
  std::size_t batches = 0;

 private:
  class Scan final : public ScanSource {
   public:
    explicit Scan(SlowScans* of) : of_(of) {}
    Result<std::unique_ptr<SourceReader>> NewReader() override {
      return std::unique_ptr<SourceReader>(std::make_unique<Reader>(of_));
    }
    ScanFigures figures() const override { return {}; }

   private:
    SlowScans* const of_;
  };
  class Reader final : public SourceReader {
   public:
    explicit Reader(SlowScans* of) : of_(of) {}
    Result<bool> Next(Batch* batch) override {
      of_->clock_->Advance(kNsPerMs);
      ++of_->batches;
      batch->row_count = 1;
      batch->columns = {Vector::Constant(kBig, Value::Bigint(1), 1)};
      return true;  // for ever
    }

   private:
    SlowScans* const of_;
  };
  ManualClock* const clock_;
};

TEST(DeadlineTest, EndsAScanThatNeverEnds) {
  ManualClock clock(TimestampNs{0});
  SlowScans scans(&clock);
  MemoryBudget memory("query", std::size_t{64} << 20);
  ExecutionContext context;
  context.scans = &scans;
  context.memory = &memory;
  context.clock = &clock;
  context.deadline = Deadline::After(clock, 50 * kNsPerMs);
  const std::unique_ptr<QueryExecution> query = *Execute(Count(MakeScan({kBig})), context);
  Batch batch;
  EXPECT_EQ(CodeOf(query->Next(&batch).status()), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(scans.batches, 50U);
}

}  // namespace
}  // namespace tideline::exec
