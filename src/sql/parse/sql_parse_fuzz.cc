// Any bytes: the parser answers or refuses, in both profiles. What it accepts, printing brings back:
// the printed text parses to an equal tree and prints as itself.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/check.h"
#include "sql/parse/parser.h"
#include "sql/parse/print.h"
#include "sql/parse/walk.h"

namespace {

using tideline::Result;
using namespace tideline::sql::ast;

void CheckProfile(std::string_view text, Profile profile) {
  const Result<StatementPtr> first = ParseStatement(text, {.profile = profile});
  if (!first.ok()) return;
  const std::string printed = Print(**first);
  // The canonical form may be longer than what was written; past the limit there is nothing to say.
  if (printed.size() > kStatementBytesMax) return;
  const Result<StatementPtr> second = ParseStatement(printed, {.profile = profile});
  if (!second.ok()) {
    std::fprintf(stderr, "does not parse again: %s\n%s\n", printed.c_str(),
                 std::string(tideline::MessageOf(second.status())).c_str());
    TL_CHECK(second.ok());
  }
  if (!StructurallyEqual(**first, **second)) {
    std::fprintf(stderr, "parses to another tree: %s\nwhich is: %s\n", printed.c_str(),
                 Print(**second).c_str());
    TL_CHECK(false);
  }
  TL_CHECK(Print(**second) == printed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckProfile(text, Profile::kExtended);
  CheckProfile(text, Profile::kCompat);
  return 0;
}
