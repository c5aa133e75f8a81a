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

}  // namespace tideline::api
