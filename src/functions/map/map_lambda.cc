// functions/map/map_lambda.cc: map functions that run a lambda over entries.
#include "functions/element_set.h"
#include "functions/kernel.h"
#include "functions/lambda/elements.h"
#include "functions/map/map_result.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

// What the lambda makes of each entry of the selected rows, in the order of `all`.
Status ApplyToEntries(const KernelContext& context, const Vector& map, const LambdaElements& all,
                      Vector* answers, RowErrors* errors) {
  if (all.elements.empty()) return OkStatus();
  const std::vector<Vector> inputs = {Gather(map.child(0), all.elements),
                                      Gather(map.child(1), all.elements)};
  return RunLambda(*context.lambdas[0], inputs, all.owners, answers, errors);
}

Status MapFilterKernel(const KernelContext& context, std::span<const Vector> arguments,
                       const Selection& rows, Vector* result, RowErrors* errors) {
  const LambdaElements all(arguments[0], rows);
  Vector keep;
  TL_TRY(ApplyToEntries(context, arguments[0], all, &keep, errors));
  const Reader<ListEntry> maps(arguments[0]);
  MapResult out(result);
  std::size_t at = 0;
  rows.ForEach([&](std::uint32_t row) {
    out.Begin(row);
    for (std::uint32_t i = 0; i < maps[row].length; ++i, ++at) {
      if (IsTrue(keep, at)) out.Add(all.elements[at], all.elements[at]);
    }
  });
  out.Finish(arguments[0].child(0), arguments[0].child(1));
  return OkStatus();
}

Status TransformKeysKernel(const KernelContext& context, std::span<const Vector> arguments,
                           const Selection& rows, Vector* result, RowErrors* errors) {
  const LambdaElements all(arguments[0], rows);
  Vector keys;
  RowErrors failures;
  TL_TRY(ApplyToEntries(context, arguments[0], all, &keys, &failures));
  std::vector<bool> failed(result->size(), false);
  for (const RowErrors::Entry& entry : failures.entries()) {
    if (!failed[entry.row]) errors->Add(entry.row, entry.status);
    failed[entry.row] = true;
  }
  const Reader<ListEntry> maps(arguments[0]);
  MapResult out(result);
  std::uint32_t at = 0;
  std::vector<std::uint32_t> indices;
  rows.ForEach([&](std::uint32_t row) {
    out.Begin(row);
    const std::uint32_t first = at;
    at += maps[row].length;
    if (failed[row]) return;
    indices.clear();
    for (std::uint32_t i = first; i < at; ++i) indices.push_back(i);
    Status status = CheckMapKeys(keys, indices);
    if (!status.ok()) {
      errors->Add(row, std::move(status));
      return;
    }
    for (std::uint32_t i = first; i < at; ++i) out.Add(i, all.elements[i]);
  });
  out.Finish(keys, arguments[0].child(1));
  return OkStatus();
}

Status TransformValuesKernel(const KernelContext& context, std::span<const Vector> arguments,
                             const Selection& rows, Vector* result, RowErrors* errors) {
  const LambdaElements all(arguments[0], rows);
  Vector values;
  TL_TRY(ApplyToEntries(context, arguments[0], all, &values, errors));
  const Reader<ListEntry> maps(arguments[0]);
  MapResult out(result);
  std::uint32_t at = 0;
  rows.ForEach([&](std::uint32_t row) {
    out.Begin(row);
    for (std::uint32_t i = 0; i < maps[row].length; ++i, ++at) out.Add(all.elements[at], at);
  });
  out.Finish(arguments[0].child(0), values);
  return OkStatus();
}

// Keys of either map, the first map's in front; a value that a map lacks is NULL.
Status MapZipWithKernel(const KernelContext& context, std::span<const Vector> arguments,
                        const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lefts(arguments[0]);
  const Reader<ListEntry> rights(arguments[1]);
  const Vector* const key_parts[] = {&arguments[0].child(0), &arguments[1].child(0)};
  const Vector keys = Concatenate(result->type().map_key(), key_parts);
  const auto right_base = static_cast<std::uint32_t>(arguments[0].child(0).size());
  Vector values[2];
  std::uint32_t absent[2];
  for (std::size_t i = 0; i < 2; ++i) {  // one null after the real values
    const Vector& child = arguments[i].child(1);
    const Vector null = Vector::ConstantNull(child.type(), 1);
    const Vector* const parts[] = {&child, &null};
    values[i] = Concatenate(child.type(), parts);
    absent[i] = static_cast<std::uint32_t>(child.size());
  }
  std::vector<std::uint32_t> picked[3];  // key, left value, right value
  std::vector<std::uint32_t> owners;
  const auto add = [&](std::uint32_t row, std::uint32_t key, std::uint32_t a, std::uint32_t b) {
    picked[0].push_back(key);
    picked[1].push_back(a);
    picked[2].push_back(b);
    owners.push_back(row);
  };
  MapResult out(result);
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry a = lefts[row];
    const ListEntry b = rights[row];
    ElementSet right_keys(keys, b.length);
    for (std::uint32_t i = 0; i < b.length; ++i) right_keys.Insert(right_base + b.offset + i);
    ElementSet left_keys(keys, a.length);
    const std::size_t first = owners.size();
    for (std::uint32_t i = a.offset; i < a.offset + a.length; ++i) {
      left_keys.Insert(i);
      const std::uint32_t same = right_keys.Equal(i);
      add(row, i, i, same == ElementSet::kFree ? absent[1] : same - right_base);
    }
    for (std::uint32_t i = b.offset; i < b.offset + b.length; ++i) {
      if (!left_keys.Contains(right_base + i)) add(row, right_base + i, absent[0], i);
    }
    out.Begin(row);
    for (std::size_t i = first; i < owners.size(); ++i) {
      out.Add(picked[0][i], static_cast<std::uint32_t>(i));
    }
  });
  if (owners.empty()) return OkStatus();
  const std::vector<Vector> inputs = {Gather(keys, picked[0]), Gather(values[0], picked[1]),
                                      Gather(values[1], picked[2])};
  Vector zipped;
  TL_TRY(RunLambda(*context.lambdas[0], inputs, owners, &zipped, errors));
  out.Finish(keys, zipped);
  return OkStatus();
}

#define TL_MAP_LAMBDA(object, text, summary_text, example_text, result_text, ...)      \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                        \
  constexpr ScalarFunction object{                                                     \
      .name = text,                                                                    \
      .overloads = object##Overloads,                                                  \
      .profile = Profile::kExtendedOnly,                                               \
      .doc = {"map", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)
#define TL_MAP_SAMPLE "map(ARRAY['a', 'b'], ARRAY[1, 2])"

TL_MAP_LAMBDA(kMapFilter, "map_filter", "The entries for which a lambda is true.",
              TL_MAP_SAMPLE ", (k, v) -> v > 1", "{b=2}",
              {"(map(K, V), function(K, V, boolean)) -> map(K, V)", MapFilterKernel});
TL_MAP_LAMBDA(kTransformKeys, "transform_keys", "The map with keys that a lambda makes.",
              TL_MAP_SAMPLE ", (k, v) -> upper(k)", "{A=1, B=2}",
              {"(map(K, V), function(K, V, J)) -> map(J, V)", TransformKeysKernel});
TL_MAP_LAMBDA(kTransformValues, "transform_values", "The map with values that a lambda makes.",
              TL_MAP_SAMPLE ", (k, v) -> v * 10", "{a=10, b=20}",
              {"(map(K, V), function(K, V, W)) -> map(K, W)", TransformValuesKernel});
TL_MAP_LAMBDA(kMapZipWith, "map_zip_with",
              "What a lambda makes of the values that two maps have for a key.",
              TL_MAP_SAMPLE
              ", map(ARRAY['b', 'c'], ARRAY[10, 20]), "
              "(k, x, y) -> coalesce(x, 0) + coalesce(y, 0)",
              "{a=1, b=12, c=20}",
              {"(map(K, V), map(K, W), function(K, V, W, X)) -> map(K, X)", MapZipWithKernel});
#undef TL_MAP_SAMPLE
#undef TL_MAP_LAMBDA

}  // namespace
}  // namespace tideline::functions
