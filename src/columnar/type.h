// columnar/type.h: the SQL types and how each is held in memory.
//
// | type                    | physical value in a flat vector                                  |
// |-------------------------|------------------------------------------------------------------|
// | boolean                 | uint8_t 0 or 1                                                   |
// | integer, date, interval year to month | int32_t (value, days since 1970, months)           |
// | bigint, timestamp, time, interval day to second | int64_t (value, ns since 1970, ns of day, ns) |
// | double                  | double                                                           |
// | varchar, varbinary, json| StringRef                                                        |
// | decimal(p,s)            | Int128, unscaled                                                 |
// | array, map, timeseries  | ListEntry into the vector's children                             |
// | row                     | nothing of its own; one child per field                          |
// | unknown                 | uint8_t, always null                                             |
//
// An array has one child (elements); a map two (keys, values); a timeseries(T) two (times, a
// timestamp vector; values, a vector of T), so that time-series kernels run over contiguous memory.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tideline {

enum class TypeId : std::uint8_t {
  kUnknown,
  kBoolean,
  kInteger,
  kBigint,
  kDouble,
  kDecimal,
  kVarchar,
  kVarbinary,
  kJson,
  kDate,
  kTime,
  kTimestamp,
  kIntervalDayToSecond,
  kIntervalYearToMonth,
  kArray,
  kMap,
  kRow,
  kTimeseries,
};

/// How values lie in memory; see the table above.
enum class PhysicalType : std::uint8_t { kBool8, kInt32, kInt64, kDouble, kInt128, kString, kList, kRow };

__extension__ using Int128 = __int128;

/// An immutable SQL type; cheap to copy. Equality is structural; row field names take part, the
/// length of a varchar does too (compare ids when it should not).
class Type {
 public:
  static constexpr std::int32_t kUnboundedLength = -1;

  Type() = default;  // unknown
  explicit Type(TypeId scalar) : id_(scalar) {}
  static Type Unknown() { return Type(TypeId::kUnknown); }
  static Type Boolean() { return Type(TypeId::kBoolean); }
  static Type Integer() { return Type(TypeId::kInteger); }
  static Type Bigint() { return Type(TypeId::kBigint); }
  static Type Double() { return Type(TypeId::kDouble); }
  static Type Varchar() { return Type(TypeId::kVarchar); }
  /// varchar(length), `length` in code points.
  static Type Varchar(std::int32_t length);
  static Type Varbinary() { return Type(TypeId::kVarbinary); }
  static Type Json() { return Type(TypeId::kJson); }
  static Type Date() { return Type(TypeId::kDate); }
  static Type Time() { return Type(TypeId::kTime); }
  static Type Timestamp() { return Type(TypeId::kTimestamp); }
  static Type IntervalDayToSecond() { return Type(TypeId::kIntervalDayToSecond); }
  static Type IntervalYearToMonth() { return Type(TypeId::kIntervalYearToMonth); }
  /// 1 <= precision <= 38, 0 <= scale <= precision (checked).
  static Type Decimal(int precision, int scale);
  static Type Array(Type element);
  static Type Map(Type key, Type value);
  static Type Timeseries(Type value);
  struct Field;
  static Type Row(std::vector<Field> fields);

  TypeId id() const { return id_; }
  bool is(TypeId id) const { return id_ == id; }
  PhysicalType physical() const;
  /// Bytes of one value in a flat vector; 0 for row.
  std::size_t value_bytes() const;
  bool is_numeric() const {
    return id_ == TypeId::kInteger || id_ == TypeId::kBigint || id_ == TypeId::kDouble ||
           id_ == TypeId::kDecimal;
  }
  bool is_nested() const { return id_ >= TypeId::kArray; }
  /// Whether values can be compared with = and used as group keys.
  bool is_comparable() const;
  /// Whether values have an order (<, ORDER BY, min).
  bool is_orderable() const;

  /// Element of array, value of timeseries; checked.
  const Type& element() const;
  const Type& map_key() const;
  const Type& map_value() const;
  const std::vector<Field>& fields() const;
  std::int32_t varchar_length() const;
  int precision() const;
  int scale() const;

  /// Child vectors a vector of this type has: array 1, map 2, timeseries 2, row its fields, else 0.
  std::size_t child_count() const;
  Type child(std::size_t index) const;

  /// The SQL spelling as typeof() prints it: `varchar(3)`, `row(a bigint, double)`.
  std::string ToString() const;
  bool operator==(const Type& other) const;

 private:
  struct Detail;
  TypeId id_ = TypeId::kUnknown;
  std::shared_ptr<const Detail> detail_;
};

/// One field of a row type; `name` is empty for an anonymous field.
struct Type::Field {
  std::string name;
  Type type;
  bool operator==(const Field&) const = default;
};

/// Place of one array, map or timeseries value in the child vectors.
struct ListEntry {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

}  // namespace tideline
