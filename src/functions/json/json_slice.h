// functions/json/json_slice.h: walking JSON text without building a tree.
//
// A slice is one value inside text that is known to be valid JSON (JsonValue::Parse accepted it);
// numbers keep the spelling they were written in. Slices point into that text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tideline::functions {

class JsonSlice {
 public:
  /// The one value of `text`; nothing when it is not valid JSON.
  static std::optional<JsonSlice> Of(std::string_view text);

  bool is_object() const { return text_[0] == '{'; }
  bool is_array() const { return text_[0] == '['; }
  bool is_scalar() const { return !is_object() && !is_array(); }
  bool is_string() const { return text_[0] == '"'; }
  bool is_null() const { return text_[0] == 'n'; }
  bool is_bool() const { return text_[0] == 't' || text_[0] == 'f'; }
  bool is_number() const { return is_scalar() && !is_string() && !is_null() && !is_bool(); }
  std::string_view text() const { return text_; }

  /// Elements of an array, or members of an object; 0 for scalars.
  std::size_t size() const;
  /// The element, from the end when negative; nothing when this is no array or has none there.
  std::optional<JsonSlice> At(std::int64_t index) const;
  /// The value of the last member of that name.
  std::optional<JsonSlice> Member(std::string_view name) const;
  std::vector<JsonSlice> Items() const;

  /// The content of a string without escapes; other values as written.
  std::string Unquoted() const;
  /// Appends the value without white space between tokens.
  void AppendCompact(std::string* out) const;
  /// The same with members in order of their names, the last of equal names kept.
  void AppendSorted(std::string* out) const;

 private:
  explicit JsonSlice(std::string_view text) : text_(text) {}
  // Calls f(key, value) for each child, the key of array elements empty, until it yields false.
  template <typename F>
  void ForChildren(F&& f) const;
  std::string_view text_;
};

/// `$`, then any of `.key`, `["key"]` and `[n]`; read once, applied to many values.
class JsonPath {
 public:
  /// kExecutionFailed "Invalid JSON path: '…'".
  static Result<JsonPath> Parse(std::string_view text);
  std::optional<JsonSlice> Find(JsonSlice from) const;

 private:
  struct Step {
    std::string key;
    std::optional<std::int64_t> index;  ///< when the key is a number
  };
  std::vector<Step> steps_;
};

}  // namespace tideline::functions
