#include "cli/csv_reader.h"

namespace tideline::cli {

Result<bool> CsvReader::Next(std::vector<std::string>* fields) {
  std::string line;
  do {
    if (!std::getline(in_, line)) return false;
    record_line_ = next_line_++;
    if (!line.empty() && line.back() == '\r') line.pop_back();
  } while (line.empty());
  fields->clear();
  std::string field;
  bool quoted = false;
  std::size_t bytes = 0;
  for (std::size_t i = 0;; ++i) {
    if (i == line.size()) {
      if (!quoted) break;
      bytes += line.size();
      if (bytes > kCsvRecordBytesMax) {
        return InvalidArgument("line {}: the record exceeds the limit of {} bytes", record_line_,
                               kCsvRecordBytesMax);
      }
      if (!std::getline(in_, line)) {
        return InvalidArgument("line {}: a quoted field does not end", record_line_);
      }
      ++next_line_;
      field += '\n';
      i = static_cast<std::size_t>(-1);
      continue;
    }
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = true;
    } else if (c == separator_) {
      fields->push_back(std::move(field));
      field.clear();
    } else {
      field += c;
    }
  }
  if (!field.empty() && field.back() == '\r') field.pop_back();
  fields->push_back(std::move(field));
  return true;
}

}  // namespace tideline::cli
