#include "cli/load_columns.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "columnar/text_format.h"

namespace tideline::cli {
namespace {

constexpr std::string_view kTypes[] = {"DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR", "TIMESTAMP"};
constexpr std::size_t kValueBytesShown = 100;

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); });
  return upper;
}

std::string_view WithoutBlanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool IsNumber(std::string_view text) { return ParseDouble(text).ok(); }

bool HasName(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status CheckNames(const std::vector<std::string>& names) {
  std::map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) return InvalidArgument("field {} of the header has no name", i + 1);
    const auto [at, is_new] = first.emplace(names[i], i + 1);
    if (!is_new) {
      return InvalidArgument("the header names column '{}' twice, as field {} and field {}", names[i], at->second,
                             i + 1);
    }
  }
  return OkStatus();
}

Status CheckOptions(const std::vector<std::string>& names, const LoadColumnOptions& options) {
  if (!HasName(names, options.time_column)) {
    return InvalidArgument("the header has no column '{}', which --time-column names", options.time_column);
  }
  for (const std::string& dimension : options.dimensions) {
    if (!HasName(names, dimension)) {
      return InvalidArgument("the header has no column '{}', which --dimensions names", dimension);
    }
    if (dimension == options.time_column) {
      return InvalidArgument("column '{}' cannot be both the time and a dimension", dimension);
    }
  }
  for (const auto& [name, type] : options.types) {
    if (!HasName(names, name)) return InvalidArgument("the header has no column '{}', which --type names", name);
    if (name == options.time_column || HasName(options.dimensions, name)) {
      return InvalidArgument("--type names column '{}', which is {} and has a type of its own", name,
                             name == options.time_column ? "the time" : "a dimension");
    }
  }
  return OkStatus();
}

}  // namespace

Result<std::map<std::string, std::string>> ParseTypeFlags(const std::vector<std::string>& flags) {
  std::map<std::string, std::string> types;
  for (const std::string& flag : flags) {
    const std::size_t equals = flag.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return InvalidArgument("--type is '{}'; it must be COLUMN=TYPE", flag);
    }
    const std::string name = flag.substr(0, equals);
    const std::string type = Upper(std::string_view(flag).substr(equals + 1));
    if (std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes)) {
      return InvalidArgument("--type {}: '{}' is no type; it must be double, bigint, boolean, varchar or timestamp",
                             flag, flag.substr(equals + 1));
    }
    if (!types.emplace(name, type).second) return InvalidArgument("--type names column '{}' twice", name);
  }
  return types;
}

Result<LoadColumns> LoadColumns::Make(const std::vector<std::string>& names, LoadColumnOptions options) {
  TL_TRY(CheckNames(names));
  TL_TRY(CheckOptions(names, options));
  LoadColumns columns(std::move(options));
  bool has_measure = false;
  for (const std::string& name : names) {
    Column column;
    column.name = name;
    column.is_time = name == columns.options_.time_column;
    column.is_dimension = HasName(columns.options_.dimensions, name);
    const auto type = columns.options_.types.find(name);
    column.is_inferred = type == columns.options_.types.end();
    if (!column.is_inferred) column.type = type->second;
    has_measure = has_measure || !(column.is_time || column.is_dimension);
    columns.columns_.push_back(std::move(column));
  }
  if (!has_measure) {
    return InvalidArgument("the header has no column for a measure: all of its {} are the time or dimensions",
                           names.size());
  }
  return columns;
}

void LoadColumns::Infer(const std::vector<std::string>& fields) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    if (column.is_time || column.is_dimension || !column.is_inferred || fields[i].empty()) continue;
    if (column.type != "VARCHAR") column.type = IsNumber(fields[i]) ? "DOUBLE" : "VARCHAR";
  }
}

Result<std::string> LoadColumns::TimeText(std::string_view field) const {
  if (options_.time_unit.empty()) return std::to_string(TL_TRY(ParseTimestamp(field)));
  const std::string_view number = WithoutBlanks(field);
  if (!ParseBigint(number).ok()) {
    return InvalidArgument("'{}' is no whole number of {}", field.substr(0, kValueBytesShown), options_.time_unit);
  }
  return std::string(number);
}

Result<std::string> LoadColumns::ValueText(const Column& column, std::string_view field) const {
  const std::string_view value = WithoutBlanks(field);
  const std::string_view shown = field.substr(0, kValueBytesShown);
  if (column.type == "DOUBLE") {
    const Result<double> number = ParseDouble(value);
    if (!number.ok()) {
      return InvalidArgument("'{}' is no number{}", shown,
                             column.is_inferred ? fmt::format(", as all values before are; --type {}=varchar takes it",
                                                              column.name)
                                                : std::string());
    }
    if (!std::isfinite(*number)) return InvalidArgument("'{}' is no finite number; leave it empty", shown);
    return std::string(value);
  }
  if (column.type == "BIGINT") {
    if (!ParseBigint(value).ok()) return InvalidArgument("'{}' is no whole number of 64 bits", shown);
    return std::string(value);
  }
  if (column.type == "BOOLEAN") {
    const std::string upper = Upper(value);
    if (upper != "TRUE" && upper != "FALSE") return InvalidArgument("'{}' is neither true nor false", shown);
    return std::string(upper == "TRUE" ? "true" : "false");
  }
  // A time may be written as the time column is; a whole number of its unit is taken in any case.
  if (column.type == "TIMESTAMP" && !(options_.time_unit.empty() && ParseBigint(value).ok())) return TimeText(value);
  return std::string(column.type == "TIMESTAMP" ? value : field);
}

Result<std::string> LoadColumns::RecordOf(const std::vector<std::string>& fields) {
  std::string dimensions;
  std::string measures;
  JsonWriter dimension_json(&dimensions);
  JsonWriter measure_json(&measures);
  std::string time;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    const std::string where = fmt::format("column '{}'", column.name);
    if (column.is_time) {
      Result<std::string> text = TimeText(fields[i]);
      if (!text.ok()) return Annotate(InvalidArgument("{}", MessageOf(text.status())), where);
      time = *std::move(text);
    } else if (fields[i].empty()) {
      continue;  // no value
    } else if (column.is_dimension) {
      dimension_json.BeginObject();
      dimension_json.Member("Name", column.name);
      dimension_json.Member("Value", fields[i]);
      dimension_json.EndObject();
    } else {
      if (column.type.empty()) column.type = IsNumber(fields[i]) ? "DOUBLE" : "VARCHAR";
      const Result<std::string> value = ValueText(column, fields[i]);
      if (!value.ok()) return Annotate(InvalidArgument("{}", MessageOf(value.status())), where);
      measure_json.BeginObject();
      measure_json.Member("Name", column.name);
      measure_json.Member("Value", *value);
      measure_json.Member("Type", column.type);
      measure_json.EndObject();
    }
  }
  if (measures.empty()) return std::string();
  return fmt::format(R"({{"Dimensions":[{}],"MeasureValues":[{}],"Time":"{}"}})", dimensions, measures, time);
}

}  // namespace tideline::cli
