// functions/array/sort.cc: array_sort, by the elements' own order or by a comparator lambda.
//
// A comparator is asked about many pairs at once: sorting runs Batcher's merge exchange (Knuth, The
// Art of Computer Programming, volume 3, algorithm 5.2.2M), whose steps compare disjoint pairs that
// do not depend on the answers, in all rows at the same time. An inconsistent comparator gives some
// permutation, never worse. Ties go by place, so the sort is stable.
#include <algorithm>
#include <numeric>

#include "functions/compare.h"
#include "functions/kernel.h"
#include "functions/lambda/elements.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

/// A long list is sorted in runs of this, merged two by two, with a look at the token before each.
constexpr std::size_t kSortRun = 65'536;

template <typename Before>
Status SortElements(const KernelContext& context, std::vector<std::uint32_t>* order, const Before& before) {
  const auto at = [&](std::size_t place) {
    return order->begin() + static_cast<std::ptrdiff_t>(std::min(place, order->size()));
  };
  for (std::size_t width = kSortRun / 2;; width *= 2) {
    for (std::size_t first = 0; first < order->size(); first += 2 * width) {
      if (context.cancel != nullptr && context.cancel->cancelled()) return Cancelled("the query was cancelled");
      if (width < kSortRun) {
        std::stable_sort(at(first), at(first + 2 * width), before);
      } else {
        std::inplace_merge(at(first), at(first + width), at(first + 2 * width), before);
      }
    }
    if (2 * width >= order->size()) return OkStatus();
  }
}

Status SortNatural(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
                   Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  ListResult list(result);
  std::vector<std::uint32_t> order;
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    const ListEntry entry = lists[row];
    order.resize(entry.length);
    std::iota(order.begin(), order.end(), entry.offset);
    status = SortElements(context, &order, [&](std::uint32_t a, std::uint32_t b) {
      return OrderRows(elements, a, elements, b) < 0;
    });
    list.Begin(row);
    for (const std::uint32_t element : order) list.Add(element);
  });
  TL_TRY(status);
  list.Finish(elements);
  return OkStatus();
}

// One row's elements on their way into order.
struct SortingRow {
  std::uint32_t row;
  std::vector<std::uint32_t> order;
  bool failed = false;
};

class ComparatorSort {
 public:
  ComparatorSort(const KernelContext& context, const Vector& elements, RowErrors* errors)
      : context_(context), elements_(elements), errors_(errors) {}

  Status Run(std::vector<SortingRow>* sorting) {
    std::size_t longest = 0;
    for (const SortingRow& one : *sorting) longest = std::max(longest, one.order.size());
    std::size_t top = 1;
    while (top * 2 < longest) top *= 2;
    for (std::size_t p = top; p > 0; p /= 2) {
      std::size_t r = 0;
      std::size_t distance = p;
      for (std::size_t q = top;; q /= 2) {
        TL_TRY(Step(sorting, p, r, distance));
        if (q == p) break;
        distance = q - p;
        r = p;
      }
    }
    return OkStatus();
  }

 private:
  // Compares, and exchanges where needed, all pairs (i, i + distance) with (i & p) == r.
  Status Step(std::vector<SortingRow>* sorting, std::size_t p, std::size_t r,
              std::size_t distance) {
    if (context_.cancel != nullptr && context_.cancel->cancelled()) {
      return Cancelled("the query was cancelled");
    }
    left_.clear();
    right_.clear();
    owners_.clear();
    ForPairs(sorting, p, r, distance, [&](SortingRow& one, std::uint32_t& a, std::uint32_t& b) {
      left_.push_back(a);
      right_.push_back(b);
      owners_.push_back(one.row);
    });
    if (owners_.empty()) return OkStatus();
    // The later element comes first, as where Java's sort asks: a comparator that answers wrongly for one
    // order of the two alone must fail here as it does there.
    const std::vector<Vector> inputs = {Gather(elements_, right_), Gather(elements_, left_)};
    Vector answers;
    RowErrors failures;
    TL_TRY(RunLambda(*context_.lambdas[0], inputs, owners_, &answers, &failures));
    const Reader<std::int64_t> reader(answers);
    std::size_t at = 0;
    ForPairs(sorting, p, r, distance, [&](SortingRow& one, std::uint32_t& a, std::uint32_t& b) {
      const std::size_t pair = at++;
      if (reader.IsNull(pair) || reader[pair] < -1 || reader[pair] > 1) {
        failures.Add(one.row, ExecutionFailed("Lambda comparator must return either -1, 0, or 1"));
      } else if (reader[pair] == -1 || (reader[pair] == 0 && a > b)) {
        std::swap(a, b);
      }
    });
    Fail(sorting, failures);
    return OkStatus();
  }

  // Rows that failed in an earlier step are left alone.
  template <typename F>
  static void ForPairs(std::vector<SortingRow>* sorting, std::size_t p, std::size_t r,
                       std::size_t distance, F&& f) {
    for (SortingRow& one : *sorting) {
      if (one.failed) continue;
      for (std::size_t i = 0; i + distance < one.order.size(); ++i) {
        if ((i & p) == r) f(one, one.order[i], one.order[i + distance]);
      }
    }
  }

  // One error per row reaches the caller.
  void Fail(std::vector<SortingRow>* sorting, const RowErrors& failures) {
    for (const RowErrors::Entry& entry : failures.entries()) {
      const auto one =
          std::lower_bound(sorting->begin(), sorting->end(), entry.row,
                           [](const SortingRow& at, std::uint32_t row) { return at.row < row; });
      if (one->failed) continue;
      one->failed = true;
      errors_->Add(entry.row, entry.status);
    }
  }

  const KernelContext& context_;
  const Vector& elements_;
  RowErrors* errors_;
  std::vector<std::uint32_t> left_;
  std::vector<std::uint32_t> right_;
  std::vector<std::uint32_t> owners_;
};

Status SortByLambda(const KernelContext& context, std::span<const Vector> arguments,
                    const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector& elements = arguments[0].child(0);
  std::vector<SortingRow> sorting;
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    SortingRow one{row, std::vector<std::uint32_t>(entry.length)};
    std::iota(one.order.begin(), one.order.end(), entry.offset);
    sorting.push_back(std::move(one));
  });
  TL_TRY(ComparatorSort(context, elements, errors).Run(&sorting));
  ListResult list(result);
  for (const SortingRow& one : sorting) {
    list.Begin(one.row);
    for (const std::uint32_t element : one.order) list.Add(element);
  }
  list.Finish(elements);
  return OkStatus();
}

constexpr ScalarOverload kArraySortOverloads[] = {
    {"(array(T:orderable)) -> array(T)", SortNatural},
    {"(array(T), function(T, T, bigint)) -> array(T)", SortByLambda}};
constexpr ScalarFunction kArraySort{
    .name = "array_sort",
    .overloads = kArraySortOverloads,
    .doc = {"array",
            "The elements in ascending order, NULLs last, or in the order of a lambda that answers "
            "-1, 0 or 1.",
            "SELECT array_sort(ARRAY[3, 1, 2], (a, b) -> IF(a < b, 1, IF(a = b, 0, -1)))",
            "[3,2,1]"}};
TL_REGISTER_SCALAR(kArraySort);

}  // namespace
}  // namespace tideline::functions
