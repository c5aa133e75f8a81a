// columnar/value.h: one value of any type, boxed. For literals, parameters, results of constant
// folding and tests; never on a path that runs per row of a scan.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "columnar/type.h"

namespace tideline {

class Value {
 public:
  /// Null of type unknown.
  Value() = default;
  static Value Null(Type type) { return {std::move(type), Nothing{}}; }
  static Value Boolean(bool v) { return {Type::Boolean(), std::int64_t{v}}; }
  static Value Integer(std::int32_t v) { return {Type::Integer(), std::int64_t{v}}; }
  static Value Bigint(std::int64_t v) { return {Type::Bigint(), v}; }
  static Value Double(double v) { return {Type::Double(), v}; }
  static Value Varchar(std::string v) { return {Type::Varchar(), std::move(v)}; }
  static Value Timestamp(std::int64_t ns) { return {Type::Timestamp(), ns}; }
  static Value Date(std::int32_t days) { return {Type::Date(), std::int64_t{days}}; }
  static Value Time(std::int64_t ns) { return {Type::Time(), ns}; }
  static Value DayToSecond(std::int64_t ns) { return {Type::IntervalDayToSecond(), ns}; }
  static Value YearToMonth(std::int32_t months) {
    return {Type::IntervalYearToMonth(), std::int64_t{months}};
  }
  static Value Decimal(Int128 unscaled, int precision, int scale) {
    return {Type::Decimal(precision, scale), unscaled};
  }
  /// Varchar, varbinary, json or varchar(n).
  static Value Text(Type type, std::string v) { return {std::move(type), std::move(v)}; }
  /// Any type held as int32_t or int64_t.
  static Value OfInteger(Type type, std::int64_t v) { return {std::move(type), v}; }
  /// Array: elements. Row: fields. Map: key, value, key, value… Timeseries: time, value, time, value…
  static Value Nested(Type type, std::vector<Value> items) {
    return {std::move(type), std::move(items)};
  }

  const Type& type() const { return type_; }
  bool is_null() const { return std::holds_alternative<Nothing>(data_); }
  bool boolean() const { return integer() != 0; }
  /// Of every type held as bool, int32 or int64.
  std::int64_t integer() const { return std::get<std::int64_t>(data_); }
  double floating() const { return std::get<double>(data_); }
  Int128 decimal() const { return std::get<Int128>(data_); }
  const std::string& text() const { return std::get<std::string>(data_); }
  const std::vector<Value>& items() const { return std::get<std::vector<Value>>(data_); }

  /// Same type id and same content; null equals null, NaN equals NaN. For tests and plan equality.
  bool operator==(const Value& other) const;

 private:
  struct Nothing {
    bool operator==(const Nothing&) const = default;
  };
  using Data = std::variant<Nothing, std::int64_t, double, Int128, std::string, std::vector<Value>>;
  Value(Type type, Data data) : type_(std::move(type)), data_(std::move(data)) {}
  Type type_;
  Data data_;
};

}  // namespace tideline
