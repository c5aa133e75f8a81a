// service/api/engine_catalog_view.h: the engine's catalog as SQL sees it.
#pragma once

#include "sql/bind/catalog_view.h"
#include "sql/plan/statistics.h"
#include "storage/engine/engine.h"

namespace tideline::api {

/// Reads the live catalog: a statement binds in one go, and every table it finds is an immutable
/// schema, so a change meanwhile is seen by table, never by column. `engine` must outlive the view.
class EngineCatalogView final : public sql::CatalogView, private sql::PlanStatistics {
 public:
  explicit EngineCatalogView(engine::Engine& engine) : engine_(engine) {}
  std::vector<std::string> Databases() const override;
  bool HasDatabase(std::string_view database) const override;
  std::vector<std::string> Tables(std::string_view database) const override;
  catalog::TableSchemaPtr FindTable(std::string_view database, std::string_view table) const override;
  std::optional<double> RowCount(const catalog::TableSchema& table) const override;
  const sql::PlanStatistics* statistics() const override { return this; }
  std::vector<catalog::LiveSegment> Segments() const override { return engine_.ListSegments(); }

 private:
  std::optional<double> Rows(const sql::ScanNode& scan) const override;
  std::optional<double> DistinctValues(const catalog::TableSchema& table, catalog::ColumnId column) const override;

  engine::Engine& engine_;
};

}  // namespace tideline::api
