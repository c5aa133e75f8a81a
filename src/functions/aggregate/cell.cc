#include "functions/aggregate/cell.h"

#include <cmath>

#include "functions/compare.h"
#include "functions/nested.h"

namespace tideline::functions {
namespace {

template <typename T>
int OrderOf(const T& a, const T& b) {
  if (a < b) return -1;
  return b < a ? 1 : 0;
}

}  // namespace

void Cell::Store(const Vector& vector, std::size_t row) {
  is_set_ = true;
  is_null_ = vector.IsNull(row);
  if (is_null_) return;
  const Vector& base = vector.base();
  const std::size_t index = vector.Index(row);
  switch (vector.type().physical()) {
    case PhysicalType::kBool8:
      std::memcpy(fixed_, base.values<std::uint8_t>() + index, 1);
      return;
    case PhysicalType::kInt32:
      std::memcpy(fixed_, base.values<std::int32_t>() + index, 4);
      return;
    case PhysicalType::kInt64:
    case PhysicalType::kDouble:
      std::memcpy(fixed_, base.values<std::int64_t>() + index, 8);
      return;
    case PhysicalType::kInt128:
      std::memcpy(fixed_, base.values<Int128>() + index, 16);
      return;
    case PhysicalType::kString:
      text_ = base.values<StringRef>()[index].view();
      return;
    case PhysicalType::kList:
    case PhysicalType::kRow: {
      const auto one = static_cast<std::uint32_t>(row);
      nested_ = std::make_unique<Vector>(Vector::Flat(vector.type(), 0));
      nested_->Append(vector, Selection::Of(std::span(&one, 1)));
      return;
    }
  }
}

void Cell::Load(std::size_t row, Vector* result) const {
  if (!is_set_ || is_null_) {
    result->SetNull(row);
    return;
  }
  switch (result->type().physical()) {
    case PhysicalType::kBool8:
      result->mutable_values<std::uint8_t>()[row] = As<std::uint8_t>();
      return;
    case PhysicalType::kInt32:
      result->mutable_values<std::int32_t>()[row] = As<std::int32_t>();
      return;
    case PhysicalType::kInt64:
      result->mutable_values<std::int64_t>()[row] = As<std::int64_t>();
      return;
    case PhysicalType::kDouble:
      result->mutable_values<double>()[row] = As<double>();
      return;
    case PhysicalType::kInt128:
      result->mutable_values<Int128>()[row] = As<Int128>();
      return;
    case PhysicalType::kString:
      result->SetString(row, text_);
      return;
    case PhysicalType::kList:
    case PhysicalType::kRow:
      PutRow(*nested_, 0, row, result);
      return;
  }
}

int Cell::Order(const Vector& vector, std::size_t row) const {
  const Vector& base = vector.base();
  const std::size_t index = vector.Index(row);
  switch (vector.type().physical()) {
    case PhysicalType::kBool8:
      return OrderOf(As<std::uint8_t>(), base.values<std::uint8_t>()[index]);
    case PhysicalType::kInt32:
      return OrderOf(As<std::int32_t>(), base.values<std::int32_t>()[index]);
    case PhysicalType::kInt64:
      return OrderOf(As<std::int64_t>(), base.values<std::int64_t>()[index]);
    case PhysicalType::kDouble:
      return OrderDoubles(As<double>(), base.values<double>()[index]);
    case PhysicalType::kInt128:
      return OrderOf(As<Int128>(), base.values<Int128>()[index]);
    case PhysicalType::kString:
      return text().compare(base.values<StringRef>()[index].view());
    case PhysicalType::kList:
    case PhysicalType::kRow:
      return OrderRows(*nested_, 0, vector, row);
  }
  return 0;
}

int Cell::Order(const Cell& other, const Type& type) const {
  switch (type.physical()) {
    case PhysicalType::kBool8:
      return OrderOf(As<std::uint8_t>(), other.As<std::uint8_t>());
    case PhysicalType::kInt32:
      return OrderOf(As<std::int32_t>(), other.As<std::int32_t>());
    case PhysicalType::kInt64:
      return OrderOf(As<std::int64_t>(), other.As<std::int64_t>());
    case PhysicalType::kDouble:
      return OrderDoubles(As<double>(), other.As<double>());
    case PhysicalType::kInt128:
      return OrderOf(As<Int128>(), other.As<Int128>());
    case PhysicalType::kString:
      return text().compare(other.text());
    case PhysicalType::kList:
    case PhysicalType::kRow:
      return OrderRows(*nested_, 0, *other.nested_, 0);
  }
  return 0;
}

bool Cell::IsNan(const Type& type) const {
  return is_set_ && !is_null_ && type.is(TypeId::kDouble) && std::isnan(As<double>());
}

}  // namespace tideline::functions
