// sql/plan/statement.h: a statement ready to run: its plan and everything the service says about it.
#pragma once

#include "sql/plan/access.h"
#include "sql/plan/plan_node.h"
#include "storage/catalog/schema.h"

namespace tideline::sql {

enum class BoundStatementKind : std::uint8_t {
  kQuery,     ///< rows of the plan are the answer
  kShow,      ///< the same; answers from the catalog alone, nothing is metered
  kDescribe,  ///< the same
  kExplain,   ///< the same; with `analyze`, run `explained` and print what happened
  kDelete,    ///< take away the rows of the scan that `root` is (no rows: Values); `columns` are of the answer
  kUnload,    ///< write the plan's rows to `unload.location`; the answer is made by the service
};

/// One column of the answer, as QueryResponse and PrepareQuery describe it.
struct ResultColumn {
  std::string name;
  Type type;
  ColumnRef column;           ///< which output of the plan's root
  std::string database;       ///< of the table column that this is, unchanged; else empty
  std::string table;
  bool aliased = false;       ///< the name comes from AS
};

/// @name as used in the statement.
struct StatementParameter {
  std::string name;
  Type type;  ///< inferred; unknown when nothing says
};

/// Largest file that UNLOAD may be asked to write, and does if it is not.
inline constexpr std::int64_t kUnloadFileBytesMax = std::int64_t{78} << 30;

/// What UNLOAD says beside its query, checked.
struct UnloadOptions {
  enum class Format : std::uint8_t { kCsv, kParquet };
  std::string location;                     ///< s3://bucket/prefix/
  std::vector<std::string> partitioned_by;  ///< the last columns of the query, in order
  Format format = Format::kCsv;
  bool gzip = true;
  bool encrypts_with_kms = false;           ///< else with the store's own keys
  std::string kms_key;
  char field_delimiter = ',';
  char escaped_by = '\\';
  bool include_header = false;
  std::int64_t file_bytes_max = kUnloadFileBytesMax;
  Position position;                        ///< of the statement
};

struct BoundStatement {
  BoundStatementKind kind = BoundStatementKind::kQuery;
  PlanNodePtr root;                     ///< outputs are exactly `columns`, in order
  std::vector<ResultColumn> columns;
  std::vector<StatementParameter> parameters;
  /// Every table read, once each.
  std::vector<catalog::TableSchemaPtr> tables;
  /// Every permission that binding asked for, in its order.
  std::vector<AccessNeed> access;
  /// Whether the plan may run again later: nothing in it is of the moment of its binding, as the
  /// current time and the rows of system tables are.
  bool reusable = true;
  /// Expressions and columns that binding made: what the plan takes in memory goes by them.
  std::uint32_t node_count = 0;
  /// ColumnRefs are below this; rules that make columns continue from here.
  std::uint32_t column_count = 0;
  bool analyze = false;                 ///< kExplain
  bool json = false;                    ///< kExplain: as JSON, one row, rather than lines of text
  bool dry_run = false;                 ///< kDelete: count only
  /// kExplain: what is explained (kQuery or kUnload); `root` is then null until the text is made.
  std::shared_ptr<const BoundStatement> explained;
  UnloadOptions unload;                 ///< kUnload
};

}  // namespace tideline::sql
