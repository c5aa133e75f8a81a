#include "cli/load_columns.h"

#include <algorithm>
#include <cmath>

#include "columnar/text_format.h"
#include "service/api/record_checker.h"

namespace tideline::cli {
namespace {

using catalog::MeasureType;

struct NamedType {
  std::string_view name;
  MeasureType type;
};
constexpr NamedType kTypes[] = {{"DOUBLE", MeasureType::kDouble},
                                {"BIGINT", MeasureType::kBigint},
                                {"BOOLEAN", MeasureType::kBoolean},
                                {"VARCHAR", MeasureType::kVarchar},
                                {"TIMESTAMP", MeasureType::kTimestamp},
                                {"MULTI", MeasureType::kMulti}};
constexpr std::size_t kValueBytesShown = 100;

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); });
  return upper;
}

std::optional<MeasureType> TypeOf(std::string_view name) {
  for (const NamedType& known : kTypes) {
    if (known.name == name && known.type != MeasureType::kMulti) return known.type;
  }
  return std::nullopt;
}

std::string_view WithoutBlanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

MeasureType TypeOfValue(std::string_view text) {
  return ParseDouble(text).ok() ? MeasureType::kDouble : MeasureType::kVarchar;
}

template <typename Text>
bool HasName(const std::vector<Text>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status CheckNames(const LoadColumns::Fields& names) {
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

Status CheckOptions(const LoadColumns::Fields& names, const LoadColumnOptions& options) {
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

std::string_view TypeNameOf(MeasureType type) {
  for (const NamedType& known : kTypes) {
    if (known.type == type) return known.name;
  }
  return {};
}

Result<std::map<std::string, std::string>> ParseTypeFlags(const std::vector<std::string>& flags) {
  std::map<std::string, std::string> types;
  for (const std::string& flag : flags) {
    const std::size_t equals = flag.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return InvalidArgument("--type is '{}'; it must be COLUMN=TYPE", flag);
    }
    const std::string name = flag.substr(0, equals);
    const std::string type = Upper(std::string_view(flag).substr(equals + 1));
    if (!TypeOf(type).has_value()) {
      return InvalidArgument("--type {}: '{}' is no type; it must be double, bigint, boolean, varchar or timestamp",
                             flag, flag.substr(equals + 1));
    }
    if (!types.emplace(name, type).second) return InvalidArgument("--type names column '{}' twice", name);
  }
  return types;
}

Result<LoadColumns> LoadColumns::Make(const Fields& names, LoadColumnOptions options) {
  TL_TRY(CheckNames(names));
  TL_TRY(CheckOptions(names, options));
  LoadColumns columns(std::move(options));
  bool has_measure = false;
  for (const std::string_view name : names) {
    Column column;
    column.name = name;
    column.is_time = name == columns.options_.time_column;
    column.is_dimension = HasName(columns.options_.dimensions, name);
    const auto type = columns.options_.types.find(column.name);
    column.is_inferred = type == columns.options_.types.end();
    if (!column.is_inferred) column.type = TypeOf(type->second);
    has_measure = has_measure || !(column.is_time || column.is_dimension);
    columns.columns_.push_back(std::move(column));
  }
  if (!has_measure) {
    return InvalidArgument("the header has no column for a measure: all of its {} are the time or dimensions",
                           names.size());
  }
  return columns;
}

void LoadColumns::Infer(const Fields& fields) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    if (column.is_time || column.is_dimension || !column.is_inferred || fields[i].empty()) continue;
    if (column.type != MeasureType::kVarchar) column.type = TypeOfValue(fields[i]);
  }
}

Result<std::string_view> LoadColumns::TimeText(std::string_view field, LoadBatch* batch) const {
  if (options_.time_unit.empty()) {
    const std::int64_t ns = TL_TRY(ParseTimestamp(field));
    return batch->Keep(fmt::format_int(ns).str());
  }
  const std::string_view number = WithoutBlanks(field);
  if (!ParseBigint(number).ok()) {
    return InvalidArgument("'{}' is no whole number of {}", field.substr(0, kValueBytesShown), options_.time_unit);
  }
  return number;
}

Result<std::string_view> LoadColumns::ValueText(const Column& column, std::string_view field, LoadBatch* batch) const {
  const std::string_view value = WithoutBlanks(field);
  const std::string_view shown = field.substr(0, kValueBytesShown);
  switch (*column.type) {
    case MeasureType::kDouble: {
      const Result<double> number = ParseDouble(value);
      if (!number.ok()) {
        return InvalidArgument(
            "'{}' is no number{}", shown,
            column.is_inferred ? fmt::format(", as all values before are; --type {}=varchar takes it", column.name)
                               : std::string());
      }
      if (!std::isfinite(*number)) return InvalidArgument("'{}' is no finite number; leave it empty", shown);
      return value;
    }
    case MeasureType::kBigint:
      if (!ParseBigint(value).ok()) return InvalidArgument("'{}' is no whole number of 64 bits", shown);
      return value;
    case MeasureType::kBoolean: {
      const std::string upper = Upper(value);
      if (upper != "TRUE" && upper != "FALSE") return InvalidArgument("'{}' is neither true nor false", shown);
      return std::string_view(upper == "TRUE" ? "true" : "false");
    }
    case MeasureType::kTimestamp:
      // May be written as the time column is; a whole number of its unit is taken in any case.
      if (options_.time_unit.empty() && ParseBigint(value).ok()) return value;
      return TimeText(value, batch);
    case MeasureType::kVarchar:
    case MeasureType::kMulti:
      break;
  }
  return field;
}

Status LoadColumns::AddFields(const Fields& fields, LoadBatch* batch, std::string_view* time) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    const std::string_view field = batch->Kept(fields[i]);
    const auto explain = [&](const Status& status) {
      return InvalidArgument("column '{}': {}", column.name, MessageOf(status));
    };
    if (column.is_time) {
      const Result<std::string_view> text = TimeText(field, batch);
      if (!text.ok()) return explain(text.status());
      *time = *text;
    } else if (field.empty()) {
      continue;  // no value
    } else if (column.is_dimension) {
      batch->AddDimension(column.name, field);
    } else {
      if (!column.type.has_value()) column.type = TypeOfValue(field);
      double number = 0;
      if (*column.type == MeasureType::kDouble && api::ReadDouble(field, &number)) {  // nearly always
        batch->AddMeasure({.name = column.name, .value = field, .type = MeasureType::kDouble});
        continue;
      }
      const Result<std::string_view> value = ValueText(column, field, batch);
      if (!value.ok()) return explain(value.status());
      batch->AddMeasure({.name = column.name, .value = *value, .type = *column.type});
    }
  }
  return OkStatus();
}

Result<bool> LoadColumns::AddRow(std::string_view record, const Fields& fields, std::size_t line, LoadBatch* batch) {
  batch->Begin(record);
  std::string_view time;
  const Status added = AddFields(fields, batch, &time);
  if (!added.ok() || !batch->has_measures()) {
    batch->Cancel();
    TL_TRY(added);
    return false;
  }
  batch->End(line, time);
  return true;
}

}  // namespace tideline::cli
