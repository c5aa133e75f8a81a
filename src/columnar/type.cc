#include "columnar/type.h"

#include <fmt/format.h>

#include "base/check.h"

namespace tideline {

struct Type::Detail {
  std::vector<Field> fields;  // array, timeseries: 1; map: 2; row: n
  std::int32_t length = kUnboundedLength;
  int precision = 0;
  int scale = 0;
};

Type Type::Varchar(std::int32_t length) {
  Type type(TypeId::kVarchar);
  if (length != kUnboundedLength) {
    auto detail = std::make_shared<Detail>();
    detail->length = length;
    type.detail_ = std::move(detail);
  }
  return type;
}

Type Type::Decimal(int precision, int scale) {
  TL_CHECK(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision);
  Type type(TypeId::kDecimal);
  auto detail = std::make_shared<Detail>();
  detail->precision = precision;
  detail->scale = scale;
  type.detail_ = std::move(detail);
  return type;
}

Type Type::Array(Type element) {
  Type type(TypeId::kArray);
  auto detail = std::make_shared<Detail>();
  detail->fields.push_back({"", std::move(element)});
  type.detail_ = std::move(detail);
  return type;
}

Type Type::Map(Type key, Type value) {
  Type type(TypeId::kMap);
  auto detail = std::make_shared<Detail>();
  detail->fields.push_back({"key", std::move(key)});
  detail->fields.push_back({"value", std::move(value)});
  type.detail_ = std::move(detail);
  return type;
}

Type Type::Timeseries(Type value) {
  Type type(TypeId::kTimeseries);
  auto detail = std::make_shared<Detail>();
  detail->fields.push_back({"value", std::move(value)});
  type.detail_ = std::move(detail);
  return type;
}

Type Type::Row(std::vector<Field> fields) {
  Type type(TypeId::kRow);
  auto detail = std::make_shared<Detail>();
  detail->fields = std::move(fields);
  type.detail_ = std::move(detail);
  return type;
}

PhysicalType Type::physical() const {
  switch (id_) {
    case TypeId::kUnknown:
    case TypeId::kBoolean:
      return PhysicalType::kBool8;
    case TypeId::kInteger:
    case TypeId::kDate:
    case TypeId::kIntervalYearToMonth:
      return PhysicalType::kInt32;
    case TypeId::kBigint:
    case TypeId::kTimestamp:
    case TypeId::kTime:
    case TypeId::kIntervalDayToSecond:
      return PhysicalType::kInt64;
    case TypeId::kDouble:
      return PhysicalType::kDouble;
    case TypeId::kDecimal:
      return PhysicalType::kInt128;
    case TypeId::kVarchar:
    case TypeId::kVarbinary:
    case TypeId::kJson:
      return PhysicalType::kString;
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kTimeseries:
      return PhysicalType::kList;
    case TypeId::kRow:
      return PhysicalType::kRow;
  }
  return PhysicalType::kBool8;
}

std::size_t Type::value_bytes() const {
  switch (physical()) {
    case PhysicalType::kBool8:
      return 1;
    case PhysicalType::kInt32:
      return 4;
    case PhysicalType::kInt64:
    case PhysicalType::kDouble:
    case PhysicalType::kList:
      return 8;
    case PhysicalType::kInt128:
    case PhysicalType::kString:
      return 16;
    case PhysicalType::kRow:
      return 0;
  }
  return 0;
}

bool Type::is_comparable() const {
  if (id_ == TypeId::kTimeseries) return false;
  for (std::size_t i = 0; i < child_count(); ++i) {
    if (!child(i).is_comparable()) return false;
  }
  return true;
}

bool Type::is_orderable() const {
  if (id_ == TypeId::kTimeseries || id_ == TypeId::kMap || id_ == TypeId::kJson) return false;
  for (std::size_t i = 0; i < child_count(); ++i) {
    if (!child(i).is_orderable()) return false;
  }
  return true;
}

const Type& Type::element() const {
  TL_CHECK(id_ == TypeId::kArray || id_ == TypeId::kTimeseries);
  return detail_->fields[0].type;
}
const Type& Type::map_key() const {
  TL_CHECK(id_ == TypeId::kMap);
  return detail_->fields[0].type;
}
const Type& Type::map_value() const {
  TL_CHECK(id_ == TypeId::kMap);
  return detail_->fields[1].type;
}
const std::vector<Type::Field>& Type::fields() const {
  TL_CHECK(id_ == TypeId::kRow);
  return detail_->fields;
}
std::int32_t Type::varchar_length() const {
  return detail_ == nullptr ? kUnboundedLength : detail_->length;
}
int Type::precision() const { return detail_ == nullptr ? 38 : detail_->precision; }
int Type::scale() const { return detail_ == nullptr ? 0 : detail_->scale; }

std::size_t Type::child_count() const {
  switch (id_) {
    case TypeId::kArray:
      return 1;
    case TypeId::kMap:
    case TypeId::kTimeseries:
      return 2;
    case TypeId::kRow:
      return detail_->fields.size();
    default:
      return 0;
  }
}

Type Type::child(std::size_t index) const {
  if (id_ == TypeId::kTimeseries) return index == 0 ? Timestamp() : detail_->fields[0].type;
  return detail_->fields[index].type;
}

std::string Type::ToString() const {
  switch (id_) {
    case TypeId::kUnknown:
      return "unknown";
    case TypeId::kBoolean:
      return "boolean";
    case TypeId::kInteger:
      return "integer";
    case TypeId::kBigint:
      return "bigint";
    case TypeId::kDouble:
      return "double";
    case TypeId::kDecimal:
      return fmt::format("decimal({},{})", precision(), scale());
    case TypeId::kVarchar:
      return varchar_length() == kUnboundedLength ? "varchar"
                                                  : fmt::format("varchar({})", varchar_length());
    case TypeId::kVarbinary:
      return "varbinary";
    case TypeId::kJson:
      return "json";
    case TypeId::kDate:
      return "date";
    case TypeId::kTime:
      return "time";
    case TypeId::kTimestamp:
      return "timestamp";
    case TypeId::kIntervalDayToSecond:
      return "interval day to second";
    case TypeId::kIntervalYearToMonth:
      return "interval year to month";
    case TypeId::kArray:
      return fmt::format("array({})", element().ToString());
    case TypeId::kMap:
      return fmt::format("map({}, {})", map_key().ToString(), map_value().ToString());
    case TypeId::kTimeseries:
      return fmt::format("timeseries({})", element().ToString());
    case TypeId::kRow: {
      std::string text = "row(";
      bool first = true;
      for (const Field& field : fields()) {
        if (!first) text += ", ";
        first = false;
        if (!field.name.empty()) text += field.name + " ";
        text += field.type.ToString();
      }
      return text + ")";
    }
  }
  return "unknown";
}

bool Type::operator==(const Type& other) const {
  if (id_ != other.id_) return false;
  if (detail_ == other.detail_) return true;
  if (id_ == TypeId::kVarchar) return varchar_length() == other.varchar_length();
  if (id_ == TypeId::kDecimal) return precision() == other.precision() && scale() == other.scale();
  if (detail_ == nullptr || other.detail_ == nullptr) return false;
  return detail_->fields == other.detail_->fields;
}

}  // namespace tideline
