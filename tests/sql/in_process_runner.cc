#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/thread_pool.h"
#include "columnar/text_format.h"
#include "exec/query.h"
#include "exec/scan/engine_scan.h"
#include "query_runner.h"
#include "sql/compile.h"
#include "storage/engine/engine.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::slt {
namespace {

constexpr std::size_t kNamesMax = 10'000;
constexpr std::size_t kQueryMemoryMax = std::size_t{512} << 20;

/// The engine's catalog as the binder asks for it.
class EngineCatalog final : public sql::CatalogView {
 public:
  explicit EngineCatalog(const catalog::Catalog& catalog) : catalog_(catalog) {}
  std::vector<std::string> Databases() const override {
    std::vector<std::string> names;
    for (const auto& database : catalog_.ListDatabases("", kNamesMax)) names.push_back(database->name);
    return names;
  }
  bool HasDatabase(std::string_view database) const override {
    return catalog_.FindDatabase(database) != nullptr;
  }
  std::vector<std::string> Tables(std::string_view database) const override {
    std::vector<std::string> names;
    for (const auto& table : catalog_.ListTables(database, "", kNamesMax)) names.push_back(table->table);
    return names;
  }
  catalog::TableSchemaPtr FindTable(std::string_view database, std::string_view table) const override {
    return catalog_.FindTable(database, table);
  }

 private:
  const catalog::Catalog& catalog_;
};

Result<engine::MeasureView> MeasureOf(const Measure& measure) {
  if (measure.type == "double") {
    return engine::MeasureView::Double(TL_TRY(ParseDouble(measure.text)), measure.name);
  }
  if (measure.type == "bigint") {
    return engine::MeasureView::Bigint(TL_TRY(ParseBigint(measure.text)), measure.name);
  }
  if (measure.type == "boolean") {
    return engine::MeasureView::Boolean(measure.text == "true", measure.name);
  }
  if (measure.type == "timestamp") {
    return engine::MeasureView::Timestamp(TL_TRY(ParseTimestamp(measure.text)), measure.name);
  }
  if (measure.type == "varchar") return engine::MeasureView::Varchar(measure.text, measure.name);
  return InvalidArgument("unknown measure type '{}'", measure.type);
}

class InProcessRunner final : public QueryRunner {
 public:
  InProcessRunner(const InProcessOptions& options, std::string directory)
      : options_(options), directory_(std::move(directory)), clock_(TimestampNs{1'704'196'800'000'000'000}) {
    if (options.threads > 1) {
      pool_ = std::make_unique<ThreadPool>(ThreadPoolOptions{.name = "query", .thread_count = options.threads});
    }
  }
  ~InProcessRunner() override {
    if (pool_ != nullptr) pool_->Stop();
    if (engine_ != nullptr) static_cast<void>(engine_->Stop());
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  Status Open() {
    engine::EngineOptions options;
    options.data_dir = directory_ + "/data";
    options.file_system = &fs::PosixFileSystem();
    options.clock = &clock_;
    engine_ = TL_TRY(engine::Engine::Open(options));
    return OkStatus();
  }

  Status SetClock(std::int64_t now_ns) override {
    clock_.SetWall({now_ns});
    return OkStatus();
  }

  Status CreateDatabase(const std::string& database) override {
    TL_TRY(engine_->CreateDatabase({.name = database}));
    return OkStatus();
  }

  Status CreateTable(const std::string& database, const std::string& table) override {
    if (engine_->catalog().FindTable(database, table) != nullptr) return OkStatus();
    TL_TRY(engine_->CreateTable(database, table, {}));
    return OkStatus();
  }

  Status Write(const std::string& database, const std::string& table,
               const std::vector<Record>& records) override {
    std::vector<std::vector<engine::DimensionView>> dimensions(records.size());
    std::vector<std::vector<engine::MeasureView>> measures(records.size());
    std::vector<engine::RecordView> views;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Record& record = records[i];
      for (const Dimension& dimension : record.dimensions) {
        dimensions[i].push_back({dimension.name, dimension.value});
      }
      for (const Measure& measure : record.measures) {
        engine::MeasureView view = TL_TRY(MeasureOf(measure));
        measures[i].push_back(view);
      }
      engine::RecordView view;
      view.dimensions = dimensions[i];
      view.measure_name = record.measure_name;
      view.multi = record.multi;
      view.measures = measures[i];
      view.time = {record.time_ns};
      view.version = record.version;
      views.push_back(view);
    }
    const auto results = TL_TRY(engine_->WriteAndWait({database, table, views}));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!engine::IsAccepted(results[i].verdict)) {
        return InvalidArgument("record {} was refused, verdict {}", i, static_cast<int>(results[i].verdict));
      }
    }
    return OkStatus();
  }

  Result<Answer> Query(const std::string& sql, bool compat_profile) override {
    const TimestampNs now{clock_.WallNow().value / kNsPerMs * kNsPerMs};
    const EngineCatalog catalog(engine_->catalog());
    sql::CompileOptions compile;
    compile.bind.profile = compat_profile ? sql::Profile::kCompat : sql::Profile::kExtended;
    compile.bind.now = now;
    compile.optimizer_enabled = options_.optimizer;
    const sql::BoundStatement statement = TL_TRY(sql::CompileStatement(sql, catalog, compile));

    MemoryBudget memory("query", kQueryMemoryMax);
    const std::unique_ptr<exec::ScanProvider> scans = exec::NewEngineScanProvider(engine_.get());
    exec::ExecutionContext context;
    context.now = now;
    context.compat_profile = compat_profile;
    context.scans = scans.get();
    context.memory = &memory;
    if (pool_ != nullptr) {
      context.pool = pool_.get();
      context.workers_max = options_.threads;
      context.inline_rows_max = 0;
    }
    std::unique_ptr<exec::QueryExecution> query = TL_TRY(exec::ExecuteStatement(statement, context));
    return Collect(statement, *query);
  }

 private:
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
  const std::string directory_;
  ManualClock clock_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace

Result<std::unique_ptr<QueryRunner>> NewInProcessRunner(const InProcessOptions& options) {
  std::string name = (std::filesystem::temp_directory_path() / "tideline_slt_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return Unavailable("no temporary directory at {}", name);
  auto runner = std::make_unique<InProcessRunner>(options, name);
  TL_TRY(runner->Open());
  return std::unique_ptr<QueryRunner>(std::move(runner));
}

}  // namespace tideline::slt
