#include "functions/nested.h"

#include <limits>

#include "base/check.h"

namespace tideline::functions {
namespace {

template <typename T>
void CopyFixed(const Vector& input, const Selection& rows, Vector* result) {
  const Reader<T> reader(input);
  T* out = result->mutable_values<T>();
  rows.ForEach([&](std::uint32_t row) { out[row] = reader[row]; });
}

void CopyFields(const Vector& input, const Selection& rows, Vector* result) {
  std::vector<std::uint32_t> indices(result->size(), 0);
  bool any = false;
  rows.ForEach([&](std::uint32_t row) {
    indices[row] = static_cast<std::uint32_t>(input.Index(row));
    any = true;
  });
  if (!any) return;
  for (std::size_t i = 0; i < input.child_count(); ++i) {
    result->SetChild(i, input.child(i).Slice(indices).Flatten());
  }
}

}  // namespace

void CopyRows(const Vector& input, const Selection& rows, Vector* result) {
  if (input.may_have_nulls()) {
    rows.ForEach([&](std::uint32_t row) {
      if (input.IsNull(row)) result->SetNull(row);
    });
  }
  switch (result->type().physical()) {
    case PhysicalType::kBool8:
      return CopyFixed<std::uint8_t>(input, rows, result);
    case PhysicalType::kInt32:
      return CopyFixed<std::int32_t>(input, rows, result);
    case PhysicalType::kInt64:
      return CopyFixed<std::int64_t>(input, rows, result);
    case PhysicalType::kDouble:
      return CopyFixed<double>(input, rows, result);
    case PhysicalType::kInt128:
      return CopyFixed<Int128>(input, rows, result);
    case PhysicalType::kString:
      CopyFixed<StringRef>(input, rows, result);
      result->ShareText(input);
      return;
    case PhysicalType::kList:
      CopyFixed<ListEntry>(input, rows, result);
      for (std::size_t i = 0; i < input.child_count(); ++i) result->SetChild(i, input.child(i));
      return;
    case PhysicalType::kRow:
      return CopyFields(input, rows, result);
  }
}

Vector Concatenate(const Type& type, std::span<const Vector* const> parts) {
  Vector all = Vector::Flat(type, 0);
  for (const Vector* part : parts) all.Append(*part, Selection::All(part->size()));
  return all;
}

Vector Gather(const Vector& source, std::span<const std::uint32_t> indices) {
  return source.Slice(indices).Flatten();
}

void ListResult::Finish(std::span<const Vector* const> children) {
  TL_CHECK(elements_.size() <= std::numeric_limits<std::uint32_t>::max());
  for (std::size_t i = 0; i < children.size(); ++i) {
    result_->SetChild(i, elements_.empty() ? Vector::Flat(result_->type().child(i), 0)
                                           : Gather(*children[i], elements_));
  }
}

}  // namespace tideline::functions
