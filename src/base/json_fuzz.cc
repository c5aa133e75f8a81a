// Feeds arbitrary bytes to the JSON reader: a clear error or a value, never a crash. What was read, printed and read
// again is the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/json.h"

namespace {

using tideline::JsonValue;
using tideline::JsonWriter;

void Print(const JsonValue& value, JsonWriter* out) {
  switch (value.kind()) {
    case JsonValue::Kind::kNull:
      return out->Null();
    case JsonValue::Kind::kBool:
      return out->Bool(value.boolean());
    case JsonValue::Kind::kInteger:
      return out->Integer(value.integer());
    case JsonValue::Kind::kDouble:
      return out->Double(value.number());
    case JsonValue::Kind::kString:
      return out->String(value.text());
    case JsonValue::Kind::kArray:
      out->BeginArray();
      for (const JsonValue& item : value.items()) Print(item, out);
      return out->EndArray();
    case JsonValue::Kind::kObject:
      out->BeginObject();
      for (const auto& [name, member] : value.members()) {
        out->Key(name);
        Print(member, out);
      }
      return out->EndObject();
  }
}

std::string Printed(const JsonValue& value) {
  std::string text;
  JsonWriter writer(&text);
  Print(value, &writer);
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = JsonValue::Parse({reinterpret_cast<const char*>(data), size});
  if (!value.ok()) {
    TL_CHECK(!tideline::MessageOf(value.status()).empty());
    return 0;
  }
  const std::string text = Printed(*value);
  const auto again = JsonValue::Parse(text);
  TL_CHECK(again.ok());
  TL_CHECK(Printed(*again) == text);
  return 0;
}
