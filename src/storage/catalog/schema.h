// storage/catalog/schema.h: what is known of a database and of a table, as immutable values.
//
// A TableSchema is published by pointer and never changes; a write that widens the table publishes a
// new one. Holding the pointer keeps it valid. Names are exact bytes: nothing here folds case.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "columnar/type.h"
#include "storage/catalog/ids.h"

namespace tideline::catalog {

inline constexpr std::size_t kDatabasesMax = 500;
inline constexpr std::size_t kTablesMax = 50'000;
inline constexpr std::size_t kTagsMax = 50;
inline constexpr std::size_t kDimensionsMax = 128;
inline constexpr std::size_t kMeasureNamesMax = 8'192;
inline constexpr std::size_t kMultiAttributesMax = 1'024;
inline constexpr std::int64_t kDefaultMemoryRetentionHours = 6;
inline constexpr std::int64_t kDefaultMagneticRetentionDays = 73'000;

/// What a column is, in the words of DESCRIBE.
enum class ColumnKind : std::uint8_t {
  kDimension,
  kMeasureName,
  kTime,
  kMeasureValue,    ///< measure_value::<type>, of single-measure records
  kMultiAttribute,  ///< one attribute of MULTI records
};
/// "DIMENSION", "MEASURE_NAME", "TIMESTAMP", "MEASURE_VALUE", "MULTI".
std::string_view ColumnKindName(ColumnKind kind);

/// Type of a measure as the write API knows it; kMulti is the type of a measure *name* only.
/// The numbers are on disk.
enum class MeasureType : std::uint8_t {
  kDouble = 0,
  kBigint = 1,
  kVarchar = 2,
  kBoolean = 3,
  kTimestamp = 4,
  kMulti = 5,
};
inline constexpr std::size_t kMeasureTypeCount = 6;
/// Lower case as SHOW MEASURES prints it: "double" … "multi".
std::string_view MeasureTypeName(MeasureType type);
/// The columnar type of values; kMulti has none (checked).
Type ColumnTypeOf(MeasureType type);

struct Column {
  ColumnId id{};
  std::string name{};
  ColumnKind kind = ColumnKind::kDimension;
  Type type{};
  bool operator==(const Column&) const = default;
};

/// One measure name of a table.
struct Measure {
  std::string name{};
  MeasureType type = MeasureType::kDouble;
  /// Dimensions ever written with this name, in table order (ascending id).
  std::vector<ColumnId> dimensions{};
  bool operator==(const Measure&) const = default;
};

struct Retention {
  std::int64_t memory_hours = kDefaultMemoryRetentionHours;
  std::int64_t magnetic_days = kDefaultMagneticRetentionDays;
  bool operator==(const Retention&) const = default;
  /// How long a row lives in all.
  std::int64_t total_ns() const { return memory_hours * kNsPerHour + magnetic_days * kNsPerDay; }
};

/// An S3 place as the caller gave it; absent members were not given.
struct S3Location {
  std::optional<std::string> bucket_name{};
  std::optional<std::string> object_key_prefix{};
  std::optional<std::string> encryption_option{};
  std::optional<std::string> kms_key_id{};
  bool operator==(const S3Location&) const = default;
};

struct MagneticStoreWrites {
  bool enabled = false;
  /// MagneticStoreRejectedDataLocation was given; its S3Configuration may be absent still.
  bool has_rejected_data_location = false;
  std::optional<S3Location> rejected_data_location{};
  bool operator==(const MagneticStoreWrites&) const = default;
};

enum class PartitionKeyType : std::uint8_t { kMeasure = 0, kDimension = 1 };
enum class Enforcement : std::uint8_t { kNotGiven = 0, kOptional = 1, kRequired = 2 };

struct PartitionKey {
  PartitionKeyType type = PartitionKeyType::kMeasure;
  std::string name{};  ///< dimension name; empty for kMeasure
  Enforcement enforcement = Enforcement::kNotGiven;
  bool operator==(const PartitionKey&) const = default;
};

enum class TableStatus : std::uint8_t { kActive = 0, kDeleting = 1, kRestoring = 2 };

/// In the order given or added; keys are unique.
using Tag = std::pair<std::string, std::string>;
using Tags = std::vector<Tag>;

struct DatabaseInfo {
  std::string name{};
  std::string kms_key_id{};
  Tags tags{};
  TimestampNs created{};
  TimestampNs updated{};
  bool operator==(const DatabaseInfo&) const = default;
};

/// Everything about a table that CreateTable and UpdateTable set.
struct TableProperties {
  Retention retention{};
  MagneticStoreWrites magnetic_store_writes{};
  std::vector<PartitionKey> partition_keys{PartitionKey{}};
  Tags tags{};
  bool operator==(const TableProperties&) const = default;
};

/// One published state of a table.
class TableSchema {
 public:
  TableId id{};
  std::string database{};
  std::string table{};
  TableProperties properties{};
  TableStatus status = TableStatus::kActive;
  TimestampNs created{};
  TimestampNs updated{};
  /// Dimensions in order of first ingestion, in ascending id.
  std::vector<Column> dimensions{};
  /// measure_value::<type> and attribute columns in order of first appearance, in ascending id.
  std::vector<Column> values{};
  /// In order of first appearance; the position is the measure's ordinal. Shared between states.
  std::vector<std::shared_ptr<const Measure>> measures{};
  ColumnId next_column = kFirstFreeColumn;

  /// API order: dimensions, measure_name, time, values.
  std::vector<Column> Columns() const;
  std::size_t column_count() const { return dimensions.size() + 2 + values.size(); }
  /// Null when the table has no such column. The pointer lives as long as the schema.
  const Column* FindColumn(std::string_view name) const;
  const Column* FindColumn(ColumnId column) const;
  /// Measures in name order, for SHOW MEASURES.
  std::vector<std::shared_ptr<const Measure>> MeasuresByName() const;
};

/// The two columns every table has.
const Column& MeasureNameColumn();
const Column& TimeColumn();

using TableSchemaPtr = std::shared_ptr<const TableSchema>;
using DatabaseInfoPtr = std::shared_ptr<const DatabaseInfo>;

}  // namespace tideline::catalog
