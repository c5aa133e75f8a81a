// cli/csv_loader.h: writes the rows of a CSV stream to a table.
#pragma once

#include <cstddef>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/csv_reader.h"
#include "cli/load_columns.h"
#include "cli/load_sink.h"
#include "cli/load_writer.h"

namespace tideline::cli {

/// Rows whose values tell the types of columns without a given one.
inline constexpr std::size_t kRowsInferred = 1'000;
/// Text of those rows: with more they are fewer, by the row that goes beyond it.
inline constexpr std::size_t kInferredBytesMax = std::size_t{32} << 20;
/// Lines that are named of those without a value.
inline constexpr std::size_t kLinesShown = 5;

struct CsvLoaderOptions {
  std::string file{};  ///< as errors call it
  char separator = ',';
  LoadColumnOptions columns{};
};

struct LoadCounts {
  std::size_t written = 0;
  std::size_t rejected = 0;
  std::size_t without_values = 0;
  std::vector<std::size_t> lines_without_values;  ///< the first kLinesShown
};

class CsvLoader {
 public:
  /// `sink` outlives the loader.
  CsvLoader(LoadSink& sink, CsvLoaderOptions options) : sink_(sink), options_(std::move(options)) {}

  /// Reads to the end. A record that is rejected is printed to stderr with its line and counted; any other error ends
  /// the work, as "FILE:LINE: reason". Nothing is created or written before the header and the first kRowsInferred
  /// rows (or kInferredBytesMax of them) have been read and found right.
  Status Load(std::istream& in);
  const LoadCounts& counts() const { return counts_; }

 private:
  /// A row that is kept until the types of all columns are known.
  struct FirstRow {
    std::string record;
    LoadColumns::Fields fields;  // views into record
    std::size_t line = 0;
  };
  Status Annotated(const Status& status, std::size_t line) const;
  /// The next record, with as many fields as the header; false at the end.
  Result<bool> Next(CsvReader& reader, LoadColumns::Fields* fields) const;
  Status ReadHeader(CsvReader& reader);
  Status ReadFirstRows(CsvReader& reader);
  /// Whether all first rows can be sent.
  Status CheckFirstRows();
  /// Puts the first rows and all others.
  Status WriteRows(CsvReader& reader);
  Status AddRow(std::string_view record, const LoadColumns::Fields& fields, std::size_t line);

  LoadSink& sink_;
  const CsvLoaderOptions options_;
  std::optional<LoadColumns> columns_;
  std::vector<FirstRow> first_rows_;
  std::optional<LoadWriter> writer_;
  std::unique_ptr<LoadBatch> batch_;  // being filled
  LoadCounts counts_;
};

}  // namespace tideline::cli
