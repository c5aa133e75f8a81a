// functions/operator/concat.cc: || and concat() of text, binary and arrays.
#include "functions/growth.h"
#include "functions/kernel.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

Status ConcatText(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                  Vector* result, RowErrors* errors) {
  std::vector<Reader<StringRef>> parts;
  for (const Vector& argument : arguments) parts.emplace_back(argument);
  StringRef* out = result->mutable_values<StringRef>();
  rows.ForEach([&](std::uint32_t row) {
    std::size_t size = 0;
    for (const auto& part : parts) size += part[row].size();
    if (size > kTextBytesMax) {
      errors->Add(row,
                  ExecutionFailed("text of {} bytes exceeds the limit of {}", size, kTextBytesMax));
      return;
    }
    char* at = result->heap().Allocate(size);
    std::size_t filled = 0;
    for (const auto& part : parts) {
      std::memcpy(at + filled, part[row].data(), part[row].size());
      filled += part[row].size();
    }
    out[row] = StringRef(std::string_view(at, size));
  });
  return OkStatus();
}

// Arguments are arrays or single elements; `is_array[i]` tells.
Status ConcatArrays(std::span<const Vector> arguments, const Selection& rows, Vector* result,
                    const std::vector<bool>& is_array) {
  std::vector<const Vector*> sources;
  std::vector<std::uint32_t> offsets;
  std::uint32_t offset = 0;
  std::vector<Vector> singles;
  singles.reserve(arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (is_array[i]) {
      sources.push_back(&arguments[i].child(0));
    } else {
      singles.push_back(arguments[i].Flatten());
      sources.push_back(&singles.back());
    }
    offsets.push_back(offset);
    offset += static_cast<std::uint32_t>(sources.back()->size());
  }
  const Vector all = Concatenate(result->type().element(), sources);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    list.Begin(row);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!is_array[i]) {
        list.Add(offsets[i] + row);
        continue;
      }
      const ListEntry entry = arguments[i].base().values<ListEntry>()[arguments[i].Index(row)];
      for (std::uint32_t j = 0; j < entry.length; ++j) list.Add(offsets[i] + entry.offset + j);
    }
  });
  list.Finish(all);
  return OkStatus();
}

Status ConcatAllArrays(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, Vector* result, RowErrors*) {
  return ConcatArrays(arguments, rows, result, std::vector<bool>(arguments.size(), true));
}
Status ConcatArrayElement(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, Vector* result, RowErrors*) {
  return ConcatArrays(arguments, rows, result, {true, false});
}
Status ConcatElementArray(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, Vector* result, RowErrors*) {
  return ConcatArrays(arguments, rows, result, {false, true});
}

constexpr ScalarOverload kConcatOperatorOverloads[] = {
    {"(varchar, varchar) -> varchar", ConcatText},
    {"(varbinary, varbinary) -> varbinary", ConcatText},
    {"(array(T), array(T)) -> array(T)", ConcatAllArrays},
    {"(array(T), T) -> array(T)", ConcatArrayElement},
    {"(T, array(T)) -> array(T)", ConcatElementArray},
};
constexpr ScalarFunction kConcatOperator{
    .name = "$concat",
    .overloads = kConcatOperatorOverloads,
    .doc = {"operator", "Two texts, or arrays and elements, one after the other.",
            "SELECT 'a' || 'b'", "ab"}};
TL_REGISTER_SCALAR(kConcatOperator);

constexpr ScalarOverload kConcatOverloads[] = {
    {"(varchar, varchar, varchar...) -> varchar", ConcatText},
    {"(varbinary, varbinary, varbinary...) -> varbinary", ConcatText},
    {"(array(T), array(T), array(T)...) -> array(T)", ConcatAllArrays},
};
constexpr ScalarFunction kConcat{
    .name = "concat",
    .overloads = kConcatOverloads,
    .doc = {"string", "All arguments, texts or arrays, one after the other.",
            "SELECT concat('a', 'b', 'c')", "abc"}};
TL_REGISTER_SCALAR(kConcat);

}  // namespace
}  // namespace tideline::functions
