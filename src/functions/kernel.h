// functions/kernel.h: loops around a function of one row, so that adding a function is a few lines.
//
//   double Cbrt(double x) { return std::cbrt(x); }
//   ... {"(double) -> double", Map1<double, double, Cbrt>}
//
// The kernels here are for NullPolicy::kNullInNullOut: rows with nulls never reach them. MapN
// cannot fail; TryN takes functions that return Result and files errors by row. Flat and constant
// arguments over all rows run as plain loops that the compiler vectorises. A boolean result is a
// uint8_t.
#pragma once

#include <string>
#include <type_traits>

#include "functions/function.h"

namespace tideline::functions {

namespace internal {

/// One argument of a loop: flat (a pointer) or constant (a value).
template <typename T>
struct FlatArgument {
  const T* values;
  T operator[](std::size_t row) const { return values[row]; }
};
template <typename T>
struct ConstantArgument {
  T value;
  T operator[](std::size_t) const { return value; }
};

template <typename R, auto F, typename A>
void RunAll1(const A& a, std::size_t count, R* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<R>(F(a[i]));
}
template <typename R, auto F, typename A, typename B>
void RunAll2(const A& a, const B& b, std::size_t count, R* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<R>(F(a[i], b[i]));
}

}  // namespace internal

template <typename R, typename A, auto F>
Status Map1(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
            Vector* result, RowErrors*) {
  R* out = result->mutable_values<R>();
  if (rows.is_all() && arguments[0].kind() == VectorKind::kFlat) {
    internal::RunAll1<R, F>(internal::FlatArgument<A>{arguments[0].values<A>()}, rows.size(), out);
    return OkStatus();
  }
  const Reader<A> a(arguments[0]);
  rows.ForEach([&](std::uint32_t row) { out[row] = static_cast<R>(F(a[row])); });
  return OkStatus();
}

template <typename R, typename A, typename B, auto F>
Status Map2(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
            Vector* result, RowErrors*) {
  using internal::ConstantArgument;
  using internal::FlatArgument;
  R* out = result->mutable_values<R>();
  const VectorKind left = arguments[0].kind();
  const VectorKind right = arguments[1].kind();
  if (rows.is_all() && !rows.empty() && left != VectorKind::kDictionary &&
      right != VectorKind::kDictionary) {
    const A* a = arguments[0].values<A>();
    const B* b = arguments[1].values<B>();
    if (left == VectorKind::kFlat && right == VectorKind::kFlat) {
      internal::RunAll2<R, F>(FlatArgument<A>{a}, FlatArgument<B>{b}, rows.size(), out);
    } else if (left == VectorKind::kFlat) {
      internal::RunAll2<R, F>(FlatArgument<A>{a}, ConstantArgument<B>{*b}, rows.size(), out);
    } else if (right == VectorKind::kFlat) {
      internal::RunAll2<R, F>(ConstantArgument<A>{*a}, FlatArgument<B>{b}, rows.size(), out);
    } else {
      internal::RunAll2<R, F>(ConstantArgument<A>{*a}, ConstantArgument<B>{*b}, rows.size(), out);
    }
    return OkStatus();
  }
  const Reader<A> a(arguments[0]);
  const Reader<B> b(arguments[1]);
  rows.ForEach([&](std::uint32_t row) { out[row] = static_cast<R>(F(a[row], b[row])); });
  return OkStatus();
}

template <typename R, typename A, typename B, typename C, auto F>
Status Map3(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
            Vector* result, RowErrors*) {
  R* out = result->mutable_values<R>();
  const Reader<A> a(arguments[0]);
  const Reader<B> b(arguments[1]);
  const Reader<C> c(arguments[2]);
  rows.ForEach([&](std::uint32_t row) { out[row] = static_cast<R>(F(a[row], b[row], c[row])); });
  return OkStatus();
}

template <typename R>
void Store(Result<R> value, std::uint32_t row, R* out, RowErrors* errors) {
  if (value.ok()) {
    out[row] = *value;
  } else {
    errors->Add(row, std::move(value).status());
  }
}

template <typename R, typename A, auto F>
Status Try1(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
            Vector* result, RowErrors* errors) {
  R* out = result->mutable_values<R>();
  const Reader<A> a(arguments[0]);
  rows.ForEach([&](std::uint32_t row) { Store<R>(F(a[row]), row, out, errors); });
  return OkStatus();
}

template <typename R, typename A, typename B, auto F>
Status Try2(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
            Vector* result, RowErrors* errors) {
  R* out = result->mutable_values<R>();
  const Reader<A> a(arguments[0]);
  const Reader<B> b(arguments[1]);
  rows.ForEach([&](std::uint32_t row) { Store<R>(F(a[row], b[row]), row, out, errors); });
  return OkStatus();
}

template <typename R, typename A, typename B, typename C, auto F>
Status Try3(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
            Vector* result, RowErrors* errors) {
  R* out = result->mutable_values<R>();
  const Reader<A> a(arguments[0]);
  const Reader<B> b(arguments[1]);
  const Reader<C> c(arguments[2]);
  rows.ForEach([&](std::uint32_t row) { Store<R>(F(a[row], b[row], c[row]), row, out, errors); });
  return OkStatus();
}

/// Integer operations that may overflow: F(a, b, &r) says whether it did. One pass computes all
/// rows and remembers only whether any overflowed; Error(a, b) writes messages in a rare second
/// pass.
template <typename T, auto F, auto Error>
Status Checked2(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors* errors) {
  T* out = result->mutable_values<T>();
  const Reader<T> a(arguments[0]);
  const Reader<T> b(arguments[1]);
  bool any = false;
  rows.ForEach([&](std::uint32_t row) { any |= F(a[row], b[row], &out[row]); });
  if (!any) [[likely]]
    return OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    T ignored;
    if (F(a[row], b[row], &ignored)) errors->Add(row, Error(a[row], b[row]));
  });
  return OkStatus();
}

/// Text results: F(arguments..., std::string* out) appends the answer to the empty `out`.
template <typename A, auto F>
Status Text1(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
             Vector* result, RowErrors*) {
  const Reader<A> a(arguments[0]);
  std::string text;
  rows.ForEach([&](std::uint32_t row) {
    text.clear();
    F(a[row], &text);
    result->SetString(row, text);
  });
  return OkStatus();
}

/// Text results that may fail: F yields a Status.
template <typename A, auto F>
Status TryText1(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors* errors) {
  const Reader<A> a(arguments[0]);
  std::string text;
  rows.ForEach([&](std::uint32_t row) {
    text.clear();
    Status status = F(a[row], &text);
    if (status.ok()) {
      result->SetString(row, text);
    } else {
      errors->Add(row, std::move(status));
    }
  });
  return OkStatus();
}
template <typename A, typename B, auto F>
Status TryText2(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors* errors) {
  const Reader<A> a(arguments[0]);
  const Reader<B> b(arguments[1]);
  std::string text;
  rows.ForEach([&](std::uint32_t row) {
    text.clear();
    Status status = F(a[row], b[row], &text);
    if (status.ok()) {
      result->SetString(row, text);
    } else {
      errors->Add(row, std::move(status));
    }
  });
  return OkStatus();
}

}  // namespace tideline::functions
