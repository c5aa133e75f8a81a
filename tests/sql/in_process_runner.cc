#include <unistd.h>

#include <cstdlib>

#include "base/thread_pool.h"
#include "columnar/text_format.h"
#include "exec/query.h"
#include "query_runner.h"
#include "sql/compile.h"
#include "storage/fs/posix_file_system.h"
#include "table_store.h"

namespace tideline::slt {
namespace {

constexpr std::size_t kQueryMemoryMax = std::size_t{512} << 20;
constexpr TimestampNs kFirstNow{1'704'196'800'000'000'000};  // 2024-01-02 12:00:00

class InProcessRunner final : public QueryRunner {
 public:
  explicit InProcessRunner(const InProcessOptions& options) : options_(options), clock_(kFirstNow) {
    if (options.threads > 1) {
      pool_ = std::make_unique<ThreadPool>(
          ThreadPoolOptions{.name = "query", .thread_count = options.threads});
    }
  }
  ~InProcessRunner() override {
    if (pool_ != nullptr) pool_->Stop();
    if (!spill_directory_.empty()) rmdir(spill_directory_.c_str());
  }

  Status Open() {
    if (options_.memory_store) {
      store_ = NewMemoryStore();
    } else {
      store_ = TL_TRY(NewEngineStore(&clock_, options_.files));
    }
    return options_.spill ? OpenSpill() : OkStatus();
  }
  bool keeps_order() const override { return !options_.spill; }

  Status SetClock(std::int64_t now_ns) override {
    clock_.SetWall({now_ns});
    return OkStatus();
  }
  Status CreateDatabase(const std::string& database) override {
    return store_->CreateDatabase(database);
  }
  Status CreateTable(const std::string& database, const std::string& table) override {
    return store_->CreateTable(database, table);
  }
  Status Write(const std::string& database, const std::string& table,
               const std::vector<Record>& records) override {
    return store_->Write(database, table, records);
  }

  Result<Answer> Query(const std::string& sql, bool compat_profile) override {
    const TimestampNs now{clock_.WallNow().value / kNsPerMs * kNsPerMs};
    sql::CompileOptions compile;
    compile.bind.profile = compat_profile ? sql::Profile::kCompat : sql::Profile::kExtended;
    compile.bind.now = now;
    compile.optimizer_enabled = options_.optimizer;
    const sql::BoundStatement statement = TL_TRY(sql::CompileStatement(sql, store_->catalog(), compile));

    MemoryBudget memory("query", kQueryMemoryMax);
    const std::unique_ptr<exec::ScanProvider> scans = store_->NewScans();
    exec::ExecutionContext context;
    context.now = now;
    context.compat_profile = compat_profile;
    context.scans = scans.get();
    context.memory = &memory;
    context.spill = spill_.get();
    context.spill_eagerly = options_.spill;
    context.window_rows_min = 0;  // however small the table
    if (pool_ != nullptr) {
      context.pool = pool_.get();
      context.workers_max = options_.threads;
      context.inline_rows_max = 0;
    }
    std::unique_ptr<exec::QueryExecution> query = TL_TRY(exec::ExecuteStatement(statement, context));
    return Collect(statement, *query);
  }

 private:
  Status OpenSpill() {
    const char* parent = std::getenv("TMPDIR");
    std::string path = fmt::format("{}/tideline-slt-spill-XXXXXX", parent == nullptr ? "/tmp" : parent);
    if (mkdtemp(path.data()) == nullptr) return Unavailable("no directory for spill files at {}", path);
    spill_directory_ = path;
    exec::SpillOptions options;
    options.file_system = &fs::PosixFileSystem();
    options.directory = path;
    options.sealer = &sealer_;
    spill_ = TL_TRY(exec::SpillSpace::Open(std::move(options)));
    return OkStatus();
  }

  static Result<Answer> Collect(const sql::BoundStatement& statement, exec::QueryExecution& query) {
    Answer answer;
    for (const sql::ResultColumn& column : statement.columns) {
      answer.names.push_back(column.name);
      answer.types.push_back(column.type);
    }
    Batch batch;
    for (;;) {
      const bool more = TL_TRY(query.Next(&batch));
      if (!more) return answer;
      for (std::size_t row = 0; row < batch.row_count; ++row) {
        std::vector<std::optional<std::string>> cells;
        for (const Vector& column : batch.columns) {
          if (column.IsNull(row)) {
            cells.emplace_back();
            continue;
          }
          std::string text;
          AppendText(column, row, &text);
          cells.emplace_back(std::move(text));
        }
        answer.rows.push_back(std::move(cells));
      }
    }
  }

  const InProcessOptions options_;
  ManualClock clock_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<TableStore> store_;
  seal::PlainSealer sealer_;
  std::unique_ptr<exec::SpillSpace> spill_;
  std::string spill_directory_;
};

}  // namespace

Result<std::unique_ptr<QueryRunner>> NewInProcessRunner(const InProcessOptions& options) {
  auto runner = std::make_unique<InProcessRunner>(options);
  TL_TRY(runner->Open());
  return std::unique_ptr<QueryRunner>(std::move(runner));
}

}  // namespace tideline::slt
