// Group-by throughput over batches as a scan delivers them: rows grouped by series, ordered by time.
#include <benchmark/benchmark.h>

#include "exec/testing.h"
#include "sql/plan/filter_node.h"

namespace tideline::exec {
namespace {

constexpr std::size_t kValueColumns = 10;

std::vector<Type> BenchTypes() {
  std::vector<Type> types{Type::Varchar(), Type::Timestamp()};
  types.insert(types.end(), kValueColumns, Type::Double());
  return types;
}

// Rows (host, time, v0 … v9) of `hosts` series, one row every `step_s` seconds.
void FillBench(testing::FakeScans* scans, std::size_t hosts, std::size_t rows_per_host,
               std::int64_t step_s) {
  std::vector<Value> names;
  for (std::size_t h = 0; h < hosts; ++h) names.push_back(Value::Varchar(fmt::format("host_{:06}", h)));
  const auto base = std::make_shared<const Vector>(Vector::FromValues(Type::Varchar(), names));
  const std::size_t total = hosts * rows_per_host;
  for (std::size_t first = 0; first < total; first += kBatchRowsMax) {
    const std::size_t count = std::min(kBatchRowsMax, total - first);
    auto codes = std::make_shared<Buffer>(count * sizeof(std::uint32_t));
    Vector times = Vector::Flat(Type::Timestamp(), count);
    Vector values = Vector::Flat(Type::Double(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = first + i;
      reinterpret_cast<std::uint32_t*>(codes->data())[i] = static_cast<std::uint32_t>(row / rows_per_host);
      times.mutable_values<std::int64_t>()[i] =
          static_cast<std::int64_t>(row % rows_per_host) * step_s * kNsPerSecond;
      values.mutable_values<double>()[i] = static_cast<double>(row % 97);
    }
    Batch batch;
    batch.row_count = count;
    batch.columns = {Vector::Dictionary(base, codes, count), times};
    for (std::size_t c = 0; c < kValueColumns; ++c) batch.columns.push_back(values);
    scans->batches.push_back(std::move(batch));
  }
}

void RunPlan(benchmark::State& state, testing::FakeScans& scans, const sql::PlanNodePtr& plan,
             std::size_t values_per_row) {
  std::size_t rows = 0;
  for (const Batch& batch : scans.batches) rows += batch.row_count;
  MemoryBudget memory("bench", std::size_t{2} << 30);
  for (auto _ : state) {
    ExecutionContext context;
    context.scans = &scans;
    context.memory = &memory;
    const auto query = Execute(plan, context);
    TL_CHECK(query.ok());
    Batch batch;
    for (;;) {
      const Result<bool> more = (*query)->Next(&batch);
      TL_CHECK(more.ok());
      if (!*more) break;
      benchmark::DoNotOptimize(batch.row_count);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(rows) * state.iterations());
  state.counters["values/s"] = benchmark::Counter(
      static_cast<double>(rows * values_per_row) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}

std::vector<sql::AggregateCall> TenAverages() {
  std::vector<sql::AggregateCall> calls;
  for (std::uint32_t c = 0; c < kValueColumns; ++c) {
    calls.push_back(testing::Aggregate("avg", {testing::Column(2 + c, Type::Double())}, 200 + c));
  }
  return calls;
}

// avg(ten columns) GROUP BY host, bin(time, 1h); the argument is the seconds between rows.
void BM_GroupByHostAndHour(benchmark::State& state) {
  testing::FakeScans scans;
  const std::int64_t step_s = state.range(0);
  FillBench(&scans, 100, 20'000, step_s);
  const auto time = testing::Column(1, Type::Timestamp());
  const auto hour = testing::Call("bin", {time, sql::MakeConstant(Value::DayToSecond(kNsPerHour))});
  const auto plan = std::make_shared<sql::AggregateNode>(
      testing::MakeScan(BenchTypes()),
      std::vector<sql::AggregateNode::Key>{
          {{{100}, "host", Type::Varchar()}, testing::Column(0, Type::Varchar())},
          {{{101}, "hour", Type::Timestamp()}, hour}},
      TenAverages());
  RunPlan(state, scans, plan, kValueColumns);
}
BENCHMARK(BM_GroupByHostAndHour)->Arg(10)->Arg(60)->Arg(600)->Unit(benchmark::kMillisecond);

// The same keys, rows in no order: every row is a run of its own.
void BM_GroupByScattered(benchmark::State& state) {
  testing::FakeScans scans;
  FillBench(&scans, static_cast<std::size_t>(state.range(0)), 10, 10);
  const auto plan = std::make_shared<sql::AggregateNode>(
      testing::MakeScan(BenchTypes()),
      std::vector<sql::AggregateNode::Key>{
          {{{100}, "value", Type::Double()}, testing::Column(2, Type::Double())}},
      TenAverages());
  RunPlan(state, scans, plan, kValueColumns);
}
BENCHMARK(BM_GroupByScattered)->Arg(100'000)->Unit(benchmark::kMillisecond);

void BM_FilterCount(benchmark::State& state) {
  testing::FakeScans scans;
  FillBench(&scans, 100, 20'000, 10);
  const auto filter = std::make_shared<sql::FilterNode>(
      testing::MakeScan(BenchTypes()),
      testing::Call("$less", {testing::Column(2, Type::Double()), sql::MakeConstant(Value::Double(10))}));
  const auto plan = std::make_shared<sql::AggregateNode>(
      filter, std::vector<sql::AggregateNode::Key>{},
      std::vector<sql::AggregateCall>{testing::Aggregate("count", {}, 200)});
  RunPlan(state, scans, plan, 1);
}
BENCHMARK(BM_FilterCount)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tideline::exec
