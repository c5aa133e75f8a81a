// cli/csv_reader.h: CSV text as records (RFC 4180), one at a time from a stream.
#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <vector>

#include "base/status.h"

namespace tideline::cli {

inline constexpr std::size_t kCsvRecordBytesMax = std::size_t{16} << 20;

/// Fields may be quoted with '"', which doubles inside; quoted fields may span lines. LF and CRLF. The byte
/// order mark that spreadsheets put before UTF-8 is skipped.
class CsvReader {
 public:
  explicit CsvReader(std::istream& in, char separator = ',') : in_(in), separator_(separator) {}
  /// False at the end. kInvalidArgument for an open quote, bytes that are no UTF-8 or a record that is too
  /// long, which began on line(); kUnavailable when the stream cannot be read. Blank lines are skipped.
  Result<bool> Next(std::vector<std::string>* fields);
  /// Line on which the last record began, 1-based.
  std::size_t line() const { return record_line_; }

 private:
  /// False at the end of the stream.
  Result<bool> ReadLine(std::string* line);
  std::istream& in_;
  const char separator_;
  std::size_t next_line_ = 1;
  std::size_t record_line_ = 0;
};

}  // namespace tideline::cli
