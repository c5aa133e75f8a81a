#include "functions/json/json_slice.h"

#include <algorithm>

#include "base/json.h"
#include "columnar/text_format.h"

namespace tideline::functions {
namespace {

bool IsJsonSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t SkipJsonSpace(std::string_view text, std::size_t at) {
  while (at < text.size() && IsJsonSpace(text[at])) ++at;
  return at;
}

// Past the closing quote of the string that begins at `at`.
std::size_t JsonStringEnd(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// Past the value that begins at `at`, brackets balanced.
std::size_t JsonValueEnd(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = JsonStringEnd(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // the scalar before it ended
      --depth;
      ++at;
    } else if (depth == 0 && (c == ',' || IsJsonSpace(c))) {
      return at;
    } else {
      ++at;
      if (depth == 0) continue;
    }
    if (depth == 0) return at;
  }
  return at;
}

std::string UnquotedJson(std::string_view quoted) {
  if (quoted.find('\\') == quoted.npos) {
    return std::string(quoted.substr(1, quoted.size() - 2));
  }
  const Result<JsonValue> value = JsonValue::Parse(quoted);
  return value.ok() ? value->text() : std::string(quoted);
}

}  // namespace

std::optional<JsonSlice> JsonSlice::Of(std::string_view text) {
  if (!JsonValue::Parse(text).ok()) return std::nullopt;
  const std::size_t begin = SkipJsonSpace(text, 0);
  if (begin == text.size()) return std::nullopt;
  return JsonSlice(text.substr(begin, JsonValueEnd(text, begin) - begin));
}

template <typename F>
void JsonSlice::ForChildren(F&& f) const {
  if (is_scalar()) return;
  std::size_t at = SkipJsonSpace(text_, 1);
  while (at < text_.size() && text_[at] != ']' && text_[at] != '}') {
    std::string_view key;
    if (is_object()) {
      const std::size_t key_end = JsonStringEnd(text_, at);
      key = text_.substr(at, key_end - at);
      at = SkipJsonSpace(text_, key_end);
      at = SkipJsonSpace(text_, at + 1);  // the colon
    }
    const std::size_t end = JsonValueEnd(text_, at);
    if (end <= at || end > text_.size()) return;
    if (!f(key, JsonSlice(text_.substr(at, end - at)))) return;
    at = SkipJsonSpace(text_, end);
    if (at < text_.size() && text_[at] == ',') at = SkipJsonSpace(text_, at + 1);
  }
}

std::size_t JsonSlice::size() const {
  std::size_t count = 0;
  ForChildren([&](std::string_view, JsonSlice) {
    ++count;
    return true;
  });
  return count;
}

std::optional<JsonSlice> JsonSlice::At(std::int64_t index) const {
  if (!is_array()) return std::nullopt;
  if (index < 0) index += static_cast<std::int64_t>(size());
  if (index < 0) return std::nullopt;
  std::optional<JsonSlice> found;
  ForChildren([&](std::string_view, JsonSlice value) {
    if (index-- == 0) found = value;
    return !found;
  });
  return found;
}

std::optional<JsonSlice> JsonSlice::Member(std::string_view name) const {
  std::optional<JsonSlice> found;
  if (!is_object()) return found;
  ForChildren([&](std::string_view key, JsonSlice value) {
    if (UnquotedJson(key) == name) found = value;
    return true;
  });
  return found;
}

std::vector<JsonSlice> JsonSlice::Items() const {
  std::vector<JsonSlice> items;
  ForChildren([&](std::string_view, JsonSlice value) {
    items.push_back(value);
    return true;
  });
  return items;
}

std::string JsonSlice::Unquoted() const {
  return is_string() ? UnquotedJson(text_) : std::string(text_);
}

void JsonSlice::AppendCompact(std::string* out) const {
  for (std::size_t at = 0; at < text_.size();) {
    if (text_[at] == '"') {
      const std::size_t end = JsonStringEnd(text_, at);
      out->append(text_.substr(at, end - at));
      at = end;
    } else {
      if (!IsJsonSpace(text_[at])) out->push_back(text_[at]);
      ++at;
    }
  }
}

void JsonSlice::AppendSorted(std::string* out) const {
  if (is_scalar()) {
    out->append(text_);
    return;
  }
  std::vector<std::pair<std::string, JsonSlice>> children;
  ForChildren([&](std::string_view key, JsonSlice value) {
    children.emplace_back(is_object() ? UnquotedJson(key) : std::string(), value);
    return true;
  });
  if (is_object()) {
    std::stable_sort(children.begin(), children.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  out->push_back(text_[0]);
  bool first = true;
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto& [key, value] = children[i];
    if (is_object() && i + 1 < children.size() && children[i + 1].first == key) continue;
    if (!first) out->push_back(',');
    first = false;
    if (is_object()) {
      AppendJsonString(key, out);
      out->push_back(':');
    }
    value.AppendSorted(out);
  }
  out->push_back(is_object() ? '}' : ']');
}

// ---- paths ----------------------------------------------------------------------------------

Result<JsonPath> JsonPath::Parse(std::string_view text) {
  const auto bad = [&] { return ExecutionFailed("Invalid JSON path: '{}'", text); };
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
  };
  JsonPath path;
  if (!text.starts_with('$')) return bad();
  for (std::size_t at = 1; at < text.size();) {
    const bool bracket = text[at] == '[';
    if (!bracket && text[at] != '.') return bad();
    ++at;
    Step step;
    const bool quoted = bracket && at < text.size() && (text[at] == '"' || text[at] == '\'');
    if (quoted) {
      const char quote = text[at++];
      for (; at < text.size() && text[at] != quote; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        step.key.push_back(text[at]);
      }
      if (at++ >= text.size()) return bad();
    } else {
      while (at < text.size() && is_plain(text[at])) step.key.push_back(text[at++]);
      if (step.key.empty()) return bad();
      const Result<std::int64_t> index = ParseBigint(step.key);
      if (index.ok()) step.index = *index;
    }
    if (bracket && (at >= text.size() || text[at++] != ']')) return bad();
    path.steps_.push_back(std::move(step));
  }
  return path;
}

std::optional<JsonSlice> JsonPath::Find(JsonSlice from) const {
  std::optional<JsonSlice> at = from;
  for (const Step& step : steps_) {
    if (at->is_array()) {
      // Only json_array_get counts from the end.
      at = step.index && *step.index >= 0 ? at->At(*step.index) : std::nullopt;
    } else {
      at = at->Member(step.key);
    }
    if (!at) return std::nullopt;
  }
  return at;
}

}  // namespace tideline::functions
