#include "sql/bind/type_names.h"

#include <limits>
#include <optional>

#include "sql/bind/messages.h"

namespace tideline::sql {

namespace {

constexpr int kDecimalPrecisionMax = 38;
/// What DECIMAL alone means.
constexpr int kDecimalPrecisionDefault = 38;

std::optional<Type> PlainType(std::string_view name) {
  if (name == "boolean") return Type::Boolean();
  if (name == "int" || name == "integer" || name == "smallint" || name == "tinyint") return Type::Integer();
  if (name == "bigint") return Type::Bigint();
  if (name == "double" || name == "real") return Type::Double();
  if (name == "date") return Type::Date();
  if (name == "time") return Type::Time();
  if (name == "timestamp") return Type::Timestamp();
  if (name == "interval day to second") return Type::IntervalDayToSecond();
  if (name == "interval year to month") return Type::IntervalYearToMonth();
  // A sketch of approx_set is bytes that merge() and cardinality() read.
  if (name == "varbinary" || name == "hyperloglog") return Type::Varbinary();
  if (name == "json") return Type::Json();
  if (name == "unknown") return Type::Unknown();  // inside other types: CAST(NULL AS array(unknown))
  return std::nullopt;
}

Result<std::int64_t> NumberOf(const ast::TypeName& name, std::size_t index, std::int64_t low,
                              std::int64_t high) {
  const ast::TypeParameter& parameter = name.parameters[index];
  if (parameter.type != nullptr || parameter.number < low || parameter.number > high) {
    return ErrorAt(name.position, "Parameter {} of type {} must be a number in {}..{}", index + 1,
                   name.name, low, high);
  }
  return parameter.number;
}

Result<Type> TypeParameterOf(const ast::TypeName& name, std::size_t index) {
  if (name.parameters[index].type == nullptr) {
    return ErrorAt(name.position, "Parameter {} of type {} must be a type", index + 1, name.name);
  }
  return ResolveTypeName(*name.parameters[index].type);
}

Status CheckParameterCount(const ast::TypeName& name, std::size_t low, std::size_t high) {
  if (name.parameters.size() >= low && name.parameters.size() <= high) return OkStatus();
  return ErrorAt(name.position, "Type {} has {} parameters where {} are expected", name.name,
                 name.parameters.size(), low == high ? fmt::format("{}", low) : fmt::format("{}..{}", low, high));
}

Result<Type> TextType(const ast::TypeName& name) {
  TL_TRY(CheckParameterCount(name, 0, 1));
  if (name.parameters.empty()) return Type::Varchar();
  const std::int64_t length = TL_TRY(NumberOf(name, 0, 1, std::numeric_limits<std::int32_t>::max()));
  return Type::Varchar(static_cast<std::int32_t>(length));
}

Result<Type> DecimalType(const ast::TypeName& name) {
  TL_TRY(CheckParameterCount(name, 0, 2));
  if (name.parameters.empty()) return Type::Decimal(kDecimalPrecisionDefault, 0);
  const std::int64_t precision = TL_TRY(NumberOf(name, 0, 1, kDecimalPrecisionMax));
  if (name.parameters.size() == 1) return Type::Decimal(static_cast<int>(precision), 0);
  const std::int64_t scale = TL_TRY(NumberOf(name, 1, 0, precision));
  return Type::Decimal(static_cast<int>(precision), static_cast<int>(scale));
}

Result<Type> RowType(const ast::TypeName& name) {
  std::vector<Type::Field> fields;
  for (std::size_t i = 0; i < name.parameters.size(); ++i) {
    const Type type = TL_TRY(TypeParameterOf(name, i));
    const auto& field_name = name.parameters[i].field_name;
    fields.push_back({field_name.has_value() ? field_name->text : std::string(), type});
  }
  if (fields.empty()) return ErrorAt(name.position, "Type row must have at least one field");
  return Type::Row(std::move(fields));
}

}  // namespace

Result<Type> ResolveTypeName(const ast::TypeName& name) {
  if (name.name == "varchar" || name.name == "char") return TextType(name);
  if (name.name == "decimal" || name.name == "numeric") return DecimalType(name);
  if (name.name == "row") return RowType(name);
  if (name.name == "array") {
    TL_TRY(CheckParameterCount(name, 1, 1));
    const Type element = TL_TRY(TypeParameterOf(name, 0));
    return Type::Array(element);
  }
  if (name.name == "timeseries") {
    TL_TRY(CheckParameterCount(name, 1, 1));
    const Type value = TL_TRY(TypeParameterOf(name, 0));
    return Type::Timeseries(value);
  }
  if (name.name == "map") {
    TL_TRY(CheckParameterCount(name, 2, 2));
    const Type key = TL_TRY(TypeParameterOf(name, 0));
    const Type value = TL_TRY(TypeParameterOf(name, 1));
    if (!key.is_comparable()) {
      return ErrorAt(name.position, "Type {} cannot be the key of a map", key.ToString());
    }
    return Type::Map(key, value);
  }
  const std::optional<Type> plain = PlainType(name.name);
  if (!plain.has_value()) return ErrorAt(name.position, "Unknown type: {}", name.name);
  TL_TRY(CheckParameterCount(name, 0, 0));
  return *plain;
}

}  // namespace tideline::sql
