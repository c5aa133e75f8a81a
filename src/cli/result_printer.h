// cli/result_printer.h: query results as people and programs want them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace tideline::cli {

enum class OutputFormat { kTable, kCsv, kJson };
Result<OutputFormat> ParseOutputFormat(std::string_view text);

/// Takes the pages of one result in order and prints to stdout. The table format holds the first
/// rows back to find column widths; the others print as pages come. It writes control characters as \n, \r,
/// \t and \x1b. Json types values by the result's columns and gives each column a key of its own.
class ResultPrinter {
 public:
  virtual ~ResultPrinter() = default;
  /// `page` is the answer of one Query call.
  virtual void Page(const JsonValue& page) = 0;
  /// After the last page.
  virtual void End() = 0;
  std::size_t row_count() const { return row_count_; }

 protected:
  std::size_t row_count_ = 0;
};
std::unique_ptr<ResultPrinter> MakePrinter(OutputFormat format);

/// One Datum as text: scalars as they are, null as `null_text`, nested values like SQL prints them.
std::string DatumText(const JsonValue& datum, std::string_view null_text);

}  // namespace tideline::cli
