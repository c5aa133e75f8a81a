// functions/regexp/regexp.cc: regular expressions with Java's syntax, as near as PCRE2 has it.
//
// A match may take kMatchStepsMax steps of the matcher, so that no pattern hangs a query.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>
#include <optional>

#include "functions/growth.h"
#include "functions/kernel.h"
#include "functions/lambda/elements.h"
#include "functions/regexp/java_pattern.h"
#include "functions/registry.h"
#include "functions/utf8.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;
constexpr std::uint32_t kMatchStepsMax = 10'000'000;
constexpr std::uint32_t kMatchDepthMax = 250'000;
constexpr std::uint32_t kMatchHeapKib = 64 * 1024;

class Pattern {
 public:
  static Result<std::shared_ptr<const Pattern>> Compile(std::string_view text) {
    int code = 0;
    PCRE2_SIZE offset = 0;
    auto pattern = std::make_shared<Pattern>();
    const std::string translated = TL_TRY(ToPcrePattern(text));
    pattern->code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()),
                                       translated.size(),
                                       PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &code, &offset,
                                       nullptr));
    if (pattern->code_ == nullptr) {
      PCRE2_UCHAR message[128];
      pcre2_get_error_message(code, message, sizeof(message));
      return InvalidArgument("Invalid regular expression '{}' at {}: {}", text, offset,
                             reinterpret_cast<const char*>(message));
    }
    pcre2_jit_compile(pattern->code_.get(), PCRE2_JIT_COMPLETE);
    pattern->context_.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(pattern->context_.get(), kMatchStepsMax);
    pcre2_set_depth_limit(pattern->context_.get(), kMatchDepthMax);
    pcre2_set_heap_limit(pattern->context_.get(), kMatchHeapKib);
    pattern->data_.reset(pcre2_match_data_create_from_pattern(pattern->code_.get(), nullptr));
    pcre2_pattern_info(pattern->code_.get(), PCRE2_INFO_CAPTURECOUNT, &pattern->groups_);
    return std::shared_ptr<const Pattern>(std::move(pattern));
  }

  std::uint32_t groups() const { return groups_; }

  // Finds the next match at or after `from`; false when there is none.
  Result<bool> Find(std::string_view text, std::size_t from) const {
    int found = Match(text, from, 0);
    // What is too deep for the compiled matcher's stack goes to the interpreter, which uses the heap.
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = Match(text, from, PCRE2_NO_JIT);
    if (found == PCRE2_ERROR_NOMATCH) return false;
    if (found < 0) return ExecutionFailed("Regular expression matching exceeded its limit");
    return true;
  }
  // Bounds of group `index` of the last match; nothing when it took no part.
  std::optional<std::pair<std::size_t, std::size_t>> Group(std::size_t index) const {
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data_.get());
    if (bounds[2 * index] == PCRE2_UNSET || bounds[2 * index] > bounds[2 * index + 1]) {
      return std::nullopt;
    }
    return std::pair(bounds[2 * index], bounds[2 * index + 1]);
  }
  int GroupNamed(std::string_view name) const {
    return pcre2_substring_number_from_name(
        code_.get(), reinterpret_cast<PCRE2_SPTR>(std::string(name).c_str()));
  }

 private:
  int Match(std::string_view text, std::size_t from, std::uint32_t options) const {
    return pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       options, data_.get(), context_.get());
  }
  struct FreeCode {
    void operator()(pcre2_code* p) const { pcre2_code_free(p); }
  };
  struct FreeData {
    void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
  };
  struct FreeContext {
    void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
  };
  std::unique_ptr<pcre2_code, FreeCode> code_;
  std::unique_ptr<pcre2_match_data, FreeData> data_;
  std::unique_ptr<pcre2_match_context, FreeContext> context_;
  std::uint32_t groups_ = 0;
};

// The compiled pattern of the call site; compiled anew only when the text changes.
struct PatternState {
  std::string text;
  std::shared_ptr<const Pattern> pattern;
};

// Runs f(pattern, row) for each row; its Status is the row's.
template <typename F>
Status ForPatterns(const KernelContext& context, std::span<const Vector> arguments,
                   const Selection& rows, RowErrors* errors, F&& f) {
  PatternState local;
  PatternState* state = &local;
  if (context.state != nullptr) {
    if (!context.state->has_value()) *context.state = PatternState{};
    state = std::any_cast<PatternState>(context.state);
  }
  const Reader<StringRef> patterns(arguments[1]);
  rows.ForEach([&](std::uint32_t row) {
    const std::string_view text = patterns[row].view();
    if (state->pattern == nullptr || state->text != text) {
      Result<std::shared_ptr<const Pattern>> compiled = Pattern::Compile(text);
      if (!compiled.ok()) {
        errors->Add(row, compiled.status());
        return;
      }
      state->pattern = *std::move(compiled);
      state->text = text;
    }
    Status status = f(*state->pattern, row);
    if (!status.ok()) errors->Add(row, std::move(status));
  });
  return OkStatus();
}

// Calls f(begin, end) for each match; empty matches move on by one code point.
template <typename F>
Status ForMatches(const Pattern& pattern, std::string_view text, F&& f, std::size_t from = 0) {
  while (from <= text.size()) {
    const bool found = TL_TRY(pattern.Find(text, from));
    if (!found) break;
    const auto [begin, end] = *pattern.Group(0);
    f(begin, end);
    from = end;
    if (begin == end) {
      ++from;
      while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
    }
  }
  return OkStatus();
}

Status CheckGroup(const Pattern& pattern, I64 group) {
  if (group < 0) return ExecutionFailed("Group cannot be negative");
  if (group > pattern.groups()) {
    return ExecutionFailed("Pattern has {} groups. Cannot access group {}", pattern.groups(),
                           group);
  }
  return OkStatus();
}

Status RegexpLike(const KernelContext& context, std::span<const Vector> arguments,
                  const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  return ForPatterns(context, arguments, rows, errors,
                     [&](const Pattern& pattern, std::uint32_t row) -> Status {
                       const bool found = TL_TRY(pattern.Find(texts[row].view(), 0));
                       out[row] = found ? 1 : 0;
                       return OkStatus();
                     });
}

Status RegexpExtract(const KernelContext& context, std::span<const Vector> arguments,
                     const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  return ForPatterns(
      context, arguments, rows, errors, [&](const Pattern& pattern, std::uint32_t row) -> Status {
        const I64 group = arguments.size() > 2 ? Reader<I64>(arguments[2])[row] : 0;
        TL_TRY(CheckGroup(pattern, group));
        const std::string_view text = texts[row].view();
        const bool found = TL_TRY(pattern.Find(text, 0));
        const auto bounds = found ? pattern.Group(static_cast<std::size_t>(group)) : std::nullopt;
        if (bounds) {
          result->SetString(row, text.substr(bounds->first, bounds->second - bounds->first));
        } else {
          result->SetNull(row);
        }
        return OkStatus();
      });
}

struct Parts {
  std::vector<std::optional<std::string_view>> parts;
  void Finish(Vector* result) {
    Vector elements = Vector::Flat(Type::Varchar(), parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i]) {
        elements.SetString(i, *parts[i]);
      } else {
        elements.SetNull(i);
      }
    }
    result->SetChild(0, std::move(elements));
  }
};

Status RegexpExtractAll(const KernelContext& context, std::span<const Vector> arguments,
                        const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  ListEntry* out = result->mutable_values<ListEntry>();
  Parts all;
  const Status done = ForPatterns(
      context, arguments, rows, errors, [&](const Pattern& pattern, std::uint32_t row) -> Status {
        const I64 group = arguments.size() > 2 ? Reader<I64>(arguments[2])[row] : 0;
        TL_TRY(CheckGroup(pattern, group));
        const std::string_view text = texts[row].view();
        const std::size_t first = all.parts.size();
        TL_TRY(CheckCallElements("regexp_extract_all", first));
        TL_TRY(ForMatches(pattern, text, [&](std::size_t, std::size_t) {
          const auto bounds = pattern.Group(static_cast<std::size_t>(group));
          all.parts.push_back(
              bounds ? std::optional(text.substr(bounds->first, bounds->second - bounds->first))
                     : std::nullopt);
        }));
        TL_TRY(CheckCallElements("regexp_extract_all", all.parts.size()));
        out[row] = {static_cast<std::uint32_t>(first),
                    static_cast<std::uint32_t>(all.parts.size() - first)};
        return OkStatus();
      });
  all.Finish(result);
  return done;
}

Status RegexpSplit(const KernelContext& context, std::span<const Vector> arguments,
                   const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  ListEntry* out = result->mutable_values<ListEntry>();
  Parts all;
  const Status done = ForPatterns(
      context, arguments, rows, errors, [&](const Pattern& pattern, std::uint32_t row) -> Status {
        const std::string_view text = texts[row].view();
        const std::size_t first = all.parts.size();
        TL_TRY(CheckCallElements("regexp_split", first));
        std::size_t last = 0;
        TL_TRY(ForMatches(pattern, text, [&](std::size_t begin, std::size_t end) {
          all.parts.push_back(text.substr(last, begin - last));
          last = end;
        }));
        all.parts.push_back(text.substr(last));
        TL_TRY(CheckCallElements("regexp_split", all.parts.size()));
        out[row] = {static_cast<std::uint32_t>(first),
                    static_cast<std::uint32_t>(all.parts.size() - first)};
        return OkStatus();
      });
  all.Finish(result);
  return done;
}

Status RegexpCount(const KernelContext& context, std::span<const Vector> arguments,
                   const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  I64* out = result->mutable_values<I64>();
  return ForPatterns(context, arguments, rows, errors,
                     [&](const Pattern& pattern, std::uint32_t row) -> Status {
                       out[row] = 0;
                       return ForMatches(pattern, texts[row].view(),
                                         [&](std::size_t, std::size_t) { ++out[row]; });
                     });
}

// Appends `replacement` with $1, ${name} and backslash escapes resolved against the last match.
Status AppendReplacement(const Pattern& pattern, std::string_view text,
                         std::string_view replacement, std::string* out) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c == '\\') {
      if (++i == replacement.size())
        return ExecutionFailed("Invalid replacement: trailing backslash");
      out->push_back(replacement[i]);
      continue;
    }
    if (c != '$') {
      out->push_back(c);
      continue;
    }
    I64 group = -1;
    ++i;
    if (i < replacement.size() && replacement[i] == '{') {
      const std::size_t close = replacement.find('}', i);
      if (close == replacement.npos) return ExecutionFailed("Invalid replacement: '}}' expected");
      group = pattern.GroupNamed(replacement.substr(i + 1, close - i - 1));
      i = close;
    } else if (i < replacement.size() && replacement[i] >= '0' && replacement[i] <= '9') {
      group = replacement[i] - '0';
      while (i + 1 < replacement.size() && replacement[i + 1] >= '0' && replacement[i + 1] <= '9' &&
             group * 10 + (replacement[i + 1] - '0') <= pattern.groups()) {
        group = group * 10 + (replacement[++i] - '0');
      }
    }
    if (group < 0 || group > pattern.groups()) {
      return ExecutionFailed("Illegal replacement sequence: unknown group");
    }
    if (const auto bounds = pattern.Group(static_cast<std::size_t>(group))) {
      out->append(text.substr(bounds->first, bounds->second - bounds->first));
    }
  }
  return OkStatus();
}

Status RegexpReplace(const KernelContext& context, std::span<const Vector> arguments,
                     const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  std::string out;
  return ForPatterns(
      context, arguments, rows, errors, [&](const Pattern& pattern, std::uint32_t row) -> Status {
        const std::string_view text = texts[row].view();
        out.clear();
        std::size_t last = 0;
        Status status;
        TL_TRY(ForMatches(pattern, text, [&](std::size_t begin, std::size_t end) {
          out.append(text.substr(last, begin - last));
          last = end;
          if (arguments.size() > 2 && status.ok()) {
            status =
                AppendReplacement(pattern, text, Reader<StringRef>(arguments[2])[row].view(), &out);
            if (status.ok()) status = CheckTextBytes("regexp_replace", out.size());
          }
        }));
        TL_TRY(status);
        out.append(text.substr(last));
        TL_TRY(CheckCallTextBytes("regexp_replace", result->heap().bytes() + out.size()));
        result->SetString(row, out);
        return OkStatus();
      });
}

// One match on its way through the lambda.
struct LambdaMatch {
  std::uint32_t row;
  std::size_t begin;
  std::size_t end;
};

// Writes each text with its matches replaced by `replacements`, in order; a NULL replacement makes
// the text NULL.
void WriteReplaced(const Reader<StringRef>& texts, const std::vector<LambdaMatch>& matches,
                   const Vector& replacements, const Selection& rows, Vector* result) {
  std::string out;
  std::size_t at = 0;
  rows.ForEach([&](std::uint32_t row) {
    const std::string_view text = texts[row].view();
    out.clear();
    std::size_t last = 0;
    bool is_null = false;
    for (; at < matches.size() && matches[at].row == row; ++at) {
      out.append(text.substr(last, matches[at].begin - last));
      last = matches[at].end;
      if (replacements.IsNull(at)) {
        is_null = true;
      } else {
        out.append(replacements.base().values<StringRef>()[replacements.Index(at)].view());
      }
    }
    if (is_null) {
      result->SetNull(row);
    } else {
      out.append(text.substr(last));
      result->SetString(row, out);
    }
  });
}

// The lambda gets the groups of a match, from 1; all matches of all rows go through it at once.
Status RegexpReplaceByLambda(const KernelContext& context, std::span<const Vector> arguments,
                             const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  std::vector<LambdaMatch> matches;
  std::vector<ListEntry> lists;
  Parts groups;
  TL_TRY(ForPatterns(
      context, arguments, rows, errors, [&](const Pattern& pattern, std::uint32_t row) -> Status {
        const std::string_view text = texts[row].view();
        return ForMatches(pattern, text, [&](std::size_t begin, std::size_t end) {
          matches.push_back({row, begin, end});
          lists.push_back({static_cast<std::uint32_t>(groups.parts.size()), pattern.groups()});
          for (std::size_t i = 1; i <= pattern.groups(); ++i) {
            const auto bounds = pattern.Group(i);
            groups.parts.push_back(
                bounds ? std::optional(text.substr(bounds->first, bounds->second - bounds->first))
                       : std::nullopt);
          }
        });
      }));
  Vector replacements;
  if (!matches.empty()) {
    Vector input = Vector::Flat(Type::Array(Type::Varchar()), matches.size());
    std::copy(lists.begin(), lists.end(), input.mutable_values<ListEntry>());
    groups.Finish(&input);
    std::vector<std::uint32_t> owners;
    for (const LambdaMatch& match : matches) owners.push_back(match.row);
    const std::vector<Vector> inputs = {std::move(input)};
    TL_TRY(RunLambda(*context.lambdas[0], inputs, owners, &replacements, errors));
  }
  WriteReplaced(texts, matches, replacements, rows, result);
  return OkStatus();
}

// Where (from 1, in characters) the n-th match at or after a start begins; -1 when there is none.
Status RegexpPosition(const KernelContext& context, std::span<const Vector> arguments,
                      const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  std::int32_t* out = result->mutable_values<std::int32_t>();
  return ForPatterns(
      context, arguments, rows, errors, [&](const Pattern& pattern, std::uint32_t row) -> Status {
        const I64 start = arguments.size() > 2 ? Reader<I64>(arguments[2])[row] : 1;
        const I64 wanted = arguments.size() > 3 ? Reader<I64>(arguments[3])[row] : 1;
        if (start < 1) return ExecutionFailed("start position cannot be smaller than 1");
        if (wanted < 1) return ExecutionFailed("occurrence cannot be smaller than 1");
        const std::string_view text = texts[row].view();
        out[row] = -1;
        if (start > static_cast<I64>(Utf8Count(text))) return OkStatus();
        const std::size_t from = Utf8Prefix(text, static_cast<std::size_t>(start - 1));
        I64 seen = 0;
        return ForMatches(
            pattern, text,
            [&](std::size_t begin, std::size_t) {
              if (++seen == wanted) {
                out[row] = static_cast<std::int32_t>(Utf8Count(text.substr(0, begin))) + 1;
              }
            },
            from);
      });
}

#define TL_REGEXP(object, text, summary_text, example_text, result_text, ...)                 \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                               \
  constexpr ScalarFunction object{.name = text,                                               \
                                  .overloads = object##Overloads,                             \
                                  .doc = {"regular expression", summary_text,                 \
                                          "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)
TL_REGEXP(kRegexpLike, "regexp_like", "Whether a pattern matches anywhere in the text.",
          "'example', 'ex'", "true", {"(varchar, varchar) -> boolean", RegexpLike});
TL_REGEXP(kRegexpExtract, "regexp_extract", "The first match, or a group of it.",
          "'example expect', '(ex)(\\w)', 2", "a", {"(varchar, varchar) -> varchar", RegexpExtract},
          {"(varchar, varchar, bigint) -> varchar", RegexpExtract});
TL_REGEXP(kRegexpExtractAll, "regexp_extract_all", "All matches, or a group of each.",
          "'example expect', 'ex\\w'", "[exa,exp]",
          {"(varchar, varchar) -> array(varchar)", RegexpExtractAll},
          {"(varchar, varchar, bigint) -> array(varchar)", RegexpExtractAll});
TL_REGEXP(kRegexpSplit, "regexp_split", "The parts between matches.", "'example', 'x'", "[e,ample]",
          {"(varchar, varchar) -> array(varchar)", RegexpSplit});
TL_REGEXP(kRegexpCount, "regexp_count", "How many matches there are.", "'example', 'e'", "2",
          {"(varchar, varchar) -> bigint", RegexpCount});
TL_REGEXP(kRegexpReplace, "regexp_replace", "The text with matches removed or replaced.",
          "'example', 'x(.)', '$1x'", "eaxmple", {"(varchar, varchar) -> varchar", RegexpReplace},
          {"(varchar, varchar, varchar) -> varchar", RegexpReplace},
          {"(varchar, varchar, function(array(varchar), varchar)) -> varchar",
           RegexpReplaceByLambda});
TL_REGEXP(kRegexpPosition, "regexp_position",
          "Where the n-th match at or after a position begins, from 1; -1 when there is none.",
          "'I have 23 apples and 5 pears', '\\d+', 10", "22",
          {"(varchar, varchar) -> integer", RegexpPosition},
          {"(varchar, varchar, bigint) -> integer", RegexpPosition},
          {"(varchar, varchar, bigint, bigint) -> integer", RegexpPosition});
#undef TL_REGEXP

}  // namespace
}  // namespace tideline::functions
