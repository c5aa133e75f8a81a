// base/json.h: JSON in (a checked, read-only tree) and JSON out (an appending writer).
//
// Parsing is simdjson's. The hot request parser of front/aws_json does not come through here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace tideline {

/// One JSON value; owns all below it. Object members keep their order; of members with the same
/// name, Find gives the last.
class JsonValue {
 public:
  enum class Kind { kNull, kBool, kInteger, kDouble, kString, kArray, kObject };

  /// kInvalidArgument with the offset's reason; nesting above `depth_max` is an error too.
  static Result<JsonValue> Parse(std::string_view text, std::size_t depth_max = 64);

  JsonValue() = default;
  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool boolean() const { return integer_ != 0; }
  /// The value of a kInteger (doubles that JSON wrote as integers are integers).
  std::int64_t integer() const { return integer_; }
  /// The value of a kInteger or kDouble.
  double number() const { return kind_ == Kind::kInteger ? static_cast<double>(integer_) : double_; }
  const std::string& text() const { return text_; }
  const std::vector<JsonValue>& items() const { return items_; }
  const std::vector<std::pair<std::string, JsonValue>>& members() const { return members_; }
  /// Null pointer when this is no object or has no such member.
  const JsonValue* Find(std::string_view name) const;
  /// The text of member `name` if it is a string, else empty.
  std::string_view FindText(std::string_view name) const;

 private:
  friend struct JsonBuilder;
  Kind kind_ = Kind::kNull;
  std::int64_t integer_ = 0;
  double double_ = 0;
  std::string text_;
  std::vector<JsonValue> items_;
  std::vector<std::pair<std::string, JsonValue>> members_;
};

/// Appends JSON to a string it does not own; commas are its business, nesting the caller's.
class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(out) {}
  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  void Key(std::string_view name);
  void String(std::string_view text);
  void Integer(std::int64_t value);
  /// Shortest text that reads back equal; NaN and infinities become null.
  void Double(double value);
  void Bool(bool value);
  void Null();
  /// Appends `json` as it is.
  void Raw(std::string_view json);

  void Member(std::string_view name, std::string_view text) {
    Key(name);
    String(text);
  }
  void Member(std::string_view name, const char* text) { Member(name, std::string_view(text)); }
  void Member(std::string_view name, std::int64_t value) {
    Key(name);
    Integer(value);
  }
  void MemberBool(std::string_view name, bool value) {
    Key(name);
    Bool(value);
  }
  void MemberDouble(std::string_view name, double value) {
    Key(name);
    Double(value);
  }

 private:
  void Open(char bracket);
  void Close(char bracket);
  void Separate();
  std::string* out_;
  bool need_comma_ = false;
};

/// Appends `text` as a JSON string with its quotes. Invalid UTF-8 bytes become U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace tideline
