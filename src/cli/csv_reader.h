// cli/csv_reader.h: CSV text as records (RFC 4180), one at a time from a stream.
//
// A record without quotes, which nearly every one is, is cut eight bytes at a time where it lies in the block that was
// read; nothing is copied. One with quotes is copied without them, byte by byte.
#pragma once

#include <cstddef>
#include <istream>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tideline::cli {

/// Most bytes of a record in the file, quotes and line ends within them included, the line end behind it not: a quote
/// that is never closed must not take all memory.
inline constexpr std::size_t kCsvRecordBytesMax = std::size_t{16} << 20;

/// Fields may be quoted with '"', which doubles inside; quoted fields may span lines. LF and CRLF. The byte
/// order mark that spreadsheets put before UTF-8 is skipped.
class CsvReader {
 public:
  explicit CsvReader(std::istream& in, char separator = ',', std::size_t record_bytes_max = kCsvRecordBytesMax);
  /// False at the end. The fields live until the next call. kInvalidArgument for an open quote, bytes that are no
  /// UTF-8 or a record longer than record_bytes_max, which began on line(); kUnavailable when the stream cannot be
  /// read; after an error it is not called again. Blank lines are skipped.
  Result<bool> Next(std::vector<std::string_view>* fields);
  /// Line on which the last record began, 1-based.
  std::size_t line() const { return record_line_; }
  /// Text in which all fields of the last record lie.
  std::string_view record() const { return record_; }

 private:
  enum class Cut { kWhole, kHasQuotes, kNeedsMore };
  /// Cuts the record at position_ as long as it has no quotes.
  Cut CutPlain(std::vector<std::string_view>* fields);
  /// The same with quotes; false when more has to be read.
  Result<bool> CutQuoted(std::vector<std::string_view>* fields);
  /// Makes room behind what is unread and reads more. kInvalidArgument when the record is too long already.
  Status Fill();
  Status SkipByteOrderMark();
  /// Length and UTF-8 of the record at record_line_, as it stands in the file up to its line feed.
  Status CheckText(std::string_view text) const;
  Status TooLong() const;
  std::size_t unread() const { return end_ - position_; }

  std::istream& in_;
  const char separator_;
  const std::size_t record_bytes_max_;
  std::unique_ptr<char[]> block_;
  std::size_t capacity_ = 0;
  std::size_t position_ = 0;  ///< of the next record in block_
  std::size_t end_ = 0;       ///< of what was read; a few bytes more may be looked at
  bool at_end_ = false;       ///< of the stream
  std::vector<char> unquoted_;
  std::string_view record_;
  std::size_t next_line_ = 1;
  std::size_t record_line_ = 0;
};

}  // namespace tideline::cli
