// First line: a path. The rest: text that may be JSON. What is written back must be JSON again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "functions/json/json_slice.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideline;
  using namespace tideline::functions;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  const Result<JsonPath> path = JsonPath::Parse(input.substr(0, line_end));
  if (line_end == input.npos) return 0;
  const std::optional<JsonSlice> json = JsonSlice::Of(input.substr(line_end + 1));
  if (!json) return 0;
  std::string compact;
  json->AppendCompact(&compact);
  const std::optional<JsonSlice> again = JsonSlice::Of(compact);
  TL_CHECK(again && again->size() == json->size());
  std::string sorted;
  json->AppendSorted(&sorted);
  TL_CHECK(JsonSlice::Of(sorted).has_value());
  if (path.ok()) (void)path->Find(*json);
  return 0;
}
