// cli/load_columns.h: what becomes of the columns of a CSV file that is loaded.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tideline::cli {

struct LoadColumnOptions {
  std::string time_column = "time";
  std::string time_unit;                     ///< empty: the column holds dates
  std::vector<std::string> dimensions;
  std::map<std::string, std::string> types;  ///< column to type, in capitals
};

/// "v=double" and the like as LoadColumnOptions::types. kInvalidArgument: another form, a type that is none of
/// double, bigint, boolean, varchar and timestamp, a column that is named twice.
Result<std::map<std::string, std::string>> ParseTypeFlags(const std::vector<std::string>& flags);

/// The header of a file, and its rows as records of the Write API. A measure column without a given type is
/// DOUBLE when all values are numbers that Infer has seen, else VARCHAR.
class LoadColumns {
 public:
  /// kInvalidArgument, naming the column: a name that is missing, doubled or empty, an option for a column that
  /// is not there or whose type is fixed; no measure column at all.
  static Result<LoadColumns> Make(const std::vector<std::string>& names, LoadColumnOptions options);

  std::size_t size() const { return columns_.size(); }
  /// Looks at a row of the first ones; `fields` has size() entries.
  void Infer(const std::vector<std::string>& fields);
  /// The row as a MULTI record in JSON; empty when it has no measure value. kInvalidArgument: a field that
  /// does not have its column's type, with column, value and type.
  Result<std::string> RecordOf(const std::vector<std::string>& fields);

 private:
  struct Column {
    std::string name;
    bool is_time = false;
    bool is_dimension = false;
    bool is_inferred = false;
    std::string type;  // empty: no value seen yet
  };
  explicit LoadColumns(LoadColumnOptions options) : options_(std::move(options)) {}
  Result<std::string> TimeText(std::string_view field) const;
  Result<std::string> ValueText(const Column& column, std::string_view field) const;
  LoadColumnOptions options_;
  std::vector<Column> columns_;
};

}  // namespace tideline::cli
