// sql/bind/catalog_view.h: what binding asks of the world: which tables there are, and who may read.
//
// service/api implements both over one catalog snapshot and the caller's policies.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/plan/access.h"
#include "storage/catalog/manifest.h"
#include "storage/catalog/schema.h"

namespace tideline::sql {

class PlanStatistics;  // sql/plan/statistics.h

/// One consistent view of the catalog, for the time of one statement's binding.
class CatalogView {
 public:
  virtual ~CatalogView() = default;
  /// Names of all databases, by bytes.
  virtual std::vector<std::string> Databases() const = 0;
  virtual bool HasDatabase(std::string_view database) const = 0;
  /// Names of the tables of `database`, by bytes; none when there is no such database.
  virtual std::vector<std::string> Tables(std::string_view database) const = 0;
  /// The table by exact, case-sensitive names; null pointer when there is none.
  virtual catalog::TableSchemaPtr FindTable(std::string_view database, std::string_view table) const = 0;
  /// Rows stored, as far as cheaply known; guides estimates, never answers.
  virtual std::optional<double> RowCount(const catalog::TableSchema& /*table*/) const { return std::nullopt; }
  /// More of the kind, asked for plans with joins; null pointer for none. Lives as long as the view.
  virtual const PlanStatistics* statistics() const { return nullptr; }
  /// Live segments of all tables, for the system table tideline.segments.
  virtual std::vector<catalog::LiveSegment> Segments() const { return {}; }
};

/// Asked before existence is: a refused caller cannot tell whether the table is there.
class AccessChecker {
 public:
  virtual ~AccessChecker() = default;
  /// `database` and `table` are empty where the action has none. kPermissionDenied to refuse.
  virtual Status Check(AccessAction action, std::string_view database, std::string_view table) const = 0;
};

}  // namespace tideline::sql
