#include "cli/csv_reader.h"

namespace tideline::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Index of the first byte that is no part of UTF-8 (Unicode 15, table 3-7), or npos.
std::size_t FindBadUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4) return i;
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    const unsigned second = byte(i + 1);
    const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (more > 0 && (second < low || second > high)) return i;
    for (std::size_t k = 2; k <= more; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return i;
    }
    i += more + 1;
  }
  return std::string_view::npos;
}

}  // namespace

Result<bool> CsvReader::ReadLine(std::string* line) {
  if (!std::getline(in_, *line)) {
    if (in_.bad()) return Unavailable("line {}: cannot be read", next_line_);
    return false;
  }
  if (next_line_ == 1 && line->starts_with(kByteOrderMark)) line->erase(0, kByteOrderMark.size());
  const std::size_t bad = FindBadUtf8(*line);
  if (bad != std::string_view::npos) {
    return InvalidArgument("line {}: byte {} is {:#04x}, which is no UTF-8 there", next_line_, bad + 1,
                           static_cast<unsigned char>((*line)[bad]));
  }
  ++next_line_;
  return true;
}


Result<bool> CsvReader::Next(std::vector<std::string>* fields) {
  std::string line;
  do {
    record_line_ = next_line_;
    const bool more = TL_TRY(ReadLine(&line));
    if (!more) return false;
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
      const bool more = TL_TRY(ReadLine(&line));
      if (!more) return InvalidArgument("line {}: a quoted field does not end", record_line_);
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
