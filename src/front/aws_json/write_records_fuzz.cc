// Feeds arbitrary bytes to the WriteRecords parser: a clear error or a request, never a crash. A
// parser that has learned templates from what came before must read what a new one reads.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/hash.h"
#include "front/aws_json/write_records_parser.h"

namespace {

// Of everything that the request holds; 0 when it was refused.
std::uint64_t Digest(tideline::aws_json::WriteRecordsParser& parser, std::string_view body) {
  tideline::aws_json::Violations violations;
  const auto request = parser.Parse(body, &violations);
  if (!request.ok() || !violations.empty()) return violations.empty() ? 0 : violations.Message().size();
  std::string text;
  const auto add = [&](std::string_view part) { text.append(part).push_back('\0'); };
  for (const auto& record : request->records) {
    for (const auto& dimension : record.dimensions) add(dimension.name), add(dimension.value);
    for (const auto& measure : record.measure_values) add(measure.name), add(measure.value);
    add(record.time.value_or("-"));
    add(std::to_string(record.version.value_or(-1)));
  }
  return tideline::Hash64(text) | 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tideline::aws_json::WriteRecordsParser learned;
  tideline::aws_json::WriteRecordsParser fresh;
  std::string body(reinterpret_cast<const char*>(data), size);
  body.append(64, ' ');
  const std::string_view text = std::string_view(body).substr(0, size);
  TL_CHECK(Digest(learned, text) == Digest(fresh, text));
  return 0;
}
