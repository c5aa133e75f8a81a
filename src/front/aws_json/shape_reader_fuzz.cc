// Reads arbitrary bytes as the body of an operation, with every kind of rule: what is wrong is told in a message of
// bounded length, or nothing is.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "front/aws_json/shape_reader.h"

namespace {

using namespace tideline::aws_json;

constexpr std::string_view kValues[] = {"SECONDS", "MILLISECONDS"};
// A value may take six bytes for one in a message, and its path is as long as the name of the member.
constexpr std::size_t kMessageBytesMax = kViolationsToldMax * (6 * kViolationValueBytesMax + 512);

void ReadAll(const tideline::JsonValue& body, std::string path, Violations* violations, int depth) {
  ShapeReader shape(body, std::move(path), violations);
  for (const Pattern pattern : {Pattern::kNone, Pattern::kName, Pattern::kTaskId, Pattern::kQueryId, Pattern::kS3Key,
                                Pattern::kS3Bucket}) {
    shape.Text("Name", {.length_min = 1, .length_max = 64, .pattern = pattern});
  }
  shape.RequiredText("TimeUnit", {.values = kValues});
  shape.Integer("MaxResults", {.min = 1, .max = 20});
  shape.RequiredInteger("Version");
  shape.Boolean("Enabled");
  if (const tideline::JsonValue* object = shape.Object("Object", true); object != nullptr && depth > 0) {
    ReadAll(*object, shape.PathOf("Object"), violations, depth - 1);
  }
  if (const tideline::JsonValue* list = shape.Array("Items", 1, 10, true); list != nullptr && depth > 0) {
    for (const tideline::JsonValue& item : list->items()) {
      ReadAll(item, shape.PathOf("Items") + ".member", violations, depth - 1);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = tideline::JsonValue::Parse({reinterpret_cast<const char*>(data), size});
  if (!body.ok()) return 0;
  Violations violations;
  ReadAll(*body, "", &violations, 3);
  TL_CHECK(violations.empty() || !violations.Message().empty());
  TL_CHECK(violations.empty() || violations.Message().size() <= kMessageBytesMax);
  return 0;
}
