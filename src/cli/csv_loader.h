// cli/csv_loader.h: writes the rows of a CSV stream to a table, through the public API.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/load_columns.h"

namespace tideline::cli {

/// Rows whose values tell the types of columns without a given one.
inline constexpr std::size_t kRowsInferred = 1'000;
/// Lines that are named of those without a value.
inline constexpr std::size_t kLinesShown = 5;

struct CsvLoaderOptions {
  std::string file;  ///< as errors call it
  std::string database, table;
  std::string measure_name;  ///< empty: the table's
  char separator = ',';
  LoadColumnOptions columns;
  bool create = false;  ///< database and table, with magnetic-store writes on, before the first row is written
  std::int64_t memory_hours = 6;
  std::int64_t magnetic_days = 73'000;
};

struct LoadCounts {
  std::size_t written = 0;
  std::size_t rejected = 0;
  std::size_t without_values = 0;
  std::vector<std::size_t> lines_without_values;  ///< the first kLinesShown
};

class CsvLoader {
 public:
  CsvLoader(ApiClient client, CsvLoaderOptions options);

  /// Reads to the end. A record that the server rejects is printed to stderr with its line and counted; any
  /// other error ends the work, as "FILE:LINE: reason". Nothing is created or written before the header and
  /// the first kRowsInferred rows have been read and found right.
  Status Load(std::istream& in);
  const LoadCounts& counts() const { return counts_; }

 private:
  Status Annotated(const Status& status, std::size_t line) const;
  Status AddRow(LoadColumns& columns, const std::vector<std::string>& fields, std::size_t line);
  Status CreateTarget();
  Status Flush();
  /// Waiting records; of a request that is refused whole for one of them, those before it are written.
  Status Write(std::size_t begin, std::size_t end);
  std::string RequestBody(std::size_t begin, std::size_t end) const;

  ApiClient client_;
  const CsvLoaderOptions options_;
  std::vector<std::string> records_;  // that wait, in JSON
  std::vector<std::size_t> lines_;    // of the waiting records
  bool target_made_ = false;
  LoadCounts counts_;
};

}  // namespace tideline::cli
