// Any bytes as an answer of an S3 server: parsed or refused, never more.
#include <cstdint>
#include <cstdlib>

#include "storage/objstore/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideline::objstore;
  const auto parsed = ParseXml({reinterpret_cast<const char*>(data), size});
  if (!parsed.ok()) return 0;
  // What is escaped comes back.
  const auto again = ParseXml("<a>" + EscapeXml(parsed->text) + "</a>");
  if (!again.ok() || again->text != parsed->text) std::abort();
  return 0;
}
