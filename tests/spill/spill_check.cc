// spill_check [--budget-mb N] [--data-mb N] [--threads N] [--directory PATH] [sort|aggregate|distinct|join]…
//
// Runs queries whose intermediate result is `data-mb` large under a memory budget of `budget-mb`, checks
// their answers against sums known beforehand, and prints what they took. Status 1 when an answer is
// wrong, a query fails, nothing was spilled, or the process takes more memory than the budget and kProcessBytes.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include "exec/operators/print_report.h"
#include "exec/testing.h"
#include "sql/plan/join_node.h"
#include "sql/plan/sort_node.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::exec {
namespace {

using testing::Aggregate;
using testing::Column;
using testing::MakeScan;

constexpr std::size_t kPayloadBytes = 80;
// A row as operators hold it: a number, a value, a text and its reference.
constexpr std::size_t kRowBytes = 2 * 8 + 16 + kPayloadBytes;
/// What the process takes beside the budget: code, stacks, the rows of a generator on their way.
constexpr std::uint64_t kProcessBytes = std::uint64_t{36} << 20;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsOwn = false;  // a sanitizer's shadow and quarantine count as well
#else
constexpr bool kMemoryIsOwn = true;
#endif
/// How long closing what was spilled may take.
constexpr std::int64_t kCloseNsMax = 30 * kNsPerSecond;

// A number that scatters 0, 1, 2, … and never collides.
std::uint64_t Scatter(std::uint64_t i) { return i * 0x9e3779b97f4a7c15U; }

std::string Payload(std::uint64_t key) {
  std::string text = fmt::format("{:020}", key);
  while (text.size() < kPayloadBytes) text += static_cast<char>('a' + (text.size() * 7 + key) % 26);
  return text;
}

// Rows (key bigint, value bigint, payload varchar), made batch by batch when they are read.
class Generator final : public ScanSource {
 public:
  Generator(std::uint64_t rows, std::uint64_t keys) : rows_(rows), keys_(keys) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override {
    return std::unique_ptr<SourceReader>(std::make_unique<Reader>(this));
  }
  std::size_t workers_max() const override { return 64; }
  double EstimatedRows() const override { return static_cast<double>(rows_); }
  ScanFigures figures() const override { return {}; }

 private:
  class Reader final : public SourceReader {
   public:
    explicit Reader(Generator* of) : of_(of) {}
    Result<bool> Next(Batch* batch) override {
      const std::uint64_t first = of_->next_.fetch_add(kBatchRowsMax);
      if (first >= of_->rows_) return false;
      const std::size_t count = std::min<std::uint64_t>(kBatchRowsMax, of_->rows_ - first);
      Vector keys = Vector::Flat(Type::Bigint(), count);
      Vector values = Vector::Flat(Type::Bigint(), count);
      Vector payloads = Vector::Flat(Type::Varchar(), count);
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = Scatter((first + i) % of_->keys_);
        keys.mutable_values<std::int64_t>()[i] = static_cast<std::int64_t>(key);
        values.mutable_values<std::int64_t>()[i] = static_cast<std::int64_t>((first + i) % 1000);
        payloads.SetString(i, Payload(key));
      }
      batch->row_count = count;
      batch->columns = {keys, values, payloads};
      return true;
    }

   private:
    Generator* const of_;
  };
  const std::uint64_t rows_;
  const std::uint64_t keys_;
  std::atomic<std::uint64_t> next_{0};
};

class Generators final : public ScanProvider {
 public:
  Generators(std::uint64_t rows, std::uint64_t keys) : rows_(rows), keys_(keys) {}
  Result<std::shared_ptr<ScanSource>> OpenScan(const sql::ScanNode&, const EvalContext&) override {
    return std::shared_ptr<ScanSource>(std::make_shared<Generator>(rows_, keys_));
  }

 private:
  const std::uint64_t rows_;
  const std::uint64_t keys_;
};

struct Options {
  std::uint64_t budget_bytes = std::uint64_t{16} << 20;
  std::uint64_t data_bytes = std::uint64_t{200} << 20;
  std::size_t threads = 2;
  std::string directory;
  std::vector<std::string> checks;
};

const std::vector<Type> kTypes{Type::Bigint(), Type::Bigint(), Type::Varchar()};

struct Figures {
  std::uint64_t rows = 0;
  std::uint64_t spilled_bytes = 0;
};

void AddSpilled(const OperatorReport& report, std::uint64_t* bytes) {
  *bytes += report.spilled_bytes;
  for (const OperatorReport& child : report.children) AddSpilled(child, bytes);
}

Status Run(const std::string& name, const Options& options, SpillSpace* space, const sql::PlanNodePtr& plan,
           std::uint64_t rows, std::uint64_t keys, const std::function<Status(const Batch&)>& check, Figures* figures) {
  Generators scans(rows, keys);
  MemoryBudget memory("query", options.budget_bytes);
  ThreadPool pool({.name = "query", .thread_count = options.threads});
  const std::int64_t start = SystemClock().SteadyNow().value;
  {
    ExecutionContext context;
    context.scans = &scans;
    context.memory = &memory;
    context.spill = space;
    context.pool = &pool;
    context.workers_max = options.threads;
    const std::unique_ptr<QueryExecution> query = TL_TRY(Execute(plan, context));
    Batch batch;
    while (TL_TRY(query->Next(&batch))) {
      figures->rows += batch.row_count;
      TL_TRY(check(batch));
    }
    AddSpilled(query->Report(), &figures->spilled_bytes);
    if (std::getenv("SPILL_CHECK_VERBOSE") != nullptr) fmt::print("{}", PrintReport(query->Report()));
  }
  pool.Stop();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{}: {} rows out, {:.1f} s, budget {} MiB, peak {:.1f} MiB, spilled {:.1f} MiB, process peak {} MiB\n", name,
             figures->rows, static_cast<double>(SystemClock().SteadyNow().value - start) / 1e9,
             options.budget_bytes >> 20, static_cast<double>(memory.peak_bytes()) / (1 << 20),
             static_cast<double>(figures->spilled_bytes) / (1 << 20), usage.ru_maxrss / 1024);
  if (figures->spilled_bytes == 0) return Internal("nothing was spilled");
  const std::uint64_t process_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  if (kMemoryIsOwn && process_bytes > options.budget_bytes + kProcessBytes) {
    return Internal("the process took {} MiB", process_bytes >> 20);
  }
  if (memory.used_bytes() != 0) return Internal("{} bytes are still charged", memory.used_bytes());
  // Large files are closed by a thread of the space.
  const std::int64_t deadline = SystemClock().SteadyNow().value + kCloseNsMax;
  while (space->used_bytes() != 0 && SystemClock().SteadyNow().value < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (space->used_bytes() != 0) return Internal("{} bytes are still on disk", space->used_bytes());
  return OkStatus();
}

Status Expect(const char* what, std::uint64_t seen, std::uint64_t expected) {
  if (seen == expected) return OkStatus();
  return Internal("{} is {}, expected {}", what, seen, expected);
}

std::uint64_t SumOfValues(std::uint64_t rows) {
  const std::uint64_t whole = rows / 1000;
  const std::uint64_t rest = rows % 1000;
  return whole * 499'500 + rest * (rest - 1) / 2;
}

Status CheckSort(const Options& options, SpillSpace* space) {
  const std::uint64_t rows = options.data_bytes / kRowBytes;
  const auto plan = std::make_shared<sql::SortNode>(MakeScan(kTypes), std::vector<sql::SortKey>{{{0}, false, false}});
  std::int64_t last = INT64_MIN;
  std::uint64_t sum = 0;
  Figures figures;
  TL_TRY(Run("sort", options, space, plan, rows, rows,
             [&](const Batch& batch) {
               const Reader<std::int64_t> keys(batch.columns[0]);
               const Reader<std::int64_t> values(batch.columns[1]);
               const Reader<StringRef> payloads(batch.columns[2]);
               for (std::size_t i = 0; i < batch.row_count; ++i) {
                 if (keys[i] <= last) return Internal("key {} after {}", keys[i], last);
                 last = keys[i];
                 sum += static_cast<std::uint64_t>(values[i]);
                 if (i % 97 == 0 && payloads[i].view() != Payload(static_cast<std::uint64_t>(keys[i]))) {
                   return Internal("a row was torn apart");
                 }
               }
               return OkStatus();
             },
             &figures));
  TL_TRY(Expect("the number of rows", figures.rows, rows));
  return Expect("the sum", sum, SumOfValues(rows));
}

// Two rows per group; the keys are number and text.
Status CheckAggregate(const Options& options, SpillSpace* space) {
  const std::uint64_t groups = options.data_bytes / kRowBytes / 2;
  const std::uint64_t rows = groups * 2;
  std::vector<sql::AggregateNode::Key> keys;
  keys.push_back({{{100}, "k", kTypes[0]}, Column(0, kTypes[0])});
  keys.push_back({{{101}, "p", kTypes[2]}, Column(2, kTypes[2])});
  const auto plan = std::make_shared<sql::AggregateNode>(
      MakeScan(kTypes), keys,
      std::vector<sql::AggregateCall>{Aggregate("count", {}, 102), Aggregate("sum", {Column(1, kTypes[1])}, 103),
                                      Aggregate("array_agg", {Column(1, kTypes[1])}, 104)});
  std::uint64_t sum = 0;
  Figures figures;
  TL_TRY(Run("aggregate", options, space, plan, rows, groups,
             [&](const Batch& batch) {
               const Reader<std::int64_t> ids(batch.columns[0]);
               const Reader<StringRef> payloads(batch.columns[1]);
               const Reader<std::int64_t> counts(batch.columns[2]);
               const Reader<std::int64_t> sums(batch.columns[3]);
               const Reader<ListEntry> lists(batch.columns[4]);
               for (std::size_t i = 0; i < batch.row_count; ++i) {
                 if (counts[i] != 2 || lists[i].length != 2) return Internal("a group of {} rows", counts[i]);
                 sum += static_cast<std::uint64_t>(sums[i]);
                 if (i % 97 == 0 && payloads[i].view() != Payload(static_cast<std::uint64_t>(ids[i]))) {
                   return Internal("a group was torn apart");
                 }
               }
               return OkStatus();
             },
             &figures));
  TL_TRY(Expect("the number of groups", figures.rows, groups));
  return Expect("the sum", sum, SumOfValues(rows));
}

// One group, all values distinct.
Status CheckDistinct(const Options& options, SpillSpace* space) {
  const std::uint64_t rows = options.data_bytes / kRowBytes;
  sql::AggregateCall call = Aggregate("count", {Column(2, kTypes[2])}, 100);
  call.distinct = true;
  const auto plan = std::make_shared<sql::AggregateNode>(MakeScan(kTypes), std::vector<sql::AggregateNode::Key>(),
                                                         std::vector<sql::AggregateCall>{call});
  std::uint64_t count = 0;
  Figures figures;
  TL_TRY(Run("distinct", options, space, plan, rows, rows / 2,
             [&](const Batch& batch) {
               count = static_cast<std::uint64_t>(batch.columns[0].values<std::int64_t>()[0]);
               return OkStatus();
             },
             &figures));
  return Expect("the number of distinct values", count, rows / 2);
}

// Every row with the one that has its key: as many rows come out as went in.
Status CheckJoin(const Options& options, SpillSpace* space) {
  const std::uint64_t rows = options.data_bytes / kRowBytes;
  sql::JoinNode::Spec spec;
  spec.kind = sql::JoinKind::kInner;
  spec.condition = testing::Call("$equal", {Column(0, kTypes[0]), Column(10, kTypes[0])});
  const auto plan = std::make_shared<sql::JoinNode>(MakeScan(kTypes), MakeScan(kTypes, 10), std::move(spec));
  std::uint64_t sum = 0;
  Figures figures;
  TL_TRY(Run("join", options, space, plan, rows, rows,
             [&](const Batch& batch) {
               const Reader<std::int64_t> left(batch.columns[0]);
               const Reader<std::int64_t> right(batch.columns[3]);
               const Reader<std::int64_t> values(batch.columns[4]);
               const Reader<StringRef> payloads(batch.columns[5]);
               for (std::size_t i = 0; i < batch.row_count; ++i) {
                 if (left[i] != right[i]) return Internal("a pair of {} and {}", left[i], right[i]);
                 sum += static_cast<std::uint64_t>(values[i]);
                 if (i % 97 == 0 && payloads[i].view() != Payload(static_cast<std::uint64_t>(right[i]))) {
                   return Internal("a row was torn apart");
                 }
               }
               return OkStatus();
             },
             &figures));
  TL_TRY(Expect("the number of pairs", figures.rows, rows));
  return Expect("the sum", sum, SumOfValues(rows));
}

struct Check {
  const char* name;
  Status (*run)(const Options&, SpillSpace*);
};
constexpr Check kChecks[] = {
    {"sort", CheckSort}, {"aggregate", CheckAggregate}, {"distinct", CheckDistinct}, {"join", CheckJoin}};

Status RunAll(const Options& options) {
  seal::PlainSealer sealer;
  SpillOptions spill;
  spill.file_system = &fs::PosixFileSystem();
  spill.directory = options.directory;
  spill.sealer = &sealer;
  const std::unique_ptr<SpillSpace> space = TL_TRY(SpillSpace::Open(std::move(spill)));
  for (const Check& check : kChecks) {
    const bool wanted = options.checks.empty() ||
                        std::find(options.checks.begin(), options.checks.end(), check.name) != options.checks.end();
    if (!wanted) continue;
    const Status status = check.run(options, space.get());
    if (!status.ok()) return Annotate(status, check.name);
  }
  return OkStatus();
}

}  // namespace
}  // namespace tideline::exec

int main(int argc, char** argv) {
  tideline::exec::Options options;
  options.directory = fmt::format("{}/tideline-spill-check-{}", std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp",
                                  getpid());
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto number = [&] { return std::strtoull(argv[++i], nullptr, 10); };
    if (word == "--budget-mb" && i + 1 < argc) {
      options.budget_bytes = number() << 20;
    } else if (word == "--data-mb" && i + 1 < argc) {
      options.data_bytes = number() << 20;
    } else if (word == "--threads" && i + 1 < argc) {
      options.threads = number();
    } else if (word == "--directory" && i + 1 < argc) {
      options.directory = argv[++i];
    } else {
      options.checks.push_back(word);
    }
  }
  const tideline::Status status = tideline::exec::RunAll(options);
  rmdir(options.directory.c_str());
  if (status.ok()) return 0;
  fmt::print("failed: {}\n", tideline::MessageOf(status));
  return 1;
}
