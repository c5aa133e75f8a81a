// Feeds arbitrary bytes to the request parser as the server does: head, then chunks or body.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideline;
  using namespace tideline::net;
  std::string input(reinterpret_cast<const char*>(data), size);
  std::size_t scanned = 0;
  const HttpHeadEnd end = FindHttpHeadEnd(input, &scanned);
  HttpRequestParser parser;
  HttpRequest request;
  if (end.state == HttpHeadEnd::State::kComplete) {
    const std::span<char> head(input.data(), end.head_bytes);
    const HttpHeadLimits limits{.header_count_max = 50, .body_bytes_max = 4096};
    if (!parser.ParseHead(head, limits, &request)) {
      TL_CHECK(!request.method.empty() && !request.target.empty());
      TL_CHECK(parser.content_length() <= limits.body_bytes_max);
      for (const HttpHeader& header : request.headers) TL_CHECK(!header.name.empty());
      std::string_view rest = std::string_view(input).substr(end.head_bytes);
      std::size_t body_bytes = 0;
      bool done = !parser.chunked();
      while (!done) {
        const auto step = parser.NextChunk(rest);
        body_bytes += step.data.size();
        TL_CHECK(body_bytes <= limits.body_bytes_max && step.consumed <= rest.size());
        if (step.refusal || step.consumed == 0) break;
        rest.remove_prefix(step.consumed);
        done = step.done;
      }
    }
  }
  HttpResponseParser answer(1024, 4096, size % 2 == 0);
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  const Result<std::size_t> used = answer.Consume(whole);
  TL_CHECK(!used.ok() || *used <= size);
  if (used.ok()) (void)answer.ConsumeEnd();
  return 0;
}
