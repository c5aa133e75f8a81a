// functions/lambda/lambda.cc: filter, transform, reduce, zip_with and the matches: functions that
// run a lambda over elements. All elements of a batch go through the lambda at once.
#include <algorithm>
#include <numeric>

#include "functions/kernel.h"
#include "functions/lambda/elements.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

Status Filter(const KernelContext& context, std::span<const Vector> arguments,
              const Selection& rows, Vector* result, RowErrors* errors) {
  const Vector& list = arguments[0];
  const LambdaElements all(list, rows);
  Vector keep;
  if (!all.elements.empty()) {
    const std::vector<Vector> inputs = {LambdaArgument(list, all.elements)};
    TL_TRY(RunLambda(*context.lambdas[0], inputs, all.owners, &keep, errors));
  }
  ListResult out(result);
  const Reader<ListEntry> lists(list);
  std::size_t at = 0;
  rows.ForEach([&](std::uint32_t row) {
    out.Begin(row);
    for (std::uint32_t i = 0; i < lists[row].length; ++i, ++at) {
      const bool kept = !keep.IsNull(at) && keep.base().values<std::uint8_t>()[keep.Index(at)] != 0;
      if (kept) out.Add(all.elements[at]);
    }
  });
  if (list.type().is(TypeId::kTimeseries)) {
    const Vector* const children[] = {&list.child(0), &list.child(1)};
    out.Finish(children);
  } else {
    out.Finish(list.child(0));
  }
  return OkStatus();
}

Status Transform(const KernelContext& context, std::span<const Vector> arguments,
                 const Selection& rows, Vector* result, RowErrors* errors) {
  const Vector& list = arguments[0];
  const bool is_series = list.type().is(TypeId::kTimeseries);
  const LambdaElements all(list, rows);
  Vector mapped = Vector::Flat(result->type().element(), 0);
  if (!all.elements.empty()) {
    const std::vector<Vector> inputs = {LambdaArgument(list, all.elements)};
    TL_TRY(RunLambda(*context.lambdas[0], inputs, all.owners, &mapped, errors));
  }
  const Reader<ListEntry> lists(list);
  ListEntry* out = result->mutable_values<ListEntry>();
  std::uint32_t at = 0;
  rows.ForEach([&](std::uint32_t row) {
    out[row] = {at, lists[row].length};
    at += lists[row].length;
  });
  if (is_series) result->SetChild(0, Gather(list.child(0), all.elements));
  result->SetChild(is_series ? 1 : 0, mapped.Flatten());
  return OkStatus();
}

// Rows are taken longest first, so that the rows still running are a prefix at every step and one
// call of the lambda moves all of them by one element.
Status Reduce(const KernelContext& context, std::span<const Vector> arguments,
              const Selection& rows, Vector* result, RowErrors* errors) {
  const Vector& list = arguments[0];
  const Reader<ListEntry> lists(list);
  std::vector<std::uint32_t> order;
  rows.ForEach([&](std::uint32_t row) {
    if (list.IsNull(row)) {
      result->SetNull(row);
    } else {
      order.push_back(row);
    }
  });
  if (order.empty()) return OkStatus();
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return lists[a].length > lists[b].length;
  });
  Vector state = arguments[1].Slice(order);
  Vector finished = Vector::Flat(arguments[1].type(), 0);
  std::vector<std::uint32_t> finished_rows;
  std::size_t running = order.size();
  for (std::uint32_t step = 0; running > 0; ++step) {
    if (context.cancel != nullptr && context.cancel->cancelled()) {
      return Cancelled("the query was cancelled");
    }
    std::size_t left = running;
    while (left > 0 && lists[order[left - 1]].length <= step) --left;
    if (left < running) {
      std::vector<std::uint32_t> done(running - left);
      std::iota(done.begin(), done.end(), static_cast<std::uint32_t>(left));
      finished.Append(state, Selection::Of(done));
      finished_rows.insert(finished_rows.end(), order.begin() + static_cast<std::ptrdiff_t>(left),
                           order.begin() + static_cast<std::ptrdiff_t>(running));
      running = left;
      if (running == 0) break;
    }
    std::vector<std::uint32_t> elements(running);
    for (std::size_t i = 0; i < running; ++i) elements[i] = lists[order[i]].offset + step;
    const std::vector<Vector> inputs = {state.Range(0, running), LambdaArgument(list, elements)};
    Vector next;
    TL_TRY(RunLambda(*context.lambdas[0], inputs, std::span(order).first(running), &next, errors));
    state = std::move(next);
  }
  Vector answers;
  const std::vector<Vector> inputs = {std::move(finished)};
  TL_TRY(RunLambda(*context.lambdas[1], inputs, finished_rows, &answers, errors));
  std::vector<std::uint32_t> indices(result->size(), 0);
  for (std::size_t i = 0; i < finished_rows.size(); ++i) {
    indices[finished_rows[i]] = static_cast<std::uint32_t>(i);
  }
  std::sort(order.begin(), order.end());
  CopyRows(answers.Slice(indices), Selection::Of(order), result);
  return OkStatus();
}

enum class Quantifier { kAny, kAll, kNone };

template <Quantifier quantifier>
Status Quantify(const KernelContext& context, std::span<const Vector> arguments,
                const Selection& rows, Vector* result, RowErrors* errors) {
  const Vector& list = arguments[0];
  const LambdaElements all(list, rows);
  Vector matched;
  if (!all.elements.empty()) {
    const std::vector<Vector> inputs = {LambdaArgument(list, all.elements)};
    TL_TRY(RunLambda(*context.lambdas[0], inputs, all.owners, &matched, errors));
  }
  const Reader<ListEntry> lists(list);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  std::size_t at = 0;
  // The answer is settled by one element of the deciding kind, else unknown by one null.
  static constexpr bool kDecider = quantifier != Quantifier::kAll;
  static constexpr bool kDecided = quantifier == Quantifier::kAny;
  rows.ForEach([&](std::uint32_t row) {
    bool decided = false;
    bool unknown = false;
    for (std::uint32_t i = 0; i < lists[row].length; ++i, ++at) {
      if (matched.IsNull(at)) {
        unknown = true;
      } else if ((matched.base().values<std::uint8_t>()[matched.Index(at)] != 0) == kDecider) {
        decided = true;
      }
    }
    out[row] = decided == kDecided ? 1 : 0;
    if (!decided && unknown) result->SetNull(row);
  });
  return OkStatus();
}

Status ZipWith(const KernelContext& context, std::span<const Vector> arguments,
               const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lefts(arguments[0]);
  const Reader<ListEntry> rights(arguments[1]);
  Vector sources[2];
  std::uint32_t paddings[2];
  for (std::size_t i = 0; i < 2; ++i) {  // one null after the real elements, for padding
    const Vector& child = arguments[i].child(0);
    const Vector null = Vector::ConstantNull(child.type(), 1);
    const Vector* const parts[] = {&child, &null};
    sources[i] = Concatenate(child.type(), parts);
    paddings[i] = static_cast<std::uint32_t>(child.size());
  }
  std::vector<std::uint32_t> picked[2];
  std::vector<std::uint32_t> owners;
  ListEntry* out = result->mutable_values<ListEntry>();
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry a = lefts[row];
    const ListEntry b = rights[row];
    const std::uint32_t length = std::max(a.length, b.length);
    out[row] = {static_cast<std::uint32_t>(owners.size()), length};
    for (std::uint32_t i = 0; i < length; ++i) {
      picked[0].push_back(i < a.length ? a.offset + i : paddings[0]);
      picked[1].push_back(i < b.length ? b.offset + i : paddings[1]);
      owners.push_back(row);
    }
  });
  if (owners.empty()) return OkStatus();
  const std::vector<Vector> inputs = {Gather(sources[0], picked[0]), Gather(sources[1], picked[1])};
  Vector zipped;
  TL_TRY(RunLambda(*context.lambdas[0], inputs, owners, &zipped, errors));
  result->SetChild(0, zipped.Flatten());
  return OkStatus();
}

#define TL_LAMBDA(object, text, null_policy, summary_text, example_text, result_text, ...) \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                            \
  constexpr ScalarFunction object{                                                         \
      .name = text,                                                                        \
      .overloads = object##Overloads,                                                      \
      .nulls = NullPolicy::null_policy,                                                    \
      .doc = {"lambda", summary_text, "SELECT " text "(" example_text ")", result_text}};  \
  TL_REGISTER_SCALAR(object)

TL_LAMBDA(kFilter, "filter", kNullInNullOut, "The elements or points for which a lambda is true.",
          "ARRAY[1, 2, 3], x -> x > 1", "[2,3]",
          {"(array(T), function(T, boolean)) -> array(T)", Filter},
          {"(timeseries(T), function(row(time timestamp, value T), boolean)) -> timeseries(T)",
           Filter});
TL_LAMBDA(kTransform, "transform", kNullInNullOut, "What a lambda makes of each element or point.",
          "ARRAY[1, 2], x -> x * 10", "[10,20]",
          {"(array(T), function(T, U)) -> array(U)", Transform},
          {"(timeseries(T), function(row(time timestamp, value T), U)) -> timeseries(U)",
           Transform});
TL_LAMBDA(kReduce, "reduce", kSeesNulls, "Folds the elements or points, in order, into one value.",
          "ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s", "6",
          {"(array(T), S, function(S, T, S), function(S, R)) -> R", Reduce},
          {"(timeseries(T), S, function(S, row(time timestamp, value T), S), function(S, R)) -> R",
           Reduce});
TL_LAMBDA(kAnyMatch, "any_match", kNullInNullOut, "Whether a lambda is true for any element.",
          "ARRAY[1, 2], x -> x > 1", "true",
          {"(array(T), function(T, boolean)) -> boolean", Quantify<Quantifier::kAny>});
TL_LAMBDA(kAllMatch, "all_match", kNullInNullOut, "Whether a lambda is true for every element.",
          "ARRAY[1, 2], x -> x > 1", "false",
          {"(array(T), function(T, boolean)) -> boolean", Quantify<Quantifier::kAll>});
TL_LAMBDA(kNoneMatch, "none_match", kNullInNullOut, "Whether a lambda is true for no element.",
          "ARRAY[1, 2], x -> x > 2", "true",
          {"(array(T), function(T, boolean)) -> boolean", Quantify<Quantifier::kNone>});
TL_LAMBDA(kZipWith, "zip_with", kNullInNullOut,
          "What a lambda makes of elements in the same place.",
          "ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x + y", "[4,6]",
          {"(array(T), array(U), function(T, U, R)) -> array(R)", ZipWith});
#undef TL_LAMBDA

}  // namespace
}  // namespace tideline::functions
