#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "columnar/text_format.h"
#include "exec/scan/engine_scan.h"
#include "storage/engine/engine.h"
#include "storage/fs/posix_file_system.h"
#include "table_store.h"

namespace tideline::slt {
namespace {

constexpr std::size_t kNamesMax = 10'000;

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

class EngineStore final : public TableStore {
 public:
  EngineStore(std::string directory, bool files) : directory_(std::move(directory)), files_(files) {}
  ~EngineStore() override {
    catalog_.reset();
    if (engine_ != nullptr) static_cast<void>(engine_->Stop());
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  Status Open(const Clock* clock) {
    engine::EngineOptions options;
    options.data_dir = directory_ + "/data";
    options.file_system = &fs::PosixFileSystem();
    options.clock = clock;
    engine_ = TL_TRY(engine::Engine::Open(options));
    catalog_ = std::make_unique<EngineCatalog>(engine_->catalog());
    return OkStatus();
  }

  const sql::CatalogView& catalog() const override { return *catalog_; }
  std::unique_ptr<exec::ScanProvider> NewScans() override {
    return exec::NewEngineScanProvider(engine_.get());
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
    return files_ ? engine_->Checkpoint() : OkStatus();
  }

 private:
  const std::string directory_;
  const bool files_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<EngineCatalog> catalog_;
};

}  // namespace

Result<std::unique_ptr<TableStore>> NewEngineStore(const Clock* clock, bool files) {
  std::string name = (std::filesystem::temp_directory_path() / "tideline_slt_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return Unavailable("no temporary directory at {}", name);
  auto store = std::make_unique<EngineStore>(name, files);
  TL_TRY(store->Open(clock));
  return std::unique_ptr<TableStore>(std::move(store));
}

}  // namespace tideline::slt
