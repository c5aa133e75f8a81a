// functions/array/derive.cc: arrays made of pieces of an array, and facts about its elements.
#include <algorithm>
#include <numeric>

#include "functions/growth.h"
#include "functions/compare.h"
#include "functions/element_set.h"
#include "functions/kernel.h"
#include "functions/map/map_result.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

// An array of arrays whose innermost elements all come from one vector.
class PiecesResult {
 public:
  explicit PiecesResult(Vector* result) : result_(result) {}
  void Begin(std::uint32_t row) {
    current_ = result_->mutable_values<ListEntry>() + row;
    *current_ = {static_cast<std::uint32_t>(pieces_.size()), 0};
  }
  void BeginPiece() {
    pieces_.push_back({static_cast<std::uint32_t>(elements_.size()), 0});
    ++current_->length;
  }
  void Add(std::uint32_t element) {
    elements_.push_back(element);
    ++pieces_.back().length;
  }
  std::size_t element_count() const { return elements_.size(); }
  void Finish(const Vector& elements) {
    Vector pieces = Vector::Flat(result_->type().element(), pieces_.size());
    std::copy(pieces_.begin(), pieces_.end(), pieces.mutable_values<ListEntry>());
    if (!elements_.empty()) pieces.SetChild(0, Gather(elements, elements_));
    result_->SetChild(0, std::move(pieces));
  }

 private:
  Vector* result_;
  ListEntry* current_ = nullptr;
  std::vector<ListEntry> pieces_;
  std::vector<std::uint32_t> elements_;
};

Status NgramsKernel(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                    Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<I64> sizes(arguments[1]);
  PiecesResult pieces(result);
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    const ListEntry entry = lists[row];
    pieces.Begin(row);
    if (sizes[row] <= 0) {
      errors->Add(row, ExecutionFailed("N must be positive"));
      return;
    }
    const auto size = static_cast<std::uint32_t>(std::min(sizes[row], I64{entry.length}));
    status = CheckCallElements("ngrams", pieces.element_count() + std::size_t{size} * (entry.length - size + 1));
    if (!status.ok()) return;
    for (std::uint32_t first = 0; first + size <= entry.length; ++first) {
      pieces.BeginPiece();
      for (std::uint32_t i = 0; i < size; ++i) pieces.Add(entry.offset + first + i);
    }
  });
  TL_TRY(status);
  pieces.Finish(arguments[0].child(0));
  return OkStatus();
}

constexpr I64 kCombinationSizeMax = 5;
constexpr std::size_t kCombinationsMax = 100'000;

// Steps `places` (ascending, below `length`) to the next choice in colexicographic order.
bool NextCombination(std::uint32_t length, std::vector<std::uint32_t>* places) {
  for (std::size_t i = 0; i < places->size(); ++i) {
    const std::uint32_t limit = i + 1 < places->size() ? (*places)[i + 1] : length;
    if ((*places)[i] + 1 < limit) {
      ++(*places)[i];
      std::iota(places->begin(), places->begin() + static_cast<std::ptrdiff_t>(i), 0U);
      return true;
    }
  }
  return false;
}

Status CombinationsOf(ListEntry entry, I64 size, PiecesResult* pieces) {
  if (size < 0) return ExecutionFailed("combination size must not be negative: {}", size);
  if (size > kCombinationSizeMax) {
    return ExecutionFailed("combination size must not exceed {}: {}", kCombinationSizeMax, size);
  }
  if (size > entry.length) return OkStatus();
  std::vector<std::uint32_t> places(static_cast<std::size_t>(size));
  std::iota(places.begin(), places.end(), 0U);
  std::size_t count = 0;
  do {
    if (++count > kCombinationsMax) {
      return ExecutionFailed("combinations exceed max size: more than {}", kCombinationsMax);
    }
    pieces->BeginPiece();
    for (const std::uint32_t place : places) pieces->Add(entry.offset + place);
  } while (NextCombination(entry.length, &places));
  return OkStatus();
}

Status CombinationsKernel(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<I64> sizes(arguments[1]);
  PiecesResult pieces(result);
  Status fits = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!fits.ok()) return;
    pieces.Begin(row);
    Status status = CombinationsOf(lists[row], sizes[row], &pieces);
    if (!status.ok()) errors->Add(row, std::move(status));
    fits = CheckCallElements("combinations", pieces.element_count());
  });
  TL_TRY(fits);
  pieces.Finish(arguments[0].child(0));
  return OkStatus();
}

Status TrimArrayKernel(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<I64> counts(arguments[1]);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    list.Begin(row);
    if (counts[row] < 0) {
      errors->Add(row, ExecutionFailed("size must not be negative: {}", counts[row]));
      return;
    }
    if (counts[row] > entry.length) {
      errors->Add(row, ExecutionFailed("size must not exceed array cardinality {}: {}",
                                       entry.length, counts[row]));
      return;
    }
    const auto kept = static_cast<std::uint32_t>(I64{entry.length} - counts[row]);
    for (std::uint32_t i = 0; i < kept; ++i) list.Add(entry.offset + i);
  });
  list.Finish(arguments[0].child(0));
  return OkStatus();
}

template <bool is_last>
Status ArrayEndKernel(const KernelContext&, std::span<const Vector> arguments,
                      const Selection& rows, Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  std::vector<std::uint32_t> indices(result->size(), 0);
  std::vector<std::uint32_t> present;
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    if (entry.length == 0) {
      result->SetNull(row);
      return;
    }
    indices[row] = is_last ? entry.offset + entry.length - 1 : entry.offset;
    present.push_back(row);
  });
  if (!present.empty()) {
    CopyRows(arguments[0].child(0).Slice(indices), Selection::Of(present), result);
  }
  return OkStatus();
}

Status ArrayAverageKernel(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Reader<double> elements(arguments[0].child(0));
  double* out = result->mutable_values<double>();
  rows.ForEach([&](std::uint32_t row) {
    double sum = 0;
    std::size_t count = 0;
    for (std::uint32_t i = lists[row].offset; i < lists[row].offset + lists[row].length; ++i) {
      if (elements.IsNull(i)) continue;
      sum += elements[i];
      ++count;
    }
    out[row] = sum / static_cast<double>(count);
    if (count == 0) result->SetNull(row);
  });
  return OkStatus();
}

Status HasDuplicatesKernel(const KernelContext&, std::span<const Vector> arguments,
                           const Selection& rows, Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    ElementSet seen(elements, entry.length);
    out[row] = 0;
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (!seen.Insert(i)) out[row] = 1;
    }
  });
  return OkStatus();
}

// NULL elements are not counted.
Status FrequencyKernel(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  std::vector<I64> counts(elements.size(), 0);  // at the first element of its kind, within a row
  MapResult map(result);
  std::vector<std::pair<std::uint32_t, I64>> found;
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    ElementSet seen(elements, entry.length);
    std::vector<std::uint32_t> first;
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (elements.IsNull(i)) continue;
      if (seen.Insert(i)) {
        first.push_back(i);
        counts[i] = 0;
      }
      ++counts[seen.Equal(i)];
    }
    map.Begin(row);
    for (const std::uint32_t i : first) {
      map.Add(i, static_cast<std::uint32_t>(found.size()));
      found.emplace_back(i, counts[i]);
    }
  });
  Vector values = Vector::Flat(Type::Bigint(), found.size());
  for (std::size_t i = 0; i < found.size(); ++i) values.mutable_values<I64>()[i] = found[i].second;
  map.Finish(elements, values);
  return OkStatus();
}

#define TL_DERIVE(object, text, summary_text, example_text, result_text, ...)            \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                          \
  constexpr ScalarFunction object{                                                       \
      .name = text,                                                                      \
      .overloads = object##Overloads,                                                    \
      .doc = {"array", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)

TL_DERIVE(kNgrams, "ngrams", "The runs of n neighbours; the whole array when it is shorter.",
          "ARRAY['a', 'b', 'c'], 2", "[[a,b],[b,c]]",
          {"(array(T), bigint) -> array(array(T))", NgramsKernel});
TL_DERIVE(kCombinations, "combinations", "The choices of n elements, n at most 5.",
          "ARRAY[1, 2, 3], 2", "[[1,2],[1,3],[2,3]]",
          {"(array(T), bigint) -> array(array(T))", CombinationsKernel});
TL_DERIVE(kTrimArray, "trim_array", "The array without its last n elements.", "ARRAY[1, 2, 3], 1",
          "[1,2]", {"(array(T), bigint) -> array(T)", TrimArrayKernel});
TL_DERIVE(kArrayFirst, "array_first", "The first element; NULL when there is none.",
          "ARRAY[1, 2, 3]", "1", {"(array(T)) -> T", ArrayEndKernel<false>});
TL_DERIVE(kArrayLast, "array_last", "The last element; NULL when there is none.", "ARRAY[1, 2, 3]",
          "3", {"(array(T)) -> T", ArrayEndKernel<true>});
TL_DERIVE(kArrayAverage, "array_average", "The mean of the elements that are not NULL.",
          "ARRAY[1, 2, 6]", "3.0", {"(array(double)) -> double", ArrayAverageKernel});
TL_DERIVE(kArrayHasDuplicates, "array_has_duplicates", "Whether any element comes twice.",
          "ARRAY[1, 2, 1]", "true", {"(array(T:comparable)) -> boolean", HasDuplicatesKernel});
TL_DERIVE(kArrayFrequency, "array_frequency", "How often each element comes.", "ARRAY['a', 'a']",
          "{a=2}", {"(array(T:comparable)) -> map(T, bigint)", FrequencyKernel});
#undef TL_DERIVE

}  // namespace
}  // namespace tideline::functions
