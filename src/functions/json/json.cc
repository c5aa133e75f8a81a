// functions/json/json.cc: reading JSON values, of type json or as text.
#include "base/json.h"

#include <any>

#include "functions/json/json_slice.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

Status JsonParseKernel(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  std::string out;
  rows.ForEach([&](std::uint32_t row) {
    const std::optional<JsonSlice> slice = JsonSlice::Of(texts[row].view());
    if (!slice) {
      errors->Add(row, ExecutionFailed("Cannot convert value to JSON: '{}'", texts[row].view()));
      return;
    }
    out.clear();
    slice->AppendSorted(&out);
    result->SetString(row, out);
  });
  return OkStatus();
}

void JsonFormat(const StringRef& json, std::string* out) { out->append(json.view()); }

// The path of the call site; read anew only when its text changes.
struct PathState {
  std::string text;
  std::optional<JsonPath> path;
};

// Runs f(slice, row) for rows whose path leads to a value; the others become NULL.
template <typename F>
void ForPaths(const KernelContext& context, std::span<const Vector> arguments,
              const Selection& rows, Vector* result, RowErrors* errors, F&& f) {
  PathState local;
  PathState* state = &local;
  if (context.state != nullptr) {
    if (!context.state->has_value()) *context.state = PathState{};
    state = std::any_cast<PathState>(context.state);
  }
  const Reader<StringRef> texts(arguments[0]);
  const Reader<StringRef> paths(arguments[1]);
  rows.ForEach([&](std::uint32_t row) {
    const std::string_view path = paths[row].view();
    if (!state->path || state->text != path) {
      Result<JsonPath> parsed = JsonPath::Parse(path);
      if (!parsed.ok()) {
        errors->Add(row, parsed.status());
        return;
      }
      state->path = *std::move(parsed);
      state->text = path;
    }
    const std::optional<JsonSlice> whole = JsonSlice::Of(texts[row].view());
    const std::optional<JsonSlice> found = whole ? state->path->Find(*whole) : std::nullopt;
    if (found) {
      f(*found, row);
    } else {
      result->SetNull(row);
    }
  });
}

Status JsonExtractKernel(const KernelContext& context, std::span<const Vector> arguments,
                         const Selection& rows, Vector* result, RowErrors* errors) {
  std::string out;
  ForPaths(context, arguments, rows, result, errors, [&](JsonSlice slice, std::uint32_t row) {
    out.clear();
    slice.AppendCompact(&out);
    result->SetString(row, out);
  });
  return OkStatus();
}

Status JsonExtractScalarKernel(const KernelContext& context, std::span<const Vector> arguments,
                               const Selection& rows, Vector* result, RowErrors* errors) {
  ForPaths(context, arguments, rows, result, errors, [&](JsonSlice slice, std::uint32_t row) {
    if (slice.is_scalar() && !slice.is_null()) {
      result->SetString(row, slice.Unquoted());
    } else {
      result->SetNull(row);
    }
  });
  return OkStatus();
}

Status JsonSizeKernel(const KernelContext& context, std::span<const Vector> arguments,
                      const Selection& rows, Vector* result, RowErrors* errors) {
  I64* out = result->mutable_values<I64>();
  ForPaths(context, arguments, rows, result, errors,
           [&](JsonSlice slice, std::uint32_t row) { out[row] = static_cast<I64>(slice.size()); });
  return OkStatus();
}

// Runs f(array, row) for rows that hold a JSON array; the others become NULL.
template <typename F>
void ForJsonArrays(std::span<const Vector> arguments, const Selection& rows, Vector* result,
                   F&& f) {
  const Reader<StringRef> texts(arguments[0]);
  rows.ForEach([&](std::uint32_t row) {
    const std::optional<JsonSlice> slice = JsonSlice::Of(texts[row].view());
    if (slice && slice->is_array()) {
      f(*slice, row);
    } else {
      result->SetNull(row);
    }
  });
}

Status JsonArrayLengthKernel(const KernelContext&, std::span<const Vector> arguments,
                             const Selection& rows, Vector* result, RowErrors*) {
  I64* out = result->mutable_values<I64>();
  ForJsonArrays(arguments, rows, result, [&](JsonSlice array, std::uint32_t row) {
    out[row] = static_cast<I64>(array.size());
  });
  return OkStatus();
}

Status JsonArrayGetKernel(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, Vector* result, RowErrors*) {
  const Reader<I64> indices(arguments[1]);
  std::string out;
  ForJsonArrays(arguments, rows, result, [&](JsonSlice array, std::uint32_t row) {
    const std::optional<JsonSlice> item = array.At(indices[row]);
    if (!item) {
      result->SetNull(row);
      return;
    }
    out.clear();
    item->AppendCompact(&out);
    result->SetString(row, out);
  });
  return OkStatus();
}

bool HoldsJson(JsonSlice item, std::uint8_t wanted) {
  return item.is_bool() && (item.text() == "true") == (wanted != 0);
}
bool HoldsJson(JsonSlice item, I64 wanted) {
  if (!item.is_number()) return false;
  const Result<JsonValue> value = JsonValue::Parse(item.text());
  return value.ok() && value->kind() == JsonValue::Kind::kInteger && value->integer() == wanted;
}
bool HoldsJson(JsonSlice item, double wanted) {
  if (!item.is_number()) return false;
  const Result<JsonValue> value = JsonValue::Parse(item.text());
  return value.ok() && value->number() == wanted;
}
bool HoldsJson(JsonSlice item, const StringRef& wanted) {
  return item.is_string() && item.Unquoted() == wanted.view();
}

template <typename T>
Status JsonArrayContainsKernel(const KernelContext&, std::span<const Vector> arguments,
                               const Selection& rows, Vector* result, RowErrors*) {
  const Reader<T> wanted(arguments[1]);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  ForJsonArrays(arguments, rows, result, [&](JsonSlice array, std::uint32_t row) {
    out[row] = 0;
    for (const JsonSlice item : array.Items()) {
      if (HoldsJson(item, wanted[row])) out[row] = 1;
    }
  });
  return OkStatus();
}

Result<std::uint8_t> IsJsonScalarText(const StringRef& json) {
  const std::optional<JsonSlice> slice = JsonSlice::Of(json.view());
  if (!slice) return ExecutionFailed("Invalid JSON value: {}", json.view());
  return slice->is_scalar() ? std::uint8_t{1} : std::uint8_t{0};
}

#define TL_JSON(object, text, summary_text, example_text, result_text, ...)             \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                         \
  constexpr ScalarFunction object{                                                      \
      .name = text,                                                                     \
      .overloads = object##Overloads,                                                   \
      .profile = Profile::kExtendedOnly,                                                \
      .doc = {"JSON", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)

TL_JSON(kJsonParse, "json_parse", "The JSON value a text writes, members sorted by name.",
        "'{\"b\": 1, \"a\": [2]}'", "{\"a\":[2],\"b\":1}", {"(varchar) -> json", JsonParseKernel});
TL_JSON(kJsonFormat, "json_format", "The text of a JSON value.", "json_parse('[1, 2]')", "[1,2]",
        {"(json) -> varchar", Text1<StringRef, JsonFormat>});
TL_JSON(kJsonExtract, "json_extract", "The JSON value at a path; NULL when there is none.",
        "'{\"a\": [1, {\"b\": 2}]}', '$.a[1]'", "{\"b\":2}",
        {"(json, varchar) -> json", JsonExtractKernel},
        {"(varchar, varchar) -> json", JsonExtractKernel});
TL_JSON(kJsonExtractScalar, "json_extract_scalar",
        "The text, number or boolean at a path, as text; NULL when there is none.",
        "'{\"a\": [1, {\"b\": \"x\"}]}', '$.a[1].b'", "x",
        {"(json, varchar) -> varchar", JsonExtractScalarKernel},
        {"(varchar, varchar) -> varchar", JsonExtractScalarKernel});
TL_JSON(kJsonSize, "json_size", "How many elements or members the value at a path has.",
        "'{\"a\": [1, 2]}', '$.a'", "2", {"(json, varchar) -> bigint", JsonSizeKernel},
        {"(varchar, varchar) -> bigint", JsonSizeKernel});
TL_JSON(kJsonArrayLength, "json_array_length", "How many elements a JSON array has.", "'[1, 2, 3]'",
        "3", {"(json) -> bigint", JsonArrayLengthKernel},
        {"(varchar) -> bigint", JsonArrayLengthKernel});
TL_JSON(kJsonArrayGet, "json_array_get",
        "The element of a JSON array at an index from 0, from the end when negative.",
        "'[1, [2], 3]', 1", "[2]", {"(json, bigint) -> json", JsonArrayGetKernel},
        {"(varchar, bigint) -> json", JsonArrayGetKernel});
TL_JSON(kJsonArrayContains, "json_array_contains", "Whether a JSON array has a scalar element.",
        "'[1, \"a\", 3]', 'a'", "true",
        {"(json, boolean) -> boolean", JsonArrayContainsKernel<std::uint8_t>},
        {"(json, bigint) -> boolean", JsonArrayContainsKernel<I64>},
        {"(json, double) -> boolean", JsonArrayContainsKernel<double>},
        {"(json, varchar) -> boolean", JsonArrayContainsKernel<StringRef>},
        {"(varchar, boolean) -> boolean", JsonArrayContainsKernel<std::uint8_t>},
        {"(varchar, bigint) -> boolean", JsonArrayContainsKernel<I64>},
        {"(varchar, double) -> boolean", JsonArrayContainsKernel<double>},
        {"(varchar, varchar) -> boolean", JsonArrayContainsKernel<StringRef>});
TL_JSON(kIsJsonScalar, "is_json_scalar", "Whether a JSON value is neither array nor object.",
        "'[1]'", "false", {"(json) -> boolean", Try1<std::uint8_t, StringRef, IsJsonScalarText>},
        {"(varchar) -> boolean", Try1<std::uint8_t, StringRef, IsJsonScalarText>});
#undef TL_JSON

}  // namespace
}  // namespace tideline::functions
