// functions/array/construct.cc: ARRAY[...], a[i], element_at, cardinality, and map look-ups.
#include "columnar/text_format.h"
#include "functions/aggregate/distinct_sketch.h"
#include "functions/compare.h"
#include "functions/kernel.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

Status MakeArray(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                 Vector* result, RowErrors*) {
  const auto width = static_cast<std::uint32_t>(arguments.size());
  ListEntry* out = result->mutable_values<ListEntry>();
  Vector elements = Vector::Flat(result->type().element(), 0);
  // One column after the other, then gathered row by row.
  for (const Vector& argument : arguments) elements.Append(argument, rows);
  const auto count = static_cast<std::uint32_t>(rows.size());
  std::vector<std::uint32_t> order;
  order.reserve(std::size_t{count} * width);
  for (std::uint32_t i = 0; i < count; ++i) {
    out[rows[i]] = {i * width, width};
    for (std::uint32_t j = 0; j < width; ++j) order.push_back(j * count + i);
  }
  if (width > 0) result->SetChild(0, width == 1 ? std::move(elements) : Gather(elements, order));
  return OkStatus();
}

constexpr ScalarOverload kArrayOverloads[] = {{"(T...) -> array(T)", MakeArray}};
constexpr ScalarFunction kArray{
    .name = "$array",
    .overloads = kArrayOverloads,
    .nulls = NullPolicy::kSeesNulls,
    .doc = {"operator", "An array of the given elements.", "SELECT ARRAY[1, 2]", "[1,2]"}};
TL_REGISTER_SCALAR(kArray);

// Copies element `picked[row]` of the children to each of `rows`; kNoElement makes null.
constexpr std::uint32_t kNoElement = UINT32_MAX;

void PickElements(const Vector& list, std::size_t child, const std::vector<std::uint32_t>& picked,
                  const Selection& rows, Vector* result) {
  std::vector<std::uint32_t> present;
  std::vector<std::uint32_t> indices(result->size(), 0);
  rows.ForEach([&](std::uint32_t row) {
    if (picked[row] == kNoElement) {
      result->SetNull(row);
    } else {
      indices[row] = picked[row];
      present.push_back(row);
    }
  });
  if (!present.empty()) {
    CopyRows(list.child(child).Slice(indices), Selection::Of(present), result);
  }
}

// A point of a series: row(time, value).
void PickPoints(const Vector& list, const std::vector<std::uint32_t>& picked, const Selection& rows,
                Vector* result) {
  for (std::size_t i = 0; i < 2; ++i) {
    PickElements(list, i, picked, rows, &result->mutable_child(i));
  }
  rows.ForEach([&](std::uint32_t row) {
    if (picked[row] == kNoElement) result->SetNull(row);
  });
}

enum class Access { kSubscript, kElementAt };

Result<std::uint32_t> Locate(Access access, ListEntry entry, std::int64_t index) {
  if (index == 0) return ExecutionFailed("SQL array indices start at 1");
  if (access == Access::kSubscript) {
    if (index < 0) return ExecutionFailed("Array subscript is negative: {}", index);
    if (index > entry.length) {
      return ExecutionFailed("Array subscript must be less than or equal to array length: {} > {}",
                             index, entry.length);
    }
  }
  if (index < 0) index += std::int64_t{entry.length} + 1;
  if (index < 1 || index > entry.length) return kNoElement;
  return entry.offset + static_cast<std::uint32_t>(index - 1);
}

template <Access access>
Status AtIndex(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
               Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<std::int64_t> indices(arguments[1]);
  std::vector<std::uint32_t> picked(result->size(), kNoElement);
  rows.ForEach([&](std::uint32_t row) {
    Store<std::uint32_t>(Locate(access, lists[row], indices[row]), row, picked.data(), errors);
  });
  if (arguments[0].type().is(TypeId::kTimeseries)) {
    PickPoints(arguments[0], picked, rows, result);
  } else {
    PickElements(arguments[0], 0, picked, rows, result);
  }
  return OkStatus();
}

template <Access access>
Status AtKey(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
             Vector* result, RowErrors* errors) {
  const Reader<ListEntry> maps(arguments[0]);
  const Vector& keys = arguments[0].child(0);
  std::vector<std::uint32_t> picked(result->size(), kNoElement);
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = maps[row];
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (SameRows(keys, i, arguments[1], row)) {
        picked[row] = i;
        return;
      }
    }
    if (access == Access::kSubscript) {
      std::string key;
      AppendText(arguments[1], row, &key);
      errors->Add(row, ExecutionFailed("Key not present in map: {}", key));
    }
  });
  PickElements(arguments[0], 1, picked, rows, result);
  return OkStatus();
}

constexpr ScalarOverload kSubscriptOverloads[] = {
    {"(array(T), bigint) -> T", AtIndex<Access::kSubscript>},
    {"(map(K, V), K) -> V", AtKey<Access::kSubscript>},
    {"(timeseries(T), bigint) -> row(time timestamp, value T)", AtIndex<Access::kSubscript>},
};
constexpr ScalarFunction kSubscript{
    .name = "$subscript",
    .overloads = kSubscriptOverloads,
    .doc = {"operator", "The element of an array (from 1) or the value of a map's key.",
            "SELECT ARRAY[5, 6][1]", "5"}};
TL_REGISTER_SCALAR(kSubscript);

constexpr ScalarOverload kElementAtOverloads[] = {
    {"(array(T), bigint) -> T", AtIndex<Access::kElementAt>},
    {"(map(K, V), K) -> V", AtKey<Access::kElementAt>},
    {"(timeseries(T), bigint) -> row(time timestamp, value T)", AtIndex<Access::kElementAt>},
};
constexpr ScalarFunction kElementAt{
    .name = "element_at",
    .overloads = kElementAtOverloads,
    .doc = {"array",
            "The element at an index, from the end when negative; NULL when there is none.",
            "SELECT element_at(ARRAY[5, 6], -1)", "6"}};
TL_REGISTER_SCALAR(kElementAt);

Status Cardinality(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                   Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  std::int64_t* out = result->mutable_values<std::int64_t>();
  rows.ForEach([&](std::uint32_t row) { out[row] = lists[row].length; });
  return OkStatus();
}

// Of a sketch that approx_set or merge made.
Status SketchCardinality(const KernelContext&, std::span<const Vector> arguments,
                         const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> sketches(arguments[0]);
  std::int64_t* out = result->mutable_values<std::int64_t>();
  rows.ForEach([&](std::uint32_t row) {
    const Result<DistinctSketch> sketch = DistinctSketch::Parse(sketches[row].view());
    if (sketch.ok()) {
      out[row] = sketch->Estimate();
    } else {
      errors->Add(row, sketch.status());
    }
  });
  return OkStatus();
}

constexpr ScalarOverload kCardinalityOverloads[] = {
    {"(array(T)) -> bigint", Cardinality},
    {"(map(K, V)) -> bigint", Cardinality},
    {"(timeseries(T)) -> bigint", Cardinality},
    {"(varbinary) -> bigint", SketchCardinality},
};
constexpr ScalarFunction kCardinality{
    .name = "cardinality",
    .overloads = kCardinalityOverloads,
    .doc = {"array", "How many elements an array, map, time series or sketch has.",
            "SELECT cardinality(ARRAY[5, 6, 7])", "3"}};
TL_REGISTER_SCALAR(kCardinality);

}  // namespace
}  // namespace tideline::functions
