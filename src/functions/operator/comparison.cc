// functions/operator/comparison.cc: = <> < <= > >= and IS DISTINCT FROM over all comparable types.
#include "functions/compare.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

enum class Op { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

template <Op op, typename T>
bool Holds(const T& a, const T& b) {
  if constexpr (op == Op::kEqual) return a == b;
  if constexpr (op == Op::kNotEqual) return !(a == b);
  if constexpr (op == Op::kLess) return a < b;
  if constexpr (op == Op::kGreater) return b < a;
  // Not !(b < a): that would hold for NaN.
  if constexpr (std::is_same_v<T, double>) {
    if constexpr (op == Op::kLessEqual) return a <= b;
    if constexpr (op == Op::kGreaterEqual) return a >= b;
  }
  if constexpr (op == Op::kLessEqual) return !(b < a);
  if constexpr (op == Op::kGreaterEqual) return !(a < b);
}

template <Op op, typename T>
bool HoldsByValue(T a, T b) {
  return Holds<op, T>(a, b);
}

// Text by reference: a StringRef is 16 bytes and its inline text must not be copied per row.
template <Op op>
void CompareText(std::span<const Vector> arguments, const Selection& rows, Vector* result) {
  const Reader<StringRef> a(arguments[0]);
  const Reader<StringRef> b(arguments[1]);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  rows.ForEach([&](std::uint32_t row) { out[row] = Holds<op, StringRef>(a[row], b[row]) ? 1 : 0; });
}

template <Op op>
void CompareNestedEqual(std::span<const Vector> arguments, const Selection& rows, Vector* result) {
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  rows.ForEach([&](std::uint32_t row) {
    const std::optional<bool> equal = EqualRows(arguments[0], row, arguments[1], row);
    if (!equal) {
      result->SetNull(row);
    } else {
      out[row] = *equal == (op == Op::kEqual) ? 1 : 0;
    }
  });
}

template <Op op>
void CompareNestedOrder(std::span<const Vector> arguments, const Selection& rows, Vector* result) {
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  rows.ForEach([&](std::uint32_t row) {
    const std::optional<int> order = OrderRowsIfKnown(arguments[0], row, arguments[1], row);
    if (!order) {
      result->SetNull(row);
    } else {
      out[row] = Holds<op, int>(*order, 0) ? 1 : 0;
    }
  });
}

template <Op op, typename T>
Status CompareFixed(const KernelContext& context, std::span<const Vector> arguments,
                    const Selection& rows, Vector* result, RowErrors* errors) {
  return Map2<std::uint8_t, T, T, HoldsByValue<op, T>>(context, arguments, rows, result, errors);
}

template <Op op>
Status Compare(const KernelContext& context, std::span<const Vector> arguments,
               const Selection& rows, Vector* result, RowErrors* errors) {
  switch (arguments[0].type().physical()) {
    case PhysicalType::kBool8:
      return CompareFixed<op, std::uint8_t>(context, arguments, rows, result, errors);
    case PhysicalType::kInt32:
      return CompareFixed<op, std::int32_t>(context, arguments, rows, result, errors);
    case PhysicalType::kInt64:
      return CompareFixed<op, std::int64_t>(context, arguments, rows, result, errors);
    case PhysicalType::kDouble:
      return CompareFixed<op, double>(context, arguments, rows, result, errors);
    case PhysicalType::kInt128:
      return CompareFixed<op, Int128>(context, arguments, rows, result, errors);
    case PhysicalType::kString:
      CompareText<op>(arguments, rows, result);
      return OkStatus();
    case PhysicalType::kList:
    case PhysicalType::kRow:
      if constexpr (op == Op::kEqual || op == Op::kNotEqual) {
        CompareNestedEqual<op>(arguments, rows, result);
      } else {
        CompareNestedOrder<op>(arguments, rows, result);
      }
      return OkStatus();
  }
  return OkStatus();
}

Status DistinctFrom(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                    Vector* result, RowErrors*) {
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  rows.ForEach([&](std::uint32_t row) {
    out[row] = SameRows(arguments[0], row, arguments[1], row) ? 0 : 1;
  });
  return OkStatus();
}

constexpr ScalarOverload kEqualOverloads[] = {
    {"(T:comparable, T) -> boolean", Compare<Op::kEqual>}};
constexpr ScalarOverload kNotEqualOverloads[] = {
    {"(T:comparable, T) -> boolean", Compare<Op::kNotEqual>}};
constexpr ScalarOverload kLessOverloads[] = {{"(T:orderable, T) -> boolean", Compare<Op::kLess>}};
constexpr ScalarOverload kLessEqualOverloads[] = {
    {"(T:orderable, T) -> boolean", Compare<Op::kLessEqual>}};
constexpr ScalarOverload kGreaterOverloads[] = {
    {"(T:orderable, T) -> boolean", Compare<Op::kGreater>}};
constexpr ScalarOverload kGreaterEqualOverloads[] = {
    {"(T:orderable, T) -> boolean", Compare<Op::kGreaterEqual>}};
constexpr ScalarOverload kDistinctOverloads[] = {{"(T:comparable, T) -> boolean", DistinctFrom}};

constexpr ScalarFunction kEqual{
    .name = "$equal",
    .overloads = kEqualOverloads,
    .doc = {"operator", "Whether two values are equal; NaN equals nothing.", "SELECT 1 = 1.0",
            "true"}};
TL_REGISTER_SCALAR(kEqual);
constexpr ScalarFunction kNotEqual{
    .name = "$not_equal",
    .overloads = kNotEqualOverloads,
    .doc = {"operator", "Whether two values differ.", "SELECT 'a' <> 'A'", "true"}};
TL_REGISTER_SCALAR(kNotEqual);
constexpr ScalarFunction kLess{
    .name = "$less",
    .overloads = kLessOverloads,
    .doc = {"operator", "Whether the first value comes before the second.", "SELECT 'a' < 'b'",
            "true"}};
TL_REGISTER_SCALAR(kLess);
constexpr ScalarFunction kLessEqual{
    .name = "$less_equal",
    .overloads = kLessEqualOverloads,
    .doc = {"operator", "Whether the first value does not come after the second.", "SELECT 2 <= 1",
            "false"}};
TL_REGISTER_SCALAR(kLessEqual);
constexpr ScalarFunction kGreater{
    .name = "$greater",
    .overloads = kGreaterOverloads,
    .doc = {"operator", "Whether the first value comes after the second.", "SELECT 2 > 1", "true"}};
TL_REGISTER_SCALAR(kGreater);
constexpr ScalarFunction kGreaterEqual{
    .name = "$greater_equal",
    .overloads = kGreaterEqualOverloads,
    .doc = {"operator", "Whether the first value does not come before the second.", "SELECT 2 >= 2",
            "true"}};
TL_REGISTER_SCALAR(kGreaterEqual);
constexpr ScalarFunction kDistinctFrom{
    .name = "$distinct_from",
    .overloads = kDistinctOverloads,
    .nulls = NullPolicy::kSeesNulls,
    .doc = {"operator", "Whether two values differ, with NULL as a value.",
            "SELECT NULL IS DISTINCT FROM 1", "true"}};
TL_REGISTER_SCALAR(kDistinctFrom);

// value >= low AND value <= high, three-valued, with each argument computed once.
Status Between(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
               Vector* result, RowErrors*) {
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  const bool is_double = arguments[0].type().is(TypeId::kDouble);
  rows.ForEach([&](std::uint32_t row) {
    if (arguments[0].IsNull(row)) return result->SetNull(row);
    bool unknown = false;
    bool inside = true;
    for (const std::size_t bound : {1, 2}) {
      if (arguments[bound].IsNull(row)) {
        unknown = true;
        continue;
      }
      if (is_double) {  // NaN is in no order
        const double value = Reader<double>(arguments[0])[row];
        const double limit = Reader<double>(arguments[bound])[row];
        inside = inside && (bound == 1 ? value >= limit : value <= limit);
        continue;
      }
      const std::optional<int> order =
          OrderRowsIfKnown(arguments[0], row, arguments[bound], row);
      if (!order) {
        unknown = true;
      } else {
        inside = inside && (bound == 1 ? *order >= 0 : *order <= 0);
      }
    }
    out[row] = inside ? 1 : 0;
    if (inside && unknown) result->SetNull(row);
  });
  return OkStatus();
}
constexpr ScalarOverload kBetweenOverloads[] = {{"(T:orderable, T, T) -> boolean", Between}};
constexpr ScalarFunction kBetween{
    .name = "$between",
    .overloads = kBetweenOverloads,
    .nulls = NullPolicy::kSeesNulls,
    .doc = {"operator", "Whether a value lies between two bounds, both included.",
            "SELECT 2 BETWEEN 1 AND 3", "true"}};
TL_REGISTER_SCALAR(kBetween);

std::uint8_t Not(std::uint8_t value) { return value ^ 1; }
constexpr ScalarOverload kNotOverloads[] = {
    {"(boolean) -> boolean", Map1<std::uint8_t, std::uint8_t, Not>}};
constexpr ScalarFunction kNot{
    .name = "$not",
    .overloads = kNotOverloads,
    .doc = {"operator", "The opposite truth value.", "SELECT NOT true", "false"}};
TL_REGISTER_SCALAR(kNot);

}  // namespace
}  // namespace tideline::functions
