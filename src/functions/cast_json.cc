#include "functions/cast_json.h"

#include <cmath>

#include "base/json.h"
#include "columnar/text_format.h"
#include "columnar/value.h"
#include "functions/cast.h"

namespace tideline::functions {
namespace {

bool IsJsonScalar(TypeId id) {
  switch (id) {
    case TypeId::kBoolean:
    case TypeId::kInteger:
    case TypeId::kBigint:
    case TypeId::kDouble:
    case TypeId::kDecimal:
    case TypeId::kVarchar:
      return true;
    default:
      return false;
  }
}

bool FromJson(const Type& to) {
  if (to.is(TypeId::kJson) || IsJsonScalar(to.id())) return true;
  if (to.is(TypeId::kMap)) return IsJsonScalar(to.map_key().id()) && FromJson(to.map_value());
  if (!to.is(TypeId::kArray) && !to.is(TypeId::kRow)) return false;
  for (std::size_t i = 0; i < to.child_count(); ++i) {
    if (!FromJson(to.child(i))) return false;
  }
  return true;
}

bool ToJson(const Type& from) {
  if (from.is(TypeId::kVarbinary) || from.is(TypeId::kTimeseries)) return false;
  if (from.is(TypeId::kMap)) return IsJsonScalar(from.map_key().id()) && ToJson(from.map_value());
  for (std::size_t i = 0; i < from.child_count(); ++i) {
    if (!ToJson(from.child(i))) return false;
  }
  return true;
}

void WriteJson(const JsonValue& json, std::string* out) {
  switch (json.kind()) {
    case JsonValue::Kind::kNull:
      out->append("null");
      return;
    case JsonValue::Kind::kBool:
      out->append(json.boolean() ? "true" : "false");
      return;
    case JsonValue::Kind::kInteger:
      return AppendInteger(json.integer(), out);
    case JsonValue::Kind::kDouble:
      return AppendDouble(json.number(), out);
    case JsonValue::Kind::kString:
      return AppendJsonString(json.text(), out);
    case JsonValue::Kind::kArray: {
      out->push_back('[');
      for (std::size_t i = 0; i < json.items().size(); ++i) {
        if (i > 0) out->push_back(',');
        WriteJson(json.items()[i], out);
      }
      out->push_back(']');
      return;
    }
    case JsonValue::Kind::kObject: {
      out->push_back('{');
      for (std::size_t i = 0; i < json.members().size(); ++i) {
        if (i > 0) out->push_back(',');
        AppendJsonString(json.members()[i].first, out);
        out->push_back(':');
        WriteJson(json.members()[i].second, out);
      }
      out->push_back('}');
      return;
    }
  }
}

Status Mismatch(const JsonValue& json, const Type& to) {
  std::string text;
  WriteJson(json, &text);
  return ExecutionFailed("Cannot cast '{}' to {}", text, to.ToString());
}

Result<Value> ToValue(const JsonValue& json, const Type& to);

Result<Value> ToScalar(const JsonValue& json, const Type& to) {
  switch (json.kind()) {
    case JsonValue::Kind::kBool:
      return CastValue(Value::Boolean(json.boolean()), to);
    case JsonValue::Kind::kInteger:
      return CastValue(Value::Bigint(json.integer()), to);
    case JsonValue::Kind::kDouble:
      return CastValue(Value::Double(json.number()), to);
    case JsonValue::Kind::kString:
      return CastValue(Value::Varchar(json.text()), to);
    default:
      return Mismatch(json, to);
  }
}

Result<Value> ToRow(const JsonValue& json, const Type& to) {
  std::vector<Value> items;
  if (json.kind() == JsonValue::Kind::kArray) {
    if (json.items().size() != to.child_count()) return Mismatch(json, to);
    for (std::size_t i = 0; i < to.child_count(); ++i) {
      items.push_back(TL_TRY(ToValue(json.items()[i], to.child(i))));
    }
  } else if (json.kind() == JsonValue::Kind::kObject) {
    for (const Type::Field& field : to.fields()) {
      const JsonValue* member = json.Find(field.name);
      if (member == nullptr) {
        items.push_back(Value::Null(field.type));
      } else {
        items.push_back(TL_TRY(ToValue(*member, field.type)));
      }
    }
  } else {
    return Mismatch(json, to);
  }
  return Value::Nested(to, std::move(items));
}

Result<Value> ToValue(const JsonValue& json, const Type& to) {
  if (to.is(TypeId::kJson)) {
    std::string text;
    WriteJson(json, &text);
    return Value::Text(to, std::move(text));
  }
  if (json.is_null()) return Value::Null(to);
  if (to.is(TypeId::kRow)) return ToRow(json, to);
  std::vector<Value> items;
  if (to.is(TypeId::kArray)) {
    if (json.kind() != JsonValue::Kind::kArray) return Mismatch(json, to);
    for (const JsonValue& item : json.items()) {
      items.push_back(TL_TRY(ToValue(item, to.element())));
    }
    return Value::Nested(to, std::move(items));
  }
  if (to.is(TypeId::kMap)) {
    if (json.kind() != JsonValue::Kind::kObject) return Mismatch(json, to);
    for (const auto& [name, member] : json.members()) {
      items.push_back(TL_TRY(CastValue(Value::Varchar(name), to.map_key())));
      items.push_back(TL_TRY(ToValue(member, to.map_value())));
    }
    return Value::Nested(to, std::move(items));
  }
  return ToScalar(json, to);
}

}  // namespace

bool CanCastJson(const Type& from, const Type& to) {
  return from.is(TypeId::kJson) ? FromJson(to) : ToJson(from);
}

void AppendJson(const Vector& vector, std::size_t row, std::string* out) {
  if (vector.IsNull(row)) {
    out->append("null");
    return;
  }
  const Vector& base = vector.base();
  const std::size_t index = vector.Index(row);
  switch (vector.type().id()) {
    case TypeId::kBoolean:
    case TypeId::kInteger:
    case TypeId::kBigint:
    case TypeId::kDecimal:
    case TypeId::kJson:
      return AppendText(vector, row, out);
    case TypeId::kDouble: {
      if (std::isfinite(base.values<double>()[index])) return AppendText(vector, row, out);
      out->push_back('"');
      AppendText(vector, row, out);
      out->push_back('"');
      return;
    }
    case TypeId::kArray:
    case TypeId::kMap: {
      const bool is_map = vector.type().is(TypeId::kMap);
      const ListEntry entry = base.values<ListEntry>()[index];
      out->push_back(is_map ? '{' : '[');
      for (std::size_t i = 0; i < entry.length; ++i) {
        if (i > 0) out->push_back(',');
        if (is_map) {
          std::string key;
          AppendText(base.child(0), entry.offset + i, &key);
          AppendJsonString(key, out);
          out->push_back(':');
        }
        AppendJson(base.child(is_map ? 1 : 0), entry.offset + i, out);
      }
      out->push_back(is_map ? '}' : ']');
      return;
    }
    case TypeId::kRow: {
      out->push_back('[');
      for (std::size_t i = 0; i < vector.child_count(); ++i) {
        if (i > 0) out->push_back(',');
        AppendJson(base.child(i), index, out);
      }
      out->push_back(']');
      return;
    }
    default: {
      std::string text;
      AppendText(vector, row, &text);
      AppendJsonString(text, out);
    }
  }
}

Status CastJson(const KernelContext&, const Vector& input, const Type& to, const Selection& rows,
                Vector* result, RowErrors* errors) {
  const bool from_json = input.type().is(TypeId::kJson);
  std::string text;
  rows.ForEach([&](std::uint32_t row) {
    if (input.IsNull(row)) {
      result->SetNull(row);
      return;
    }
    if (!from_json) {
      text.clear();
      AppendJson(input, row, &text);
      result->SetString(row, text);
      return;
    }
    const Result<JsonValue> json =
        JsonValue::Parse(input.base().values<StringRef>()[input.Index(row)].view());
    if (!json.ok()) {
      errors->Add(row, ExecutionFailed("Cannot convert json to {}", to.ToString()));
      return;
    }
    const Result<Value> value = ToValue(*json, to);
    if (value.ok()) {
      result->SetValue(row, *value);
    } else {
      errors->Add(row, ExecutionFailed("{}", MessageOf(value.status())));
    }
  });
  return OkStatus();
}

}  // namespace tideline::functions
