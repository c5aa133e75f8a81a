// Feeds arbitrary bytes to the WriteRecords parser: a clear error or a request, never a crash.
#include <cstddef>
#include <cstdint>
#include <string>

#include "front/aws_json/write_records_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tideline::aws_json::WriteRecordsParser parser;
  std::string body(reinterpret_cast<const char*>(data), size);
  body.append(64, ' ');
  tideline::aws_json::Violations violations;
  const auto request = parser.Parse(std::string_view(body).substr(0, size), &violations);
  std::size_t bytes = 0;
  if (request.ok()) {
    for (const auto& record : request->records) {
      for (const auto& dimension : record.dimensions) bytes += dimension.name.size();
      for (const auto& measure : record.measure_values) bytes += measure.value.size();
    }
  }
  if (!violations.empty()) bytes += violations.Message().size();
  return bytes == SIZE_MAX ? 1 : 0;
}
