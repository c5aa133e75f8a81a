// Feeds arbitrary bytes to the Authorization parser and, when they parse, to the verifier.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "crypto/sigv4.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideline;
  using namespace tideline::crypto;
  // First line: the header. Second: path and query. The rest: a header value and a date.
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  const std::string_view header = input.substr(0, line_end);
  const std::string_view rest =
      line_end == std::string_view::npos ? std::string_view() : input.substr(line_end + 1);
  (void)ParseAmzDate(rest);
  const std::size_t query_at = rest.find('?');
  const HttpField fields[] = {{"host", rest}, {"x-amz-date", header}, {"host", header}};
  SigV4Request request{
      .method = "POST",
      .path = rest.substr(0, query_at),
      .query = query_at == std::string_view::npos ? std::string_view() : rest.substr(query_at + 1),
      .headers = fields,
      .signed_headers = "host;x-amz-date",
      .payload_sha256 = kUnsignedPayload};
  TL_CHECK(SigV4CanonicalRequest(request).ok());
  const Result<SigV4Authorization> parsed = ParseSigV4Authorization(header);
  if (!parsed.ok()) return 0;
  TL_CHECK(parsed->signature.size() == 64 && parsed->date.size() == 8);
  TL_CHECK(header.find(parsed->scope) != std::string_view::npos);
  (void)VerifySigV4(request, *parsed, rest, "secret");
  return 0;
}
