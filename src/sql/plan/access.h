// sql/plan/access.h: what a statement needs to be allowed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tideline::sql {

/// The actions of the original service's policies that a statement can need.
enum class AccessAction : std::uint8_t {
  kSelect,         ///< on a table that a query reads
  kSelectValues,   ///< a query that reads no table
  kListDatabases,  ///< SHOW DATABASES
  kListTables,     ///< SHOW TABLES, on the database ("" for all)
  kListMeasures,   ///< SHOW MEASURES, on the table
  kDescribeTable,  ///< DESCRIBE, on the table
  kUnload,         ///< UNLOAD, beside kSelect on what its query reads
  kDeleteRows,     ///< DELETE, on the table; an extension
};
/// "timestream:Select" and so on. Static storage.
std::string_view AccessActionName(AccessAction action);

/// One permission; names are empty where the action has none.
struct AccessNeed {
  AccessAction action = AccessAction::kSelect;
  std::string database;
  std::string table;
};

}  // namespace tideline::sql
