#include "base/json.h"

#include <array>
#include <charconv>
#include <cmath>

#include <simdjson.h>

namespace tideline {

struct JsonBuilder {
  static Status Build(const simdjson::dom::element& element, JsonValue* out) {
    using Type = simdjson::dom::element_type;
    switch (element.type()) {
      case Type::NULL_VALUE:
        out->kind_ = JsonValue::Kind::kNull;
        break;
      case Type::BOOL:
        out->kind_ = JsonValue::Kind::kBool;
        out->integer_ = bool(element) ? 1 : 0;
        break;
      case Type::INT64:
        out->kind_ = JsonValue::Kind::kInteger;
        out->integer_ = std::int64_t(element);
        break;
      case Type::UINT64:
        out->kind_ = JsonValue::Kind::kDouble;
        out->double_ = static_cast<double>(std::uint64_t(element));
        break;
      case Type::DOUBLE:
        out->kind_ = JsonValue::Kind::kDouble;
        out->double_ = double(element);
        break;
      case Type::STRING:
        out->kind_ = JsonValue::Kind::kString;
        out->text_ = std::string_view(element);
        break;
      case Type::ARRAY: {
        out->kind_ = JsonValue::Kind::kArray;
        for (const auto child : simdjson::dom::array(element)) {
          TL_TRY(Build(child, &out->items_.emplace_back()));
        }
        break;
      }
      case Type::OBJECT: {
        out->kind_ = JsonValue::Kind::kObject;
        for (const auto field : simdjson::dom::object(element)) {
          auto& member = out->members_.emplace_back(std::string(field.key), JsonValue());
          TL_TRY(Build(field.value, &member.second));
        }
        break;
      }
    }
    return OkStatus();
  }
};

Result<JsonValue> JsonValue::Parse(std::string_view text, std::size_t depth_max) {
  simdjson::dom::parser parser;
  if (parser.allocate(text.size() + 64, depth_max) != simdjson::SUCCESS) {
    return ResourceExhausted("JSON of {} bytes is too large to parse", text.size());
  }
  const simdjson::padded_string padded(text);
  simdjson::dom::element element;
  if (const auto error = parser.parse(padded).get(element); error != simdjson::SUCCESS) {
    return InvalidArgument("not valid JSON: {}", simdjson::error_message(error));
  }
  JsonValue value;
  TL_TRY(JsonBuilder::Build(element, &value));
  return value;
}

const JsonValue* JsonValue::Find(std::string_view name) const {
  const JsonValue* found = nullptr;
  for (const auto& [key, value] : members_) {
    if (key == name) found = &value;
  }
  return found;
}

std::string_view JsonValue::FindText(std::string_view name) const {
  const JsonValue* value = Find(name);
  return value != nullptr && value->kind_ == Kind::kString ? std::string_view(value->text_)
                                                           : std::string_view();
}

namespace {

// 0: plain, 1: needs \u00XX, other: the letter after the backslash.
constexpr std::array<char, 256> MakeEscapes() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = 1;
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}
constexpr std::array<char, 256> kEscapes = MakeEscapes();

// Length of the valid UTF-8 sequence at `text`, 0 when there is none.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0xc2) return 0;
  if (first < 0xe0) return tail(1) ? 2 : 0;
  if (first < 0xf0) {
    if (!tail(1) || !tail(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) >= 0xa0) return 0;
    return 3;
  }
  if (first > 0xf4 || !tail(1) || !tail(2) || !tail(3)) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) >= 0x90) return 0;
  return 4;
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      const char escape = kEscapes[c];
      if (escape == 0) {
        ++i;
        continue;
      }
      out->append(text.substr(start, i - start));
      out->push_back('\\');
      if (escape == 1) {
        out->append("u00");
        out->push_back(kHex[c >> 4]);
        out->push_back(kHex[c & 15]);
      } else {
        out->push_back(escape);
      }
      start = ++i;
      continue;
    }
    const std::size_t length = SequenceLength(text.substr(i));
    if (length != 0) {
      i += length;
      continue;
    }
    out->append(text.substr(start, i - start));
    out->append("\xef\xbf\xbd");
    start = ++i;
  }
  out->append(text.substr(start));
  out->push_back('"');
}

void JsonWriter::Separate() {
  if (need_comma_) out_->push_back(',');
  need_comma_ = true;
}

void JsonWriter::Open(char bracket) {
  Separate();
  out_->push_back(bracket);
  need_comma_ = false;
}

void JsonWriter::Close(char bracket) {
  out_->push_back(bracket);
  need_comma_ = true;
}

void JsonWriter::Key(std::string_view name) {
  Separate();
  AppendJsonString(name, out_);
  out_->push_back(':');
  need_comma_ = false;
}

void JsonWriter::String(std::string_view text) {
  Separate();
  AppendJsonString(text, out_);
}

void JsonWriter::Integer(std::int64_t value) {
  Separate();
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  out_->append(buffer, end);
}

void JsonWriter::Double(double value) {
  if (!std::isfinite(value)) {
    Null();
    return;
  }
  Separate();
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  out_->append(buffer, end);
}

void JsonWriter::Bool(bool value) {
  Separate();
  out_->append(value ? "true" : "false");
}

void JsonWriter::Null() {
  Separate();
  out_->append("null");
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_->append(json);
}

}  // namespace tideline
