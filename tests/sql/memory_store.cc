#include <algorithm>
#include <map>
#include <tuple>

#include "columnar/text_format.h"
#include "columnar/value.h"
#include "exec/operators/streaming.h"
#include "table_store.h"

namespace tideline::slt {
namespace {

using catalog::Column;
using catalog::ColumnId;
using catalog::ColumnKind;
using catalog::TableSchema;

struct Row {
  std::map<std::uint32_t, Value> cells;  // by column id
};

struct MemoryTable {
  std::shared_ptr<TableSchema> schema;
  std::map<std::tuple<std::string, std::string, std::int64_t>, std::pair<std::int64_t, Row>> rows;
};

using Tables = std::map<std::pair<std::string, std::string>, MemoryTable>;

class MemoryCatalog final : public sql::CatalogView {
 public:
  std::vector<std::string> Databases() const override { return databases; }
  bool HasDatabase(std::string_view database) const override {
    return std::find(databases.begin(), databases.end(), database) != databases.end();
  }
  std::vector<std::string> Tables(std::string_view database) const override {
    std::vector<std::string> names;
    for (const auto& [name, table] : tables) {
      if (name.first == database) names.push_back(name.second);
    }
    return names;
  }
  catalog::TableSchemaPtr FindTable(std::string_view database, std::string_view table) const override {
    const auto found = tables.find({std::string(database), std::string(table)});
    // A copy: queries hold it while writes widen the table.
    return found == tables.end() ? nullptr : std::make_shared<const TableSchema>(*found->second.schema);
  }

  std::vector<std::string> databases;
  slt::Tables tables;
};

// Rows of one table that lie in the scan's ranges and pass its series predicates.
class MemoryScan final : public exec::ScanSource {
 public:
  explicit MemoryScan(std::vector<Batch> batches) : batches_(std::move(batches)) {}
  Result<std::unique_ptr<exec::SourceReader>> NewReader() override {
    return std::unique_ptr<exec::SourceReader>(std::make_unique<Reader>(this));
  }
  std::size_t workers_max() const override { return 64; }
  double EstimatedRows() const override { return 1e9; }
  exec::ScanFigures figures() const override { return {}; }

 private:
  class Reader final : public exec::SourceReader {
   public:
    explicit Reader(MemoryScan* scan) : scan_(scan) {}
    Result<bool> Next(Batch* batch) override {
      const std::size_t index = scan_->next_.fetch_add(1);
      if (index >= scan_->batches_.size()) return false;
      *batch = scan_->batches_[index];
      return true;
    }

   private:
    MemoryScan* const scan_;
  };
  const std::vector<Batch> batches_;
  std::atomic<std::size_t> next_{0};
};

class MemoryScans final : public exec::ScanProvider {
 public:
  explicit MemoryScans(const Tables* tables) : tables_(tables) {}

  Result<std::shared_ptr<exec::ScanSource>> OpenScan(const sql::ScanNode& node,
                                                     const exec::EvalContext& context) override {
    const auto found = tables_->find({node.table().database, node.table().table});
    if (found == tables_->end()) return NotFound("no table {}", node.table().table);
    std::vector<const Row*> rows;
    for (const auto& [key, versioned] : found->second.rows) {
      const bool passes = TL_TRY(Passes(node.spec(), versioned.second, context));
      if (passes) rows.push_back(&versioned.second);
    }
    std::vector<Batch> batches;
    // Small batches, so that operators see more than one.
    constexpr std::size_t kRows = 3;
    for (std::size_t first = 0; first < rows.size(); first += kRows) {
      batches.push_back(MakeBatch(node, std::span(rows).subspan(first, std::min(kRows, rows.size() - first))));
    }
    return std::shared_ptr<exec::ScanSource>(std::make_shared<MemoryScan>(std::move(batches)));
  }

 private:
  static Value CellOf(const Row& row, ColumnId column, const Type& type) {
    const auto found = row.cells.find(column.value);
    return found == row.cells.end() ? Value::Null(type) : found->second;
  }

  static Result<bool> Passes(const sql::ScanNode::Spec& spec, const Row& row,
                             const exec::EvalContext& context) {
    const std::int64_t time = row.cells.at(catalog::kTimeColumn.value).integer();
    const bool in_time = std::any_of(spec.time_ranges.begin(), spec.time_ranges.end(), [&](const auto& range) {
      return range.first_ns <= time && time <= range.last_ns;
    });
    if (!in_time) return false;
    for (const sql::SeriesPredicate& predicate : spec.series_predicates) {
      const Value value = CellOf(row, predicate.column, Type::Varchar());
      if (predicate.has_values) {
        const bool listed = value.is_null() ? predicate.includes_null
                                            : std::binary_search(predicate.values.begin(),
                                                                 predicate.values.end(), value.text());
        if (!listed) return false;
      }
      if (predicate.expression == nullptr) continue;
      exec::ColumnPositions columns;
      columns.Set(predicate.argument, 0);
      exec::Evaluator evaluator = TL_TRY(exec::Evaluator::Make(*predicate.expression, columns, context));
      Batch batch{{Vector::Constant(Type::Varchar(), value, 1)}, 1};
      std::vector<std::uint32_t> passed;
      const Status status = evaluator.Select(batch, Selection::All(1), &passed);
      if (status.ok() && passed.empty()) return false;
    }
    return true;
  }

  static Batch MakeBatch(const sql::ScanNode& node, std::span<const Row* const> rows) {
    Batch batch;
    batch.row_count = rows.size();
    const auto add = [&](ColumnId id, const Type& type) {
      std::vector<Value> values;
      for (const Row* row : rows) values.push_back(CellOf(*row, id, type));
      batch.columns.push_back(Vector::FromValues(type, values));
    };
    for (std::size_t i = 0; i < node.outputs().size(); ++i) {
      add(node.spec().storage_columns[i], node.outputs()[i].type);
    }
    for (std::size_t i = 0; i < node.spec().residual_columns.size(); ++i) {
      add(node.spec().residual_storage_columns[i], node.spec().residual_columns[i].type);
    }
    return batch;
  }

  const Tables* const tables_;
};

class MemoryStore final : public TableStore {
 public:
  const sql::CatalogView& catalog() const override { return catalog_; }
  Status CreateDatabase(const std::string& database) override {
    catalog_.databases.push_back(database);
    std::sort(catalog_.databases.begin(), catalog_.databases.end());
    return OkStatus();
  }
  Status CreateTable(const std::string& database, const std::string& table) override {
    MemoryTable& made = catalog_.tables[{database, table}];
    if (made.schema != nullptr) return OkStatus();
    made.schema = std::make_shared<TableSchema>();
    made.schema->id = {catalog_.tables.size()};
    made.schema->database = database;
    made.schema->table = table;
    return OkStatus();
  }
  Status Write(const std::string& database, const std::string& table,
               const std::vector<Record>& records) override {
    MemoryTable& target = catalog_.tables[{database, table}];
    for (const Record& record : records) TL_TRY(WriteRecord(target, record));
    return OkStatus();
  }
  std::unique_ptr<exec::ScanProvider> NewScans() override {
    return std::make_unique<MemoryScans>(&catalog_.tables);
  }

 private:
  static ColumnId ColumnFor(TableSchema& schema, std::vector<Column>& columns, const std::string& name,
                            ColumnKind kind, Type type) {
    for (const Column& column : columns) {
      if (column.name == name) return column.id;
    }
    columns.push_back({schema.next_column, name, kind, std::move(type)});
    ++schema.next_column.value;
    return columns.back().id;
  }

  static Result<std::pair<Value, catalog::MeasureType>> ValueOf(const Measure& measure) {
    using catalog::MeasureType;
    if (measure.type == "double") {
      const double value = TL_TRY(ParseDouble(measure.text));
      return std::pair(Value::Double(value), MeasureType::kDouble);
    }
    if (measure.type == "bigint") {
      const std::int64_t value = TL_TRY(ParseBigint(measure.text));
      return std::pair(Value::Bigint(value), MeasureType::kBigint);
    }
    if (measure.type == "timestamp") {
      const std::int64_t value = TL_TRY(ParseTimestamp(measure.text));
      return std::pair(Value::Timestamp(value), MeasureType::kTimestamp);
    }
    if (measure.type == "boolean") {
      return std::pair(Value::Boolean(measure.text == "true"), MeasureType::kBoolean);
    }
    return std::pair(Value::Varchar(measure.text), MeasureType::kVarchar);
  }

  static void NoteMeasure(TableSchema& schema, const Record& record, catalog::MeasureType type,
                          const std::vector<ColumnId>& dimensions) {
    for (auto& known : schema.measures) {
      if (known->name != record.measure_name) continue;
      catalog::Measure wider = *known;
      for (const ColumnId id : dimensions) {
        if (std::find(wider.dimensions.begin(), wider.dimensions.end(), id) == wider.dimensions.end()) {
          wider.dimensions.push_back(id);
        }
      }
      std::sort(wider.dimensions.begin(), wider.dimensions.end());
      known = std::make_shared<const catalog::Measure>(std::move(wider));
      return;
    }
    schema.measures.push_back(std::make_shared<const catalog::Measure>(
        catalog::Measure{record.measure_name, type, dimensions}));
  }

  Status WriteRecord(MemoryTable& target, const Record& record) {
    TableSchema& schema = *target.schema;
    Row row;
    std::string series;
    std::vector<ColumnId> dimensions;
    std::vector<Dimension> sorted = record.dimensions;
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const Dimension& dimension : sorted) series += dimension.name + '\0' + dimension.value + '\0';
    for (const Dimension& dimension : record.dimensions) {
      const ColumnId id = ColumnFor(schema, schema.dimensions, dimension.name, ColumnKind::kDimension,
                                    Type::Varchar());
      row.cells[id.value] = Value::Varchar(dimension.value);
      dimensions.push_back(id);
    }
    catalog::MeasureType type = catalog::MeasureType::kMulti;
    for (const Measure& measure : record.measures) {
      auto [value, measure_type] = TL_TRY(ValueOf(measure));
      const std::string name = record.multi ? measure.name : "measure_value::" + measure.type;
      const ColumnId id = ColumnFor(
          schema, schema.values, name,
          record.multi ? ColumnKind::kMultiAttribute : ColumnKind::kMeasureValue, value.type());
      row.cells[id.value] = std::move(value);
      if (!record.multi) type = measure_type;
    }
    row.cells[catalog::kMeasureNameColumn.value] = Value::Varchar(record.measure_name);
    row.cells[catalog::kTimeColumn.value] = Value::Timestamp(record.time_ns);
    NoteMeasure(schema, record, type, dimensions);
    auto& stored = target.rows[{series, record.measure_name, record.time_ns}];
    if (record.version >= stored.first) stored = {record.version, std::move(row)};
    return OkStatus();
  }

  MemoryCatalog catalog_;
};

}  // namespace

std::unique_ptr<TableStore> NewMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace tideline::slt
