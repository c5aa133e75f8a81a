#include "front/aws_json/shape_reader.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tideline::aws_json {
namespace {

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsOneOf(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

std::size_t CharacterCount(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string_view KindText(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::kNull:
      return "NULL_VALUE";
    case JsonValue::Kind::kBool:
      return "BOOLEAN_VALUE";
    case JsonValue::Kind::kInteger:
    case JsonValue::Kind::kDouble:
      return "NUMBER_VALUE";
    case JsonValue::Kind::kString:
      return "STRING_VALUE";
    case JsonValue::Kind::kArray:
      return "START_ARRAY";
    case JsonValue::Kind::kObject:
      return "START_OBJECT";
  }
  return "NULL_VALUE";
}

}  // namespace

std::string_view PatternText(Pattern pattern) {
  switch (pattern) {
    case Pattern::kNone:
      return "";
    case Pattern::kName:
      return "[a-zA-Z0-9_.-]+";
    case Pattern::kTaskId:
      return "[A-Z0-9]+";
    case Pattern::kQueryId:
      return "[a-zA-Z0-9]+";
    case Pattern::kS3Key:
      return R"([a-zA-Z0-9|!\-_*'\(\)]([a-zA-Z0-9]|[!\-_*'\(\)\/.])+)";
    case Pattern::kS3Bucket:
      return R"([a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9])";
  }
  return "";
}

bool MatchesPattern(Pattern pattern, std::string_view text) {
  const auto all = [&](std::string_view part, auto&& accepts) {
    return std::all_of(part.begin(), part.end(), accepts);
  };
  switch (pattern) {
    case Pattern::kNone:
      return true;
    case Pattern::kName:
      return !text.empty() &&
             all(text, [](char c) { return IsLetterOrDigit(c) || IsOneOf(c, "_.-"); });
    case Pattern::kTaskId:
      return !text.empty() && all(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      });
    case Pattern::kQueryId:
      return !text.empty() && all(text, IsLetterOrDigit);
    case Pattern::kS3Key:
      return text.size() >= 2 && (IsLetterOrDigit(text[0]) || IsOneOf(text[0], "|!-_*'()")) &&
             all(text.substr(1), [](char c) { return IsLetterOrDigit(c) || IsOneOf(c, "!-_*'()/."); });
    case Pattern::kS3Bucket:
      return text.size() >= 3 && text.size() <= 63 && IsLowerOrDigit(text.front()) &&
             IsLowerOrDigit(text.back()) &&
             all(text, [](char c) { return IsLowerOrDigit(c) || IsOneOf(c, ".-"); });
  }
  return false;
}

void Violations::Add(std::optional<std::string_view> value, std::string_view path,
                     std::string_view rule) {
  if (++count_ > kViolationsToldMax) return;
  const std::string shown =
      value.has_value() ? fmt::format("'{}'", value->substr(0, kViolationValueBytesMax)) : "null";
  parts_.push_back(
      fmt::format("Value {} at '{}' failed to satisfy constraint: {}", shown, path, rule));
}

void Violations::AddWrongType(std::string_view found, std::string_view wanted) {
  if (wrong_type_.empty()) {
    wrong_type_ = fmt::format("{} can not be converted to {}", found, wanted);
  }
}

std::string Violations::Message() const {
  if (!wrong_type_.empty()) return wrong_type_;
  return fmt::format("{} validation error{} detected: {}", count_, count_ == 1 ? "" : "s",
                     fmt::join(parts_, "; "));
}

void CheckText(std::string_view text, const TextRule& rule, std::string_view path,
               Violations* violations) {
  const std::size_t length = CharacterCount(text);
  if (length < rule.length_min) {
    violations->Add(text, path,
                    fmt::format("Member must have length greater than or equal to {}",
                                rule.length_min));
  }
  if (length > rule.length_max) {
    violations->Add(
        text, path,
        fmt::format("Member must have length less than or equal to {}", rule.length_max));
  }
  if (!MatchesPattern(rule.pattern, text)) {
    violations->Add(text, path,
                    fmt::format("Member must satisfy regular expression pattern: {}",
                                PatternText(rule.pattern)));
  }
  if (!rule.values.empty() &&
      std::find(rule.values.begin(), rule.values.end(), text) == rule.values.end()) {
    violations->Add(text, path,
                    fmt::format("Member must satisfy enum value set: [{}]",
                                fmt::join(rule.values, ", ")));
  }
}

void CheckInteger(std::int64_t value, const IntegerRule& rule, std::string_view path,
                  Violations* violations) {
  if (value < rule.min) {
    violations->Add(
        fmt::to_string(value), path,
        fmt::format("Member must have value greater than or equal to {}", rule.min));
  }
  if (value > rule.max) {
    violations->Add(fmt::to_string(value), path,
                    fmt::format("Member must have value less than or equal to {}", rule.max));
  }
}

ShapeReader::ShapeReader(const JsonValue& object, std::string path, Violations* violations)
    : object_(object), path_(std::move(path)), violations_(violations) {
  if (object.kind() != JsonValue::Kind::kObject) {
    violations_->AddWrongType(KindText(object.kind()), "an Object");
  }
}

std::string ShapeReader::PathOf(std::string_view name) const {
  std::string path = path_;
  if (!path.empty()) path += '.';
  path += name;
  const std::size_t first = path.size() - name.size();
  if (path[first] >= 'A' && path[first] <= 'Z') path[first] = static_cast<char>(path[first] + 32);
  return path;
}

const JsonValue* ShapeReader::Member(std::string_view name, bool required) {
  const JsonValue* value = object_.Find(name);
  if (value != nullptr && value->is_null()) value = nullptr;
  if (value == nullptr && required) {
    violations_->Add(std::nullopt, PathOf(name), "Member must not be null");
  }
  return value;
}

std::optional<std::string> ShapeReader::Text(std::string_view name, const TextRule& rule) {
  const JsonValue* value = Member(name, false);
  if (value == nullptr) return std::nullopt;
  if (value->kind() != JsonValue::Kind::kString) {
    violations_->AddWrongType(KindText(value->kind()), "String");
    return std::nullopt;
  }
  CheckText(value->text(), rule, PathOf(name), violations_);
  return value->text();
}

std::string ShapeReader::RequiredText(std::string_view name, const TextRule& rule) {
  if (Member(name, true) == nullptr) return {};
  return Text(name, rule).value_or(std::string());
}

std::optional<std::int64_t> ShapeReader::Integer(std::string_view name, const IntegerRule& rule) {
  const JsonValue* value = Member(name, false);
  if (value == nullptr) return std::nullopt;
  std::int64_t integer = 0;
  if (value->kind() == JsonValue::Kind::kInteger) {
    integer = value->integer();
  } else if (value->kind() == JsonValue::Kind::kDouble && std::abs(value->number()) < 9.2e18 &&
             value->number() == std::trunc(value->number())) {
    integer = static_cast<std::int64_t>(value->number());
  } else {
    violations_->AddWrongType(KindText(value->kind()), "Long");
    return std::nullopt;
  }
  CheckInteger(integer, rule, PathOf(name), violations_);
  return integer;
}

std::int64_t ShapeReader::RequiredInteger(std::string_view name, const IntegerRule& rule) {
  if (Member(name, true) == nullptr) return 0;
  return Integer(name, rule).value_or(0);
}

std::optional<bool> ShapeReader::Boolean(std::string_view name) {
  const JsonValue* value = Member(name, false);
  if (value == nullptr) return std::nullopt;
  if (value->kind() != JsonValue::Kind::kBool) {
    violations_->AddWrongType(KindText(value->kind()), "Boolean");
    return std::nullopt;
  }
  return value->boolean();
}

bool ShapeReader::RequiredBoolean(std::string_view name) {
  if (Member(name, true) == nullptr) return false;
  return Boolean(name).value_or(false);
}

const JsonValue* ShapeReader::Object(std::string_view name, bool required) {
  const JsonValue* value = Member(name, required);
  if (value != nullptr && value->kind() != JsonValue::Kind::kObject) {
    violations_->AddWrongType(KindText(value->kind()), "an Object");
    return nullptr;
  }
  return value;
}

const JsonValue* ShapeReader::Array(std::string_view name, std::size_t count_min,
                                    std::size_t count_max, bool required) {
  const JsonValue* value = Member(name, required);
  if (value == nullptr) return nullptr;
  if (value->kind() != JsonValue::Kind::kArray) {
    violations_->AddWrongType(KindText(value->kind()), "a List");
    return nullptr;
  }
  const std::size_t count = value->items().size();
  if (count < count_min) {
    violations_->Add("[]", PathOf(name),
                     fmt::format("Member must have length greater than or equal to {}", count_min));
  }
  if (count > count_max) {
    violations_->Add("[...]", PathOf(name),
                     fmt::format("Member must have length less than or equal to {}", count_max));
  }
  return value;
}

}  // namespace tideline::aws_json
