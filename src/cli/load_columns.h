// cli/load_columns.h: what becomes of the columns of a CSV file that is loaded.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/load_batch.h"
#include "storage/catalog/schema.h"

namespace tideline::cli {

struct LoadColumnOptions {
  std::string time_column = "time";
  std::string time_unit;                     ///< empty: the column holds dates
  std::vector<std::string> dimensions;
  std::map<std::string, std::string> types;  ///< column to type, in capitals
};

/// "DOUBLE" and the like, as the API writes it.
std::string_view TypeNameOf(catalog::MeasureType type);

/// "v=double" and the like as LoadColumnOptions::types. kInvalidArgument: another form, a type that is none of
/// double, bigint, boolean, varchar and timestamp, a column that is named twice.
Result<std::map<std::string, std::string>> ParseTypeFlags(const std::vector<std::string>& flags);

/// The header of a file, and its rows as records of the Write API. A measure column without a given type is
/// DOUBLE when all values are numbers that Infer has seen, else VARCHAR.
class LoadColumns {
 public:
  /// Fields in the order of the header.
  using Fields = std::vector<std::string_view>;

  /// kInvalidArgument, naming the column: a name that is missing, doubled or empty, an option for a column that
  /// is not there or whose type is fixed; no measure column at all.
  static Result<LoadColumns> Make(const Fields& names, LoadColumnOptions options);

  std::size_t size() const { return columns_.size(); }
  /// Looks at a row of the first ones; `fields` has size() entries.
  void Infer(const Fields& fields);
  /// Adds a row as a MULTI record with time, dimensions and measures; false when it has no measure value. Its fields lie
  /// in `record`. Names in the batch are views into this object. kInvalidArgument: a field that does not have its
  /// column's type, with column, value and type. With an error or false nothing is added.
  Result<bool> AddRow(std::string_view record, const Fields& fields, std::size_t line, LoadBatch* batch);

 private:
  struct Column {
    std::string name;
    bool is_time = false;
    bool is_dimension = false;
    bool is_inferred = false;
    std::optional<catalog::MeasureType> type;  // none: no value seen yet
  };
  explicit LoadColumns(LoadColumnOptions options) : options_(std::move(options)) {}
  Status AddFields(const Fields& fields, LoadBatch* batch, std::string_view* time);
  /// Views into the field or, where the record has other text than the file, into the batch.
  Result<std::string_view> TimeText(std::string_view field, LoadBatch* batch) const;
  Result<std::string_view> ValueText(const Column& column, std::string_view field, LoadBatch* batch) const;
  LoadColumnOptions options_;
  std::vector<Column> columns_;
};

}  // namespace tideline::cli
