// functions/array/array.cc: functions over arrays that need no lambda.
#include <algorithm>
#include <numeric>

#include "columnar/text_format.h"
#include "functions/calendar.h"
#include "functions/compare.h"
#include "functions/element_set.h"
#include "functions/growth.h"
#include "functions/kernel.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

// The elements of two arrays as one vector, so that an element is one index whichever it came from.
struct TwoArrays {
  TwoArrays(const Vector& a, const Vector& b)
      : left(a), right(b), first_of_right(static_cast<std::uint32_t>(a.child(0).size())) {
    const Vector* const parts[] = {&a.child(0), &b.child(0)};
    all = Concatenate(a.type().element(), parts);
  }
  std::vector<std::uint32_t> Left(std::uint32_t row) const { return Of(left[row], 0); }
  std::vector<std::uint32_t> Right(std::uint32_t row) const {
    return Of(right[row], first_of_right);
  }

  Reader<ListEntry> left;
  Reader<ListEntry> right;
  std::uint32_t first_of_right;
  Vector all;

 private:
  static std::vector<std::uint32_t> Of(ListEntry entry, std::uint32_t base) {
    std::vector<std::uint32_t> elements(entry.length);
    std::iota(elements.begin(), elements.end(), base + entry.offset);
    return elements;
  }
};

Status Distinct(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    ElementSet seen(elements, entry.length);
    list.Begin(row);
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (seen.Insert(i)) list.Add(i);
    }
  });
  list.Finish(elements);
  return OkStatus();
}

enum class SetOp { kUnion, kIntersect, kExcept };

template <SetOp op>
Status CombineSets(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                   Vector* result, RowErrors*) {
  const TwoArrays arrays(arguments[0], arguments[1]);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    const std::vector<std::uint32_t> left = arrays.Left(row);
    const std::vector<std::uint32_t> right = arrays.Right(row);
    ElementSet other(arrays.all, right.size());
    if (op != SetOp::kUnion) {
      for (const std::uint32_t element : right) other.Insert(element);
    }
    ElementSet seen(arrays.all, left.size() + right.size());
    list.Begin(row);
    for (const std::uint32_t element : left) {
      if (op == SetOp::kIntersect && !other.Contains(element)) continue;
      if (op == SetOp::kExcept && other.Contains(element)) continue;
      if (seen.Insert(element)) list.Add(element);
    }
    if (op != SetOp::kUnion) return;
    for (const std::uint32_t element : right) {
      if (seen.Insert(element)) list.Add(element);
    }
  });
  list.Finish(arrays.all);
  return OkStatus();
}

Status Overlap(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
               Vector* result, RowErrors*) {
  const TwoArrays arrays(arguments[0], arguments[1]);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  rows.ForEach([&](std::uint32_t row) {
    const std::vector<std::uint32_t> left = arrays.Left(row);
    const std::vector<std::uint32_t> right = arrays.Right(row);
    ElementSet other(arrays.all, right.size());
    bool any_null = false;
    bool overlap = false;
    for (const std::uint32_t element : right) {
      any_null |= arrays.all.IsNull(element);
      other.Insert(element);
    }
    for (const std::uint32_t element : left) {
      const bool is_null = arrays.all.IsNull(element);
      any_null |= is_null;
      overlap |= !is_null && other.Contains(element);
    }
    out[row] = overlap ? 1 : 0;
    if (!overlap && any_null && !left.empty() && !right.empty()) result->SetNull(row);
  });
  return OkStatus();
}

Status Join(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
            Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<StringRef> separators(arguments[1]);
  const bool has_null_text = arguments.size() > 2;
  const Reader<StringRef> null_texts(arguments[has_null_text ? 2 : 1]);
  const Vector& elements = arguments[0].child(0);
  std::string out;
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    const ListEntry entry = lists[row];
    out.clear();
    bool first = true;
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length && out.size() <= kTextBytesMax; ++i) {
      const bool is_null = elements.IsNull(i);
      if (is_null && !has_null_text) continue;
      if (!first) out += separators[row].view();
      first = false;
      if (is_null) {
        out += null_texts[row].view();
      } else {
        AppendText(elements, i, &out);
      }
    }
    if (Status fits = CheckTextBytes("array_join", out.size()); !fits.ok()) {
      errors->Add(row, std::move(fits));
      return;
    }
    status = CheckCallTextBytes("array_join", result->heap().bytes() + out.size());
    if (status.ok()) result->SetString(row, out);
  });
  return status;
}

template <bool is_max>
Status ExtremeElement(const KernelContext&, std::span<const Vector> arguments,
                      const Selection& rows, Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  std::vector<std::uint32_t> indices(result->size(), 0);
  std::vector<std::uint32_t> present;
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    std::uint32_t best = entry.offset;
    bool any_null = entry.length == 0;
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      any_null |= elements.IsNull(i);
      // NaN loses against every number, on both sides.
      const bool wins = is_max ? OrderRowsUnorderedFirst(elements, i, elements, best) > 0
                               : OrderRows(elements, i, elements, best) < 0;
      if (wins) best = i;
    }
    if (any_null) {
      result->SetNull(row);
    } else {
      indices[row] = best;
      present.push_back(row);
    }
  });
  if (!present.empty()) CopyRows(elements.Slice(indices), Selection::Of(present), result);
  return OkStatus();
}

Status Position(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  I64* out = result->mutable_values<I64>();
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    out[row] = 0;
    for (std::uint32_t i = 0; i < entry.length; ++i) {
      if (!elements.IsNull(entry.offset + i) &&
          EqualRows(elements, entry.offset + i, arguments[1], row) == true) {
        out[row] = i + 1;
        return;
      }
    }
  });
  return OkStatus();
}

// The place of match number `instance`, counted from the end when that is negative.
Status PositionOfInstance(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<I64> instances(arguments[2]);
  const Vector& elements = arguments[0].child(0);
  I64* out = result->mutable_values<I64>();
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    const I64 instance = instances[row];
    out[row] = 0;
    if (instance == 0) {
      errors->Add(row, ExecutionFailed(
                           "array_position cannot take a 0-valued instance argument."));
      return;
    }
    std::uint64_t left = instance < 0 ? 0 - static_cast<std::uint64_t>(instance)
                                      : static_cast<std::uint64_t>(instance);
    for (std::uint32_t i = 0; i < entry.length; ++i) {
      const std::uint32_t at = instance > 0 ? i : entry.length - 1 - i;
      if (elements.IsNull(entry.offset + at) ||
          EqualRows(elements, entry.offset + at, arguments[1], row) != true) {
        continue;
      }
      if (--left == 0) {
        out[row] = at + 1;
        return;
      }
    }
  });
  return OkStatus();
}

Status Contains(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    bool unknown = false;
    out[row] = 0;
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      const std::optional<bool> equal =
          elements.IsNull(i) ? std::nullopt : EqualRows(elements, i, arguments[1], row);
      unknown |= !equal;
      if (equal == true) {
        out[row] = 1;
        return;
      }
    }
    if (unknown) result->SetNull(row);
  });
  return OkStatus();
}
Status ContainsText(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                    Vector* result, RowErrors*) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<StringRef> parts(arguments[1]);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  rows.ForEach([&](std::uint32_t row) {
    out[row] = texts[row].view().find(parts[row].view()) != std::string_view::npos ? 1 : 0;
  });
  return OkStatus();
}

Status Remove(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
              Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    list.Begin(row);
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (elements.IsNull(i) || EqualRows(elements, i, arguments[1], row) != true) list.Add(i);
    }
  });
  list.Finish(elements);
  return OkStatus();
}

Status Shuffle(const KernelContext& context, std::span<const Vector> arguments,
               const Selection& rows, Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  ListResult list(result);
  std::vector<std::uint32_t> order;
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    order.resize(entry.length);
    std::iota(order.begin(), order.end(), entry.offset);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[context.random->Below(i)]);
    }
    list.Begin(row);
    for (const std::uint32_t element : order) list.Add(element);
  });
  list.Finish(arguments[0].child(0));
  return OkStatus();
}

Status Slice(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
             Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<I64> starts(arguments[1]);
  const Reader<I64> lengths(arguments[2]);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    I64 start = starts[row];
    list.Begin(row);
    if (start == 0) {
      errors->Add(row, ExecutionFailed("SQL array indices start at 1"));
      return;
    }
    if (lengths[row] < 0) {
      errors->Add(row, ExecutionFailed("length must be greater than or equal to 0"));
      return;
    }
    if (start < 0) start += I64{entry.length} + 1;
    if (start < 1 || start > entry.length) return;
    const I64 count = std::min(lengths[row], I64{entry.length} - start + 1);
    for (I64 i = 0; i < count; ++i) {
      list.Add(entry.offset + static_cast<std::uint32_t>(start - 1 + i));
    }
  });
  list.Finish(arguments[0].child(0));
  return OkStatus();
}

Status Flatten(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
               Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& inner = arguments[0].child(0);
  const Reader<ListEntry> inner_lists(inner);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    list.Begin(row);
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (inner.IsNull(i)) continue;
      for (std::uint32_t j = 0; j < inner_lists[i].length; ++j) list.Add(inner_lists[i].offset + j);
    }
  });
  list.Finish(inner.child(0));
  return OkStatus();
}

Status Repeat(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
              Vector* result, RowErrors* errors) {
  static constexpr I64 kRepeatMax = 10'000;
  const Reader<I64> counts(arguments[1]);
  const Vector elements = arguments[0].Flatten();
  ListResult list(result);
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    list.Begin(row);
    if (arguments[1].IsNull(row)) {
      result->SetNull(row);
      return;
    }
    if (counts[row] < 0 || counts[row] > kRepeatMax) {
      errors->Add(row, counts[row] < 0
                           ? ExecutionFailed("count argument of repeat function must be greater "
                                             "than or equal to 0")
                           : ExecutionFailed("count argument of repeat function must be less than "
                                             "or equal to {}",
                                             kRepeatMax));
      return;
    }
    status = CheckCallElements("repeat", list.element_count() + static_cast<std::size_t>(counts[row]));
    for (I64 i = 0; i < counts[row] && status.ok(); ++i) list.Add(row);
  });
  TL_TRY(status);
  list.Finish(elements);
  return OkStatus();
}

Status Zip(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
           Vector* result, RowErrors*) {
  const std::size_t width = arguments.size();
  std::vector<std::vector<std::uint32_t>> picked(width);
  std::vector<Vector> sources(width);
  for (std::size_t i = 0; i < width; ++i) {  // one null element after the real ones, for padding
    sources[i] = arguments[i].child(0).Flatten();
    Vector padded = Vector::Flat(sources[i].type(), 0);
    padded.Append(sources[i], Selection::All(sources[i].size()));
    padded.Append(Vector::ConstantNull(sources[i].type(), 1), Selection::All(1));
    sources[i] = std::move(padded);
  }
  ListEntry* out = result->mutable_values<ListEntry>();
  std::uint32_t total = 0;
  rows.ForEach([&](std::uint32_t row) {
    std::uint32_t longest = 0;
    std::vector<ListEntry> entries(width);
    for (std::size_t i = 0; i < width; ++i) {
      entries[i] = Reader<ListEntry>(arguments[i])[row];
      longest = std::max(longest, entries[i].length);
    }
    for (std::size_t i = 0; i < width; ++i) {
      const auto padding = static_cast<std::uint32_t>(sources[i].size() - 1);
      for (std::uint32_t k = 0; k < longest; ++k) {
        picked[i].push_back(k < entries[i].length ? entries[i].offset + k : padding);
      }
    }
    out[row] = {total, longest};
    total += longest;
  });
  Vector points = Vector::Flat(result->type().element(), total);
  for (std::size_t i = 0; i < width; ++i) points.SetChild(i, Gather(sources[i], picked[i]));
  result->SetChild(0, std::move(points));
  return OkStatus();
}

// ---- sequence
// -------------------------------------------------------------------------------------------

constexpr I64 kSequenceMaxCompat = 10'000;
constexpr I64 kSequenceMax = 10'000'000;

// How many steps fit; a failure when the direction is wrong.
Result<I64> SequenceLength(I64 start, I64 stop, I64 step, I64 max) {
  if (step == 0) return ExecutionFailed("step must not be zero");
  if ((step > 0 && stop < start) || (step < 0 && stop > start)) {
    return ExecutionFailed(
        "sequence stop value should be greater than or equal to start value if step is greater "
        "than zero otherwise stop should be less than or equal to start");
  }
  const Int128 length = (Int128{stop} - start) / step + 1;
  if (length > max) {
    return ExecutionFailed("result of sequence function must not have more than {} entries", max);
  }
  return static_cast<I64>(length);
}

template <typename T>
Status SequenceKernel(const KernelContext& context, std::span<const Vector> arguments,
                      const Selection& rows, Vector* result, RowErrors* errors) {
  const I64 max = context.compat_profile ? kSequenceMaxCompat : kSequenceMax;
  // A date moves by days though its step is an interval.
  const I64 unit = arguments[0].type().is(TypeId::kDate) ? kNsPerDay : 1;
  const bool is_bigint = arguments[0].type().is(TypeId::kBigint);
  const Reader<T> starts(arguments[0]);
  const Reader<T> stops(arguments[1]);
  const bool has_step = arguments.size() > 2;
  std::vector<T> values;
  ListEntry* out = result->mutable_values<ListEntry>();
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    const I64 start = starts[row];
    const I64 stop = stops[row];
    I64 step = is_bigint || unit != 1 ? (stop < start ? -1 : 1) : kNsPerDay;
    if (has_step) {
      step = Reader<I64>(arguments[2])[row];
      if (step % unit != 0) {
        errors->Add(row, ExecutionFailed("sequence step must be a day interval if start and end "
                                         "values are dates"));
        return;
      }
      step /= unit;
    }
    const Result<I64> length = SequenceLength(start, stop, step, max);
    if (!length.ok()) {
      errors->Add(row, length.status());
      return;
    }
    status = CheckCallElements("sequence", values.size() + static_cast<std::size_t>(*length));
    if (!status.ok()) return;
    out[row] = {static_cast<std::uint32_t>(values.size()), static_cast<std::uint32_t>(*length)};
    for (I64 i = 0; i < *length; ++i) values.push_back(static_cast<T>(start + i * step));
  });
  TL_TRY(status);
  Vector elements = Vector::Flat(result->type().element(), values.size());
  std::copy(values.begin(), values.end(), elements.mutable_values<T>());
  result->SetChild(0, std::move(elements));
  return OkStatus();
}

Result<I64> MoveByMonths(I64 from, I64 months, bool is_date) {
  if (!is_date) return AddMonthsToTimestamp(from, months);
  const Result<std::int32_t> days = AddMonthsToDate(static_cast<std::int32_t>(from), months);
  if (!days.ok()) return days.status();
  return I64{*days};
}

template <typename T>
Status SequenceByMonths(const KernelContext& context, std::span<const Vector> arguments,
                        const Selection& rows, Vector* result, RowErrors* errors) {
  const I64 max = context.compat_profile ? kSequenceMaxCompat : kSequenceMax;
  const bool is_date = sizeof(T) == 4;
  const Reader<T> starts(arguments[0]);
  const Reader<T> stops(arguments[1]);
  const Reader<std::int32_t> steps(arguments[2]);
  std::vector<T> values;
  ListEntry* out = result->mutable_values<ListEntry>();
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    const I64 step = steps[row];
    const Result<I64> checked = SequenceLength(
        starts[row], stops[row], step == 0 ? 0 : (step > 0 ? kNsPerDay : -kNsPerDay), INT64_MAX);
    if (!checked.ok()) {
      errors->Add(row, checked.status());
      return;
    }
    const std::size_t first = values.size();
    for (I64 i = 0;; ++i) {
      const Result<I64> at = MoveByMonths(starts[row], i * step, is_date);
      if (!at.ok() || (step > 0 ? *at > stops[row] : *at < stops[row])) break;
      if (i >= max) {
        errors->Add(
            row,
            ExecutionFailed("result of sequence function must not have more than {} entries", max));
        break;
      }
      values.push_back(static_cast<T>(*at));
    }
    status = CheckCallElements("sequence", values.size());
    out[row] = {static_cast<std::uint32_t>(first),
                static_cast<std::uint32_t>(values.size() - first)};
  });
  TL_TRY(status);
  Vector elements = Vector::Flat(result->type().element(), values.size());
  std::copy(values.begin(), values.end(), elements.mutable_values<T>());
  result->SetChild(0, std::move(elements));
  return OkStatus();
}

// ---- sums
// -----------------------------------------------------------------------------------------------

Status SumDoubles(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                  Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<double> elements(arguments[0].child(0));
  double* out = result->mutable_values<double>();
  rows.ForEach([&](std::uint32_t row) {
    double sum = 0;
    for (std::uint32_t i = lists[row].offset; i < lists[row].offset + lists[row].length; ++i) {
      if (!elements.IsNull(i)) sum += elements[i];
    }
    out[row] = sum;
  });
  return OkStatus();
}
Status SumIntegers(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                   Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<I64> elements(arguments[0].child(0));
  I64* out = result->mutable_values<I64>();
  rows.ForEach([&](std::uint32_t row) {
    I64 sum = 0;
    bool overflow = false;
    for (std::uint32_t i = lists[row].offset; i < lists[row].offset + lists[row].length; ++i) {
      if (!elements.IsNull(i)) overflow |= __builtin_add_overflow(sum, elements[i], &sum);
    }
    if (overflow) errors->Add(row, ExecutionFailed("bigint addition overflow in array_sum"));
    out[row] = sum;
  });
  return OkStatus();
}

#define TL_ARRAY(object, text, summary_text, example_text, result_text, ...)             \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                          \
  constexpr ScalarFunction object{                                                       \
      .name = text,                                                                      \
      .overloads = object##Overloads,                                                    \
      .doc = {"array", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)

TL_ARRAY(kArrayDistinct, "array_distinct", "The different elements, in order of appearance.",
         "ARRAY[1, 2, 2, 3]", "[1,2,3]", {"(array(T:comparable)) -> array(T)", Distinct});
TL_ARRAY(kArrayUnion, "array_union", "The different elements of both arrays.",
         "ARRAY[1, 2], ARRAY[2, 3]", "[1,2,3]",
         {"(array(T:comparable), array(T)) -> array(T)", CombineSets<SetOp::kUnion>});
TL_ARRAY(kArrayIntersect, "array_intersect", "The different elements that both arrays have.",
         "ARRAY[1, 2, 3], ARRAY[3, 4, 5]", "[3]",
         {"(array(T:comparable), array(T)) -> array(T)", CombineSets<SetOp::kIntersect>});
TL_ARRAY(kArrayExcept, "array_except", "The different elements of the first array only.",
         "ARRAY[1, 2, 3], ARRAY[3, 4, 5]", "[1,2]",
         {"(array(T:comparable), array(T)) -> array(T)", CombineSets<SetOp::kExcept>});
TL_ARRAY(kArraysOverlap, "arrays_overlap", "Whether two arrays have an element in common.",
         "ARRAY[1, 2], ARRAY[2]", "true", {"(array(T:comparable), array(T)) -> boolean", Overlap});
TL_ARRAY(kArrayJoin, "array_join", "The elements as one text with a separator.",
         "ARRAY[1, 2, 3], ';'", "1;2;3", {"(array(T), varchar) -> varchar", Join},
         {"(array(T), varchar, varchar) -> varchar", Join});
TL_ARRAY(kArrayMax, "array_max", "The largest element; NULL if any is.", "ARRAY[1, 3, 2]", "3",
         {"(array(T:orderable)) -> T", ExtremeElement<true>});
TL_ARRAY(kArrayMin, "array_min", "The smallest element; NULL if any is.", "ARRAY[1, 3, 2]", "1",
         {"(array(T:orderable)) -> T", ExtremeElement<false>});
TL_ARRAY(kArrayPosition, "array_position",
         "Where an element is, the first or the n-th time (from the end if negative); 0 when it is "
         "not there.",
         "ARRAY[3, 4, 5, 9], 5", "3", {"(array(T:comparable), T) -> bigint", Position},
         {"(array(T:comparable), T, bigint) -> bigint", PositionOfInstance});
TL_ARRAY(kArrayRemove, "array_remove", "The array without the elements equal to one.",
         "ARRAY[3, 4, 5], 4", "[3,5]", {"(array(T:comparable), T) -> array(T)", Remove});
TL_ARRAY(kContains, "contains", "Whether an array has an element, or a text another text.",
         "ARRAY[1, 2], 2", "true", {"(array(T:comparable), T) -> boolean", Contains},
         {"(varchar, varchar) -> boolean", ContainsText});
TL_ARRAY(kSlice, "slice", "So many elements from a position, from the end when negative.",
         "ARRAY[6, 8, 2, 9, 3], 1, 3", "[6,8,2]",
         {"(array(T), bigint, bigint) -> array(T)", Slice});
TL_ARRAY(kFlatten, "flatten", "The elements of the arrays in an array.",
         "ARRAY[ARRAY[1], ARRAY[2, 3]]", "[1,2,3]", {"(array(array(T))) -> array(T)", Flatten});
TL_ARRAY(kZip, "zip", "Rows of the elements in the same place; shorter arrays give NULL.",
         "ARRAY[1, 2], ARRAY['a']", "[(1,a),(2,null)]",
         {"(array(T), array(U)) -> array(row(T, U))", Zip},
         {"(array(T), array(U), array(V)) -> array(row(T, U, V))", Zip},
         {"(array(T), array(U), array(V), array(W)) -> array(row(T, U, V, W))", Zip},
         {"(array(T), array(U), array(V), array(W), array(X)) -> array(row(T, U, V, W, X))", Zip});
TL_ARRAY(kSequence, "sequence", "The values from start to stop by a step.", "3, 15, 2",
         "[3,5,7,9,11,13,15]", {"(bigint, bigint) -> array(bigint)", SequenceKernel<I64>},
         {"(bigint, bigint, bigint) -> array(bigint)", SequenceKernel<I64>},
         {"(timestamp, timestamp) -> array(timestamp)", SequenceKernel<I64>},
         {"(timestamp, timestamp, interval day to second) -> array(timestamp)",
          SequenceKernel<I64>},
         {"(timestamp, timestamp, interval year to month) -> array(timestamp)",
          SequenceByMonths<I64>},
         {"(date, date) -> array(date)", SequenceKernel<std::int32_t>},
         {"(date, date, interval day to second) -> array(date)", SequenceKernel<std::int32_t>},
         {"(date, date, interval year to month) -> array(date)", SequenceByMonths<std::int32_t>});
TL_ARRAY(kArraySum, "array_sum", "The sum of the elements that are not NULL.", "ARRAY[1, 2]", "3",
         {"(array(bigint)) -> bigint", SumIntegers}, {"(array(double)) -> double", SumDoubles});

constexpr ScalarOverload kShuffleOverloads[] = {{"(array(T)) -> array(T)", Shuffle}};
constexpr ScalarFunction kShuffle{
    .name = "shuffle",
    .overloads = kShuffleOverloads,
    .volatility = Volatility::kVolatile,
    .doc = {"array", "The elements in random order.", "SELECT shuffle(ARRAY[1, 1])", "[1,1]"}};
TL_REGISTER_SCALAR(kShuffle);
constexpr ScalarOverload kRepeatOverloads[] = {{"(T, bigint) -> array(T)", Repeat}};
constexpr ScalarFunction kRepeat{
    .name = "repeat",
    .overloads = kRepeatOverloads,
    .nulls = NullPolicy::kSeesNulls,
    .doc = {"array", "An array of one element so many times.", "SELECT repeat(1, 3)", "[1,1,1]"}};
TL_REGISTER_SCALAR(kRepeat);

#undef TL_ARRAY

}  // namespace
}  // namespace tideline::functions
