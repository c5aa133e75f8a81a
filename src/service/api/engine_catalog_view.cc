#include "service/api/engine_catalog_view.h"

namespace tideline::api {

std::vector<std::string> EngineCatalogView::Databases() const {
  std::vector<std::string> names;
  for (const auto& database : engine_.catalog().ListDatabases({}, SIZE_MAX)) {
    names.push_back(database->name);
  }
  return names;
}

bool EngineCatalogView::HasDatabase(std::string_view database) const {
  return engine_.catalog().FindDatabase(database) != nullptr;
}

std::vector<std::string> EngineCatalogView::Tables(std::string_view database) const {
  std::vector<std::string> names;
  for (const auto& table : engine_.catalog().ListTables(database, {}, SIZE_MAX)) {
    names.push_back(table->table);
  }
  return names;
}

catalog::TableSchemaPtr EngineCatalogView::FindTable(std::string_view database,
                                                     std::string_view table) const {
  return engine_.catalog().FindTable(database, table);
}

std::optional<double> EngineCatalogView::RowCount(const catalog::TableSchema& table) const {
  const Result<engine::Snapshot> snapshot = engine_.OpenSnapshot(table.id);
  if (!snapshot.ok()) return std::nullopt;
  return static_cast<double>(snapshot->Totals().rows);
}

std::optional<double> EngineCatalogView::Rows(const sql::ScanNode& scan) const {
  const Result<engine::Snapshot> snapshot = engine_.OpenSnapshot(scan.table().id);
  if (!snapshot.ok()) return std::nullopt;
  if (scan.spec().time_ranges.empty()) return 0;
  engine::ScanRequest request;
  for (const sql::TimeRange& range : scan.spec().time_ranges) {
    if (!(range == sql::TimeRange())) request.times.push_back({range.first_ns, range.last_ns});
  }
  for (const sql::SeriesPredicate& predicate : scan.spec().series_predicates) {
    if (!predicate.has_values) continue;
    engine::SeriesPredicate by_value;
    by_value.column = predicate.column;
    by_value.values = predicate.values;
    by_value.matches_null = predicate.includes_null;
    request.series.push_back(std::move(by_value));
  }
  const Result<engine::TableEstimate> estimate = snapshot->Estimate(request);
  if (!estimate.ok()) return std::nullopt;
  return static_cast<double>(estimate->rows);
}

std::optional<double> EngineCatalogView::DistinctValues(const catalog::TableSchema& table,
                                                        catalog::ColumnId column) const {
  const Result<engine::Snapshot> snapshot = engine_.OpenSnapshot(table.id);
  if (!snapshot.ok()) return std::nullopt;
  const Result<std::uint64_t> values = snapshot->DistinctValues(column);
  if (!values.ok()) return std::nullopt;
  return static_cast<double>(*values) + 1;  // and null
}

}  // namespace tideline::api
