#include <algorithm>
#include <set>

#include "storage/engine/engine_test_support.h"

namespace tideline::engine::testing {

TestBatch::TestBatch(const std::vector<TestRecord>& records) {
  dimensions_.reserve(records.size());
  measures_.reserve(records.size());
  for (const TestRecord& record : records) {
    auto& dimensions = dimensions_.emplace_back();
    for (const auto& [name, value] : record.dimensions) dimensions.push_back({name, value});
    auto& measures = measures_.emplace_back();
    for (const auto& [name, value] : record.measures) {
      struct Maker {
        std::string_view name;
        MeasureView operator()(std::int64_t v) const { return MeasureView::Bigint(v, name); }
        MeasureView operator()(double v) const { return MeasureView::Double(v, name); }
        MeasureView operator()(bool v) const { return MeasureView::Boolean(v, name); }
        MeasureView operator()(const std::string& v) const { return MeasureView::Varchar(v, name); }
        MeasureView operator()(TimestampNs v) const { return MeasureView::Timestamp(v.value, name); }
      };
      measures.push_back(std::visit(Maker{name}, value));
    }
    RecordView view;
    view.dimensions = dimensions;
    view.measure_name = record.measure_name;
    view.multi = record.measures.size() != 1 || !record.measures[0].first.empty();
    view.measures = measures;
    view.time = TimestampNs{record.time_ns};
    view.version = record.version;
    views_.push_back(view);
  }
}

RowKey KeyOf(const TestRecord& record) {
  Pairs sorted = record.dimensions;
  std::sort(sorted.begin(), sorted.end());
  std::string key;
  for (const auto& [name, value] : sorted) key += name + "=" + value + ",";
  return {key + "|" + record.measure_name, record.time_ns};
}

namespace {
std::string Text(const TestValue& value) {
  struct Printer {
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{:.17g}", v); }
    std::string operator()(bool v) const { return v ? "1" : "0"; }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(TimestampNs v) const { return fmt::format("{}", v.value); }
  };
  return std::visit(Printer{}, value);
}
std::string Text(const Value& value) {
  switch (value.type().physical()) {
    case PhysicalType::kDouble: return fmt::format("{:.17g}", value.floating());
    case PhysicalType::kString: return value.text();
    default: return fmt::format("{}", value.integer());
  }
}
}  // namespace

RowValues ValuesOf(const TestRecord& record) {
  RowValues values;
  for (const auto& [name, value] : record.measures) {
    static constexpr const char* kTypes[] = {"bigint", "double", "boolean", "varchar", "timestamp"};
    const std::string column =
        name.empty() ? std::string("measure_value::") + kTypes[value.index()] : name;
    values[column] = Text(value);
  }
  return values;
}

Rows ReadRows(const Snapshot& snapshot, ScanRequest request, RowFilter* filter) {
  Rows rows;
  const std::vector<catalog::Column> columns = snapshot.schema().Columns();
  request.columns.clear();
  for (const auto& column : columns) request.columns.push_back(column.id);
  auto scan = snapshot.Scan(request);
  EXPECT_TRUE(scan.ok()) << scan.status();
  if (!scan.ok()) return rows;
  for (std::size_t m = 0; m < (*scan)->morsel_count(); ++m) {
    auto morsel = (*scan)->OpenMorsel(m, {.filter = filter});
    EXPECT_TRUE(morsel.ok()) << morsel.status();
    if (!morsel.ok()) return rows;
    ScanBatch batch;
    for (;;) {
      const auto more = (*morsel)->Next(&batch);
      EXPECT_TRUE(more.ok()) << more.status();
      if (!more.ok() || !*more) break;
      EXPECT_LE(batch.row_count(), kBatchRowsMax);
      std::uint32_t next = 0;
      std::set<std::uint32_t> seen;
      for (const SeriesRun& run : batch.runs) {
        EXPECT_EQ(run.first_row, next);
        EXPECT_TRUE(seen.insert(run.series.value).second);
        next += run.row_count;
      }
      EXPECT_EQ(next, batch.row_count());
      std::size_t time_column = 0;
      while (columns[time_column].kind != catalog::ColumnKind::kTime) ++time_column;
      const Vector& times = batch.batch.columns[time_column];
      for (const SeriesRun& run : batch.runs) {
        for (std::uint32_t i = 1; i < run.row_count; ++i) {
          EXPECT_LT(times.GetValue(run.first_row + i - 1).integer(),
                    times.GetValue(run.first_row + i).integer());
        }
      }
      for (std::size_t row = 0; row < batch.row_count(); ++row) {
        std::vector<std::pair<std::string, std::string>> dimensions;
        std::string measure;
        std::int64_t time_ns = 0;
        RowValues values;
        for (std::size_t c = 0; c < columns.size(); ++c) {
          const Value value = batch.batch.columns[c].GetValue(row);
          if (value.is_null()) continue;
          switch (columns[c].kind) {
            case catalog::ColumnKind::kDimension:
              dimensions.emplace_back(columns[c].name, value.text());
              break;
            case catalog::ColumnKind::kMeasureName: measure = value.text(); break;
            case catalog::ColumnKind::kTime: time_ns = value.integer(); break;
            default: values[columns[c].name] = Text(value); break;
          }
        }
        std::sort(dimensions.begin(), dimensions.end());
        std::string key;
        for (const auto& [name, value] : dimensions) key += name + "=" + value + ",";
        const bool added = rows.emplace(RowKey{key + "|" + measure, time_ns}, values).second;
        EXPECT_TRUE(added) << "twice: " << key << measure << " " << time_ns;
      }
    }
  }
  return rows;
}

SimEngine::SimEngine(std::uint64_t seed) : disk(seed) {
  options.data_dir = "/data";
  options.file_system = &disk;
  options.clock = &clock;
  options.own_threads = false;
  options.uuid_seed = seed + 1;
  options.wal_file_bytes = 1 << 20;
  options.memory_bytes_max = std::size_t{1} << 30;
}

SimEngine::~SimEngine() = default;

Status SimEngine::Open() {
  auto opened = Engine::Open(options);
  if (!opened.ok()) return opened.status();
  engine_ = *std::move(opened);
  options.uuid_seed += 1000;
  return OkStatus();
}

void SimEngine::Crash(tideline::testing::Keep keep) {
  disk.CrashAtCall(1);
  engine_ = nullptr;
  disk.Restart(keep);
}

Status SimEngine::Create(const catalog::TableProperties& properties) {
  TL_TRY(engine_->CreateDatabase({.name = "db"}));
  TL_TRY(engine_->CreateTable("db", "t", properties));
  return OkStatus();
}

Result<std::vector<RecordResult>> SimEngine::Write(const std::vector<TestRecord>& records) {
  const TestBatch batch(records);
  return engine_->WriteAndWait(batch.View());
}

Verdict SimEngine::WriteOne(const TestRecord& record) {
  const auto results = Write({record});
  EXPECT_TRUE(results.ok()) << results.status();
  return results.ok() ? (*results)[0].verdict : Verdict::kNew;
}

Rows SimEngine::Read(ScanRequest request) {
  auto snapshot = engine_->OpenSnapshot("db", "t");
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  if (!snapshot.ok()) return {};
  return ReadRows(*snapshot, std::move(request));
}

}  // namespace tideline::engine::testing
