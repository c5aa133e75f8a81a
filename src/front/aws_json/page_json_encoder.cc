#include "front/aws_json/page_json_encoder.h"

#include "columnar/text_format.h"

namespace tideline::aws_json {
namespace {

// A list or map that is longer than any page is not written to its end: its row is refused, and a list of ten
// million numbers would be three hundred megabytes of text first.
constexpr std::size_t kDatumBytesMax = 4'000'000;

// Text of numbers, times and intervals needs no JSON escape.
void AppendPlainScalar(const Vector& vector, std::size_t row, std::string* out) {
  const Vector& base = vector.base();
  const std::size_t index = vector.Index(row);
  switch (vector.type().id()) {
    case TypeId::kBoolean:
      *out += base.values<std::uint8_t>()[index] != 0 ? "true" : "false";
      return;
    case TypeId::kInteger:
      AppendInteger(base.values<std::int32_t>()[index], out);
      return;
    case TypeId::kBigint:
      AppendInteger(base.values<std::int64_t>()[index], out);
      return;
    case TypeId::kDouble:
      AppendDouble(base.values<double>()[index], out);
      return;
    case TypeId::kTimestamp:
      AppendTimestamp(base.values<std::int64_t>()[index], out);
      return;
    default:
      AppendText(vector, row, out);
      return;
  }
}

void AppendList(const Vector& vector, std::size_t row, std::string* out) {
  const ListEntry entry = vector.base().values<ListEntry>()[vector.Index(row)];
  const bool series = vector.type().is(TypeId::kTimeseries);
  const std::size_t end = out->size() + kDatumBytesMax;
  *out += series ? "{\"TimeSeriesValue\":[" : "{\"ArrayValue\":[";
  for (std::uint32_t i = 0; i < entry.length && out->size() < end; ++i) {
    if (i != 0) out->push_back(',');
    if (series) {
      *out += "{\"Time\":\"";
      AppendPlainScalar(vector.child(0), entry.offset + i, out);
      *out += "\",\"Value\":";
      AppendDatum(vector.child(1), entry.offset + i, out);
      out->push_back('}');
    } else {
      AppendDatum(vector.child(0), entry.offset + i, out);
    }
  }
  *out += "]}";
}

// A map goes out as array(row(key, value)).
void AppendMap(const Vector& vector, std::size_t row, std::string* out) {
  const ListEntry entry = vector.base().values<ListEntry>()[vector.Index(row)];
  const std::size_t end = out->size() + kDatumBytesMax;
  *out += "{\"ArrayValue\":[";
  for (std::uint32_t i = 0; i < entry.length && out->size() < end; ++i) {
    if (i != 0) out->push_back(',');
    *out += "{\"RowValue\":{\"Data\":[";
    AppendDatum(vector.child(0), entry.offset + i, out);
    out->push_back(',');
    AppendDatum(vector.child(1), entry.offset + i, out);
    *out += "]}}";
  }
  *out += "]}";
}

void AppendRow(const Vector& vector, std::size_t row, std::string* out) {
  const std::size_t index = vector.Index(row);
  *out += "{\"RowValue\":{\"Data\":[";
  for (std::size_t i = 0; i < vector.child_count(); ++i) {
    if (i != 0) out->push_back(',');
    AppendDatum(vector.child(i), index, out);
  }
  *out += "]}}";
}

std::string_view ScalarTypeName(const Type& type) {
  switch (type.id()) {
    case TypeId::kBoolean:
      return "BOOLEAN";
    case TypeId::kInteger:
      return "INTEGER";
    case TypeId::kBigint:
      return "BIGINT";
    case TypeId::kDouble:
    case TypeId::kDecimal:
      return "DOUBLE";
    case TypeId::kVarchar:
    case TypeId::kVarbinary:
    case TypeId::kJson:
      return "VARCHAR";
    case TypeId::kDate:
      return "DATE";
    case TypeId::kTime:
      return "TIME";
    case TypeId::kTimestamp:
      return "TIMESTAMP";
    case TypeId::kIntervalDayToSecond:
      return "INTERVAL_DAY_TO_SECOND";
    case TypeId::kIntervalYearToMonth:
      return "INTERVAL_YEAR_TO_MONTH";
    case TypeId::kUnknown:
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kRow:
    case TypeId::kTimeseries:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

// A ColumnInfo of an element: a type without a name, or with a field's.
void WriteElementInfo(JsonWriter* json, const Type& type, std::string_view name) {
  json->BeginObject();
  if (!name.empty()) json->Member("Name", name);
  json->Key("Type");
  WriteType(json, type);
  json->EndObject();
}

}  // namespace

void AppendDatum(const Vector& vector, std::size_t row, std::string* out) {
  if (vector.IsNull(row)) {
    *out += "{\"NullValue\":true}";
    return;
  }
  switch (vector.type().id()) {
    case TypeId::kArray:
    case TypeId::kTimeseries:
      AppendList(vector, row, out);
      return;
    case TypeId::kMap:
      AppendMap(vector, row, out);
      return;
    case TypeId::kRow:
      AppendRow(vector, row, out);
      return;
    case TypeId::kVarchar:
    case TypeId::kJson:
      *out += "{\"ScalarValue\":";
      AppendJsonString(vector.base().values<StringRef>()[vector.Index(row)].view(), out);
      out->push_back('}');
      return;
    default:
      *out += "{\"ScalarValue\":\"";
      AppendPlainScalar(vector, row, out);
      *out += "\"}";
      return;
  }
}

void WriteType(JsonWriter* json, const Type& type) {
  json->BeginObject();
  switch (type.id()) {
    case TypeId::kArray:
      json->Key("ArrayColumnInfo");
      WriteElementInfo(json, type.element(), "");
      break;
    case TypeId::kMap:
      json->Key("ArrayColumnInfo");
      WriteElementInfo(json,
                       Type::Row({{"key", type.map_key()}, {"value", type.map_value()}}), "");
      break;
    case TypeId::kTimeseries:
      json->Key("TimeSeriesMeasureValueColumnInfo");
      WriteElementInfo(json, type.element(), "");
      break;
    case TypeId::kRow:
      json->Key("RowColumnInfo");
      json->BeginArray();
      for (const Type::Field& field : type.fields()) WriteElementInfo(json, field.type, field.name);
      json->EndArray();
      break;
    default:
      json->Member("ScalarType", ScalarTypeName(type));
      break;
  }
  json->EndObject();
}

void WriteColumnInfo(JsonWriter* json, const std::vector<api::ResultColumn>& columns) {
  json->BeginArray();
  for (const api::ResultColumn& column : columns) {
    json->BeginObject();
    json->Member("Name", column.name);
    json->Key("Type");
    WriteType(json, column.type);
    json->EndObject();
  }
  json->EndArray();
}

void PageJsonEncoder::Begin(const std::vector<api::ResultColumn>& columns) {
  out_.clear();
  out_.push_back('[');
  texts_.resize(columns.size());
}

void PageJsonEncoder::AppendCell(const Vector& column, std::size_t index, std::size_t row) {
  static constexpr std::size_t kEntriesMax = 65'536;
  if (column.kind() == VectorKind::kFlat && !column.may_have_nulls()) {
    // The commonest columns of a result, without a way through what every type needs.
    switch (column.type().id()) {
      case TypeId::kDouble:
        out_ += "{\"ScalarValue\":\"";
        AppendDouble(column.values<double>()[row], &out_);
        out_ += "\"}";
        return;
      case TypeId::kTimestamp:
        out_ += "{\"ScalarValue\":\"";
        AppendTimestamp(column.values<std::int64_t>()[row], &out_);
        out_ += "\"}";
        return;
      default:
        break;
    }
  }
  if (column.is_constant() && index < texts_.size()) {
    std::string& cell = texts_[index].constant;
    if (cell.empty()) AppendDatum(column, 0, &cell);
    out_ += cell;
    return;
  }
  if (column.kind() != VectorKind::kDictionary || column.type().physical() != PhysicalType::kString ||
      index >= texts_.size() || column.dictionary_base()->size() > kEntriesMax) {
    AppendDatum(column, row, &out_);
    return;
  }
  CellTexts& texts = texts_[index];
  if (texts.base != column.dictionary_base()) {
    texts.base = column.dictionary_base();
    texts.cells.assign(texts.base->size(), {});
  }
  std::string& cell = texts.cells[column.codes()[row]];
  if (cell.empty()) AppendDatum(column, row, &cell);
  out_ += cell;
}

std::size_t PageJsonEncoder::Append(const Batch& batch, std::size_t first_row, std::size_t rows_max,
                                    std::size_t bytes_max) {
  const std::size_t rows = std::min(rows_max, batch.row_count - first_row);
  for (CellTexts& texts : texts_) texts.constant.clear();
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t before = out_.size();
    out_ += before == 1 ? "{\"Data\":[" : ",{\"Data\":[";
    for (std::size_t column = 0; column < batch.columns.size(); ++column) {
      if (column != 0) out_.push_back(',');
      AppendCell(batch.columns[column], column, first_row + i);
    }
    out_ += "]}";
    if (out_.size() > bytes_max) {
      out_.resize(before);
      return i;
    }
  }
  return rows;
}

std::string PageJsonEncoder::Finish() {
  out_.push_back(']');
  return std::move(out_);
}

}  // namespace tideline::aws_json
