// functions/comparison/choose.cc: greatest, least, typeof.
#include <cmath>

#include "functions/compare.h"
#include "functions/kernel.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

template <bool is_greatest>
Status Choose(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
              Vector* result, RowErrors* errors) {
  const bool is_double = result->type().is(TypeId::kDouble);
  std::vector<std::vector<std::uint32_t>> winners(arguments.size());
  rows.ForEach([&](std::uint32_t row) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (is_double && std::isnan(Reader<double>(arguments[i])[row])) {
        errors->Add(row, ExecutionFailed("Invalid argument to {}(): NaN",
                                         is_greatest ? "greatest" : "least"));
        return;
      }
      // A null or NaN inside never wins: it comes first for the greatest and last for the least.
      const bool wins =
          is_greatest ? OrderRowsUnorderedFirst(arguments[i], row, arguments[best], row) > 0
                      : OrderRows(arguments[i], row, arguments[best], row) < 0;
      if (wins) best = i;
    }
    winners[best].push_back(row);
  });
  // Columns of nested values cannot share children, so their rows are copied one by one.
  if (!result->type().is_nested()) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!winners[i].empty()) CopyRows(arguments[i], Selection::Of(winners[i]), result);
    }
    return OkStatus();
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    for (const std::uint32_t row : winners[i]) PutRow(arguments[i], row, row, result);
  }
  return OkStatus();
}

constexpr ScalarOverload kGreatestOverloads[] = {{"(T:orderable, T...) -> T", Choose<true>}};
constexpr ScalarFunction kGreatest{.name = "greatest",
                                   .overloads = kGreatestOverloads,
                                   .doc = {"comparison", "The largest argument; NULL when any is.",
                                           "SELECT greatest(1, 3, 2)", "3"}};
TL_REGISTER_SCALAR(kGreatest);
constexpr ScalarOverload kLeastOverloads[] = {{"(T:orderable, T...) -> T", Choose<false>}};
constexpr ScalarFunction kLeast{.name = "least",
                                .overloads = kLeastOverloads,
                                .doc = {"comparison", "The smallest argument; NULL when any is.",
                                        "SELECT least('b', 'a')", "a"}};
TL_REGISTER_SCALAR(kLeast);

Status Typeof(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
              Vector* result, RowErrors*) {
  const std::string text = arguments[0].type().ToString();
  rows.ForEach([&](std::uint32_t row) { result->SetString(row, text); });
  return OkStatus();
}
constexpr ScalarOverload kTypeofOverloads[] = {{"(T) -> varchar", Typeof}};
constexpr ScalarFunction kTypeof{
    .name = "typeof",
    .overloads = kTypeofOverloads,
    .nulls = NullPolicy::kSeesNulls,
    .doc = {"conversion", "The type of an expression, as text.", "SELECT typeof(1)", "integer"}};
TL_REGISTER_SCALAR(kTypeof);

}  // namespace
}  // namespace tideline::functions
