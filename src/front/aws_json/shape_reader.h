// front/aws_json/shape_reader.h: reads the members of a request and checks the model's constraints.
//
// The service's framework checks every constraint before any code of an operation runs and reports
// all violations in one message ("2 validation errors detected: Value '' at 'databaseName' failed
// to satisfy constraint: ..."). A member of the wrong JSON type is another error, reported alone
// (SerializationException). Explicit null reads as absent; unknown members are ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace tideline::aws_json {

/// Character sets of the model's patterns; each is checked for the whole text.
enum class Pattern : std::uint8_t {
  kNone,
  kName,       ///< [a-zA-Z0-9_.-]+
  kTaskId,     ///< [A-Z0-9]+
  kQueryId,    ///< [a-zA-Z0-9]+
  kS3Key,      ///< [a-zA-Z0-9|!\-_*'\(\)]([a-zA-Z0-9]|[!\-_*'\(\)\/.])+
  kS3Bucket,   ///< [a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9]
};
/// The pattern as the model writes it.
std::string_view PatternText(Pattern pattern);
bool MatchesPattern(Pattern pattern, std::string_view text);

struct TextRule {
  std::size_t length_min = 0;          ///< in characters
  std::size_t length_max = SIZE_MAX;
  Pattern pattern = Pattern::kNone;
  std::span<const std::string_view> values = {};  ///< an enum, when not empty
};

struct IntegerRule {
  std::int64_t min = INT64_MIN;
  std::int64_t max = INT64_MAX;
};

/// Violations that a message tells, and how much of a value it repeats: a request of a few megabytes
/// must not be answered with gigabytes.
inline constexpr std::size_t kViolationsToldMax = 100;
inline constexpr std::size_t kViolationValueBytesMax = 1'024;

/// What is wrong with one request so far.
class Violations {
 public:
  /// `value` is absent for a missing member; `path` is lower camel case.
  void Add(std::optional<std::string_view> value, std::string_view path, std::string_view rule);
  /// The first member of a wrong JSON type.
  void AddWrongType(std::string_view found, std::string_view wanted);

  bool empty() const { return count_ == 0 && wrong_type_.empty(); }
  bool has_wrong_type() const { return !wrong_type_.empty(); }
  /// The whole message; what wrong types there are go first and alone.
  std::string Message() const;

 private:
  std::vector<std::string> parts_;  // the first kViolationsToldMax
  std::size_t count_ = 0;
  std::string wrong_type_;
};

/// Checks `text` against `rule`, adding what is wrong.
void CheckText(std::string_view text, const TextRule& rule, std::string_view path,
               Violations* violations);
void CheckInteger(std::int64_t value, const IntegerRule& rule, std::string_view path,
                  Violations* violations);

/// Reads one JSON object. Does not own it; the value must outlive the reader.
class ShapeReader {
 public:
  /// `path` is where the object stands ("", "retentionProperties").
  ShapeReader(const JsonValue& object, std::string path, Violations* violations);

  std::optional<std::string> Text(std::string_view name, const TextRule& rule = {});
  std::string RequiredText(std::string_view name, const TextRule& rule = {});
  std::optional<std::int64_t> Integer(std::string_view name, const IntegerRule& rule = {});
  std::int64_t RequiredInteger(std::string_view name, const IntegerRule& rule = {});
  std::optional<bool> Boolean(std::string_view name);
  bool RequiredBoolean(std::string_view name);
  /// Null pointer when absent; a wrong type is noted.
  const JsonValue* Object(std::string_view name, bool required = false);
  const JsonValue* Array(std::string_view name, std::size_t count_min = 0,
                         std::size_t count_max = SIZE_MAX, bool required = false);
  /// Path of member `name`: lower camel case, below this object's own path.
  std::string PathOf(std::string_view name) const;
  Violations* violations() { return violations_; }

 private:
  const JsonValue* Member(std::string_view name, bool required);
  const JsonValue& object_;
  const std::string path_;
  Violations* const violations_;
};

}  // namespace tideline::aws_json
