#include "functions/print_reference.h"

#include <map>
#include <vector>

#include "functions/registry.h"

namespace tideline::functions {
namespace {

std::string EscapePipes(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

template <typename T>
void PrintFunction(const T& function, std::string_view note, std::string* out) {
  *out += fmt::format("### {}{}\n\n{}\n\n", function.name, note, function.doc.summary);
  for (const auto& overload : function.overloads) {
    *out += fmt::format("* `{}{}`\n", function.name, EscapePipes(overload.signature));
  }
  *out += fmt::format("\n```sql\n{}\n-- {}\n```\n\n", function.doc.example, function.doc.result);
}

}  // namespace

std::string PrintReference() {
  const FunctionRegistry& registry = FunctionRegistry::Get();
  std::map<std::string, std::string> families;
  for (const ScalarFunction* function : registry.scalars()) {
    PrintFunction(*function, function->profile == Profile::kExtendedOnly ? " (extension)" : "",
                  &families[std::string(function->doc.family)]);
  }
  for (const AggregateFunction* function : registry.aggregates()) {
    PrintFunction(*function, function->profile == Profile::kExtendedOnly ? " (extension)" : "",
                  &families[std::string(function->doc.family)]);
  }
  for (const WindowFunction* function : registry.windows()) {
    PrintFunction(*function, "", &families[std::string(function->doc.family)]);
  }
  std::string text = "# Functions\n\nPrinted from the registry; every example runs as a test.\n\n";
  for (const auto& [family, body] : families) {
    if (family != "operator") text += fmt::format("## {}\n\n{}", family, body);
  }
  return text + fmt::format("## operator\n\n{}", families["operator"]);
}

}  // namespace tideline::functions
