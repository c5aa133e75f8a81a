// storage/catalog/catalog.h: which databases and tables exist, in memory.
//
// Reads take a shared lock for one map lookup and return an immutable value. Changes come from the
// engine alone, which logs them first or with them; a change is visible at once. Everything is
// thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status.h"
#include "storage/catalog/schema.h"

namespace tideline::catalog {

class Catalog {
 public:
  /// Grows with every change of any kind; the plan cache keys on it.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  /// Null when absent.
  DatabaseInfoPtr FindDatabase(std::string_view database) const;
  TableSchemaPtr FindTable(std::string_view database, std::string_view table) const;
  TableSchemaPtr FindTable(TableId id) const;

  /// In name order, names after `start_after` (all when empty), at most `limit`.
  std::vector<DatabaseInfoPtr> ListDatabases(std::string_view start_after, std::size_t limit) const;
  /// Tables of one database in name order.
  std::vector<TableSchemaPtr> ListTables(std::string_view database, std::string_view start_after,
                                         std::size_t limit) const;
  /// Tables of all databases in (database, table) order, after the given pair.
  std::vector<TableSchemaPtr> ListAllTables(std::string_view after_database,
                                            std::string_view after_table, std::size_t limit) const;
  std::size_t TableCount(std::string_view database) const;
  std::size_t database_count() const;
  std::size_t table_count() const;

  // ---- changes, for the engine ---------------------------------------------------------------
  /// Adds or replaces.
  void PutDatabase(DatabaseInfo database);
  void DropDatabase(std::string_view database);
  /// Adds or replaces the table of that id.
  void PutTable(TableSchemaPtr table);
  void DropTable(TableId id);

  /// The whole state, for the manifest; columns and measures included.
  void EncodeTo(ByteWriter* out) const;
  /// Replaces the state. kDataLoss on malformed bytes.
  Status DecodeFrom(ByteReader* in);

 private:
  using TableKey = std::pair<std::string, std::string>;
  /// Orders (database, table) pairs of owned and viewed text alike.
  struct TableKeyLess {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      const int order = std::string_view(a.first).compare(std::string_view(b.first));
      if (order != 0) return order < 0;
      return std::string_view(a.second) < std::string_view(b.second);
    }
  };
  void Bump() { version_.fetch_add(1, std::memory_order_acq_rel); }

  mutable SharedMutex mutex_;
  std::atomic<std::uint64_t> version_{1};
  std::map<std::string, DatabaseInfoPtr, std::less<>> databases_ TL_GUARDED_BY(mutex_);
  std::map<TableKey, TableSchemaPtr, TableKeyLess> tables_ TL_GUARDED_BY(mutex_);
  std::map<TableId, TableSchemaPtr> by_id_ TL_GUARDED_BY(mutex_);
};

/// Bytes of one database or table in the log and the manifest; the decoders bound every length and
/// answer kDataLoss. EncodeTable writes columns and measures too.
void EncodeDatabase(const DatabaseInfo& database, ByteWriter* out);
Result<DatabaseInfo> DecodeDatabase(ByteReader* in);
void EncodeTable(const TableSchema& table, ByteWriter* out);
Result<TableSchema> DecodeTable(ByteReader* in);

}  // namespace tideline::catalog
