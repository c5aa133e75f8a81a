// tests/sql/table_store.h: where the in-process runner keeps its tables: the storage engine, or plain
// vectors in memory, which know no WAL, no segments and no pruning and so serve as an oracle.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "exec/scan/scan_source.h"
#include "query_runner.h"
#include "sql/bind/catalog_view.h"

namespace tideline::slt {

class TableStore {
 public:
  virtual ~TableStore() = default;
  virtual const sql::CatalogView& catalog() const = 0;
  virtual Status CreateDatabase(const std::string& database) = 0;
  virtual Status CreateTable(const std::string& database, const std::string& table) = 0;
  virtual Status Write(const std::string& database, const std::string& table,
                       const std::vector<Record>& records) = 0;
  /// For one query; must not outlive the store.
  virtual std::unique_ptr<exec::ScanProvider> NewScans() = 0;
};

std::unique_ptr<TableStore> NewMemoryStore();
/// The storage engine over a temporary directory, which goes with the store. `files`: each write is followed by a
/// checkpoint, so that rows lie in segment files.
Result<std::unique_ptr<TableStore>> NewEngineStore(const Clock* clock, bool files = false);

}  // namespace tideline::slt
