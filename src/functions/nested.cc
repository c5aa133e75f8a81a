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

void PutRow(const Vector& from, std::size_t from_row, std::size_t to_row, Vector* result) {
  if (from.IsNull(from_row)) {
    result->SetNull(to_row);
    return;
  }
  const Vector& base = from.base();
  const std::size_t index = from.Index(from_row);
  const auto put = [&]<typename T>(T) {
    result->mutable_values<T>()[to_row] = base.values<T>()[index];
  };
  switch (from.type().physical()) {
    case PhysicalType::kBool8:
      return put(std::uint8_t{});
    case PhysicalType::kInt32:
      return put(std::int32_t{});
    case PhysicalType::kInt64:
      return put(std::int64_t{});
    case PhysicalType::kDouble:
      return put(double{});
    case PhysicalType::kInt128:
      return put(Int128{});
    case PhysicalType::kString:
      return result->SetString(to_row, base.values<StringRef>()[index].view());
    case PhysicalType::kList: {
      const ListEntry entry = base.values<ListEntry>()[index];
      std::vector<std::uint32_t> elements(entry.length);
      for (std::uint32_t i = 0; i < entry.length; ++i) elements[i] = entry.offset + i;
      const std::size_t offset = result->child(0).size();
      TL_CHECK(offset + entry.length <= std::numeric_limits<std::uint32_t>::max());
      for (std::size_t i = 0; i < base.child_count(); ++i) {
        result->mutable_child(i).Append(base.child(i), Selection::Of(elements));
      }
      result->mutable_values<ListEntry>()[to_row] = {static_cast<std::uint32_t>(offset),
                                                     entry.length};
      return;
    }
    case PhysicalType::kRow:
      for (std::size_t i = 0; i < base.child_count(); ++i) {
        PutRow(base.child(i), index, to_row, &result->mutable_child(i));
      }
      return;
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
