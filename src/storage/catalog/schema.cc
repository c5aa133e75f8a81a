#include "storage/catalog/schema.h"

#include <algorithm>

#include "base/check.h"

namespace tideline::catalog {

std::string_view ColumnKindName(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kDimension: return "DIMENSION";
    case ColumnKind::kMeasureName: return "MEASURE_NAME";
    case ColumnKind::kTime: return "TIMESTAMP";
    case ColumnKind::kMeasureValue: return "MEASURE_VALUE";
    case ColumnKind::kMultiAttribute: return "MULTI";
  }
  return "";
}

std::string_view MeasureTypeName(MeasureType type) {
  switch (type) {
    case MeasureType::kDouble: return "double";
    case MeasureType::kBigint: return "bigint";
    case MeasureType::kVarchar: return "varchar";
    case MeasureType::kBoolean: return "boolean";
    case MeasureType::kTimestamp: return "timestamp";
    case MeasureType::kMulti: return "multi";
  }
  return "";
}

Type ColumnTypeOf(MeasureType type) {
  switch (type) {
    case MeasureType::kDouble: return Type::Double();
    case MeasureType::kBigint: return Type::Bigint();
    case MeasureType::kVarchar: return Type::Varchar();
    case MeasureType::kBoolean: return Type::Boolean();
    case MeasureType::kTimestamp: return Type::Timestamp();
    case MeasureType::kMulti: break;
  }
  TL_CHECK(type != MeasureType::kMulti);
  return Type::Unknown();
}

const Column& MeasureNameColumn() {
  static const Column column{kMeasureNameColumn, "measure_name", ColumnKind::kMeasureName,
                             Type::Varchar()};
  return column;
}

const Column& TimeColumn() {
  static const Column column{kTimeColumn, "time", ColumnKind::kTime, Type::Timestamp()};
  return column;
}

std::vector<Column> TableSchema::Columns() const {
  std::vector<Column> columns = dimensions;
  columns.push_back(MeasureNameColumn());
  columns.push_back(TimeColumn());
  columns.insert(columns.end(), values.begin(), values.end());
  return columns;
}

const Column* TableSchema::FindColumn(std::string_view name) const {
  if (name == MeasureNameColumn().name) return &MeasureNameColumn();
  if (name == TimeColumn().name) return &TimeColumn();
  for (const auto* list : {&dimensions, &values}) {
    for (const Column& column : *list) {
      if (column.name == name) return &column;
    }
  }
  return nullptr;
}

const Column* TableSchema::FindColumn(ColumnId column) const {
  if (column == kMeasureNameColumn) return &MeasureNameColumn();
  if (column == kTimeColumn) return &TimeColumn();
  for (const auto* list : {&dimensions, &values}) {
    const auto at = std::lower_bound(list->begin(), list->end(), column,
                                     [](const Column& c, ColumnId wanted) { return c.id < wanted; });
    if (at != list->end() && at->id == column) return &*at;
  }
  return nullptr;
}

std::vector<std::shared_ptr<const Measure>> TableSchema::MeasuresByName() const {
  auto sorted = measures;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a->name < b->name; });
  return sorted;
}

}  // namespace tideline::catalog
